// Hearing, answering and learning. Answers for others are in arp_proxy.cpp, resolution is in
// arp_resolve.cpp, configuration in arp_config.cpp.
#include "control/service/arp.h"

#include <fmt/format.h>

#include <utility>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "control/service/text.h"

namespace maclane {
namespace {

constexpr uint16_t kArpRequest = 1, kArpReply = 2;

}  // namespace

Arp::Arp(PacketIo& io, const AddressBook& book, Icmp& icmp, InterfaceName name, uint64_t seed)
    : io_(io),
      book_(book),
      icmp_(icmp),
      name_(std::move(name)),
      random_(seed),
      cache_(io.neighbours()) {}

Arp::~Arp() {
  for (const auto& [key, entry] : cache_.entries()) {
    for (rte_mbuf* m : hold_.take(key)) io_.free(m, Drop::shutdown, message_of(m).in_if);
  }
}

void Arp::handle(rte_mbuf* packet) {
  if (message_of(packet).reason == PuntReason::kNeighbour) {
    handle_unresolved(packet);
  } else {
    handle_frame(packet);
  }
}

void Arp::handle_frame(rte_mbuf* packet) {
  const IfIndex in_if = message_of(packet).in_if;
  Heard heard;
  if (!parse(packet, heard)) {
    io_.free(packet, Drop::arp_malformed, in_if);
    return;
  }
  if (const auto reason = process(heard, in_if)) {
    io_.free(packet, *reason, in_if);
  } else {
    io_.consume(packet);
  }
}

bool Arp::parse(rte_mbuf* packet, Heard& out) const {
  std::array<uint8_t, sizeof(EtherHdr) + sizeof(ArpHdr)> bytes{};
  if (read_head(packet, bytes) != bytes.size()) return false;
  if (!read_header(bytes, 0, out.ether) || !read_header(bytes, sizeof(EtherHdr), out.arp)) {
    return false;
  }
  const ArpHdr& a = out.arp;
  const uint16_t operation = a.operation.host();
  if (out.ether.type.host() != kEtherArp || a.hardware.host() != 1 ||
      a.protocol.host() != kEtherIp4 || a.hardware_length != 6 || a.protocol_length != 4 ||
      (operation != kArpRequest && operation != kArpReply)) {
    return false;
  }
  out.request = operation == kArpRequest;
  // A zero sender in a request is a probe (RFC 5227); in a reply it says nothing.
  if (a.sender_ip.raw == 0 && !out.request) return false;
  if (a.sender_mac.is_zero() || a.sender_mac.is_multicast() || is_class_d_or_e(a.sender_ip) ||
      is_loopback(a.sender_ip) || is_class_d_or_e(a.target_ip) || is_loopback(a.target_ip)) {
    return false;
  }
  out.gratuitous = a.sender_ip == a.target_ip;
  locate(message_of(packet), out);
  return true;
}

/// The segment it was heard on, and whether it comes from a kernel device of ours.
void Arp::locate(const PacketMessage& message, Heard& out) const {
  const Snapshot& snapshot = io_.snapshot();
  if (message.in_if < snapshot.interfaces.size()) {
    out.domain = snapshot.interfaces[message.in_if].domain;
  }
  if (out.domain >= snapshot.domains.size()) return;
  // What was sent to one interface's MAC was heard by that interface alone.
  if (!message.broadcast && message.out_if == kNoIf) out.only = message.in_if;
  // The worker names a sender that is on this machine; a frame from the wire with the MAC of such a
  // one was sent back by a switch, and its siblings have heard it already.
  for (const IfIndex v : snapshot.domains[out.domain].vports) {
    const Interface& vport = snapshot.interfaces[v];
    if (!vport.attached) continue;
    if (v == message.out_if || v == message.in_if) {
      out.from_vport = v;
    } else if (message.out_if == kNoIf && vport.mac == out.ether.src) {
      out.only = message.in_if;
    }
  }
}

std::optional<Drop> Arp::process(const Heard& heard, IfIndex in_if) {
  const Snapshot& snapshot = io_.snapshot();
  if (heard.domain >= snapshot.domains.size()) return Drop::inject_invalid;
  if (own_mac(heard.arp.sender_mac, heard.domain)) {  // heard ourselves
    twin(in_if, heard);
    return std::nullopt;
  }

  const IfIndex mine = heard.arp.sender_ip.raw != 0 ? owner(heard.arp.sender_ip, heard) : kNoIf;
  if (mine != kNoIf) {
    conflict(mine, heard);
  } else if (heard.arp.sender_ip.raw != 0) {
    learn(heard);
  }

  const IfIndex asked = owner(heard.arp.target_ip, heard);
  if (asked == kNoIf) {
    if (stand_in(heard)) return std::nullopt;
    // Nobody here owns it; say so by name only where ARP is switched off.
    for (const auto& row : book_.owners(heard.arp.target_ip)) {
      if (row.interface >= snapshot.interfaces.size()) continue;
      const Interface& i = snapshot.interfaces[row.interface];
      if (i.domain == heard.domain && i.arp == ArpMode::kDisabled) return Drop::arp_disabled;
    }
    const Interface& heard_on = snapshot.interfaces[in_if];
    return heard_on.arp != ArpMode::kDisabled ? std::nullopt : std::optional(Drop::arp_disabled);
  }
  if (!heard.request || heard.gratuitous) return std::nullopt;
  if (snapshot.interfaces[asked].arp == ArpMode::kReplyOnly && !knows(asked, heard)) {
    return std::nullopt;
  }
  if (mine == kNoIf) learn_requester(asked, heard);
  reply(asked, heard);
  return std::nullopt;
}

/// That `from` has the address asked for.
void Arp::reply(IfIndex from, const Heard& heard) {
  ArpHdr out = heard.arp;
  out.operation = be16::from(kArpReply);
  out.sender_mac = io_.snapshot().interfaces[from].mac;
  out.sender_ip = heard.arp.target_ip;
  out.target_mac = heard.arp.sender_mac;
  out.target_ip = heard.arp.sender_ip;
  send(from, heard.arp.sender_mac, out);
}

/// The interface if anything is answered there: ours, up, not arp=disabled.
const Interface* Arp::speaking(IfIndex interface) const {
  const Snapshot& snapshot = io_.snapshot();
  if (interface == kNoIf || interface >= snapshot.interfaces.size()) return nullptr;
  const Interface& i = snapshot.interfaces[interface];
  return i.kind != IfKind::kNone && !i.attached && i.up && i.arp != ArpMode::kDisabled ? &i
                                                                                       : nullptr;
}

/// The interface if neighbours are asked for and learned there, too.
const Interface* Arp::asking(IfIndex interface) const {
  const Interface* i = speaking(interface);
  return i != nullptr && i->arp != ArpMode::kReplyOnly ? i : nullptr;
}

/// Whether the asker is one of those that reply-only answers: a row says that it has this MAC.
bool Arp::knows(IfIndex interface, const Heard& heard) const {
  const auto found = cache_.entries().find(ArpEntry::key_of(interface, heard.arp.sender_ip));
  return found != cache_.entries().end() && found->second.state == NeighState::kPermanent &&
         found->second.mac == heard.arp.sender_mac;
}

bool Arp::hears(IfIndex interface, const Heard& heard) const {
  const Interface* i = speaking(interface);
  if (i == nullptr || i->domain != heard.domain) return false;
  if (heard.from_vport == kNoIf) return heard.only == kNoIf || heard.only == interface;
  const Interface& source = io_.snapshot().interfaces[heard.from_vport];
  return i->kind == IfKind::kMacvlan && i->mode == VportMode::kBridge &&
         source.mode == VportMode::kBridge;
}

IfIndex Arp::owner(be32 address, const Heard& heard) const {
  for (const auto& row : book_.owners(address)) {
    if (hears(row.interface, heard)) return row.interface;
  }
  return kNoIf;
}

bool Arp::own_mac(const MacAddr& mac, uint16_t domain) const {
  const Snapshot& snapshot = io_.snapshot();
  const Domain& d = snapshot.domains[domain];
  if (d.parent < snapshot.interfaces.size() && snapshot.interfaces[d.parent].mac == mac) {
    return true;
  }
  for (const IfIndex v : d.vports) {
    if (!snapshot.interfaces[v].attached && snapshot.interfaces[v].mac == mac) return true;
  }
  return false;
}

void Arp::conflict(IfIndex interface, const Heard& heard) {
  const uint64_t now = io_.now_ms();
  const be32 address = heard.arp.sender_ip;
  const auto [entry, first] = defended_ms_.try_emplace(ArpEntry::key_of(interface, address), now);
  if (!first && now - entry->second < kDefendMs) return;
  entry->second = now;
  log::write(log::Level::kWarning, "arp,warning", "{}: {} is also used by {}", name_(interface),
             text_of(address), text_of(heard.arp.sender_mac));
  announce_address(interface, address);
}

/// One of our MAC addresses with an address that is not ours: a second device has it, and the
/// switch sends each what is meant for the other (F-14, E-45).
void Arp::twin(IfIndex in_if, const Heard& heard) {
  const be32 address = heard.arp.sender_ip;
  if (!heard.request || address.raw == 0 || heard.from_vport != kNoIf || book_.owns(address)) {
    return;
  }
  const uint64_t now = io_.now_ms();
  const auto [entry, first] = twins_ms_.try_emplace(in_if, now);
  if (!first && now - entry->second < kTwinMs) return;
  entry->second = now;
  log::write(log::Level::kWarning, "arp,warning",
             "{}: the router's MAC address {} is also used by the host with the address {}; one of "
             "the two needs another",
             name_(in_if), text_of(heard.arp.sender_mac), text_of(address));
}

void Arp::learn(const Heard& heard) {
  const Snapshot& snapshot = io_.snapshot();
  const Domain& domain = snapshot.domains[heard.domain];
  const auto learn_on = [&](IfIndex i) {
    if (!hears(i, heard) || asking(i) == nullptr) return;
    ArpEntry* entry = cache_.find(i, heard.arp.sender_ip);
    if (entry == nullptr || entry->state == NeighState::kPermanent) return;
    const MacAddr& mac = snapshot.interfaces[i].mac;
    const bool solicited = !heard.request && heard.ether.dst == mac && heard.arp.target_mac == mac;
    update(*entry, heard.arp.sender_mac, solicited, heard.gratuitous);
  };
  learn_on(domain.parent);
  for (const IfIndex v : domain.vports) learn_on(v);
}

void Arp::learn_requester(IfIndex interface, const Heard& heard) {
  const be32 address = heard.arp.sender_ip;
  if (address.raw == 0 || asking(interface) == nullptr || !book_.connected(interface, address) ||
      cache_.find(interface, address) != nullptr) {
    return;
  }
  ArpEntry* entry = cache_.create(interface, address, ArpCache::Need::kHeard);
  if (entry == nullptr) return;
  const uint64_t now = io_.now_ms();
  entry->mac = heard.arp.sender_mac;
  entry->mac_ms = now;
  cache_.change(*entry, NeighState::kStale, now, stale_until(interface, now));
}

void Arp::update(ArpEntry& entry, const MacAddr& mac, bool solicited, bool gratuitous) {
  const uint64_t now = io_.now_ms();
  const IfIndex interface = entry.interface;
  const be32 address = entry.address;
  const bool known = usable(entry.state);
  if (known && entry.mac == mac && !solicited) return;
  // Two answers to one question (proxies, flux elsewhere): the first one stands.
  if (known && entry.mac != mac && !gratuitous && now - entry.mac_ms < kLockMs) return;
  if (!known || entry.mac != mac) entry.mac_ms = now;
  entry.mac = mac;
  entry.delay = false;
  entry.tries = 0;
  const bool there =
      solicited ? cache_.change(entry, NeighState::kReachable, now, reachable_until(interface, now))
                : cache_.change(entry, NeighState::kStale, now, stale_until(interface, now));
  if (there && !known) release(interface, address);
}

void Arp::send(IfIndex out_if, const MacAddr& dst, const ArpHdr& arp) {
  ArpHdr out = arp;
  out.hardware = be16::from(1);
  out.protocol = be16::from(kEtherIp4);
  out.hardware_length = 6;
  out.protocol_length = 4;
  std::array<uint8_t, sizeof(EtherHdr) + sizeof(ArpHdr)> bytes{};
  write_header(bytes, 0, EtherHdr{dst, out.sender_mac, be16::from(kEtherArp)});
  write_header(bytes, sizeof(EtherHdr), out);
  rte_mbuf* m = make_packet(io_, bytes);
  if (m == nullptr) return;
  message_of(m).kind = InjectKind::kFrame;
  message_of(m).out_if = out_if;
  io_.inject(m);
}

}  // namespace maclane
