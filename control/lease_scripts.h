// The scripts of DHCP: lease-script of /ip/dhcp-server and script of /ip/dhcp-client, with the
// variables that RouterOS gives them (behaviour.md C2, C-19), and on-alert of
// /ip/dhcp-server/alert, which has none. Control thread.
//
// Options stand in an array by their numbers, `$"lease-options"->"60"`: as text where they are
// text, else as the bytes in hexadecimal, 0x0a000001, which is how /ip/dhcp-server/option takes
// them too.
#pragma once

#include "control/script/event_scripts.h"
#include "control/service/services.h"

namespace maclane {

/// Both must outlive the services.
void run_lease_scripts(Services& services, script::EventScripts& scripts);

}  // namespace maclane
