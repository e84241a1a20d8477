// Names of rows that come without one, as RouterOS numbers them (A1, C-21). No state; any thread.
#pragma once

#include <string_view>

#include "control/model/schema.h"

namespace maclane::model {

/// What their names begin with, before the number: "pppoe-out". "": a row of this menu has to be
/// named.
[[nodiscard]] inline std::string_view numbered_stem(const Menu& menu) {
  if (menu.path == "/interface/pppoe-client") return "pppoe-out";
  if (menu.path == "/interface/macvlan") return "macvlan";
  if (menu.path == "/interface/vlan") return "vlan";
  if (menu.path == "/ip/dhcp-server") return "dhcp";
  return {};
}

}  // namespace maclane::model
