#include "dataplane/table/fragments.h"

#include <rte_cycles.h>

#include <algorithm>

namespace maclane {

namespace {

constexpr unsigned kMaxPacket = 65535;

/// RFC 791: all pieces but the last are multiples of eight bytes, and the whole must fit a packet.
/// RFC 1858, 3128: a piece that begins eight bytes into TCP exists to overwrite its flags.
bool sane(const Ip4Hdr& ip) noexcept {
  const unsigned total = ip.total_length.host();
  const unsigned offset = ip.fragment_offset();
  if (total <= ip.header_length()) return false;
  if (offset + total > kMaxPacket) return false;
  if (ip.more_fragments() && (total - ip.header_length()) % 8 != 0) return false;
  return ip.proto != kProtoTcp || offset != 8;
}

bool equal(const FragmentTable::Ports& a, const FragmentTable::Ports& b) noexcept {
  return a.sport == b.sport && a.dport == b.dport && a.icmp_type == b.icmp_type &&
         a.icmp_code == b.icmp_code;
}

}  // namespace

// A packet in `held` is the table's until offer() hands it back or expire() drops it; shutdown
// calls expire() with a time far ahead, so the destructor has none to free.
struct FragmentTable::Datagram {
  be32 src;
  be32 dst;
  be16 id;
  uint8_t proto = 0;
  bool used = false;
  bool known = false;  // the first fragment came: ports is valid and held is empty
  uint8_t held_count = 0;
  uint16_t next = kNil;
  uint16_t prev = kNil;
  uint32_t first_seen_cs = 0;
  Ports ports;
  std::array<Held, kHeldPerDatagram> held;
};

// The seed only keeps strangers from choosing which datagrams share a probe window.
FragmentTable::FragmentTable()
    : slots_(std::make_unique<Datagram[]>(kSlots)), seed_(rte_rdtsc() | 1) {}

FragmentTable::~FragmentTable() = default;

unsigned FragmentTable::home(const Ip4Hdr& ip) const noexcept {
  uint64_t h = (uint64_t{ip.src.raw} << 32 | ip.dst.raw) ^ seed_;
  h *= 0x9e3779b97f4a7c15ULL;
  h ^= (h >> 32) ^ (uint64_t{ip.proto} << 16 | ip.id.raw);
  h *= 0xbf58476d1ce4e5b9ULL;
  return static_cast<unsigned>(h >> 40) % kSlots;
}

FragmentTable::Datagram* FragmentTable::find(const Ip4Hdr& ip) noexcept {
  const unsigned first = home(ip);
  for (unsigned i = 0; i < kProbes; ++i) {
    Datagram& d = slots_[(first + i) % kSlots];
    if (d.used && d.id == ip.id && d.src == ip.src && d.dst == ip.dst && d.proto == ip.proto)
      return &d;
  }
  return nullptr;
}

FragmentTable::Datagram* FragmentTable::add(const Ip4Hdr& ip, Now now) noexcept {
  if (used_ == kDatagrams) return nullptr;
  const unsigned first = home(ip);
  for (unsigned i = 0; i < kProbes; ++i) {
    const unsigned slot = (first + i) % kSlots;
    Datagram& d = slots_[slot];
    if (d.used) continue;
    d.src = ip.src;
    d.dst = ip.dst;
    d.id = ip.id;
    d.proto = ip.proto;
    d.used = true;
    d.known = false;
    d.held_count = 0;
    d.first_seen_cs = now.cs;
    push(static_cast<uint16_t>(slot));
    ++used_;
    return &d;
  }
  return nullptr;
}

void FragmentTable::push(uint16_t slot) noexcept {
  slots_[slot].next = kNil;
  slots_[slot].prev = newest_;
  (newest_ == kNil ? oldest_ : slots_[newest_].next) = slot;
  newest_ = slot;
}

void FragmentTable::unlink(uint16_t slot) noexcept {
  const Datagram& d = slots_[slot];
  (d.prev == kNil ? oldest_ : slots_[d.prev].next) = d.next;
  (d.next == kNil ? newest_ : slots_[d.next].prev) = d.prev;
}

FragmentTable::Outcome FragmentTable::offer(rte_mbuf* packet, IfIndex in_if, const Ip4Hdr& ip,
                                            bool first, Ports* ports, std::span<Held> released,
                                            unsigned* released_count, Now now,
                                            Drop* reason) noexcept {
  *released_count = 0;
  if (!sane(ip) || first != (ip.fragment_offset() == 0)) {  // a beginning too short for ports
    *reason = Drop::frag_malformed;
    return Outcome::kDrop;
  }
  Datagram* d = find(ip);
  if (d == nullptr) d = add(ip, now);
  if (d == nullptr) {
    *reason = Drop::frag_table_full;
    return Outcome::kDrop;
  }
  if (first) {
    if (d->known && !equal(d->ports, *ports)) {
      // Not a repetition: a fast sender has come round to the same id. A datagram of its own.
      const auto slot = static_cast<uint16_t>(d - slots_.get());
      unlink(slot);
      push(slot);
      d->first_seen_cs = now.cs;
    }
    d->ports = *ports;
    d->known = true;
    const unsigned count =
        std::min<unsigned>(d->held_count, static_cast<unsigned>(released.size()));
    std::copy_n(d->held.begin(), count, released.begin());
    *released_count = count;
    d->held_count = 0;
    return Outcome::kReady;
  }
  if (d->known) {
    *ports = d->ports;
    return Outcome::kReady;
  }
  if (d->held_count == kHeldPerDatagram) {
    *reason = Drop::frag_table_full;
    return Outcome::kDrop;
  }
  d->held[d->held_count++] = {packet, in_if};
  return Outcome::kHeld;
}

void FragmentTable::expire(Now now, unsigned budget, DropFn drop, void* context) noexcept {
  for (; budget != 0 && oldest_ != kNil; --budget) {
    const uint16_t slot = oldest_;
    Datagram& d = slots_[slot];
    if (static_cast<int32_t>(now.cs - d.first_seen_cs) < static_cast<int32_t>(kLifetimeCs)) return;
    for (unsigned i = 0; i < d.held_count; ++i)
      drop(context, d.held[i].packet, d.held[i].in_if, Drop::frag_timeout);
    d.used = false;
    d.held_count = 0;
    unlink(slot);
    --used_;
  }
}

}  // namespace maclane
