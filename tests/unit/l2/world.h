// A small world for layer 2 tests: one wire with macvlans of every kind and nested VLANs, on
// net_ring devices whose sent frames the test reads back; a worker without a thread.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/worker/worker.h"

namespace maclane {

using Bytes = std::vector<uint8_t>;

inline constexpr uint16_t kIp = kEtherIp4;

// Interfaces of the world.
inline constexpr IfIndex kEther = 1;   // domain 0, port 0
inline constexpr IfIndex kB1 = 2;      // bridge, routed
inline constexpr IfIndex kB2 = 3;      // bridge, attached to port 1
inline constexpr IfIndex kB3 = 4;      // bridge, attached to port 2, which takes no clones
inline constexpr IfIndex kP1 = 5;      // private, routed
inline constexpr IfIndex kP2 = 6;      // private, attached to port 3
inline constexpr IfIndex kVlan10 = 7;  // domain 1
inline constexpr IfIndex kV1 = 8;      // bridge, routed, on vlan 10
inline constexpr IfIndex kVlan20 = 9;  // domain 2, inside vlan 10
inline constexpr IfIndex kDown = 10;   // bridge macvlan of the wire, down
inline constexpr IfIndex kStag = 11;   // domain 3: 802.1ad VID 30 on the wire
inline constexpr uint16_t kWirePort = 0;
inline constexpr std::array<uint16_t, 3> kAttachedPorts = {1, 2, 3};

inline constexpr unsigned kPoolSize = 4095;

class World : public testing::Test {
 protected:
  World();
  ~World() override;  // fails the test if a buffer leaked

  [[nodiscard]] static MacAddr mac_of(IfIndex interface);
  [[nodiscard]] rte_mbuf* packet(const Bytes& bytes);
  /// Through l2_input and tx_flush, in bursts.
  void receive(uint16_t port, const std::vector<Bytes>& frames);
  void receive(uint16_t port, const Bytes& frame) { receive(port, std::vector<Bytes>{frame}); }
  void send(IfIndex from, const Bytes& frame);
  /// What a port sent since the last call.
  [[nodiscard]] std::vector<Bytes> sent(uint16_t port);

  struct Taken {
    IfIndex in_if = kNoIf;
    uint8_t flags = 0;
    Bytes bytes;   // from the IP header on
    Bytes header;  // the 14 bytes before it
    friend bool operator==(const Taken&, const Taken&) = default;
  };
  [[nodiscard]] std::vector<Taken> to_l3() { return take(l3); }
  [[nodiscard]] std::vector<Taken> looped() { return take(worker->loopback); }
  struct Punt {
    PacketMessage message;
    Bytes bytes;
  };
  [[nodiscard]] std::vector<Punt> punts();
  [[nodiscard]] uint64_t drops(IfIndex interface, Drop reason) const {
    return worker->counters.drops[interface][static_cast<unsigned>(reason)];
  }
  [[nodiscard]] uint64_t all_drops() const;
  [[nodiscard]] const IfCounters& counters(IfIndex i) const {
    return worker->counters.interfaces[i];
  }

  Snapshot snapshot;
  std::unique_ptr<NeighbourTable> neighbours;
  std::unique_ptr<McFilters> filters;
  std::unique_ptr<Worker> worker;
  L3Queue l3;

 private:
  [[nodiscard]] static std::vector<Taken> take(L3Queue& queue);
};

inline const MacAddr kStranger{{0x02, 0xee, 0, 0, 0, 1}};
inline const MacAddr kNobody{{0x02, 0xee, 0, 0, 0, 2}};
inline const MacAddr kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
inline const MacAddr kGroup{{0x01, 0x00, 0x5e, 1, 2, 3}};
inline const MacAddr kLldp{{0x01, 0x80, 0xc2, 0, 0, 0x0e}};

/// A frame with `size` payload bytes that count up; tags are {tpid, tci} from the outermost.
[[nodiscard]] Bytes frame(const MacAddr& dst, const MacAddr& src, uint16_t type, size_t size = 46,
                          const std::vector<std::pair<uint16_t, uint16_t>>& tags = {});
/// The payload of such a frame.
[[nodiscard]] Bytes payload(size_t size = 46);

}  // namespace maclane
