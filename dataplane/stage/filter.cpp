#include "dataplane/stage/filter.h"

#include "dataplane/stage/match.h"
#include "dataplane/table/rule_index.h"

namespace maclane {
namespace {

constexpr unsigned kMaxDepth = 32;  // nested jumps; the compiler refuses deeper rule sets

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

void log_hit(const RuleSet& set, const Rule& rule, uint16_t chain, RuleTable table,
             const RuleKey& key, WalkRecord& record) noexcept {
  if (record.logged == WalkRecord::kMaxLogged) return;
  LoggedHit& line = record.log[record.logged++];
  line = {table,     key.state, false,     chain,     set.more_of(rule).log_prefix,
          key.src,   key.dst,   key.sport, key.dport, key.in_if,
          key.out_if};
  // raw stands before tracking: nothing is known there of the connection that a packet is of.
  line.known = table != RuleTable::kRaw && key.facts != nullptr && key.facts->session != nullptr;
}

/// The MSS that fits the way: both its ends, without IP's and TCP's headers.
uint16_t path_mss(const RuleKey& key) noexcept {
  constexpr unsigned kHeaders = sizeof(Ip4Hdr) + sizeof(TcpHdr);
  unsigned mtu = 0xffff;
  for (IfIndex i : {key.facts->in_if, key.out_if}) {
    if (i != kNoIf && i < key.facts->snapshot->interfaces.size())
      mtu = std::min<unsigned>(mtu, key.facts->snapshot->interfaces[i].mtu);
  }
  return static_cast<uint16_t>(mtu > kHeaders ? mtu - kHeaders : 1);
}

void change_mss(const RuleMore& more, const RuleKey& key, WalkRecord& record) noexcept {
  if (key.facts == nullptr || key.proto != kProtoTcp) return;
  if (!key.facts->is_syn()) return record.at_most(Holds::kWhileSteady);
  record.at_most(Holds::kForOne);
  const uint16_t mss = more.mss != 0                    ? more.mss
                       : key.facts->snapshot != nullptr ? path_mss(key)
                                                        : uint16_t{0};
  if (mss != 0) record.mss = record.mss == 0 ? mss : std::min(record.mss, mss);
}

void change_ttl(const RuleMore& more, RuleKey& key, WalkRecord& record) noexcept {
  switch (more.ttl_change) {
    case RuleMore::Ttl::kSet:
      key.ttl = more.ttl;
      break;
    case RuleMore::Ttl::kIncrement:
      key.ttl = static_cast<uint8_t>(std::min(255, key.ttl + more.ttl));
      break;
    case RuleMore::Ttl::kDecrement:
      key.ttl = static_cast<uint8_t>(std::max(0, key.ttl - more.ttl));
      break;
  }
  record.new_ttl = true;
}

void set_priority(const RuleMore& more, RuleKey& key, WalkRecord& record) noexcept {
  switch (more.from) {
    case RuleMore::Priority::kNumber:
      key.priority = more.new_priority;
      break;
    case RuleMore::Priority::kDscp:
      key.priority = key.dscp;
      break;
    case RuleMore::Priority::kDscpHigh:
      key.priority = static_cast<uint8_t>(key.dscp >> 3);
      break;
    case RuleMore::Priority::kIngress:
      key.priority = key.ingress_priority;
      break;
  }
  if (more.from != RuleMore::Priority::kNumber) record.at_most(Holds::kForOne);
  record.priority = key.priority;
}

/// What a rule does that does not end the walk of its chain by itself. True: it goes on.
bool act(const RuleSet& set, const Rule& rule, RuleKey& key, WalkRecord& record) noexcept {
  const RuleMore& more = set.more_of(rule);
  switch (rule.action) {
    case Action::kFastTrack:
      if (key.proto == kProtoTcp || key.proto == kProtoUdp)
        record.note({Effect::Kind::kFastTrack, &rule, &more, 0, 0});
      return true;
    case Action::kAddSrcToList:
      record.note({Effect::Kind::kAddToList, &rule, &more, key.src, 0});
      return true;
    case Action::kAddDstToList:
      record.note({Effect::Kind::kAddToList, &rule, &more, key.dst, 0});
      return true;
    case Action::kMarkConnection:
      key.connection_mark = more.mark;
      break;
    case Action::kMarkPacket:
      key.packet_mark = more.mark;
      break;
    case Action::kMarkRouting:
      key.routing_mark = more.mark;
      break;
    case Action::kChangeMss:
      change_mss(more, key, record);
      break;
    case Action::kChangeTtl:
      change_ttl(more, key, record);
      break;
    case Action::kChangeDscp:
      key.dscp = record.dscp = more.new_dscp;
      break;
    case Action::kClearDf:
      record.clear_df = true;
      break;
    case Action::kSetPriority:
      set_priority(more, key, record);
      break;
    case Action::kStripOptions:
      record.strip_options = true;
      break;
    default:
      return true;  // log, passthrough
  }
  return more.passthrough;
}

/// endpoint-independent-nat in dstnat concerns what is sent to the outer port of a mapping; in
/// srcnat, where the way is known, everything.
bool has_mapping(const RuleKey& key) noexcept {
  if (key.out_if != kNoIf || key.facts == nullptr) return key.out_if != kNoIf;
  Mapping m;
  m.out_address = be32::from(key.dst);
  m.out_port = be16::from(key.dport);
  m.proto = key.proto;
  return key.facts->shared->mappings.find_outside(m);
}

}  // namespace

void walk_chain(const RuleSet* set, uint16_t chain, RuleTable table, RuleKey& key,
                WalkRecord& record) noexcept {
  record.verdict = {};
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
    // A rule that the session cannot match leaves the walk true of all its packets, whatever else
    // it looks at. So do the rules an index passes over: they are such rules.
    if (!session_matches(*set, rule, key)) continue;
    record.at_most(packet_holds(*set, rule, key));
    if (!packet_matches(*set, rule, key, record)) continue;

    if (rule.action == Action::kEndpointIndependent && !has_mapping(key)) continue;
    record.hit(rule);
    if (rule.log || rule.action == Action::kLog)
      log_hit(*set, rule, frame.chain, table, key, record);
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
        if (rule.action > Action::kPassthrough) {
          if (act(*set, rule, key, record)) break;
          return;  // taken as accepted
        }
        record.verdict = {rule.action, set->more_of(rule).reject, &rule};
        return;
    }
  }
}

}  // namespace maclane
