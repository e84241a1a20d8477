// A dataplane of memory only: packets that services inject are kept as bytes, drops are counted,
// the clock stands still until a test moves it. Every test ends with all buffers back in the pool.
//
// The network: ether1 (if 1, 192.168.1.1/24) with macvlans m2 (bridge, 192.168.1.2/24), m3
// (private, .3), m4 (bridge, .4), m5 (private, .5) and the attached a6 (bridge) and a7 (private);
// ether2 (if 8, 10.1.0.1/24 and 10.2.0.1/30) alone on its wire.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/service/packet_build.h"
#include "control/service/packet_io.h"
#include "control/service/services.h"

namespace maclane::test {

using Bytes = std::vector<uint8_t>;

struct Sent {
  PacketMessage message;
  Bytes bytes;
  template <typename T>
  [[nodiscard]] T at(size_t offset) const {
    T out;
    std::memcpy(static_cast<void*>(&out), bytes.data() + offset, sizeof(T));
    return out;
  }
  [[nodiscard]] Ip4Hdr ip() const { return at<Ip4Hdr>(0); }
  [[nodiscard]] ArpHdr arp() const { return at<ArpHdr>(14); }
};

class FakeIo final : public PacketIo {
 public:
  FakeIo();
  ~FakeIo() override;
  rte_mbuf* alloc() override;
  bool inject(rte_mbuf* packet) override;
  void free(rte_mbuf* packet, Drop reason, IfIndex in_if) override;
  void consume(rte_mbuf* packet) override;
  NeighbourTable& neighbours() override { return neighbours_; }
  McFilters& mc_filters() override { return mc_filters_; }
  const Snapshot& snapshot() override { return published; }
  std::vector<IfIndex> ways_to(be32 address) override { return ways[address.host()]; }
  uint64_t now_ms() override { return now; }

  /// A packet as a worker would punt it, chained if it is long.
  rte_mbuf* packet(const Bytes& bytes, const PacketMessage& message);
  std::vector<Sent> take() { return std::exchange(sent, {}); }
  [[nodiscard]] unsigned in_use() const;
  [[nodiscard]] unsigned dropped(Drop reason) const {
    const auto found = drops.find(reason);
    return found == drops.end() ? 0 : found->second;
  }

  Snapshot published;
  std::map<uint32_t, std::vector<IfIndex>> ways;  // by address
  uint64_t now = 1'000'000;
  std::vector<Sent> sent;
  std::map<Drop, unsigned> drops;
  unsigned consumed = 0;
  bool no_buffers = false;

 private:
  NeighbourTable neighbours_{512};
  McFilters mc_filters_{42};
};

constexpr uint32_t ip4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}
inline be32 addr(unsigned a, unsigned b, unsigned c, unsigned d) {
  return be32::from(ip4(a, b, c, d));
}
inline MacAddr mac(uint8_t last) {
  return {{0x02, 0, 0, 0, 0, last}};
}
inline constexpr IfIndex kAlone = 8;       // where no service is
inline constexpr uint64_t kSecond = 1000;  // of its clock, in milliseconds
inline const be32 kPeer = addr(192, 168, 1, 50), kHost = addr(10, 1, 0, 9);
inline const MacAddr kBroadcastMac = MacAddr::from_key(0xffffffffffffULL);
inline const MacAddr kPeerMac{{0x02, 0xaa, 0, 0, 0, 0x01}};
inline const MacAddr kOtherMac{{0x02, 0xbb, 0, 0, 0, 0x02}};

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Publishes what io.published and config say now.
  void publish();
  static Bytes arp_frame(uint16_t operation, const MacAddr& sender_mac, be32 sender,
                         const MacAddr& target_mac, be32 target,
                         const MacAddr& dst = kBroadcastMac);
  void hear(const Bytes& frame, IfIndex in_if, IfIndex sender = kNoIf);
  /// A who-has from the peer on the wire of in_if.
  void who_has(be32 sender, be32 target, IfIndex in_if = 1);
  /// The peer's answer to a who-has of ours.
  void answer(IfIndex to, be32 sender, const MacAddr& sender_mac = kPeerMac);
  void punt(const Bytes& packet, const PacketMessage& message);
  void resolve(IfIndex out_if, be32 next_hop, uint16_t id = 1, IfIndex in_if = 8);
  void local(const Bytes& packet, IfIndex in_if = 8, bool broadcast = false);
  void advance(uint64_t ms);
  [[nodiscard]] NeighState state(IfIndex interface, be32 address);
  [[nodiscard]] std::string status(IfIndex interface, be32 address);

  static Bytes ip_packet(be32 src, be32 dst, uint8_t proto, const Bytes& payload,
                         uint16_t fragment = 0, uint16_t id = 1);
  static Bytes echo(be32 src, be32 dst, size_t data, uint8_t type = kIcmpEcho);
  static Bytes udp(be32 src, be32 dst, size_t data = 10);
  static Bytes tcp(be32 src, be32 dst, uint8_t flags, uint32_t seq, uint32_t ack, size_t data = 0);

  FakeIo io;
  ServiceConfig config;
  std::unique_ptr<Services> services;
};

/// The checksum of a TCP or UDP packet is right.
[[nodiscard]] bool l4_checksum_ok(const Bytes& packet);

}  // namespace maclane::test
