// The rules of names: what dnsmasq, which answers them, can carry out (behaviour.md C-32).
#include <fmt/format.h>

#include <map>
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

/// Names are one whatever the case of their letters (C-32).
std::string lower(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// What enabled rows answer here.
struct Local {
  std::set<std::string> names;  // those that can have other names
  std::multimap<std::string, std::string> aliases;
};

/// dnsmasq starts with none of its rows if one name stands for two, or for itself.
void check_alias(Check& check, const View& row, const Local& local) {
  const std::string target = lower(row.raw("cname"));
  if (!local.names.contains(target)) {
    check.add(row, "cname",
              fmt::format("{} has no enabled row of type A, AAAA or CNAME here: another name can "
                          "only be given to those",
                          row.raw("cname")));
  }
  if (row.disabled()) return;
  const std::string name = lower(row.raw("name"));
  if (local.aliases.count(name) > 1) {
    check.add(row, "name",
              fmt::format("{} has another row of type=CNAME: a name can stand for one other only",
                          row.raw("name")));
    return;
  }
  constexpr unsigned kLongest = 100;
  auto next = local.aliases.find(target);
  bool round = target == name;
  for (unsigned steps = 0; !round && next != local.aliases.end(); ++steps) {
    round = next->second == name || steps == kLongest;
    next = local.aliases.find(next->second);
  }
  if (round) {
    check.add(
        row, "cname",
        fmt::format("{} would lead back to {}: names that stand for others must end at one of "
                    "type A or AAAA",
                    row.raw("cname"), row.raw("name")));
  }
}

void check_row(Check& check, const View& row, const Local& local) {
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
  if (type == "CNAME" && is_name(row.raw("cname"))) check_alias(check, row, local);
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
  Local local;
  if (refers) {
    for_each(check.tree, kPath, [&](const View& row) {
      const std::string_view type = row.get("type");
      if (row.disabled() || (type != "A" && type != "AAAA" && type != "CNAME")) return;
      local.names.insert(lower(row.raw("name")));
      if (type == "CNAME") local.aliases.emplace(lower(row.raw("name")), lower(row.raw("cname")));
    });
  }
  check.for_asked(kPath, all, [&](const View& row) { check_row(check, row, local); });
}

}  // namespace maclane::model
