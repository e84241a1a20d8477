// Frames of L2 services (behaviour.md B-3): PPPoE sessions by the interface, the session id and the
// peer's MAC; discovery, PPP control and DHCP replies to control.
#include "dataplane/stage/pppoe.h"

#include "dataplane/worker/packet.h"
#include "tests/unit/l2/world.h"

namespace maclane {
namespace {

constexpr IfIndex kSession = 12, kOnVlan = 13, kOther = 14;
constexpr uint16_t kId = 0x0102;
const MacAddr kConcentrator{{0x02, 0xac, 0, 0, 0, 1}};

Bytes ip4_bytes(size_t size = 28) {
  Bytes ip = payload(size);
  ip[0] = 0x45;
  return ip;
}

/// A session frame; `pad` bytes follow what its length says.
Bytes session_frame(const MacAddr& dst, uint16_t id, const Bytes& ip, size_t pad = 0,
                    uint16_t protocol = kPppIp4,
                    const std::vector<std::pair<uint16_t, uint16_t>>& tags = {}) {
  Bytes f = frame(dst, kConcentrator, kEtherPppoeSession, 0, tags);
  const auto add16 = [&f](size_t value) {
    f.push_back(static_cast<uint8_t>(value >> 8));
    f.push_back(static_cast<uint8_t>(value));
  };
  f.push_back(kPppoeVersionType);
  f.push_back(0);
  add16(id);
  add16(ip.size() + 2);
  add16(protocol);
  f.insert(f.end(), ip.begin(), ip.end());
  f.resize(f.size() + pad, 0xee);
  return f;
}

class Pppoe : public World {
 protected:
  Pppoe() {
    snapshot.interfaces.resize(15);
    add(kSession, kB1, kId);
    add(kOnVlan, kV1, kId);
    add(kOther, kB1, kId + 1);
  }
  void add(IfIndex i, IfIndex lower, uint16_t id) {
    Interface& below = snapshot.interfaces[lower];
    below.pppoe = true;
    Interface& f = snapshot.interfaces[i];
    f = below;
    f.kind = IfKind::kPppoe;
    f.parent = lower;
    f.mtu = 1492;
    f.pppoe = false;
    f.pppoe_session = be16::from(id);
    f.pppoe_peer = kConcentrator;
    snapshot.pppoe_sessions.insert(MacAddr::from_key(pppoe_key(lower, f.pppoe_session)), i);
  }
};

TEST_F(Pppoe, SessionsComeInByTheirOwnInterface) {  // C-23
  const Bytes ip = ip4_bytes();
  Bytes expected_header = frame(mac_of(kB1), kConcentrator, kEtherIp4, 0);
  // One burst: the quick way, one that changes, and the same behind a priority tag.
  receive(kWirePort, {session_frame(mac_of(kB1), kId, ip), session_frame(mac_of(kB1), kId, ip, 10),
                      session_frame(mac_of(kB1), kId + 1, ip),
                      session_frame(mac_of(kB1), kId, ip, 0, kPppIp4, {{0x8100, 0x6000}})});
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 4u);
  const IfIndex in_if[] = {kSession, kSession, kOther, kSession};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(taken[i].in_if, in_if[i]) << i;
    EXPECT_EQ(taken[i].flags, L3Queue::kNone);
    EXPECT_EQ(taken[i].bytes, ip) << "padding is not of the packet";
    EXPECT_EQ(taken[i].header, expected_header);
  }
  // The session counts IP, the interfaces below it whole frames.
  EXPECT_EQ(counters(kSession).rx_packets, 3u);
  EXPECT_EQ(counters(kSession).rx_bytes, 3 * ip.size());
  EXPECT_EQ(counters(kOther).rx_packets, 1u);
  EXPECT_EQ(counters(kB1).rx_packets, 4u);
  EXPECT_EQ(counters(kEther).rx_packets, 4u);
  EXPECT_EQ(all_drops(), 0u);
}

TEST_F(Pppoe, SessionsOnAMacvlanOfAVlan) {
  receive(kWirePort, session_frame(mac_of(kV1), kId, ip4_bytes(), 0, kPppIp4, {{0x8100, 10}}));
  const auto taken = to_l3();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].in_if, kOnVlan);
}

