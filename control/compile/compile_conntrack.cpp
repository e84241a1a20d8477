// /ip/firewall/connection/tracking to what workers follow (behaviour.md B-18 to B-20, B-36).
// Control thread.
//
// A timeout that is set holds in every profile. One that is not is RouterOS's, or what the RFCs ask
// for: 5 minutes for UDP (RFC 4787 REQ-5), 60 seconds for ICMP (RFC 5508 REQ-2), 4 minutes for TCP
// that is not established, and more than 2 hours and 4 minutes for what is (RFC 5382 REQ-5),
// whether its last data was acknowledged or not.
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

constexpr std::pair<std::string_view, std::string_view> kRfcTimeouts[] = {
    {"tcp-syn-sent-timeout", "4m"},  {"tcp-syn-received-timeout", "4m"},
    {"tcp-fin-wait-timeout", "4m"},  {"tcp-close-wait-timeout", "4m"},
    {"tcp-last-ack-timeout", "4m"},  {"tcp-time-wait-timeout", "4m"},
    {"tcp-close-timeout", "4m"},     {"tcp-max-retrans-timeout", "2h4m"},
    {"tcp-unacked-timeout", "2h4m"}, {"udp-timeout", "5m"},
    {"udp-stream-timeout", "5m"},    {"icmp-timeout", "1m"},
};
constexpr uint16_t kAlwaysOurs[] = {53, 67, 68};  // DNS and DHCP

// RouterOS has no setting for these; the times are Linux's.
constexpr uint32_t kGreCs = 30 * 100;
constexpr uint32_t kGreStreamCs = 180 * 100;

bool any_enabled(const model::Tree& tree, std::string_view path) {
  const int disabled = model::find_menu(path)->index("disabled");
  const auto& rows = tree.rows(path);
  return std::any_of(rows.begin(), rows.end(),
                     [&](const model::RowPtr& row) { return row->at(disabled) != "true"; });
}

/// What the router's own programs are asked at.
std::vector<uint16_t> own_ports(const model::Tree& tree) {
  std::vector<uint16_t> ports(std::begin(kAlwaysOurs), std::end(kAlwaysOurs));
  model::for_each(tree, "/ip/service", [&](const model::View& row) {
    if (row.get_bool("disabled")) return;
    ports.push_back(static_cast<uint16_t>(model::parse_integer(row.get("port")).value_or(0)));
  });
  std::sort(ports.begin(), ports.end());
  return ports;
}

}  // namespace

std::string_view rfc_timeout(const model::View& tracking, std::string_view property) {
  if (tracking.get("nat-profile") != "rfc" || tracking.is_set(property)) return {};
  for (const auto& [name, value] : kRfcTimeouts)
    if (name == property) return value;
  return {};
}

void compile_conntrack(Work& work) {
  Snapshot& snapshot = work.snapshot;
  const model::View tracking = work.tree.settings("/ip/firewall/connection/tracking");
  snapshot.timeouts.fill(kLongestTimeoutCs);
  for (const auto& [property, cls] : kTimeouts) {
    const std::string_view rfc = rfc_timeout(tracking, property);
    snapshot.timeouts[static_cast<unsigned>(cls)] = timeout_cs(
        rfc.empty() ? tracking.get_time_ms(property) : model::parse_time_ms(rfc).value_or(0));
  }
  snapshot.timeouts[static_cast<unsigned>(Class::kGre)] = kGreCs;
  snapshot.timeouts[static_cast<unsigned>(Class::kGreStream)] = kGreStreamCs;
  const std::string_view enabled = tracking.get("enabled");
  snapshot.tracking =
      enabled == "yes" || (enabled == "auto" && (any_enabled(work.tree, "/ip/firewall/filter") ||
                                                 any_enabled(work.tree, "/ip/firewall/nat") ||
                                                 any_enabled(work.tree, "/ip/firewall/mangle")));
  snapshot.loose_tcp = tracking.get_bool("loose-tcp-tracking");
  snapshot.endpoint_independent = tracking.get("nat-profile") == "rfc";
  snapshot.address_filtering = tracking.get("nat-filtering") == "address-dependent";
  snapshot.inbound_refresh = tracking.get_bool("nat-inbound-refresh");
  snapshot.own_ports = own_ports(work.tree);
  snapshot.liberal_tcp = tracking.get_bool("liberal-tcp-tracking");
}

}  // namespace maclane::compile
