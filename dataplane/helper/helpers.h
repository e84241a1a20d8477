// Helpers (behaviour.md B-24): they read what a connection says about others that will follow it,
// announce those (table/expectations.h), and write the router's addresses in the place of those
// that it translates. RouterOS has them as /ip/firewall/service-port.
//
// A session with a helper has Session::kHelped and a record (table/helper_records.h); none of its
// packets is the established path's, and of no other session anything is asked. A helper sees
// whole packets of valid state on their way out, translated; what it cannot read passes as it is,
// unless its protocol's sender can be expected to say it again better. It announces only addresses
// of the host that speaks. Worker thread only.
#pragma once

#include "dataplane/stage/tcp_window.h"
#include "dataplane/worker/burst.h"
#include "dataplane/worker/drop.h"

namespace maclane {

struct Worker;
struct Expectation;

/// A new session gets the helper of its destination port, if that is on and it is not expected.
void assign_helper(Worker& w, uint32_t session) noexcept;
/// It gets this one.
void give_helper(Worker& w, uint32_t session, Helper helper) noexcept;

enum class Helped : uint8_t { kPasses, kDropped };
/// Packet i of a session with a helper, translated, before it leaves. kDropped: it is finished.
[[nodiscard]] Helped help(Worker& w, Burst& b, unsigned i) noexcept;

/// The numbers of a segment as both sides' windows know them.
void unshift(Worker& w, uint32_t session, uint8_t direction, Segment& segment) noexcept;

/// A session with a helper ends: its record is free again, nobody waits for what it announced.
void forget_helper(Worker& w, uint32_t session) noexcept;

}  // namespace maclane
