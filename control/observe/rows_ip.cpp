// /ip/route, /ip/address and /ip/arp: what is in use, what was learned.
#include <fmt/format.h>

#include <charconv>

#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"
#include "control/service/text.h"

namespace maclane::observe {
namespace {

using model::Fields;
using model::View;

void route_state(const Router& router, const View& row, Fields& out) {
  const compile::RouteInfo* info = router.compiled().routes.find(row.row().id);
  out.emplace_back("active", yes_no(info != nullptr && info->active));
  out.emplace_back("inactive", yes_no(info != nullptr && !info->active));
  if (info != nullptr && !info->immediate_gateway.empty())
    out.emplace_back("immediate-gw", std::string(info->immediate_gateway));
}

std::string_view type_name(LearnedRoute::Type type) {
  switch (type) {
    case LearnedRoute::Type::kUnicast:
      return "unicast";
    case LearnedRoute::Type::kBlackhole:
      return "blackhole";
    case LearnedRoute::Type::kUnreachable:
      return "unreachable";
    case LearnedRoute::Type::kProhibit:
      return "prohibit";
  }
  return "";
}

std::vector<model::PrintRow> dynamic_routes(const Router& router) {
  std::vector<model::PrintRow> rows;
  uint32_t number = 0;
  for (const compile::RouteInfo& info : router.compiled().routes.rows) {
    if (info.row != 0) continue;
    model::PrintRow row;
    row.id = dynamic_id(++number);
    row.dynamic = true;
    row.fields = {{"dst-address", model::format_prefix(info.dst)},
                  {"gateway", std::string(info.gateway)},
                  {"distance", std::to_string(info.distance)},
                  {"routing-table", std::string(info.table.empty() ? "main" : info.table)},
                  {"disabled", "false"},
                  {"active", yes_no(info.active)},
                  {"dynamic", "true"},
                  {"connect", yes_no(info.connect)},
                  {"dhcp", yes_no(info.learned == LearnedFrom::kDhcp)},
                  {"vpn", yes_no(info.learned == LearnedFrom::kPpp)},
                  {"bgp", yes_no(info.learned == LearnedFrom::kBgp)},
                  {"ospf", yes_no(info.learned == LearnedFrom::kOspf)},
                  {"is-is", yes_no(info.learned == LearnedFrom::kIsis)},
                  {"rip", yes_no(info.learned == LearnedFrom::kRip)},
                  {"static", "false"},
                  {"inactive", yes_no(!info.active)}};
    row.fields.emplace_back("scope", std::to_string(info.scope));
    row.fields.emplace_back("target-scope", std::to_string(info.target_scope));
    if (info.pref_src != 0) row.fields.emplace_back("pref-src", model::format_ip4(info.pref_src));
    if (info.type != LearnedRoute::Type::kUnicast)
      row.fields.emplace_back("type", type_name(info.type));
    if (info.check != GatewayProof::kNone)
      row.fields.emplace_back("check-gateway", info.check == GatewayProof::kPing ? "ping" : "arp");
    if (!info.immediate_gateway.empty())
      row.fields.emplace_back("immediate-gw", std::string(info.immediate_gateway));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<model::PrintRow> main_table() {
  model::PrintRow row;
  row.id = dynamic_id(1);
  row.dynamic = true;
  row.fields = {{"name", "main"},
                {"fib", "true"},
                {"disabled", "false"},
                {"dynamic", "true"},
                {"invalid", "false"}};
  return {std::move(row)};
}

void rule_state(const Router& router, const View& row, Fields& out) {
  const std::string_view table = row.raw("table");
  const auto& tables = router.compiled().tables;
  const bool gone = !table.empty() && table != "main" && tables.find(table) == tables.end();
  out.emplace_back("inactive", yes_no(!row.disabled() && gone));
}

/// A row that a person wrote is permanent, unless its interface cannot carry neighbours.
void neighbour_state(const Router& router, const View& row, Fields& out) {
  const Snapshot* s = router.dataplane().current();
  const IfIndex index = router.compiled().names.index_of(row.raw("interface"));
  const bool valid = s != nullptr && index != kNoIf && index < s->interfaces.size() &&
                     s->interfaces[index].kind != IfKind::kNone && !s->interfaces[index].attached;
  out.emplace_back("invalid", yes_no(!valid));
  out.emplace_back("vrf", "main");
  if (row.disabled() || !valid) return;
  out.emplace_back("status", "permanent");
  out.emplace_back("complete", "true");
}

constexpr uint64_t kNeighbourId = uint64_t{1} << 63;

/// A person removes what was learned: the neighbour is asked for anew when it is needed. What
/// leases keep goes with them.
Status remove_neighbour(Router& router, std::string_view id) {
  uint64_t number = 0;
  const char* const end = id.data() + id.size();
  if (!id.starts_with('*') || std::from_chars(id.data() + 1, end, number, 16).ptr != end ||
      (number & kNeighbourId) == 0) {
    return fail(fmt::format("no such item ({})", id));
  }
  const auto interface = static_cast<IfIndex>((number & ~kNeighbourId) >> 32);
  const be32 address = be32::from(static_cast<uint32_t>(number));
  if (router.services().arp().flush(interface, address)) return {};
  for (const ArpRow& arp : router.services().arp_rows()) {
    if (arp.interface == interface && arp.address == address)
      return fail(
          fmt::format("{} is there because of a lease of /ip/dhcp-server with add-arp; it "
                      "goes with that",
                      text_of(address)));
  }
  return {};  // it went by itself meanwhile
}

std::vector<model::PrintRow> learned_neighbours(const Router& router) {
  std::vector<model::PrintRow> rows;
  for (const ArpRow& arp : router.services().arp_rows()) {
    if (!arp.dynamic) continue;
    model::PrintRow row;
    row.id =
        fmt::format("*{:X}", kNeighbourId | uint64_t{arp.interface} << 32 | arp.address.host());
    row.dynamic = true;
    row.fields = {{"address", text_of(arp.address)},
                  {"mac-address", text_of(arp.mac)},
                  {"interface", std::string(router.compiled().names.name_of(arp.interface))},
                  {"published", "false"},
                  {"status", std::string(arp.status)},
                  {"invalid", "false"},
                  {"DHCP", yes_no(arp.dhcp)},
                  {"vrf", "main"},
                  {"dynamic", "true"},
                  {"disabled", "false"},
                  {"complete", yes_no(arp.complete)}};
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::string dynamic_id(uint32_t number) {
  return fmt::format("*{:X}", 0x80000000u + number);
}

void provide_ip_rows(Router& router) {
  model::Model& model = router.model();
  model.provide("/ip/route",
                [&router](const View& row, Fields& out) { route_state(router, row, out); });
  model.provide("/routing/rule",
                [&router](const View& row, Fields& out) { rule_state(router, row, out); });
  model.provide_rows("/routing/table", [] { return main_table(); });
  model.provide_rows("/ip/route", [&router] { return dynamic_routes(router); });
  model.provide("/ip/arp",
                [&router](const View& row, Fields& out) { neighbour_state(router, row, out); });
  model.provide_rows("/ip/arp", [&router] { return learned_neighbours(router); });
  model.provide_remove("/ip/arp",
                       [&router](std::string_view id) { return remove_neighbour(router, id); });
}

}  // namespace maclane::observe
