#include "dataplane/stage/payload.h"

#include <algorithm>

namespace maclane {
namespace {

constexpr uint8_t kHandshake = 22, kClientHello = 1, kHostName = 0;
constexpr unsigned kServerName = 0;  // the extension's type

/// Reads numbers and skips, and says at the end whether there was enough.
class Reader {
 public:
  explicit Reader(Bytes bytes) : left_(bytes) {}
  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool empty() const noexcept { return left_.empty(); }
  uint32_t number(size_t bytes) noexcept {
    if (!has(bytes)) return 0;
    uint32_t n = 0;
    for (size_t i = 0; i < bytes; ++i) n = n << 8 | left_[i];
    left_ = left_.subspan(bytes);
    return n;
  }
  /// As many bytes, or as many of them as there are.
  Bytes take(size_t bytes, bool whole) noexcept {
    if (whole && !has(bytes)) return {};
    const Bytes taken = left_.first(std::min(bytes, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  void skip(size_t bytes) noexcept { (void)take(bytes, true); }

 private:
  bool has(size_t bytes) noexcept {
    if (left_.size() < bytes) {
      good_ = false;
      left_ = {};
    }
    return good_;
  }
  Bytes left_;
  bool good_ = true;
};

std::string_view server_name(Bytes extension) noexcept {
  Reader list(extension);
  Reader names(list.take(list.number(2), false));
  while (!names.empty()) {
    const uint32_t type = names.number(1);
    const Bytes name = names.take(names.number(2), true);
    if (!names.good()) break;
    if (type == kHostName) return {reinterpret_cast<const char*>(name.data()), name.size()};
  }
  return {};
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool holds(Bytes packet, std::string_view text) noexcept {
  return std::search(packet.begin(), packet.end(), text.begin(), text.end(), [](uint8_t a, char b) {
           return a == static_cast<uint8_t>(b);
         }) != packet.end();
}

std::string_view tls_host(Bytes payload) noexcept {
  Reader record(payload);
  if (record.number(1) != kHandshake) return {};
  record.skip(2);  // version
  // A hello longer than one packet has its name mostly in the first.
  Reader hello(record.take(record.number(2), false));
  if (hello.number(1) != kClientHello) return {};
  hello.skip(3 + 2 + 32);       // length, version, random
  hello.skip(hello.number(1));  // session
  hello.skip(hello.number(2));  // cipher suites
  hello.skip(hello.number(1));  // compression
  Reader extensions(hello.take(hello.number(2), false));
  while (hello.good() && !extensions.empty()) {
    const uint32_t type = extensions.number(2);
    const Bytes extension = extensions.take(extensions.number(2), true);
    if (!extensions.good()) break;
    if (type == kServerName) return server_name(extension);
  }
  return {};
}

bool fits(std::string_view host, std::string_view pattern) noexcept {
  size_t h = 0;
  size_t p = 0;
  size_t star = std::string_view::npos;  // the last one, and where its text may end
  size_t end = 0;
  while (h < host.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      end = h;
    } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(host[h]))) {
      ++p;
      ++h;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      h = ++end;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                     [](char c) { return c == '*'; });
}

}  // namespace maclane
