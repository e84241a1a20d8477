// Addresses that dnsmasq gives as answers, read from its notes on each question (log-queries=extra:
// "12 192.0.2.9/4242 reply www.example is 198.51.100.80"). An alias is followed: its target's
// addresses are those of the name that was asked for. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace maclane {

struct HeardAnswer {
  std::string name;  // that was asked for, small letters
  uint32_t address = 0;
};

class HeardAnswers {
 public:
  /// Of a line of its log, without what syslog puts before it, what comes after the question's
  /// number and who asked; all of it where there is none.
  [[nodiscard]] static std::string_view words_of(std::string_view line);

  /// Such a line with all before it, and words_of() it. True: it is an answer with an IPv4 address.
  bool hear(std::string_view line, std::string_view words, HeardAnswer& out);

 private:
  static constexpr size_t kMostAliases = 256;  // questions whose alias leads on

  std::map<std::string, std::string, std::less<>> asked_for_;  // by what comes before the words
};

}  // namespace maclane
