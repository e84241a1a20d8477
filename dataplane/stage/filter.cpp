#include "dataplane/stage/filter.h"

namespace maclane {
namespace {

constexpr unsigned kMaxDepth = 32;  // nested jumps; the compiler refuses deeper rule sets

bool in_ports(const RuleSet& set, uint32_t first, uint16_t count, uint16_t port) noexcept {
  for (uint32_t i = first; i < first + count; ++i)
    if (port >= set.ports[i].first && port <= set.ports[i].last) return true;
  return false;
}

bool in_range(const AddressRange& r, uint32_t a) noexcept {
  return a >= r.first && a <= r.last;
}

}  // namespace

bool rule_matches(const RuleSet& set, const Rule& rule, const RuleKey& key) noexcept {
  const uint16_t match = rule.match;
  // True if the matcher is set and its answer, turned round if negated, is no.
  const auto fails = [&](Rule::Match bit, auto&& test) {
    return (match & bit) != 0 && test() == ((rule.negate & bit) != 0);
  };
  if (fails(Rule::kState,
            [&] { return ((rule.state_mask >> static_cast<unsigned>(key.state)) & 1) != 0; }))
    return false;
  if (fails(Rule::kProtocol, [&] { return key.proto == rule.protocol; })) return false;
  if (fails(Rule::kInInterface, [&] { return key.in_if == rule.in_if; })) return false;
  if (fails(Rule::kOutInterface, [&] { return key.out_if == rule.out_if; })) return false;
  if (fails(Rule::kSrc, [&] { return in_range(rule.src, key.src); })) return false;
  if (fails(Rule::kDst, [&] { return in_range(rule.dst, key.dst); })) return false;
  if (fails(Rule::kSrcPort,
            [&] { return in_ports(set, rule.src_ports, rule.src_port_count, key.sport); }))
    return false;
  if (fails(Rule::kDstPort,
            [&] { return in_ports(set, rule.dst_ports, rule.dst_port_count, key.dport); }))
    return false;
  if (fails(Rule::kInList, [&] { return contains(set.interface_sets[rule.in_list], key.in_if); }))
    return false;
  if (fails(Rule::kOutList,
            [&] { return contains(set.interface_sets[rule.out_list], key.out_if); }))
    return false;
  if (fails(Rule::kSrcList, [&] { return contains(*set.address_sets[rule.src_list], key.src); }))
    return false;
  if (fails(Rule::kDstList, [&] { return contains(*set.address_sets[rule.dst_list], key.dst); }))
    return false;
  if (fails(Rule::kIcmp, [&] {
        return key.proto == kProtoIcmp && key.icmp_type == rule.icmp_type &&
               key.icmp_code >= rule.icmp_code_first && key.icmp_code <= rule.icmp_code_last;
      }))
    return false;
  return !fails(Rule::kNatState, [&] { return (key.nat & rule.nat_mask) != 0; });
}

void walk_chain(const RuleSet* set, uint16_t chain, const RuleKey& key,
                WalkRecord& record) noexcept {
  record.clear();
  if (set == nullptr || chain == RuleSet::kNoChain) return;
  struct Frame {
    uint16_t chain;
    uint32_t next;
  };
  std::array<Frame, kMaxDepth> stack{};
  unsigned depth = 0;
  stack[0] = {chain, set->chains[chain].first};

  for (;;) {
    Frame& frame = stack[depth];
    const RuleSet::Chain& c = set->chains[frame.chain];
    if (frame.next == c.first + c.count) {  // end of the chain: an implicit return
      if (depth == 0) return;               // and of a built-in one: accept
      --depth;
      continue;
    }
    const Rule& rule = set->rules[frame.next++];
    // An ICMP session carries many codes; srcnat is decided only after the first walk.
    if ((rule.match & Rule::kIcmp) != 0 && key.proto == kProtoIcmp) record.cacheable = false;
    if ((rule.match & Rule::kNatState) != 0 && key.state == ConnState::kNew)
      record.cacheable = false;
    if (!rule_matches(*set, rule, key)) continue;

    if (record.hits < WalkRecord::kMaxHits) {
      record.rules[record.hits] = &rule;
      record.chains[record.hits] = frame.chain;
      ++record.hits;
    }
    if (rule.log || rule.action == Action::kLog) {
      record.logs = true;
      record.cacheable = false;  // every packet gets its line
    }
    switch (rule.action) {
      case Action::kLog:
      case Action::kPassthrough:
        break;
      case Action::kJump:
        if (depth + 1 < kMaxDepth) {
          ++depth;
          stack[depth] = {rule.jump_chain, set->chains[rule.jump_chain].first};
        }
        break;
      case Action::kReturn:
        if (depth == 0) return;
        --depth;
        break;
      default:
        record.verdict = {rule.action, rule.reject, &rule};
        return;
    }
  }
}

}  // namespace maclane
