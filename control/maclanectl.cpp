// The console `maclanectl`: one command from its arguments, lines from a pipe or a file, or a
// prompt.
//
// It knows no menu itself: the router reads the language (door/console.h). Exit codes: 0 done, 1
// the router refused, 2 the command is not one, 3 no router answers.
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "control/console_prompt.h"
#include "control/door/plan.h"
#include "control/door/shell_words.h"

namespace {

using maclane::console::kUsage;
using maclane::console::Options;
using maclane::console::Session;

constexpr const char* kDefaultSocket = "/run/maclane/maclane.sock";

void help() {
  std::cout
      << "maclanectl: the console of a Maclane router\n\n"
         "  maclanectl [OPTIONS] MENU [COMMAND] [ARGUMENTS]   one command\n"
         "  maclanectl [OPTIONS] --file SCRIPT                commands of a file\n"
         "  maclanectl [OPTIONS]                              a prompt, or lines from a pipe\n\n"
         "  maclanectl /interface/macvlan/print where mode=private\n"
         "  maclanectl ip firewall filter print stats\n"
         "  maclanectl '/ip address; :foreach a in=[find] do={ :put [get $a address] }'\n"
         "  maclanectl reload | status | export | changes | undo | redo\n"
         "  maclanectl plan FILE                  what it would change\n"
         "  maclanectl apply [--confirm 60s] FILE   and goes back unless `confirm` is said\n\n"
         "  At the prompt, Tab completes, ? says what can stand there and Control-X takes and\n"
         "  releases safe mode, which takes back all if the session ends without quit. MENU "
         "schema\n"
         "  lists a menu's properties.\n"
         "  --socket PATH  the router's socket, else $MACLANE_SOCKET, else "
      << kDefaultSocket
      << "\n"
         "  --json         rows as JSON; on stderr one object a line: {\"error\": ..., \"code\": "
         "1,\n"
         "                 \"line\": 1, \"column\": 7} or {\"warning\": ...}\n"
         "  --yaml         with export: a configuration file\n\n"
         "  Exit codes: 0 done, 1 refused, 2 not a command, 3 no router answers.\n\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  // The line editor takes letters as the locale says; what the router speaks is UTF-8.
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "");
  Options options;
  options.socket = kDefaultSocket;
  if (const char* path = std::getenv("MACLANE_SOCKET"); path != nullptr && *path != '\0') {
    options.socket = path;
  }
  std::vector<std::string> words;
  std::string file, unknown;
  bool wants_help = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json") {
      options.json = true;
    } else if (word == "--help" || word == "-h") {
      wants_help = true;
    } else if (word == "--yaml") {
      words.emplace_back("yaml");
    } else if (word == "--socket" && i + 1 < argc) {
      options.socket = argv[++i];
    } else if (word.starts_with("--socket=")) {
      options.socket = word.substr(std::strlen("--socket="));
    } else if (word == "--file" && i + 1 < argc) {
      file = argv[++i];
    } else if (word.starts_with("--") && !word.starts_with("--confirm")) {
      if (unknown.empty()) unknown = word;
    } else {
      words.emplace_back(word);
    }
  }
  Session session(options);
  const auto mistake = [&session](const std::string& sentence) {
    session.complain(sentence, kUsage);
    return kUsage;
  };
  if (!unknown.empty()) {
    return mistake("There is no option \"" + unknown +
                   "\"; it can be --socket PATH, --file SCRIPT, --json, --yaml or --help.");
  }
  if (wants_help) {
    help();
    session.list_menus();
    return maclane::console::kDone;
  }
  const std::vector<std::string> before_file = words;
  if (auto read = maclane::door::with_file(words); read) {
    words = std::move(*read);
  } else {
    return mistake(read.error().front().text());
  }
  if (words != before_file) {
    return session.run_made(maclane::door::quoted_words(words));
  }
  if (!words.empty()) return session.run_once(maclane::door::join_words(words));
  if (!file.empty()) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return mistake("The file " + file + " cannot be read: " + std::strerror(errno) + ".");
    return session.run_lines({std::istreambuf_iterator<char>(in), {}}, file);
  }
  if (::isatty(STDIN_FILENO) == 1) return session.prompt();
  return session.run_lines({std::istreambuf_iterator<char>(std::cin), {}}, "");
}
