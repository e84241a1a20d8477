// Packets that say their way themselves, where /ip/settings accept-source-route=yes. See
// slow_path.h.
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/stage/refuse.h"
#include "dataplane/stage/route.h"
#include "dataplane/stage/slow_path.h"
#include "dataplane/worker/worker.h"

namespace maclane {
namespace {

constexpr uint8_t kSourceRouteFailed = 5;  // of destination unreachable

/// The way to an address, by the tables that rules name.
Route way_to(const Worker& w, const Burst& b, unsigned i, be32 address) noexcept {
  const Snapshot& s = *w.snapshot;
  const Tuple to{b.tuple[i].src, address, {}, {}, b.tuple[i].proto};
  bool decided = false;
  return choose_route(s, look_up(s, to, b.in_if[i], 0, &decided), to);
}

/// One step: what it goes to next takes the place of its destination, and the address that it
/// leaves by that of the one it goes to. False: it is at the end of its way, or refused.
bool step(Worker& w, Burst& b, unsigned i) noexcept {
  Ip4Hdr& ip = *b.ip[i];
  auto* const option = const_cast<uint8_t*>(source_route(ip));
  const unsigned length = option[1];
  const unsigned at = option[2];  // counted from 1
  const bool over = at > length;
  const bool ours = is_local(*w.snapshot, ip.dst);
  if (length < 3 || at < 4 || (!over && at + 3 > length)) {
    refuse(w, b, i, Drop::ip_options, b.in_if[i]);
    return false;
  }
  if (ours && over) return false;
  be32 next = ip.dst;
  if (ours) std::memcpy(&next, option + at - 1, sizeof(next));
  const Route way = way_to(w, b, i, next);
  if (option[0] == kStrictSourceRoute && way.kind != NextHop::Kind::kConnected &&
      way.kind != NextHop::Kind::kLocal) {
    refuse_with_icmp(w, b, i, Drop::ip_options, kIcmpUnreachable, kSourceRouteFailed);
    return false;
  }
  if (!ours) return false;
  const be32 own = way.kind == NextHop::Kind::kLocal || way.out_if == kNoIf
                       ? ip.dst
                       : w.snapshot->interfaces[way.out_if].primary_address;
  std::memcpy(option + at - 1, &own, sizeof(own));
  option[2] = static_cast<uint8_t>(at + sizeof(next));
  ip.dst = next;
  ip.checksum = {};
  ip.checksum.raw = checksum(&ip, ip.header_length());
  b.tuple[i].dst = next;
  return true;
}

}  // namespace

void follow_source_routes(Worker& w, Burst& b) noexcept {
  if (!w.snapshot->accept_source_route) return;
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || (b.flags[i] & L3Queue::kFromRouter) != 0) continue;
    while (b.mbuf[i] != nullptr && is_source_routed(*b.ip[i]) && step(w, b, i)) {
    }
  }
}

}  // namespace maclane
