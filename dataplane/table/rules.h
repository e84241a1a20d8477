// Firewall rules, compiled: what the rows of /ip/firewall/raw, mangle, filter and nat become.
//
// A Rule holds what nearly every rule is made of, in one cache line, and the number of a RuleMore
// for the rest. What rules remember from packet to packet (tokens, counts) is a RuleState, shared
// by all workers and kept by control while the rule stands. Chains are spans of RuleSet::rules;
// evaluation is in stage/filter. Immutable once in a snapshot, but for the states.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/net/types.h"
#include "dataplane/table/rule_state.h"

namespace maclane {

class RuleIndex;

struct AddressRange {
  uint32_t first = 0;  // host order, inclusive
  uint32_t last = 0;
  [[nodiscard]] bool contains(uint32_t address) const noexcept {
    return address >= first && address <= last;
  }
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};
/// Sorted, disjoint; membership by binary search.
using AddressSet = std::vector<AddressRange>;
[[nodiscard]] bool contains(const AddressSet& set, uint32_t address) noexcept;

using InterfaceSet = std::array<uint64_t, kMaxInterfaces / 64>;
[[nodiscard]] inline bool contains(const InterfaceSet& set, IfIndex i) noexcept {
  return i < kMaxInterfaces && ((set[i >> 6] >> (i & 63)) & 1) != 0;
}

/// Which menu a rule stands in.
enum class RuleTable : uint8_t { kRaw, kMangle, kNat, kFilter };

enum class Action : uint8_t {
  // these end the chain
  kAccept,
  kDrop,
  kReject,
  kTarpit,
  kNotrack,
  kMasquerade,
  kSrcNat,
  kDstNat,
  kRedirect,
  kNetmap,
  kSame,
  kEndpointIndependent,
  // these go on
  kJump,
  kReturn,
  kLog,
  kPassthrough,
  kFastTrack,
  kAddSrcToList,
  kAddDstToList,
  // and these go on if RuleMore::passthrough says so
  kMarkConnection,
  kMarkPacket,
  kMarkRouting,
  kChangeMss,
  kChangeTtl,
  kChangeDscp,
  kClearDf,
  kSetPriority,
  kStripOptions,
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

struct alignas(64) Rule {
  /// What the rule looks at; a bit not set is "any". The same bit in `negate` turns the matcher
  /// round.
  enum Match : uint32_t {
    kInInterface = 1u << 0,
    kOutInterface = 1u << 1,
    kInList = 1u << 2,
    kOutList = 1u << 3,
    kSrc = 1u << 4,
    kDst = 1u << 5,
    kSrcList = 1u << 6,
    kDstList = 1u << 7,
    kProtocol = 1u << 8,
    kSrcPort = 1u << 9,
    kDstPort = 1u << 10,
    kIcmp = 1u << 11,
    kState = 1u << 12,
    kNatState = 1u << 13,
    kMore = 1u << 14,  // RuleMore::match says what else; never negated
  };
  static constexpr unsigned kMatchers = 14;  // kMore is none

  uint32_t match = 0;
  uint32_t negate = 0;
  Action action = Action::kAccept;
  bool log = false;  // log=yes beside another action
  uint8_t protocol = 0;
  uint8_t state_mask = 0;  // bit per ConnState
  uint8_t nat_mask = 0;    // bits of RuleKey::Nat
  uint8_t icmp_type = 0, icmp_code_first = 0, icmp_code_last = 255;
  IfIndex in_if = kNoIf, out_if = kNoIf;
  uint16_t in_list = 0, out_list = 0;   // index into RuleSet::interface_sets
  uint16_t src_list = 0, dst_list = 0;  // index into RuleSet::address_sets
  uint16_t src_port_count = 0, dst_port_count = 0;
  uint32_t src_ports = 0, dst_ports = 0;  // first of src_port_count in RuleSet::ports
  AddressRange src, dst;
  uint32_t more = 0;     // index into RuleSet::more; 0: nothing but defaults
  uint32_t counter = 0;  // the rule's counter slot; stable over snapshots while the rule exists

