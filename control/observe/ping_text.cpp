#include "control/observe/ping_text.h"

#include <fmt/format.h>

namespace maclane::observe {
namespace {

std::string line(std::string_view seq, std::string_view host, std::string_view size,
                 std::string_view ttl, std::string_view time, std::string_view status) {
  std::string out =
      fmt::format("{:>5} {:<40} {:>4} {:>3} {:<10} {}", seq, host, size, ttl, time, status);
  out.erase(out.find_last_not_of(' ') + 1);
  return out + '\n';
}

std::string hop_line(std::string_view number, std::string_view address, std::string_view loss,
                     std::string_view sent, std::string_view last, const model::PrintRow* times,
                     std::string_view status) {
  const auto time = [&](std::string_view property, std::string_view head) {
    return times == nullptr ? head : times->get(property);
  };
  std::string out = fmt::format("{:>3} {:<32} {:>5} {:>4} {:>8} {:>7} {:>7} {:>7} {:>7} {}", number,
                                address, loss, sent, last, time("avg", "AVG"), time("best", "BEST"),
                                time("worst", "WORST"), time("std-dev", "STD-DEV"), status);
  out.erase(out.find_last_not_of(' ') + 1);
  return out + '\n';
}

}  // namespace

std::string traceroute_text(const std::vector<model::PrintRow>& rows) {
  std::string out = hop_line("#", "ADDRESS", "LOSS", "SENT", "LAST", nullptr, "STATUS");
  size_t number = 0;
  for (const model::PrintRow& row : rows) {
    const std::string_view last = row.get("last");
    out +=
        hop_line(std::to_string(++number), row.get("address"), fmt::format("{}%", row.get("loss")),
                 row.get("sent"), last == "timeout" ? "timeout" : fmt::format("{}ms", last), &row,
                 row.get("status"));
  }
  return out;
}

std::string ping_text(const std::vector<model::PrintRow>& rows, bool head) {
  std::string out = head ? line("SEQ", "HOST", "SIZE", "TTL", "TIME", "STATUS") : "";
  for (const model::PrintRow& row : rows) {
    out += line(row.get("seq"), row.get("host"), row.get("size"), row.get("ttl"), row.get("time"),
                row.get("status"));
  }
  return out;
}

std::string ping_sums(const model::PrintRow& last) {
  std::string out = fmt::format("    sent={} received={} packet-loss={}%", last.get("sent"),
                                last.get("received"), last.get("packet-loss"));
  for (const char* property : {"min-rtt", "avg-rtt", "max-rtt"}) {
    const std::string_view value = last.get(property);
    if (!value.empty()) out += fmt::format(" {}={}", property, value);
  }
  return out + '\n';
}

}  // namespace maclane::observe
