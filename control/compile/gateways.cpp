// Gateways and the networks that lead to them (gateways.h). Control thread.
#include "control/compile/gateways.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/compile/route_parts.h"
#include "control/model/gateway.h"

namespace maclane::compile {

using model::Ip4Prefix;

bool Gateways::add_network(const Ip4Prefix& network, IfIndex interface, uint32_t address) {
  auto& members = networks_[key_of(network.address, network.length)];
  const auto known = std::ranges::find(members, interface, &Connected::out_if);
  if (known != members.end()) return false;
  members.push_back({interface, address});
  return true;
}

be32 Gateways::source(IfIndex interface, uint32_t address) const {
  const be32 written = be32::from(address);
  return written == work_.interface(interface).primary_address ? be32{} : written;
}

void Gateways::collect() {
  for (auto it = networks_.begin(); it != networks_.end();) {
    std::erase_if(it->second,
                  [&](const Connected& one) { return !work_.interface(one.out_if).up; });
    if (it->second.empty()) {
      it = networks_.erase(it);
    } else {
      has_length_[it->first & 63] = true;
      ++it;
    }
  }
}

/// The interfaces whose connected network an address lies in, by the longest prefix.
const std::vector<Gateways::Connected>* Gateways::connected(uint32_t address) const {
  for (int length = 32; length >= 0; --length) {
    if (!has_length_[static_cast<size_t>(length)]) continue;
    const Ip4Prefix prefix{address, static_cast<uint8_t>(length)};
    auto it = networks_.find(key_of(prefix.network(), prefix.length));
    if (it != networks_.end()) return &it->second;
  }
  return nullptr;
}

IfIndex Gateways::usable(std::string_view interface) const {
  const IfIndex index = work_.state.names.index_of(interface);
  if (index == kNoIf) return kNoIf;
  const Interface& one = work_.interface(index);
  return one.up && !one.attached ? index : kNoIf;
}

Gateways::Resolved& Gateways::resolve(std::string_view gateway) {
  if (last_ != nullptr && gateway.data() == last_text_.data() && gateway == last_text_)
    return *last_;
  const auto [it, fresh] = resolved_.try_emplace(gateway);
  Resolved& resolved = it->second;
  last_ = &resolved;
  last_text_ = gateway;
  if (fresh) {
    std::string immediate;
    resolved.ways = find_ways(gateway, immediate);
    resolved.immediate = work_.state.routes.keep(immediate);
  }
  return resolved;
}

std::string Gateways::text_of(std::span<const NextHop> ways) const {
  std::string text;
  for (const NextHop& way : ways)
    text += fmt::format("{}{}%{}", text.empty() ? "" : ",", model::format_ip4(way.gateway.host()),
                        work_.state.names.name_of(way.out_if));
  return text;
}

std::vector<NextHop> Gateways::find_ways(std::string_view gateway, std::string& immediate) const {
  const auto [way_there, table] = model::gateway_parts(gateway);
  if (table != "main") return {};  // only main has connected networks
  gateway = way_there;
  const size_t percent = gateway.find('%');
  const auto address = model::parse_ip4(gateway.substr(0, percent));
  std::vector<NextHop> ways;
  if (!address || percent != std::string_view::npos) {
    const std::string_view interface = address ? gateway.substr(percent + 1) : gateway;
    const IfIndex index = usable(interface);
    if (index == kNoIf || (address && own_.contains(*address))) return {};
    immediate = gateway;
    NextHop way{.kind = NextHop::Kind::kConnected, .out_if = index};
    if (address) {
      way.kind = NextHop::Kind::kGateway;
      way.gateway = be32::from(*address);
    }
    return {way};
  }
  const std::vector<Connected>* members = own_.contains(*address) ? nullptr : connected(*address);
  if (members == nullptr) return {};
  for (const Connected& member : *members) {
    ways.push_back({.kind = NextHop::Kind::kGateway,
                    .out_if = member.out_if,
                    .gateway = be32::from(*address),
                    .pref_src = source(member.out_if, member.address)});
  }
  immediate = text_of(ways);
  return ways;
}

}  // namespace maclane::compile
