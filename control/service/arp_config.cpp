// What a change of configuration does to neighbours, gratuitous ARP, and the rows of /ip/arp.
#include <algorithm>
#include <set>
#include <utility>

#include "control/service/arp.h"

namespace maclane {

void Arp::on_config(const ServiceConfig& config) {
  base_timeout_ms_ = std::max<uint64_t>(1, config.arp_timeout_ms);
  timeouts_ms_ = config.interface_arp_timeout_ms;
  keep_valid_entries();
  cache_.set_limit(config.max_neighbour_entries);
  apply_statics(config.neighbours);
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
    const Interface* now = active(entry.interface);
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

void Arp::apply_statics(const std::vector<StaticNeighbour>& wanted) {
  const Snapshot& snapshot = io_.snapshot();
  std::map<uint64_t, const StaticNeighbour*> rows;
  for (const StaticNeighbour& s : wanted) {
    const bool possible = s.interface != kNoIf && s.interface < snapshot.interfaces.size() &&
                          snapshot.interfaces[s.interface].kind != IfKind::kNone &&
                          !snapshot.interfaces[s.interface].attached && !s.mac.is_zero() &&
                          !s.mac.is_multicast() && s.address.raw != 0;
    if (possible) rows.emplace(ArpEntry::key_of(s.interface, s.address), &s);
  }
  std::vector<uint64_t> gone;
  for (const auto& [key, entry] : cache_.entries()) {
    if (entry.state == NeighState::kPermanent && !rows.contains(key)) gone.push_back(key);
  }
  for (const uint64_t key : gone) forget(cache_.entries().at(key));

  for (const auto& [key, row] : rows) {
    ArpEntry* entry = cache_.find(row->interface, row->address);
    if (entry == nullptr) {
      entry = cache_.create(row->interface, row->address, ArpCache::Need::kPermanent);
    } else if (entry->state == NeighState::kPermanent && entry->mac == row->mac) {
      continue;
    }
    entry->mac = row->mac;
    entry->delay = false;
    if (cache_.change(*entry, NeighState::kPermanent, io_.now_ms(), kNever)) {
      release(row->interface, row->address);
    } else {
      for (rte_mbuf* m : hold_.take(key)) {
        io_.free(m, Drop::neigh_queue_full, message_of(m).in_if);
      }
    }
  }
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
    now = {interface.mac, active(index) != nullptr, {addresses.begin(), addresses.end()}};
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
/// sends nothing (F-23).
void Arp::announce_address(IfIndex interface, be32 address) {
  const Interface* i = active(interface);
  if (i == nullptr) return;
  ArpHdr arp{};
  arp.operation = be16::from(1);
  arp.sender_mac = i->mac;
  arp.sender_ip = arp.target_ip = address;
  send(interface, MacAddr::from_key(0xffffffffffffULL), arp);
}

std::vector<ArpRow> Arp::rows() const {
  std::vector<ArpRow> out;
  out.reserve(cache_.size());
  for (const auto& [key, entry] : cache_.entries()) {
    ArpRow row{entry.address, entry.mac, entry.interface, {}, true, true, false};
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
        row.dynamic = false;
        break;
    }
    out.push_back(row);
  }
  return out;
}

}  // namespace maclane
