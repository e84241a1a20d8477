#include "control/service/name_server.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <fstream>

#include "control/observe/log.h"

namespace maclane {
namespace {

constexpr std::string_view kTopics = "dns";
// Columns of dnsmasq's table.
constexpr size_t kNameWidth = 30, kDataAt = 31, kDataWidth = 40, kFlagsAt = 72, kFlagsWidth = 10,
                 kExpiresAt = 83, kExpiresWidth = 24;

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string_view column(std::string_view line, size_t at, size_t width) {
  return at >= line.size() ? std::string_view() : trimmed(line.substr(at, width));
}

uint64_t clock_s() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

}  // namespace

bool read_cache_line(std::string_view line, uint64_t now_s, CachedName& out) {
  const std::string_view flags = column(line, kFlagsAt, kFlagsWidth);
  const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
  out = {};
  out.name = column(line, 0, kNameWidth);
  out.data = column(line, kDataAt, kDataWidth);
  if (out.name.empty() || flags.empty() || flags[0] == '!') return false;
  out.type = has('4')   ? "A"
             : has('6') ? "AAAA"
             : has('C') ? "CNAME"
             : has('V') ? "SRV"
             : has('S') ? "DS"
             : has('K') ? "DNSKEY"
                        : "unknown";
  out.negative = has('N') || has('X');
  out.is_static = has('H') || has('I');
  if (out.negative) out.data = has('X') ? "NXDOMAIN" : "no data";
  tm time{};
  const std::string expires(column(line, kExpiresAt, kExpiresWidth));
  if (strptime(expires.c_str(), "%a %b %d %H:%M:%S %Y", &time) != nullptr) {
    const time_t end = timegm(&time);
    if (end > 0 && static_cast<uint64_t>(end) > now_s)
      out.ttl_s = static_cast<uint64_t>(end) - now_s;
  }
  return true;
}

NameServer::NameServer(const std::string& state_folder)
    : file_(state_folder + "/dnsmasq.conf"),
      child_("dnsmasq", std::string(kTopics), state_folder + "/dnsmasq.pid") {
  child_.on_line([this](std::string_view line) { return hear(line); });
}

void NameServer::configure(const std::string& text, const Netns& where, uint64_t now_ms) {
  if (text == text_) return;
  text_ = text;
  if (text.empty()) {
    child_.stop();
    return;
  }
  std::ofstream file(file_, std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    log::write(log::Level::kError, "dns,error", "{} cannot be written: no name server", file_);
    child_.stop();
    return;
  }
  child_.run({"dnsmasq", "--keep-in-foreground", "--conf-file=" + file_, "--log-facility=-",
              "--log-queries", "--pid-file", "--no-hosts", "--no-resolv"},
             where, now_ms);
}

bool NameServer::hear(std::string_view line) {
  // "dnsmasq[123]: words"
  const size_t colon = line.find(": ");
  const std::string_view words = colon == std::string_view::npos ? line : line.substr(colon + 2);
  if (words.starts_with("Host  ")) {
    in_table_ = true;
    return true;
  }
  CachedName one;
  if (in_table_) {
    if (words.starts_with("---")) return true;
    if (read_cache_line(words, clock_s(), one)) {
      cache_.push_back(std::move(one));
      return true;
    }
  }
  // The way of each question, and what SIGUSR1 brings beside the table. The rest is for people.
  static constexpr std::array kNotes = {"query[",     "forwarded ",    "reply ",
                                        "cached",     "config ",       "host ",
                                        "time ",      "cache size ",   "queries ",
                                        "DNSSEC per", "pool mem",      "child processes",
                                        "server ",    "started, ",     "compile time",
                                        "using ",     "cleared cache", "exiting on receipt",
                                        "listening ", "cached-stale"};
  return std::any_of(kNotes.begin(), kNotes.end(),
                     [&](const char* note) { return words.starts_with(note); });
}

std::vector<CachedName> NameServer::cache() {
  if (!child_.is_running()) return {};
  child_.listen();  // what it wrote before
  cache_.clear();
  in_table_ = false;
  child_.signal(SIGUSR1);
  child_.listen();
  in_table_ = false;
  return std::exchange(cache_, {});
}

void NameServer::flush() const {
  child_.signal(SIGHUP);
}

std::string NameServer::state() const {
  if (!child_.is_wanted()) return "stopped";
  return child_.is_running() ? "running" : "starting again";
}

}  // namespace maclane
