// Endpoint-independent NAT: the rfc profile (B-36) and the action (B-32), by the requirements of
// RFC 4787, 5382, 5508 and 7857. Of each test the name says the profile.
#include <set>

#include "dataplane/stage/filter.h"
#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {
namespace {

constexpr uint32_t kThird = ip4(198, 51, 100, 9);

Draft endpoint_independent(bool inwards) {
  Draft r;
  r.action = Action::kEndpointIndependent;
  r.counter = inwards ? 63 : 64;
  r.match = Rule::kProtocol | (inwards ? Rule::kInInterface : Rule::kOutInterface);
  r.protocol = kProtoUdp;
  (inwards ? r.in_if : r.out_if) = kWan;
  return r;
}

}  // namespace

class NatRfc : public NatRouteros {
 protected:
  void SetUp() override {
    NatRouteros::SetUp();
    snap.endpoint_independent = true;
    nat({masquerade()});
  }
  /// The outer port of the one packet that was sent.
  static uint16_t outer_port() {
    EXPECT_EQ(sent().size(), 1u);
    if (sent().size() != 1) return 0;
    const Sent& s = sent()[0];
    EXPECT_TRUE(s.checksums_ok());
    EXPECT_EQ(s.out_if, kWan);
    return s.ip().proto == kProtoIcmp ? s.l4<IcmpHdr>().id.host() : s.l4<UdpHdr>().sport.host();
  }
  uint16_t udp_out(uint32_t host, uint16_t port, uint32_t server, uint16_t server_port) {
    run(udp(host, port, server, server_port), kLan);
    return outer_port();
  }
  /// Whether a datagram from outside comes through to this inside.
  static bool reached(uint32_t host, uint16_t port) {
    return sent().size() == 1 && sent()[0].checksums_ok() && sent()[0].out_if == kLan &&
           sent()[0].ip().dst.host() == host && sent()[0].l4<UdpHdr>().dport.host() == port;
  }
  [[nodiscard]] uint32_t mappings() const { return w->shared->mappings.size(); }
  void let_everyone_in() {
    snap.address_filtering = false;
    publish();
  }
};

// N-1, N-3, N-15, N-39: one outer port for all destinations, for each protocol, though another host
// had the port first and other destinations are free.
TEST_F(NatRfc, AnInnerPortHasOneOuterPort) {
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  const uint16_t port = udp_out(kPc2, 4000, kServer, 53);
  EXPECT_NE(port, 4000);
  EXPECT_EQ(udp_out(kPc2, 4000, kOther, 53), port);
  EXPECT_EQ(udp_out(kPc2, 4000, kOther, 5060), port);
  EXPECT_EQ(udp_out(kPc, 4000, kOther, 5060), 4000);
  run(tcp(kPc2, 4000, kServer, 80, kTcpSyn), kLan);
  EXPECT_EQ(outer_port(), 4000) << "TCP's ports are not UDP's";
  run(tcp(kPc, 4000, kServer, 80, kTcpSyn), kLan);
  const uint16_t tcp_port = outer_port();
  EXPECT_NE(tcp_port, 4000);
  run(tcp(kPc, 4000, kOther, 443, kTcpSyn), kLan);
  EXPECT_EQ(outer_port(), tcp_port);
  EXPECT_EQ(mappings(), 4u);
}

// N-25: the id of ICMP queries likewise.
TEST_F(NatRfc, AQueryIdIsOneForAllDestinations) {
  run(echo(kPc, kServer, 77), kLan);
  EXPECT_EQ(outer_port(), 77);
  run(echo(kPc2, kServer, 77), kLan);
  const uint16_t id = outer_port();
  EXPECT_NE(id, 77);
  run(echo(kPc2, kOther, 77), kLan);
  EXPECT_EQ(outer_port(), id);
  run(echo(kOther, kWanIp, id, true), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc2);
  EXPECT_EQ(sent()[0].l4<IcmpHdr>().id.host(), 77);
}

// N-3, N-4, N-41: a port that must change stays odd or even, low or high, and is not the next one.
TEST_F(NatRfc, APortThatChangesKeepsItsParityAndClass) {
  std::set<uint16_t> seen;
  for (const uint16_t port : {uint16_t{4000}, uint16_t{4001}, uint16_t{700}, uint16_t{123}}) {
    EXPECT_EQ(udp_out(kPc, port, kServer, 53), port);
    const uint16_t other = udp_out(kPc2, port, kServer, 53);
    EXPECT_EQ(other & 1, port & 1);
    EXPECT_EQ(other < 1024, port < 1024);
    EXPECT_TRUE(seen.insert(other).second);
  }
  EXPECT_NE(*seen.rbegin(), 4002);
}

