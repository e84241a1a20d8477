// A router in plain words, to fuzz the real one against: rules asked one after another for every
// packet, connections in a list that is searched, states and timers as B-16 to B-22 say. It shares
// nothing with the dataplane but names, caches nothing and is slow.
//
// Where several outcomes are right it asks what the real one did (Real), and says in `wrong` if
// that is none of them.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/table/rules.h"
#include "dataplane/table/session_types.h"

namespace maclane::test {

/// What rules ask of a packet. Each matcher says a range of one of them, or a mask.
enum class Field : uint8_t {
  kInIf,
  kOutIf,
  kSrc,
  kDst,
  kProto,
  kDstPort,  // with kProto of UDP or TCP beside it
  kState,    // a mask of ConnState
  kNat,      // a mask of RuleKey::Nat
  kConnectionMark,
  kPacketMark,
  kSize,
  kTtl,
  kDscp,
  kSyn,  // 1: TCP with SYN and without ACK
};
struct Matcher {
  Field field;
  bool negated = false;
  uint32_t first = 0, last = 0;
};
struct PlainRule {
  std::vector<Matcher> matchers;
  Action action = Action::kAccept;
  uint32_t slot = 0;   // its counter
  uint32_t value = 0;  // the new mark, TTL or DSCP
  RuleMore::Ttl ttl = RuleMore::Ttl::kSet;
  bool passthrough = true;
  uint32_t to_address = 0;
  uint16_t to_port = 0;
};
using PlainChain = std::vector<PlainRule>;

struct PlainRules {
  PlainChain raw, mangle_prerouting, mangle_forward, mangle_postrouting;
  PlainChain filter, filter_sub;  // kJump leads from the one to the other
  PlainChain dstnat, srcnat;
};

/// A tuple in host order; of an echo the port on the asker's side is its id, the other its type.
struct Flow {
  uint8_t proto = 0;
  uint32_t src = 0, dst = 0;
  uint16_t sport = 0, dport = 0;
  auto operator<=>(const Flow&) const = default;
  [[nodiscard]] Flow reversed() const { return {proto, dst, src, dport, sport}; }
};

struct PlainPacket {
  IfIndex in_if = 0;
  Flow flow;
  uint16_t size = 0;  // IPv4's total length
  uint8_t ttl = 64;
  uint8_t dscp = 0;
  uint8_t tcp_flags = 0;
  enum class Sense : uint8_t {
    kFits,
    kForeign,   // its numbers, flags or checksum make it no part of its connection
    kDoubtful,  // a reset inside the window that is not the exact one (RFC 5961 3.2)
  } sense = Sense::kFits;
  bool opens = true;           // false: a reply by itself, as an echo reply is
  std::optional<Flow> quoted;  // an ICMP error about a packet that was seen as this
};

struct PlainConnection {
  Flow original, reply;  // as packets of each direction arrive
  bool seen_reply = false, assured = false, fast_tracked = false, masqueraded = false;
  bool ends = false;  // with the packet at hand
  uint32_t mark = 0;
  TcpState state = TcpState::kNone;
  TimeoutClass waits = TimeoutClass::kGeneric;
  uint32_t last_seen = 0, created = 0, stream_from = 0;
  uint64_t packets[2] = {}, bytes[2] = {};
};

class PlainRouter {
 public:
  struct Counter {
    uint64_t packets = 0, bytes = 0;
    bool operator==(const Counter&) const = default;
  };
  struct Outcome {
    bool sent = false;
    IfIndex out_if = 0;
    Flow flow;  // as it leaves
    uint8_t ttl = 0, dscp = 0;
    std::optional<Flow> quoted;  // what an ICMP error quotes when it leaves
    bool tracked = false;        // its connection, if any, knows of it
    ConnState state = ConnState::kNew;
  };
  /// What the real router did, asked after the packet.
  struct Real {
    std::function<bool(const Flow& original)> stands;
    std::function<uint16_t(const Flow& original)> source_port;  // as the outside sees it
  };

  PlainRouter(const Timeouts& timeouts, Real real) : timeouts_(timeouts), real_(std::move(real)) {}

  /// What becomes of a packet.
  Outcome take(const PlainPacket& packet, uint32_t now_cs);
  /// Time has passed: connections whose time is over are gone.
  void pass(uint32_t now_cs);
  PlainConnection* find(const Flow& flow, uint8_t* direction = nullptr);
  [[nodiscard]] uint8_t nat_of(const PlainConnection& c) const;
  [[nodiscard]] static bool is_assured(const PlainConnection& c);

  PlainRules rules;
  std::list<PlainConnection> connections;
  std::map<uint32_t, Counter> counters;  // by slot
  uint32_t fast_track_slot = 0;
  uint32_t limit = 1u << 30;  // of connections
  uint32_t outer = 0;         // the address of the interface outside
  std::map<IfIndex, bool> down;
  bool loose = true;
  uint32_t timeouts_changed = 0;  // when
  std::string wrong;              // what the real one did and should not have; empty: nothing

 private:
  struct Seen;
  using Hits = std::vector<uint32_t>;
  enum class Walk : uint8_t { kEnd, kReturned, kDecided };
  Walk walk(const PlainChain& chain, Seen& seen, Hits& hits, const PlainRule** decided);
  /// Nobody decided: nullptr.
  const PlainRule* ask(const PlainChain& chain, Seen& seen, Hits& hits);
  void count(Hits& hits, uint32_t bytes);
  ConnState track(const PlainPacket& p, PlainConnection*& c, uint8_t direction, uint32_t now);
  ConnState track_tcp(const PlainPacket& p, PlainConnection*& c, uint8_t direction, bool& refresh);
  [[nodiscard]] ConnState opening(const PlainPacket& p) const;
  PlainConnection* open(const PlainPacket& p, const Flow& post, const Seen& seen, Hits& hits,
                        uint32_t now);
  bool make_room();
  [[nodiscard]] bool is_free(const Flow& reply) const;
  [[nodiscard]] TimeoutClass effective(const PlainConnection& c) const;
  void forget(const PlainConnection* c);
  void blame(const PlainConnection& c, const char* what);

  const Timeouts& timeouts_;
  Real real_;
};

}  // namespace maclane::test
