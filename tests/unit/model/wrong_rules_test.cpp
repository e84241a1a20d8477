// Wrong rules: each property of the four firewall menus with a value that is none of it. The
// sentence names the rule, the property and what would be right.
#include <map>
#include <set>

#include "tests/unit/model/model_test_help.h"

namespace maclane::model {
namespace {

using testing::HasSubstr;

struct Wrong {
  const char* property;
  const char* value;
  const char* right;  // a part of what the sentence says would be right
};

constexpr Wrong kWrong[] = {
    {"action", "block", "accept"},
    {"in-interface", "nowhere", "ether1 or ether2"},
    {"out-interface", "all-wireless", "not yet working"},
    {"in-interface-list", "nobody", "all"},
    {"out-interface-list", "nobody", "all"},
    {"src-address", "10.0.0.300", "address"},
    {"dst-address", "10.0.0.9-10.0.0.1", "address"},
    {"protocol", "quic", "tcp"},
    {"src-port", "http", "port"},
    {"dst-port", "90-80", "port"},
    {"port", "70000", "port"},
    {"icmp-options", "8:9-1", "type:code"},
    {"src-address-type", "anycast", "unicast"},
    {"dst-address-type", "remote", "local"},
    {"src-mac-address", "02:00:00:00:00", "MAC"},
    {"tcp-flags", "sin", "fin, syn, rst"},
    {"tcp-mss", "1460-100", "0..65535"},
    {"packet-size", "-5", "0..65535"},
    {"limit", "5/s", "10,5:packet"},
    {"dst-limit", "5,5,both", "src-and-dst-addresses"},
    {"psd", "21,3s", "21,3s,3,1"},
    {"nth", "0", "2,1"},
    {"random", "0", "1..99"},
    {"per-connection-classifier", "both-addresses:2", "both-addresses:2/0"},
    {"ttl", "less-than:0", "less-than:5"},
    {"dscp", "64", "0..63"},
    {"priority", "64", "0..63"},
    {"ingress-priority", "high", "0..63"},
    {"ipv4-options", "all", "router-alert"},
    {"fragment", "maybe", "yes nor no"},
    {"time", "8h-25h,mon", "8h-17h30m,mon"},
    {"ipsec-policy", "in,some", "in,none"},
    {"address-list-timeout", "for ever", "none-dynamic"},
    {"connection-state", "fresh", "established"},
    {"connection-nat-state", "nat", "srcnat"},
    {"connection-limit", "5,33", "0..32"},
    {"connection-bytes", "5k", "1000000-0"},
    {"connection-rate", "fast", "0-100k"},
    {"connection-type", "irc", "not yet working"},
    {"routing-mark", "nowhere", "nowhere"},
    {"reject-with", "icmp-go-away", "icmp-host-unreachable"},
    {"hw-offload", "maybe", "yes nor no"},
    {"to-addresses", "10.0.0.0/33", "address"},
    {"to-ports", "0x50", "port"},
    {"same-not-by-dst", "2", "yes nor no"},
    {"randomise-ports", "2", "yes nor no"},
    {"new-routing-mark", "nowhere", "nowhere"},
    {"new-mss", "70000", "clamp-to-pmtu"},
    {"new-ttl", "64", "set:64"},
    {"new-dscp", "ef", "0..63"},
    {"new-priority", "from-vlan", "from-ingress"},
    {"passthrough", "perhaps", "yes nor no"},
    {"log", "loud", "yes nor no"},
    {"log-prefix", "a prefix of more than thirty-one letters", "31 are the most"},
    {"disabled", "off", "yes nor no"},
};

/// What is no matcher, or has no opposite in RouterOS, is refused with a '!' too.
constexpr Wrong kNegated[] = {{"time", "!8h-17h,mon", "8h-17h30m,mon"},
                              {"ipsec-policy", "!in,ipsec", "in,none"},
                              {"address-list-timeout", "!1h", "none-dynamic"},
                              {"new-mss", "!1400", "clamp-to-pmtu"},
                              {"new-ttl", "!set:64", "set:64"},
                              {"new-priority", "!3", "from-ingress"},
                              {"random", "!0", "1..99"},
                              {"tcp-mss", "!1460-100", "0..65535"}};

/// Those that take any text, and what stands in relation to other properties.
const std::set<std::string_view> kFree = {
    "chain",       "src-address-list", "dst-address-list", "address-list",        "connection-mark",
    "packet-mark", "content",          "tls-host",         "new-connection-mark", "new-packet-mark",
    "jump-target", "comment"};

constexpr std::string_view kMenus[] = {"/ip/firewall/filter", "/ip/firewall/nat",
                                       "/ip/firewall/mangle", "/ip/firewall/raw"};

std::string chain_of(std::string_view path) {
  return path == "/ip/firewall/nat"   ? "srcnat"
         : path == "/ip/firewall/raw" ? "prerouting"
                                      : "forward";
}

std::string refusal(std::string_view path, std::string_view property, std::string_view value) {
  Model model;
  EXPECT_TRUE(model.replace(load(with_ethers(""))));
  Edit edit;
  edit.path = path;
  edit.values = {{"chain", chain_of(path)}, {std::string(property), std::string(value)}};
  auto result = model.apply({edit});
  return result ? "" : all_text(result.error());
}

TEST(WrongRules, EachPropertySaysWhatWouldBeRight) {
  std::map<std::string_view, const Wrong*> table;
  for (const Wrong& one : kWrong) table[one.property] = &one;
  for (std::string_view path : kMenus) {
    for (const Property& property : find_menu(path)->properties) {
      if (property.has(Property::kReadOnly) || kFree.contains(property.name)) continue;
      SCOPED_TRACE(std::string(path) + " " + std::string(property.name));
      const std::string_view value = property.has(Property::kNotYet) ? "1"
                                     : table.contains(property.name) ? table[property.name]->value
                                                                     : std::string_view{};
      ASSERT_FALSE(value.empty()) << "no wrong value is known of it";
      const std::string said = refusal(path, property.name, value);
      EXPECT_THAT(said, HasSubstr(std::string(path)));
      EXPECT_THAT(said, HasSubstr(std::string(property.name)));
      if (property.has(Property::kNotYet))
        EXPECT_THAT(said, HasSubstr("leave it out"));
      else
        EXPECT_THAT(said, HasSubstr(table[property.name]->right));
    }
  }
}

TEST(WrongRules, NoOppositeIsTakenWhereThereIsNone) {
  for (const Wrong& one : kNegated) {
    for (std::string_view path : kMenus) {
      if (find_menu(path)->find(one.property) == nullptr) continue;
      const std::string said = refusal(path, one.property, one.value);
      EXPECT_THAT(said, HasSubstr(one.property)) << path;
      EXPECT_THAT(said, HasSubstr(one.right)) << path;
    }
  }
}

TEST(WrongRules, AFileSaysWhichRuleItIs) {
  const std::string said = problems(with_ethers("") +
                                    "ip:\n  firewall:\n    filter:\n"
                                    "    - {chain: input, action: accept}\n"
                                    "    - {chain: input, protocol: udp, tcp-flags: syn}\n");
  EXPECT_THAT(said, HasSubstr("t.yaml:9"));
  EXPECT_THAT(said, HasSubstr("tcp-flags"));
  EXPECT_THAT(said, HasSubstr("add protocol: tcp"));
}

TEST(WrongRules, AFileHasNoRowsThatGoAway) {  // B-13
  EXPECT_THAT(
      problems("ip: {firewall: {address-list: [{list: a, address: 10.0.0.1, timeout: 1h}]}}"),
      HasSubstr("no part of a configuration"));
}

}  // namespace
}  // namespace maclane::model
