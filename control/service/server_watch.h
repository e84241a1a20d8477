// Which name server says nothing, read from dnsmasq's notes on each question (log-queries=extra):
// it stays with the one that answered last, and asks it for up to twenty seconds after it fell
// silent. Control thread.
//
// A question that several were asked says nothing of one of them. One that is slow to answer for
// some names is not silent: it answers for others.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace maclane {

class ServerWatch {
 public:
  /// question: what comes before the words of a line, the same for all lines about one.
  void hear(std::string_view question, std::string_view words, uint64_t now_ms);
  /// One that was asked alone so long ago and has answered nothing since; "": there is none.
  [[nodiscard]] std::string silent(uint64_t now_ms, uint64_t patience_ms);
  void clear();

 private:
  static constexpr size_t kMostOpen = 4096;
  struct Open {
    std::string server;
    uint64_t since_ms = 0;
    bool several = false;
  };
  std::map<std::string, Open, std::less<>> open_;  // by question
  std::map<std::string, uint64_t> heard_ms_;       // by server: when it answered last
};

}  // namespace maclane
