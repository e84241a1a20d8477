// The rfc profile (B-36) under random packets from both sides, rule edits, an interface that goes
// down and comes up, changes of the outer address, of the profile and of filtering, and jumps of
// the clock, against a model: what an inside was seen as. After all is over nothing is left. The
// seeds are fixed.
#include <map>
#include <tuple>

#include "tests/unit/l3/nat_fuzz_fixture.h"

namespace maclane::test {

class NatRfcFuzz : public NatFuzzBase, public ::testing::WithParamInterface<unsigned> {
 protected:
  struct End {
    uint8_t proto;
    uint32_t host;
    uint16_t port;
    auto operator<=>(const End&) const = default;
  };
  struct Seen {
    End outer;
    uint32_t at;
  };

  void SetUp() override {
    begin(GetParam());
    snap.endpoint_independent = true;
    nat({masquerade()});
    let_through(true);
  }
  uint32_t server() { return kServer + below(3); }
  static End source_of(const Sent& s) {
    const uint8_t proto = s.ip().proto;
    const uint16_t port =
        proto == kProtoIcmp ? s.l4<IcmpHdr>().id.host() : s.l4<UdpHdr>().sport.host();
    return {proto, s.ip().src.host(), port};
  }
  /// What came out is right whatever it is.
  void check_sent() {
    for (const Sent& s : sent()) {
      ASSERT_TRUE(s.checksums_ok());
      // A connection that came in keeps the address it came to, whatever the router's is now.
      const uint32_t src = s.ip().src.host();
      ASSERT_FALSE(s.out_if == kWan && src != kWanIp && src != kSecondWanIp) << "untranslated";
    }
  }
  void send_out() {
    const uint32_t what = below(3);
    const End in{what == 0   ? kProtoUdp
                 : what == 1 ? kProtoTcp
                             : kProtoIcmp,
                 kPc + below(6), static_cast<uint16_t>(4000 + below(4))};
    const uint32_t to = server();
    const auto port = static_cast<uint16_t>(53 + below(2));
    run(what == 0   ? udp(in.host, in.port, to, port)
        : what == 1 ? tcp(in.host, in.port, to, port, kTcpSyn, 7)
                    : echo(in.host, to, in.port),
        kLan);
    check_sent();
    // Of TCP a repeated SYN does not say that its connection goes on.
    if (!passes || sent().empty() || in.proto == kProtoTcp) return;
    const End outer = source_of(sent()[0]);
    if (outer.host != address) return;
    if (only_rfc) {
      // N-1, N-3: while a connection of it lives for certain, an inside is seen as one outer end,
      // and nobody else is.
      const auto known = seen.find(in);
      if (known != seen.end() && w->now.cs - known->second.at < kTimeout) {
        ASSERT_EQ(known->second.outer, outer);
      }
      for (const auto& [other, as] : seen) {
        ASSERT_FALSE(other != in && w->now.cs - as.at < kTimeout && as.outer == outer);
      }
    }
    seen[in] = {outer, w->now.cs};
  }
  void come_in() {
    const bool known = !seen.empty() && below(3) != 0;
    End to{below(2) == 0 ? kProtoUdp : kProtoTcp, address, static_cast<uint16_t>(4000 + below(4))};
    const Seen* as = nullptr;
    const End* inside = nullptr;
    if (known) {
      auto it = seen.begin();
      std::advance(it, below(static_cast<uint32_t>(seen.size())));
      as = &it->second;
      inside = &it->first;
      to = as->outer;
    }
    const uint32_t from = server() + below(2);
    const auto port = static_cast<uint16_t>(53 + below(3));
    run(to.proto == kProtoUdp   ? udp(from, port, to.host, to.port)
        : to.proto == kProtoTcp ? tcp(from, port, to.host, to.port, kTcpSyn, 3)
                                : echo(from, to.host, to.port, true),
        kWan);
    check_sent();
    if (sent().empty() || as == nullptr || !only_rfc || w->now.cs - as->at >= kTimeout) return;
    ASSERT_EQ(sent()[0].ip().dst.host(), inside->host)
        << "what comes to an outer end is its inside's";
  }
  void hairpin() {
    if (seen.empty()) return;
    auto it = seen.begin();
    std::advance(it, below(static_cast<uint32_t>(seen.size())));
    const End to = it->second.outer;
    if (to.proto != kProtoUdp || to.host != address) return;
    const End in{kProtoUdp, kPc + below(6), static_cast<uint16_t>(4000 + below(4))};
    run(udp(in.host, in.port, to.host, to.port), kLan);
    check_sent();
    if (!only_rfc || sent().empty()) return;
    const auto known = seen.find(in);
    if (known != seen.end() && w->now.cs - known->second.at < kTimeout &&
        known->second.outer.host == address) {
      ASSERT_EQ(source_of(sent()[0]), known->second.outer) << "N-9";
    }
  }
  void edit() {
    switch (below(6)) {
      case 0:
        return let_through(!passes);
      case 1:
        change_address();
        seen.clear();
        break;
      case 2:
        snap.address_filtering = !snap.address_filtering;
        break;
      case 3:
        snap.inbound_refresh = !snap.inbound_refresh;
        break;
      case 4:
        // While both profiles' connections stand, what one says of all does not hold.
        snap.endpoint_independent = !snap.endpoint_independent;
        only_rfc = false;
        break;
      default: {
        // The link flaps: what was masqueraded is over (B-30).
        snap.interfaces[kWan].up = false;
        publish();
        for (uint32_t i = 0; i < w->sessions.capacity(); ++i) {
          const Session& s = w->sessions.at(i);
          if (s.has(Session::kUsed) && s.has(Session::kMasquerade)) w->sessions.release(i);
        }
        snap.interfaces[kWan].up = true;
        seen.clear();
        break;
      }
    }
    publish();
  }
  void pass_time() {
    pass_some_time();
    if (w->sessions.size() == 0) {
      ASSERT_EQ(w->shared->mappings.size(), 0u);
      ASSERT_EQ(w->shared->mappings.allowed(), 0u);
      only_rfc = snap.endpoint_independent;
      seen.clear();
    }
  }

  std::map<End, Seen> seen;
  bool only_rfc = true;
};

TEST_P(NatRfcFuzz, AgreesWithAModel) {
  for (unsigned step = 0; step < 8000 && !HasFatalFailure(); ++step) {
    const uint32_t what = below(1000);
    if (what < 500)
      send_out();
    else if (what < 800)
      come_in();
    else if (what < 900)
      hairpin();
    else if (what < 985)
      pass_time();
    else
      edit();
    (void)punted();
  }
  w->now.cs += 10 * kTimeout;
  expire();
  EXPECT_EQ(w->sessions.size(), 0u);
  EXPECT_EQ(w->shared->mappings.size(), 0u);
  EXPECT_EQ(w->shared->mappings.allowed(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, NatRfcFuzz, ::testing::Range(1u, 25u));

}  // namespace maclane::test
