// IPv4 longest prefix match to a next-hop index: rte_fib (DIR24_8, 2-byte next hops) behind a
// class, so that a later DPDK can update in place. Immutable once in a snapshot (22.11's rte_fib
// has no RCU: tbl8 groups would be recycled under readers). Control builds, workers look up.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataplane/net/types.h"

struct rte_fib;

namespace maclane {

struct Fib4Route {
  uint32_t network = 0;  // host order
  uint8_t length = 0;
  uint16_t next_hop = 0;  // index into Snapshot::next_hops; 0 = no route, at most kMaxNextHop
};

class Fib4 {
 public:
  static constexpr uint16_t kMaxNextHop = 0x7fff;
  /// Builds the table; nullptr and a sentence in *error if it does not fit or memory lacks.
  /// small: a compact structure for tests and tiny machines (RTE_FIB_DUMMY), same answers.
  static std::shared_ptr<const Fib4> build(std::span<const Fib4Route> routes, std::string* error,
                                           bool small = false);
  ~Fib4();
  Fib4(const Fib4&) = delete;
  Fib4& operator=(const Fib4&) = delete;

  /// next_hops[i] answers addresses_host_order[i]; 0 = no route. Any n up to the burst size.
  void lookup(const uint32_t* addresses_host_order, uint64_t* next_hops, unsigned n) const noexcept;
  [[nodiscard]] uint16_t lookup(uint32_t address_host_order) const noexcept;

 private:
  explicit Fib4(rte_fib* fib) : fib_(fib) {}
  rte_fib* fib_;
};

}  // namespace maclane
