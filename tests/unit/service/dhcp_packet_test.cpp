// DHCP messages to and from bytes: options, their parts, overload, classless routes, what is wrong.
#include "control/service/dhcp_packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maclane::dhcp {
namespace {

using ::testing::ElementsAre;

Message offer() {
  Message m;
  m.op = 2;
  m.xid = 0x01020304;
  m.yiaddr = be32::from(0xcb007132);
  m.chaddr = {{2, 0, 0, 0, 0, 1}};
  m.set(kMessageType, Bytes{2});
  m.set(kLeaseTime, 600);
  return m;
}

TEST(DhcpPacket, WhatIsBuiltIsRead) {
  Message m = offer();
  m.broadcast = true;
  m.set(kRouter, 0xcb007101);
  m.set(kHostName, Bytes{'e', 'd', 'g', 'e', 0});
  const Bytes bytes = build(m);
  EXPECT_EQ(bytes.size(), 300u);
  const auto read = parse(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->xid, m.xid);
  EXPECT_TRUE(read->broadcast);
  EXPECT_EQ(read->yiaddr, m.yiaddr);
  EXPECT_EQ(read->chaddr, m.chaddr);
  EXPECT_EQ(read->options, m.options);
  EXPECT_EQ(read->type(), Type::kOffer);
  EXPECT_EQ(read->number(kLeaseTime), 600u);
  EXPECT_THAT(read->addresses(kRouter), ElementsAre(be32::from(0xcb007101)));
  EXPECT_EQ(read->text(kHostName), "edge");
  EXPECT_FALSE(read->number(kHostName)) << "not four bytes";
}

TEST(DhcpPacket, LongOptionsAreSplitAndPutTogether) {  // RFC 3396
  Message m = offer();
  m.set(kClasslessRoutes, Bytes(600, 7));
  const auto read = parse(build(m));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->options.at(kClasslessRoutes), Bytes(600, 7));
}

TEST(DhcpPacket, OptionsOverflowIntoNameAndFile) {  // option 52
  Message m = offer();
  m.set(kOverload, Bytes{3});
  Bytes bytes = build(m);
  const Bytes in_file{kRouter, 4, 203, 0, 113, 1, kEnd};
  const Bytes in_name{kDns, 4, 203, 0, 113, 53, kEnd};
  std::copy(in_file.begin(), in_file.end(), bytes.begin() + 108);
  std::copy(in_name.begin(), in_name.end(), bytes.begin() + 44);
  auto read = parse(bytes);
  ASSERT_TRUE(read);
  EXPECT_THAT(read->addresses(kRouter), ElementsAre(be32::from(0xcb007101)));
  EXPECT_THAT(read->addresses(kDns), ElementsAre(be32::from(0xcb007135)));
  bytes[109] = 200;  // reaches beyond the file
  EXPECT_FALSE(parse(bytes));
}

TEST(DhcpPacket, WhatIsNoMessageIsRefused) {
  const Bytes good = build(offer());
  ASSERT_TRUE(parse(good));
  for (const size_t size : {0u, 1u, 239u, 240u}) {
    EXPECT_FALSE(parse(std::span(good).first(size))) << size;
  }
  const auto with = [&](size_t at, uint8_t value) {
    Bytes bad = good;
    bad[at] = value;
    return parse(bad).has_value();
  };
  EXPECT_FALSE(with(0, 3)) << "op";
  EXPECT_FALSE(with(1, 6)) << "hardware";
  EXPECT_FALSE(with(2, 16)) << "address length";
  EXPECT_FALSE(with(236, 0)) << "cookie";
  EXPECT_FALSE(with(241, 200)) << "an option beyond the end";
  EXPECT_FALSE(with(242, 9)) << "a type that is none";
}

TEST(DhcpPacket, ClasslessRoutes) {                        // RFC 3442
  const Bytes all{0,  203, 0,   113, 1,                    // default
                  24, 198, 51,  100, 203, 0,   113, 9,     // a network
                  32, 10,  1,   2,   3,   0,   0,   0, 0,  // a host on the link
                  9,  10,  255, 203, 0,   113, 2};         // host bits set
  const auto routes = classless_routes(all);
  ASSERT_TRUE(routes);
  EXPECT_THAT(*routes, ElementsAre(Route{0, 0, be32::from(0xcb007101)},
                                   Route{0xc6336400, 24, be32::from(0xcb007109)},
                                   Route{0x0a010203, 32, be32{}},
                                   Route{0x0a800000, 9, be32::from(0xcb007102)}));
  EXPECT_FALSE(classless_routes(Bytes{33, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_FALSE(classless_routes(std::span(all).first(all.size() - 1)));
  EXPECT_TRUE(classless_routes({})->empty());
}

TEST(DhcpPacket, FramesAreCheckedFromTheirFirstByte) {
  FrameFields fields;
  fields.src = {{2, 0, 0, 0, 0, 9}};
  fields.dst = MacAddr::from_key(0xffffffffffffULL);
  fields.ip_src = be32::from(0xcb007101);
  fields.ip_dst = be32::from(0xffffffff);
  fields.tos = 0x48;
  // Built as of a client; the port of a server's reply is put in by hand.
  Bytes frame = build_frame(fields, offer());
  EXPECT_EQ(frame[15], 0x48);
  EXPECT_FALSE(read_frame(frame)) << "for a server, not for us";
  std::swap(frame[35], frame[37]);  // 67 to 68: the checksum is that of either
  const auto heard = read_frame(frame);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->src, fields.src);
  EXPECT_EQ(heard->ip_src, fields.ip_src);
  EXPECT_EQ(heard->message.xid, 0x01020304u);
  for (size_t at : {12u, 14u, 20u, 23u, 24u, 30u, 38u, 100u}) {
    Bytes bad = frame;
    bad[at] ^= 0x41;
    EXPECT_FALSE(read_frame(bad)) << at;
  }
  for (size_t size = 0; size < frame.size(); size += 13) {
    EXPECT_FALSE(read_frame(std::span(frame).first(size))) << size;
  }
}

TEST(DhcpPacket, HostsAreNoGroupsAndNoNetworksOfNobody) {
  for (uint32_t one : {0u, 0x00000001u, 0x7f000001u, 0xe0000001u, 0xffffffffu}) {
    EXPECT_FALSE(is_host(be32::from(one)));
  }
  EXPECT_TRUE(is_host(be32::from(0x0a000001)));
}

}  // namespace
}  // namespace maclane::dhcp
