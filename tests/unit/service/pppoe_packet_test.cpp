// PPPoE frames to and from bytes: tags, lengths, padding (C-23).
#include "control/service/pppoe_packet.h"

#include <gtest/gtest.h>

#include "control/service/ppp_packet.h"

namespace maclane::pppoe {
namespace {

const MacAddr kAc{{0x02, 0xac, 0, 0, 0, 1}};
const MacAddr kOwn{{0x02, 0, 0, 0, 0, 2}};

TEST(PppoePacket, TagsAreBounded) {
  Discovery d;
  d.src = kAc;
  d.dst = kOwn;
  d.code = kPado;
  d.tags = {{Tag::kAcName, Bytes{'a', 'c'}}, {Tag::kHostUniq, {1, 2}}, {Tag::kServiceName, {}}};
  Bytes frame = build(d);
  frame.resize(60);  // padding of a short frame (C-23)
  const auto read = read_discovery(frame);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->tags.size(), 3u);
  EXPECT_EQ(*read->find(Tag::kAcName), (Bytes{'a', 'c'}));
  EXPECT_EQ(read->find(Tag::kAcCookie), nullptr);
  const size_t whole = build(d).size();
  for (size_t size = 0; size < whole; ++size)
    EXPECT_FALSE(read_discovery(std::span(frame).first(size))) << size;
  Bytes bad = frame;
  bad[14] = 0x12;
  EXPECT_FALSE(read_discovery(bad));
  bad = frame;
  bad[23] = 200;  // a tag beyond the end
  EXPECT_FALSE(read_discovery(bad));
  d.tags.insert(d.tags.begin(), {Tag::kEndOfList, {}});
  EXPECT_TRUE(read_discovery(build(d))->tags.empty()) << "what follows is not read";
}

TEST(PppoePacket, SessionFrames) {
  const Bytes packet{1, 2, 3};
  Bytes frame = build(SessionFrame{kAc, kOwn, 0x1234, ppp::kLcp, packet});
  frame.resize(60);
  const auto read = read_session(frame);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->session, 0x1234);
  EXPECT_EQ(read->protocol, ppp::kLcp);
  EXPECT_EQ(Bytes(read->packet.begin(), read->packet.end()), packet);
  frame[19] = 1;  // no room for a protocol
  EXPECT_FALSE(read_session(frame));
  frame[19] = 41;
  EXPECT_FALSE(read_session(frame));
}

}  // namespace
}  // namespace maclane::pppoe
