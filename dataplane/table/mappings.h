// Mappings of endpoint-independent NAT (behaviour.md B-32, B-36; RFC 4787 REQ-1 and REQ-8, RFC
// 5382): which outer port an inner address and port has towards everyone, and whose an outer port
// is.
//
// One table for all workers, as packets of one inner port to different destinations have different
// homes. A mapping has two entries: by its inside, which counts the connections that use it, and by
// its outside, which leads a packet that nobody asked for to the inside. It is gone with the last
// connection. Any thread may ask; workers hold and release without waiting: two that make the same
// mapping at once see each other and give way, a few times at most. To whom an inside has sent
// (address-dependent filtering) is a count by a seeded hash.
//
// Memory is set aside at start and taken when a mapping is first written.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/net/types.h"
#include "dataplane/table/connection_counts.h"

namespace maclane {

struct Mapping {
  be32 in_address;
  be32 out_address;
  be16 in_port;  // of ICMP queries: the id
  be16 out_port;
  uint8_t proto = 0;
  IfIndex out_if = kNoIf;  // where its first connection left
};

class Mappings {
 public:
  enum class Held : uint8_t {
    kHeld,   // the mapping is there, and counts one connection more
    kNone,   // there is none
    kTaken,  // the outer port is another's
    kBusy,   // another worker is at it: once more, or else give up
    kFull,
  };

  /// Room for about half of `slots` mappings, a power of two.
  Mappings(uint32_t slots, uint64_t seed);
  ~Mappings();
  Mappings(const Mappings&) = delete;
  Mappings& operator=(const Mappings&) = delete;
  [[nodiscard]] bool valid() const noexcept { return buckets_ != nullptr; }

  /// The mapping of m's inside towards m.out_address; fills in its out_port and out_if.
  [[nodiscard]] Held hold(Mapping& m) noexcept;
  /// A new one, held.
  [[nodiscard]] Held create(const Mapping& m) noexcept;
  /// A connection that held it is over.
  void release(const Mapping& m) noexcept;
  /// Whose m's outer port is; fills in its inside.
  [[nodiscard]] bool find_outside(Mapping& m) const noexcept;

  /// The inside has sent to an address; and the connection by which it did is over.
  void allow(const Mapping& m, be32 remote) noexcept;
  void disallow(const Mapping& m, be32 remote) noexcept;
  [[nodiscard]] bool allows(const Mapping& m, be32 remote) const noexcept;

  [[nodiscard]] uint32_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] size_t bytes() const noexcept;
  /// Addresses that are allowed, for tests.
  [[nodiscard]] uint32_t allowed() const noexcept { return allowed_.used(); }

 private:
  static constexpr unsigned kWays = 4;
  static constexpr unsigned kRounds = 32;
  // A key whose entry is being filled or emptied: nobody may use it.
  static constexpr uint64_t kPending = uint64_t{1} << 62;
  static constexpr uint64_t kValid = uint64_t{1} << 63;
  struct Entry {
    std::atomic<uint64_t> key;      // 0: free
    std::atomic<uint64_t> inside;   // address, port, protocol
    std::atomic<uint64_t> outside;  // address, port, interface
    std::atomic<uint64_t> count;    // the key's upper half, and connections below
  };
  struct alignas(128) Bucket {
    std::array<Entry, kWays> entries;
  };
  static_assert(sizeof(Bucket) == 128);

  [[nodiscard]] static uint64_t inside_of(const Mapping& m) noexcept {
    return uint64_t{m.in_address.host()} << 32 | uint32_t{m.in_port.host()} << 16 | m.proto;
  }
  [[nodiscard]] static uint64_t outside_of(const Mapping& m) noexcept {
    return uint64_t{m.out_address.host()} << 32 | uint32_t{m.out_port.host()} << 16 | m.out_if;
  }
  [[nodiscard]] uint64_t mix(uint64_t a, uint64_t b) const noexcept;
  [[nodiscard]] uint64_t inside_key(const Mapping& m) const noexcept;
  [[nodiscard]] uint64_t outside_key(const Mapping& m) const noexcept;
  [[nodiscard]] std::array<uint32_t, 2> places_of(uint64_t key) const noexcept;
  /// The entry with this key, pending or not, that is not `but`.
  [[nodiscard]] Entry* find(uint64_t key, const Entry* but = nullptr) const noexcept;
  /// kHeld: entered, kTaken: the key is there already.
  Held enter(uint64_t key, uint64_t inside, uint64_t outside) noexcept;
  void erase(uint64_t key) noexcept;

  uint32_t mask_;
  uint64_t seed_;
  Bucket* buckets_ = nullptr;
  ConnectionCounts allowed_;
  std::atomic<uint32_t> size_{0};
};

}  // namespace maclane
