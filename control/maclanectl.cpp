// The console `maclanectl`: one command from its arguments, lines from a pipe, or a prompt.
//
// It knows no menu itself: it asks the router (the `menus` request) and sends what parse_line makes
// of a line. One connection per request, so a router that restarts between two lines does no harm.
// Exit codes: 0 done, 1 the router refused, 2 the command is not one, 3 no router answers.
#include <editline/readline.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "control/door/console_client.h"
#include "control/door/console_line.h"
#include "control/door/plan.h"
#include "control/observe/table.h"

namespace {

using maclane::door::ask;
using maclane::door::Catalog;
using maclane::door::ConsoleLine;
using maclane::door::Json;
namespace observe = maclane::observe;

enum Exit : int { kDone = 0, kRefused = 1, kUsage = 2, kNoRouter = 3 };
constexpr const char* kDefaultSocket = "/run/maclane/maclane.sock";

struct Options {
  std::string socket = kDefaultSocket;
  bool json = false;
};

void point_at(const std::string& line, size_t position) {
  std::cerr << "  " << line << "\n  " << std::string(std::min(position, line.size()), ' ') << "^\n";
}

bool is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

size_t terminal_width() {
  winsize size{};
  return is_terminal() && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? std::string{}
                         : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The members of a JSON object as lines, a list of objects as one block each.
std::string lines_of(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_object()) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto& item : value.items()) fields.emplace_back(item.key(), text_of(item.value()));
    return observe::to_lines(fields);
  }
  if (!value.is_array()) {
    std::string text = text_of(value);
    if (!text.empty() && text.back() != '\n') text += '\n';
    return text;
  }
  std::string out;
  for (const Json& item : value) out += (out.empty() ? "" : "\n") + lines_of(item);
  return out;
}

/// A schema reply as a table of properties.
std::string schema_text(const Json& reply, size_t width) {
  observe::Table table;
  table.columns = {"name", "type", "default", "values", "help"};
  for (const Json& p : reply["properties"]) {
    observe::TableRow row;
    row.number = table.rows.size();
    for (const char* key : {"name", "type", "default", "help"}) {
      row.fields.emplace_back(key, text_of(p.value(key, Json())));
    }
    std::string values;
    for (const Json& v : p.value("values", Json::array()))
      values += (values.empty() ? "" : "|") + text_of(v);
    row.fields.emplace_back("values", values);
    table.rows.push_back(std::move(row));
  }
  observe::PrintOptions options;
  options.width = width;
  return observe::to_text(table, options);
}

class Console {
 public:
  explicit Console(Options options) : options_(std::move(options)) {}

  /// Asks the router for its menus; false with the sentence said.
  bool connect() {
    auto reply = ask(options_.socket, {{"command", "menus"}});
    if (!reply) {
      std::cerr << reply.error() << "\n";
      return false;
    }
    catalog_ = Catalog::from_reply(*reply);
    return true;
  }

  int run(const std::string& line, bool one_shot) {
    auto parsed = maclane::door::parse_line(catalog_, context_, line);
    if (!parsed) {
      std::cerr << parsed.error().message << "\n";
      point_at(line, parsed.error().position);
      return kUsage;
    }
    if (parsed->command.empty() && one_shot) {
      const auto* menu = catalog_.find(parsed->path);
      if (menu == nullptr || menu->kind == "commands") {
        std::cerr << "A command was expected after " << (parsed->path.empty() ? "/" : parsed->path)
                  << ".\n";
        list(parsed->path, std::cerr);
        return kUsage;
      }
      parsed->command = "print";
    }
    if (parsed->command.empty()) {
      context_ = parsed->path;
      return kDone;
    }
    return send(*parsed, line);
  }

  /// A command of the whole router with its arguments, "undo" or "apply file=x confirm=60s";
  /// nullopt if it is none.
  std::optional<int> run_whole(const std::vector<std::string>& words) {
    const auto* menu = maclane::model::find_menu("/");
    if (words.empty() || menu == nullptr) return std::nullopt;
    ConsoleLine line;
    line.path = "/";
    line.command = words[0].substr(words[0].starts_with('/') ? 1 : 0);
    const auto* command = maclane::model::find_command(*menu, line.command);
    if (command == nullptr) return std::nullopt;
    for (size_t i = 1; i < words.size(); ++i) {
      const size_t equals = words[i].find('=');
      const bool unnamed = equals == std::string::npos && !command->positional.empty();
      if (unnamed) {
        line.arguments[std::string(command->positional)] = words[i];
      } else {
        line.arguments[words[i].substr(0, equals)] =
            equals == std::string::npos ? "" : words[i].substr(equals + 1);
      }
    }
    return send(line, words[0]);
  }

