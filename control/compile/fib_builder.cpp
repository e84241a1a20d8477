// The FIB builder of the daemon, alone in its file so that tests need no EAL. Control thread.
#include "control/compile/compile.h"

namespace maclane::compile {

FibBuilder rte_fib_builder() {
  return [](std::span<const Fib4Route> routes, bool small, std::string* error) {
    return Fib4::build(routes, error, small);
  };
}

}  // namespace maclane::compile
