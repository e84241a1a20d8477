#include "tests/unit/l3/firewall_fuzz_rules.h"

namespace maclane::test {

Matcher RuleMaker::matcher(Place place) {
  const bool negated = below(4) == 0;
  const bool routed = place == Place::kAfterRouting || place == Place::kSub;
  const auto range = [&](Field f, uint32_t first, uint32_t count) {
    const uint32_t from = first + below(count);
    return Matcher{f, negated, from, from + below(3)};
  };
  switch (below(place == Place::kRaw ? 7 : 13)) {
    case 0: {
      const uint32_t i = kLan + below(3);
      return {Field::kInIf, negated, i, i};
    }
    case 1:
      return below(2) == 0 ? range(Field::kSrc, kPc, 8) : range(Field::kSrc, kServer, 4);
    case 2:
      return below(2) == 0 ? range(Field::kDst, kPc, 8) : range(Field::kDst, kServer, 4);
    case 3: {
      const uint32_t proto = below(3) == 0 ? kProtoTcp : below(2) == 0 ? kProtoUdp : kProtoIcmp;
      return {Field::kProto, negated, proto, proto};
    }
    case 4:
      return range(Field::kSize, 20, 400);
    case 5:
      return {Field::kSyn, negated, 1, 1};
    case 6: {
      const uint32_t dscp = below(2) == 0 ? 0 : 46;
      return {Field::kDscp, negated, dscp, dscp};
    }
    case 7:
      return {Field::kState, negated, 1 + below(31), 0};
    case 8:
      return {Field::kNat, negated, 1 + below(2), 0};
    case 9:
    case 10: {
      const uint32_t mark = below(4);
      return {below(2) == 0 ? Field::kConnectionMark : Field::kPacketMark, negated, mark, mark};
    }
    case 11:
      return range(Field::kTtl, 60, 6);
    default: {
      const uint32_t i = routed ? kLan + below(3) : 0;
      return routed ? Matcher{Field::kOutIf, negated, i, i} : range(Field::kSrc, kPc, 8);
    }
  }
}

std::vector<Matcher> RuleMaker::matchers(Place place) {
  std::vector<Matcher> all;
  for (uint32_t n = below(3) + 1; n != 0; --n) {
    const Matcher m = matcher(place);
    if (std::none_of(all.begin(), all.end(), [&](const Matcher& o) { return o.field == m.field; }))
      all.push_back(m);
  }
  const auto proto = std::find_if(all.begin(), all.end(),
                                  [](const Matcher& m) { return m.field == Field::kProto; });
  if (proto != all.end() && !proto->negated && proto->first != kProtoIcmp && below(2) == 0) {
    const uint32_t port = 53 + below(4);
    all.push_back({Field::kDstPort, below(4) == 0, port, port + below(2)});
  }
  return all;
}

PlainRule RuleMaker::rule(Action action, std::vector<Matcher> matchers) {
  PlainRule r;
  r.action = action;
  r.matchers = std::move(matchers);
  r.slot = slot++;
  return r;
}

PlainRule RuleMaker::raw_rule() {
  const uint32_t what = below(10);
  PlainRule r = rule(what < 6   ? Action::kPassthrough
                     : what < 7 ? Action::kAccept
                     : what < 8 ? Action::kNotrack
                                : Action::kDrop,
                     matchers(Place::kRaw));
  // What is dropped or not tracked is of one sender only.
  if (what >= 7) {
    std::erase_if(r.matchers, [](const Matcher& m) { return m.field == Field::kSrc; });
    r.matchers.push_back({Field::kSrc, false, kPc + 7, kPc + 7});
  }
  return r;
}

PlainRule RuleMaker::mangle_rule(Place place) {
  PlainRule r;
  switch (below(6)) {
    case 0:
      r = rule(Action::kMarkConnection, matchers(place));
      r.value = below(4);
      break;
    case 1:
      r = rule(Action::kMarkPacket, matchers(place));
      r.value = below(4);
      break;
    case 2:
      r = rule(Action::kChangeDscp, matchers(place));
      r.value = below(2) == 0 ? 46 : below(64);
      break;
    case 3: {
      r = rule(Action::kChangeTtl, matchers(place));
      const uint32_t how = below(3);
      r.ttl = static_cast<RuleMore::Ttl>(how);
      r.value = r.ttl == RuleMore::Ttl::kSet ? 1 + below(70) : 1 + below(3);
      break;
    }
    case 4:
      r = rule(Action::kAccept, matchers(place));
      break;
    default:
      r = rule(Action::kPassthrough, matchers(place));
      break;
  }
  r.passthrough = below(3) != 0;
  return r;
}

PlainRule RuleMaker::filter_rule(Place place) {
  const uint32_t what = below(20);
  if (what < 8) return rule(Action::kPassthrough, matchers(place));
  if (what < 12) return rule(Action::kAccept, matchers(place));
  if (what < 14 && place != Place::kSub) return rule(Action::kJump, matchers(place));
  if (what < 16) return rule(Action::kReturn, matchers(place));
  if (what < 18) {
    constexpr uint32_t kKnown = 1u << static_cast<unsigned>(ConnState::kEstablished) |
                                1u << static_cast<unsigned>(ConnState::kRelated);
    PlainRule r = rule(Action::kFastTrack, {{Field::kState, false, kKnown, 0}});
    if (below(2) == 0) r.matchers.push_back({Field::kSrc, false, kPc, kPc + 3});
    return r;
  }
  return rule(what == 18 ? Action::kDrop : Action::kReject, matchers(place));
}

PlainRule RuleMaker::dstnat_rule() {
  PlainRule r = rule(Action::kDstNat);
  const uint32_t port = 8000 + below(4);
  r.matchers = {{Field::kInIf, false, kWan, kWan},
                {Field::kProto, false, kProtoTcp, kProtoTcp},
                {Field::kDstPort, false, port, port + below(3)}};
  if (below(2) == 0) r.matchers[1].first = r.matchers[1].last = kProtoUdp;
  r.to_address = kPc + below(8);
  r.to_port = static_cast<uint16_t>(below(2) == 0 ? 0 : 80);
  return r;
}

template <typename Make>
PlainChain RuleMaker::chain(uint32_t most, Make&& make) {
  PlainChain c;
  for (uint32_t n = below(most + 1); n != 0; --n) c.push_back(make());
  return c;
}

PlainRules RuleMaker::rules() {
  PlainRules r;
  if (below(2) == 0) r.raw = chain(4, [&] { return raw_rule(); });
  const auto mangle = [&](Place place) {
    return below(2) == 0 ? chain(5, [&] { return mangle_rule(place); }) : PlainChain{};
  };
  r.mangle_prerouting = mangle(Place::kBeforeRouting);
  r.mangle_forward = mangle(Place::kAfterRouting);
  r.mangle_postrouting = mangle(Place::kAfterRouting);
  r.filter = chain(16, [&] { return filter_rule(Place::kAfterRouting); });
  r.filter_sub = chain(10, [&] { return filter_rule(Place::kSub); });
  if (r.filter_sub.empty()) r.filter_sub.push_back(rule(Action::kPassthrough));
  r.dstnat = chain(4, [&] { return dstnat_rule(); });
  r.srcnat = {rule(Action::kMasquerade, {{Field::kOutIf, false, kWan, kWan}})};
  if (below(3) == 0)
    r.srcnat.insert(r.srcnat.begin(), rule(Action::kAccept, {{Field::kSrc, false, kPc, kPc}}));
  return r;
}

namespace {

/// One matcher as the dataplane has it.
void add_matcher(RuleSet& set, Draft& to, const Matcher& m) {
  const auto on = [&](Rule::Match bit) {
    to.match |= bit;
    if (m.negated) to.negate |= bit;
  };
  const auto more = [&](RuleMore::Match bit) {
    to.match |= Rule::kMore;
    to.with.match |= bit;
    if (m.negated) to.with.negate |= bit;
  };
  switch (m.field) {
    case Field::kInIf:
      to.in_if = static_cast<IfIndex>(m.first);
      return on(Rule::kInInterface);
    case Field::kOutIf:
      to.out_if = static_cast<IfIndex>(m.first);
      return on(Rule::kOutInterface);
    case Field::kSrc:
      to.src = {m.first, m.last};
      return on(Rule::kSrc);
    case Field::kDst:
      to.dst = {m.first, m.last};
      return on(Rule::kDst);
    case Field::kProto:
      to.protocol = static_cast<uint8_t>(m.first);
      return on(Rule::kProtocol);
    case Field::kDstPort:
      to.dst_ports = static_cast<uint32_t>(set.ports.size());
      to.dst_port_count = 1;
      set.ports.push_back({static_cast<uint16_t>(m.first), static_cast<uint16_t>(m.last)});
      return on(Rule::kDstPort);
    case Field::kState:
      to.state_mask = static_cast<uint8_t>(m.first);
      return on(Rule::kState);
    case Field::kNat:
      to.nat_mask = static_cast<uint8_t>(m.first);
      return on(Rule::kNatState);
    case Field::kConnectionMark:
      to.with.connection_mark = m.first;
      return more(RuleMore::kConnectionMark);
    case Field::kPacketMark:
      to.with.packet_mark = m.first;
      return more(RuleMore::kPacketMark);
    case Field::kSize:
      to.with.size_first = static_cast<uint16_t>(m.first);
      to.with.size_last = static_cast<uint16_t>(m.last);
      return more(RuleMore::kPacketSize);
    case Field::kTtl:
      to.with.ttl_first = static_cast<uint8_t>(m.first);
      to.with.ttl_last = static_cast<uint8_t>(m.last);
      return more(RuleMore::kTtl);
    case Field::kDscp:
      to.with.dscp = static_cast<uint8_t>(m.first);
      return more(RuleMore::kDscp);
    case Field::kSyn:
      to.with.tcp_set = kTcpSyn;
      to.with.tcp_clear = kTcpAck;
      return more(RuleMore::kTcpFlags);
  }
}

}  // namespace

void add_plain_chain(RuleSet& set, uint16_t& number, const PlainChain& chain, uint16_t sub) {
  if (chain.empty()) return;
  number = static_cast<uint16_t>(set.chains.size());
  set.chains.push_back({static_cast<uint32_t>(set.rules.size()),
                        static_cast<uint32_t>(chain.size()), "chain", nullptr});
  for (const PlainRule& r : chain) {
    Draft d;
    d.action = r.action;
    d.counter = r.slot;
    for (const Matcher& m : r.matchers) add_matcher(set, d, m);
    d.with.passthrough = r.passthrough;
    d.with.jump_chain = r.action == Action::kJump ? sub : uint16_t{0};
    d.with.mark =
        r.action == Action::kMarkConnection || r.action == Action::kMarkPacket ? r.value : 0;
    if (r.action == Action::kChangeTtl) {
      d.with.ttl_change = r.ttl;
      d.with.ttl = static_cast<uint8_t>(r.value);
    }
    if (r.action == Action::kChangeDscp) d.with.new_dscp = static_cast<uint8_t>(r.value);
    if (r.action == Action::kDstNat) {
      d.with.to_addresses = {r.to_address, r.to_address};
      d.with.to_port_first = d.with.to_port_last = r.to_port;
    }
    set.add_more(d, d.with);
    set.rules.push_back(d);
  }
}

}  // namespace maclane::test