// N-8, N-17: address-dependent filtering takes packets from every port of an address that the
// inside has sent to, and from no other.
TEST_F(NatRfc, FiltersByAddress) {
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  run(udp(kServer, 9999, kWanIp, 4000), kWan);
  EXPECT_TRUE(reached(kPc, 4000));
  run(udp(kOther, 53, kWanIp, 4000), kWan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(drops(Drop::nat_filtered), 1u);
  EXPECT_EQ(udp_out(kPc, 4000, kOther, 7), 4000);
  run(udp(kOther, 53, kWanIp, 4000), kWan);
  EXPECT_TRUE(reached(kPc, 4000));
  run(tcp(kServer, 80, kWanIp, 4000, kTcpSyn), kWan);
  EXPECT_FALSE(reached(kPc, 4000)) << "N-39: it is UDP's port";
}

// N-8, N-17: endpoint-independent filtering takes them from everyone, TCP and UDP; answers leave
// with the outer port (N-1).
TEST_F(NatRfc, FiltersNobodyIfAsked) {
  let_everyone_in();
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  run(udp(kOther, 1234, kWanIp, 4000), kWan);
  EXPECT_TRUE(reached(kPc, 4000));
  EXPECT_EQ(udp_out(kPc, 4000, kOther, 1234), 4000);
  run(tcp(kPc, 5000, kServer, 80, kTcpSyn), kLan);
  EXPECT_EQ(outer_port(), 5000);
  run(tcp(kThird, 6000, kWanIp, 5000, kTcpSyn, 9), kWan);
  EXPECT_TRUE(reached(kPc, 5000));
  run(udp(kOther, 1234, kWanIp, 4001), kWan);
  EXPECT_TRUE(sent().empty()) << "a port without a mapping is the router's";
}

// N-33: what filtering takes the filter may still refuse, and it can tell: ein-dnat.
TEST_F(NatRfc, TheFilterIsAskedAsWell) {
  let_everyone_in();
  Draft unasked = make(Action::kDrop, 5);
  unasked.match = Rule::kNatState;
  unasked.nat_mask = RuleKey::kEndpointDstNat;
  filter({unasked});
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  run(udp(kOther, 1234, kWanIp, 4000), kWan);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(rule(5).packets, 1u);
  run(udp(kServer, 53, kWanIp, 4000), kWan);
  EXPECT_TRUE(reached(kPc, 4000));
}

// N-18: an unsolicited SYN meets silence, and the SYN that crosses it opens the connection (N-16).
TEST_F(NatRfc, AnUnsolicitedSynMeetsSilence) {
  run(tcp(kPc, 5000, kServer, 80, kTcpSyn, 1), kLan);
  EXPECT_EQ(outer_port(), 5000);
  run(tcp(kOther, 81, kWanIp, 5000, kTcpSyn, 7), kWan);
  EXPECT_TRUE(sent().empty());
  EXPECT_TRUE(punted().empty()) << "neither a reset nor an ICMP error";
  run(tcp(kPc, 5000, kOther, 81, kTcpSyn, 3), kLan);
  EXPECT_EQ(outer_port(), 5000);
  run(tcp(kOther, 81, kWanIp, 5000, kTcpSyn, 7), kWan);
  EXPECT_TRUE(reached(kPc, 5000));
}

// N-9, N-22: two hosts inside see each other's outer ends, without a rule, whatever is filtered.
TEST_F(NatRfc, HairpinShowsTheOuterSource) {
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  EXPECT_EQ(udp_out(kPc2, 4002, kServer, 53), 4002);
  run(udp(kPc, 4000, kWanIp, 4002), kLan);
  ASSERT_TRUE(reached(kPc2, 4002));
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 4000);
  run(udp(kPc2, 4002, kWanIp, 4000), kLan);
  ASSERT_TRUE(reached(kPc, 4000));
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 4002);
  run(udp(kPc, 4000, kWanIp, 4000), kLan);  // to oneself: neither a loop nor a crash
  EXPECT_LE(sent().size(), 1u);
  run(tcp(kPc2, 7000, kServer, 80, kTcpSyn, 1), kLan);
  run(tcp(kPc, 6000, kWanIp, 7000, kTcpSyn, 1), kLan);
  ASSERT_TRUE(reached(kPc2, 7000));
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
}

