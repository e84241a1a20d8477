// The clients of the router (DHCP, PPPoE) between its parts: their commands, and what of them
// outlives the process. Control thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "control/model/commands.h"
#include "control/service/services.h"

namespace maclane {

/// Gives the clients what an earlier process left in the state folder (`dhcp-client.json`,
/// addresses by interface), and keeps it there from now on. A file that cannot be read or written
/// is said in the log and otherwise counts as empty: the clients then begin like new ones.
void keep_clients(Services& services, const std::string& state_folder);

/// The index of an interface; kNoIf: there is none of this name.
using InterfaceIndex = std::function<IfIndex(std::string_view)>;

/// /ip/dhcp-client renew and release; /interface/pppoe-client monitor and scan.
void add_client_commands(model::Commands& commands, Services& services,
                         const InterfaceIndex& index_of);

}  // namespace maclane