  friend bool operator==(const Rule&, const Rule&) = default;
};
static_assert(sizeof(Rule) == 64);

/// What few rules have.
struct RuleMore {
  /// The matchers that few rules have, as Rule::Match. First those that say the same of all packets
  /// of a session and direction while neither rules nor marks change.
  enum Match : uint32_t {
    kAnyPort = 1u << 0,  // source or destination
    kSrcType = 1u << 1,
    kDstType = 1u << 2,
    kClassifier = 1u << 3,
    kConnectionMark = 1u << 4,
    kPacketMark = 1u << 5,
    kRoutingMark = 1u << 6,
    kConnectionType = 1u << 7,
    // those that may say otherwise of the next packet
    kSrcMac = 1u << 8,
    kTcpFlags = 1u << 9,
    kTcpMss = 1u << 10,
    kPacketSize = 1u << 11,
    kTtl = 1u << 12,
    kDscp = 1u << 13,
    kOptions = 1u << 14,
    kFragment = 1u << 15,
    kConnectionBytes = 1u << 16,
    kConnectionRate = 1u << 17,
    kContent = 1u << 18,
    kTlsHost = 1u << 19,
    // and those that count who asks: they are asked last
    kRandom = 1u << 20,
    kNth = 1u << 21,
    kScan = 1u << 22,
    kConnectionLimit = 1u << 23,
    kLimit = 1u << 24,
    kDstLimit = 1u << 25,
    // of the packet again
    kPriority = 1u << 26,
    kIngressPriority = 1u << 27,
  };
  static constexpr unsigned kMatchers = 28;
  static constexpr uint32_t kSteady = (1u << 8) - 1;
  static constexpr uint32_t kCounting =
      kRandom | kNth | kScan | kConnectionLimit | kLimit | kDstLimit;

  uint32_t match = 0;
  uint32_t negate = 0;

  // what it looks at
  uint32_t ports = 0;  // first of port_count in RuleSet::ports
  uint16_t port_count = 0;
  uint8_t src_types = 0, dst_types = 0;  // bit per AddressType
  uint8_t tcp_set = 0, tcp_clear = 0;
  MacAddr src_mac;
  uint16_t mss_first = 0, mss_last = 0;
  uint16_t size_first = 0, size_last = 0;
  uint8_t ttl_first = 0, ttl_last = 255;
  uint8_t dscp = 0;
  uint8_t priority = 0, ingress_priority = 0;
  uint8_t options = 0;                                              // an IpOption
  uint32_t connection_mark = 0, packet_mark = 0, routing_mark = 0;  // 0: no-mark
  uint32_t connection_types = 0;                                    // bit per Session::helper
  uint64_t bytes_first = 0, bytes_last = 0;
  uint64_t rate_first = 0, rate_last = 0;  // bits a second
  uint8_t classifier = 0;                  // bits of Classifier
  uint8_t random = 0;                      // percent
  uint8_t block_length = 32;               // connection-limit: the netmask
  bool by_bits = false;                    // limit: counts bits, not packets
  uint32_t denominator = 1, remainder = 0;
  uint32_t every = 1, nth = 0;  // matches when the count modulo `every` is nth
  uint32_t connections = 0;
  MeterRate limit, dst_limit;
  uint32_t dst_expire_cs = 0;
  uint8_t dst_mode = 0;  // bits of Classifier
  ScanLimits scan;
  uint16_t text = 0;           // content, tls-host: index into RuleSet::texts
  RuleState* state = nullptr;  // of RuleSet::states

