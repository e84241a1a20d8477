// SCTP, DCCP and UDP-lite: ports that rules and NAT see (behaviour.md B-11, B-33), and checksums
// that stay right (RFC 9260, RFC 4340 9, RFC 3828 3.1).
#include "dataplane/stage/transport.h"

#include "dataplane/net/crc32c.h"
#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {
namespace {

using Packet = std::vector<uint8_t>;

/// CRC-32C bit by bit, as RFC 9260 appendix A defines it.
uint32_t crc32c(const uint8_t* data, size_t length) {
  uint32_t reg = ~uint32_t{0};
  for (size_t i = 0; i < length; ++i) {
    reg ^= data[i];
    for (int bit = 0; bit < 8; ++bit) reg = (reg & 1) != 0 ? reg >> 1 ^ 0x82f63b78u : reg >> 1;
  }
  return ~reg;
}

void append(Packet& to, std::initializer_list<int> bytes) {
  for (const int byte : bytes) to.push_back(static_cast<uint8_t>(byte));
}

void append_ports(Packet& to, uint16_t sport, uint16_t dport) {
  append(to, {sport >> 8, sport & 0xff, dport >> 8, dport & 0xff});
}

Packet sctp_body(uint16_t sport, uint16_t dport, uint8_t chunk = 1, uint8_t tag = 0,
                 size_t data = 20) {
  Packet p;
  append_ports(p, sport, dport);
  append(p, {0, 0, 0, tag, 0, 0, 0, 0, chunk, 0, 0, 4});
  for (size_t i = 0; i < data; ++i) p.push_back(static_cast<uint8_t>(i * 7));
  const uint32_t sum = crc32c(p.data(), p.size());
  std::memcpy(p.data() + 8, &sum, 4);
  return p;
}

bool sctp_ok(Packet l4) {
  uint32_t sum;
  std::memcpy(&sum, l4.data() + 8, 4);
  std::memset(l4.data() + 8, 0, 4);
  return crc32c(l4.data(), l4.size()) == sum;
}

Packet l4_of(const Sent& s) {
  return {s.frame.begin() + 34, s.frame.end()};
}

class Transport : public NatRouteros {
 protected:
  static Packet sctp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, uint8_t chunk = 1,
                     uint8_t tag = 0) {
    return ip_packet(src, dst, kProtoSctp, sctp_body(sport, dport, chunk, tag));
  }
  /// The checksum covers `covered` bytes (0: all), which the length field says.
  static Packet udp_lite(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                         uint16_t covered) {
    Packet p;
    append_ports(p, sport, dport);
    append(p, {covered >> 8, covered & 0xff, 0, 0});
    for (uint8_t i = 0; i < 21; ++i) p.push_back(i);
    seal(p, src, dst, kProtoUdpLite, covered == 0 ? p.size() : covered);
    return ip_packet(src, dst, kProtoUdpLite, p);
  }
  static Packet dccp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, uint8_t coverage,
                     uint8_t type = 0) {
    Packet p;
    append_ports(p, sport, dport);
    append(p, {5, coverage, 0, 0, type << 1 | 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4});
    for (uint8_t i = 0; i < 17; ++i) p.push_back(i);
    seal(p, src, dst, kProtoDccp, coverage == 0 ? p.size() : 20 + (coverage - 1u) * 4u);
    return ip_packet(src, dst, kProtoDccp, p);
  }
  static void seal(Packet& p, uint32_t src, uint32_t dst, uint8_t proto, size_t covered) {
    const uint16_t sum = checksum(
        p.data(), covered,
        pseudo_sum(be32::from(src), be32::from(dst), proto, static_cast<uint16_t>(p.size())));
    std::memcpy(p.data() + 6, &sum, 2);
  }
  static bool covered_ok(const Sent& s) {
    const Packet l4 = l4_of(s);
    const Ip4Hdr& ip = s.ip();
    size_t covered = l4.size();
    if (ip.proto == kProtoUdpLite && (l4[4] << 8 | l4[5]) != 0)
      covered = static_cast<size_t>(l4[4] << 8 | l4[5]);
    if (ip.proto == kProtoDccp && (l4[5] & 15) != 0) covered = 20 + ((l4[5] & 15) - 1u) * 4u;
    return checksum(l4.data(), covered,
                    pseudo_sum(ip.src, ip.dst, ip.proto, static_cast<uint16_t>(l4.size()))) == 0;
  }
  /// Everything the two hosts can only have by different outer ports.
  template <typename Make>
  void both_leave(Make&& make, bool (*ok)(const Sent&)) {
    nat({masquerade()});
    run({make(kPc), make(kPc2)}, kLan);
    ASSERT_EQ(sent().size(), 2u);
    EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 4000) << "kept, as it is free (B-33)";
    EXPECT_NE(sent()[1].l4<UdpHdr>().sport.host(), 4000);
    for (const Sent& s : sent()) {
      EXPECT_EQ(s.ip().src.host(), kWanIp);
      EXPECT_EQ(s.l4<UdpHdr>().dport.host(), 5000);
      EXPECT_TRUE(ok(s));
    }
  }
};