TEST_F(Pppoe, WhatIsNotOfASessionIsDroppedByName) {
  const Bytes good = session_frame(mac_of(kB1), kId, ip4_bytes());
  Bytes stranger = good;
  std::copy(kStranger.bytes.begin(), kStranger.bytes.end(), stranger.begin() + 6);
  Bytes broadcast = good;
  std::fill_n(broadcast.begin(), 6, uint8_t{0xff});
  const Bytes other_id = session_frame(mac_of(kB1), 0x0999, ip4_bytes());
  const Bytes other_interface = session_frame(mac_of(kP1), kId, ip4_bytes());
  receive(kWirePort, {stranger, other_id, other_interface, broadcast});
  EXPECT_TRUE(to_l3().empty());
  receive(kWirePort, {good, stranger, good, other_id, good, other_interface, good});
  EXPECT_EQ(to_l3().size(), 4u);
  EXPECT_EQ(drops(kB1, Drop::pppoe_session), 4u);
  EXPECT_EQ(drops(kP1, Drop::pppoe_session), 2u) << "a session of another interface";
  EXPECT_EQ(counters(kSession).rx_packets, 4u);
}

TEST_F(Pppoe, WrongHeadersAndLengthsAreDroppedByName) {
  const Bytes good = session_frame(mac_of(kB1), kId, ip4_bytes());
  std::vector<Bytes> bad;
  const auto with = [&](size_t at, uint8_t value) {
    bad.push_back(good);
    bad.back()[at] = value;
  };
  with(14, 0x12);                      // version and type
  with(15, 0x09);                      // a discovery code
  with(19, static_cast<uint8_t>(31));  // one byte more than there is
  with(18, 0xff);                      // far more
  with(19, 1);                         // no room for a protocol
  for (size_t size : {14u, 15u, 19u, 21u}) bad.emplace_back(good.begin(), good.begin() + size);
  // Alone, between good ones whose head is remembered, and the ordinary way: behind a priority tag.
  receive(kWirePort, bad);
  EXPECT_TRUE(to_l3().empty());
  std::vector<Bytes> mixed{good};
  for (const Bytes& f : bad) mixed.insert(mixed.end(), {f, good});
  receive(kWirePort, mixed);
  EXPECT_EQ(to_l3().size(), bad.size() + 1);
  for (Bytes& f : bad) f.insert(f.begin() + 12, {0x81, 0x00, 0x60, 0x00});
  receive(kWirePort, bad);
  EXPECT_TRUE(to_l3().empty());
  EXPECT_TRUE(punts().empty());
  EXPECT_EQ(drops(kB1, Drop::pppoe_malformed), 3 * bad.size());
}

TEST_F(Pppoe, NegotiationGoesToControl) {
  const Bytes lcp = session_frame(mac_of(kB1), 0x0777, ip4_bytes(), 0, kPppLcp);
  const Bytes discovery = frame(mac_of(kB1), kStranger, kEtherPppoeDiscovery);
  const Bytes tagged = frame(mac_of(kV1), kStranger, kEtherPppoeDiscovery, 46, {{0x8100, 10}});
  receive(kWirePort, {lcp, discovery, tagged});
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 3u);
  for (const Punt& p : punted) EXPECT_EQ(p.message.reason, PuntReason::kPppoe);
  EXPECT_EQ(punted[0].message.in_if, kB1);
  EXPECT_EQ(punted[0].bytes, lcp) << "a session that control alone knows is its business";
  EXPECT_EQ(punted[1].bytes, discovery);
  EXPECT_EQ(punted[2].message.in_if, kV1);
  EXPECT_EQ(punted[2].bytes, frame(mac_of(kV1), kStranger, kEtherPppoeDiscovery));
  // Where no client stands nobody wants it, nor what is sent to all.
  receive(kWirePort, {frame(mac_of(kP1), kStranger, kEtherPppoeDiscovery),
                      session_frame(mac_of(kP1), kId, ip4_bytes(), 0, kPppLcp),
                      frame(kBroadcast, kStranger, kEtherPppoeDiscovery)});
  EXPECT_TRUE(punts().empty());
  EXPECT_EQ(drops(kP1, Drop::unknown_ethertype), 2u);
  EXPECT_EQ(drops(kEther, Drop::unknown_ethertype), 1u);
}

