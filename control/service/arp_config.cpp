// What a change of configuration does to neighbours, gratuitous ARP, and the rows of /ip/arp.
#include <algorithm>
#include <set>
#include <utility>

#include "control/service/arp.h"
#include "control/service/packet_build.h"

namespace maclane {

void Arp::on_config(const ServiceConfig& config) {
  base_timeout_ms_ = std::max<uint64_t>(1, config.arp_timeout_ms);
  timeouts_ms_ = config.interface_arp_timeout_ms;
  keep_valid_entries();
  cache_.set_limit(config.max_neighbour_entries);
  statics_.clear();
  for (const StaticNeighbour& row : config.neighbours) {
    if (row.mac.is_zero() || row.mac.is_multicast() || row.address.raw == 0) continue;
    statics_.emplace(ArpEntry::key_of(row.interface, row.address), row.mac);
  }
  apply_statics();
  find_proxies(config.neighbours);
  announce_changes();
  std::erase_if(defended_ms_, [&](const auto& row) {
    return !book_.owns(static_cast<IfIndex>(row.first >> 32),
                       be32::from(static_cast<uint32_t>(row.first)));
  });
}

/// Forgets what was learned on interfaces that went down, lost ARP or changed their MAC, and in
/// subnets that are gone. Neighbours outside every subnet (gateways behind a route) stay.
void Arp::keep_valid_entries() {
  const Snapshot& snapshot = io_.snapshot();
  std::vector<uint64_t> gone;
  for (const auto& known : cache_.entries()) {
    const ArpEntry& entry = known.second;
    if (entry.state == NeighState::kPermanent) continue;  // apply_statics() looks after these
    const Interface* now = asking(entry.interface);
    const auto before = seen_.find(entry.interface);
    bool keep = now != nullptr && !book_.owns(entry.interface, entry.address);
    if (keep && before != seen_.end()) {
      const bool was_connected = std::ranges::any_of(
          before->second.addresses, [&](const auto& a) { return in_prefix(a, entry.address); });
      keep = before->second.mac == snapshot.interfaces[entry.interface].mac &&
             (!was_connected || book_.connected(entry.interface, entry.address));
    }
    if (!keep) gone.push_back(known.first);
  }
  for (const uint64_t key : gone) forget(cache_.entries().at(key));
}

/// Whether rows may stand on an interface at all.
bool Arp::may_carry(IfIndex interface) const {
  const Snapshot& snapshot = io_.snapshot();
  return interface != kNoIf && interface < snapshot.interfaces.size() &&
         snapshot.interfaces[interface].kind != IfKind::kNone &&
         !snapshot.interfaces[interface].attached;
}

void Arp::apply_statics() {
  std::vector<uint64_t> gone;
  for (const auto& [key, entry] : cache_.entries()) {
    if (entry.state == NeighState::kPermanent &&
        (!may_carry(entry.interface) || (!statics_.contains(key) && !leases_.contains(key)))) {
      gone.push_back(key);
    }
  }
  for (const uint64_t key : gone) forget(cache_.entries().at(key));
  for (const auto& [key, mac] : statics_) apply_static(key, mac, false);
  for (const auto& [key, mac] : leases_) {
    if (!statics_.contains(key)) apply_static(key, mac, true);
  }
}

void Arp::apply_static(uint64_t key, const MacAddr& mac, bool dhcp) {
  const auto interface = static_cast<IfIndex>(key >> 32);
  const be32 address = be32::from(static_cast<uint32_t>(key));
  if (!may_carry(interface)) return;
  ArpEntry* entry = cache_.find(interface, address);
  if (entry == nullptr) {
    entry = cache_.create(interface, address, ArpCache::Need::kPermanent);
  } else if (entry->state == NeighState::kPermanent && entry->mac == mac) {
    entry->dhcp = dhcp;
    return;
  }
  entry->mac = mac;
  entry->delay = false;
  entry->dhcp = dhcp;
  if (cache_.change(*entry, NeighState::kPermanent, io_.now_ms(), kNever)) {
    release(interface, address);
  } else {
    for (rte_mbuf* m : hold_.take(key)) {
      io_.free(m, Drop::neigh_queue_full, message_of(m).in_if);
    }
  }
}

void Arp::set_lease(IfIndex interface, be32 address, const MacAddr& mac) {
  const uint64_t key = ArpEntry::key_of(interface, address);
  leases_[key] = mac;
  if (!statics_.contains(key)) apply_static(key, mac, true);
}

void Arp::remove_lease(IfIndex interface, be32 address) {
  const uint64_t key = ArpEntry::key_of(interface, address);
  if (leases_.erase(key) == 0 || statics_.contains(key)) return;
  if (ArpEntry* entry = cache_.find(interface, address); entry != nullptr) forget(*entry);
}

/// new addresses, interfaces that came up, MACs that changed.
void Arp::announce_changes() {
  const Snapshot& snapshot = io_.snapshot();
  std::map<IfIndex, Seen> now_seen;
  for (size_t i = 1; i < snapshot.interfaces.size(); ++i) {
    const auto index = static_cast<IfIndex>(i);
    const Interface& interface = snapshot.interfaces[i];
    if (interface.kind == IfKind::kNone || interface.attached) continue;
    const auto addresses = book_.of(index);
    Seen& now = now_seen[index];
    now = {interface.mac, asking(index) != nullptr, {addresses.begin(), addresses.end()}};
    if (!now.active) continue;

    const auto before = seen_.find(index);
    const bool all =
        before == seen_.end() || !before->second.active || before->second.mac != now.mac;
    for (const InterfaceAddress& a : now.addresses) {
      if (all || std::ranges::none_of(before->second.addresses,
                                      [&](const auto& old) { return old.address == a.address; })) {
        announce_address(index, a.address);
      }
    }
  }
  seen_ = std::move(now_seen);
}

void Arp::announce(IfIndex interface) {
  for (const InterfaceAddress& a : book_.of(interface)) announce_address(interface, a.address);
}

/// RFC 5227 2.3: a request whose sender and target are the address. An interface that is not up
/// sends nothing (F-23), nor does one that only replies.
void Arp::announce_address(IfIndex interface, be32 address) {
  const Interface* i = asking(interface);
  if (i == nullptr) return;
  ArpHdr arp{};
  arp.operation = be16::from(1);
  arp.sender_mac = i->mac;
  arp.sender_ip = arp.target_ip = address;
  send(interface, kBroadcastMac, arp);
}

std::vector<ArpRow> Arp::rows() const {
  std::vector<ArpRow> out;
  out.reserve(cache_.size());
  for (const auto& [key, entry] : cache_.entries()) {
    ArpRow row{entry.address, entry.mac, entry.interface, {}, true, true, entry.dhcp};
    switch (entry.state) {
      case NeighState::kNone:
      case NeighState::kIncomplete:
      case NeighState::kFull:
        row.status = "incomplete";
        row.complete = false;
        break;
      case NeighState::kFailed:
        row.status = "failed";
        row.complete = false;
        break;
      case NeighState::kReachable:
        row.status = "reachable";
        break;
      case NeighState::kStale:
        row.status = "stale";
        break;
      case NeighState::kProbe:
        row.status = entry.delay ? "delay" : "probe";
        break;
      case NeighState::kPermanent:
        row.status = "permanent";
        row.dynamic = entry.dhcp;
        break;
    }
    out.push_back(row);
  }
  return out;
}

}  // namespace maclane
