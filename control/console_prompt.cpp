// Sending, showing and paging. See console_prompt.h.
#include "control/console_prompt.h"

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
using door::Json;
using door::number_at;
using door::text_at;

namespace {

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// With a mark in place of each byte that is no UTF-8.
std::string clean(const std::string& text) {
  return Json::parse(line_of(text), nullptr, false).get<std::string>();
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

void Session::complain(const std::string& sentence, int code, const Json& where) const {
  if (!options_.json) {
    std::cerr << sentence << "\n";
    return;
  }
  Json error = {{"error", sentence}, {"code", code}};
  error.update(where);
  std::cerr << line_of(error);
}

void Session::warn(const std::string& text) const {
  if (!options_.json) {
    std::cerr << text << std::flush;
    return;
  }
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end != begin) std::cerr << line_of({{"warning", text.substr(begin, end - begin)}});
    begin = end + 1;
  }
}

void Session::point_at(const Json& done, const std::string& text, const std::string& name) const {
  if (options_.json) {
    Json where = Json::object();
    if (!name.empty()) where["file"] = name;
    for (const char* key : {"line", "column"})
      if (points_ && number_at(done, key) != 0) where[key] = number_at(done, key);
    return complain(text_at(done, "error"), static_cast<int>(number_at(done, "code")), where);
  }
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
  const std::string before = clean(shown.substr(0, at));
  const auto wide = static_cast<size_t>(std::count_if(before.begin(), before.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
  std::cerr << "  " << before << clean(shown.substr(at, kBefore)) << "\n  "
            << std::string(wide, ' ') << "^\n";
}

Session::Answer Session::send(const std::string& text, bool pieces, const std::string& name) {
  Json request = {{"run", text}, {"menu", menu_}, {"json", options_.json}, {"pieces", pieces}};
  request["width"] = is_terminal() ? static_cast<unsigned>(terminal_size().ws_col) : 0U;
  request["bold"] = wants_colour(STDOUT_FILENO);
  request["asks"] = interactive_;
  Answer answer;
  const unsigned connects = client_.connects();
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
          warn(text_at(said, "warn"));
          return;
        }
        answer.said = true;
        const bool live = said.contains("live");
        if (live && interactive_ && !keys) keys.emplace();
        show(text_at(said, "out"), said.contains("whole"));
      },
      &interrupted,
      [&left](const Json& asked) -> Json {
        const std::string question = text_at(asked, "ask");
        const std::string keys = text_at(asked, "keys");
        const auto said = asked.contains("line")
                              ? typed_answer(question, asked.contains("secret"))
                              : pressed_answer(question, keys.empty() ? "y" : keys);
        left = !said;
        interrupted = false;  // Control-C was the answer
        return said ? Json(*said) : Json(false);
      },
      look_at_keys);
  keys.reset();
  if (!reply || client_.connects() != connects) leave_safe_mode();
  if (!reply) {
    answer.code = kNoRouter;
    complain(reply.error(), answer.code);
    return answer;
  }
  if (reply->contains("refused")) {
    answer.code = kRefused;
    complain(text_at(*reply, "refused"), answer.code);
    return answer;
  }
  const Json done = reply->value("done", Json::object());
  const bool stopped = done.contains("live") && interrupted;
  answer.code = static_cast<int>(number_at(done, "code"));
  answer.menu = text_at(done, "menu");
  answer.quit = done.contains("quit");
  if (answer.code == kDone) {
    prompt_ = text_at(done, "prompt");
  } else if (!skipping_ && !stopped && !left) {
    point_at(done, text, name);
  }
  return answer;
}

/// The connection that held it is gone.
void Session::leave_safe_mode() {
  constexpr std::string_view kHolds = "] <SAFE> ";
  const size_t at = prompt_.find(kHolds);
  if (at == std::string::npos) return;
  prompt_.replace(at, kHolds.size(), "] ");
  std::cerr << "Safe mode ended with the router: what was changed in it is taken back.\n";
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
  complain("A command was expected after " + answer.menu + ".", kUsage);
  if (options_.json) return kUsage;
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
  if (code != kDone && code != kNoRouter && !options_.json)
    std::cerr << "Nothing after it was carried out.\n";
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

bool Session::hear() {
  if (!client_.hear()) return false;
  std::cout << std::flush;
  return true;
}

void Session::noticed(const Json& notice) {
  prompt_ = text_at(notice, "prompt");
  if (options_.json) {
    std::cerr << line_of({{"notice", text_at(notice, "notice")}});
    return;
  }
  if (is_terminal()) std::cout << "\r\033[K" << std::flush;  // where a line is edited
  std::cerr << "[" << text_at(notice, "notice") << "]\n" << std::flush;
}

void Session::remember_prompt() {
  const auto reply = client_.ask({{"hello", true}});
  if (reply && reply->contains("hello")) prompt_ = text_at((*reply)["hello"], "prompt");
}

}  // namespace maclane::console
