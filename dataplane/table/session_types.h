// What the session table keeps of a connection, and where it lies.
//
// A session is three lines. The two of Session are all that a packet of an established connection
// touches: both tuples, everything decided about them, counters, and the TCP windows, which must be
// looked at for each packet. SessionSide is the rest: where it waits to expire, and what only
// packets that change something ask for. Sides are an array of their own, parallel to the sessions.
//
// The owning worker is the only writer. Layouts are asserted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/net/wire.h"
#include "dataplane/table/neighbour.h"

namespace maclane {

struct Tuple {
  be32 src;
  be32 dst;
  be16 sport;  // ICMP queries: the id on the asker's side, the type on the other
  be16 dport;
  uint8_t proto = 0;
  friend bool operator==(const Tuple&, const Tuple&) noexcept = default;
  [[nodiscard]] Tuple reversed() const noexcept { return {dst, src, dport, sport, proto}; }
};

/// Whether the ports of a tuple are ports that rules and NAT may speak of. Those of SCTP, DCCP and
/// UDP-lite can be left unread (Snapshot::portless): both are 0 then.
[[nodiscard]] constexpr bool has_ports(const Tuple& t) noexcept {
  if (t.proto == kProtoTcp || t.proto == kProtoUdp) return true;
  return (t.proto == kProtoSctp || t.proto == kProtoDccp || t.proto == kProtoUdpLite) &&
         (t.sport.raw | t.dport.raw) != 0;
}

enum Direction : uint8_t { kOriginal = 0, kReply = 1 };
[[nodiscard]] constexpr uint8_t opposite(uint8_t direction) noexcept {
  return direction == kOriginal ? kReply : kOriginal;
}

/// conntrack's TCP states as RouterOS names them (behaviour.md B-23), then the other protocols.
enum class TcpState : uint8_t {
  kNone,
  kSynSent,
  kSynRecv,
  kEstablished,
  kFinWait,
  kCloseWait,
  kLastAck,
  kTimeWait,
  kClose,
  kSynSent2,  // simultaneous open
};

/// Timeout classes: an expiry queue each; the times come from the snapshot (B-18).
enum class TimeoutClass : uint8_t {
  kTcpSynSent,
  kTcpSynReceived,
  kTcpEstablished,
  kTcpFinWait,
  kTcpCloseWait,
  kTcpLastAck,
  kTcpTimeWait,
  kTcpClose,
  kTcpMaxRetrans,
  kTcpUnacked,
  kUdp,
  kUdpStream,
  kIcmp,
  kGeneric,
  kGre,
  kGreStream,
  kSip,
  kCount,
};
inline constexpr unsigned kTimeoutClasses = static_cast<unsigned>(TimeoutClass::kCount);
using Timeouts = std::array<uint32_t, kTimeoutClasses>;  // centiseconds, by TimeoutClass

/// The state of a packet against its connection (B-16).
enum class ConnState : uint8_t {
  kNew = 0,
  kEstablished = 1,
  kRelated = 2,
  kInvalid = 3,
  kUntracked = 4
};

/// Who looks into the packets of a connection that opens others (dataplane/helper, B-24).
enum class Helper : uint8_t { kNone, kFtp, kTftp, kSip, kPptp };

/// What TCP window tracking knows of the sender of one direction (stage/tcp_window.h, B-21).
struct TcpWindow {
  uint32_t end = 0;         // behind the last byte it sent
  uint32_t max_end = 0;     // behind the last byte that its peer said it takes
  uint32_t max_window = 0;  // the largest window it offered; 0: nothing was seen of it
  uint32_t max_ack = 0;     // the furthest it acknowledged
};

/// One direction of a session: the tuple its packets arrive with and, while `generation` is the
/// worker's, everything decided about them.
struct Leg {
  static constexpr uint8_t kUnsteady = 0xff;
  be32 src;
  be32 dst;
  be16 sport;
  be16 dport;
  uint32_t generation = 0;  // Worker::generation when it was judged; 0: it was not
  uint64_t bytes = 0;
  uint32_t packets = 0;  // the lower half: SessionTable::packets()
  NeighbourRef neighbour = kNoNeighbour;
  IfIndex in_if = kNoIf;
  IfIndex out_if = kNoIf;  // kIfLocal: for the router
  uint16_t walk = 0;       // index into the worker's walk table: verdict and rules to count
  ConnState walk_state : 4 = ConnState::kNew;
  uint8_t scale : 4 = 0;  // TCP: of the windows it offers (RFC 7323)
  /// The TCP flags (of FIN, SYN, RST and ACK; 0 for other protocols) of packets that change nothing
  /// but counters, last_seen and windows; kUnsteady: every packet has to be looked at.
  uint8_t steady_flags = kUnsteady;
  TcpWindow window;
};
static_assert(sizeof(Leg) == 56 && offsetof(Leg, window) == 40);

struct alignas(128) Session {
  enum Flag : uint16_t {
    kUsed = 1,
    kSeenReply = 2,
    kAssured = 4,  // see is_assured()
    kSrcNat = 8,
    kDstNat = 16,
    kMasquerade = 32,
    kDying = 64,         // goes when the packet at hand is through
    kClaimed = 128,      // a tuple of it is claimed at another worker (worker/claim.h)
    kFastTracked = 256,  // action=fasttrack-connection: its packets pass no rules any more
    kCounted = 512,      // a connection-limit counts it
    kHelped = 1024,     // a helper looks into its packets: it has a record (table/helper_records.h)
    kExpected = 2048,   // a helper said that it would come
    kSrcMapped = 4096,  // holds the mapping of its source (table/mappings.h)
    kDstMapped = 8192,  // came to a mapping's outer port; holds that once it was answered
    // Whoever listens hears of its release (SessionTable::on_release).
    kTold = kCounted | kHelped | kSrcMapped | kDstMapped,
    // Released, it keeps its slot until the worker has put in order what hangs on it
    // (SessionTable::parked).
    kParks = kClaimed,
  };
  // line 0
  Leg original;
  uint32_t last_seen_cs = 0;
  uint8_t proto = 0;
  TcpState tcp_state = TcpState::kNone;
  uint16_t flags = 0;
  // line 1
  Leg reply;
  // The original direction's rewrite as RFC 1624 deltas; the replies' is the complement.
  uint16_t l3_delta = 0;  // of the addresses, for the IPv4 header checksum
  uint16_t l4_delta = 0;  // for the L4 checksum, ports included
  uint32_t mark = 0;      // connection-mark, as a number; 0: no-mark

