// Whole-tree rules of pools, DHCP servers and names, and the texts of DHCP.
#include "control/model/dhcp_option.h"
#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::HasSubstr;

std::string tree(const std::string& ip) {
  return with_ethers(
             "  macvlan:\n    - {name: m1, interface: ether1}\n"
             "    - {name: tapped, interface: ether1, attach: tap}\n") +
         "ip:\n" + ip;
}
std::string raw(std::string_view text) {
  const auto parts = parse_dhcp_option(text);
  return parts ? raw_dhcp_option(*parts) : "refused: " + parts.error();
}

TEST(DhcpText, OptionValues) {  // C-5
  EXPECT_EQ(raw("0x0a0B"), "0a0b");
  EXPECT_EQ(raw("'10.10.10.10'"), "0a0a0a0a");
  EXPECT_EQ(raw("s'10.0'"), "31302e30");
  EXPECT_EQ(raw("'10'"), "0a");
  EXPECT_EQ(raw("'hi'"), "6869");
  EXPECT_EQ(raw("0x01'a'$(HOSTNAME)0x02$(NETWORK_GATEWAY)"), "0161$(HOSTNAME)02$(NETWORK_GATEWAY)");
  EXPECT_EQ(raw(""), "");
  for (const char* wrong : {"0x1", "0x", "'a", "hello", "$(REMOTE_ID)"})
    EXPECT_THAT(raw(wrong), HasSubstr("refused")) << wrong;
}

TEST(DhcpText, ClientIds) {  // C-7
  const auto id = parse_client_id("1:AA:b:0");
  ASSERT_TRUE(id);
  EXPECT_EQ(*id, (std::vector<uint8_t>{1, 0xaa, 0xb, 0}));
  EXPECT_EQ(format_client_id(*id), "1:aa:b:0");
  for (const char* wrong : {"", "1:", ":1", "1:100", "x", "1:aaa"})
    EXPECT_FALSE(parse_client_id(wrong)) << wrong;
}

TEST(ValidateDhcp, AWholeServer) {  // C-2, C-3, C-7
  EXPECT_EQ(problems(tree(
                "  pool:\n    - {name: a, ranges: \"10.0.0.10-10.0.0.20,10.0.1.0/24\", "
                "next-pool: b}\n    - {name: b, ranges: 10.0.2.1}\n"
                "  dhcp-server/option:\n    - {name: o, code: 43, value: \"'x'\"}\n"
                "  dhcp-server/option/sets:\n    - {name: s, options: o}\n"
                "  dhcp-server:\n    - {name: d, interface: m1, address-pool: a, lease-time: 1d, "
                "authoritative: after-2sec-delay, delay-threshold: 3s, dhcp-option-set: s}\n"
                "  dhcp-server/network:\n    - {address: 10.0.0.0/24, gateway: 10.0.0.1, "
                "dns-server: [10.0.0.1, 10.0.0.2], dhcp-option: o}\n"
                "  dhcp-server/lease:\n    - {address: 10.0.0.5, client-id: \"1:2:3\", "
                "server: d}\n    - {address: 10.0.0.6, mac-address: \"02:00:00:00:00:01\"}\n")),
            "");
}

TEST(ValidateDhcp, WhatCannotBe) {
  EXPECT_THAT(problems(tree("  pool:\n    - {name: a, ranges: 10.0.0.1, next-pool: b}\n"
                            "    - {name: b, ranges: 10.0.0.2, next-pool: a}\n")),
              HasSubstr("lead back to"));
  EXPECT_THAT(problems(tree("  dhcp-server:\n    - {name: d, interface: m1}\n"
                            "    - {name: e, interface: m1}\n")),
              HasSubstr("dhcp-server on that interface already exists: d serves m1"));
  EXPECT_THAT(problems(tree("  dhcp-server:\n    - {name: d, interface: tapped}\n")),
              HasSubstr("tapped is attached"));
  EXPECT_THAT(problems(tree("  dhcp-server/lease:\n    - {address: 10.0.0.5}\n")),
              HasSubstr("missing =mac-address="));
  EXPECT_THAT(problems(tree("  dhcp-server/lease:\n"
                            "    - {address: 10.0.0.5, mac-address: \"02:00:00:00:00:01\"}\n"
                            "    - {address: 10.0.0.5, mac-address: \"02:00:00:00:00:02\"}\n")),
              HasSubstr("already have static lease with this address"));
  // The router's own address is nobody's lease; one that is not in use may be.
  const auto own = [](const std::string& more) {
    return problems(tree("  address:\n    - {address: 10.0.0.1/24, interface: m1" + more +
                         "}\n  dhcp-server/lease:\n    - {address: 10.0.0.1, mac-address: "
                         "\"02:00:00:00:00:01\"}\n"));
  };
  EXPECT_THAT(own(""), HasSubstr("10.0.0.1 is the router's own address, on m1"));
  EXPECT_EQ(own(", disabled: yes"), "");
  EXPECT_THAT(problems(tree("  dhcp-server/network:\n    - {address: 10.0.0.0/24}\n"
                            "    - {address: 10.0.0.0/24}\n")),
              HasSubstr("already have such network"));
}

