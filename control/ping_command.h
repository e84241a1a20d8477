// /ping, /tool/ping (C-34) and /resolve: what asks and waits for answers, as commands that go on.
// Control thread.
#pragma once

#include <functional>

#include "control/clients.h"
#include "control/model/commands.h"
#include "control/service/resolver.h"
#include "control/service/services.h"

namespace maclane {

/// What commands that send requests work with.
struct Asking {
  Services& services;
  PacketIo& io;
  Resolver& resolver;
  InterfaceIndex index_of;
};

void add_ping_commands(model::Commands& commands, const Asking& asking);
/// Shared with menus that take names: "" if a text can be asked for as a name.
[[nodiscard]] std::string wrong_name(std::string_view text);
void add_resolve_command(model::Commands& commands, Resolver& resolver);

/// Does what a call is for once its `address`, which may be a name, is known.
using WithTarget = std::function<model::Answer<model::Outcome>(const model::Call&, be32 target)>;
[[nodiscard]] model::Answer<model::Outcome> with_target(const model::Call& call, Resolver& resolver,
                                                        WithTarget then);
/// A question as a call's address, src-address, interface, size and dscp have it.
[[nodiscard]] model::Answer<Ping::Question> question_of(const model::Call& call, be32 target,
                                                        const Asking& asking);
/// Its identifier in packets; refused while too many go on.
[[nodiscard]] model::Answer<uint16_t> begin_ping(Services& services);

}  // namespace maclane
