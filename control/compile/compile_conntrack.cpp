// /ip/firewall/connection/tracking to what workers follow (behaviour.md B-18 to B-20). Control
// thread.
#include <algorithm>
#include <utility>

#include "control/compile/parts.h"

namespace maclane::compile {
namespace {

using Class = TimeoutClass;

constexpr std::pair<std::string_view, Class> kTimeouts[] = {
    {"tcp-syn-sent-timeout", Class::kTcpSynSent},
    {"tcp-syn-received-timeout", Class::kTcpSynReceived},
    {"tcp-established-timeout", Class::kTcpEstablished},
    {"tcp-fin-wait-timeout", Class::kTcpFinWait},
    {"tcp-close-wait-timeout", Class::kTcpCloseWait},
    {"tcp-last-ack-timeout", Class::kTcpLastAck},
    {"tcp-time-wait-timeout", Class::kTcpTimeWait},
    {"tcp-close-timeout", Class::kTcpClose},
    {"tcp-max-retrans-timeout", Class::kTcpMaxRetrans},
    {"tcp-unacked-timeout", Class::kTcpUnacked},
    {"udp-timeout", Class::kUdp},
    {"udp-stream-timeout", Class::kUdpStream},
    {"icmp-timeout", Class::kIcmp},
    {"generic-timeout", Class::kGeneric},
};

// RouterOS has no setting for these; the times are Linux's.
constexpr uint32_t kGreCs = 30 * 100;
constexpr uint32_t kGreStreamCs = 180 * 100;

// Workers compare centiseconds by signed difference, which must not come near 2^31: about 124 days.
constexpr int64_t kLongestTimeoutCs = int64_t{1} << 30;
constexpr int64_t kMillisecondsPerCs = 10;

bool any_enabled(const model::Tree& tree, std::string_view path) {
  const int disabled = model::find_menu(path)->index("disabled");
  const auto& rows = tree.rows(path);
  return std::any_of(rows.begin(), rows.end(),
                     [&](const model::RowPtr& row) { return row->at(disabled) != "true"; });
}

}  // namespace

void compile_conntrack(Work& work) {
  Snapshot& snapshot = work.snapshot;
  const model::View tracking = work.tree.settings("/ip/firewall/connection/tracking");
  snapshot.timeouts.fill(static_cast<uint32_t>(kLongestTimeoutCs));
  for (const auto& [property, cls] : kTimeouts) {
    const int64_t cs = tracking.get_time_ms(property) / kMillisecondsPerCs;
    snapshot.timeouts[static_cast<unsigned>(cls)] =
        static_cast<uint32_t>(std::clamp(cs, int64_t{1}, kLongestTimeoutCs));
  }
  snapshot.timeouts[static_cast<unsigned>(Class::kGre)] = kGreCs;
  snapshot.timeouts[static_cast<unsigned>(Class::kGreStream)] = kGreStreamCs;
  const std::string_view enabled = tracking.get("enabled");
  snapshot.tracking =
      enabled == "yes" || (enabled == "auto" && (any_enabled(work.tree, "/ip/firewall/filter") ||
                                                 any_enabled(work.tree, "/ip/firewall/nat") ||
                                                 any_enabled(work.tree, "/ip/firewall/mangle")));
  snapshot.loose_tcp = tracking.get_bool("loose-tcp-tracking");
  snapshot.liberal_tcp = tracking.get_bool("liberal-tcp-tracking");
}

}  // namespace maclane::compile
