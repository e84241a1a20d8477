// Routes of programs, as rtnetlink tells of them (DESIGN 6).
#include "control/service/kernel_routes.h"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>

namespace maclane::test {
namespace {

constexpr unsigned kEther1 = 7, kEther2 = 8, kStranger = 9;

struct Said {
  uint16_t type = RTM_NEWROUTE;
  uint32_t destination = 0x0a000000;
  uint8_t length = 8;
  uint32_t gateway = 0xc0a85802;  // 192.168.88.2
  unsigned device = kEther2;
  uint8_t protocol = RTPROT_OSPF;
  uint32_t metric = 20;
  uint8_t kind = RTN_UNICAST;
  uint32_t table = RT_TABLE_MAIN;
  std::vector<std::pair<uint32_t, unsigned>> several{};
};

void put_address(nlmsghdr* header, uint16_t type, uint32_t address) {
  const be32 value = be32::from(address);
  mnl_attr_put(header, type, sizeof value.raw, &value.raw);
}

std::vector<char> message(const Said& said) {
  std::vector<char> buffer(2048);
  nlmsghdr* const header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = said.type;
  auto* const body = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
  body->rtm_family = AF_INET;
  body->rtm_dst_len = said.length;
  body->rtm_protocol = said.protocol;
  body->rtm_type = said.kind;
  body->rtm_table = RT_TABLE_UNSPEC;
  mnl_attr_put_u32(header, RTA_TABLE, said.table);
  if (said.length != 0) put_address(header, RTA_DST, said.destination);
  mnl_attr_put_u32(header, RTA_PRIORITY, said.metric);
  if (!said.several.empty()) {
    nlattr* const nest = mnl_attr_nest_start(header, RTA_MULTIPATH);
    for (const auto& [gateway, device] : said.several) {
      auto* const hop =
          static_cast<rtnexthop*>(mnl_nlmsg_put_extra_header(header, sizeof(rtnexthop)));
      hop->rtnh_ifindex = static_cast<int>(device);
      put_address(header, RTA_GATEWAY, gateway);
      hop->rtnh_len = static_cast<uint16_t>(static_cast<char*>(mnl_nlmsg_get_payload_tail(header)) -
                                            reinterpret_cast<char*>(hop));
    }
    mnl_attr_nest_end(header, nest);
  } else if (said.kind == RTN_UNICAST) {
    if (said.gateway != 0) put_address(header, RTA_GATEWAY, said.gateway);
    mnl_attr_put_u32(header, RTA_OIF, said.device);
  }
  buffer.resize(header->nlmsg_len);
  return buffer;
}

class KernelRoutesTest : public ::testing::Test {
 protected:
  void say(const Said& said) { routes.hear(message(said), now); }
  std::vector<std::string> learned() {
    Learned all;
    routes.add_learned(all, [](unsigned device) {
      return std::string(device == kEther1 ? "ether1" : device == kEther2 ? "ether2" : "");
    });
    std::vector<std::string> text;
    for (const LearnedRoute& r : all.routes) {
      text.push_back(r.gateway + " distance " + std::to_string(r.distance));
      origins.push_back(r.origin);
      types.push_back(r.type);
    }
    return text;
  }
  KernelRoutes routes;
  std::vector<LearnedFrom> origins;
  std::vector<LearnedRoute::Type> types;
  uint64_t now = 1000;
};
using Texts = std::vector<std::string>;

TEST_F(KernelRoutesTest, TakesThoseOfProgramsWithTheDistanceOfTheirProtocol) {
  struct Case {
    uint8_t protocol;
    unsigned distance;
    LearnedFrom origin;
  };
  for (const Case& c :
       {Case{RTPROT_BGP, 20, LearnedFrom::kBgp}, Case{RTPROT_OSPF, 110, LearnedFrom::kOspf},
        Case{RTPROT_ISIS, 115, LearnedFrom::kIsis}, Case{RTPROT_RIP, 120, LearnedFrom::kRip},
        Case{RTPROT_BIRD, 110, LearnedFrom::kProgram},
        Case{RTPROT_BOOT, 10, LearnedFrom::kProgram}}) {
    say({.protocol = c.protocol});
    origins.clear();
    EXPECT_EQ(learned(), Texts{"192.168.88.2%ether2 distance " + std::to_string(c.distance)});
    EXPECT_EQ(origins, std::vector{c.origin});
  }
}

TEST_F(KernelRoutesTest, LeavesTheKernelsItsOwnAndOthersTables) {
  say({.protocol = RTPROT_KERNEL});
  say({.protocol = 109});  // the host plane's
  say({.table = 28012});
  say({.table = RT_TABLE_LOCAL});
  say({.device = kStranger, .protocol = RTPROT_BGP});
  say({.kind = RTN_BROADCAST});
  EXPECT_TRUE(learned().empty());
}

TEST_F(KernelRoutesTest, TheLowestMetricStandsAndTheNextFollows) {
  say({.gateway = 0xc0a85803, .metric = 30});
  say({.metric = 20});
  EXPECT_EQ(learned(), Texts{"192.168.88.2%ether2 distance 110"});
  say({.type = RTM_DELROUTE, .metric = 20});
  EXPECT_EQ(learned(), Texts{"192.168.88.3%ether2 distance 110"});
  say({.type = RTM_DELROUTE, .gateway = 0xc0a85803, .metric = 30});
  EXPECT_TRUE(learned().empty());
}

TEST_F(KernelRoutesTest, SeveralNextHopsAreSeveralWays) {
  say({.several = {{0xc0a85802, kEther2}, {0xcb007101, kEther1}}});
  EXPECT_EQ(learned(),
            (Texts{"192.168.88.2%ether2 distance 110", "203.0.113.1%ether1 distance 110"}));
  say({.several = {{0xc0a85802, kEther2}, {0xcb007101, kStranger}}});
  EXPECT_TRUE(learned().empty()) << "half a route would send everything the one way";
}

TEST_F(KernelRoutesTest, RoutesThatRefuseAndRoutesToADevice) {
  say({.kind = RTN_BLACKHOLE});
  say({.destination = 0x0b000000, .gateway = 0});
  EXPECT_EQ(learned(), (Texts{" distance 110", "ether2 distance 110"}));
  EXPECT_EQ(types, (std::vector{LearnedRoute::Type::kBlackhole, LearnedRoute::Type::kUnicast}));
}

TEST_F(KernelRoutesTest, NewsArePassedOnOnceItIsQuiet) {
  EXPECT_FALSE(routes.changed(now));
  say({});
  EXPECT_FALSE(routes.changed(now));
  EXPECT_TRUE(routes.changed(now + KernelRoutes::kQuietMs + 1));
  EXPECT_FALSE(routes.changed(now + 10'000)) << "once";
  say({});
  EXPECT_FALSE(routes.changed(now + 10'000)) << "nothing new";
  // Never quiet: passed on all the same.
  for (uint32_t i = 0; i < 40; ++i, now += 20) {
    say({.destination = 0x0a000000 + (i << 8), .length = 24});
    if (routes.changed(now)) break;
  }
  EXPECT_LE(now, 1000 + KernelRoutes::kLongestMs + 20);
}

TEST_F(KernelRoutesTest, WhatIsNoRouteIsNothing) {
  std::vector<char> bytes = message({.several = {{0xc0a85802, kEther2}, {0xcb007101, kEther1}}});
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const char with : {char{0}, char{1}, static_cast<char>(0xff)}) {
      std::vector<char> broken = bytes;
      broken[i] = with;
      routes.hear(broken, now);
      routes.hear({broken.data(), i}, now);
    }
  }
  EXPECT_LE(routes.size(), 1000u);
}

TEST_F(KernelRoutesTest, TakesNoMoreThanThereIsRoomFor) {
  for (uint32_t i = 0; i < KernelRoutes::kMostLong + 5; ++i)
    say({.destination = 0x0a000000 + i, .length = 32});
  EXPECT_EQ(routes.size(), KernelRoutes::kMostLong);
  say({.destination = 0x0b000000, .length = 24});
  EXPECT_EQ(routes.size(), KernelRoutes::kMostLong + 1);
  say({.type = RTM_DELROUTE, .destination = 0x0a000000, .length = 32});
  say({.destination = 0x0c000000, .length = 32});
  EXPECT_EQ(routes.size(), KernelRoutes::kMostLong + 1);
}

std::vector<char> link_message(uint16_t type, unsigned flags) {
  std::vector<char> buffer(256);
  nlmsghdr* const header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = type;
  auto* const body = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(header, sizeof(ifinfomsg)));
  body->ifi_index = kEther2;
  body->ifi_flags = flags;
  buffer.resize(header->nlmsg_len);
  return buffer;
}

// The kernel takes the routes of a device that is down or gone, and of an address, without a word.
TEST(KernelDevicesTest, AreToldOfWhenTheyChange) {
  KernelRoutes routes;
  std::vector<std::pair<unsigned, bool>> told;
  routes.on_device([&](unsigned device, bool lost) { told.emplace_back(device, lost); });
  routes.hear(link_message(RTM_NEWLINK, IFF_UP), 1);
  routes.hear(link_message(RTM_NEWLINK, 0), 1);
  routes.hear(link_message(RTM_DELLINK, IFF_UP), 1);
  std::vector<char> buffer(256);
  nlmsghdr* const header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = RTM_DELADDR;
  static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(ifaddrmsg)))->ifa_index =
      kEther1;
  routes.hear({buffer.data(), header->nlmsg_len}, 1);
  header->nlmsg_len = sizeof(nlmsghdr);  // cut short
  routes.hear({buffer.data(), header->nlmsg_len}, 1);
  using Told = std::pair<unsigned, bool>;
  EXPECT_EQ(told, (std::vector<Told>{
                      {kEther2, false}, {kEther2, true}, {kEther2, true}, {kEther1, true}}));
}

}  // namespace
}  // namespace maclane::test
