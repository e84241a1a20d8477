// Firewall rules: the walk of a chain for one packet (behaviour.md B-4 to B-6, B-11, B-28). It
// fills a record and changes the key's marks; what counts, remembers or touches the packet is only
// noted in the record, and done when it is settled what becomes of the packet (stage/effects.h).
// Worker thread; control on a snapshot for itself, without facts.
#pragma once

#include "dataplane/net/wire.h"
#include "dataplane/snapshot.h"
#include "dataplane/stage/payload.h"
#include "dataplane/stage/walk.h"
#include "dataplane/table/nat_ports.h"
#include "dataplane/table/session_notes.h"
#include "dataplane/table/shared_tables.h"

namespace maclane {

/// What the rules that few have may ask beside the key: the packet itself, its connection, and what
/// is remembered. Without them such a rule does not match.
struct PacketFacts {
  Bytes bytes;    // of the packet from its IP header on, as far as they lie together
  Bytes payload;  // of TCP, UDP ...: behind their header
  uint16_t length = 0;
  uint8_t tcp_flags = 0;
  bool fragment = false;  // where nothing is tracked; else fragments are put together first (B-12)
  MacAddr src_mac;
  IfIndex in_if = kNoIf;  // where it came in
  Now now;
  const Snapshot* snapshot = nullptr;
  const Session* session = nullptr;
  SessionNote* note = nullptr;  // the session's
  uint32_t owner = 0;           // tells it from those that had its number before; never 0
  SharedTables* shared = nullptr;
  Random* random = nullptr;

  [[nodiscard]] bool is_syn() const noexcept {
    return (tcp_flags & (kTcpSyn | kTcpRst)) == kTcpSyn;
  }
};

/// What rules look at. Addresses in host order: the source before source translation, the
/// destination after destination translation (B-2). Rules of mangle change marks, TTL and DSCP here
/// for those after them.
struct RuleKey {
  enum Nat : uint8_t { kSrcNat = 1, kDstNat = 2, kEndpointSrcNat = 4, kEndpointDstNat = 8 };
  uint32_t src = 0;
  uint32_t dst = 0;
  uint16_t sport = 0;
  uint16_t dport = 0;
  uint8_t proto = 0;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  ConnState state = ConnState::kNew;
  uint8_t nat = 0;
  uint8_t helper = 0;      // connection-type, as a number; 0: none
  IfIndex in_if = kNoIf;   // kNoIf: the router itself
  IfIndex out_if = kNoIf;  // kNoIf: to the router
  IfIndex as_if = kNoIf;   // hairpin by a mapping: srcnat sees the packet leave there
  uint8_t ttl = 64;
  uint8_t dscp = 0;
  uint8_t priority = 0;          // what mangle gave it, else what its VLAN tag had
  uint8_t ingress_priority = 0;  // what its VLAN tag had
  uint32_t connection_mark = 0;
  uint32_t packet_mark = 0;
  uint32_t routing_mark = 0;
  const PacketFacts* facts = nullptr;
};

/// Walks `chain` (RuleSet::kNoChain: nothing to walk), adds the matched rules to the record and
/// sets its verdict; the same whether chains are indexed or not. record.holds says at most what it
/// said before.
void walk_chain(const RuleSet* set, uint16_t chain, RuleTable table, RuleKey& key,
                WalkRecord& record) noexcept;

}  // namespace maclane
