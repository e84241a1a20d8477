// /ping, /tool/ping (C-34) and /resolve: what asks and waits for answers, as commands that go on.
// Control thread.
#pragma once

#include "control/clients.h"
#include "control/model/commands.h"
#include "control/service/resolver.h"
#include "control/service/services.h"

namespace maclane {

void add_ping_commands(model::Commands& commands, Services& services, PacketIo& io,
                       Resolver& resolver, const InterfaceIndex& index_of);
/// Shared with menus that take names: "" if a text can be asked for as a name.
[[nodiscard]] std::string wrong_name(std::string_view text);
void add_resolve_command(model::Commands& commands, Resolver& resolver);

}  // namespace maclane