  /// What can be said in a menu.
  void list(const std::string& path, std::ostream& out) const {
    for (const std::string& child : catalog_.children(path)) out << "  " << child << "/\n";
    if (const auto* menu = catalog_.find(path)) {
      for (const std::string& command : menu->commands) out << "  " << command << "\n";
    }
  }

  [[nodiscard]] std::string prompt() const {
    std::string name = "Maclane";
    if (const auto reply =
            ask(options_.socket, {{"path", "/system/identity"}, {"command", "print"}})) {
      const auto table = observe::table_of(*reply);
      if (!table.rows.empty()) name = table.rows.front().get("name");
    }
    return "[admin@" + name + "] " + context_ + (context_.empty() ? "> " : " > ");
  }

  [[nodiscard]] const Catalog& catalog() const { return catalog_; }
  [[nodiscard]] const std::string& context() const { return context_; }

 private:
  int send(const ConsoleLine& line, const std::string& written) {
    Json arguments = line.arguments;
    if (options_.json && !line.print.properties.empty()) {
      arguments["proplist"] = line.print.properties;
    }
    const auto reply =
        ask(options_.socket,
            {{"path", line.path}, {"command", line.command}, {"arguments", std::move(arguments)}});
    if (!reply) {
      std::cerr << reply.error() << "\n";
      return kNoRouter;
    }
    if (!reply->value("ok", false)) {
      bool usage = false;
      for (const Json& error : reply->value("errors", Json::array())) {
        const bool placed = error.contains("position") && line.where_at != std::string::npos;
        std::cerr << text_of(error.value(placed ? "message" : "text", Json())) << "\n";
        if (placed) point_at(written, line.where_at + error["position"].get<size_t>());
        usage = usage || placed;
      }
      return usage ? kUsage : kRefused;
    }
    show(line, *reply);
    return kDone;
  }

  void show(const ConsoleLine& line, const Json& reply) const {
    if (reply.contains("rows")) {
      const auto table = observe::table_of(reply);
      auto options = line.print;
      options.width = terminal_width();
      options.bold = is_terminal() && std::getenv("NO_COLOR") == nullptr;
      std::cout << (options_.json ? observe::to_json(table) : observe::to_text(table, options));
    } else if (options_.json) {
      Json rest = reply;
      rest.erase("ok");
      const bool single = rest.contains("result");
      std::cout
          << (single ? rest["result"] : rest).dump(2, ' ', false, Json::error_handler_t::replace)
          << "\n";
    } else if (reply.contains("count")) {
      std::cout << text_of(reply["count"]) << "\n";
    } else if (reply.contains("value")) {
      std::cout << text_of(reply["value"]) << "\n";
    } else if (reply.contains("row")) {
      std::cout << lines_of(reply["row"].value("fields", Json::object()));
    } else if (reply.contains("properties")) {
      std::cout << schema_text(reply, terminal_width());
    } else if (reply.contains("result")) {
      std::cout << lines_of(reply["result"]);
    }
    std::cout.flush();
  }

  Options options_;
  Catalog catalog_;
  std::string context_;
};

std::string trimmed(const std::string& line) {
  const size_t begin = line.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r\n") - begin + 1);
}

/// Lines of a script; the first that fails ends it, so that nothing is built on a half-done change.
int run_script(Console& console, std::istream& in) {
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    const std::string text = trimmed(line);
    if (text.empty() || text.front() == '#') continue;
    if (text == "quit" || text == "exit") break;
    if (const int code = console.run(text, false); code != kDone) {
      std::cerr << "Stopped at line " << number << ".\n";
      return code;
    }
  }
  return kDone;
}

const Console* completing = nullptr;  // editline's callbacks carry no pointer of ours
std::vector<std::string> completions;

char* next_completion(const char*, int state) {
  const auto i = static_cast<size_t>(state);
  return i < completions.size() ? ::strdup(completions[i].c_str()) : nullptr;
}

char** complete(const char* text, int start, int end) {
  const std::string before(rl_line_buffer, static_cast<size_t>(end));
  completions = maclane::door::complete_line(completing->catalog(), completing->context(), before);
  (void)start;
  rl_attempted_completion_over = 1;  // never file names
  const bool goes_on = completions.size() == 1 && completions.front().back() == '=';
  rl_completion_append_character = goes_on ? 0 : ' ';
  return completions.empty() ? nullptr : rl_completion_matches(text, next_completion);
}

