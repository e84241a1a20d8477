// The rows that print shows beside what is configured: counters, states, and menus that are state
// only. Each function registers its menus' providers with the router's model. Control thread only.
#pragma once

#include <string>
#include <string_view>

#include "control/model/model.h"
#include "dataplane/snapshot.h"

namespace maclane {
class Router;
}

namespace maclane::observe {

void provide_rows(Router& router);

// by menu, one file each
void provide_interface_rows(Router& router);
void provide_ip_rows(Router& router);
void provide_connection_rows(Router& router);
void provide_client_rows(Router& router);
void provide_dhcp_rows(Router& router);
void provide_dns_rows(Router& router);
void provide_firewall_rows(Router& router);
void provide_system_rows(Router& router);

/// `maclanectl status`: the router in ten lines.
[[nodiscard]] model::Fields status(const Router& router);

/// An interface's counters, by name.
void add_counters(const Router& router, std::string_view name, model::Fields& out);

/// Whether an interface is there for packets; a session that would be dialled for them is not yet.
[[nodiscard]] inline bool runs(const Interface& interface) {
  return interface.up && (interface.kind != IfKind::kPppoe || interface.pppoe_session.raw != 0);
}

/// A boolean as every door shows it.
[[nodiscard]] constexpr const char* yes_no(bool value) {
  return value ? "true" : "false";
}

/// Ids of rows that are not stored, apart from those that are: "*80000001".
[[nodiscard]] std::string dynamic_id(uint32_t number);

}  // namespace maclane::observe
