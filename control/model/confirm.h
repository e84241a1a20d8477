// An apply that waits for its confirm: without, the router goes back by itself. A value without
// state; control thread only.
#pragma once

#include <cstdint>

#include "control/model/caller.h"
#include "control/model/tree.h"

namespace maclane::model {

struct Confirm {
  Tree before;          // what to go back to
  Caller by;            // who applied
  uint64_t until_ms;    // on the steady clock
  uint64_t change = 0;  // the number of the last change before it
};

}  // namespace maclane::model