TEST_F(Pppoe, SendsFromTheInterfaceBelow) {
  const Bytes ip = ip4_bytes();
  rte_mbuf* m = packet(ip);
  pppoe_send(*worker, m, kOnVlan);
  tx_flush(*worker);
  Bytes expected = session_frame(kConcentrator, kId, ip, 0, kPppIp4, {{0x8100, 10}});
  const MacAddr own = mac_of(kV1);
  std::copy(own.bytes.begin(), own.bytes.end(), expected.begin() + 6);
  EXPECT_EQ(sent(0), std::vector<Bytes>{expected});
  EXPECT_EQ(counters(kOnVlan).tx_packets, 1u);
  EXPECT_EQ(counters(kOnVlan).tx_bytes, ip.size());
  EXPECT_EQ(counters(kV1).tx_bytes, ip.size() + 22);
  // Ended meanwhile.
  snapshot.interfaces[kOnVlan].up = false;
  pppoe_send(*worker, packet(ip), kOnVlan);
  EXPECT_EQ(drops(kOnVlan, Drop::tx_down), 1u);
}

TEST_F(Pppoe, PriorityIsOfTheTagsOfControlsFrame) {  // vlan-priority of a client
  const Bytes f = frame(kNobody, mac_of(kV1), kEtherPppoeDiscovery);
  worker->tag_priority = 5 << 13;
  send(kV1, f);
  worker->tag_priority = 0;
  send(kV1, f);
  const std::vector<std::pair<uint16_t, uint16_t>> first = {{0x8100, 5 << 13 | 10}};
  EXPECT_EQ(sent(0), (std::vector<Bytes>{
                         frame(kNobody, mac_of(kV1), kEtherPppoeDiscovery, 46, first),
                         frame(kNobody, mac_of(kV1), kEtherPppoeDiscovery, 46, {{0x8100, 10}})}));
}

// DHCP --------------------------------------------------------------------------------------------

Bytes dhcp_frame(const MacAddr& dst, unsigned ip_header = 20, uint16_t dport = 68,
                 uint16_t fragment = 0,
                 const std::vector<std::pair<uint16_t, uint16_t>>& tags = {}) {
  Bytes f = frame(dst, kStranger, kEtherIp4, ip_header + 8 + 40, tags);
  uint8_t* const ip = f.data() + 14 + 4 * tags.size();
  ip[0] = static_cast<uint8_t>(0x40 | ip_header / 4);
  ip[6] = static_cast<uint8_t>(fragment >> 8);
  ip[7] = static_cast<uint8_t>(fragment);
  ip[9] = kProtoUdp;
  ip[ip_header + 2] = static_cast<uint8_t>(dport >> 8);
  ip[ip_header + 3] = static_cast<uint8_t>(dport);
  return f;
}

using Dhcp = World;

TEST_F(Dhcp, UnicastRepliesGoToControl) {  // F-6
  for (IfIndex i : {kEther, kB1, kV1}) snapshot.interfaces[i].dhcp = true;
  const std::vector<Bytes> frames = {dhcp_frame(mac_of(kEther)), dhcp_frame(mac_of(kB1)),
                                     dhcp_frame(mac_of(kB1), 28),
                                     dhcp_frame(mac_of(kV1), 20, 68, 0, {{0x8100, 10}})};
  receive(kWirePort, frames);
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 4u);
  const IfIndex in_if[] = {kEther, kB1, kB1, kV1};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(punted[i].message.reason, PuntReason::kDhcp);
    EXPECT_EQ(punted[i].message.in_if, in_if[i]);
    EXPECT_FALSE(punted[i].message.broadcast);
    if (i < 3) {
      EXPECT_EQ(punted[i].bytes, frames[i]);
    }
  }
  EXPECT_TRUE(to_l3().empty());
  EXPECT_EQ(counters(kB1).rx_packets, 2u);
}

