// The snapshot: everything control decides and workers follow, in one immutable object.
//
// Control compiles the tree and what it has learned (link states, leases) into a Snapshot,
// publishes it with one atomic store (Dataplane::publish), and frees the one before when every
// worker has been quiescent since. A worker loads the pointer once per burst. Parts that did not
// change are shared between snapshots. Mutable state (sessions, neighbours, multicast filters,
// counters) is elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/net/types.h"
#include "dataplane/table/fib4.h"
#include "dataplane/table/mac_table.h"
#include "dataplane/table/session.h"

namespace maclane {

class RuleIndex;

enum class IfKind : uint8_t { kNone, kEthernet, kMacvlan, kVlan, kPppoe };
enum class VportMode : uint8_t { kBridge, kPrivate };

struct VlanTag {
  uint16_t tpid = 0;  // host order
  uint16_t vid = 0;
};

inline constexpr uint16_t kNoDomain = 0xffff;

struct Interface {
  IfKind kind = IfKind::kNone;  // kNone: the slot is free
  VportMode mode = VportMode::kBridge;
  bool up = false;        // enabled, and so is everything below it, and the link is up
  bool arp = true;        // arp=enabled
  bool attached = false;  // a macvlan whose traffic belongs to a kernel device, not to our L3
  bool multicast_all = false;
  bool dhcp = false;               // a DHCP client: replies for it go to control, not to L3
  bool pppoe = false;              // PPPoE clients stand on it: their control frames go to control
  IfIndex parent = kNoIf;          // macvlan, vlan, pppoe: the interface it stands on
  uint16_t port = kNoPort;         // index into Snapshot::ports: the wire below
  uint16_t attach_port = kNoPort;  // attached: the port of its kernel device
  uint16_t domain = kNoDomain;     // the L2 domain it stands in; an ethernet's or vlan's own
  uint16_t mtu = 1500;
  uint8_t tag_count = 0;  // tags pushed on the way to the wire, outermost first
  std::array<VlanTag, 2> tags{};
  MacAddr mac;
  be32 primary_address{};  // 0: none
  // pppoe; without a session it is up only to dial on demand: what it would send waits with control
  be16 pppoe_session{};
  MacAddr pppoe_peer;
};

/// What of an Interface every arriving frame asks for: four bytes, so that those of a thousand
/// vports stay in the first cache.
struct Arrival {
  uint16_t attach_port = kNoPort;  // kNoPort: for the router
  bool up = false;
  bool macvlan : 1 = false;
  bool dhcp : 1 = false;
};
static_assert(sizeof(Arrival) == 4);

/// What shares a wire segment: an ethernet's untagged frames, or one VLAN of it, with the macvlans
/// on top. `parent` answers for its own MAC; macvlans are in `macs` only while they are up.
struct Domain {
  IfIndex parent = kNoIf;
  uint16_t port = kNoPort;
  bool has_bridge_vports = false;      // any bridge macvlan up: senders must look for siblings
  MacTable macs;                       // parent and up macvlans
  std::vector<IfIndex> vports;         // up macvlans: who hears a broadcast from the wire
  std::vector<IfIndex> bridge_vports;  // of them the bridge ones: who hears a bridge sibling
  struct Vlan {
    VlanTag tag;
    uint16_t domain = kNoDomain;
  };
  std::vector<Vlan> vlans;  // VLAN interfaces on the parent
};

/// An ethdev as the workers use it.
struct Port {
  uint16_t ethdev = 0xffff;
  bool attachment = false;           // frames come from a vport's kernel device, not from a wire
  bool multi_segment = false;        // can send chained and indirect buffers
  uint16_t tx_queues = kMaxWorkers;  // queue q is worker q's; a worker without one hands over
  IfIndex interface = kNoIf;         // the ethernet, or the attached macvlan
  uint16_t domain = kNoDomain;       // where its untagged frames belong
};

struct RxQueue {
  uint16_t port = kNoPort;  // index into Snapshot::ports
  uint16_t queue = 0;
};

struct NextHop {
  enum class Kind : uint8_t {
    kNone,
    kLocal,
    kConnected,
    kGateway,
    kBroadcast,
    kBlackhole,
    kProhibit,
    kUnreachable,
  };
  Kind kind = Kind::kNone;
  IfIndex out_if = kNoIf;  // kLocal: the interface that owns the address
  be32 gateway{};          // kGateway
  be32 pref_src{};         // source for what the router itself sends; 0: the interface's primary
  /// More than one way: these indices of Snapshot::next_hops, this one included (equal-cost routes,
  /// one subnet on several interfaces). Traffic whose source one of them owns leaves by that one.
  std::vector<uint16_t> alternatives;
};

/// Firewall rules, compiled. Chains are spans of `rules`; evaluation is in stage/filter.
struct AddressRange {
  uint32_t first = 0;  // host order, inclusive
  uint32_t last = 0;
};
/// Sorted, disjoint; membership by binary search.
using AddressSet = std::vector<AddressRange>;
[[nodiscard]] bool contains(const AddressSet& set, uint32_t address) noexcept;

using InterfaceSet = std::array<uint64_t, kMaxInterfaces / 64>;
[[nodiscard]] inline bool contains(const InterfaceSet& set, IfIndex i) noexcept {
  return i < kMaxInterfaces && ((set[i >> 6] >> (i & 63)) & 1) != 0;
}

enum class Action : uint8_t {
  kAccept,
  kDrop,
  kReject,
  kJump,
  kReturn,
  kLog,
  kPassthrough,
  kMasquerade,
  kSrcNat,
  kDstNat,
  kRedirect,
};
enum class RejectWith : uint8_t {
  kNetUnreachable,
  kHostUnreachable,
  kProtocolUnreachable,
  kPortUnreachable,
  kNetProhibited,
  kHostProhibited,
  kAdminProhibited,
  kTcpReset,
};

struct Rule {
  /// What the rule looks at; a bit not set is "any". The same bit in `negate` turns the matcher
  /// round.
  enum Match : uint16_t {
    kInInterface = 1,
    kOutInterface = 2,
    kInList = 4,
    kOutList = 8,
    kSrc = 16,
    kDst = 32,
    kSrcList = 64,
    kDstList = 128,
    kProtocol = 256,
    kSrcPort = 512,
    kDstPort = 1024,
    kIcmp = 2048,
    kState = 4096,
    kNatState = 8192,
  };
  uint16_t match = 0;
  uint16_t negate = 0;
  Action action = Action::kAccept;
  RejectWith reject = RejectWith::kNetUnreachable;
  bool log = false;  // log=yes beside another action
  uint8_t protocol = 0;
  uint8_t state_mask = 0;  // bit per ConnState
  uint8_t nat_mask = 0;    // bit 0 srcnat, bit 1 dstnat
  uint8_t icmp_type = 0, icmp_code_first = 0, icmp_code_last = 255;
  IfIndex in_if = kNoIf, out_if = kNoIf;
  uint16_t in_list = 0, out_list = 0;   // index into RuleSet::interface_sets
  uint16_t src_list = 0, dst_list = 0;  // index into RuleSet::address_sets
  uint16_t jump_chain = 0;              // kJump: index into RuleSet::chains
  uint16_t log_prefix = 0;              // index into RuleSet::log_prefixes
  AddressRange src, dst;
  uint32_t src_ports = 0, dst_ports = 0;  // first of src_port_count in RuleSet::ports
  uint16_t src_port_count = 0, dst_port_count = 0;
  AddressRange to_addresses;                     // 0.0.0.0: unchanged
  uint16_t to_port_first = 0, to_port_last = 0;  // 0: unchanged
  uint32_t counter = 0;  // the rule's counter slot; stable over snapshots while the rule exists
};

/// Whoever changes the rules of a chain, or what they refer to, calls index_rules() again.
struct RuleSet {
  struct PortSpan16 {
    uint16_t first = 0, last = 0;
  };
  struct Chain {
    uint32_t first = 0, count = 0;
    std::string name;
    std::shared_ptr<const RuleIndex> index;  // nullptr: the rules are asked one after another
  };
  static constexpr uint16_t kNoChain = 0xffff;

