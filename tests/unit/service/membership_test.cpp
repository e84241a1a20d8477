// IGMP and MLD reports of attached macvlans, and the filters that come of them.
#include "control/service/membership.h"

#include "dataplane/net/checksum.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

class MembershipTest : public ServiceTest {
 protected:
  void hear(const Bytes& frame, IfIndex in_if = 6) {
    PacketMessage m;
    m.reason = PuntReason::kMembership;
    m.in_if = in_if;
    punt(frame, m);
  }
  static Bytes igmp(Bytes body) {
    body[2] = body[3] = 0;
    const uint16_t sum = checksum(body.data(), body.size());
    std::memcpy(body.data() + 2, &sum, 2);
    Bytes out(14 + 24 + body.size());
    write_header(out, 0, EtherHdr{{{1, 0, 0x5e, 0, 0, 22}}, mac(6), be16::from(kEtherIp4)});
    Ip4Hdr ip =
        make_ip4({addr(192, 168, 1, 60), addr(224, 0, 0, 22), kProtoIgmp}, 24 + body.size());
    ip.version_ihl = 0x46;  // router alert
    write_header(out, 14, ip);
    const uint8_t alert[4] = {0x94, 4, 0, 0};
    std::memcpy(out.data() + 34, alert, 4);
    std::copy(body.begin(), body.end(), out.begin() + 38);
    return out;
  }
  static Bytes igmp(uint8_t type, Bytes group) {
    Bytes body{type, 0, 0, 0};
    body.insert(body.end(), group.begin(), group.end());
    return igmp(body);
  }
  static Bytes igmp3(uint8_t record, Bytes group, unsigned sources = 0) {
    Bytes body{0x22, 0, 0, 0, 0, 0, 0, 1, record, 0, 0, static_cast<uint8_t>(sources)};
    body.insert(body.end(), group.begin(), group.end());
    body.resize(body.size() + 4 * sources, 7);
    return igmp(body);
  }
  static Bytes mld(Bytes body) {
    Bytes out(14 + 40 + 8 + body.size());
    write_header(out, 0, EtherHdr{{{0x33, 0x33, 0, 0, 0, 0x16}}, mac(6), be16::from(kEtherIp6)});
    out[14] = 0x60;
    const size_t length = 8 + body.size();
    out[18] = static_cast<uint8_t>(length >> 8);
    out[19] = static_cast<uint8_t>(length);
    out[21] = 1;
    out[22] = 0xfe;
    out[23] = 0x80;
    out[38] = 0xff;
    out[39] = 2;
    out[53] = 0x16;
    const uint8_t hop[8] = {58, 0, 5, 2, 0, 0, 1, 0};
    std::memcpy(out.data() + 54, hop, 8);
    body[2] = body[3] = 0;
    uint32_t sum = sum_partial(out.data() + 22, 32);
    sum += be16::from(static_cast<uint16_t>(body.size())).raw + be16::from(58).raw;
    const uint16_t check = checksum(body.data(), body.size(), sum);
    std::memcpy(body.data() + 2, &check, 2);
    std::copy(body.begin(), body.end(), out.begin() + 62);
    return out;
  }
  static Bytes group6(uint8_t last) {
    return {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, last};
  }
  [[nodiscard]] bool passes(const MacAddr& group, IfIndex i = 6) {
    return io.mc_filters().accepts(i, group.key());
  }
};

const MacAddr kAll4{{1, 0, 0x5e, 0, 0, 1}}, kAll6{{0x33, 0x33, 0, 0, 0, 1}};
const MacAddr kGroup{{1, 0, 0x5e, 0x7f, 1, 2}};  // 239.255.1.2
const Bytes kGroupIp{239, 255, 1, 2};

TEST_F(MembershipTest, DefaultsByKind) {
  EXPECT_TRUE(passes(kAll4, 2));
  EXPECT_FALSE(passes(kAll6, 2));
  EXPECT_TRUE(passes(kAll4, 6));
  EXPECT_TRUE(passes(kAll6, 6));
  EXPECT_FALSE(passes(kGroup, 6));
  io.published.interfaces[6].multicast_all = true;
  publish();
  EXPECT_TRUE(passes(kGroup, 6));
  io.published.interfaces[6].multicast_all = false;
  io.published.interfaces.resize(6);  // 6 to 8 are gone
  io.published.domains[0].vports = {2, 3, 4, 5};
  std::erase_if(config.addresses, [](const auto& a) { return a.interface > 5; });
  publish();
  EXPECT_FALSE(passes(kAll4, 6));
  EXPECT_FALSE(passes(kAll4, 8));
}

