#include "control/dns_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include "control/model/value.h"

namespace maclane {
namespace {

using model::View;

constexpr int64_t kUsualTtlMs = 86'400'000, kShortestTtlMs = 1000;
constexpr size_t kLongestText = 300;  // a line of dnsmasq's file takes twice as much
/// The numbers of types (RFC 1035 3.2.2, 2782, 3596).
constexpr std::pair<std::string_view, uint16_t> kTypes[] = {{"A", 1},    {"NS", 2},    {"MX", 15},
                                                            {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}};

uint16_t type_number(std::string_view type) {
  const auto* found =
      std::ranges::find(kTypes, type, &std::pair<std::string_view, uint16_t>::first);
  return found == std::end(kTypes) ? uint16_t{0} : found->second;
}

bool is_address(std::string_view type) {
  return type == "A" || type == "AAAA";
}

/// A DHCP server whose clients are in the DNS.
bool gives_names(const View& row) {
  return !row.disabled() && row.get_bool("add-dns-entries");
}

/// A text of Lua with any bytes in it.
std::string quoted(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("\\{:03}", static_cast<uint8_t>(c));
  }
  return out + "\"";
}

std::string two_bytes(int64_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

/// Which names a row is about, as a rule of dnsdist.
std::string selector(const View& row) {
  if (row.is_set("regexp")) return fmt::format("RegexRule({})", quoted(row.get("regexp")));
  const std::string name = quoted(model::plain_name(row.get("name")));
  return row.get_bool("match-subdomain") ? fmt::format("SuffixMatchNodeRule(below({{{}}}))", name)
                                         : fmt::format("QNameRule({})", name);
}

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ","));
}

size_t parts_of(const View& row) {
  return static_cast<size_t>(std::ranges::count(model::plain_name(row.get("name")), '.'));
}

/// The rows in the order they count in.
std::vector<View> in_order(std::span<const View> rows) {
  std::vector<View> out(rows.begin(), rows.end());
  const auto place = [](const View& row) {
    return row.is_set("regexp") ? 0 : row.get_bool("match-subdomain") ? 2 : 1;
  };
  std::ranges::stable_sort(out, [&](const View& a, const View& b) {
    if (place(a) != place(b)) return place(a) < place(b);
    return place(a) == 2 && parts_of(a) > parts_of(b);
  });
  return out;
}

/// An address of the loopback network that dnsdist asks unbound from about a row: it tells which.
std::string alias_source(uint32_t id) {
  constexpr uint32_t kNet = 127u << 24 | 64u << 16, kMost = (1u << 22) - 1;
  const uint32_t a = kNet | (id & kMost);
  return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff, a & 0xff);
}

class RuleText {
 public:
  void add(const View& row) {
    const std::string_view type = row.get("type");
    const std::string which = selector(row);
    if (type == "NXDOMAIN") return refuse(row, which);
    flush();
    if (type == "FWD") {
      const std::string whom = model::plain_name(row.get("forward-to"));
      forwards_.insert(whom);
      action(which, fmt::format("PoolAction({})", quoted("f" + whom)));
    } else if (type == "CNAME") {
      action(which, fmt::format("PoolAction({})", quoted(alias(row))));
    } else {
      record(row, type, which);
    }
  }

  NameRules take() {
    flush();
    NameRules out;
    out.lua = std::move(lua_);
    for (const auto& [key, one] : records_) {
      // The last of the names' rules, where all addresses of a name are known.
      const size_t at = out.lua.find(one.mark);
      out.lua.replace(at, one.mark.size(), joined(one.data));
    }
    out.forwards.assign(forwards_.begin(), forwards_.end());
    out.aliases = std::move(alias_rows_);
    return out;
  }

 private:
  struct Records {  // of one type for the same names
    std::string mark;
    std::vector<std::string> data;
  };

  void action(std::string_view which, std::string_view what) {
    lua_ += fmt::format("addAction({},{})\n", which, what);
  }

  /// Names that are not there are gathered: lists of thousands are one rule.
  void refuse(const View& row, const std::string& which) {
    const bool below = row.get_bool("match-subdomain");
    if (row.is_set("regexp")) {
      flush();
      action(which, "RCodeAction(DNSRCode.NXDOMAIN)");
      return;
    }
    if (!gone_.empty() && below != gone_below_) flush();
    gone_below_ = below;
    gone_.push_back(quoted(model::plain_name(row.get("name"))));
  }

  void flush() {
    if (gone_.empty()) return;
    const std::string names = joined(gone_);
    action(gone_below_ ? fmt::format("SuffixMatchNodeRule(below({{{}}}))", names)
                       : fmt::format("QNameSetRule(whole({{{}}}))", names),
           "RCodeAction(DNSRCode.NXDOMAIN)");
    gone_.clear();
  }

  void record(const View& row, std::string_view type, const std::string& which) {
    std::string data;
    if (is_address(type)) {
      data = quoted(row.get("address"));
    } else if (type == "NS") {
      data = quoted(wire_name(row.get("ns")));
    } else if (type == "MX") {
      data =
          quoted(two_bytes(row.get_integer("mx-preference")) + wire_name(row.get("mx-exchange")));
    } else if (type == "SRV") {
      data = quoted(two_bytes(row.get_integer("srv-priority")) +
                    two_bytes(row.get_integer("srv-weight")) +
                    two_bytes(row.get_integer("srv-port")) + wire_name(row.get("srv-target")));
    } else {
      data = quoted(text_record(row.get("text")));
    }
    const auto [found, fresh] = records_.try_emplace({which, std::string(type)});
    found->second.data.push_back(std::move(data));
    if (!fresh) return;
    found->second.mark = fmt::format("@{}@", records_.size());
    action(fmt::format("AndRule({{{},QTypeRule({})}})", which, type_number(type)),
           fmt::format("{}({{{}}},{{ttl={}}})", is_address(type) ? "SpoofAction" : "SpoofRawAction",
                       found->second.mark, row.get_time_ms("ttl") / 1000));
    lua_ += fmt::format("addResponseAction(AndRule({{{},RCodeRule(DNSRCode.NXDOMAIN)}}),there)\n",
                        which);
  }

