// Menu commands of a script: from its arguments to a call, from the answer to text or a value. See
// job.h.
#include <fmt/format.h>

#include <algorithm>

#include "control/model/value.h"
#include "control/observe/ping_text.h"
#include "control/observe/table.h"
#include "control/script/job.h"
#include "control/script/print_text.h"
#include "control/script/rows.h"
#include "control/script/runner.h"

namespace maclane::script {
namespace {

using model::Call;
using model::Menu;
using model::Outcome;

bool is_edit(std::string_view command) {
  constexpr std::string_view kEdits[] = {"add",    "set",     "unset",   "remove",
                                         "enable", "disable", "comment", "move"};
  return std::find(std::begin(kEdits), std::end(kEdits), command) != std::end(kEdits);
}

bool is_read(std::string_view command) {
  constexpr std::string_view kReads[] = {"print", "get", "find", "listen", "schema"};
  return std::find(std::begin(kReads), std::end(kReads), command) != std::end(kReads);
}

/// Whether what is asked for may be something that follows from what was changed, and is not
/// stored.
bool reads_state(const model::Model& model, const Call& call, const Menu& menu) {
  if (!model.has_state(menu)) return false;
  if (call.command != "get") return true;
  const model::Property* property = menu.find(call.get("value-name"));
  return property == nullptr || property->has(model::Property::kReadOnly);
}

tl::unexpected<Fault> wrong(std::string message, int category = 4) {
  return tl::make_unexpected(Fault{Fault::Kind::kError, std::move(message), {}, {}, category});
}

Call call_of(const MenuCall& written, const Menu& menu) {
  Call call;
  call.path = menu.path;
  call.command = written.command->name;
  const model::Command* known = model::find_command(menu, call.command);
  for (const MenuCall::Argument& one : written.arguments) {
    // What the console alone takes.
    const bool ours = one.name == "file" || one.name == "append" || one.name == "as-value";
    if (ours && (known == nullptr || known->find(one.name) == nullptr)) continue;
    call.arguments.emplace_back(one.unset ? "!" + one.name : one.name, one.text);
  }
  if (written.where) call.filter = written.where;
  return call;
}

/// Points at the argument an error is about.
Fault fault_at(const model::Failure& failure, const MenuCall& call) {
  Fault fault = fault_of(failure);
  std::string_view property;
  if (!failure.errors.empty()) property = failure.errors.front().property;
  if (property.empty() && fault.category == 0) property = "numbers";  // no such item
  if (const auto* argument = call.find(property); argument != nullptr) {
    fault.place = argument->place;
  }
  return fault;
}

/// Of a word, a number or a switch, nothing is no value: "action=" at the end of a line was to be
/// more. "!action" takes one away.
const MenuCall::Argument* left_empty(const MenuCall& call, const Menu& menu) {
  if (call.command->name != "add" && call.command->name != "set") return nullptr;
  const auto found =
      std::find_if(call.arguments.begin(), call.arguments.end(), [&](const auto& one) {
        const model::Property* property = menu.find(one.name);
        if (property == nullptr || one.unset || one.flag || !one.text.empty()) return false;
        return property->type == model::Type::kEnum || property->type == model::Type::kBool ||
               property->type == model::Type::kInteger;
      });
  return found == call.arguments.end() ? nullptr : &*found;
}

Value value_of_row(const Menu& menu, const model::PrintRow& row) {
  Array out;
  if (!row.id.empty()) out.keyed.insert_or_assign(".id", Value::id(row.id));
  for (const auto& [name, text] : row.fields) {
    out.keyed.insert_or_assign(name, property_value(menu.find(name), text));
  }
  return Value::array(std::move(out));
}

}  // namespace

Host::Done Job::menu_command(const MenuCall& call) {
  const std::string& path = call.command->path;
  const Menu* menu = model::find_menu(path.empty() ? "/" : path);
  if (menu == nullptr) return wrong("no such command prefix", 0);
  if (path.empty() && call.command->name == "import") return import(call);
  if (call.command->name == "print" && call.has("file")) return print_to_file(call, *menu);
  return carry_out_if_meant(call, *menu);
}

Host::Done Job::carry_out(const MenuCall& call, const Menu& menu) {
  model::Commands& commands = runner_.commands();
  if (const MenuCall::Argument* empty = left_empty(call, menu)) {
    return tl::make_unexpected(
        Fault{Fault::Kind::kError,
              fmt::format("invalid value for argument {0}: it has none; !{0} leaves it unset",
                          empty->name),
              {},
              empty->place,
              1});
  }
  const Call asked = call_of(call, menu);
  if (is_edit(asked.command) && !commands.model().in_batch()) {
    commands.model().begin_batch(task_.caller);
  }
  // What is neither may take back, load or wait: it comes after what was changed so far.
  if (!is_edit(asked.command) && !is_read(asked.command) && !settle()) {
    return tl::make_unexpected(*broken_);
  }
  if (is_read(asked.command) && reads_state(commands.model(), asked, menu)) {
    if (Status status = commands.model().show_batch(); !status) {
      if (commands.model().in_batch()) return wrong(status.error().front().text());
      break_with(status.error());
      return tl::make_unexpected(*broken_);
    }
  }
  const bool was_in = std::exchange(in_command_, true);
  const Budget::Use none(nullptr);
  auto outcome = commands.run(asked, task_.caller);
  in_command_ = was_in;
  if (!outcome) {
    choice_ = std::move(outcome.error().choice);
    return tl::make_unexpected(fault_at(outcome.error(), call));
  }
  for (const std::string& warning : outcome->warnings)
    if (warnings_.find(warning) == std::string::npos) warnings_ += warning + "\n";
  if (outcome->running != nullptr) return run_on(call, menu, *outcome);
  const bool as_value = call.has("as-value");
  whole_ = call.has("without-paging");
  // A print in brackets is a table on the screen and no value, unless it is count-only.
  const bool prints = call.command->name == "print" && outcome->result.empty();
  if ((!call.wants_value || prints) && !as_value) show(call, menu, *outcome);
  if (!call.wants_value) return Value{};
  return value_of(call, menu, *outcome);
}

/// A command that goes on: its rows as they come, or all of them as a value.
Host::Done Job::run_on(const MenuCall& call, const Menu& menu, Outcome& outcome) {
  const bool keeps = call.wants_value || call.has("as-value");
  const bool print = call.command->name == "print";
  const bool follows = call.has("follow") || call.has("follow-only");
  Outcome all;
  bool first = true;
  live_ = !keeps && call.body == nullptr;
  std::optional<model::PrintRow> last_ping;
  const auto sum_up = [&] {
    if (last_ping) write(observe::ping_sums(*last_ping));
  };
  while (true) {
    std::vector<model::PrintRow> rows;
    const bool was_in = std::exchange(in_command_, true);
    const auto state = outcome.running->step(model::steady_ms(), rows);
    in_command_ = was_in;
    if (const std::string text = outcome.running->take_text(); !text.empty()) write(text);
    for (auto& row : rows) {
      std::erase_if(row.fields, [](const auto& field) { return field.first == ".section"; });
    }
    if (call.body != nullptr) {
      for (const auto& row : rows) {
        std::vector<std::pair<std::string, Value>> variables;
        for (const auto& [name, text] : row.fields) {
          variables.emplace_back(name, property_value(menu.find(name), text));
        }
        if (!interpreter_->call_block(*call.body, variables)) return Value{};
      }
    } else if (keeps) {
      for (auto& row : rows) {
        if (all.rows.size() >= kMaxElements) break;
        all.rows.push_back(std::move(row));
      }
    } else if (!rows.empty()) {
      // The head of a table stands above its first rows only, unless the screen is cleared.
      const std::string text =
          print_text(call, menu, task_.screen, rows, first || (print && !follows));
      const bool whole = (print && !follows) || call.command->name == "traceroute";
      if (!first && task_.screen.width != 0 && whole) write("\033[H\033[J");
      write(text);
      first = false;
      if (call.command->name == "ping" && !task_.screen.json) last_ping = rows.back();
    }
    if (state == model::Running::State::kFailed) {
      return tl::make_unexpected(fault_at(outcome.running->failure(), call));
    }
    if (state == model::Running::State::kDone) break;
    const uint64_t now = model::steady_ms();
    const uint64_t next = outcome.running->next_deadline();
    const uint64_t pause = next > now ? std::min<uint64_t>(next - now, 60'000) : 0;
    if (!wait(static_cast<int64_t>(pause * 1'000'000))) {
      outcome.running->stop();
      sum_up();
      return tl::make_unexpected(Fault{Fault::Kind::kInterrupted, "interrupted", {}, {}, 2});
    }
  }
  sum_up();
  all.result = outcome.running->result();
  if (!keeps) {
    if (!all.result.empty()) show(call, menu, all);
    return Value{};
  }
  return value_of(call, menu, all);
}

Host::Done Job::value_of(const MenuCall& call, const Menu& menu, const Outcome& outcome) {
  const std::string& command = call.command->name;
  if (command == "find") {
    Array ids;
    ids.list.reserve(outcome.rows.size());
    for (const auto& row : outcome.rows) ids.list.push_back(Value::id(row.id));
    return Value::array(std::move(ids));
  }
  if (command == "get") {
    const auto* name = call.find("value-name");
    if (name == nullptr) {
      return outcome.rows.empty() ? Value{} : value_of_row(menu, outcome.rows.front());
    }
    if (name->text == ".id") return Value::id(std::string(outcome.ret()));
    if (outcome.ret().empty() && menu.find(name->text) != nullptr &&
        menu.find(name->text)->type != model::Type::kBool) {
      return Value{};  // unset: nothing, as in RouterOS
    }
    return property_value(menu.find(name->text), outcome.ret());
  }
  if (command == "add") return Value::id(std::string(outcome.ret()));
  // As RouterOS 7 and the scripts that ask whether somebody is there: how many answered.
  if (command == "ping" && !call.has("as-value")) {
    const auto& rows = outcome.rows;
    return Value::number(
        rows.empty() ? 0 : model::parse_integer(rows.back().get("received")).value_or(0));
  }
  const bool print = command == "print";
  if (!outcome.rows.empty() || (print && outcome.result.empty())) {
    if (print && !call.has("as-value")) return Value{};
    if (menu.kind == Menu::Kind::kSettings && print) {
      return value_of_row(menu, outcome.rows.front());
    }
    Array rows;
    for (const auto& row : outcome.rows) rows.list.push_back(value_of_row(menu, row));
    if (!print && rows.list.size() == 1) return rows.list.front();
    return Value::array(std::move(rows));
  }
  if (outcome.result.size() == 1 && outcome.result.front().first == "ret") {
    return print ? Value::literal(outcome.ret()) : Value::text(std::string(outcome.ret()));
  }
  if (!outcome.result.empty()) {
    Array fields;
    for (const auto& [name, value] : outcome.result) {
      fields.keyed.insert_or_assign(name, Value::text(value));
    }
    return Value::array(std::move(fields));
  }
  return outcome.text.empty() ? Value{} : Value::text(outcome.text);
}

void Job::show(const MenuCall& call, const Menu& menu, const Outcome& outcome) {
  const std::string& command = call.command->name;
  const bool json = task_.screen.json;
  if (command == "find") {
    if (json) write(observe::to_json_object({{"ret", std::string(outcome.ret())}}));
    return;
  }
  if (command == "get") {
    if (!task_.screen.values && !json) return;
    if (call.find("value-name") == nullptr && !outcome.rows.empty()) {
      const auto& fields = outcome.rows.front().fields;
      write(json ? observe::to_json_object(fields) : observe::to_lines(fields));
    } else {
      const std::string value(outcome.ret());
      write(json ? observe::to_json_object({{"value", value}}) : value + "\n");
    }
    return;
  }
  if (!outcome.text.empty()) {
    std::string text = outcome.text;
    if (json) text = outcome.json ? outcome.json() : observe::to_json_object({{"text", text}});
    if (text.back() != '\n') text += '\n';
    write(text);
  }
  if (outcome.result.empty()) {
    const bool rows = command == "print" || !outcome.rows.empty();
    if (rows) write(print_text(call, menu, task_.screen, outcome.rows));
    return;
  }
  if (command == "print") {
    const std::string count(outcome.ret());
    write(json ? observe::to_json_object({{"count", count}}) : count + "\n");
  } else if (json) {
    write(observe::to_json_object(outcome.result));
  } else if (command != "add" && (outcome.result.size() > 1 || command == "execute")) {
    const bool plain = outcome.result.size() == 1;
    std::string text = plain ? outcome.result.front().second : observe::to_lines(outcome.result);
    if (!text.empty() && text.back() != '\n') text += '\n';
    write(text);
  }
}

Host::Done Job::print_to_file(const MenuCall& call, const Menu& menu) {
  if (!runner_.files().write) return wrong("there are no files here");
  if (auto may = model::may_write_files("print file=", task_.caller); !may)
    return tl::make_unexpected(fault_of(may.error()));
  MenuCall plain = call;
  std::erase_if(plain.arguments,
                [](const auto& one) { return one.name == "file" || one.name == "append"; });
  std::string name = call.find("file")->text;
  if (name.find('.', name.rfind('/') + 1) == std::string::npos) name += ".txt";
  std::string text;
  if (call.has("append")) {
    if (auto before = runner_.files().read(name)) text = std::move(*before);
  }
  const Screen screen = std::exchange(task_.screen, Screen{});
  std::string* const before = std::exchange(diverted_, &text);
  Done done = carry_out(plain, menu);
  diverted_ = before;
  task_.screen = screen;
  if (!done) return done;
  if (Status status = runner_.files().write(name, text); !status) {
    return wrong(status.error().front().text());
  }
  return done;
}

Host::Done Job::import(const MenuCall& call) {
  const auto* name = call.find("file-name");
  if (name == nullptr || name->text.empty())
    return wrong("missing value(s) of argument(s) file-name");
  if (!runner_.files().read) return wrong("there are no files here");
  auto text = runner_.read_script(name->text);
  if (!text) {
    return wrong("failure: input file " + name->text +
                 " cannot be read: " + text.error().front().text());
  }
  if (imports_ >= kMaxImports) return wrong("files import each other too deep");
  const auto is_on = [&](std::string_view argument) {
    const auto* found = call.find(argument);
    return found != nullptr && (found->flag || found->text == "yes");
  };
  Import import{.verbose = is_on("verbose"), .dry_run = is_on("dry-run")};
  if (const auto* from = call.find("from-line"); from != nullptr) {
    import.from_line = static_cast<uint32_t>(model::parse_integer(from->text).value_or(1));
  }
  ++imports_;
  const auto budget = Budget::current();
  Interpreter inner(*this, runner_.globals(task_.caller.user), Words::of_schema(), budget,
                    fiber_.stack_floor());
  Interpreter* const outer = std::exchange(interpreter_, &inner);
  Reader reader(Words::of_schema(), *text);
  std::optional<SyntaxError> mistyped;
  std::optional<Fault> fault;
  auto result = run_pieces(inner, reader, import, mistyped);
  if (mistyped) {
    fault = Fault{Fault::Kind::kError, mistyped->text(), {}, {}, 1};
  } else if (!result) {
    fault = std::move(result.error());
  }
  interpreter_ = outer;
  --imports_;
  if (fault) {
    const uint32_t line = fault->place.line;
    fault->message = fmt::format("{}: {}{}", name->text, fault->message, fault->trace);
    if (fault->trace.empty() && line > 1) fault->message += fmt::format(" (line {})", line);
    if (!import.dry_run && !mistyped && !broken_) {
      const bool there = fault->message.find("already have") != std::string::npos;
      fault->message += fmt::format(
          "\nline {0} and what follows was not carried out, what stands before it was; mend it and "
          "go on with from-line={0}{1}",
          last_line_, there ? ", or import after /system/reset-configuration no-defaults=yes" : "");
    }
    fault->trace.clear();
    fault->place = {};
    return tl::make_unexpected(std::move(*fault));
  }
  if (!settle()) return wrong(broken_->message);
  write(import.dry_run ? "\nScript file has no mistakes of writing; nothing was carried out\n"
                       : "\nScript file loaded and executed successfully\n");
  return Value{};
}

}  // namespace maclane::script
