// Seeds for what a service makes, one after another.
#pragma once

#include <cstdint>

namespace maclane {

/// The steps of SplitMix64: each seed differs from all before it. One thread.
class Seeds {
 public:
  explicit Seeds(uint64_t first) : seed_(first) {}
  uint64_t next() { return seed_ += 0x9e3779b97f4a7c15ULL; }

 private:
  uint64_t seed_;
};

}  // namespace maclane
