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

/// Where a piece lies in its datagram.
struct Extent {
  explicit Extent(const Ip4Hdr& ip) noexcept
      : from(ip.fragment_offset()),
        to(from + ip.total_length.host() - ip.header_length()),
        last(!ip.more_fragments()) {}
  Extent() = default;

  unsigned from = 0;
  unsigned to = 0;
  bool last = false;
};

/// Which bytes of a datagram went by since its beginning: the exact ranges. No byte goes by twice:
/// a piece that repeats others is dropped, and from one on that overlaps them or lies behind the
/// end all of the datagram is (RFC 1858, 5722), as Linux does.
class Coverage {
 public:
  enum class Piece : uint8_t { kNew, kRepeated, kOverlaps, kNoRoom };
  void clear() noexcept { count_ = 0; }
  /// Takes in what is new; of anything else nothing.
  [[nodiscard]] Piece add(unsigned from, unsigned to) noexcept {
    bool touches = false;
    for (unsigned i = 0; i < count_; ++i) {
      const Range& r = ranges_[i];
      if (r.from <= from && to <= r.to) return Piece::kRepeated;
      if (from < r.to && r.from < to) return Piece::kOverlaps;
      touches |= r.to == from || r.from == to;
    }
    if (!touches && count_ == ranges_.size()) return Piece::kNoRoom;
    unsigned kept = 0;
    for (unsigned i = 0; i < count_; ++i) {
      if (ranges_[i].to < from || ranges_[i].from > to) {
        ranges_[kept++] = ranges_[i];
      } else {  // touches: one with the new
        from = std::min<unsigned>(from, ranges_[i].from);
        to = std::max<unsigned>(to, ranges_[i].to);
      }
    }
    ranges_[kept] = {static_cast<uint16_t>(from), static_cast<uint16_t>(to)};
    count_ = static_cast<uint8_t>(kept + 1);
    return Piece::kNew;
  }
  [[nodiscard]] unsigned end() const noexcept {
    unsigned end = 0;
    for (unsigned i = 0; i < count_; ++i) end = std::max<unsigned>(end, ranges_[i].to);
    return end;
  }
  [[nodiscard]] bool is(unsigned total) const noexcept {
    return count_ == 1 && ranges_[0].from == 0 && ranges_[0].to == total;
  }

 private:
  struct Range {
    uint16_t from;
    uint16_t to;
  };
  // A datagram of 64 KiB in pieces of an Ethernet's size has no more gaps, in whatever order.
  std::array<Range, 24> ranges_;
  uint8_t count_ = 0;
};

}  // namespace

