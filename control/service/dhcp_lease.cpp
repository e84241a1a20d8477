#include "control/service/dhcp_lease.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/service/text.h"

namespace maclane {
namespace {

using dhcp::Message;
using dhcp::Option;

uint8_t class_length(be32 address) {
  const uint32_t first = address.host() >> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

/// 33 if it is no mask.
unsigned mask_length(uint32_t mask) {
  unsigned length = 0;
  while (length < 32 && (mask & (0x80000000u >> length)) != 0) ++length;
  return mask == (length == 0 ? 0u : 0xffffffffu << (32 - length)) ? length : 33;
}

/// A gateway can be a host that is not ourselves, nor all of our network.
bool is_gateway(be32 one, const DhcpLease& lease) {
  if (!dhcp::is_host(one) || one == lease.address) return false;
  constexpr uint8_t kLongestSubnet = 30;  // RFC 3021
  const uint32_t hosts = lease.length > kLongestSubnet ? 0 : 0xffffffffu >> lease.length;
  const bool ours = (one.host() & ~hosts) == (lease.address.host() & ~hosts);
  const uint32_t host = one.host() & hosts;
  return hosts == 0 || !ours || (host != 0 && host != hosts);
}

/// What no packet is for, or nobody can carry it to.
bool is_nonsense(const dhcp::Route& route, const DhcpLease& lease) {
  constexpr uint32_t kLoopback = 127, kMulticast = 224;
  const uint32_t first = route.network >> 24;
  return (route.gateway != be32{} && !is_gateway(route.gateway, lease)) || first >= kMulticast ||
         (route.length >= 8 && (first == 0 || first == kLoopback));
}

void add_routes(const Message& m, DhcpLease& lease) {
  for (const uint8_t option : {Option::kClasslessRoutes, Option::kClasslessRoutesMs}) {
    const auto found = m.options.find(option);
    if (found == m.options.end()) continue;
    auto routes = dhcp::classless_routes(found->second);
    if (!routes) continue;
    lease.routes = std::move(*routes);
    std::erase_if(lease.routes, [&](const dhcp::Route& one) { return is_nonsense(one, lease); });
    lease.classless = true;
    return;
  }
  const std::vector<be32> pairs = m.addresses(Option::kStaticRoute);
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const uint8_t length = class_length(pairs[i]);
    if (!dhcp::is_host(pairs[i])) continue;  // RFC 2132 5.8: no default route this way
    const dhcp::Route route{pairs[i].host() & 0xffffffffu << (32 - length), length, pairs[i + 1]};
    if (route.gateway != be32{} && !is_nonsense(route, lease)) lease.routes.push_back(route);
  }
}

std::vector<be32> hosts(const Message& m, uint8_t option) {
  std::vector<be32> all = m.addresses(option);
  std::erase_if(all, [](be32 one) { return !dhcp::is_host(one); });
  return all;
}

}  // namespace

std::optional<DhcpLease> lease_of(const dhcp::Heard& ack, uint64_t now, std::string* why) {
  const Message& m = ack.message;
  const auto server = m.number(Option::kServerId);
  const auto seconds = m.number(Option::kLeaseTime);
  DhcpLease lease;
  lease.address = m.yiaddr;
  if (!dhcp::is_host(lease.address)) {
    *why = fmt::format("{} is no host's address", text_of(lease.address));
    return std::nullopt;
  }
  if (!server || !dhcp::is_host(be32::from(*server)) || !seconds || *seconds == 0) {
    *why = server ? "it has no lease time" : "it has no server identifier";
    return std::nullopt;
  }
  const unsigned length = mask_length(
      m.number(Option::kMask).value_or(0xffffffffu << (32 - class_length(lease.address))));
  if (length == 0 || length > 32) {
    *why = "its subnet mask is none";
    return std::nullopt;
  }
  if (be32::from(*server) == lease.address) {
    *why = "its server has the same address";
    return std::nullopt;
  }
  lease.length = static_cast<uint8_t>(length);
  lease.server = be32::from(*server);
  lease.server_mac = ack.src;
  lease.gateways = hosts(m, Option::kRouter);
  std::erase_if(lease.gateways, [&](be32 one) { return !is_gateway(one, lease); });
  lease.dns = hosts(m, Option::kDns);
  lease.ntp = hosts(m, Option::kNtp);
  lease.capwap = hosts(m, Option::kCapwap);
  lease.domain = m.text(Option::kDomain);
  lease.options = m.options;
  add_routes(m, lease);
  if (*seconds == dhcp::kInfinite) return lease;
  const uint64_t all = uint64_t{*seconds} * kSecond;
  uint64_t t1 = uint64_t{m.number(Option::kRenewalTime).value_or(0)} * kSecond;
  uint64_t t2 = uint64_t{m.number(Option::kRebindingTime).value_or(0)} * kSecond;
  if (t2 == 0 || t2 >= all) t2 = all * 7 / 8;
  if (t1 == 0 || t1 >= t2) t1 = std::min(all / 2, t2);
  // Not more often than once a second; a lease that is no longer than that is renewed in time.
  t1 = std::max(t1, std::min(kSecond, all * 3 / 4));
  t2 = std::max(t2, t1);
  lease.t1_ms = now + t1;
  lease.t2_ms = now + t2;
  lease.end_ms = now + all;
  return lease;
}

}  // namespace maclane
