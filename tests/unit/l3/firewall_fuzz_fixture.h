// What the fuzzing of the whole firewall shares: the router in plain words beside the real one,
// what is edited in both, and the comparison of what they do and keep.
#pragma once

#include <fmt/format.h>

#include "dataplane/stage/ip4_validate.h"
#include "dataplane/table/rule_index.h"
#include "dataplane/worker/packet.h"
#include "tests/unit/l3/firewall_fuzz_rules.h"
#include "tests/unit/l3/nat_fuzz_fixture.h"

namespace maclane::test {

class FirewallFuzzBase : public NatFuzzBase {
 protected:
  void start(unsigned seed) {
    begin(seed);
    for (const IfIndex i : {kLan, kWan, kIot}) plain.down[i] = false;
    new_routes();
    plain.outer = address;
    plain.fast_track_slot = snap.fast_track.counter = 1;
    snap.fast_track.action = Action::kPassthrough;
    snap.ports.assign(4, Port{});  // with wires below, the established path has ways to send
    for (const IfIndex i : {kLan, kWan, kIot}) {
      snap.interfaces[i].port = i;
      snap.ports[i].ethdev = i;  // never asked: less than a burst waits for it
      snap.ports[i].interface = i;
    }
    new_timeouts();
    new_rules();
  }
  [[nodiscard]] static bool is_outer(uint32_t a) { return a == kWanIp || a == kSecondWanIp; }
  static Tuple tuple_of(const Flow& f) {
    return {be32::from(f.src), be32::from(f.dst), be16::from(f.sport), be16::from(f.dport),
            f.proto};
  }
  const Session* standing(const Flow& original) const {
    const auto hit = w->sessions.find(tuple_of(original));
    return hit && hit.direction == kOriginal ? &w->sessions.at(hit.session) : nullptr;
  }

  // what is edited
  void new_routes() {
    std::vector<Fib4Route> routes = {{kLanIp, 32, 1},
                                     {kWanIp, 32, 2},
                                     {kSecondWanIp, 32, 2},
                                     {ip4(192, 168, 99, 1), 32, 3},
                                     {ip4(192, 168, 88, 0), 24, 4}};
    if (!plain.down[kWan]) routes.insert(routes.end(), {{ip4(203, 0, 113, 0), 24, 5}, {0, 0, 7}});
    // Elsewhere its network is nobody's: what is sent there must not leave by the default route.
    routes.push_back({ip4(192, 168, 99, 0), 24, static_cast<uint16_t>(plain.down[kIot] ? 9 : 6)});
    std::string error;
    snap.fib = Fib4::build(routes, &error, true);
    ASSERT_TRUE(snap.fib) << error;
  }
  void new_timeouts() {
    plain.timeouts_changed = w->now.cs;
    for (uint32_t& t : snap.timeouts) t = 100 + below(3000);
    // A stream is found when its time as a short connection is over, and lives longer than that.
    uint32_t& stream = snap.timeouts[static_cast<unsigned>(TimeoutClass::kUdpStream)];
    stream += snap.timeouts[static_cast<unsigned>(TimeoutClass::kUdp)];
    // Which of them holds depends on more than states say.
    snap.timeouts[static_cast<unsigned>(TimeoutClass::kTcpUnacked)] = 1000000;
    snap.timeouts[static_cast<unsigned>(TimeoutClass::kTcpMaxRetrans)] = 1000000;
  }
  void new_rules() {
    RuleMaker maker{random, next_slot};
    plain.rules = maker.rules();
    next_slot = maker.slot;
    const bool indexed = below(2) == 0;
    const auto with = [&](auto&& build) {
      auto set = std::make_shared<RuleSet>();
      build(*set);
      if (indexed) index_rules(*set);
      return set;
    };
    const PlainRules& r = plain.rules;
    snap.raw = with([&](RuleSet& s) { add_plain_chain(s, s.prerouting, r.raw); });
    snap.mangle = with([&](RuleSet& s) {
      add_plain_chain(s, s.prerouting, r.mangle_prerouting);
      add_plain_chain(s, s.forward, r.mangle_forward);
      add_plain_chain(s, s.postrouting, r.mangle_postrouting);
    });
    snap.filter = with([&](RuleSet& s) {
      uint16_t sub = RuleSet::kNoChain;
      add_plain_chain(s, sub, r.filter_sub);
      add_plain_chain(s, s.forward, r.filter, sub);
      add_plain_chain(s, s.input, {PlainRule{{}, Action::kDrop}});
    });
    snap.nat = with([&](RuleSet& s) {
      add_plain_chain(s, s.srcnat, r.srcnat);
      add_plain_chain(s, s.dstnat, r.dstnat);
    });
    publish();
  }
  /// What control does when an uplink goes down or its address changes (B-30).
  void purge() {
    for (uint32_t i = 0; i < w->sessions.capacity(); ++i) {
      const Session& s = w->sessions.at(i);
      if (s.has(Session::kUsed) && s.has(Session::kMasquerade)) w->sessions.release(i);
    }
    plain.connections.remove_if([](const PlainConnection& c) { return c.masqueraded; });
  }
  void edit() {
    compare_counters();
    switch (below(8)) {
      case 0:
      case 1:
        new_rules();
        break;
      case 2:
        change_address();
        plain.outer = address;
        purge();
        break;
      case 3: {
        const IfIndex i = below(2) == 0 ? kWan : kIot;
        plain.down[i] = !plain.down[i];
        snap.interfaces[i].up = !plain.down[i];
        new_routes();
        if (i == kWan && plain.down[i]) purge();
        break;
      }
      case 4:
        plain.limit = below(2) == 0 ? w->sessions.capacity() : 5 + below(40);
        w->sessions.set_limit(plain.limit);
        break;
      case 5:
        new_timeouts();
        break;
      case 6:
        plain.loose = snap.loose_tcp = !snap.loose_tcp;
        break;
      default:
        break;
    }
    publish();
  }
  void look_round() {
    expire();
    w->now.cs += 100;  // what only showed now that it is a stream is looked at again
    expire();
  }
  void pass_time() {
    w->now.cs += below(12) == 0 ? 4000 : below(200);
    look_round();
    w->fragments.expire(
        w->now, 1000, [](void*, rte_mbuf* m, IfIndex, Drop) { finish(m); }, nullptr);
    plain.pass(w->now.cs);
    said();
    compare_connections();
  }

