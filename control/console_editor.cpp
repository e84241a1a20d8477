// The prompt: the line editor, its keys and its history. See console_prompt.h.
#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cwchar>
#include <iostream>
#include <utility>

#include "control/console_prompt.h"
#include "control/terminal.h"

namespace maclane::console {

using door::Json;
using door::number_at;
using door::text_at;

namespace {

Session* editing = nullptr;  // libedit's callbacks carry no pointer of ours
std::string shown_prompt;
bool abandoned = false;
bool continues = false;  // the line goes on with one before it

char* prompt_text(EditLine*) {
  return shown_prompt.data();
}

std::string before_cursor(EditLine* el) {
  const LineInfo* line = el_line(el);
  return {line->buffer, static_cast<size_t>(line->cursor - line->buffer)};
}

void list_candidates(const Json& found, bool with_help) {
  std::cout << "\n";
  for (const Json& one : found.value("candidates", Json::array())) {
    const std::string word = text_at(one, "text");
    const std::string mark = text_at(one, "kind") == "menu" ? "/" : "";
    const std::string help = with_help ? text_at(one, "help") : "";
    std::cout << "  " << word << mark
              << (help.empty() ? "" : std::string(word.size() < 24 ? 24 - word.size() : 1, ' '))
              << help << "\n";
  }
  if (const std::string value = text_at(found, "value"); with_help && !value.empty()) {
    std::cout << "  <" << value << ">  " << text_at(found, "help") << "\n";
  }
  std::cout << std::flush;
}

bool is_safe(const std::string& prompt) {
  return prompt.find("] <SAFE> ") != std::string::npos;
}

unsigned char complete_word(EditLine* el, int) {
  const std::string text = before_cursor(el);
  const Json found = editing->complete(text);
  const Json candidates = found.value("candidates", Json::array());
  if (candidates.empty()) return CC_ERROR;
  std::string common = text_at(candidates.front(), "text");
  for (const Json& one : candidates) {
    const std::string word = text_at(one, "text");
    const auto differ = std::mismatch(common.begin(), common.end(), word.begin(), word.end());
    common.erase(differ.first, common.end());
  }
  const size_t begin = std::min<size_t>(number_at(found, "begin"), text.size());
  const size_t typed = text.size() - begin;
  std::string more = common.size() > typed ? common.substr(typed) : "";
  // What an operator or a value follows at once gets no blank.
  const std::string kind = text_at(candidates.front(), "kind");
  if (candidates.size() == 1 && kind != "property" && !common.ends_with('='))
    more += kind == "menu" ? '/' : ' ';
  if (more.empty()) {
    list_candidates(found, false);
    return CC_REDISPLAY;
  }
  return el_insertstr(el, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
}

unsigned char show_help(EditLine* el, int) {
  const std::string text = before_cursor(el);
  // Inside of quotes a question mark is one.
  if (std::count(text.begin(), text.end(), '"') % 2 != 0) {
    return el_insertstr(el, "?") == 0 ? CC_REFRESH : CC_ERROR;
  }
  list_candidates(editing->complete(text), true);
  return CC_REDISPLAY;
}

/// Control-X: safe mode is taken, or released if it is ours, as if the command had been typed.
unsigned char toggle_safe_mode(EditLine* el, int) {
  const LineInfo* line = el_line(el);
  el_cursor(el, static_cast<int>(line->lastchar - line->cursor));
  el_deletestr(el, static_cast<int>(line->lastchar - line->buffer));
  const char* command = is_safe(shown_prompt) ? "/safe-mode release\n" : "/safe-mode take\n";
  if (el_insertstr(el, command) != 0) return CC_ERROR;
  std::cout << std::string_view(command) << std::flush;
  return CC_NEWLINE;
}

/// Control-C in a line: it is left, and what went before it.
unsigned char abandon_line(EditLine* el, int) {
  const LineInfo* line = el_line(el);
  el_cursor(el, static_cast<int>(line->lastchar - line->cursor));
  el_deletestr(el, static_cast<int>(line->lastchar - line->buffer));
  std::cout << "^C\n" << std::flush;
  abandoned = true;
  return el_insertstr(el, "\n") == 0 ? CC_NEWLINE : CC_ERROR;
}

void on_interrupt(int) {
  interrupted = true;
}

/// The next key, for libedit. What the router says of itself meanwhile is shown above the line.
int read_letter(EditLine* el, wchar_t* letter) {
  std::mbstate_t state{};
  while (true) {
    pollfd waiting[] = {{STDIN_FILENO, POLLIN, 0}, {editing->fd(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    if (waiting[1].revents != 0 && editing->hear()) {
      if (!continues) shown_prompt = editing->line_prompt();
      el_set(el, EL_REFRESH);
    }
    if (waiting[0].revents == 0) continue;
    char byte = 0;
    const ssize_t n = ::read(STDIN_FILENO, &byte, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return static_cast<int>(n);
    const size_t used = std::mbrtowc(letter, &byte, 1, &state);
    if (used == static_cast<size_t>(-2)) continue;  // more of it comes
    if (used != static_cast<size_t>(-1)) return 1;
    state = {};  // not a letter
  }
}

/// The next line wants to be put to this one: an open brace, bracket or quote, or a backslash.
bool goes_on(const std::string& text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      if (i + 1 == text.size()) return true;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '{' || c == '[' || c == '(')) {
      ++depth;
    } else if (!quoted && (c == '}' || c == ']' || c == ')')) {
      --depth;
    }
  }
  return quoted || depth > 0;
}

}  // namespace

int Session::prompt() {
  if (auto connected = client_.connect(); !connected) {
    std::cerr << connected.error() << "\n";
    return kNoRouter;
  }
  interactive_ = true;
  editing = this;
  remember_prompt();
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  (void)::sigaction(SIGINT, &action, nullptr);
  EditLine* el = el_init("maclanectl", stdin, stdout, stderr);
  History* history = history_init();
  HistEvent event{};
  ::history(history, &event, H_SETSIZE, 1000);
  ::history(history, &event, H_SETUNIQUE, 1);
  el_set(el, EL_PROMPT, prompt_text);
  el_set(el, EL_EDITOR, "emacs");
  el_set(el, EL_SIGNAL, 0);
  el_set(el, EL_GETCFN, read_letter);
  el_set(el, EL_HIST, ::history, history);
  el_set(el, EL_ADDFN, "maclane-complete", "completes the word", complete_word);
  el_set(el, EL_ADDFN, "maclane-help", "says what can stand here", show_help);
  el_set(el, EL_BIND, "^I", "maclane-complete", nullptr);
  el_set(el, EL_BIND, "?", "maclane-help", nullptr);
  // Control-C is a key while a line is edited, and a signal while a command runs.
  el_set(el, EL_SETTY, "-d", "-isig", nullptr);
  el_set(el, EL_ADDFN, "maclane-abandon", "leaves the line", abandon_line);
  el_set(el, EL_BIND, "^C", "maclane-abandon", nullptr);
  el_set(el, EL_ADDFN, "maclane-safe-mode", "takes or releases safe mode", toggle_safe_mode);
  el_set(el, EL_BIND, "^X", "maclane-safe-mode", nullptr);
  el_set(el, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(el, nullptr);
  const char* home = std::getenv("HOME");
  const std::string kept = home == nullptr ? "" : std::string(home) + "/.maclane_history";
  if (!kept.empty()) ::history(history, &event, H_LOAD, kept.c_str());
  int last = kDone;
  std::string text;
  while (true) {
    continues = !text.empty();
    shown_prompt = continues ? "... " : prompt_;
    abandoned = false;
    int count = 0;
    const char* typed = el_gets(el, &count);
    if (typed == nullptr || count <= 0) break;  // the end of the input
    if (abandoned) {
      text.clear();
      continue;
    }
    interrupted = false;
    text.append(typed, static_cast<size_t>(count));
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (goes_on(text)) {
      text += '\n';
      continue;
    }
    const std::string line = std::exchange(text, {});
    if (line.find_first_not_of(" \t\n") == std::string::npos) continue;
    ::history(history, &event, H_ENTER, line.c_str());
    if (!kept.empty()) ::history(history, &event, H_SAVE, kept.c_str());
    const bool leaves = line == "exit" || line == "quit" || line == "/quit";
    const Answer answer = send(leaves ? "/quit" : line, false, "");
    last = answer.code;
    if (leaves && last == kNoRouter) break;
    if (answer.quit) break;
    if (answer.code == kDone) menu_ = answer.menu;
    if (answer.code == kNoRouter) std::cerr << "The next line asks again; quit leaves.\n";
  }
  history_end(history);
  el_end(el);
  return last == kNoRouter ? last : kDone;
}

}  // namespace maclane::console
