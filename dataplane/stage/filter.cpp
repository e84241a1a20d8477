#include "dataplane/stage/filter.h"

#include "dataplane/table/rule_index.h"

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

/// True if the matcher is set and its answer, turned round if negated, is no.
template <typename Test>
bool fails(const Rule& rule, Rule::Match bit, Test&& test) noexcept {
  return (rule.match & bit) != 0 && test() == ((rule.negate & bit) != 0);
}

/// The matchers whose answer is the same for all packets of a session, direction and state.
bool session_matches(const RuleSet& set, const Rule& rule, const RuleKey& key) noexcept {
  const auto no = [&](Rule::Match bit, auto&& test) { return fails(rule, bit, test); };
  if (no(Rule::kState,
         [&] { return ((rule.state_mask >> static_cast<unsigned>(key.state)) & 1) != 0; }))
    return false;
  if (no(Rule::kProtocol, [&] { return key.proto == rule.protocol; })) return false;
  if (no(Rule::kInInterface, [&] { return key.in_if == rule.in_if; })) return false;
  if (no(Rule::kOutInterface, [&] { return key.out_if == rule.out_if; })) return false;
  if (no(Rule::kSrc, [&] { return in_range(rule.src, key.src); })) return false;
  if (no(Rule::kDst, [&] { return in_range(rule.dst, key.dst); })) return false;
  if (no(Rule::kSrcPort,
         [&] { return in_ports(set, rule.src_ports, rule.src_port_count, key.sport); }))
    return false;
  if (no(Rule::kDstPort,
         [&] { return in_ports(set, rule.dst_ports, rule.dst_port_count, key.dport); }))
    return false;
  if (no(Rule::kInList, [&] { return contains(set.interface_sets[rule.in_list], key.in_if); }))
    return false;
  if (no(Rule::kOutList, [&] { return contains(set.interface_sets[rule.out_list], key.out_if); }))
    return false;
  if (no(Rule::kSrcList, [&] { return contains(*set.address_sets[rule.src_list], key.src); }))
    return false;
  return !no(Rule::kDstList, [&] { return contains(*set.address_sets[rule.dst_list], key.dst); });
}

/// The matchers that may answer differently for the next packet of the session.
bool packet_matches(const Rule& rule, const RuleKey& key) noexcept {
  if (fails(rule, Rule::kIcmp, [&] {
        return key.proto == kProtoIcmp && key.icmp_type == rule.icmp_type &&
               key.icmp_code >= rule.icmp_code_first && key.icmp_code <= rule.icmp_code_last;
      }))
    return false;
  return !fails(rule, Rule::kNatState, [&] { return (key.nat & rule.nat_mask) != 0; });
}

/// Whether packet_matches() may yet change its mind. An ICMP session carries many codes; srcnat is
/// decided only after the first walk.
bool may_vary(const Rule& rule, const RuleKey& key) noexcept {
  return ((rule.match & Rule::kIcmp) != 0 && key.proto == kProtoIcmp) ||
         ((rule.match & Rule::kNatState) != 0 && key.state == ConnState::kNew);
}

/// How far a walk is in one chain. Left uninitialized until the walk gets there.
struct Frame {
  uint16_t chain;
  uint32_t next;  // position, if the chain has no index
  RuleIndex::Cursor candidates;
};

void enter(const RuleSet& set, uint16_t chain, const RuleIndex::Key& fields,
           Frame& frame) noexcept {
  frame.chain = chain;
  frame.next = 0;
  const RuleIndex* index = set.chains[chain].index.get();
  if (index != nullptr) frame.candidates.start(*index, fields);
}

/// The next rule of the chain that may match; nullptr at its end.
const Rule* next_rule(const RuleSet& set, Frame& frame) noexcept {
  const RuleSet::Chain& chain = set.chains[frame.chain];
  if (chain.index == nullptr)
    return frame.next == chain.count ? nullptr : &set.rules[chain.first + frame.next++];
  const uint16_t position = frame.candidates.next();
  return position == RuleIndex::kEnd ? nullptr : &set.rules[chain.first + position];
}

}  // namespace

bool rule_matches(const RuleSet& set, const Rule& rule, const RuleKey& key) noexcept {
  return session_matches(set, rule, key) && packet_matches(rule, key);
}

void walk_chain(const RuleSet* set, uint16_t chain, const RuleKey& key,
                WalkRecord& record) noexcept {
  record.clear();
  if (set == nullptr || chain == RuleSet::kNoChain) return;
  const RuleIndex::Key fields{key.dst,   key.src,    key.dport, key.sport,
                              key.in_if, key.out_if, key.proto};
  std::array<Frame, kMaxDepth> stack;
  unsigned depth = 0;
  enter(*set, chain, fields, stack[0]);

  for (;;) {
    Frame& frame = stack[depth];
    const Rule* const candidate = next_rule(*set, frame);
    if (candidate == nullptr) {  // end of the chain: an implicit return
      if (depth == 0) return;    // and of a built-in one: accept
      --depth;
      continue;
    }
    const Rule& rule = *candidate;
    // A rule that the session cannot match leaves the walk cacheable, whatever else it looks at.
    // So do the rules an index passes over: they are such rules.
    if (!session_matches(*set, rule, key)) continue;
    if (may_vary(rule, key)) record.cacheable = false;
    if (!packet_matches(rule, key)) continue;

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
          enter(*set, set->more_of(rule).jump_chain, fields, stack[depth]);
        }
        break;
      case Action::kReturn:
        if (depth == 0) return;
        --depth;
        break;
      default:
        record.verdict = {rule.action, set->more_of(rule).reject, &rule};
        return;
    }
  }
}

}  // namespace maclane
