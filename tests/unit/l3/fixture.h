// A worker with a hand-made snapshot, packets made in memory, and l2_send caught: the L3 stages
// alone.
//
// The network: lan (if 1, 192.168.88.1/24), wan (if 2, 203.0.113.2/24, gateway .1), iot (if 3,
// 192.168.99.1/24). Every neighbour used is known unless a test forgets it.
#pragma once

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/net/checksum.h"
#include "dataplane/stage/l3.h"
#include "dataplane/worker/worker.h"

namespace maclane::test {

inline constexpr IfIndex kLan = 1, kWan = 2, kIot = 3;

constexpr uint32_t ip4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}
inline constexpr uint32_t kPc = ip4(192, 168, 88, 10), kLanIp = ip4(192, 168, 88, 1);
inline constexpr uint32_t kWanIp = ip4(203, 0, 113, 2), kGateway = ip4(203, 0, 113, 1);
inline constexpr uint32_t kServer = ip4(198, 51, 100, 7), kIotHost = ip4(192, 168, 99, 20);

struct Sent {
  IfIndex out_if;
  std::vector<uint8_t> frame;  // Ethernet header first
  [[nodiscard]] const Ip4Hdr& ip() const {
    return *reinterpret_cast<const Ip4Hdr*>(frame.data() + 14);
  }
  template <typename T>
  [[nodiscard]] const T& l4() const {
    return *reinterpret_cast<const T*>(frame.data() + 14 + ip().header_length());
  }
  [[nodiscard]] bool checksums_ok() const;
};
std::vector<Sent>& sent();

struct Punted {
  PacketMessage message;
  std::vector<uint8_t> data;
};

/// A rule with what few rules have.
struct Draft : Rule {
  RuleMore with;
};

class L3Test : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // packets
  static std::vector<uint8_t> ip_packet(uint32_t src, uint32_t dst, uint8_t proto,
                                        const std::vector<uint8_t>& payload, uint8_t ttl = 64,
                                        uint16_t fragment = 0, uint16_t id = 1);
  static std::vector<uint8_t> udp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                                  size_t data = 18, uint8_t ttl = 64, bool checksum = true);
  static std::vector<uint8_t> tcp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                                  uint8_t flags, uint32_t seq = 0, uint32_t ack = 0);
  static std::vector<uint8_t> echo(uint32_t src, uint32_t dst, uint16_t id, bool reply = false);
  static std::vector<uint8_t> icmp_error(uint32_t src, uint32_t dst, uint8_t type, uint8_t code,
                                         const std::vector<uint8_t>& quoted);

  /// Runs packets through l3_input as one burst; clears sent() first.
  void run(const std::vector<std::vector<uint8_t>>& packets, IfIndex in_if, uint8_t flags = 0);
  void run(const std::vector<uint8_t>& packet, IfIndex in_if, uint8_t flags = 0) {
    run(std::vector<std::vector<uint8_t>>{packet}, in_if, flags);
  }
  std::vector<Punted> punted();
  [[nodiscard]] uint64_t drops(Drop reason) const;
  [[nodiscard]] RuleCounter rule(uint32_t slot) const;

  // configuration; each publishes a new generation
  void filter(std::vector<Draft> forward, std::vector<Draft> input = {},
              std::vector<Draft> output = {});
  void nat(std::vector<Draft> srcnat, std::vector<Draft> dstnat = {}, std::vector<Draft> input = {},
           std::vector<Draft> output = {});
  void mangle(std::vector<Draft> prerouting, std::vector<Draft> forward = {},
              std::vector<Draft> postrouting = {});
  void raw(std::vector<Draft> prerouting);
  void publish();
  static Draft make(Action action, uint32_t counter);
  static Draft masquerade(uint32_t counter = 60);

  std::unique_ptr<NeighbourTable> neighbours;
  std::unique_ptr<McFilters> mc;
  std::unique_ptr<Worker> w;
  Snapshot snap;
  unsigned pool_full = 0;
};

}  // namespace maclane::test