  // what it does
  RejectWith reject = RejectWith::kNetUnreachable;
  bool passthrough = true;
  uint16_t jump_chain = 0;                       // kJump: index into RuleSet::chains
  uint16_t log_prefix = 0;                       // index into RuleSet::log_prefixes
  AddressRange to_addresses;                     // 0.0.0.0: unchanged
  uint16_t to_port_first = 0, to_port_last = 0;  // 0: unchanged
  bool same_not_by_dst = false;                  // kSame: one address for all destinations
  bool randomise_ports = false;                  // a port is not kept though it is free
  uint32_t mark = 0;                             // kMark*: the new one
  uint16_t mss = 0;                              // kChangeMss: 0 is what the path takes
  enum class Ttl : uint8_t { kSet, kIncrement, kDecrement } ttl_change = Ttl::kSet;
  uint8_t ttl = 0;       // kChangeTtl
  uint8_t new_dscp = 0;  // kChangeDscp
  enum class Priority : uint8_t { kNumber, kDscp, kDscpHigh, kIngress } from = Priority::kNumber;
  uint8_t new_priority = 0;              // kSetPriority, from kNumber
  uint16_t list = 0;                     // kAdd*ToList: the list's number
  const AddressSet* list_set = nullptr;  // and its rows, of RuleSet::address_sets
  uint32_t timeout_cs = 0;               // and for how long; 0: until the router ends

  friend bool operator==(const RuleMore&, const RuleMore&) = default;
};

/// What kind of address one is (behaviour.md B-11: src-address-type), by the route to it.
enum class AddressType : uint8_t { kUnicast, kLocal, kBroadcast, kMulticast, kBlackhole };

/// The fields that per-connection-classifier and dst-limit tell packets apart by.
enum Classifier : uint8_t {
  kClassifySrc = 1,
  kClassifyDst = 2,
  kClassifySrcPort = 4,
  kClassifyDstPort = 8,
};

enum class IpOption : uint8_t {
  kAny,
  kLooseSourceRouting,
  kStrictSourceRouting,
  kNoSourceRouting,
  kRecordRoute,
  kNoRecordRoute,
  kRouterAlert,
  kNoRouterAlert,
  kTimestamp,
  kNoTimestamp,
  kNone,
};

/// Whoever changes the rules of a chain, or what they refer to, calls index_rules() again.
struct RuleSet {
  struct PortSpan16 {
    uint16_t first = 0, last = 0;
    friend bool operator==(const PortSpan16&, const PortSpan16&) = default;
  };
  struct Chain {
    uint32_t first = 0, count = 0;
    std::string name;
    std::shared_ptr<const RuleIndex> index;  // nullptr: the rules are asked one after another
  };
  static constexpr uint16_t kNoChain = 0xffff;

  std::vector<Rule> rules;  // disabled rules are not here
  std::vector<RuleMore> more = std::vector<RuleMore>(1);
  std::vector<Chain> chains;
  std::vector<PortSpan16> ports;
  std::vector<std::shared_ptr<const AddressSet>> address_sets;
  /// By address set: the number of its list in DynamicLists; 0: nothing comes into it by itself.
  std::vector<uint16_t> dynamic_lists;
  std::vector<InterfaceSet> interface_sets;
  std::vector<std::string> log_prefixes;
  std::vector<std::string> texts;
  std::vector<std::shared_ptr<RuleState>> states;
  // built-in chains; kNoChain: empty, which accepts (filter) or leaves untranslated (nat)
  uint16_t input = kNoChain, forward = kNoChain, output = kNoChain;
  uint16_t srcnat = kNoChain, dstnat = kNoChain;
  uint16_t prerouting = kNoChain, postrouting = kNoChain;

  [[nodiscard]] const RuleMore& more_of(const Rule& rule) const noexcept { return more[rule.more]; }
  /// Control: gives a rule of this set more to say, if it has.
  void add_more(Rule& rule, const RuleMore& said) {
    if (said == more.front()) return;
    rule.more = static_cast<uint32_t>(more.size());
    more.push_back(said);
  }
};

}  // namespace maclane
