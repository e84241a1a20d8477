// The rules of names: what dnsmasq, which answers them, can carry out (behaviour.md C-32).
#include <fmt/format.h>

#include <set>

#include "control/model/validate.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

/// The properties each type has beside name, ttl and match-subdomain; the first must be there.
struct OfType {
  std::string_view type, needs;
};
constexpr OfType kNeeds[] = {{"A", "address"},      {"AAAA", "address"},   {"CNAME", "cname"},
                             {"FWD", "forward-to"}, {"MX", "mx-exchange"}, {"NS", "ns"},
                             {"NXDOMAIN", ""},      {"SRV", "srv-target"}, {"TXT", "text"}};

/// Host names as people use them: letters, digits, '-', '_', dots; no part above 63.
bool is_name(std::string_view name) {
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

bool is_ip6(std::string_view text) {
  bool colon = false;
  for (const char c : text) {
    colon |= c == ':';
    if (c != ':' && c != '.' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') &&
        !(c >= 'A' && c <= 'F'))
      return false;
  }
  return colon && text.size() <= 45;
}

void check_row(Check& check, const View& row, const std::set<std::string_view>& local) {
  const std::string_view type = row.get("type");
  if (!is_name(row.raw("name"))) {
    check.add(row, "name",
              row.is_set("name") ? fmt::format("\"{}\" is no name", row.raw("name"))
                                 : "missing =name=: the name that is answered");
  }
  for (const OfType& one : kNeeds) {
    if (one.type != type || one.needs.empty()) continue;
    const std::string_view value = row.raw(one.needs);
    if (value.empty()) {
      check.add(row, one.needs, fmt::format("missing ={}=: type={} needs it", one.needs, type),
                Trouble::kMissing);
    } else if (type == "A" || type == "FWD" ? !parse_ip4(value)
               : type == "AAAA"             ? !is_ip6(value)
               : type == "TXT" ? value.find_first_of("\"\\\n\r") != std::string_view::npos
                               : !is_name(value)) {
      check.add(row, one.needs,
                fmt::format("input does not match any value of {}: \"{}\" cannot be of type={}",
                            one.needs, value, type));
    }
  }
  const bool below = row.get_bool("match-subdomain");
  const bool whole = type == "FWD" || type == "NXDOMAIN";
  if (whole && !below) {
    check.add(row, "match-subdomain",
              fmt::format("type={} counts for the names below {} too, in dnsmasq, which answers "
                          "here; say match-subdomain=yes if that is right",
                          type, row.raw("name")));
  }
  if (below && !whole && type != "A" && type != "AAAA") {
    check.add(row, "match-subdomain",
              fmt::format("type={} cannot count for the names below {}", type, row.raw("name")));
  }
  const bool own_ttl = type == "CNAME" || ((type == "A" || type == "AAAA") && !below);
  if (!own_ttl && !whole && row.get("ttl") != "1d") {
    check.add(row, "ttl",
              fmt::format("type={}{} is answered with a ttl of 1d; leave it out", type,
                          below ? " with match-subdomain=yes" : ""));
  }
  if (type == "CNAME" && is_name(row.raw("cname")) && !local.contains(row.raw("cname"))) {
    check.add(row, "cname",
              fmt::format("{} has no enabled row of type A, AAAA or CNAME here: another name can "
                          "only be given to those",
                          row.raw("cname")));
  }
}

}  // namespace

void validate_dns(Check& check) {
  constexpr std::string_view kPath = "/ip/dns/static";
  if (!check.concerns({kPath})) return;
  // Only where a name that was there may be gone do rows that stand still lose what they refer to.
  bool all = check.whole;
  if (!all) {
    const RowsDiff& changes = check.diff(*find_menu(kPath));
    all = !changes.removed.empty() || !changes.changed.empty();
  }
  bool refers = false;
  check.for_asked(kPath, all, [&](const View& row) { refers |= row.get("type") == "CNAME"; });
  std::set<std::string_view> local;
  if (refers) {
    for_each(check.tree, kPath, [&](const View& row) {
      const std::string_view type = row.get("type");
      if (!row.disabled() && (type == "A" || type == "AAAA" || type == "CNAME"))
        local.insert(row.raw("name"));
    });
  }
  check.for_asked(kPath, all, [&](const View& row) { check_row(check, row, local); });
}

}  // namespace maclane::model
