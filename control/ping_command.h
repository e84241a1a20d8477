// /ping and /tool/ping (C-34): the service's pings as a command that goes on. Control thread.
#pragma once

#include "control/clients.h"
#include "control/model/commands.h"
#include "control/service/services.h"

namespace maclane {

void add_ping_commands(model::Commands& commands, Services& services, PacketIo& io,
                       const InterfaceIndex& index_of);

}  // namespace maclane
