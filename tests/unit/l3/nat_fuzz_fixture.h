// What the fuzzing of NAT shares: chance with a fixed seed, six hosts more inside, a filter that
// lets everything through or nothing, an outer address that changes, and jumps of the clock.
#pragma once

#include <random>

#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {

class NatFuzzBase : public NatRouteros {
 protected:
  static constexpr uint32_t kTimeout = 1000;  // of every class, in the fixture
  static constexpr uint32_t kSecondWanIp = ip4(203, 0, 113, 9);

  void begin(unsigned seed) {
    NatRouteros::SetUp();
    random.seed(seed);
    for (uint8_t i = 2; i < 8; ++i)
      neighbours->set(kLan, be32::from(kPc + i), {{2, 0, 0, 0, 0, static_cast<uint8_t>(0x20 + i)}},
                      NeighState::kReachable);
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random()) % n; }
  void let_through(bool yes) {
    passes = yes;
    Draft unasked = of_state(Action::kDrop, ConnState::kNew, 1);
    unasked.match |= Rule::kInInterface;
    unasked.in_if = kWan;
    filter({make(yes ? Action::kAccept : Action::kDrop, 2)}, {unasked});
  }
  void change_address() {
    address = address == kWanIp ? kSecondWanIp : kWanIp;
    snap.interfaces[kWan].primary_address = be32::from(address);
    publish();
  }
  void pass_some_time() {
    w->now.cs += below(10) == 0 ? 3 * kTimeout : below(kTimeout / 4);
    expire();
  }

  std::mt19937 random;
  uint32_t address = kWanIp;
  bool passes = true;
};

}  // namespace maclane::test
