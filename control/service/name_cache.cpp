#include "control/service/name_cache.h"

#include <algorithm>
#include <ctime>

namespace maclane {
namespace {

constexpr size_t kDataAt = 31, kFlagsWidth = 10, kExpiresAt = 83, kExpiresWidth = 24;

std::string_view column(std::string_view line, size_t at, size_t width) {
  return at >= line.size() ? std::string_view() : without_blanks(line.substr(at, width));
}

/// Of any other record the table says the type alone: "<MX>".
std::string_view kind_of(std::string_view data) {
  if (data.size() < 3 || data.front() != '<' || data.back() != '>') return "unknown";
  return data.substr(1, data.size() - 2);
}

}  // namespace

std::string_view without_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_cache_head(std::string_view line) {
  return column(line, kDataAt, kCachedDataWidth) == "Address" &&
         column(line, kCachedFlagsAt, kFlagsWidth) == "Flags";
}

bool read_cache_line(std::string_view line, uint64_t now_s, CachedName& out) {
  const std::string_view flags = column(line, kCachedFlagsAt, kFlagsWidth);
  const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
  out = {};
  out.name = column(line, 0, kCachedNameWidth);
  out.data = column(line, kDataAt, kCachedDataWidth);
  if (out.name.empty() || flags.empty() || flags[0] == '!') return false;
  out.type = has('4')   ? "A"
             : has('6') ? "AAAA"
             : has('C') ? "CNAME"
             : has('V') ? "SRV"
             : has('S') ? "DS"
             : has('K') ? "DNSKEY"
             : has('T') ? kind_of(out.data)
                        : "unknown";
  if (has('T')) out.data.clear();
  out.negative = has('N') || has('X');
  out.is_static = has('H') || has('I');
  if (out.negative) out.data = has('X') ? "NXDOMAIN" : "no data";
  tm time{};
  const std::string expires(column(line, kExpiresAt, kExpiresWidth));
  if (strptime(expires.c_str(), "%a %b %d %H:%M:%S %Y", &time) != nullptr) {
    const time_t end = timegm(&time);
    // It keeps what it no longer answers with until it needs the room: what is over, and an alias
    // of a name that made room for another.
    if (end <= 0 || static_cast<uint64_t>(end) <= now_s) return false;
    out.ttl_s = static_cast<uint64_t>(end) - now_s;
  }
  return out.type != "CNAME" || !out.data.empty();
}

void LongNames::learn(std::string_view name) {
  if (name.size() <= kShown) return;
  if (count_ >= kMost) {
    by_head_.clear();
    count_ = 0;
  }
  Alike& alike = by_head_[std::string(name.substr(0, kShown))];
  if (alike.names.emplace(name).second) ++count_;
}

std::string LongNames::whole(std::string_view cut) {
  const auto found = by_head_.find(std::string(cut.substr(0, kShown)));
  if (found == by_head_.end()) return std::string(cut);
  Alike& alike = found->second;
  const auto fits = [&](const std::string& name) { return name.starts_with(cut); };
  auto one = std::find_if(alike.names.upper_bound(alike.last), alike.names.end(), fits);
  if (one == alike.names.end()) one = std::ranges::find_if(alike.names, fits);
  if (one == alike.names.end()) return std::string(cut);
  alike.last = *one;
  return *one;
}

void AskedNames::learn(std::string_view name) {
  if (too_many_) return;
  std::string small(name);
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  names_.insert(std::move(small));
  if (names_.size() <= kMost) return;
  names_.clear();
  too_many_ = true;
}

bool AskedNames::contains(std::string_view name) const {
  return too_many_ || names_.contains(name);
}

void AskedNames::clear() {
  names_.clear();
  too_many_ = false;
}

}  // namespace maclane