TEST_F(Dhcp, EverythingElseGoesItsOrdinaryWay) {
  snapshot.interfaces[kB1].dhcp = true;
  Bytes tcp = dhcp_frame(mac_of(kB1));
  tcp[14 + 9] = kProtoTcp;
  Bytes cut = dhcp_frame(mac_of(kB1), 60);
  cut.resize(14 + 40);
  receive(kWirePort, {dhcp_frame(mac_of(kB1), 20, 67), dhcp_frame(mac_of(kB1), 20, 68, 0x2000), tcp,
                      cut, dhcp_frame(mac_of(kP1))});
  EXPECT_EQ(to_l3().size(), 5u);
  EXPECT_TRUE(punts().empty());
}

TEST_F(Dhcp, OneBroadcastIsToldOnceWhoeverHearsIt) {
  snapshot.interfaces[kB1].dhcp = snapshot.interfaces[kP1].dhcp = true;
  const Bytes f = dhcp_frame(kBroadcast);
  receive(kWirePort, f);
  auto punted = punts();
  ASSERT_EQ(punted.size(), 1u);
  EXPECT_EQ(punted[0].message.reason, PuntReason::kDhcp);
  EXPECT_EQ(punted[0].message.in_if, kEther);
  EXPECT_TRUE(punted[0].message.broadcast);
  EXPECT_EQ(punted[0].bytes, f);
  ASSERT_EQ(to_l3().size(), 1u) << "the parent has no client: its input chain judges it";
  EXPECT_EQ(counters(kP1).rx_packets, 1u);

  snapshot.interfaces[kEther].dhcp = true;
  receive(kWirePort, f);
  EXPECT_EQ(punts().size(), 1u);
  EXPECT_TRUE(to_l3().empty());

  snapshot.interfaces[kB1].dhcp = snapshot.interfaces[kP1].dhcp = false;
  receive(kWirePort, f);
  punted = punts();
  ASSERT_EQ(punted.size(), 1u);
  EXPECT_TRUE(punted[0].message.broadcast);
  EXPECT_EQ(to_l3().size(), 2u);
}

/// The same to a server, for an address.
Bytes to_server(const MacAddr& dst, be32 address) {
  Bytes f = dhcp_frame(dst, 20, 67);
  std::memcpy(f.data() + 14 + 16, &address.raw, 4);
  return f;
}

TEST_F(Dhcp, WhatIsSaidToAServerGoesToControl) {  // E-14
  const be32 own = be32::from(0x0a000001), other = be32::from(0x0a000002);
  for (IfIndex i : {kEther, kB1}) {
    snapshot.interfaces[i].dhcp_server = true;
    snapshot.interfaces[i].primary_address = own;
  }
  receive(kWirePort, {to_server(mac_of(kB1), own), to_server(mac_of(kEther), own),
                      to_server(kBroadcast, be32::from(0xffffffff))});
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 3u);
  EXPECT_EQ(punted[0].message.in_if, kB1);
  EXPECT_FALSE(punted[0].message.broadcast);
  EXPECT_EQ(punted[1].message.in_if, kEther);
  EXPECT_TRUE(punted[2].message.broadcast);
  EXPECT_EQ(punted[2].message.out_if, kNoIf) << "it came from the wire";
  (void)to_l3();
  // A relay's message on its way to another server, and what is for a client, are ordinary.
  receive(kWirePort, {to_server(mac_of(kB1), other), dhcp_frame(mac_of(kB1))});
  EXPECT_TRUE(punts().empty());
  EXPECT_EQ(to_l3().size(), 2u);
  // A sibling's broadcast says whose it is.
  receive(1, to_server(kBroadcast, be32::from(0xffffffff)));
  const auto siblings = punts();
  ASSERT_EQ(siblings.size(), 1u);
  EXPECT_EQ(siblings[0].message.out_if, kB2);
}

TEST_F(Dhcp, ASiblingMayBeTheServer) {  // E-44
  snapshot.interfaces[kB1].dhcp = true;
  receive(1, dhcp_frame(kBroadcast));  // from kB2's kernel device
  receive(1, dhcp_frame(mac_of(kB1)));
  const auto punted = punts();
  ASSERT_EQ(punted.size(), 2u);
  EXPECT_TRUE(punted[0].message.broadcast);
  EXPECT_EQ(punted[1].message.in_if, kB1);
  EXPECT_TRUE(looped().empty());
}

}  // namespace
}  // namespace maclane
