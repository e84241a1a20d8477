// Sessions and NAT (B-30, B-33, N-3, routeros profile) under random packets, rule edits, changes of
// the outer address and jumps of the clock, against a model that is a map of what left as what. The
// seeds are fixed: what fails once fails again.
#include <map>
#include <tuple>

#include "tests/unit/l3/nat_fuzz_fixture.h"

namespace maclane::test {

class NatFuzz : public NatFuzzBase, public ::testing::WithParamInterface<unsigned> {
 protected:
  struct Inside {
    uint8_t proto;
    uint32_t host;
    uint16_t port;
    uint32_t server;
    uint16_t server_port;
    auto operator<=>(const Inside&) const = default;
  };
  struct Mapping {
    uint32_t address;
    uint16_t port;
    uint32_t surely_seen;  // its session is there for a timeout from here on
    uint32_t maybe_seen;   // and gone two timeouts after this
  };

  void SetUp() override {
    begin(GetParam());
    nat({masquerade()});
    let_through(true);
  }
  [[nodiscard]] bool lives(const Mapping& m) const { return w->now.cs - m.surely_seen < kTimeout; }
  [[nodiscard]] bool may_live(const Mapping& m) const {
    return w->now.cs - m.maybe_seen < 2 * kTimeout;
  }
  /// Whether a mapping other than k's may have, or surely has, this outer end towards k's server.
  bool taken(const Inside& k, uint32_t by_address, uint16_t port, bool surely) {
    for (const auto& [key, m] : mappings) {
      if (key != k && key.proto == k.proto && key.server == k.server &&
          key.server_port == k.server_port && m.address == by_address && m.port == port &&
          (surely ? lives(m) : may_live(m))) {
        return true;
      }
    }
    return false;
  }
  void send_out() {
    Inside k{below(2) == 0 ? kProtoUdp : kProtoIcmp, kPc + below(8),
             static_cast<uint16_t>(4000 + below(8)), below(2) == 0 ? kServer : kOther,
             static_cast<uint16_t>(53 + below(2))};
    if (k.proto == kProtoIcmp) k.server_port = 0;
    run(k.proto == kProtoUdp ? udp(k.host, k.port, k.server, k.server_port)
                             : echo(k.host, k.server, k.port),
        kLan);
    const auto known = mappings.find(k);
    if (!passes) {
      EXPECT_TRUE(sent().empty());
      if (known == mappings.end()) return;
      known->second.maybe_seen = w->now.cs;
      if (known->second.address != address) known->second.surely_seen = w->now.cs - kTimeout;
      return;
    }
    ASSERT_EQ(sent().size(), 1u);
    const Sent& s = sent()[0];
    ASSERT_TRUE(s.checksums_ok());
    ASSERT_EQ(s.ip().src.host(), address);
    const uint16_t port =
        k.proto == kProtoUdp ? s.l4<UdpHdr>().sport.host() : s.l4<IcmpHdr>().id.host();
    if (known != mappings.end() && lives(known->second) && known->second.address == address) {
      ASSERT_EQ(port, known->second.port) << "a connection keeps what it has";
    } else if (port != k.port && (known == mappings.end() || known->second.port != port)) {
      ASSERT_TRUE(taken(k, address, k.port, false)) << "B-33: a free port is kept";
    }
    ASSERT_FALSE(taken(k, address, port, true)) << "N-3: no two share one";
    mappings[k] = {address, port, w->now.cs, w->now.cs};
  }
  void answer() {
    if (mappings.empty()) return;
    auto it = mappings.begin();
    std::advance(it, below(static_cast<uint32_t>(mappings.size())));
    const Inside& k = it->first;
    Mapping& m = it->second;
    if (m.address != address || !lives(m)) return;
    run(k.proto == kProtoUdp ? udp(k.server, k.server_port, m.address, m.port)
                             : echo(k.server, m.address, m.port, true),
        kWan);
    m.maybe_seen = w->now.cs;
    if (!passes) {
      EXPECT_TRUE(sent().empty());
      return;
    }
    ASSERT_EQ(sent().size(), 1u);
    const Sent& s = sent()[0];
    ASSERT_TRUE(s.checksums_ok());
    ASSERT_EQ(s.out_if, kLan);
    ASSERT_EQ(s.ip().dst.host(), k.host);
    ASSERT_EQ(k.proto == kProtoUdp ? s.l4<UdpHdr>().dport.host() : s.l4<IcmpHdr>().id.host(),
              k.port);
    m.surely_seen = w->now.cs;
  }
  /// What nobody asked for reaches nobody.
  void intrude() {
    if (address != kWanIp) return;
    run(udp(kServer, 7, kWanIp, static_cast<uint16_t>(4000 + below(8))), kWan);
    EXPECT_TRUE(sent().empty());
  }

  std::map<Inside, Mapping> mappings;
};

TEST_P(NatFuzz, AgreesWithAModel) {
  for (unsigned step = 0; step < 8000 && !HasFatalFailure(); ++step) {
    const uint32_t what = below(1000);
    if (what < 550)
      send_out();
    else if (what < 900)
      answer();
    else if (what < 960)
      intrude();
    else if (what < 990)
      pass_some_time();
    else if (what < 995)
      let_through(!passes);
    else
      change_address();
  }
  w->now.cs += 10 * kTimeout;
  expire();
  EXPECT_EQ(w->sessions.size(), 0u);
  let_through(true);
  run(udp(kPc, 4000, kServer, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].l4<UdpHdr>().sport.host(), 4000) << "every port is free again";
}
INSTANTIATE_TEST_SUITE_P(Seeds, NatFuzz, ::testing::Values(1u, 2u, 3u, 4u, 5u, 6u));

}  // namespace maclane::test
