// Resolution and ageing: packets that wait, who-has and its retries, reachable, stale,
// probe.
#include <algorithm>

#include "control/service/arp.h"
#include "control/service/packet_build.h"

namespace maclane {

void Arp::handle_unresolved(rte_mbuf* packet) {
  const PacketMessage& message = message_of(packet);
  const IfIndex out_if = message.out_if;
  const be32 next_hop = message.next_hop;
  // Such a next hop has no neighbour; asking for it would only make noise.
  if (next_hop.raw == 0 || is_class_d_or_e(next_hop) || is_loopback(next_hop) ||
      book_.broadcast(next_hop) || book_.owns(out_if, next_hop)) {
    io_.free(packet, Drop::neigh_failed, message.in_if);
    return;
  }
  ArpEntry* entry = cache_.find(out_if, next_hop);
  if (entry == nullptr) {
    start(out_if, next_hop, packet);
  } else if (entry->state == NeighState::kIncomplete || entry->state == NeighState::kFull) {
    hold(*entry, packet);
  } else if (entry->state == NeighState::kFailed) {
    give_up(packet);
  } else {  // answered while the packet was on its way here
    PacketMessage& m = message_of(packet);
    m.kind = m.in_if == kNoIf ? InjectKind::kIpOutput : InjectKind::kIpInput;
    m.out_if = kNoIf;
    io_.inject(packet);
  }
}

void Arp::start(IfIndex interface, be32 next_hop, rte_mbuf* packet) {
  const Snapshot& snapshot = io_.snapshot();
  if (interface == kNoIf || interface >= snapshot.interfaces.size() ||
      snapshot.interfaces[interface].kind == IfKind::kNone) {
    io_.free(packet, Drop::inject_invalid, message_of(packet).in_if);
    return;
  }
  ArpEntry* entry = cache_.create(interface, next_hop, ArpCache::Need::kWanted);
  if (entry == nullptr) {
    io_.free(packet, Drop::neigh_queue_full, message_of(packet).in_if);
    return;
  }
  const uint64_t now = io_.now_ms();
  if (asking(interface) == nullptr) {
    // Nothing is asked here (disabled, reply-only, or down): the workers drop by themselves for a
    // while.
    cache_.change(*entry, NeighState::kFailed, now, now + kFailedMs);
    give_up(packet);
    return;
  }
  entry->tries = 1;
  if (!cache_.change(*entry, NeighState::kIncomplete, now, now + kRetryMs)) {
    io_.free(packet, Drop::neigh_queue_full, message_of(packet).in_if);
    return;
  }
  hold(*entry, packet);
  ask(*entry, false);
}

void Arp::hold(ArpEntry& entry, rte_mbuf* packet) {
  if (!hold_.push(entry.key(), packet)) {
    io_.free(packet, Drop::neigh_queue_full, message_of(packet).in_if);
  }
  if (entry.state == NeighState::kIncomplete && hold_.full(entry.key())) {
    cache_.change(entry, NeighState::kFull, io_.now_ms(), entry.deadline_ms);
  }
}

void Arp::release(IfIndex interface, be32 address) {
  for (rte_mbuf* m : hold_.take(ArpEntry::key_of(interface, address))) {
    PacketMessage& message = message_of(m);
    message.kind = message.in_if == kNoIf ? InjectKind::kIpOutput : InjectKind::kIpInput;
    message.out_if = kNoIf;
    io_.inject(m);
  }
}

/// The end of a packet whose next hop does not answer (RFC 1812 5.2.7.1: host unreachable).
void Arp::give_up(rte_mbuf* packet) {
  const PacketMessage& message = message_of(packet);
  if (message.in_if != kNoIf) {
    icmp_.send_error(packet, Origin::of(message), kIcmpUnreachable, 1);
  }
  io_.free(packet, Drop::neigh_failed, message.in_if);
}

void Arp::fail(ArpEntry& entry) {
  const uint64_t now = io_.now_ms();
  const uint64_t key = entry.key();
  entry.mac = {};
  cache_.change(entry, NeighState::kFailed, now, now + kFailedMs);
  for (rte_mbuf* m : hold_.take(key)) give_up(m);
}

/// Forgets an entry now, with what waits for it.
void Arp::forget(ArpEntry& entry) {
  for (rte_mbuf* m : hold_.take(entry.key())) {
    io_.free(m, Drop::neigh_failed, message_of(m).in_if);
  }
  cache_.erase(entry);
}

bool Arp::flush(IfIndex interface, be32 address) {
  ArpEntry* entry = cache_.find(interface, address);
  if (entry == nullptr || entry->state == NeighState::kPermanent) return false;
  forget(*entry);
  return true;
}

void Arp::used(IfIndex interface, be32 address) {
  ArpEntry* entry = cache_.find(interface, address);
  if (entry == nullptr || entry->state != NeighState::kStale) return;
  const uint64_t now = io_.now_ms();
  entry->delay = true;
  entry->tries = 0;
  cache_.change(*entry, NeighState::kProbe, now, now + kProbeDelayMs);
}

void Arp::tick() {
  const uint64_t now = io_.now_ms();
  while (ArpEntry* entry = cache_.due(now)) expire(*entry, now);
}

/// Every branch moves the deadline past now or ends the entry.
void Arp::expire(ArpEntry& entry, uint64_t now) {
  switch (entry.state) {
    case NeighState::kIncomplete:
    case NeighState::kFull:
      if (entry.tries >= kTries) {
        fail(entry);
      } else {
        ++entry.tries;
        cache_.set_deadline(entry, now + kRetryMs);
        ask(entry, false);
      }
      break;
    case NeighState::kReachable:
      cache_.change(entry, NeighState::kStale, now, stale_until(entry.interface, now));
      break;
    case NeighState::kStale:
      if (cache_.size() > kKeepAll) {
        cache_.erase(entry);
      } else {
        cache_.set_deadline(entry, stale_until(entry.interface, now));
      }
      break;
    case NeighState::kProbe:
      // After the last probe the entry goes at once: the next packet asks everybody, since the
      // address may have moved to another MAC.
      entry.delay = false;
      if (entry.tries >= kTries) {
        cache_.erase(entry);
      } else {
        ++entry.tries;
        cache_.set_deadline(entry, now + kRetryMs);
        ask(entry, true);
      }
      break;
    case NeighState::kFailed:
    case NeighState::kNone:
      cache_.erase(entry);
      break;
    case NeighState::kPermanent:
      cache_.set_deadline(entry, kNever);
      break;
  }
}

void Arp::ask(IfIndex interface, be32 address) {
  ArpEntry one;
  one.interface = interface;
  one.address = address;
  ask(one, false);
}

void Arp::ask(const ArpEntry& entry, bool unicast) {
  const Interface* interface = asking(entry.interface);
  if (interface == nullptr) return;
  ArpHdr arp{};
  arp.operation = be16::from(1);
  arp.sender_mac = interface->mac;
  arp.sender_ip = book_.source_for(entry.interface, entry.address);
  if (arp.sender_ip.raw == 0) arp.sender_ip = interface->primary_address;
  arp.target_ip = entry.address;
  send(entry.interface, unicast ? entry.mac : kBroadcastMac, arp);
}

uint64_t Arp::base_timeout(IfIndex interface) const {
  const auto found = timeouts_ms_.find(interface);
  return found == timeouts_ms_.end() ? base_timeout_ms_ : found->second;
}

uint64_t Arp::reachable_until(IfIndex interface, uint64_t now) {
  const uint64_t base = base_timeout(interface);
  return now + base / 2 + random_() % (base + 1);
}

uint64_t Arp::stale_until(IfIndex interface, uint64_t now) const {
  return now + std::max<uint64_t>(60'000, 10 * base_timeout(interface));
}

}  // namespace maclane