TEST(ValidateDns, EveryTypeAndWhatItNeeds) {  // C-32
  EXPECT_EQ(problems(tree("  dns:\n    servers: [192.0.2.1]\n  dns/static:\n"
                          "    - {name: a.lan, address: 10.0.0.1, ttl: 5m}\n"
                          "    - {name: a.lan, type: AAAA, address: \"fd00::1\"}\n"
                          "    - {name: c.lan, type: CNAME, cname: a.lan}\n"
                          "    - {name: f.lan, type: FWD, forward-to: 10.0.0.2, "
                          "match-subdomain: yes}\n"
                          "    - {name: m.lan, type: MX, mx-exchange: a.lan}\n"
                          "    - {name: n.lan, type: NS, ns: a.lan}\n"
                          "    - {name: x.lan, type: NXDOMAIN, match-subdomain: yes}\n"
                          "    - {name: _s._tcp.lan, type: SRV, srv-target: a.lan, srv-port: 1}\n"
                          "    - {name: t.lan, type: TXT, text: hello}\n")),
            "");
  const auto one = [](const std::string& row) {
    return problems(tree("  dns/static:\n    - {" + row + "}\n"));
  };
  EXPECT_THAT(one("name: a.lan"), HasSubstr("missing =address="));
  EXPECT_THAT(one("name: a.lan, address: \"fd00::1\""), HasSubstr("cannot be of type=A"));
  EXPECT_THAT(one("address: 10.0.0.1"), HasSubstr("missing =name="));
  EXPECT_THAT(one("name: \"a,b\", address: 10.0.0.1"), HasSubstr("is no name"));
  EXPECT_EQ(one("name: t.lan, type: TXT, text: 'a\"b', match-subdomain: yes"), "");
  EXPECT_EQ(one("name: c.lan, type: CNAME, cname: far.example"), "");
  EXPECT_EQ(one("name: x.lan, type: NXDOMAIN"), "");
  EXPECT_EQ(one("name: m.lan, type: MX, mx-exchange: a.lan, ttl: 5m"), "");
  EXPECT_EQ(one("name: f.lan, type: FWD, forward-to: dns.example"), "");
  EXPECT_THAT(one("name: f.lan, type: FWD, forward-to: 1.2.3.400"), HasSubstr("type=FWD"));
  EXPECT_THAT(one("name: a.lan, type: AAAA, address: \"1:2:3\""), HasSubstr("type=AAAA"));
  EXPECT_EQ(one("regexp: '^ad[0-9]+', type: NXDOMAIN"), "");
  EXPECT_THAT(one("regexp: 'a(', type: NXDOMAIN"), HasSubstr("no extended regular expression"));
  EXPECT_THAT(one("regexp: a, name: b, type: NXDOMAIN"), HasSubstr("a name or a regexp"));
  EXPECT_THAT(one("regexp: a, type: NXDOMAIN, match-subdomain: yes"), HasSubstr("match-subdomain"));
  EXPECT_THAT(one("regexp: lan, type: CNAME, cname: a.lan"), HasSubstr("would lead back"));
  EXPECT_THAT(one("name: lan, type: CNAME, cname: a.lan, match-subdomain: yes"),
              HasSubstr("would lead back"));
}

// C-32: dnsmasq answers nothing at all if one name stands for two, or for itself.
TEST(ValidateDns, ANameStandsForOneOther) {
  const auto with = [](const std::string& rows) {
    return problems(tree("  dns/static:\n    - {name: w.lan, address: 10.0.0.2}\n" + rows));
  };
  const auto alias = [](const std::string& name, const std::string& target) {
    return "    - {name: " + name + ", type: CNAME, cname: " + target + "}\n";
  };
  EXPECT_EQ(with(alias("v.lan", "W.LAN") + alias("u.lan", "v.lan")), "");
  EXPECT_THAT(with(alias("s.lan", "S.lan")), HasSubstr("would lead back to s.lan"));
  EXPECT_THAT(with(alias("x.lan", "y.lan") + alias("y.lan", "z.lan") + alias("z.lan", "x.lan")),
              HasSubstr("would lead back to x.lan"));
  EXPECT_THAT(with(alias("v.lan", "w.lan") + alias("V.lan", "v.lan")),
              HasSubstr("another row of type=CNAME"));
}

TEST(ValidateDhcp, LeasesOfAddressesThatNoHostHas) {
  for (const char* address : {"0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255"}) {
    EXPECT_THAT(problems(with_ethers("") + "ip:\n  dhcp-server/lease:\n    - {address: " + address +
                         ", mac-address: \"02:00:00:00:00:01\"}\n"),
                HasSubstr("is no address that a client can have"))
        << address;
  }
}

TEST(ValidateDhcp, WhatTheExchangeConsistsOfIsNoOption) {  // RFC 2132 9
  for (const char* code : {"51", "52", "53", "54"}) {
    EXPECT_THAT(problems(with_ethers("") + "ip:\n  dhcp-server/option:\n    - {name: o, code: " +
                         code + ", value: \"0x05\"}\n"),
                HasSubstr("belongs to the exchange itself"))
        << code;
  }
}

}  // namespace
}  // namespace maclane::model
