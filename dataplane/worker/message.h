// What crosses the rings between a worker and control.
//
// A packet carries its message in the mbuf's private area (kPrivateSize bytes, every pool of ours
// has it); events without a packet go through a ring of fixed elements. Punt and inject rings are
// single producer, single consumer, one pair per worker.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/net/types.h"
#include "dataplane/table/rules.h"
#include "dataplane/table/session.h"

namespace maclane {

enum class PuntReason : uint8_t {
  kArp,          // an ARP frame (Ethernet header first) heard on in_if's domain
  kLocal,        // an IPv4 packet for the router (IP header first), after the input chain
  kNeighbour,    // an IPv4 packet (IP header first, untranslated) whose next hop has no MAC yet
  kIcmpError,    // answer this IPv4 packet with an ICMP error; the packet itself was dropped
  kTcpReset,     // answer this TCP packet with a reset; the packet itself was dropped
  kTarpit,       // hold this TCP client up; the packet itself was dropped
  kMembership,   // copy of an IGMP or MLD frame from an attached vport (Ethernet header first)
  kLoopProtect,  // a loop protect frame from the wire (Ethernet header first): to in_if's own MAC,
                 // or to a group of its segment (broadcast)
  kDhcp,         // a frame for a DHCP client (Ethernet header first) heard on in_if's domain
  kPppoe,        // a PPPoE frame for in_if that is no IPv4 of a session (Ethernet header first)
};

enum class InjectKind : uint8_t {
  kFrame,     // an Ethernet frame (untagged) to send from out_if
  kIpOutput,  // an IPv4 packet of the router itself: output chain, route, neighbour
  kIpGroup,   // the same to a group or broadcast address: output chain, and out by out_if
  kIpInput,   // an IPv4 packet that was held, as if it came from in_if again
};

/// In the private area of a mbuf that crosses a ring.
struct PacketMessage {
  PuntReason reason = PuntReason::kLocal;
  InjectKind kind = InjectKind::kFrame;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  IfIndex in_if = kNoIf;  // kNoIf: the router itself sent it
  IfIndex out_if =
      kNoIf;         // punt kNeighbour: where it would leave; inject: see InjectKind; punt
                     // kArp, kDhcp: the bridge macvlan that sent it (kNoIf: it came from the wire)
  uint16_t mtu = 0;  // ICMP fragmentation needed
  bool related = false;    // inject kIpOutput: passes so; punt kLocal: an error of a connection
  bool broadcast = false;  // punt: the frame or packet was not unicast
  be32 next_hop{};         // punt kNeighbour; kIcmpError: the gateway of a redirect
  uint8_t worker = 0;      // punt: whose it was (set by punt()); inject: whose it shall be
  uint8_t priority = 0;    // inject kFrame: of the VLAN tags it gets (802.1Q PCP)
};

inline constexpr uint16_t kPrivateSize = 64;
static_assert(sizeof(PacketMessage) <= kPrivateSize);

[[nodiscard]] inline PacketMessage& message_of(rte_mbuf* m) noexcept {
  return *static_cast<PacketMessage*>(rte_mbuf_to_priv(m));
}

/// Events without a packet. 64 bytes, the element size of the event ring.
struct Event {
  enum class Kind : uint8_t { kNeighbourUsed, kLog } kind = Kind::kLog;
  // kNeighbourUsed: a stale neighbour carries traffic
  // kLog: a rule with action=log or log=yes matched (behaviour.md B-15)
  uint8_t tcp_flags = 0;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  IfIndex in_if = kNoIf;
  IfIndex out_if = kNoIf;  // also the neighbour's interface
  be32 address{};          // the neighbour's
  Tuple tuple{};
  uint16_t length = 0;
  uint16_t chain = 0;       // index into RuleSet::chains
  uint16_t log_prefix = 0;  // index into RuleSet::log_prefixes
  ConnState state = ConnState::kNew;
  RuleTable table = RuleTable::kFilter;
  uint32_t generation = 0;  // the snapshot those indices belong to
  MacAddr src_mac{};
  // What the packet's translation makes of it: its destination before, its source after.
  be32 before_dst{}, after_src{};
  be16 before_dport{}, after_sport{};
  uint8_t padding[4] = {};
};
static_assert(sizeof(Event) == 64);

/// Control to worker: what only the session's owner may do. 16 bytes.
struct Request {
  enum class Kind : uint8_t {
    kRemoveSession,
    kFlushSessions,
    kPurgeMasquerade,  // what was masqueraded as an address that is gone, or its interface down
  } kind = Kind::kRemoveSession;
  uint8_t padding[3] = {};
  uint32_t session = 0;
  uint32_t sequence = 0;  // at the time of looking: guards against a slot that was reused
  uint32_t reserved = 0;
};
static_assert(sizeof(Request) == 16);

}  // namespace maclane
