// /tool/traceroute (C-35): the routers on the way to somebody, and how soon each answers. Control
// thread.
#pragma once

#include "control/ping_command.h"

namespace maclane {

void add_traceroute_command(model::Commands& commands, const Asking& asking);

}  // namespace maclane