  // what is compared
  void said() { ASSERT_EQ(plain.wrong, "") << "step " << step; }
  [[nodiscard]] std::string text_of_rule(uint32_t slot) const {
    const PlainRules& r = plain.rules;
    for (const auto& [name, chain] : {std::pair{"raw", &r.raw},
                                      {"mangle prerouting", &r.mangle_prerouting},
                                      {"mangle forward", &r.mangle_forward},
                                      {"mangle postrouting", &r.mangle_postrouting},
                                      {"filter", &r.filter},
                                      {"filter's other chain", &r.filter_sub},
                                      {"dstnat", &r.dstnat},
                                      {"srcnat", &r.srcnat}}) {
      for (const PlainRule& rule : *chain) {
        if (rule.slot != slot) continue;
        std::string text =
            fmt::format("rule {} of {}: action {}", slot, name, static_cast<unsigned>(rule.action));
        for (const Matcher& m : rule.matchers)
          text += fmt::format(", field {} {}in {}-{}", static_cast<unsigned>(m.field),
                              m.negated ? "not " : "", m.first, m.last);
        return text;
      }
    }
    return fmt::format("rule {}", slot);
  }
  void compare_counters() {
    std::vector<RuleCounter> all(kMaxRuleCounters);
    w->walks.read(w->counters, all);
    for (const auto& [slot, counter] : plain.counters) {
      ASSERT_EQ(all[slot].packets, counter.packets) << text_of_rule(slot) << ", step " << step;
      ASSERT_EQ(all[slot].bytes, counter.bytes) << text_of_rule(slot) << ", step " << step;
    }
  }
  void compare_connections() {
    ASSERT_EQ(w->sessions.size(), plain.connections.size()) << "step " << step;
    for (const PlainConnection& c : plain.connections) {
      const auto hit = w->sessions.find(tuple_of(c.original));
      ASSERT_TRUE(hit) << "step " << step;
      const Session& s = w->sessions.at(hit.session);
      const SessionSide& side = w->sessions.side(hit.session);
      ASSERT_EQ(s.tuple(kReply), tuple_of(c.reply)) << "step " << step;
      SCOPED_TRACE(fmt::format("protocol {} {:08x}:{} to {:08x}:{}", c.original.proto,
                               c.original.src, c.original.sport, c.original.dst, c.original.dport));
      ASSERT_EQ(s.tcp_state, c.state) << "step " << step;
      ASSERT_EQ(s.last_seen_cs, c.last_seen) << "step " << step;
      ASSERT_EQ(s.mark, c.mark) << "step " << step;
      ASSERT_EQ(s.has(Session::kSeenReply), c.seen_reply) << "step " << step;
      ASSERT_EQ(is_assured(s, side), PlainRouter::is_assured(c)) << "step " << step;
      ASSERT_EQ(s.has(Session::kFastTracked), c.fast_tracked) << "step " << step;
      for (const uint8_t way : {kOriginal, kReply}) {
        ASSERT_EQ(SessionTable::packets(s, side, way), c.packets[way]) << "step " << step;
        ASSERT_EQ(s.leg(way).bytes, c.bytes[way]) << "step " << step;
      }
    }
  }
  static Flow flow_of(const Sent& s) {
    const Ip4Hdr& ip = s.ip();
    if (ip.proto == kProtoIcmp) {
      const auto& icmp = s.l4<IcmpHdr>();
      if (is_icmp_error(icmp.type)) return {ip.proto, ip.src.host(), ip.dst.host(), 0, 0};
      const Tuple t = icmp_tuple(ip.src, ip.dst, icmp.type, icmp.id);
      return {t.proto, t.src.host(), t.dst.host(), t.sport.host(), t.dport.host()};
    }
    if (ip.fragment_offset() != 0) return {ip.proto, ip.src.host(), ip.dst.host(), 0, 0};
    const auto& ports = s.l4<UdpHdr>();
    return {ip.proto, ip.src.host(), ip.dst.host(), ports.sport.host(), ports.dport.host()};
  }
  void compare(const Sent& s, const PlainRouter::Outcome& o) {
    ASSERT_EQ(s.out_if, o.out_if) << "step " << step;
    Flow expected = o.flow;
    if (o.quoted || s.ip().fragment_offset() != 0) expected.sport = expected.dport = 0;
    ASSERT_EQ(flow_of(s), expected) << "step " << step;
    ASSERT_EQ(s.ip().ttl, o.ttl) << "step " << step;
    ASSERT_EQ(s.ip().tos >> 2, o.dscp) << "step " << step;
    ASSERT_TRUE(s.ip().is_fragment() || foreign || s.checksums_ok()) << "step " << step;
    if (!o.quoted) return;
    const Ip4Hdr& ip = quoted_ip(s);
    const auto& ports = quoted<UdpHdr>(s);
    const Flow told{ip.proto, ip.src.host(), ip.dst.host(), ports.sport.host(), ports.dport.host()};
    ASSERT_EQ(told, *o.quoted) << "step " << step;
  }
  [[nodiscard]] uint64_t dropped_for(unsigned reason) const {
    uint64_t n = 0;
    for (IfIndex i = 0; i <= kIot; ++i) n += w->counters.drops[i][reason];
    return n;
  }
  /// To sent() what the established path left for the wire.
  void take_quick() {
    for (IfIndex i : {kLan, kWan, kIot}) {
      TxBuffer& buffer = w->tx[i];
      for (unsigned k = 0; k < buffer.count; ++k) {
        rte_mbuf* m = buffer.packets[k];
        const auto* data = rte_pktmbuf_mtod(m, const uint8_t*);
        sent().push_back({buffer.from[k], {data, data + m->pkt_len}});
        finish(*w, m);
        ++quick;
      }
      buffer.count = 0;
    }
  }
  std::string text(const PlainPacket& p, const PlainRouter::Outcome& o) const {
    std::string why;
    for (unsigned reason = 0; reason < kDropCount; ++reason) {
      if (dropped_for(reason) != dropped[reason])
        why += fmt::format(", {}", drop_name(static_cast<Drop>(reason)));
    }
    return fmt::format(
        "protocol {} {:08x}:{} to {:08x}:{} flags {:02x} sense {} size {} in by {}, state {}, out "
        "by "
        "{} in step {}{}",
        p.flow.proto, p.flow.src, p.flow.sport, p.flow.dst, p.flow.dport, p.tcp_flags,
        static_cast<unsigned>(p.sense), p.size, p.in_if, static_cast<unsigned>(o.state), o.out_if,
        step, why);
  }
  /// Sends packets as one burst and compares what comes of each, in the order they are worked on.
  /// Says what came of the last.
  PlainRouter::Outcome put_fragments(const std::vector<std::vector<uint8_t>>& bytes,
                                     const std::vector<std::vector<uint8_t>>& order,
                                     PlainPacket packet) {
    foreign = packet.sense == PlainPacket::Sense::kForeign;
    for (unsigned reason = 0; reason < dropped.size(); ++reason)
      dropped[reason] = dropped_for(reason);
    run(bytes, packet.in_if);
    take_quick();
    PlainRouter::Outcome o;
    size_t at = 0;
    for (const auto& one : order) {
      packet.size = static_cast<uint16_t>(one.size());
      o = plain.take(packet, w->now.cs);
      said();
      if (!o.sent) continue;
      if (at == sent().size()) ADD_FAILURE() << "nothing was sent of " << text(packet, o);
      if (HasFailure()) return o;
      compare(sent()[at++], o);
      if (HasFailure()) ADD_FAILURE() << text(packet, o);
    }
    EXPECT_EQ(at, sent().size()) << "more was sent than of " << text(packet, o);
    (void)punted();
    return o;
  }
  PlainRouter::Outcome put(const std::vector<uint8_t>& bytes, const PlainPacket& packet) {
    return put_fragments({bytes}, {bytes}, packet);
  }

  PlainRouter plain{snap.timeouts,
                    {[this](const Flow& f) { return standing(f) != nullptr; },
                     [this](const Flow& f) {
                       const Session* s = standing(f);
                       return s != nullptr ? s->reply.dport.host() : uint16_t{0};
                     }}};
  uint32_t next_slot = 2;
  unsigned step = 0;
  bool foreign = false;
  unsigned quick = 0;  // packets that took the established path
  std::array<uint64_t, kDropCount> dropped{};
};
}  // namespace maclane::test
