// The FIB builder of the daemon, alone in its file so that tests need no EAL. Control thread.
#include "control/compile/compile.h"

namespace maclane::compile {

FibBuilders rte_fib_builders() {
  return [](bool small) -> FibBuilder {
    return [maker = std::make_shared<Fib4Maker>(small)](std::span<const Fib4Route> routes,
                                                        std::string* error) {
      return maker->make(routes, error);
    };
  };
}

}  // namespace maclane::compile
