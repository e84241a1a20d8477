// /ip/pool and /ip/dhcp-server: who has which address, and what servers can do.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "control/model/dhcp_option.h"
#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"
#include "control/service/text.h"

namespace maclane::observe {
namespace {

using model::Fields;
using model::View;
using LeaseStatus = DhcpBinding::Status;

std::string time_text(uint64_t ms) {
  return model::format_time_ms(static_cast<int64_t>(ms / 1000 * 1000));
}

void activity(const DhcpServer& server, const DhcpBinding& b, Fields& out) {
  const uint64_t now = server.now_ms();
  out.emplace_back("status", std::string(status_text(b.status)));
  out.emplace_back("last-seen", b.seen_ms == DhcpBinding::kNeverSeen
                                    ? "never"
                                    : time_text(now - static_cast<uint64_t>(b.seen_ms)));
  out.emplace_back("blocked", yes_no(b.blocked));
  if (b.status == LeaseStatus::kWaiting) return;
  if (b.until_ms != kNever)
    out.emplace_back("expires-after", time_text(b.until_ms - std::min(now, b.until_ms)));
  if (b.status == LeaseStatus::kBound && b.bound_ms != DhcpBinding::kNeverSeen)
    out.emplace_back("age", time_text(now - static_cast<uint64_t>(b.bound_ms)));
  out.emplace_back("active-address", text_of(be32::from(b.address)));
  out.emplace_back("active-mac-address", text_of(b.mac));
  if (!b.src_mac.is_zero()) out.emplace_back("src-mac-address", text_of(b.src_mac));
  if (!b.client_id.empty())
    out.emplace_back("active-client-id", model::format_client_id(b.client_id));
  out.emplace_back("active-server", b.server);
  if (!b.host_name.empty()) out.emplace_back("host-name", b.host_name);
  if (!b.class_id.empty()) out.emplace_back("class-id", b.class_id);
}

void lease_state(const Router& router, const View& row, Fields& out) {
  const DhcpServer& server = router.services().dhcp_server();
  const auto address = model::parse_ip4(row.get("address"));
  const auto found = address ? server.leases().find(*address) : server.leases().end();
  if (found != server.leases().end() && found->second.static_id == row.row().id) {
    activity(server, found->second, out);
  } else if (!row.disabled()) {
    out.emplace_back("status", "waiting");
  }
}

std::vector<model::PrintRow> dynamic_leases(const Router& router) {
  const DhcpServer& server = router.services().dhcp_server();
  std::vector<model::PrintRow> rows;
  for (const auto& [address, b] : server.leases()) {
    if (b.is_static()) continue;
    model::PrintRow row;
    row.id = dynamic_id(b.number);
    row.dynamic = true;
    row.fields = {{"address", text_of(be32::from(address))},
                  {"mac-address", text_of(b.mac)},
                  {"server", b.server},
                  {"dynamic", "true"},
                  {"radius", "false"},
                  {"disabled", "false"}};
    if (!b.client_id.empty())
      row.fields.emplace_back("client-id", model::format_client_id(b.client_id));
    activity(server, b, row.fields);
    rows.push_back(std::move(row));
  }
  return rows;
}

void server_state(const Router& router, const View& row, Fields& out) {
  const DhcpServer& server = router.services().dhcp_server();
  const auto& all = server.config().servers;
  const auto found = std::ranges::find(all, row.raw("name"), &DhcpServerConfig::name);
  out.emplace_back("invalid", yes_no(found != all.end() && !server.serves(*found)));
}

void alert_state(const Router& router, const View& row, Fields& out) {
  const DhcpAlert& alert = router.services().dhcp_alert();
  std::string servers;
  for (const MacAddr& one : alert.unknown(row.row().id))
    servers += (servers.empty() ? "" : ",") + text_of(one);
  if (!servers.empty()) out.emplace_back("unknown-server", std::move(servers));
  out.emplace_back("invalid", yes_no(!row.disabled() && !alert.is_watching(row.row().id)));
}

void pool_state(const Router& router, const View& row, Fields& out) {
  uint64_t total = 0, used = 0;
  for (std::string_view one : model::split_list(row.get("ranges"))) {
    if (const auto range = model::parse_ip4_set(one))
      total += uint64_t{range->last} - range->first + 1;
  }
  for (const auto& [address, b] : router.services().dhcp_server().leases())
    used += b.pool == row.raw("name") ? 1 : 0;
  out.emplace_back("total", std::to_string(total));
  out.emplace_back("used", std::to_string(used));
  out.emplace_back("available", std::to_string(total - std::min(used, total)));
}

std::vector<model::PrintRow> pool_used(const Router& router) {
  std::vector<model::PrintRow> rows;
  for (const auto& [address, b] : router.services().dhcp_server().leases()) {
    if (b.pool.empty()) continue;
    model::PrintRow row;
    row.id = dynamic_id(b.number);
    row.fields = {{"pool", b.pool},
                  {"address", text_of(be32::from(address))},
                  {"owner", "DHCP"},
                  {"info", text_of(b.mac)}};
    rows.push_back(std::move(row));
  }
  return rows;
}

void option_state(const View& row, Fields& out) {
  if (const auto parts = model::parse_dhcp_option(row.get("value")))
    out.emplace_back("raw-value", model::raw_dhcp_option(*parts));
}

}  // namespace

void provide_dhcp_rows(Router& router) {
  model::Model& model = router.model();
  model.provide("/ip/dhcp-server",
                [&router](const View& row, Fields& out) { server_state(router, row, out); });
  model.provide("/ip/dhcp-server/lease",
                [&router](const View& row, Fields& out) { lease_state(router, row, out); });
  model.provide_rows("/ip/dhcp-server/lease", [&router] { return dynamic_leases(router); });
  model.provide("/ip/dhcp-server/alert",
                [&router](const View& row, Fields& out) { alert_state(router, row, out); });
  model.provide("/ip/dhcp-server/option",
                [](const View& row, Fields& out) { option_state(row, out); });
  model.provide("/ip/pool",
                [&router](const View& row, Fields& out) { pool_state(router, row, out); });
  model.provide_rows("/ip/pool/used", [&router] { return pool_used(router); });
}

}  // namespace maclane::observe