int run_prompt(Console& console) {
  static char name[] = "maclanectl";
  static char breaks[] = " \t/";
  rl_readline_name = name;
  rl_initialize();
  rl_completer_word_break_characters = breaks;
  rl_attempted_completion_function = complete;
  completing = &console;
  const char* home = std::getenv("HOME");
  const std::string history = home == nullptr ? "" : std::string(home) + "/.maclane_history";
  using_history();
  if (!history.empty()) read_history(history.c_str());
  stifle_history(1000);
  int last = kDone;
  while (char* typed = readline(console.prompt().c_str())) {
    const std::string text = trimmed(typed);
    std::free(typed);
    if (text.empty() || text.front() == '#') continue;
    add_history(text.c_str());
    if (text == "quit" || text == "exit") break;
    if (text == "?" || text == "help") {
      console.list(console.context(), std::cout);
      continue;
    }
    last = console.run(text, false);
    if (last == kNoRouter) std::cerr << "The next line asks again; quit leaves.\n";
  }
  if (!history.empty()) write_history(history.c_str());
  return last == kNoRouter ? last : kDone;
}

void help(const Options& options) {
  std::cout << "maclanectl: the console of a Maclane router\n\n"
               "  maclanectl [--socket PATH] [--json] MENU [COMMAND] [ARGUMENTS]\n"
               "  maclanectl [--socket PATH]            a prompt, or lines from a pipe\n\n"
               "  maclanectl /interface/macvlan/print where mode=private\n"
               "  maclanectl ip firewall filter print stats\n"
               "  maclanectl reload | status | changes | undo | redo\n"
               "  maclanectl plan FILE                  what it would change\n"
               "  maclanectl apply FILE [confirm 60s]   and goes back unless `confirm` is said\n\n"
               "  print takes detail, stats, terse, value-list, count-only, proplist=a,b and\n"
               "  where EXPRESSION; MENU schema lists a menu's properties.\n"
               "  --socket PATH  the router's socket, else $MACLANE_SOCKET, else "
            << kDefaultSocket
            << "\n"
               "  --json         rows as JSON\n\nMenus:\n";
  Json reply;
  if (auto answer = ask(options.socket, {{"command", "menus"}})) {
    reply = std::move(*answer);
  } else {
    // No router answers: what this release has.
    maclane::model::Model model;
    maclane::model::Commands commands(model);
    reply = Json::parse(maclane::door::Requests(commands).answer(R"({"command":"menus"})"));
  }
  const Catalog catalog = Catalog::from_reply(reply);
  for (const auto& menu : catalog.menus()) {
    std::string commands;
    if (menu.kind == "commands") {
      for (const std::string& c : menu.commands) commands += " " + c;
    }
    std::cout << "  " << menu.path << commands;
    if (!menu.help.empty()) {
      std::cout << std::string(menu.path.size() < 32 ? 32 - menu.path.size() : 1, ' ') << menu.help;
    }
    std::cout << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const char* path = std::getenv("MACLANE_SOCKET"); path != nullptr && *path != '\0') {
    options.socket = path;
  }
  std::vector<std::string> words;
  bool wants_help = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json") {
      options.json = true;
    } else if (word == "--help" || word == "-h") {
      wants_help = true;
    } else if (word == "--socket" && i + 1 < argc) {
      options.socket = argv[++i];
    } else if (word.starts_with("--socket=")) {
      options.socket = word.substr(std::strlen("--socket="));
    } else if (word.starts_with("--")) {
      std::cerr << "There is no option \"" << word
                << "\"; it can be --socket PATH, --json or --help.\n";
      return kUsage;
    } else {
      words.emplace_back(word);
    }
  }
  if (wants_help) {
    help(options);
    return kDone;
  }
  if (auto read = maclane::door::with_file(words); read) {
    words = std::move(*read);
  } else {
    std::cerr << read.error().front().text() << "\n";
    return kUsage;
  }
  Console console(options);
  if (!console.connect()) return kNoRouter;
  if (const auto code = console.run_whole(words)) return *code;
  if (!words.empty()) return console.run(maclane::door::join_words(words), true);
  return ::isatty(STDIN_FILENO) == 1 ? run_prompt(console) : run_script(console, std::cin);
}
