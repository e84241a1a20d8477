// The FIBs of a snapshot, shared with the snapshot before where they are the same. Control thread.
#include <algorithm>

#include "control/compile/parts.h"

namespace maclane::compile {

std::shared_ptr<const Fib4> fib_of(Work& work, std::span<const Fib4Route> routes,
                                   std::shared_ptr<const Fib4> before,
                                   const std::vector<Fib4Route>* routes_before,
                                   const FibBuilder& build) {
  if (!work.errors.empty()) return nullptr;
  const auto same = [](const Fib4Route& a, const Fib4Route& b) {
    return a.network == b.network && a.length == b.length && a.next_hop == b.next_hop;
  };
  if (before != nullptr && std::equal(routes.begin(), routes.end(), routes_before->begin(),
                                      routes_before->end(), same)) {
    return before;
  }
  std::string error;
  auto fib = build(routes, &error);
  if (fib == nullptr) work.errors.push_back({std::move(error), "/ip/route", {}, {}, {}});
  return fib;
}

void make_fib(Work& work, CompileState::Fib& table, const CompileState::Fib* before) {
  table.build = before != nullptr ? before->build : work.fib_builders(true);
  table.fib = fib_of(work, table.routes, before != nullptr ? before->fib : nullptr,
                     before != nullptr ? &before->routes : nullptr, table.build);
}

}  // namespace maclane::compile
