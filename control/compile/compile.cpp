// The whole of a compile: its parts in order, and the settings. Control thread.
#include "control/compile/compile.h"

#include "control/compile/parts.h"

namespace maclane::compile {
namespace {

void compile_settings(Work& work) {
  Snapshot& snapshot = work.snapshot;
  const model::View settings = work.tree.settings("/ip/settings");
  snapshot.ip_forward = settings.get_bool("ip-forward");
  snapshot.fast_track_on = settings.get_bool("allow-fast-path") && settings.get_bool("route-cache");
  snapshot.accept_source_route = settings.get_bool("accept-source-route");
  snapshot.send_redirects = settings.get_bool("send-redirects");
  snapshot.hash_ports = settings.get("ipv4-multipath-hash-policy") == "l4";
  snapshot.rp_filter = settings.get("rp-filter") == "strict"  ? RpFilter::kStrict
                       : settings.get("rp-filter") == "loose" ? RpFilter::kLoose
                                                              : RpFilter::kNo;
  snapshot.max_sleep_us =
      static_cast<uint32_t>(work.tree.settings("/dataplane").get_integer("max-sleep-us"));
}

}  // namespace

Result<Compiled> compile_tree(const model::Tree& tree, const LearnedState& learned,
                              const CompileState* previous, const FibBuilders& fib_builders) {
  Compiled result{std::make_unique<Snapshot>(), std::make_unique<CompileState>()};
  CompileState& state = *result.state;
  if (previous != nullptr) state.names = previous->names;
  state.names.forget_changes();
  state.names.rename(learned.renames);
  state.tree = tree;
  Work work{tree, learned, previous, fib_builders, state, *result.snapshot, {}, {}};
  compile_interfaces(work);
  if (!work.errors.empty()) return tl::make_unexpected(std::move(work.errors));
  compile_routes(work);
  compile_policy(work);
  compile_firewall(work);
  compile_conntrack(work);
  compile_helpers(work);
  compile_settings(work);
  if (!work.errors.empty()) return tl::make_unexpected(std::move(work.errors));
  result.snapshot->index_arrivals();
  return result;
}

}  // namespace maclane::compile
