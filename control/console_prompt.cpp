// Sending, showing, paging, and the line editor. See console_prompt.h.
#include "control/console_prompt.h"

#include <histedit.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>

#include "control/terminal.h"

namespace maclane::console {
namespace {

using door::Json;

std::atomic<bool> interrupted{false};

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_safe(const std::string& prompt) {
  return prompt.find("] <SAFE> ") != std::string::npos;
}

uint64_t number_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

}  // namespace

void Session::show(const std::string& text, bool whole) {
  const size_t height = interactive_ ? terminal_size().ws_row : 0;
  if (height < 4 || options_.json || whole) {
    std::cout << text << std::flush;
    return;
  }
  size_t begin = 0;
  while (begin < text.size() && !skipping_) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1);
    std::cout.write(text.data() + begin, static_cast<std::streamsize>(end + 1 - begin));
    begin = end + 1;
    if (++lines_ < height - 1 || begin >= text.size()) continue;
    std::cout << "-- [Q quit|D dump|space next|down line]" << std::flush;
    const char key = read_key();
    std::cout << "\r\033[K" << std::flush;
    lines_ = key == ' ' ? 0 : height - 2;
    if (key == 'q' || key == 'Q' || key == 3 || key == 0) {
      skipping_ = true;
      interrupted = true;
    }
    if (key == 'd' || key == 'D') {
      std::cout.write(text.data() + begin, static_cast<std::streamsize>(text.size() - begin));
      break;
    }
  }
  std::cout << std::flush;
}