// N-8, N-9: with several uplinks (several macvlans of one port, say) who sends to an outer port by
// another one is outside as well: it is filtered, and no hairpin.
TEST_F(NatRfc, AnotherUplinkIsOutside) {
  constexpr IfIndex kWan2 = kIot;
  snap.return_ways.assign(kIot + 1, 0);
  snap.return_ways[kWan] = snap.return_ways[kWan2] = snap.fib->lookup(kServer);
  publish();
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  run(udp(kOther, 53, kWanIp, 4000), kWan2);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(drops(Drop::nat_filtered), 1u);
  run(udp(kServer, 54, kWanIp, 4000), kWan2);
  ASSERT_TRUE(reached(kPc, 4000));
  EXPECT_EQ(sent()[0].ip().src.host(), kServer);
}

// N-5, N-6: a mapping is there as long as one of its connections, and gone with the last.
TEST_F(NatRfc, AMappingLivesAsLongAsAConnection) {
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  const uint16_t port = udp_out(kPc2, 4000, kServer, 53);
  w->now.cs += 800;
  EXPECT_EQ(udp_out(kPc2, 4000, kOther, 53), port);
  w->now.cs += 800;
  expire();
  EXPECT_EQ(w->sessions.size(), 1u);
  EXPECT_EQ(mappings(), 1u);
  EXPECT_EQ(udp_out(kPc2, 4000, kServer, 53), port) << "though the port is free now";
  w->now.cs += 3000;
  expire();
  EXPECT_EQ(w->sessions.size(), 0u);
  EXPECT_EQ(mappings(), 0u);
  EXPECT_EQ(w->shared->mappings.allowed(), 0u);
  EXPECT_EQ(udp_out(kPc2, 4000, kServer, 53), 4000);
}

// N-38, N-40: who was not asked cannot keep a port open; answers do.
TEST_F(NatRfc, WhatNobodyAskedForDoesNotRefresh) {
  let_everyone_in();
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  for (int i = 0; i < 6; ++i) {
    w->now.cs += 400;
    expire();
    run(udp(kOther, static_cast<uint16_t>(1000 + i), kWanIp, 4000), kWan);
  }
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(mappings(), 0u) << "new connections from outside do not hold it either";
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  run(udp(kOther, 1000, kWanIp, 4000), kWan);
  EXPECT_EQ(udp_out(kPc, 4000, kOther, 1000), 4000);
  for (int i = 0; i < 6; ++i) {
    w->now.cs += 400;
    expire();
    EXPECT_EQ(udp_out(kPc, 4000, kOther, 1000), 4000);
  }
  EXPECT_EQ(mappings(), 1u);
  for (int i = 0; i < 6; ++i) {
    w->now.cs += 400;
    expire();
    run(udp(kOther, 1000, kWanIp, 4000), kWan);
  }
  EXPECT_EQ(mappings(), 0u);
  EXPECT_FALSE(reached(kPc, 4000));
}

// N-1, N-3: a connection from outside that nobody answered does not outlive the mapping it came by.
TEST_F(NatRfc, WhatWasNotAnsweredEndsWithItsMapping) {
  let_everyone_in();
  for (const bool inside_speaks : {false, true}) {
    EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
    w->now.cs += 800;
    run(udp(kOther, 1000, kWanIp, 4000), kWan);
    EXPECT_TRUE(reached(kPc, 4000));
    w->now.cs += 400;
    expire();
    EXPECT_EQ(mappings(), 0u);
    EXPECT_EQ(udp_out(kPc2, 4000, kServer, 53), 4000) << "the port is another's";
    if (inside_speaks) {
      EXPECT_NE(udp_out(kPc, 4000, kOther, 1000), 4000);
    } else {
      run(udp(kOther, 1000, kWanIp, 4000), kWan);
      EXPECT_TRUE(reached(kPc2, 4000));
    }
    w->now.cs += 3000;
    expire();
    EXPECT_EQ(w->sessions.size(), 0u);
  }
}

TEST_F(NatRfc, InboundRefreshIfAsked) {  // N-40
  let_everyone_in();
  snap.inbound_refresh = true;
  publish();
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  run(udp(kOther, 1000, kWanIp, 4000), kWan);
  EXPECT_EQ(udp_out(kPc, 4000, kOther, 1000), 4000);
  for (int i = 0; i < 6; ++i) {
    w->now.cs += 400;
    expire();
    run(udp(kOther, 1000, kWanIp, 4000), kWan);
    EXPECT_TRUE(reached(kPc, 4000));
  }
  EXPECT_EQ(mappings(), 1u);
}

