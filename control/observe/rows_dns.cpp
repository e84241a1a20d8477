// /ip/dns: the name server's state, and what it remembers.

#include <set>

#include "control/dns.h"
#include "control/dns_rules.h"
#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"
#include "control/service/text.h"

namespace maclane::observe {
namespace {

std::vector<model::PrintRow> cache(Router& router, bool all) {
  std::vector<model::PrintRow> rows;
  uint32_t number = 0;
  for (const CachedName& one : router.name_server().cache()) {
    if (one.negative && !all) continue;
    model::PrintRow row;
    row.id = dynamic_id(++number);
    row.fields = {{"name", one.name},
                  {"type", one.type},
                  {"data", one.data},
                  {"ttl", model::format_time_ms(static_cast<int64_t>(one.ttl_s * 1000))},
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
