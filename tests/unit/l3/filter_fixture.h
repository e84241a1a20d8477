// Rules of the firewall before whole packets.
#pragma once

#include "dataplane/stage/filter.h"
#include "tests/unit/l3/fixture.h"

namespace maclane::test {

class FilterRules : public L3Test {
 protected:
  static Draft asking(Action action, uint32_t counter, uint32_t what) {
    Draft r = make(action, counter);
    r.match = Rule::kMore;
    r.with.match = what;
    return r;
  }
  static Draft in_state(Action action, uint32_t counter, ConnState state) {
    Draft r = make(action, counter);
    r.match = Rule::kState;
    r.state_mask = static_cast<uint8_t>(1u << static_cast<unsigned>(state));
    return r;
  }
  void there_and_back() {
    run(udp(kPc, 1000, kServer, 53), kLan);
    run(udp(kServer, 53, kPc, 1000), kWan);
  }
};

}  // namespace maclane::test