void Session::point_at(const Json& done, const std::string& text, const std::string& name) const {
  const bool colour = wants_colour(STDERR_FILENO);
  const uint64_t line = number_at(done, "line");
  const uint64_t column = number_at(done, "column");
  if (!name.empty() && line != 0) std::cerr << name << ":" << line << ":" << column << ": ";
  std::cerr << (colour ? "\033[31m" : "") << text_at(done, "error") << (colour ? "\033[0m" : "")
            << "\n";
  if (line == 0 || column == 0 || !points_) return;
  size_t begin = 0;
  for (uint64_t i = 1; i < line; ++i) {
    begin = text.find('\n', begin);
    if (begin == std::string::npos) return;
    ++begin;
  }
  std::string shown = text.substr(begin, text.find('\n', begin) - begin);
  size_t at = std::min<size_t>(column - 1, shown.size());
  constexpr size_t kBefore = 60;
  if (at > kBefore) {  // a long line: the part around the word
    shown.erase(0, at - kBefore);
    at = kBefore;
  }
  if (shown.size() > at + kBefore) shown.resize(at + kBefore);
  const auto wide = static_cast<size_t>(
      std::count_if(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  std::cerr << "  " << shown << "\n  " << std::string(wide, ' ') << "^\n";
}

Session::Answer Session::send(const std::string& text, bool pieces, const std::string& name) {
  Json request = {{"run", text}, {"menu", menu_}, {"json", options_.json}, {"pieces", pieces}};
  request["width"] = is_terminal() ? static_cast<unsigned>(terminal_size().ws_col) : 0U;
  request["bold"] = wants_colour(STDOUT_FILENO);
  request["asks"] = interactive_;
  Answer answer;
  lines_ = 0;
  skipping_ = false;
  // What goes on until it is stopped: Q stops it, and so does Control-C, and neither is a mistake.
  std::optional<Keys> keys;
  bool left = false;  // a question without an answer
  const auto look_at_keys = [&] {
    const char key = keys ? keys->pressed() : '\0';
    if (key == 'q' || key == 'Q') interrupted = true;
  };
  const auto reply = client_.ask(
      request,
      [&](const Json& said) {
        if (said.contains("warn")) {
          std::cerr << text_at(said, "warn") << std::flush;
          return;
        }
        answer.said = true;
        const bool live = said.contains("live");
        if (live && interactive_ && !keys) keys.emplace();
        show(text_at(said, "out"), said.contains("whole"));
      },
      &interrupted,
      [&left](const Json& asked) -> Json {
        const auto said =
            answer_to(text_at(asked, "ask"), asked.contains("line"), asked.contains("secret"));
        left = !said;
        interrupted = false;  // Control-C was the answer
        return said ? Json(*said) : Json(false);
      },
      look_at_keys);
  keys.reset();
  if (!reply) {
    std::cerr << reply.error() << "\n";
    answer.code = kNoRouter;
    return answer;
  }
  if (reply->contains("refused")) {
    std::cerr << text_at(*reply, "refused") << "\n";
    answer.code = kRefused;
    return answer;
  }
  const Json done = reply->value("done", Json::object());
  const bool stopped = done.contains("live") && interrupted;
  answer.code = static_cast<int>(number_at(done, "code"));
  answer.menu = text_at(done, "menu");
  answer.quit = done.contains("quit");
  if (answer.code == kDone) {
    const bool was_safe = is_safe(prompt_);
    prompt_ = text_at(done, "prompt");
    if (was_safe && !is_safe(prompt_) && text.find("safe-mode") == std::string::npos)
      std::cerr << "Safe mode has ended meanwhile; /log/print says why.\n";
  } else if (!skipping_ && !stopped && !left) {
    point_at(done, text, name);
  }
  return answer;
}

int Session::run_once(const std::string& line) {
  const Answer answer = send(line, false, "");
  if (answer.code != kDone || answer.said || answer.menu.empty()) return answer.code;
  // A path alone.
  menu_ = answer.menu;
  const auto offered = complete("print");
  const auto& candidates = offered.value("candidates", Json::array());
  const bool prints = std::any_of(candidates.begin(), candidates.end(),
                                  [](const Json& one) { return text_at(one, "text") == "print"; });
  if (prints) return send("print", false, "").code;
  std::cerr << "A command was expected after " << answer.menu << ".\n";
  const Json below = complete("");
  for (const Json& one : below.value("candidates", Json::array())) {
    std::cerr << "  " << text_at(one, "text") << (text_at(one, "kind") == "menu" ? "/" : "")
              << "\n";
  }
  return kUsage;
}

int Session::run_made(const std::string& line) {
  points_ = false;
  return run_once(line);
}

int Session::run_lines(const std::string& text, const std::string& name) {
  const int code = send(text, true, name).code;
  if (code != kDone && code != kNoRouter) std::cerr << "Nothing after it was carried out.\n";
  return code;
}

Json Session::complete(const std::string& text) {
  const auto reply = client_.ask({{"complete", text}, {"menu", menu_}});
  if (!reply || !reply->contains("completion")) return Json::object();
  return (*reply)["completion"];
}

void Session::list_menus() {
  if (!client_.connect()) return;
  std::cout << "Menus and commands:\n";
  const Json all = complete("/");
  for (const Json& one : all.value("candidates", Json::array())) {
    const std::string word = text_at(one, "text");
    std::cout << "  " << word << (text_at(one, "kind") == "menu" ? "/" : " ")
              << std::string(word.size() < 20 ? 20 - word.size() : 1, ' ') << text_at(one, "help")
              << "\n";
  }
}

void Session::remember_prompt() {
  const auto reply = client_.ask({{"hello", true}});
  if (reply && reply->contains("hello")) prompt_ = text_at((*reply)["hello"], "prompt");
}

namespace {

Session* editing = nullptr;  // libedit's callbacks carry no pointer of ours
std::string shown_prompt;
bool abandoned = false;

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
  if (candidates.size() == 1 && (common.empty() || common.back() != '=')) {
    more += text_at(candidates.front(), "kind") == "menu" ? '/' : ' ';
  }
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
    shown_prompt = text.empty() ? prompt_ : "... ";
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
    if (line == "quit" || line == "exit" || line == "/quit") {
      // Who says so keeps what was changed in safe mode; a session that just ends does not.
      if (is_safe(shown_prompt)) last = send("/safe-mode release", false, "").code;
      break;
    }
    const Answer answer = send(line, false, "");
    last = answer.code;
    if (answer.quit) break;
    if (answer.code == kDone) menu_ = answer.menu;
    if (answer.code == kNoRouter) std::cerr << "The next line asks again; quit leaves.\n";
  }
  history_end(history);
  el_end(el);
  return last == kNoRouter ? last : kDone;
}

}  // namespace maclane::console