TEST(Crc32c, FollowsAChangeOfTheFirstFourBytes) {
  uint32_t seed = 1;
  for (const size_t length : {4u, 12u, 13u, 100u, 1480u, 65515u}) {
    Packet p(length);
    for (uint8_t& byte : p) byte = static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
    const uint32_t before = crc32c(p.data(), p.size());
    EXPECT_EQ(~crc32c_more(~uint32_t{0}, p.data(), p.size()), before);
    uint32_t old_value;
    std::memcpy(&old_value, p.data(), 4);
    std::memcpy(p.data(), &seed, 4);
    EXPECT_EQ(before ^ crc32c_change(old_value ^ seed, length), crc32c(p.data(), p.size()))
        << length;
  }
}

TEST_F(Transport, UdpLitePassesNatWithItsPartialChecksum) {  // RFC 3828 3.1
  for (const int covered : {0, 8, 13, 29}) {
    SCOPED_TRACE(covered);
    w->now.cs += 1000000;
    expire();
    both_leave(
        [&](uint32_t host) {
          return udp_lite(host, 4000, kServer, 5000, static_cast<uint16_t>(covered));
        },
        covered_ok);
  }
}

TEST_F(Transport, UdpLiteIsAStreamAsUdpIs) {
  nat({masquerade()});
  run(udp_lite(kPc, 4000, kServer, 5000, 8), kLan);
  run(udp_lite(kServer, 5000, kWanIp, 4000, 8), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 4000);
  EXPECT_TRUE(covered_ok(sent()[0]));
  w->now.cs += 300;
  run(udp_lite(kPc, 4000, kServer, 5000, 8), kLan);
  const auto hit = w->sessions.find(
      {be32::from(kPc), be32::from(kServer), be16::from(4000), be16::from(5000), kProtoUdpLite});
  ASSERT_TRUE(hit);
  EXPECT_TRUE(is_assured(w->sessions.at(hit.session), w->sessions.side(hit.session)));
}

TEST_F(Transport, WhatCannotBeUdpLiteIsRefused) {
  filter({of_state(Action::kDrop, ConnState::kInvalid, 1)});
  Packet zero = udp_lite(kPc, 4000, kServer, 5000, 0);
  zero[20 + 6] = zero[20 + 7] = 0;  // its checksum is not optional
  Packet broken = udp_lite(kPc, 4001, kServer, 5000, 12);
  broken[20 + 10] ^= 1;
  Packet behind = udp_lite(kPc, 4002, kServer, 5000, 12);
  behind[20 + 20] ^= 1;  // not covered: it may be broken
  run({zero, broken, behind}, kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 4002);
  EXPECT_EQ(rule(1).packets, 2u);
  run({udp_lite(kPc, 4003, kServer, 5000, 7), udp_lite(kPc, 4004, kServer, 5000, 30)}, kLan);
  EXPECT_EQ(drops(Drop::l4_malformed), 2u) << "coverage inside the header, and past the end";
}

TEST_F(Transport, DccpPassesNatWithItsPartialChecksum) {  // RFC 4340 9.2
  for (const int coverage : {0, 1, 3, 5}) {
    SCOPED_TRACE(coverage);
    w->now.cs += 1000000;
    expire();
    both_leave(
        [&](uint32_t host) {
          return dccp(host, 4000, kServer, 5000, static_cast<uint8_t>(coverage));
        },
        covered_ok);
  }
}

TEST_F(Transport, DccpIsOpenedByARequest) {
  filter({of_state(Action::kDrop, ConnState::kInvalid, 1)});
  run({dccp(kPc, 1, kServer, 5, 0, 1), dccp(kPc, 2, kServer, 5, 0, 7),
       dccp(kPc, 3, kServer, 5, 0, 6), dccp(kPc, 4, kServer, 5, 0, 0)},
      kLan);
  ASSERT_EQ(sent().size(), 1u) << "no Response, Reset or Close";
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 4);
  run(dccp(kServer, 5, kPc, 4, 0, 1), kWan);
  EXPECT_EQ(sent().size(), 1u);
  Packet broken = dccp(kPc, 6, kServer, 5, 1, 0);
  broken[20 + 9] ^= 1;
  Packet behind = dccp(kPc, 7, kServer, 5, 1, 0);
  behind[20 + 30] ^= 1;
  run({broken, behind}, kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 7);
  Packet longer = dccp(kPc, 8, kServer, 5, 0, 0);
  longer[20 + 4] = 200;  // a header longer than its packet
  Packet shorter = dccp(kPc, 9, kServer, 5, 0, 0);
  shorter[20 + 4] = 3;
  run({longer, shorter}, kLan);
  EXPECT_EQ(drops(Drop::l4_malformed), 2u);
}

