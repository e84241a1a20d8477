// Typed readings of values: every spelling in, the canonical one out, and back.
#include "control/model/value.h"

#include <gtest/gtest.h>

#include <random>

#include "control/model/doh_url.h"

namespace maclane::model {
namespace {

TEST(Value, TimesAreReadInEverySpelling) {  // C-11b
  EXPECT_EQ(parse_time_ms("1d"), 86'400'000);
  EXPECT_EQ(parse_time_ms("10m30s"), 630'000);
  EXPECT_EQ(parse_time_ms("1w2d3h"), ((7 + 2) * 24 + 3) * 3'600'000LL);
  EXPECT_EQ(parse_time_ms("00:30:00"), 1'800'000);
  EXPECT_EQ(parse_time_ms("1d00:30:00"), 88'200'000);
  EXPECT_EQ(parse_time_ms("300"), 300'000);
  EXPECT_EQ(parse_time_ms("0"), 0);
  EXPECT_EQ(parse_time_ms("500ms"), 500);
  EXPECT_EQ(parse_time_ms("0.2"), 200);
  EXPECT_EQ(parse_time_ms("1m0.25s"), 60'250);
  EXPECT_EQ(parse_time_ms("1.5h"), 5'400'000);
  EXPECT_EQ(parse_time_ms("0.0001s"), std::nullopt);
  EXPECT_EQ(parse_time_ms("1."), std::nullopt);
  EXPECT_EQ(parse_time_ms("1.2.3"), std::nullopt);
  EXPECT_EQ(parse_time_ms("2000us"), 2);
  EXPECT_EQ(parse_time_ms("00:00:01.5"), 1500);
}

TEST(Value, WrongTimesAreRefused) {
  for (const char* text : {"", "x", "1x", "1s1d", "1d5", "-1s", "00:61:00", "1:2", "s", "1s 2s",
                           "9999999999999w", "999999999999w", "5us", "1d1d"}) {
    EXPECT_EQ(parse_time_ms(text), std::nullopt) << text;
  }
}

TEST(Value, TimesAreWrittenShort) {  // C-11b
  EXPECT_EQ(format_time_ms(0), "0s");
  EXPECT_EQ(format_time_ms(86'400'000), "1d");
  EXPECT_EQ(format_time_ms(7 * 86'400'000LL), "1w");
  EXPECT_EQ(format_time_ms(90'500), "1m30s500ms");
  EXPECT_EQ(format_time_ms(4294967295LL * 1000), "7101w3d6h28m15s");  // A1
}

TEST(Value, WhatIsWrittenIsReadBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto ms = static_cast<int64_t>(random() % 4'294'967'295'000ULL);
    ASSERT_EQ(parse_time_ms(format_time_ms(ms)), ms);
    const auto ip = static_cast<uint32_t>(random());
    ASSERT_EQ(parse_ip4(format_ip4(ip)), ip);
    const Ip4Prefix prefix{ip, static_cast<uint8_t>(random() % 33)};
    const auto read = parse_prefix(format_prefix(prefix));
    ASSERT_TRUE(read);
    ASSERT_EQ(read->address, prefix.address);
    ASSERT_EQ(read->length, prefix.length);
    Mac mac;
    for (uint8_t& byte : mac) byte = static_cast<uint8_t>(random());
    ASSERT_EQ(parse_mac(format_mac(mac)), mac);
  }
  for (int i = 0; i < 256; ++i) {
    const auto protocol = static_cast<uint8_t>(i);
    ASSERT_EQ(parse_protocol(format_protocol(protocol)), protocol);
  }
}

TEST(Value, MacsTakeEverySeparator) {  // A1
  const Mac mac{0x76, 0x81, 0xBF, 0x68, 0x69, 0x83};
  for (const char* text : {"76:81:BF:68:69:83", "76:81:bf:68:69:83", "76-81-bf-68-69-83",
                           "76.81.bf.68.69.83", "7681.bf68.6983"}) {
    EXPECT_EQ(parse_mac(text), mac) << text;
  }
  for (const char* text : {"", "76:81:BF:68:69", "76:81-BF:68:69:83", "76:81:BF:68:69:8g",
                           "7681bf686983", "76:81:BF:68:69:833"}) {
    EXPECT_EQ(parse_mac(text), std::nullopt) << text;
  }
}

TEST(Value, AddressesAreStrict) {
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1..2.3",
                           "a.b.c.d", "1.2.3.-4"}) {
    EXPECT_EQ(parse_ip4(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_prefix("10.0.0.1")->length, 32);
  EXPECT_EQ(parse_prefix("10.0.0.0/255.255.240.0")->length, 20);
  EXPECT_EQ(parse_prefix("10.0.0.0/255.0.255.0").has_value(), false);
  EXPECT_EQ(parse_prefix("10.0.0.0/33").has_value(), false);
  EXPECT_EQ(parse_prefix("10.0.0.0/").has_value(), false);
  const auto set = parse_ip4_set("10.0.0.7/24");
  EXPECT_EQ(set->first, 0x0A000000u);
  EXPECT_EQ(set->last, 0x0A0000FFu);
  EXPECT_FALSE(parse_ip4_set("10.0.0.9-10.0.0.1"));
  EXPECT_EQ((Ip4Prefix{0x0A000001, 0}.mask()), 0u);
  EXPECT_EQ((Ip4Prefix{0x0A000001, 31}.broadcast()), 0x0A000001u);
}

TEST(Value, PortsIcmpAndLists) {
  EXPECT_EQ(parse_port_range("80")->last, 80);
  EXPECT_EQ(parse_port_range("1000-2000")->first, 1000);
  EXPECT_FALSE(parse_port_range("2000-1000"));
  EXPECT_FALSE(parse_port_range("65536"));
  EXPECT_FALSE(parse_port_range("80-"));
  EXPECT_EQ(parse_icmp_options("8")->code_last, 255);
  EXPECT_EQ(parse_icmp_options("3:4")->code_first, 4);
  EXPECT_EQ(parse_icmp_options("8:0-255")->code_last, 255);
  EXPECT_FALSE(parse_icmp_options("256"));
  EXPECT_FALSE(parse_icmp_options("8:"));
  EXPECT_EQ(split_list("a,b,c").size(), 3u);
  EXPECT_TRUE(split_list("").empty());
  EXPECT_EQ(split_list("a,").back(), "");
  EXPECT_TRUE(split_negation("!tcp").negated);
  EXPECT_EQ(split_negation("!tcp").value, "tcp");
}

TEST(Value, UrlsOfDnsOverHttps) {
  const auto plain = parse_doh_url("https://DNS.Example");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "dns.example");
  EXPECT_EQ(plain->path, "/dns-query");
  EXPECT_EQ(plain->port, 443);
  const auto whole = parse_doh_url("https://192.0.2.1:8443/dns/x?a=b");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->host, "192.0.2.1");
  EXPECT_EQ(whole->path, "/dns/x?a=b");
  EXPECT_EQ(whole->port, 8443);
  for (const char* text :
       {"http://dns.example/dns-query", "https://", "https:///x", "https://a..b/", "https://-a/",
        "https://a:0/", "https://a:65536/", "https://a:x/", "https://a/\"", "https://a/x\\y",
        "https://a/x y", "https://a./", "https://a b/", "dns.example"})
    EXPECT_FALSE(parse_doh_url(text)) << text;
}

}  // namespace
}  // namespace maclane::model
