// The ways to gateways that are not in connected networks (recursion.h). Control thread.
#include "control/compile/recursion.h"

#include <algorithm>

#include "control/model/gateway.h"

namespace maclane::compile {

using Kind = NextHop::Kind;

FarGateway far_gateway(std::string_view gateway) {
  const model::GatewayParts parts = model::gateway_parts(gateway);
  return {model::parse_ip4(parts.way), parts.table};
}

bool is_recursive(const RouteInfo& info) {
  const bool far = info.target_scope != kConnectedScope;
  if (!far && info.gateway.find('@') == std::string_view::npos) return false;
  const FarGateway gateway = far_gateway(info.gateway);
  return gateway.address && (far || gateway.table != kMainTable);
}

void add_probes(Snapshot& snapshot, be32 gateway, std::span<const NextHop> ways,
                std::span<const uint16_t> hops) {
  for (size_t i = 0; i < ways.size(); ++i) {
    const IfIndex from = ways[i].out_if;
    const bool known = std::ranges::any_of(snapshot.probe_ways, [&](const ProbeWay& one) {
      return one.from == from && one.target == gateway;
    });
    if (!known) snapshot.probe_ways.push_back({from, gateway, hops[i]});
  }
}

Recursion::Recursion(const Work& work, RouteOffers& table, uint8_t target_scope) : work_(work) {
  const auto scope = [&](const RouteOffer& offer) {
    return offer.row == RouteOffer::kNoRow ? kConnectedScope
                                           : work.state.routes.rows[offer.row].scope;
  };
  table.settle([&](uint64_t destination, std::span<const RouteOffer> best) {
    std::vector<uint16_t> ways;
    for (const RouteOffer& offer : best) {
      if (scope(offer) <= target_scope) ways.push_back(offer.way);
    }
    if (ways.empty()) return;
    ways_.emplace(destination, std::move(ways));
    has_length_[destination & 63] = true;
  });
}

std::vector<NextHop> Recursion::ways(be32 gateway) const {
  std::vector<NextHop> out;
  for (int length = 32; length >= 0 && out.empty(); --length) {
    if (!has_length_[static_cast<size_t>(length)]) continue;
    const model::Ip4Prefix prefix{gateway.host(), static_cast<uint8_t>(length)};
    const auto it = ways_.find(key_of(prefix.network(), prefix.length));
    if (it == ways_.end()) continue;
    for (const uint16_t number : it->second) {
      NextHop way = work_.snapshot.next_hops[number];
      if (way.kind != Kind::kGateway && way.kind != Kind::kConnected) return {};  // it drops
      if (way.kind == Kind::kConnected) way.gateway = gateway;  // a neighbour there
      way.kind = Kind::kGateway;
      out.push_back(std::move(way));
    }
  }
  return out;
}

}  // namespace maclane::compile
