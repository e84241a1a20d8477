// ICMP errors that quote a packet of a known connection: they belong to it (state related) and are
// translated outside and inside (RFC 5508 REQ-3 to REQ-6, behaviour.md B-17, N-27 to N-30). They
// never refresh or end the connection. Worker thread only.
#pragma once

#include "dataplane/worker/burst.h"

namespace maclane {

struct Worker;

/// Finds the connection that error i quotes. True: b.session, b.direction (the direction the error
/// itself travels in) and b.icmp_error are set. False: malformed, a wrong checksum, or nobody's.
[[nodiscard]] bool icmp_error_match(Worker& w, Burst& b, unsigned i) noexcept;

/// The tuple of the packet that error i quotes. False: it quotes none that could be found again.
[[nodiscard]] bool icmp_error_quotes(const Worker& w, const Burst& b, unsigned i,
                                     Tuple* tuple) noexcept;

/// Rewrites outer addresses and the quoted packet for the connection found by icmp_error_match.
void icmp_error_translate(Worker& w, Burst& b, unsigned i) noexcept;

}  // namespace maclane
