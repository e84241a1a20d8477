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
#include <vector>

#include "dataplane/net/types.h"
#include "dataplane/table/fib4.h"
#include "dataplane/table/mac_table.h"
#include "dataplane/table/rules.h"
#include "dataplane/table/session.h"

namespace maclane {

enum class IfKind : uint8_t { kNone, kEthernet, kMacvlan, kVlan, kPppoe };
enum class VportMode : uint8_t { kBridge, kPrivate };
/// behaviour.md A2. Workers do not ask; control does.
enum class ArpMode : uint8_t { kEnabled, kDisabled, kReplyOnly, kProxy, kLocalProxy };

struct VlanTag {
  uint16_t tpid = 0;  // host order
  uint16_t vid = 0;
};

inline constexpr uint16_t kNoDomain = 0xffff;

struct Interface {
  IfKind kind = IfKind::kNone;  // kNone: the slot is free
  VportMode mode = VportMode::kBridge;
  bool up = false;  // enabled, and so is everything below it, and the link is up
  ArpMode arp = ArpMode::kEnabled;
  bool attached = false;  // a macvlan whose traffic belongs to a kernel device, not to our L3
  bool multicast_all = false;
  bool dhcp = false;               // a DHCP client or alert: replies go to control, not to L3
  bool dhcp_server = false;        // so for what is said to a DHCP server
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

  [[nodiscard]] bool hears_dhcp() const { return dhcp || dhcp_server; }
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

/// A row of /routing/rule.
struct RoutingRule {
  enum class Action : uint8_t { kLookup, kLookupOnly, kDrop, kUnreachable };
  Action action = Action::kLookup;
  bool any_mark = true;
  IfIndex in_if = kNoIf;  // kNoIf: any
  uint32_t mark = 0;
  AddressRange src{0, 0xffffffff}, dst{0, 0xffffffff};
  std::shared_ptr<const Fib4> table;  // kLookup*; nullptr: one without routes
};

/// How the router asks a gateway that another table's routes lead to (check-gateway): what it sends
/// to that address from an interface's own takes this way, whatever the routes say.
struct ProbeWay {
  IfIndex from = kNoIf;  // whose address is the source
  be32 target{};
  uint16_t next_hop = 0;
};

/// The ports whose connections have a helper. Most connections have none: one bit says so.
class HelperPorts {
 public:
  void add(uint8_t proto, be16 port, Helper helper) {
    ports_.push_back({proto, helper, port});
    bits_ |= bit_of(port);
  }
  void clear() { *this = {}; }
  [[nodiscard]] Helper of(uint8_t proto, be16 port) const noexcept {
    if ((bits_ & bit_of(port)) == 0) return Helper::kNone;
    for (const Port& one : ports_)
      if (one.port == port && one.proto == proto) return one.helper;
    return Helper::kNone;
  }

 private:
  struct Port {
    uint8_t proto = 0;
    Helper helper = Helper::kNone;
    be16 port{};
  };
  [[nodiscard]] static uint64_t bit_of(be16 port) noexcept {
    return uint64_t{1} << (port.host() & 63);
  }
  uint64_t bits_ = 0;  // of the ports' lower six bits
  std::vector<Port> ports_;
};

enum class RpFilter : uint8_t { kNo, kLoose, kStrict };
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
  /// Further routing tables, by routing mark; [0] is empty: no mark is the main table, `fib`.
  std::vector<std::shared_ptr<const Fib4>> tables;
  std::vector<RoutingRule> routing_rules;
  uint16_t drop_hop = 0, unreachable_hop = 0;  // where rules that say so lead
  /// By IfIndex: the next hop of the default route through that interface, whatever its table and
  /// distance; 0: none. What came in there leaves there (stage/route.h).
  std::vector<uint16_t> return_ways;
  std::vector<ProbeWay> probe_ways;  // few, and asked for the router's own packets alone
  std::shared_ptr<const RuleSet> raw;
  std::shared_ptr<const RuleSet> mangle;
  std::shared_ptr<const RuleSet> filter;
  std::shared_ptr<const RuleSet> nat;
  Rule fast_track;  // stands for all rules that a FastTracked packet passes by, and counts them
  HelperPorts helper_ports;  // of the helpers that are on
  uint8_t helpers_on = 0;    // bit per Helper
  /// Transports whose ports are not read: their connections are told apart by addresses alone.
  enum Portless : uint8_t { kSctp = 1, kDccp = 2, kUdpLite = 4 };
  uint8_t portless = 0;
  bool sip_direct_media = true;  // media comes from the host that signals, and no other
  Timeouts timeouts{};
  bool tracking = true;  // connection tracking on
  bool loose_tcp = true;
  bool liberal_tcp = false;
  /// The rfc profile: one outer port for all destinations, whatever the rule that translates, and
  /// who may send to it without being asked: those it has sent to, or everyone.
  bool endpoint_independent = false;
  bool address_filtering = true;
  bool inbound_refresh = false;     // what nobody asked for keeps its connection alive
  std::vector<uint16_t> own_ports;  // sorted: no mapping takes them from the router's addresses
  bool fast_track_on = true;        // connections that a rule marked pass the rules by
  bool ip_forward = true;
  bool send_redirects = false;
  bool accept_source_route = false;  // packets may say by which routers they go
  bool hash_ports = false;           // ways of equal cost are chosen by ports too
  RpFilter rp_filter = RpFilter::kNo;
  uint32_t max_sleep_us = 100;  // an idle worker may sleep this long at most; 0: never

  /// Once all interfaces and ports are in.
  void index_arrivals();
};

}  // namespace maclane