  /// Rows that lead to the same name share a view.
  std::string alias(const View& row) {
    const std::string target = model::plain_name(row.get("cname"));
    const int64_t ttl = row.get_time_ms("ttl") / 1000;
    const auto [found, fresh] =
        aliases_.try_emplace({target, ttl}, fmt::format("c{}", row.row().id));
    if (fresh)
      alias_rows_.push_back(
          {found->second, alias_source(row.row().id), target, static_cast<uint32_t>(ttl)});
    return found->second;
  }

  std::string lua_;
  std::set<std::string> forwards_;
  std::map<std::pair<std::string, std::string>, Records> records_;
  std::map<std::pair<std::string, int64_t>, std::string> aliases_;
  std::vector<NameRules::Alias> alias_rows_;
  std::vector<std::string> gone_;
  bool gone_below_ = false;
};

}  // namespace

std::string wire_name(std::string_view text) {
  const std::string whole = model::plain_name(text);
  std::string_view name = whole;
  std::string out;
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    out += static_cast<char>(dot);
    out += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + '\0';
}

std::string text_record(std::string_view text) {
  constexpr size_t kLongest = 255;
  std::string out;
  do {
    const std::string_view part = text.substr(0, kLongest);
    out += static_cast<char>(part.size());
    out += part;
    text.remove_prefix(part.size());
  } while (!text.empty());
  return out;
}

bool names_clients(const model::Tree& tree) {
  bool any = false;
  for_each(tree, "/ip/dhcp-server", [&](const View& row) { any |= gives_names(row); });
  return any;
}

int64_t local_ttl_ms(const model::Tree& tree) {
  int64_t shortest = 0;
  for_each(tree, "/ip/dhcp-server", [&](const View& row) {
    if (!gives_names(row)) return;
    const int64_t time = std::max(row.get_time_ms("lease-time"), kShortestTtlMs);
    shortest = shortest == 0 ? time : std::min(shortest, time);
  });
  return shortest == 0 ? kUsualTtlMs : shortest;
}

NamePlan::NamePlan(const model::Tree& tree) : usual_ttl_ms_(local_ttl_ms(tree)) {
  for_each(tree, "/ip/dns/static", [&](const View& row) {
    if (row.disabled()) return;
    rows_.push_back(row);
    if (row.is_set("regexp")) expressions_.emplace_back(row.get("regexp"));
  });
  std::multimap<std::string, std::string> aliases;  // by where they lead
  std::vector<std::string> fresh;
  const auto own = [&](const std::string& name) {
    if (own_.insert(name).second) fresh.push_back(name);
  };
  for (const View& row : rows_) {
    if (row.is_set("regexp") || row.get_bool("match-subdomain") || is_expressed(row)) continue;
    const std::string name = model::plain_name(row.get("name"));
    if (is_address(row.get("type"))) own(name);
    if (row.get("type") == "CNAME") aliases.emplace(model::plain_name(row.get("cname")), name);
  }
  while (!fresh.empty()) {
    const std::string name = std::move(fresh.back());
    fresh.pop_back();
    const auto [first, last] = aliases.equal_range(name);
    for (auto one = first; one != last; ++one) own(one->second);
  }
}

bool NamePlan::is_expressed(const View& row) const {
  if (expressions_.empty()) return false;
  const std::string name = model::plain_name(row.get("name"));
  return std::ranges::any_of(expressions_,
                             [&](const model::NameExpression& one) { return one.matches(name); });
}

bool NamePlan::is_dnsmasqs(const View& row) const {
  const std::string_view type = row.get("type");
  const bool below = row.get_bool("match-subdomain");
  const bool usual = row.get_time_ms("ttl") == usual_ttl_ms_;
  if (row.is_set("regexp") || (below && has_expressions()) || is_expressed(row)) return false;
  if (is_address(type)) return !below || usual;
  if (type == "CNAME") return !below && own_.contains(model::plain_name(row.get("name")));
  if (type == "FWD") return below && model::parse_ip4(row.get("forward-to"));
  if (type == "NXDOMAIN") return below;
  if (type == "TXT" && row.get("text").size() > kLongestText) return false;
  return !below && usual;
}

std::set<std::string> NamePlan::forwarded() const {
  std::set<std::string> out;
  for (const View& row : rows_) {
    if (!row.is_set("regexp") && !is_dnsmasqs(row)) out.insert(model::plain_name(row.get("name")));
  }
  return out;
}

NameRules NamePlan::rules() const {
  const auto others = [&](const View& row) { return !is_dnsmasqs(row); };
  if (std::ranges::none_of(rows_, others)) return {};
  // What dnsmasq does for whole domains dnsdist does too: it is asked for names within them.
  std::vector<View> wanted;
  for (const View& row : rows_)
    if (others(row) || row.get_bool("match-subdomain")) wanted.push_back(row);
  RuleText text;
  for (const View& row : in_order(wanted)) text.add(row);
  return text.take();
}

}  // namespace maclane
