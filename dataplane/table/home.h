// Which worker a connection belongs to, from its packet alone: its home.
//
// home is the same for both directions and for every worker, so that a packet finds its session
// without a lookup in anything shared. It looks at the unordered pair of ports (of an ICMP query:
// the id and the type) and at nothing else, because a translation that keeps the port then keeps
// the home; protocols without ports have the unordered pair of addresses. The few translations
// that do change it (worker/claim.h) are told to the other home. The hash is seeded once a
// process: who sends packets must not choose which worker they load. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/net/types.h"
#include "dataplane/net/wire.h"
#include "dataplane/table/session.h"

namespace maclane {

class HomeMap {
 public:
  HomeMap() noexcept = default;  // one worker: everything is its own
  HomeMap(unsigned workers, uint64_t seed) noexcept : workers_(workers), seed_(seed) {}

  [[nodiscard]] unsigned of(const Tuple& t) const noexcept {
    if (t.proto == kProtoTcp || t.proto == kProtoUdp || t.proto == kProtoIcmp) {
      return spread(pair(t.sport.raw, t.dport.raw));
    }
    return spread(pair(t.src.raw, t.dst.raw));
  }

  /// Where the pieces of a datagram meet, whichever of them come first: only the first has ports.
  [[nodiscard]] unsigned of_datagram(const Ip4Hdr& ip) const noexcept {
    const uint64_t addresses = uint64_t{ip.src.raw} << 32 | ip.dst.raw;
    return spread(addresses * 0x9e3779b97f4a7c15ULL + (uint64_t{ip.proto} << 16 | ip.id.raw));
  }

 private:
  static uint64_t pair(uint32_t a, uint32_t b) noexcept {
    return uint64_t{std::min(a, b)} << 32 | std::max(a, b);
  }
  /// Every bit of the key reaches the upper half, whose range is then cut in `workers_` pieces.
  [[nodiscard]] unsigned spread(uint64_t key) const noexcept {
    uint64_t h = (key ^ seed_) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ULL;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ULL;
    return static_cast<unsigned>((h >> 32) * workers_ >> 32);
  }

  unsigned workers_ = 1;
  uint64_t seed_ = 0;
};

}  // namespace maclane