TEST_F(Transport, SctpPassesNat) {  // RFC 9260 6.8
  both_leave([](uint32_t host) { return sctp(host, 4000, kServer, 5000); },
             [](const Sent& s) { return sctp_ok(l4_of(s)); });
  EXPECT_EQ(l4_of(sent()[0]), sctp_body(4000, 5000)) << "an address is not under its checksum";
  const uint16_t second = sent()[1].l4<UdpHdr>().sport.host();
  run({sctp(kServer, 5000, kWanIp, 4000, 2, 9), sctp(kServer, 5000, kWanIp, second, 2, 9)}, kWan);
  ASSERT_EQ(sent().size(), 2u);
  EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
  EXPECT_EQ(sent()[1].ip().dst.host(), kPc2);
  EXPECT_EQ(l4_of(sent()[1]), sctp_body(5000, 4000, 2, 9));
}

TEST_F(Transport, ABrokenSctpChecksumStaysBroken) {
  nat({masquerade()});
  run({sctp(kPc, 4000, kServer, 5000), sctp(kPc2, 4000, kServer, 5000)}, kLan);
  ASSERT_EQ(sent().size(), 2u);
  Packet broken = sctp(kPc2, 4000, kServer, 5000, 0, 5);
  broken[20 + 20] ^= 0x10;
  run(broken, kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_NE(sent()[0].l4<UdpHdr>().sport.host(), 4000);
  EXPECT_FALSE(sctp_ok(l4_of(sent()[0])));
}

TEST_F(Transport, SctpIsOpenedByControlChunksAlone) {
  filter({of_state(Action::kDrop, ConnState::kInvalid, 1)});
  Packet broken = sctp(kPc, 3, kServer, 5);
  broken[20 + 20] ^= 1;
  run({sctp(kPc, 1, kServer, 5, 1, 7), sctp(kPc, 2, kServer, 5, 0, 7), broken,
       sctp(kPc, 4, kServer, 5, 3, 7), sctp(kPc, 5, kServer, 5, 4, 7), sctp(kPc, 6, kServer, 5)},
      kLan);
  ASSERT_EQ(sent().size(), 2u) << "no INIT with a tag, no DATA, no SACK";
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 5);
  EXPECT_EQ(sent()[1].l4<UdpHdr>().sport.host(), 6);
}

TEST_F(Transport, AFragmentOfSctpWhosePortWouldChangeIsDroppedByName) {
  nat({masquerade()});
  run(sctp(kPc, 4000, kServer, 5000), kLan);
  const Packet body = sctp_body(4000, 5000);
  const auto piece = [&](uint32_t host, uint16_t id, bool first) {
    const auto middle = body.begin() + 24;
    return ip_packet(host, kServer, kProtoSctp,
                     first ? Packet(body.begin(), middle) : Packet(middle, body.end()), 64,
                     first ? 0x2000 : 3, id);
  };
  run({piece(kPc, 5, true), piece(kPc, 5, false), piece(kPc2, 6, true), piece(kPc2, 6, false)},
      kLan);
  EXPECT_EQ(sent().size(), 2u) << "the port of the first host stays";
  EXPECT_EQ(drops(Drop::frag_sctp), 2u);
}

TEST_F(Transport, RulesSeeThePorts) {  // B-11
  Draft to_port = make(Action::kDrop, 1);
  to_port.match = Rule::kProtocol | Rule::kDstPort;
  to_port.protocol = kProtoSctp;
  filter({to_port});
  auto set = std::make_shared<RuleSet>(*snap.filter);
  set->ports = {{5000, 5000}};
  set->rules[0].dst_ports = 0;
  set->rules[0].dst_port_count = 1;
  snap.filter = set;
  publish();
  run({sctp(kPc, 1, kServer, 5000), sctp(kPc, 1, kServer, 5001)}, kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().dport.host(), 5001);
  EXPECT_EQ(rule(1).packets, 1u);
}

