// A dataplane of memory only for fuzz targets: what services send is looked at and ends, the clock
// is the target's. EAL begins with the target, on ordinary memory. Included by one file of a
// target.
#pragma once

#include <rte_mempool.h>

#include <array>
#include <new>
#include <span>
#include <vector>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "tests/fuzz/fuzz_steps.h"

namespace maclane {

/// The buffers of a target: at the end of an input none is in use.
inline rte_mempool* fuzz_pool() {
  static rte_mempool* const instance =
      rte_pktmbuf_pool_create("fuzz", 1023, 0, kPrivateSize, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
  return instance;
}

class FuzzIo : public PacketIo {
 public:
  rte_mbuf* alloc() override {
    rte_mbuf* m = rte_pktmbuf_alloc(fuzz_pool());
    if (m != nullptr) new (rte_mbuf_to_priv(m)) PacketMessage{};
    return m;
  }
  bool inject(rte_mbuf* m) override {
    must(rte_mbuf_check(m, 1, nullptr) == 0);
    must(message_of(m).out_if < published.interfaces.size());
    std::array<uint8_t, 4096> bytes{};
    ++injected;
    said(message_of(m), std::span(bytes).first(read_head(m, bytes)));
    rte_pktmbuf_free(m);
    return true;
  }
  void free(rte_mbuf* m, Drop, IfIndex) override { rte_pktmbuf_free(m); }
  void consume(rte_mbuf* m) override { rte_pktmbuf_free(m); }
  NeighbourTable& neighbours() override { return neighbours_; }
  McFilters& mc_filters() override { return mc_filters_; }
  const Snapshot& snapshot() override { return published; }
  std::vector<IfIndex> ways_to(be32) override { return {}; }
  uint64_t now_ms() override { return now; }

  /// A packet as a worker punts it; nullptr: it is too long.
  rte_mbuf* punt(PuntReason reason, IfIndex in_if, std::span<const uint8_t> frame) {
    rte_mbuf* m = make_packet(*this, frame);
    if (m == nullptr) return nullptr;
    message_of(m).reason = reason;
    message_of(m).in_if = in_if;
    return m;
  }

  Snapshot published;
  uint64_t now = 1'000'000;
  unsigned injected = 0;

 private:
  /// What was sent, as far as a target looks at it.
  virtual void said(const PacketMessage&, std::span<const uint8_t>) {}

  NeighbourTable neighbours_{512};
  McFilters mc_filters_{42};
};

}  // namespace maclane

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  maclane::start_eal("32");
  maclane::log::set_stderr(false);
  return 0;
}
