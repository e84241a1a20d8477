// IPv4 longest prefix match to a next-hop index: rte_fib (DIR24_8, 2-byte next hops) behind a
// class. Immutable once in a snapshot (22.11's rte_fib has no RCU: tbl8 groups would be recycled
// under readers). Control builds, workers look up.
//
// Setting up a table of 32 MiB costs milliseconds, so a change of few routes does without:
// Fib4Maker keeps the table before the last, and brings it up to date once no snapshot holds it any
// more: then no worker reads it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

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
  friend class Fib4Maker;
  explicit Fib4(rte_fib* fib) : fib_(fib) {}
  /// room, groups: how many routes and split /24s it can come to hold. routes: shortest first.
  static std::shared_ptr<Fib4> make(std::span<const Fib4Route> routes, size_t room, uint32_t groups,
                                    bool small, std::string* error);
  rte_fib* fib_;
};

/// Makes one table after the other. Control thread only.
class Fib4Maker {
 public:
  explicit Fib4Maker(bool small = false) : small_(small) {}
  /// Like Fib4::build.
  std::shared_ptr<const Fib4> make(std::span<const Fib4Route> routes, std::string* error);
  /// How many were set up from nothing, and how many by changing an older one.
  [[nodiscard]] size_t built() const { return built_; }
  [[nodiscard]] size_t changed() const { return changed_; }

 private:
  struct Kept {
    std::shared_ptr<Fib4> fib;
    std::vector<Fib4Route> routes;  // by network, then length
    size_t room = 0;                // for routes
    uint32_t groups = 0;            // room for split /24s
  };
  [[nodiscard]] static bool bring_to(Kept& kept, std::vector<Fib4Route>& routes, uint32_t groups);
  std::shared_ptr<const Fib4> build(std::vector<Fib4Route> routes, uint32_t groups,
                                    std::string* error);

  bool small_;
  std::vector<Kept> kept_;  // at most two: the current one and the one before
  size_t built_ = 0, changed_ = 0;
};

}  // namespace maclane
