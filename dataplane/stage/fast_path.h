// The fast path: packets about which everything is decided. Those of established connections, whose
// leg holds verdict, translation, egress and neighbour; and, where nothing is tracked or filtered,
// those that only need a route. It never decides anything itself: what it will not take goes the
// ordinary way, in its place among the others, so that no flow is reordered.
//
// Inline, and made for one loop: one FastPath lives as long as a burst. What several packets of a
// burst have in common (next hop, walk, egress) is looked up and counted once. Worker thread only.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/net/checksum.h"
#include "dataplane/stage/conntrack.h"
#include "dataplane/stage/pppoe.h"
#include "dataplane/worker/packet.h"

namespace maclane {

/// A way out: the finished header and where to put the frame.
struct Way {
  IfIndex out_if = kNoIf;
  uint16_t port = kNoPort;  // index into Snapshot::ports; kNoPort: the ordinary way only
  uint16_t mtu = 0;
  uint16_t header_bytes = sizeof(EtherHdr);
  TxBuffer* buffer = nullptr;  // of the port
  PppoeHead header{};          // the last header_bytes of it; without PPPoE's length
};

/// The way to `dst` on `out_if`, if it is a wire without tags: what l2_send() would come to for an
/// IPv4 frame of the router (stage/demux_table.h). Else port is kNoPort.
[[nodiscard]] Way find_way(Worker& w, IfIndex out_if, const MacAddr& dst) noexcept;
/// The same through a PPPoE session.
[[nodiscard]] Way find_session_way(Worker& w, IfIndex session) noexcept;

class FastPath {
 public:
  explicit FastPath(Worker& w) noexcept : w_(w), snapshot_(*w.snapshot) {}
  ~FastPath() { count_walk(); }
  FastPath(const FastPath&) = delete;
  FastPath& operator=(const FastPath&) = delete;

  /// Packet i by its session's leg. True: it is on its way.
  [[nodiscard]] bool established(Burst& b, unsigned i) noexcept {
    // A later fragment has no ports to translate.
    if (b.session[i] == SessionTable::kNone || b.l4[i] == nullptr || b.mbuf[i]->nb_segs != 1)
      return false;
    Session& s = w_.sessions.at(b.session[i]);
    const uint8_t direction = b.direction[i];
    Leg& leg = s.leg(direction);
    if (leg.generation != w_.generation || leg.in_if != b.in_if[i] ||
        (b.flags[i] & ~L3Queue::kHandedOver) != 0 ||
        (b.tcp_flags[i] & kTcpStateFlags) != leg.steady_flags || !s.is(direction, b.tuple[i])) {
      return false;
    }
    Leg& other = s.leg(opposite(direction));
    Ip4Hdr& ip = *b.ip[i];
    const uint16_t length = b.length[i];
    const bool tcp = leg.steady_flags != 0;
    // A packet that goes the ordinary way after this is only seen once more by the windows.
    if (tcp && !window_follows(leg, other, *reinterpret_cast<const TcpHdr*>(b.l4[i]),
                               length - ip.header_length())) {
      return false;
    }
    if (leg.neighbour != way_of_ && !take_way(leg)) return false;
    if (way_.out_if != leg.out_if || ip.ttl <= 1 || length > way_.mtu) return false;
    s.last_seen_cs = w_.now.cs;
    w_.sessions.count(leg, b.session[i], direction, length);
    if (leg.walk != walk_) {
      count_walk();
      walk_ = leg.walk;
    }
    walk_packets_ += 1;
    walk_bytes_ += length;

    uint32_t delta = kTtlDelta;
    if (s.translated()) {
      delta += s.l3(direction);
      ip.src = other.dst;
      ip.dst = other.src;
      auto* ports = reinterpret_cast<UdpHdr*>(b.l4[i]);  // where TCP has them as well
      ports->sport = other.dport;
      ports->dport = other.sport;
      if (tcp) {
        be16& sum = reinterpret_cast<TcpHdr*>(b.l4[i])->checksum;
        sum = apply_delta(sum, s.l4(direction));
      } else {
        ports->checksum = udp_apply_delta(ports->checksum, s.l4(direction));
      }
    }
    --ip.ttl;
    const uint32_t sum = static_cast<uint16_t>(~ip.checksum.raw);
    ip.checksum.raw = static_cast<uint16_t>(~fold(sum + delta));
    send(b, i);
    return true;
  }

