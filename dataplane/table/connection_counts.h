// How many connections are counted under a key, for all workers together: what connection-limit
// asks (behaviour.md B-11). A key is a rule and a block of addresses.
//
// A count is one word, a tag of the key's hash above and the number below, in one of two buckets of
// eight; a word is free again when its number is back at zero. Two workers that count a new key at
// once may give it two words, so that its number is their sum. Workers add and take away without
// waiting; what they are about to add they do not see of each other, so that a limit may be passed
// by as many connections as there are workers more. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace maclane {

class ConnectionCounts {
 public:
  static constexpr uint32_t kNone = 0xffffffffu;

  /// Room for about nine tenths of `words`, a power of two.
  explicit ConnectionCounts(uint32_t words);

  [[nodiscard]] static uint64_t key_of(uint32_t rule, uint32_t block, uint8_t length) noexcept;

  [[nodiscard]] uint32_t count(uint64_t key) const noexcept;
  /// One more; the word it is counted in, for remove(). kNone: there is no room, it is not counted.
  [[nodiscard]] uint32_t add(uint64_t key) noexcept;
  void remove(uint32_t word) noexcept;
  /// One less of a key, whichever word counts it.
  void remove_one(uint64_t key) noexcept;

  /// Words in use.
  [[nodiscard]] uint32_t used() const noexcept;
  [[nodiscard]] size_t bytes() const noexcept { return (mask_ + size_t{1}) * sizeof(Bucket); }

 private:
  static constexpr unsigned kWays = 8;
  static constexpr unsigned kCountBits = 24;
  static constexpr uint64_t kCountMask = (uint64_t{1} << kCountBits) - 1;
  struct alignas(64) Bucket {
    std::array<std::atomic<uint64_t>, kWays> words{};
  };
  static_assert(sizeof(Bucket) == 64);
  [[nodiscard]] static uint64_t tag_of(uint64_t key) noexcept {
    return (key | uint64_t{1} << 63) & ~kCountMask;  // never 0
  }
  [[nodiscard]] std::array<uint32_t, 2> buckets_of(uint64_t key) const noexcept {
    const auto low = static_cast<uint32_t>(key);
    return {low & mask_, (low * 0x85ebca6bu >> 7) & mask_};
  }

  uint32_t mask_;
  std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace maclane
