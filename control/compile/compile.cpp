// The whole of a compile: its parts in order, and the settings. Control thread.
#include "control/compile/compile.h"

#include <algorithm>

#include "control/compile/parts.h"

namespace maclane::compile {
namespace {

/// By TimeoutClass.
constexpr std::array<std::string_view, kTimeoutClasses> kTimeouts = {"tcp-syn-sent-timeout",
                                                                     "tcp-syn-received-timeout",
                                                                     "tcp-established-timeout",
                                                                     "tcp-fin-wait-timeout",
                                                                     "tcp-close-wait-timeout",
                                                                     "tcp-last-ack-timeout",
                                                                     "tcp-time-wait-timeout",
                                                                     "tcp-close-timeout",
                                                                     "tcp-max-retrans-timeout",
                                                                     "tcp-unacked-timeout",
                                                                     "udp-timeout",
                                                                     "udp-stream-timeout",
                                                                     "icmp-timeout",
                                                                     "generic-timeout"};

// Workers compare centiseconds by signed difference, which must not come near 2^31: about 124 days.
constexpr int64_t kLongestTimeoutCs = int64_t{1} << 30;
constexpr int64_t kMillisecondsPerCs = 10;

bool any_enabled(const model::Tree& tree, std::string_view path) {
  const int disabled = model::find_menu(path)->index("disabled");
  const auto& rows = tree.rows(path);
  return std::any_of(rows.begin(), rows.end(),
                     [&](const model::RowPtr& row) { return row->at(disabled) != "true"; });
}

void compile_settings(Work& work) {
  Snapshot& snapshot = work.snapshot;
  const model::View tracking = work.tree.settings("/ip/firewall/connection/tracking");
  for (size_t i = 0; i < kTimeouts.size(); ++i) {
    const int64_t cs = tracking.get_time_ms(kTimeouts[i]) / kMillisecondsPerCs;
    snapshot.timeouts[i] = static_cast<uint32_t>(std::clamp(cs, int64_t{1}, kLongestTimeoutCs));
  }
  const std::string_view enabled = tracking.get("enabled");
  snapshot.tracking =
      enabled == "yes" || (enabled == "auto" && (any_enabled(work.tree, "/ip/firewall/filter") ||
                                                 any_enabled(work.tree, "/ip/firewall/nat")));
  snapshot.loose_tcp = tracking.get_bool("loose-tcp-tracking");
  snapshot.ip_forward = work.tree.settings("/ip/settings").get_bool("ip-forward");
  snapshot.max_sleep_us =
      static_cast<uint32_t>(work.tree.settings("/dataplane").get_integer("max-sleep-us"));
}

}  // namespace

Result<Compiled> compile_tree(const model::Tree& tree, const LearnedState& learned,
                              const CompileState* previous, const FibBuilder& build_fib) {
  Compiled result{std::make_unique<Snapshot>(), std::make_unique<CompileState>()};
  CompileState& state = *result.state;
  if (previous != nullptr) state.names = previous->names;
  state.names.forget_changes();
  state.tree = tree;
  Work work{tree, learned, previous, build_fib, state, *result.snapshot, {}, {}};
  compile_interfaces(work);
  if (!work.errors.empty()) return tl::make_unexpected(std::move(work.errors));
  compile_routes(work);
  compile_firewall(work);
  compile_settings(work);
  if (!work.errors.empty()) return tl::make_unexpected(std::move(work.errors));
  result.snapshot->index_arrivals();
  return result;
}

}  // namespace maclane::compile