  /// Packet i by its route alone, `next_hop` an index into Snapshot::next_hops. One that leaves
  /// where it came in goes the ordinary way: its sender may be told of a shorter one.
  [[nodiscard]] bool routed(Burst& b, unsigned i, uint16_t next_hop) noexcept {
    if (next_hop == 0 || (b.flags[i] & ~L3Queue::kHandedOver) != 0 ||
        b.tuple[i].dst.host() >= 0xe0000000u || b.mbuf[i]->nb_segs != 1) {
      return false;
    }
    if (next_hop != next_hop_ && !take_way(next_hop, b.tuple[i].dst)) return false;
    Ip4Hdr& ip = *b.ip[i];
    if (ip.ttl <= 1 || b.length[i] > way_.mtu || way_.out_if == b.in_if[i]) return false;
    --ip.ttl;
    const uint32_t sum = static_cast<uint16_t>(~ip.checksum.raw);
    ip.checksum.raw = static_cast<uint16_t>(~fold(sum + kTtlDelta));
    send(b, i);
    return true;
  }

 private:
  /// What one less in the TTL adds to the header's sum.
  static constexpr uint32_t kTtlDelta = delta16(be16::from(0x0100), be16::from(0));

  void send(Burst& b, unsigned i) noexcept {
    rte_mbuf* m = b.mbuf[i];
    b.mbuf[i] = nullptr;
    auto* const ip = reinterpret_cast<uint8_t*>(b.ip[i]);
    constexpr unsigned kPlain = sizeof(EtherHdr);
    if (way_.header_bytes == kPlain) {
      std::memcpy(ip - kPlain, way_.header.data() + kPppoeOverhead - kPlain, kPlain);
    } else {
      std::memcpy(ip - kPppoeOverhead, way_.header.data(), kPppoeOverhead);
      set_pppoe_length(ip, b.length[i]);
    }
    const auto bytes = static_cast<uint16_t>(b.length[i] + way_.header_bytes);
    m->data_off = static_cast<uint16_t>(m->data_off - way_.header_bytes);
    m->data_len = bytes;
    m->pkt_len = bytes;
    TxBuffer& buffer = *way_.buffer;
    const uint16_t at = buffer.count;
    buffer.packets[at] = m;
    buffer.from[at] = way_.out_if;
    buffer.bytes[at] = bytes;
    buffer.count = static_cast<uint16_t>(at + 1);
    if (at + 1 == kBurst) flush_port(w_, way_.port);
  }

  [[nodiscard]] static bool ready(NeighState state) noexcept {
    return state == NeighState::kReachable || state == NeighState::kPermanent ||
           state == NeighState::kProbe;
  }
  [[nodiscard]] bool take_way(const Leg& leg) noexcept {
    if (leg.out_if == kIfLocal) return false;
    if (is_point_to_point(leg.neighbour)) return take_session_way(leg.out_if);
    const Neighbour n = w_.neighbours.get(leg.neighbour);
    if (!ready(n.state)) return false;
    const Way way = find_way(w_, leg.out_if, n.mac);
    if (way.port == kNoPort) return false;
    way_ = way;
    way_of_ = leg.neighbour;
    return true;
  }
  [[nodiscard]] bool take_session_way(IfIndex session) noexcept {
    const Way way = find_session_way(w_, session);
    if (way.port == kNoPort) return false;
    way_ = way;
    way_of_ = point_to_point(session);
    return true;
  }
  [[nodiscard]] bool take_way(uint16_t next_hop, be32 dst) noexcept {
    const NextHop& hop = snapshot_.next_hops[next_hop];
    const bool gateway = hop.kind == NextHop::Kind::kGateway;
    if ((!gateway && hop.kind != NextHop::Kind::kConnected) || !hop.alternatives.empty())
      return false;
    if (snapshot_.interfaces[hop.out_if].kind == IfKind::kPppoe) {
      if (!take_session_way(hop.out_if)) return false;
      next_hop_ = next_hop;
      return true;
    }
    const Neighbour n = w_.neighbours.find(hop.out_if, gateway ? hop.gateway : dst);
    if (!ready(n.state)) return false;
    const Way way = find_way(w_, hop.out_if, n.mac);
    if (way.port == kNoPort) return false;
    way_ = way;
    way_of_ = n.ref;
    next_hop_ = gateway ? next_hop : uint16_t{0};  // a connected route has many neighbours
    return true;
  }
  void count_walk() noexcept {
    if (walk_packets_ != 0) w_.walks.count(walk_, walk_packets_, walk_bytes_);
    walk_packets_ = 0;
    walk_bytes_ = 0;
  }

  Worker& w_;
  const Snapshot& snapshot_;
  Way way_;
  NeighbourRef way_of_ = kNoNeighbour;  // whose way_ is
  uint16_t next_hop_ = 0;  // the gateway or session that way_ leads to; 0: none, or a neighbour
  uint16_t walk_ = WalkTable::kNone;
  uint32_t walk_packets_ = 0;
  uint64_t walk_bytes_ = 0;
};

}  // namespace maclane
