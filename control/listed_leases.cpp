#include "control/listed_leases.h"

#include <algorithm>

namespace maclane {

std::map<ListedLeases::Place, std::string> ListedLeases::wanted() const {
  std::map<Place, std::string> out;
  const DhcpServingConfig& config = server_.config();
  std::map<std::string_view, const std::vector<std::string>*> of_server;
  std::map<uint32_t, const std::vector<std::string>*> of_row;
  for (const DhcpServerConfig& one : config.servers) of_server[one.name] = &one.address_lists;
  bool any = std::ranges::any_of(
      config.servers, [](const DhcpServerConfig& one) { return !one.address_lists.empty(); });
  for (const DhcpStaticLease& one : config.leases) {
    if (one.address_lists.empty()) continue;
    of_row[one.id] = &one.address_lists;
    any = true;
  }
  if (!any) return out;
  for (const auto& [address, lease] : server_.leases()) {
    const auto server = of_server.find(lease.server);
    if (lease.status != BindingStatus::kBound || server == of_server.end()) continue;
    for (const std::string& list : *server->second) out[{list, address}] = lease.server;
    if (const auto row = of_row.find(lease.static_id); lease.is_static() && row != of_row.end())
      for (const std::string& list : *row->second) out[{list, address}] = lease.server;
  }
  return out;
}

void ListedLeases::tick() {
  const uint64_t now = server_.now_ms();
  if ((!changed_ && seen_ == server_.changes()) || now < next_ms_) return;
  next_ms_ = now + kPauseMs;
  changed_ = false;
  seen_ = server_.changes();
  std::map<Place, std::string> next = wanted();
  for (const auto& [place, whose] : listed_now_) {
    const auto still = next.find(place);
    if (still == next.end() || still->second != whose)
      listed_.unlearn(place.first, place.second, whose);
  }
  for (const auto& [place, whose] : next) {
    if (!listed_.has(place.first, place.second, whose))
      listed_.learn(place.first, place.second, whose, 0);
  }
  listed_now_ = std::move(next);
}

}  // namespace maclane