  std::vector<Rule> rules;  // disabled rules are not here
  std::vector<Chain> chains;
  std::vector<PortSpan16> ports;
  std::vector<std::shared_ptr<const AddressSet>> address_sets;
  std::vector<InterfaceSet> interface_sets;
  std::vector<std::string> log_prefixes;
  // built-in chains; kNoChain: empty, which accepts (filter) or leaves untranslated (nat)
  uint16_t input = kNoChain, forward = kNoChain, output = kNoChain;
  uint16_t srcnat = kNoChain, dstnat = kNoChain;
};

/// A session by the interface below it and its id: 48 bits, as a MAC has.
[[nodiscard]] inline uint64_t pppoe_key(IfIndex lower, be16 session) noexcept {
  return uint64_t{lower} << 16 | session.raw;
}

struct Snapshot {
  uint32_t generation = 0;            // set by publish(); never 0 then
  std::vector<Interface> interfaces;  // by IfIndex; [0] is kNone
  std::vector<Arrival> arrivals;      // the same, made of them by index_arrivals()
  std::vector<Domain> domains;
  MacTable pppoe_sessions;  // pppoe_key() to the interface, of sessions that are up
  std::vector<Port> ports;
  std::array<std::vector<RxQueue>, kMaxWorkers> rx;  // what each worker polls
  std::shared_ptr<const Fib4> fib;
  std::vector<NextHop> next_hops;  // [0] is kNone
  std::shared_ptr<const RuleSet> filter;
  std::shared_ptr<const RuleSet> nat;
  Timeouts timeouts{};
  bool tracking = true;  // connection tracking on
  bool loose_tcp = true;
  bool ip_forward = true;
  uint32_t max_sleep_us = 100;  // an idle worker may sleep this long at most; 0: never

  /// Once all interfaces and ports are in.
  void index_arrivals();
};

}  // namespace maclane
