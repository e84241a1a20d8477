#include "control/model/doh_url.h"

#include <algorithm>

#include "control/model/value.h"

namespace maclane::model {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_host(std::string_view host) {
  constexpr size_t kLongest = 253, kLongestPart = 63;
  if (host.empty() || host.size() > kLongest || host.back() == '.') return false;
  size_t part = 0;
  for (size_t i = 0; i < host.size(); ++i) {
    if (host[i] == '.') {
      if (part == 0) return false;
      part = 0;
    } else if ((!is_letter_or_digit(host[i]) && (host[i] != '-' || part == 0)) ||
               ++part > kLongestPart) {
      return false;
    }
  }
  return true;
}

bool is_path(std::string_view path) {
  constexpr std::string_view kAlso = "-._~/%=&?:@!$+,;ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return std::ranges::all_of(path, [&](char c) {
    return is_letter_or_digit(c) || kAlso.find(c) != std::string_view::npos;
  });
}

}  // namespace

std::optional<DohUrl> parse_doh_url(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  constexpr int64_t kLastPort = 65535;
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  const size_t slash = std::min(url.find('/'), url.size());
  DohUrl out;
  out.path = slash == url.size() ? "/dns-query" : url.substr(slash);
  std::string host(url.substr(0, slash));
  if (const size_t colon = host.find(':'); colon != std::string::npos) {
    const auto port = parse_integer(host.substr(colon + 1));
    if (!port || *port < 1 || *port > kLastPort) return std::nullopt;
    out.port = static_cast<uint16_t>(*port);
    host.resize(colon);
  }
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (!is_host(host) || !is_path(out.path)) return std::nullopt;
  out.host = std::move(host);
  return out;
}

}  // namespace maclane::model