TEST_F(Transport, DstNatToAnotherPort) {
  Draft there = publish_pc();
  there.match |= Rule::kProtocol;
  there.protocol = kProtoSctp;
  there.with.to_port_first = there.with.to_port_last = 7000;
  nat({}, {there});
  run(sctp(kServer, 4000, kWanIp, 5000), kWan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(l4_of(sent()[0]), sctp_body(4000, 7000));
  run(sctp(kPc, 7000, kServer, 4000, 2, 9), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(l4_of(sent()[0]), sctp_body(5000, 4000, 2, 9));
}

TEST_F(Transport, PortsAreLeftUnreadWhereTheyAreSwitchedOff) {  // B-24
  snap.portless = Snapshot::kSctp | Snapshot::kDccp | Snapshot::kUdpLite;
  nat({masquerade()});
  run({sctp(kPc, 4000, kServer, 5000), dccp(kPc, 4000, kServer, 5000, 1),
       udp_lite(kPc, 4000, kServer, 5000, 8)},
      kLan);
  ASSERT_EQ(sent().size(), 3u);
  EXPECT_EQ(l4_of(sent()[0]), sctp_body(4000, 5000));
  EXPECT_TRUE(covered_ok(sent()[1]) && covered_ok(sent()[2]));
  EXPECT_EQ(sent()[1].l4<UdpHdr>().sport.host(), 4000);
  for (const uint8_t proto : {kProtoSctp, kProtoDccp, kProtoUdpLite})
    EXPECT_NE(session(kPc, 0, kServer, 0, proto), nullptr) << unsigned{proto};
  run(sctp(kPc2, 4000, kServer, 5000), kLan);
  EXPECT_EQ(drops(Drop::nat_ports_exhausted), 1u) << "addresses alone cannot tell them apart";
}

TEST_F(Transport, ErrorsQuoteThem) {  // B-17, N-28
  nat({masquerade()});
  run({sctp(kPc, 4000, kServer, 5000), sctp(kPc2, 4000, kServer, 5000),
       udp_lite(kPc, 4000, kServer, 5000, 8), udp_lite(kPc2, 4000, kServer, 5000, 8)},
      kLan);
  ASSERT_EQ(sent().size(), 4u);
  const std::vector<Sent> out = sent();
  for (const unsigned n : {1u, 3u}) {
    Packet whole = packet_of(out[n]);
    for (const size_t quoted_bytes : {whole.size(), size_t{28}}) {
      Packet quoted_packet(whole.begin(), whole.begin() + static_cast<long>(quoted_bytes));
      run(icmp_error(kOnTheWay, kWanIp, 3, 3, quoted_packet), kWan);
      ASSERT_EQ(sent().size(), 1u);
      EXPECT_EQ(sent()[0].ip().dst.host(), kPc2);
      EXPECT_TRUE(sent()[0].checksums_ok());
      EXPECT_EQ(quoted<UdpHdr>(sent()[0]).sport.host(), 4000);
      const auto* l4 = reinterpret_cast<const uint8_t*>(&quoted<UdpHdr>(sent()[0]));
      if (n == 1 && quoted_bytes > 28) {
        EXPECT_TRUE(sctp_ok({l4, l4 + quoted_bytes - 20}));
      }
      if (n == 3) {
        const Packet sent_first = udp_lite(kPc2, 4000, kServer, 5000, 8);
        EXPECT_EQ(std::memcmp(l4, sent_first.data() + 20, quoted_bytes - 20), 0);
      }
    }
  }
}

// B-17: what has no ports needs no bytes behind its header to be known by.
TEST_F(Transport, AnErrorThatQuotesAHeaderAloneIsRelated) {
  nat({masquerade()});
  filter({of_state(Action::kDrop, ConnState::kInvalid, 1)});
  constexpr uint8_t kEsp = 50;
  for (const uint8_t proto : {kEsp, kProtoGre}) {
    run(ip_packet(kPc, kServer, proto, Packet(40)), kLan);
    ASSERT_EQ(sent().size(), 1u);
    Packet header = packet_of(sent()[0]);
    header.resize(20);
    run(icmp_error(kOnTheWay, kWanIp, 3, 2, header), kWan);
    ASSERT_EQ(sent().size(), 1u) << unsigned{proto};
    EXPECT_EQ(sent()[0].ip().dst.host(), kPc);
    EXPECT_EQ(quoted_ip(sent()[0]).src.host(), kPc);
    EXPECT_TRUE(sent()[0].checksums_ok());
  }
  run(udp(kPc, 2000, kServer, 53), kLan);
  Packet header = packet_of(sent()[0]);
  header.resize(20);
  run(icmp_error(kOnTheWay, kWanIp, 3, 3, header), kWan);
  EXPECT_TRUE(sent().empty()) << "of UDP nobody knows whose it is";
}

}  // namespace
}  // namespace maclane::test
