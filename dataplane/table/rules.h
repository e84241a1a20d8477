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

namespace maclane {

class RuleIndex;
class RuleState;

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
  // these end the chain
  kAccept,
  kDrop,
  kReject,
  kMasquerade,
  kSrcNat,
  kDstNat,
  kRedirect,
  // these go on
  kJump,
  kReturn,
  kLog,
  kPassthrough,
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
  };
  static constexpr unsigned kMatchers = 14;

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
};
static_assert(sizeof(Rule) == 64);

/// What few rules have.
struct RuleMore {
  RejectWith reject = RejectWith::kNetUnreachable;
  uint16_t jump_chain = 0;                       // kJump: index into RuleSet::chains
  uint16_t log_prefix = 0;                       // index into RuleSet::log_prefixes
  AddressRange to_addresses;                     // 0.0.0.0: unchanged
  uint16_t to_port_first = 0, to_port_last = 0;  // 0: unchanged
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
  std::vector<RuleMore> more = std::vector<RuleMore>(1);
  std::vector<Chain> chains;
  std::vector<PortSpan16> ports;
  std::vector<std::shared_ptr<const AddressSet>> address_sets;
  std::vector<InterfaceSet> interface_sets;
  std::vector<std::string> log_prefixes;
  // built-in chains; kNoChain: empty, which accepts (filter) or leaves untranslated (nat)
  uint16_t input = kNoChain, forward = kNoChain, output = kNoChain;
  uint16_t srcnat = kNoChain, dstnat = kNoChain;

  [[nodiscard]] const RuleMore& more_of(const Rule& rule) const noexcept { return more[rule.more]; }
  /// Control: gives a rule of this set more to say.
  void add_more(Rule& rule, const RuleMore& said) {
    rule.more = static_cast<uint32_t>(more.size());
    more.push_back(said);
  }
};

}  // namespace maclane
