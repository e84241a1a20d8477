// Answers for the addresses of others: proxy-arp, local-proxy-arp and published rows.
//
// Every interface that hears the question and is set to stand in answers for itself, with its own
// MAC. None does for an address that one of ours on the segment owns, for a probe (sender
// 0.0.0.0) or for the asker's own address: a host that looks whether its address is free must not
// find the router there. The guards are those of Linux's arp_process().
#include <algorithm>

#include "control/service/arp.h"

namespace maclane {

void Arp::find_proxies(const std::vector<StaticNeighbour>& rows) {
  published_.clear();
  proxies_.clear();
  for (const StaticNeighbour& row : rows) {
    if (!row.published || row.address.raw == 0 || !may_carry(row.interface)) continue;
    published_.insert(ArpEntry::key_of(row.interface, row.address));
    proxies_.push_back(row.interface);
  }
  const Snapshot& snapshot = io_.snapshot();
  for (size_t i = 1; i < snapshot.interfaces.size(); ++i) {
    const ArpMode mode = snapshot.interfaces[i].arp;
    if (mode == ArpMode::kProxy || mode == ArpMode::kLocalProxy) {
      proxies_.push_back(static_cast<IfIndex>(i));
    }
  }
  std::sort(proxies_.begin(), proxies_.end());
  proxies_.erase(std::unique(proxies_.begin(), proxies_.end()), proxies_.end());
}

/// True if somebody here answered.
bool Arp::stand_in(const Heard& heard) {
  if (!heard.request || heard.gratuitous || heard.arp.sender_ip.raw == 0 || proxies_.empty()) {
    return false;
  }
  const be32 target = heard.arp.target_ip;
  if (target.raw == 0 || book_.broadcast(target)) return false;
  std::vector<IfIndex> ways;
  bool looked = false;
  bool answered = false;
  for (const IfIndex i : proxies_) {
    if (!hears(i, heard)) continue;
    if (!looked) ways = io_.ways_to(target);
    looked = true;
    if (!stands_in(i, heard, ways)) continue;
    learn_requester(i, heard);
    reply(i, heard);
    answered = true;
  }
  return answered;
}

bool Arp::stands_in(IfIndex interface, const Heard& heard, const std::vector<IfIndex>& ways) const {
  if (ways.empty()) return false;
  const ArpMode mode = io_.snapshot().interfaces[interface].arp;
  if (published_.contains(ArpEntry::key_of(interface, heard.arp.target_ip))) {
    return mode != ArpMode::kReplyOnly || knows(interface, heard);
  }
  switch (mode) {
    case ArpMode::kLocalProxy:
      return true;
    case ArpMode::kProxy:
      return std::find(ways.begin(), ways.end(), interface) == ways.end();
    case ArpMode::kEnabled:
    case ArpMode::kDisabled:
    case ArpMode::kReplyOnly:
      break;
  }
  return false;
}

}  // namespace maclane
