// Frames for the whole-path benchmark: UDP or TCP over many flows in random order, made fast enough
// not to be what is measured, and a sink that checks what came out. A TCP flow goes on where its
// last frame ended, acknowledges what its peer opened with, and is never answered after that.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/path/world.h"

struct rte_mbuf;

namespace maclane::bench {

/// Flow n of a case: which frame it is made of. Every n gives another 5-tuple.
struct Flows {
  uint32_t count = 1;
  std::vector<MacAddr> dst_macs;  // flow n goes to [n % size]
  MacAddr src_mac{{0x02, 0xaa, 0, 0, 0, 1}};
  uint32_t src_base = 0;  // + a number below src_hosts
  uint32_t src_hosts = 65536;
  uint32_t dst_base = 0;  // + n % dst_hosts
  uint32_t dst_hosts = 1;
  std::vector<uint32_t> dst_list;  // instead of dst_base: flow n goes to [n % size]
  uint16_t dst_port = 53;
  std::vector<uint16_t> sizes{60};  // frame bytes without FCS, taken in turn
  bool tcp = false;                 // else UDP; a TCP frame has kTcpFrame bytes at least
};
inline constexpr uint16_t kTcpFrame = 66;  // headers, and a stamp or the options of a SYN

struct FlowTuple {
  uint32_t src = 0, dst = 0;
  uint16_t sport = 0, dport = 0;
};
/// The addresses and ports of flow n; a bijection between n and (src, sport).
[[nodiscard]] FlowTuple flow_tuple(const Flows& flows, uint32_t n) noexcept;

/// What a frame says of itself, at the end of its payload: 12 bytes.
struct Stamp {
  uint32_t flow = 0;
  uint32_t sequence = 0;
  uint32_t magic = 0;
};
inline constexpr uint32_t kMagic = 0x6d61636c;

class Generator {
 public:
  Generator(const Flows& flows, uint64_t seed);
  /// Writes the next frame; in random order over the flows, or each once (in_order).
  void next(rte_mbuf* m) noexcept;
  void in_order(bool yes) noexcept { in_order_ = yes; }
  /// Only these flows.
  void only(std::vector<uint32_t> flows) { subset_ = std::move(flows); }
  /// TCP: the frames from now on open their flows, or carry data.
  void opening(bool yes) noexcept { opening_ = yes; }
  /// TCP: goes on where the flows of another generator of the same case are.
  void continue_from(const Generator& other) { next_sequence_ = other.next_sequence_; }
  /// Stamps frames with flow and sequence number, for the sink to check. Costs a table.
  void stamp(bool yes);
  [[nodiscard]] uint64_t made() const noexcept { return made_; }

 private:
  void write(rte_mbuf* m, uint32_t flow) noexcept;
  uint32_t write_tcp(uint8_t* data, uint16_t size, uint32_t flow) noexcept;
  const Flows flows_;
  std::vector<std::vector<uint8_t>> templates_;  // by size
  std::vector<uint32_t> base_sums_;              // L4 checksum of a template, unfolded
  uint64_t random_;
  uint32_t cursor_ = 0;
  bool in_order_ = false;
  bool stamp_ = false;
  bool opening_ = false;
  std::vector<uint32_t> sequence_;
  std::vector<uint32_t> next_sequence_;  // TCP: by flow
  std::vector<uint32_t> subset_;
  uint64_t made_ = 0;
};

/// Makes the answer to a frame that a generator made and the router sent: ports and addresses turn
/// round; to a SYN comes a SYN-ACK, to data an ACK with the largest window there is.
void turn_round(rte_mbuf* m, unsigned l2_bytes = sizeof(EtherHdr)) noexcept;

/// What the sink expects of frames that come out.
struct Expected {
  MacAddr dst_mac;              // of the next hop; zero: that of the flow, unrouted
  bool routed = true;           // TTL one less, MACs changed
  uint32_t masqueraded_as = 0;  // 0: source unchanged
  uint16_t pppoe_session = 0;   // 0: plain Ethernet
};

/// Checks stamped frames: checksums right, headers as expected, nothing lost, doubled or reordered
/// within a flow, and each flow its own translated port toward its destination.
class Sink {
 public:
  Sink(const Flows& flows, const Expected& expected);
  void take(const rte_mbuf* m);
  [[nodiscard]] uint64_t taken() const { return taken_; }
  /// "" or the first thing that was wrong.
  [[nodiscard]] const std::string& mistake() const { return mistake_; }

 private:
  void check(const uint8_t* frame, uint32_t length);
  const Flows flows_;
  const Expected expected_;
  std::vector<uint32_t> sequence_;
  std::vector<uint16_t> port_;                    // by flow: the translated one
  std::unordered_map<uint64_t, uint32_t> owner_;  // (dst, translated port) -> flow
  uint64_t taken_ = 0;
  std::string mistake_;
};

}  // namespace maclane::bench
