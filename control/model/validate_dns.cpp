// The rules of names of the router's own (behaviour.md C-32).
#include <arpa/inet.h>
#include <fmt/format.h>

#include <map>

#include "control/model/name_text.h"
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

bool is_ip6(std::string_view text) {
  in6_addr address;
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

/// An address that is wrong is no name either.
bool is_server(std::string_view text) {
  const bool numbers = text.find_first_not_of("0123456789.") == std::string_view::npos;
  return numbers ? parse_ip4(text).has_value() : is_dns_name(text);
}

/// The rows by which names stand for others, as far as they are enabled.
class Aliases {
 public:
  explicit Aliases(const Check& check) {
    for_each(check.tree, "/ip/dns/static", [&](const View& row) {
      if (row.disabled() || row.get("type") != "CNAME") return;
      if (row.is_set("regexp")) {
        expressions_.emplace_back(NameExpression(row.raw("regexp")), row);
      } else {
        const std::string name = plain_name(row.raw("name"));
        (row.get_bool("match-subdomain") ? below_ : whole_).emplace(name, row);
      }
    });
  }

  /// How many rows say what a name stands for.
  [[nodiscard]] size_t count(const View& row) const {
    if (row.is_set("regexp")) return 1;
    return (row.get_bool("match-subdomain") ? below_ : whole_).count(plain_name(row.raw("name")));
  }

  /// Whether what a row's name stands for leads back to the row.
  [[nodiscard]] bool goes_round(const View& row) const {
    constexpr unsigned kLongest = 100;
    std::string name = plain_name(row.raw("cname"));
    for (unsigned steps = 0; steps < kLongest; ++steps) {
      const View* next = of(name);
      if (next == nullptr) return false;
      if (next->row().id == row.row().id) return true;
      name = plain_name(next->raw("cname"));
    }
    return true;
  }

 private:
  /// The row that counts for a name: expressions, then whole names, then the longest domain.
  [[nodiscard]] const View* of(const std::string& name) const {
    for (const auto& [expression, row] : expressions_)
      if (expression.matches(name)) return &row;
    if (const auto found = whole_.find(name); found != whole_.end()) return &found->second;
    for (std::string_view zone = name; !below_.empty();) {
      if (const auto found = below_.find(zone); found != below_.end()) return &found->second;
      const size_t dot = zone.find('.');
      if (dot == std::string_view::npos) break;
      zone.remove_prefix(dot + 1);
    }
    return nullptr;
  }

  std::vector<std::pair<NameExpression, View>> expressions_;
  std::multimap<std::string, View, std::less<>> whole_, below_;
};

void check_alias(Check& check, const View& row, const Aliases& aliases) {
  if (row.disabled()) return;
  if (aliases.count(row) > 1) {
    check.add(row, "name",
              fmt::format("{} has another row of type=CNAME: a name can stand for one other only",
                          row.raw("name")));
    return;
  }
  if (aliases.goes_round(row)) {
    check.add(row, "cname",
              fmt::format("{} would lead back to {}: names that stand for others must end at one "
                          "that does not",
                          row.raw("cname"), row.raw(row.is_set("regexp") ? "regexp" : "name")));
  }
}

/// Which names a row is about.
void check_names(Check& check, const View& row) {
  const bool expressed = row.is_set("regexp");
  if (expressed && row.is_set("name")) {
    check.add(row, "regexp", "a row has a name or a regexp, not both");
  } else if (expressed) {
    const NameExpression expression(row.raw("regexp"));
    if (!expression.mistake().empty()) {
      check.add(row, "regexp",
                fmt::format("\"{}\" is no extended regular expression of POSIX: {}",
                            row.raw("regexp"), expression.mistake()));
    }
    if (row.get_bool("match-subdomain")) {
      check.add(row, "match-subdomain",
                "match-subdomain is of rows with a name; a regexp says itself what it is about");
    }
  } else if (!is_dns_name(row.raw("name"))) {
    check.add(row, "name",
              row.is_set("name") ? fmt::format("\"{}\" is no name", row.raw("name"))
                                 : "missing =name=: the name that is answered");
  }
}

void check_row(Check& check, const View& row) {
  const std::string_view type = row.get("type");
  check_names(check, row);
  for (const OfType& one : kNeeds) {
    if (one.type != type || one.needs.empty()) continue;
    const std::string_view value = row.raw(one.needs);
    if (value.empty()) {
      check.add(row, one.needs, fmt::format("missing ={}=: type={} needs it", one.needs, type),
                Trouble::kMissing);
    } else if (type == "A"      ? !parse_ip4(value)
               : type == "FWD"  ? !is_server(value)
               : type == "AAAA" ? !is_ip6(value)
               : type == "TXT"  ? false
                                : !is_dns_name(value)) {
      check.add(row, one.needs,
                fmt::format("input does not match any value of {}: \"{}\" cannot be of type={}",
                            one.needs, value, type));
    }
  }
}

}  // namespace

void validate_dns(Check& check) {
  constexpr std::string_view kPath = "/ip/dns/static";
  if (!check.concerns({kPath})) return;
  bool refers = false;
  check.for_asked(kPath, false, [&](const View& row) {
    check_row(check, row);
    refers |= row.get("type") == "CNAME";
  });
  if (!refers) return;
  // What one row leads to is what others lead to.
  const Aliases aliases(check);
  check.for_asked(kPath, true, [&](const View& row) {
    if (row.get("type") == "CNAME" && is_dns_name(row.raw("cname")))
      check_alias(check, row, aliases);
  });
}

}  // namespace maclane::model
