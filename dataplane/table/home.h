// Which worker a connection belongs to, from its packet alone: its home.
//
// home is the same for both directions and for every worker, so that a packet finds its session
// without a lookup in anything shared. It looks at the unordered pair of ports (of an ICMP query:
// the id and the type) and at nothing else, because a translation that keeps the port then keeps
// the home; protocols without ports have the unordered pair of addresses. The few translations
// that do change it (worker/claim.h) are told to the other home. The hash is seeded once a
// process: who sends packets must not choose which worker they load.
//
// With Spread::kRss home is instead what a NIC makes of the same packet: Toeplitz over addresses
// and ports with the symmetric key, whose 16 bits repeat, through a table of kRssTable entries
// filled worker by worker. TCP and UDP then arrive at home and are not handed on, from NICs that
// can; a translation keeps its port only if the reply's home is the same, else takes one for which
// it is (nat_ports.h). The key is no secret: this trades that, and kept ports, for the handoff.
// Pure; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/net/types.h"
#include "dataplane/net/wire.h"
#include "dataplane/table/session.h"

namespace maclane {

enum class Spread : uint8_t { kPorts, kRss };

inline constexpr uint16_t kRssKeyWord = 0x6d5a;  // repeated over the whole key, whatever its size
inline constexpr unsigned kRssTable = 128;       // what every NIC's table is a multiple of

namespace rss {
/// Toeplitz hashes of one 16-bit word's upper and lower byte. As the key repeats after 16 bits, a
/// word counts the same wherever it stands, and the hash of all words is that of their sum.
struct Bytes {
  std::array<uint32_t, 256> upper{};
  std::array<uint32_t, 256> lower{};
};
constexpr Bytes make_bytes() noexcept {
  constexpr uint64_t kKey = uint64_t{kRssKeyWord} << 48 | uint64_t{kRssKeyWord} << 32 |
                            uint64_t{kRssKeyWord} << 16 | kRssKeyWord;
  Bytes b;
  for (unsigned value = 0; value < 256; ++value) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((value >> (7 - bit) & 1) == 0) continue;
      b.upper[value] ^= static_cast<uint32_t>(kKey >> (32 - bit));
      b.lower[value] ^= static_cast<uint32_t>(kKey >> (24 - bit));
    }
  }
  return b;
}
inline constexpr Bytes kBytes = make_bytes();
}  // namespace rss

/// What a NIC with the symmetric key computes of addresses and ports (Microsoft's RSS).
[[nodiscard]] inline uint32_t rss_hash(const Tuple& t) noexcept {
  const uint32_t addresses = t.src.raw ^ t.dst.raw;
  const auto word = static_cast<uint16_t>(addresses ^ addresses >> 16 ^ t.sport.raw ^ t.dport.raw);
  const uint16_t sum = be16{word}.host();
  return rss::kBytes.upper[sum >> 8] ^ rss::kBytes.lower[sum & 0xff];
}

class HomeMap {
 public:
  HomeMap() noexcept = default;  // one worker: everything is its own
  HomeMap(unsigned workers, uint64_t seed, Spread spread = Spread::kPorts) noexcept
      : workers_(workers), rss_(spread == Spread::kRss), seed_(seed) {}

  [[nodiscard]] unsigned of(const Tuple& t) const noexcept {
    if (rss_ && (t.proto == kProtoTcp || t.proto == kProtoUdp))
      return rss_hash(t) % kRssTable % workers_;
    if (t.proto == kProtoTcp || t.proto == kProtoUdp || t.proto == kProtoIcmp || has_ports(t)) {
      return spread(pair(t.sport.raw, t.dport.raw));
    }
    return spread(pair(t.src.raw, t.dst.raw));
  }

  /// Where the pieces of a datagram meet, whichever of them come first: only the first has ports.
  [[nodiscard]] unsigned of_datagram(const Ip4Hdr& ip) const noexcept {
    const uint64_t addresses = uint64_t{ip.src.raw} << 32 | ip.dst.raw;
    return spread(addresses * 0x9e3779b97f4a7c15ULL + (uint64_t{ip.proto} << 16 | ip.id.raw));
  }

  /// Whether a NIC's RSS decides (Spread::kRss).
  [[nodiscard]] bool rss() const noexcept { return rss_; }

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
  bool rss_ = false;
  uint64_t seed_ = 0;
};

}  // namespace maclane
