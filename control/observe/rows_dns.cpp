// /ip/dns: the name server's state, and what it remembers.

#include <arpa/inet.h>

#include <array>
#include <map>
#include <set>
#include <tuple>

#include "control/dns.h"
#include "control/dns_rules.h"
#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"
#include "control/service/text.h"

namespace maclane::observe {
namespace {

/// An address as the name server writes it, whatever the form it was entered in.
std::string usual_form(int family, const std::string& address) {
  in6_addr binary{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_pton(family, address.c_str(), &binary) != 1) return address;
  return inet_ntop(family, &binary, text.data(), text.size());
}

/// The ttl of names that are the router's own: of that row of /ip/dns/static, or of those without
/// one.
class StaticTtls {
 public:
  explicit StaticTtls(const model::Tree& tree) : usual_ms_(local_ttl_ms(tree)) {
    const NamePlan plan(tree);
    for (const model::View& row : plan.rows()) {
      const std::string type(row.get("type"));
      const std::string data = type == "A" ? usual_form(AF_INET, std::string(row.get("address")))
                               : type == "AAAA"
                                   ? usual_form(AF_INET6, std::string(row.get("address")))
                                   : model::plain_name(row.get("cname"));
      rows_.try_emplace(key_of(model::plain_name(row.get("name")), type, data),
                        row.get_time_ms("ttl"));
    }
  }
  [[nodiscard]] int64_t ms_of(const CachedName& one) const {
    const auto found = rows_.find(key_of(one.name, one.type, one.data));
    return found == rows_.end() ? usual_ms_ : found->second;
  }

 private:
  /// As much of each as the name server's table shows.
  using Key = std::tuple<std::string, std::string, std::string>;
  static Key key_of(const std::string& name, const std::string& type, const std::string& data) {
    return {name.substr(0, kCachedNameWidth), type, data.substr(0, kCachedDataWidth)};
  }
  int64_t usual_ms_;
  std::map<Key, int64_t> rows_;
};

std::vector<model::PrintRow> cache(Router& router, bool all) {
  std::vector<model::PrintRow> rows;
  const StaticTtls ttls(router.model().tree());
  uint32_t number = 0;
  for (const CachedName& one : router.name_server().cache()) {
    if (one.negative && !all) continue;
    model::PrintRow row;
    row.id = dynamic_id(++number);
    row.fields = {
        {"name", one.name},
        {"type", one.type},
        {"data", one.data},
        {"ttl", model::format_time_ms(one.is_static ? ttls.ms_of(one)
                                                    : static_cast<int64_t>(one.ttl_s * 1000))},
        {"static", yes_no(one.is_static)},
        {"negative", yes_no(one.negative)}};
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Names of DHCP clients.
std::vector<model::PrintRow> lease_names(Router& router) {
  std::vector<model::PrintRow> rows;
  const std::string ttl = model::format_time_ms(local_ttl_ms(router.model().tree()));
  for (const LeaseName& one : router.lease_names().all()) {
    model::PrintRow row;
    row.id = dynamic_id(one.number);
    row.dynamic = true;
    row.fields = {{"name", one.name},
                  {"type", "A"},
                  {"address", text_of(be32::from(one.address))},
                  {"ttl", ttl},
                  {"match-subdomain", "false"},
                  {"disabled", "false"},
                  {"dynamic", "true"}};
    rows.push_back(std::move(row));
  }
  return rows;
}

void state(Router& router, model::Fields& out) {
  std::string servers;
  std::set<uint32_t> seen;  // several uplinks may have the same
  for (const LearnedServer& one : router.services().learned().dns) {
    if (seen.insert(one.address.host()).second)
      servers += (servers.empty() ? "" : ",") + text_of(one.address);
  }
  out.emplace_back("dynamic-servers", std::move(servers));
  const uint64_t names = router.name_server().cache().size();
  out.emplace_back("cache-used", std::to_string((names + kNamesPerKib - 1) / kNamesPerKib));
  out.emplace_back("status", router.name_server().state());
}

}  // namespace

void provide_dns_rows(Router& router) {
  model::Model& model = router.model();
  model.provide("/ip/dns",
                [&router](const model::View&, model::Fields& out) { state(router, out); });
  model.provide_rows("/ip/dns/static", [&router] { return lease_names(router); });
  model.provide_rows("/ip/dns/cache", [&router] { return cache(router, false); });
  model.provide_rows("/ip/dns/cache/all", [&router] { return cache(router, true); });
}

}  // namespace maclane::observe
