// PPPoE sessions (RFC 2516) on the packet path: the IPv4 packets of a session come in and go out as
// those of its own interface. Everything else that PPPoE says (discovery, LCP, authentication,
// IPCP) goes to control, which negotiates; a worker finds the session in the snapshot.
//
// A frame belongs to a session by the interface whose MAC it was sent to, the session's id and the
// peer's MAC, all three. Worker thread only.
#pragma once

#include <rte_mbuf.h>

#include <cstring>

#include "dataplane/stage/l2_frame.h"
#include "dataplane/worker/burst.h"
#include "dataplane/worker/worker.h"

namespace maclane {

inline constexpr uint8_t kPppoeVersionType = 0x11;

/// A neighbour that needs no address: the other end of a point-to-point interface. The table has no
/// slot of such a number.
inline constexpr NeighbourRef kPointToPoint = 0xfe000000u;
[[nodiscard]] constexpr NeighbourRef point_to_point(IfIndex interface) noexcept {
  return kPointToPoint | interface;
}
[[nodiscard]] constexpr bool is_point_to_point(NeighbourRef ref) noexcept {
  return (ref & 0xffff0000u) == kPointToPoint;
}

/// A session frame (Ethernet header first, one segment, ours to write) that came to `lower`. With
/// an IPv4 packet of a session: the session's interface, the IP header is first now, and the 14
/// bytes before it are an untagged Ethernet header. Else kNoIf: it was punted or dropped.
[[nodiscard]] IfIndex pppoe_take(Worker& w, rte_mbuf* m, IfIndex lower) noexcept;

/// What the frames of one session have in common, so that those of a run are known by comparing.
/// For frames of at least an Ethernet header that were sent to `lower`.
class PppoeSessionHead {
 public:
  PppoeSessionHead() = default;
  /// Of a frame that pppoe_take() is about to find a session for.
  PppoeSessionHead(const rte_mbuf* m, IfIndex lower) noexcept : lower_(lower) {
    if (m->data_len < kPppoeOverhead) return;
    const auto* bytes = rte_pktmbuf_mtod(m, const uint8_t*);
    std::memcpy(&source_, bytes + 6, sizeof(source_));
    std::memcpy(&rest_, bytes + 12, sizeof(rest_));
  }
  /// The same as pppoe_take(), if the frame is an IPv4 packet of that session. False: nothing was
  /// done.
  [[nodiscard]] bool strip(rte_mbuf* m, IfIndex lower) const noexcept {
    const unsigned here = m->data_len;
    if (here < kPppoeOverhead || lower != lower_) return false;
    auto* const bytes = rte_pktmbuf_mtod(m, uint8_t*);
    uint64_t source = 0;  // its MAC, type, version, code
    uint64_t rest = 0;    // type, version, code, session, length
    std::memcpy(&source, bytes + 6, sizeof(source));
    std::memcpy(&rest, bytes + 12, sizeof(rest));
    be16 protocol;
    be16 length;
    std::memcpy(&length, bytes + 18, sizeof(length));
    std::memcpy(&protocol, bytes + 20, sizeof(protocol));
    const unsigned size = length.host();
    constexpr uint64_t kButLength = 0x0000ffffffffffffULL;  // the first six of eight bytes
    if (((source ^ source_) | ((rest ^ rest_) & kButLength)) != 0 ||
        protocol.raw != be16::from(kPppIp4).raw || size < sizeof(be16) || size > here - 20u) {
      return false;
    }
    uint64_t target = 0;
    std::memcpy(&target, bytes, 6);
    std::memcpy(bytes + 8, &target, 6);
    std::memcpy(bytes + 14, &source, 6);
    const be16 type = be16::from(kEtherIp4);
    std::memcpy(bytes + 20, &type, sizeof(type));
    m->data_off = static_cast<uint16_t>(m->data_off + kPppoeOverhead);
    m->data_len = static_cast<uint16_t>(size - sizeof(be16));
    m->pkt_len = m->data_len;
    return true;
  }

 private:
  uint64_t source_ = 0, rest_ = 0;  // as they stand in the frame
  IfIndex lower_ = kNoIf;           // kNoIf: no frame is of it
};

/// A discovery frame, or one of a session that is no IPv4, for control.
void pppoe_punt(Worker& w, rte_mbuf* m, IfIndex lower) noexcept;

/// The frame's head up to the IP header, but for the length.
using PppoeHead = std::array<uint8_t, kPppoeOverhead>;
[[nodiscard]] inline PppoeHead pppoe_head(const Interface& session,
                                          const MacAddr& source) noexcept {
  const EtherHdr ether{session.pppoe_peer, source, be16::from(kEtherPppoeSession)};
  const PppoeHdr pppoe{kPppoeVersionType, 0, session.pppoe_session, {}, be16::from(kPppIp4)};
  PppoeHead head;
  std::memcpy(head.data(), &ether, sizeof(ether));
  std::memcpy(head.data() + sizeof(ether), &pppoe, sizeof(pppoe));
  return head;
}
/// Writes the length that belongs to an IP packet of so many bytes; `ip` is where it begins.
inline void set_pppoe_length(void* ip, uint32_t bytes) noexcept {
  const be16 length = be16::from(static_cast<uint16_t>(bytes + sizeof(be16)));
  std::memcpy(static_cast<uint8_t*>(ip) - 4, &length, sizeof(length));
}

/// Sends an IPv4 packet (IP header first) through a session.
void pppoe_send(Worker& w, rte_mbuf* m, IfIndex session) noexcept;

}  // namespace maclane