TEST_F(MembershipTest, IgmpVersions) {
  for (const uint8_t report : Bytes{0x12, 0x16}) {
    hear(igmp(report, kGroupIp));
    EXPECT_TRUE(passes(kGroup));
    EXPECT_FALSE(passes(kGroup, 7));
    hear(igmp(0x17, kGroupIp));
    EXPECT_FALSE(passes(kGroup));
  }
  struct Case {
    uint8_t record;
    unsigned sources;
    bool before, after;
  };
  for (const Case& c :
       {Case{1, 0, true, false}, Case{1, 2, false, true}, Case{2, 0, false, true},
        Case{3, 0, true, false}, Case{3, 1, false, true}, Case{4, 0, false, true},
        Case{5, 1, false, true}, Case{6, 1, true, true}, Case{6, 1, false, false}}) {
    hear(igmp(c.before ? 0x16 : 0x17, kGroupIp));
    hear(igmp3(c.record, kGroupIp, c.sources));
    EXPECT_EQ(passes(kGroup), c.after) << int{c.record} << " " << c.sources;
  }
  EXPECT_EQ(io.in_use(), 0u);
}

TEST_F(MembershipTest, MldVersions) {
  const MacAddr group{{0x33, 0x33, 0xff, 0, 0, 9}};
  Bytes report{131, 0, 0, 0, 0, 0, 0, 0};
  const Bytes address = group6(9);
  report.insert(report.end(), address.begin(), address.end());
  hear(mld(report));
  EXPECT_TRUE(passes(group));
  report[0] = 132;
  hear(mld(report));
  EXPECT_FALSE(passes(group));
  Bytes second{143, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0};
  second.insert(second.end(), address.begin(), address.end());
  hear(mld(second));
  EXPECT_TRUE(passes(group));
  second[8] = 3;
  hear(mld(second));
  EXPECT_FALSE(passes(group));
}

TEST_F(MembershipTest, MalformedChangesNothing) {
  Bytes bad_sum = igmp(0x16, kGroupIp);
  bad_sum.back() ^= 1;
  hear(bad_sum);
  hear(igmp(0x16, {10, 0, 0, 1}));  // no group
  Bytes lying = igmp3(4, kGroupIp);
  lying[38 + 11] = 200;  // more sources than there is room for
  hear(lying);
  Bytes cut = igmp(0x16, kGroupIp);
  cut.resize(cut.size() - 2);
  hear(cut);
  hear(igmp(0x16, kGroupIp), 2);  // not an attached one
  hear({});
  EXPECT_FALSE(passes(kGroup));
  EXPECT_FALSE(passes(kGroup, 2));
  EXPECT_EQ(io.consumed, 6u);
}

// Without a querier hosts report once; with one, a group that is not confirmed any more goes.
TEST_F(MembershipTest, TimeoutsOnlyWhereTheHostAnswersQueries) {
  hear(igmp3(4, kGroupIp));
  hear(igmp3(4, {239, 255, 7, 7}));
  advance(3'600'000);
  EXPECT_TRUE(passes(kGroup));
  for (int i = 0; i < 3; ++i) {
    hear(igmp3(2, {239, 255, 7, 7}));
    advance(125'000);
  }
  EXPECT_FALSE(passes(kGroup));
  EXPECT_TRUE(passes({{1, 0, 0x5e, 0x7f, 7, 7}}));
}

TEST_F(MembershipTest, MoreGroupsThanWeKeepMeansAll) {
  for (unsigned i = 0; i < 300; ++i) {
    hear(igmp(0x16, {225, 1, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}));
  }
  for (unsigned i = 0; i < 256; ++i) {
    EXPECT_TRUE(passes({{1, 0, 0x5e, 9, 9, static_cast<uint8_t>(i)}}));
  }
}

TEST_F(MembershipTest, TwoGroupsOfOneEthernetAddress) {
  hear(igmp(0x16, {225, 127, 1, 2}));
  hear(igmp(0x16, kGroupIp));
  hear(igmp(0x17, kGroupIp));
  EXPECT_TRUE(passes(kGroup));
}

}  // namespace
}  // namespace maclane::test