  [[nodiscard]] Leg& leg(uint8_t direction) noexcept {
    return direction == kOriginal ? original : reply;
  }
  [[nodiscard]] const Leg& leg(uint8_t direction) const noexcept {
    return direction == kOriginal ? original : reply;
  }
  [[nodiscard]] bool has(Flag f) const noexcept { return (flags & f) != 0; }
  void set(Flag f) noexcept { flags = static_cast<uint16_t>(flags | f); }
  /// Whether packets are rewritten.
  [[nodiscard]] bool translated() const noexcept { return (flags & (kSrcNat | kDstNat)) != 0; }
  /// The deltas of a direction's packets (0xffff is as good as 0).
  [[nodiscard]] uint16_t l3(uint8_t direction) const noexcept {
    return static_cast<uint16_t>(l3_delta ^ (direction == kOriginal ? 0 : 0xffff));
  }
  [[nodiscard]] uint16_t l4(uint8_t direction) const noexcept {
    return static_cast<uint16_t>(l4_delta ^ (direction == kOriginal ? 0 : 0xffff));
  }
  /// Whether packets with this tuple are of this direction of the session.
  [[nodiscard]] bool is(uint8_t direction, const Tuple& t) const noexcept {
    return std::memcmp(&leg(direction), &t, 12) == 0 && proto == t.proto;
  }
  /// What a packet changed may change what the next one means.
  void unsettle() noexcept { original.steady_flags = reply.steady_flags = Leg::kUnsteady; }
  [[nodiscard]] Tuple tuple(uint8_t direction) const noexcept {
    const Leg& l = leg(direction);
    return {l.src, l.dst, l.sport, l.dport, proto};
  }
};
static_assert(sizeof(Session) == 128 && offsetof(Session, reply) == 64);

/// What TCP tracking remembers beside the windows: of packets that were let through without
/// believing them, and of repetitions (stage/tcp_track.h).
struct TcpMemory {
  enum Flag : uint8_t {  // by direction
    kSackPermitted = 1,
    kScaleOffered = 2,
    kLiberal = 4,      // its beginning was not seen: numbers are followed, not judged
    kClosedFirst = 8,  // it sent the first FIN
    kHasAcked = 16,    // TcpWindow::max_ack is set
  };
  enum Note : uint8_t {
    kChallenge = 1,     // a SYN was let through in last-ack: what answers it is no ACK of the FIN
    kSimultaneous = 2,  // both sides sent a SYN
    kNotedSack = 4,     // the SYN that was let through permits SACK
    kNotedScale = 8,    // and offers scaling
  };
  uint32_t seq = 0;  // of the packet noted last
  uint32_t ack = 0;
  uint32_t end = 0;
  uint32_t progress = 0;  // sum of both windows' ends and ACKs then: it grows with each packet
  uint16_t window = 0;
  uint8_t input = 0;      // what that packet was (tcp_track)
  uint8_t direction = 0;  // and whose
  std::array<uint8_t, 2> flags{};
  uint8_t notes = 0;
  uint8_t scale : 4 = 0;    // that a noted SYN offers
  uint8_t repeats : 4 = 0;  // of the last packet, one after another
};
static_assert(sizeof(TcpMemory) == 24);

struct alignas(64) SessionSide {
  uint32_t queued_at_cs = 0;
  uint32_t next = 0;
  uint32_t prev = 0;
  std::atomic<uint32_t> sequence{0};  // odd while being created or released; see copy()
  uint32_t created_cs = 0;
  TimeoutClass timeout_class = TimeoutClass::kGeneric;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  Helper helper = Helper::kNone;           // its own, or of who announced it (kExpected)
  std::array<uint16_t, 2> packets_high{};  // what does not fit Leg::packets
  uint32_t stream_from_cs = 0;             // UDP, once answered: packets from then on make a stream
  TcpMemory tcp;
  uint32_t reserved2 = 0;

