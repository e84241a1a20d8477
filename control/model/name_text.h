// Names of the DNS as people write them, and the expressions that stand for many of them
// (behaviour.md C-32). No state; any thread.
#pragma once

#include <regex.h>

#include <memory>
#include <string>
#include <string_view>

namespace maclane::model {

/// Host names as people use them: letters, digits, '-', '_', dots; no part above 63.
[[nodiscard]] bool is_dns_name(std::string_view name);
/// One form of a name: small letters, no dot at its end.
[[nodiscard]] std::string plain_name(std::string_view name);
/// A name and those below it.
[[nodiscard]] bool is_below(std::string_view name, std::string_view zone);

/// An extended regular expression of POSIX, as dnsdist takes them: the case of letters is nothing.
class NameExpression {
 public:
  explicit NameExpression(std::string_view text);
  /// "": it is one; else what is wrong with it.
  [[nodiscard]] const std::string& mistake() const { return mistake_; }
  [[nodiscard]] bool matches(const std::string& name) const;

 private:
  struct Free {
    void operator()(regex_t* one) const {
      regfree(one);
      delete one;  // NOLINT: it is a unique_ptr's deleter
    }
  };
  std::unique_ptr<regex_t, Free> compiled_;
  std::string mistake_;
};

}  // namespace maclane::model
