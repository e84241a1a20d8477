// What the tests of NAT share: an outside, two hosts inside, rules. The profile is routeros, which
// is the one there is.
#pragma once

#include <algorithm>

#include "dataplane/stage/conntrack.h"
#include "tests/unit/l3/fixture.h"

namespace maclane::test {

inline constexpr uint32_t kPc2 = ip4(192, 168, 88, 11), kOther = ip4(198, 51, 100, 8);
inline constexpr uint32_t kOnTheWay = ip4(198, 51, 100, 1);

inline std::vector<uint8_t> packet_of(const Sent& s) {
  return {s.frame.begin() + 14, s.frame.end()};
}

inline void set_ip_checksum(std::vector<uint8_t>& packet) {
  auto* ip = reinterpret_cast<Ip4Hdr*>(packet.data());
  ip->checksum = {};
  ip->checksum.raw = checksum(ip, ip->header_length());
}

/// What an ICMP error quotes.
inline const Ip4Hdr& quoted_ip(const Sent& s) {
  return *reinterpret_cast<const Ip4Hdr*>(s.frame.data() + 14 + 28);
}
template <typename T>
const T& quoted(const Sent& s) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const uint8_t*>(&quoted_ip(s)) +
                                     quoted_ip(s).header_length());
}

class NatRouteros : public L3Test {
 protected:
  void SetUp() override {
    L3Test::SetUp();
    neighbours->set(kLan, be32::from(kPc2), {{2, 0, 0, 0, 0, 0x20}}, NeighState::kReachable);
  }
  Session* session(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport, uint8_t proto) {
    const auto hit = w->sessions.find(
        {be32::from(src), be32::from(dst), be16::from(sport), be16::from(dport), proto});
    return hit ? &w->sessions.at(hit.session) : nullptr;
  }
  TimeoutClass class_of(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport) {
    const auto hit = w->sessions.find(
        {be32::from(src), be32::from(dst), be16::from(sport), be16::from(dport), kProtoTcp});
    return hit ? w->sessions.side(hit.session).timeout_class : TimeoutClass::kCount;
  }
  void expire() {
    for (int i = 0; i < 200; ++i) (void)w->sessions.expire(w->now.cs, snap.timeouts, 32);
  }
  static Draft src_nat(uint32_t first, uint32_t last) {
    Draft r = make(Action::kSrcNat, 60);
    r.match = Rule::kOutInterface;
    r.out_if = kWan;
    r.with.to_addresses = {first, last};
    return r;
  }
  /// What is sent to the router's outer address is the PC's.
  static Draft publish_pc() {
    Draft r = make(Action::kDstNat, 61);
    r.match = Rule::kDst;
    r.dst = {kWanIp, kWanIp};
    r.with.to_addresses = {kPc, kPc};
    return r;
  }
  static Draft inside_to_inside(Action action) {
    Draft r = make(action, 62);
    r.match = Rule::kSrc | Rule::kDst;
    r.src = r.dst = {ip4(192, 168, 88, 0), ip4(192, 168, 88, 255)};
    return r;
  }
  static Draft of_state(Action action, ConnState state, uint32_t counter) {
    Draft r = make(action, counter);
    r.match = Rule::kState;
    r.state_mask = static_cast<uint8_t>(1u << static_cast<unsigned>(state));
    return r;
  }
  void open_tcp() {
    run(tcp(kPc, 1000, kServer, 80, kTcpSyn, 100), kLan);
    run(tcp(kServer, 80, kWanIp, 1000, kTcpSyn | kTcpAck, 500, 101), kWan);
    run(tcp(kPc, 1000, kServer, 80, kTcpAck, 101, 501), kLan);
  }
};

}  // namespace maclane::test