// A packet in `held` is the table's until offer() hands it back or expire() drops it; shutdown
// calls expire() with a time far ahead, so the destructor has none to free.
struct FragmentTable::Datagram {
  be32 src;
  be32 dst;
  be16 id;
  uint8_t proto = 0;
  bool used = false;
  bool known = false;    // the first fragment came: ports is valid and held is empty
  bool spoiled = false;  // known: pieces contradict each other, and no more of it passes
  uint8_t held_count = 0;
  uint16_t next = kNil;
  uint16_t prev = kNil;
  uint32_t since_cs = 0;   // known: its first fragment, else its first piece
  uint16_t total = 0;      // bytes, when the last fragment was seen
  uint16_t beginning = 0;  // bytes of the first fragment
  uint16_t whole = 0;      // not known: wanted whole, if it has no more bytes than these
  Coverage seen;
  Ports ports;
  std::array<Held, kHeldPerDatagram> held;
  std::array<Extent, kHeldPerDatagram> extents;  // of those
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

uint16_t FragmentTable::free_slot(unsigned first) noexcept {
  Datagram* victim = nullptr;
  for (unsigned i = 0; i < kProbes; ++i) {
    Datagram& d = slots_[(first + i) % kSlots];
    if (!d.used) return static_cast<uint16_t>((first + i) % kSlots);
    if (d.known && (victim == nullptr || static_cast<int32_t>(d.since_cs - victim->since_cs) < 0)) {
      victim = &d;
    }
  }
  if (victim == nullptr) return kNil;
  forget(*victim);
  return static_cast<uint16_t>(victim - slots_.get());
}

FragmentTable::Datagram* FragmentTable::add(const Ip4Hdr& ip, Now now) noexcept {
  // Whoever is not known holds a packet: in a full table some are known.
  static_assert(kMaxHeld < kDatagrams);
  if (used_ == kDatagrams) forget(slots_[known_.oldest]);
  const uint16_t slot = free_slot(home(ip));
  if (slot == kNil) return nullptr;
  Datagram& d = slots_[slot];
  d.src = ip.src;
  d.dst = ip.dst;
  d.id = ip.id;
  d.proto = ip.proto;
  d.used = true;
  d.known = d.spoiled = false;
  d.whole = 0;
  d.held_count = 0;
  d.since_cs = now.cs;
  push(d);
  ++used_;
  return &d;
}

/// The first fragment came, and with it a life of its own. One that comes again may be a repetition
/// or a fast sender that came round to the same id: what was seen before does not count then.
void FragmentTable::begin(Datagram& d, Now now) noexcept {
  unlink(d);
  d.known = true;
  d.since_cs = now.cs;
  d.total = 0;
  d.seen.clear();
  push(d);
}

void FragmentTable::forget(Datagram& d) noexcept {
  held_ -= d.held_count;
  d.held_count = 0;
  d.used = false;
  unlink(d);
  --used_;
}

void FragmentTable::hold(Datagram& d, const Held& piece, const Ip4Hdr& ip) noexcept {
  d.extents[d.held_count] = Extent(ip);
  d.held[d.held_count++] = piece;
  ++held_;
}

/// One more piece of a datagram that is wanted whole. Only pieces that fit each other stay held.
FragmentTable::Outcome FragmentTable::gather(Datagram& d, const Held& piece, const Ip4Hdr& ip,
                                             std::span<Held> released,
                                             unsigned* released_count) noexcept {
  struct Placed {
    Extent extent;
    const Held* piece;
  };
  std::array<Placed, kMostReleased> all;
  for (unsigned k = 0; k < d.held_count; ++k) all[k] = {d.extents[k], &d.held[k]};
  unsigned count = d.held_count;
  all[count++] = {Extent(ip), &piece};
  std::sort(all.begin(), all.begin() + count, [](const Placed& one, const Placed& other) {
    return one.extent.from < other.extent.from;
  });
  bool fits = all[count - 1].extent.to <= d.whole;
  bool gaps = all[0].extent.from != 0 || !all[count - 1].extent.last;
  for (unsigned k = 1; k < count; ++k) {
    fits &= !all[k - 1].extent.last && all[k - 1].extent.to <= all[k].extent.from;
    gaps |= all[k - 1].extent.to != all[k].extent.from;
  }
  if (fits && gaps && d.held_count < kHeldPerDatagram && held_ < kMaxHeld) {
    hold(d, piece, ip);
    return Outcome::kHeld;
  }
  for (unsigned k = 0; k < count; ++k) released[k] = *all[k].piece;
  *released_count = count;
  forget(d);
  return fits && !gaps ? Outcome::kWhole : Outcome::kScattered;
}

FragmentTable::List& FragmentTable::list_of(const Datagram& d) noexcept {
  return d.known ? known_ : waiting_;
}

void FragmentTable::push(Datagram& d) noexcept {
  List& list = list_of(d);
  const auto slot = static_cast<uint16_t>(&d - slots_.get());
  d.next = kNil;
  d.prev = list.newest;
  (list.newest == kNil ? list.oldest : slots_[list.newest].next) = slot;
  list.newest = slot;
}

void FragmentTable::unlink(const Datagram& d) noexcept {
  List& list = list_of(d);
  (d.prev == kNil ? list.oldest : slots_[d.prev].next) = d.next;
  (d.next == kNil ? list.newest : slots_[d.next].prev) = d.prev;
}

FragmentTable::Outcome FragmentTable::offer(const Held& piece, const Ip4Hdr& ip, bool first,
                                            Ports* ports, std::span<Held> released,
                                            unsigned* released_count, Now now, Drop* reason,
                                            unsigned whole) noexcept {
  *released_count = 0;
  if (!sane(ip) || first != (ip.fragment_offset() == 0)) {  // a beginning too short for ports
    *reason = Drop::frag_malformed;
    return Outcome::kDrop;
  }
  Datagram* d = find(ip);
  const bool must_wait = !first && (d == nullptr || !d->known);
  const bool may_wait = held_ < kMaxHeld && (d == nullptr || d->held_count < kHeldPerDatagram);
  if (d == nullptr && (!must_wait || may_wait)) d = add(ip, now);
  if (d != nullptr && first && !d->known && d->whole == 0) d->whole = static_cast<uint16_t>(whole);
  if (d != nullptr && d->whole != 0) return gather(*d, piece, ip, released, released_count);
  if (d == nullptr || (must_wait && !may_wait)) {
    *reason = Drop::frag_table_full;
    return Outcome::kDrop;
  }
  if (must_wait) {
    hold(*d, piece, ip);
    return Outcome::kHeld;
  }
  const auto [from, to, last] = Extent(ip);
  // One that begins anew with another length would overlap what went by.
  if (d->known && (d->spoiled || (first && d->beginning != to))) {
    d->spoiled = true;
    *reason = Drop::frag_malformed;
    return Outcome::kDrop;
  }
  if (first) {
    const unsigned count =
        std::min<unsigned>(d->held_count, static_cast<unsigned>(released.size()));
    std::copy_n(d->held.begin(), count, released.begin());
    *released_count = count;
    held_ -= d->held_count;
    d->held_count = 0;
    begin(*d, now);
    d->ports = *ports;
    d->beginning = static_cast<uint16_t>(to);
  } else {
    *ports = d->ports;
  }
  // Two ends, or a piece behind the end.
  const bool contradicts = (d->total != 0 && (to > d->total || (last && to != d->total))) ||
                           (last && d->seen.end() > to);
  const auto piece_is = contradicts ? Coverage::Piece::kOverlaps : d->seen.add(from, to);
  if (piece_is != Coverage::Piece::kNew) {
    d->spoiled = piece_is == Coverage::Piece::kOverlaps;
    *reason = piece_is == Coverage::Piece::kNoRoom ? Drop::frag_table_full : Drop::frag_malformed;
    return Outcome::kDrop;
  }
  if (last) d->total = static_cast<uint16_t>(to);
  if (d->total != 0 && d->seen.is(d->total)) forget(*d);
  return Outcome::kReady;
}

void FragmentTable::expire(Now now, unsigned budget, DropFn drop, void* context) noexcept {
  // Those that wait come first: they pin packets, the others are forgotten when room is needed.
  for (const List* list : {&waiting_, &known_}) {
    const uint32_t lifetime = list == &known_ ? kKnownLifetimeCs : kLifetimeCs;
    for (; budget != 0 && list->oldest != kNil; --budget) {
      Datagram& d = slots_[list->oldest];
      if (static_cast<int32_t>(now.cs - d.since_cs) < static_cast<int32_t>(lifetime)) break;
      for (unsigned i = 0; i < d.held_count; ++i)
        drop(context, d.held[i].packet, d.held[i].in_if, Drop::frag_timeout);
      forget(d);
    }
  }
}

}  // namespace maclane