  SessionSide() = default;
  /// Without its place in any list.
  SessionSide(const SessionSide& o) noexcept
      : created_cs(o.created_cs),
        timeout_class(o.timeout_class),
        icmp_type(o.icmp_type),
        icmp_code(o.icmp_code),
        helper(o.helper),
        packets_high(o.packets_high),
        stream_from_cs(o.stream_from_cs),
        tcp(o.tcp) {}
  SessionSide& operator=(const SessionSide&) = delete;
};
static_assert(sizeof(SessionSide) == 64 && offsetof(SessionSide, sequence) == 12);

/// UDP becomes a stream by packets that nobody looks at: whether it is one shows when it matters.
[[nodiscard]] inline bool is_udp_stream(const Session& s, const SessionSide& side) noexcept {
  return side.timeout_class == TimeoutClass::kUdp && s.has(Session::kSeenReply) &&
         static_cast<int32_t>(s.last_seen_cs - side.stream_from_cs) >= 0;
}
/// Never given up for another connection (B-22).
[[nodiscard]] inline bool is_assured(const Session& s, const SessionSide& side) noexcept {
  return s.has(Session::kAssured) || is_udp_stream(s, side);
}
/// TCP: something was sent that the peer, which has acknowledged before, did not acknowledge.
[[nodiscard]] inline bool is_unacknowledged(const Session& s, const SessionSide& side) noexcept {
  for (const uint8_t dir : {kOriginal, kReply}) {
    const uint8_t peer = opposite(dir);
    if ((side.tcp.flags[peer] & TcpMemory::kHasAcked) != 0 &&
        static_cast<int32_t>(s.leg(dir).window.end - s.leg(peer).window.max_ack) > 0) {
      return true;
    }
  }
  return false;
}
/// The class whose timeout holds for a session, which may wait in a shorter one's queue: the fast
/// path changes neither. Only what is found waiting there too long moves on.
[[nodiscard]] inline TimeoutClass effective_class(const Session& s,
                                                  const SessionSide& side) noexcept {
  if (is_udp_stream(s, side)) return TimeoutClass::kUdpStream;
  if (side.timeout_class == TimeoutClass::kTcpUnacked && s.has(Session::kSeenReply) &&
      s.tcp_state == TcpState::kEstablished && !is_unacknowledged(s, side)) {
    return TimeoutClass::kTcpEstablished;
  }
  return side.timeout_class;
}

}  // namespace maclane