// N-11, N-21, N-32: when ports run out none is shared and none is taken away; who asked is
// told, and it works again as soon as one is free.
TEST_F(NatRfc, OutOfPortsIsSaidAndPasses) {
  Draft two = masquerade();
  two.with.to_port_first = 4000;
  two.with.to_port_last = 4001;
  two.match |= Rule::kProtocol;
  two.protocol = kProtoUdp;
  nat({two});
  const uint16_t one = udp_out(kPc, 4000, kServer, 53);
  const uint16_t other = udp_out(kPc2, 4000, kServer, 53);
  EXPECT_NE(one, other);
  run(udp(kPc2, 4444, kOther, 99), kLan);
  EXPECT_TRUE(sent().empty()) << "though nobody talks to that destination";
  EXPECT_EQ(drops(Drop::nat_ports_exhausted), 1u);
  const auto told = punted();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].message.reason, PuntReason::kIcmpError);
  EXPECT_EQ(told[0].message.icmp_type, kIcmpUnreachable);
  EXPECT_EQ(told[0].message.icmp_code, 13);
  EXPECT_EQ(udp_out(kPc2, 4000, kOther, 99), other) << "known mappings go on";
  w->now.cs += 3000;
  expire();
  EXPECT_NE(udp_out(kPc2, 4444, kOther, 99), 0);
  EXPECT_EQ(drops(Drop::nat_ports_exhausted), 1u);
}

// No port of the router's own services is given away: a host could else take what is sent to them.
TEST_F(NatRfc, TheRoutersOwnPortsAreItsOwn) {
  snap.own_ports = {53, 8728};
  publish();
  const uint16_t port = udp_out(kPc, 8728, kServer, 53);
  EXPECT_NE(port, 8728);
  EXPECT_EQ(udp_out(kPc, 8728, kOther, 53), port);
}

// B-36: connections survive a switch of the profile, both ways, with the ports they have.
TEST_F(NatRfc, SwitchedWhileConnectionsStand) {
  snap.endpoint_independent = false;
  publish();
  EXPECT_EQ(udp_out(kPc, 4000, kServer, 53), 4000);
  EXPECT_EQ(udp_out(kPc2, 4000, kOther, 53), 4000) << "routeros shares ports (B-34, N-36)";
  const uint16_t old = udp_out(kPc2, 4000, kServer, 53);
  EXPECT_EQ(mappings(), 0u);
  snap.endpoint_independent = true;
  publish();
  EXPECT_EQ(udp_out(kPc2, 4000, kServer, 53), old);
  EXPECT_EQ(udp_out(kPc2, 4000, kOther, 53), 4000);
  const uint16_t mapped = udp_out(kPc2, 4000, kThird, 53);
  EXPECT_EQ(mappings(), 1u);
  EXPECT_EQ(udp_out(kPc2, 4000, kThird, 54), mapped);
  snap.endpoint_independent = false;
  publish();
  EXPECT_EQ(udp_out(kPc2, 4000, kThird, 53), mapped);
  run(udp(kThird, 53, kWanIp, mapped), kWan);
  EXPECT_TRUE(reached(kPc2, 4000));
  run(udp(kThird, 55, kWanIp, mapped), kWan);
  EXPECT_FALSE(reached(kPc2, 4000)) << "B-34: by address and port again";
  w->now.cs += 3000;
  expire();
  EXPECT_EQ(mappings(), 0u);
}

// B-32, routeros profile: the action maps independently of the other end and filters nobody, with
// its rule in each chain; TCP is not concerned.
TEST_F(NatRouteros, EndpointIndependentNat) {
  nat({endpoint_independent(false), masquerade()}, {endpoint_independent(true), publish_pc()});
  run(udp(kPc2, 4000, kServer, 53), kLan);
  run(udp(kPc, 4000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  const uint16_t port = sent()[0].l4<UdpHdr>().sport.host();
  EXPECT_NE(port, 4000);
  run(udp(kPc, 4000, kOther, 99), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), port);
  EXPECT_EQ(sent()[0].ip().src.host(), kWanIp);
  run(udp(kThird, 1, kWanIp, port), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 4000);
  EXPECT_EQ(rule(63).packets, 1u);
  run(udp(kThird, 1, kWanIp, 9), kWan);  // nobody's: the rule behind it decides
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(rule(63).packets, 1u);
  EXPECT_EQ(rule(61).packets, 1u);
  run(tcp(kPc, 4000, kServer, 80, kTcpSyn), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<TcpHdr>().sport.host(), 4000);
  EXPECT_EQ(w->shared->mappings.size(), 2u);
}

}  // namespace maclane::test
