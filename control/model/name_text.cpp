#include "control/model/name_text.h"

#include <array>

namespace maclane::model {

bool is_dns_name(std::string_view name) {
  size_t part = 0;
  for (const char c : name) {
    if (c == '.') {
      if (part == 0) return false;
      part = 0;
      continue;
    }
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    if (!plain || ++part > 63) return false;
  }
  return !name.empty();
}

std::string plain_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string out(name);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool is_below(std::string_view name, std::string_view zone) {
  return name.ends_with(zone) &&
         (name.size() == zone.size() || name[name.size() - zone.size() - 1] == '.');
}

NameExpression::NameExpression(std::string_view text) {
  auto one = std::make_unique<regex_t>();
  const int failure =
      regcomp(one.get(), std::string(text).c_str(), REG_ICASE | REG_EXTENDED | REG_NOSUB);
  if (failure == 0) {
    compiled_.reset(one.release());
    return;
  }
  std::array<char, 128> why{};
  (void)regerror(failure, one.get(), why.data(), why.size());
  mistake_ = why.data();
}

bool NameExpression::matches(const std::string& name) const {
  return compiled_ != nullptr && regexec(compiled_.get(), name.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace maclane::model
