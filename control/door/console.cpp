// Requests of a console to jobs, and what these say back to it. See console.h.
#include "control/door/console.h"

#include <algorithm>
#include <unordered_set>

#include "control/model/chains.h"
#include "control/model/zones.h"
#include "control/observe/json_text.h"

namespace maclane::door {
namespace {

using script::Completion;
using script::Ended;

constexpr size_t kMaxCandidates = 1000;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool is_on(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::string_view kind_name(Completion::Kind kind) {
  switch (kind) {
    case Completion::Kind::kMenu:
      return "menu";
    case Completion::Kind::kCommand:
      return "command";
    case Completion::Kind::kParameter:
      return "parameter";
    case Completion::Kind::kVariable:
      return "variable";
    case Completion::Kind::kProperty:
      return "property";
    default:
      return "value";
  }
}

/// What rows offer: names, numbers where they have none, or the values they have of a property.
class RowWords {
 public:
  RowWords(const model::Model& model, std::string_view word, Completion& out)
      : model_(model), word_(word), out_(out) {
    for (const auto& one : out.candidates) known_.insert(one.text);
  }

  void names(std::string_view path, bool numbers) {
    const model::Menu* menu = model::find_menu(path);
    if (menu == nullptr) return;
    if (const model::Property* name = name_of(*menu)) return values(*menu, *name);
    size_t number = 0;
    if (!numbers || !menu->has_rows()) return;
    for (const model::RowPtr& row : model_.tree().rows(*menu))
      offer(std::to_string(number++), model::View(*menu, *row).label());
  }

  /// Names that are no rows', which stand where rules say them: chains, lists, marks.
  void said(const model::Menu& menu, std::string_view property) {
    const bool chain = property == "chain" || property == "jump-target";
    if (chain && menu.path.starts_with("/ip/firewall/")) {
      for (std::string_view one : model::builtin_chains(menu.path))
        if (property == "chain") offer(std::string(one), "");
      for (std::string_view by : {"chain", "jump-target"}) said_in(menu, by);
    }
    if (property == "list" && menu.path == kLists) said_in(menu, property);
    for (const Said& one : kSaid) {
      if (one.property == property) said_in(*model::find_menu(one.path), one.by);
    }
  }

  /// Zones are of the system, which may have none.
  void zones() {
    for (std::string& one : model::zones_from(word_)) offer(std::move(one), "");
  }

  void values(const model::Menu& menu, const model::Property& property) {
    if (property.has(model::Property::kSecret) || property.has(model::Property::kWriteOnly)) return;
    if (menu.has_rows()) {
      for (const model::RowPtr& row : model_.tree().rows(menu))
        offer(std::string(model::View(menu, *row).get(property.name)), "");
    }
    // Those of other properties may be connections by the hundred thousand.
    if (name_of(menu) != &property) return;
    for (const model::PrintRow& row : model_.dynamic_rows(menu)) {
      for (const auto& [field, value] : row.fields)
        if (field == property.name) offer(value, "");
    }
  }

 private:
  struct Said {
    std::string_view property, path, by;
  };
  static constexpr std::string_view kLists = "/ip/firewall/address-list";
  static constexpr std::string_view kMangle = "/ip/firewall/mangle";
  static constexpr Said kSaid[] = {
      {"src-address-list", kLists, "list"},
      {"dst-address-list", kLists, "list"},
      {"address-list", kLists, "list"},
      {"src-address-list", "/ip/firewall/filter", "address-list"},
      {"dst-address-list", "/ip/firewall/filter", "address-list"},
      {"address-list", "/ip/firewall/filter", "address-list"},
      {"connection-mark", kMangle, "new-connection-mark"},
      {"new-connection-mark", kMangle, "new-connection-mark"},
      {"packet-mark", kMangle, "new-packet-mark"},
      {"new-packet-mark", kMangle, "new-packet-mark"},
  };

  /// What tells rows by name: of what the router itself shows (files) too.
  static const model::Property* name_of(const model::Menu& menu) {
    const auto found =
        std::find_if(menu.properties.begin(), menu.properties.end(),
                     [](const auto& one) { return one.has(model::Property::kName); });
    return found == menu.properties.end() ? nullptr : &*found;
  }

  void said_in(const model::Menu& menu, std::string_view property) {
    if (const model::Property* found = menu.find(property)) values(menu, *found);
  }

  void offer(std::string text, std::string help) {
    if (text.empty() || !text.starts_with(word_) || out_.candidates.size() >= kMaxCandidates ||
        text.find_first_of(" \t\"") != std::string::npos || !known_.insert(text).second)
      return;
    out_.candidates.push_back({std::move(text), std::move(help), Completion::Kind::kValue});
  }

  const model::Model& model_;
  std::string_view word_;
  Completion& out_;
  std::unordered_set<std::string> known_;
};

}  // namespace

Console::Console(script::Runner& runner, model::Caller caller)
    : runner_(runner), caller_(std::move(caller)) {}

Console::~Console() {
  if (job_ != nullptr) job_->stop();
}

std::string Console::refusal(std::string_view why) {
  return line_of({{"refused", why}});
}

bool Console::holds_safe_mode() const {
  const model::SafeMode* safe = runner_.commands().model().safe_mode();
  return safe != nullptr && safe->owner.session == caller_.session;
}

std::string Console::prompt(std::string_view menu) const {
  const std::string_view name =
      runner_.commands().model().tree().settings("/system/identity").get("name");
  std::string out =
      "[" + caller_.user + "@" + std::string(name) + (holds_safe_mode() ? "] <SAFE> " : "] ");
  return out + std::string(menu) + (menu.empty() ? "> " : " > ");
}

void Console::take(std::string_view line, std::string& out) {
  auto request = parse_bounded(line);
  if (!request) {
    out += refusal(request.error() + " A request is one JSON object on one line.");
  } else if (!request->is_object()) {
    out += refusal("A request is a JSON object.");
  } else if (request->contains("stop")) {
    if (job_ != nullptr) job_->stop();
  } else if (request->contains("answer")) {
    const Json& said = (*request)["answer"];
    std::optional<std::string> answer;
    if (said.is_string()) answer = said.get<std::string>();
    if (is_on(*request, "answer")) answer = "y";
    if (job_ != nullptr) job_->answer(std::move(answer));
  } else if (request->contains("hello")) {
    out += line_of({{"hello", {{"prompt", prompt("")}}}});
  } else if (request->contains("complete")) {
    out += line_of({{"completion", complete(*request)}});
  } else if (!request->contains("run")) {
    out += refusal("A request has run, complete, answer, stop or hello.");
  } else if (job_ != nullptr) {
    out += refusal("A command runs already; stop it first.");
  } else {
    run(*request, out);
  }
}

void Console::run(const Json& request, std::string& out) {
  script::Task task;
  task.source = text_at(request, "run");
  task.menu = text_at(request, "menu");
  task.caller = caller_;
  task.piecewise = is_on(request, "pieces");
  const auto width = request.find("width");
  if (width != request.end() && width->is_number_unsigned()) {
    task.screen.width = std::min<size_t>(width->get<size_t>(), 10'000);
  }
  task.screen.bold = is_on(request, "bold");
  task.screen.json = is_on(request, "json");
  task.screen.values = !task.piecewise;
  task.screen.asks = is_on(request, "asks");
  job_ = runner_.start(std::move(task));
  if (job_ == nullptr) out += refusal("Too many scripts run already; stop some of them.");
}

void Console::collect(std::string& out) {
  model::Model& model = runner_.commands().model();
  if (const auto lost = model.safe_mode_lost(caller_.session))
    out += line_of({{"notice", *lost}, {"prompt", prompt(menu_)}});
  if (job_ == nullptr) return;
  if (const std::string text = job_->take_output(); !text.empty()) {
    out += "{\"out\":";
    observe::append_json(out, text);
    if (job_->is_live()) out += ",\"live\":true";
    if (job_->is_whole()) out += ",\"whole\":true";
    out += "}\n";
  }
  if (const std::string text = job_->take_warnings(); !text.empty()) {
    out += line_of({{"warn", text}});
  }
  if (const auto question = job_->take_question()) {
    Json asked = {{"ask", question->text}};
    if (question->line) asked["line"] = true;
    if (!question->keys.empty()) asked["keys"] = question->keys;
    if (question->secret) asked["secret"] = true;
    out += line_of(asked);
  }
  const Ended* ended = job_->ended();
  if (ended == nullptr) return;
  menu_ = ended->menu;
  bool failed = ended->kind != Ended::Kind::kDone;
  std::string error = ended->message;
  // Who quits keeps what was changed in safe mode; a session that just ends does not (C-50).
  if (ended->quit && holds_safe_mode()) {
    if (const Status kept = model.release_safe_mode(caller_); !kept) {
      failed = true;
      error = kept.error().front().text();
    }
  }
  const bool mistyped =
      ended->kind == Ended::Kind::kMistyped || ended->message.starts_with("bad command name");
  Json done = {{"code", !failed ? 0 : (mistyped ? 2 : 1)},
               {"menu", ended->menu},
               {"prompt", prompt(ended->menu)}};
  if (ended->quit && !failed) done["quit"] = true;
  if (job_->is_live()) done["live"] = true;
  if (failed) {
    done["error"] = error;
    done["line"] = ended->place.line;
    done["column"] = ended->place.column;
  }
  out += line_of({{"done", std::move(done)}});
  job_ = nullptr;
}

/// The variables that scripts of this user find declared.
std::vector<std::string> Console::globals() const {
  std::vector<std::string> out;
  const auto found = runner_.all_globals().find(caller_.user);
  if (found == runner_.all_globals().end()) return out;
  for (const auto& [name, value] : found->second.all()) out.push_back(name);
  return out;
}

Json Console::complete(const Json& request) const {
  const std::string text = text_at(request, "complete");
  Completion found =
      script::complete(script::Words::of_schema(), text.substr(0, script::kMaxSource),
                       {text_at(request, "menu"), globals()});
  const std::string_view word = std::string_view(text).substr(std::min(found.begin, text.size()));
  RowWords rows(runner_.commands().model(), word, found);
  const model::Menu* menu = model::find_menu(found.menu);
  if (found.property != nullptr) {
    for (std::string_view path : found.property->reference) rows.names(path, false);
    if (menu != nullptr && found.compares) rows.values(*menu, *found.property);
    if (menu != nullptr && !found.compares) rows.said(*menu, found.property->name);
    if (found.property->name == "time-zone-name") rows.zones();
  }
  for (std::string_view by_row : {"numbers", "place-before", "copy-from"}) {
    if (found.parameter == by_row) rows.names(found.menu, true);
  }
  Json candidates = Json::array();
  for (const auto& one : found.candidates) {
    candidates.push_back({{"text", one.text}, {"help", one.help}, {"kind", kind_name(one.kind)}});
  }
  Json out = {{"begin", found.begin}, {"candidates", std::move(candidates)}};
  if (found.property != nullptr) {
    out["value"] = found.parameter;
    out["help"] = found.property->help;
  }
  return out;
}

}  // namespace maclane::door
