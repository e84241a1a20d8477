#include "control/service/reassembly.h"

#include <algorithm>

#include "control/service/packet_build.h"
#include "dataplane/net/checksum.h"

namespace maclane {

Reassembler::~Reassembler() {
  for (Slot& slot : slots_) {
    if (slot.packet != nullptr) io_.free(slot.packet, Drop::shutdown, slot.origin.in_if);
  }
}

std::optional<Reassembler::Datagram> Reassembler::offer(rte_mbuf* packet,
                                                        std::span<const uint8_t> bytes) {
  const IfIndex in_if = message_of(packet).in_if;
  Ip4Hdr ip;
  const bool readable = read_ip4(bytes, ip) && ip.total_length.host() <= bytes.size();
  const unsigned header = readable ? ip.header_length() : 0;
  const uint32_t first = readable ? ip.fragment_offset() : 0;
  const uint32_t length = readable ? ip.total_length.host() - header : 0;
  if (length == 0 || (ip.more_fragments() && length % 8 != 0) || header + first + length > 65535) {
    io_.free(packet, Drop::frag_malformed, in_if);
    return std::nullopt;
  }
  Slot* slot = find_or_create(ip, Origin::of(message_of(packet)));
  if (slot == nullptr || slot->spoiled) {
    io_.free(packet, slot == nullptr ? Drop::frag_table_full : Drop::frag_malformed, in_if);
    return std::nullopt;
  }
  const uint32_t end = first + length;
  const bool last = !ip.more_fragments();
  const bool contradicts =
      (slot->total != 0 && (end > slot->total || (last && end != slot->total))) ||
      (last && !slot->pieces.empty() && slot->pieces.back().second > end);
  const Placed placed =
      contradicts ? Placed::kOverlap : place(*slot, first, bytes.subspan(header, length));
  if (placed == Placed::kOverlap) {
    spoil(*slot);
    io_.free(packet, Drop::frag_malformed, in_if);
    return std::nullopt;
  }
  if (placed == Placed::kRepeat) {
    io_.consume(packet);
    return std::nullopt;
  }
  if (last) slot->total = end;
  if (first == 0) slot->header.assign(bytes.begin(), bytes.begin() + header);
  slot->origin.broadcast = slot->origin.broadcast || message_of(packet).broadcast;
  if (slot->packet != nullptr) io_.consume(slot->packet);
  slot->packet = packet;
  const bool complete = slot->total != 0 && slot->pieces.size() == 1 &&
                        slot->pieces.front() == std::pair<uint32_t, uint32_t>{0, slot->total};
  if (!complete) return std::nullopt;
  // The first fragment's options may be longer than those of the others.
  if (slot->header.size() + slot->total > 65535) {
    io_.free(packet, Drop::frag_malformed, in_if);
    *slot = {};
    return std::nullopt;
  }
  return finish(*slot);
}

Reassembler::Slot* Reassembler::find_or_create(const Ip4Hdr& ip, const Origin& origin) {
  Slot* free_slot = nullptr;
  Slot* spoiled = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.used) {
      if (free_slot == nullptr) free_slot = &slot;
    } else if (slot.src == ip.src && slot.dst == ip.dst && slot.id == ip.id &&
               slot.proto == ip.proto) {
      return &slot;
    } else if (slot.spoiled && (spoiled == nullptr || slot.deadline_ms < spoiled->deadline_ms)) {
      spoiled = &slot;
    }
  }
  if (free_slot == nullptr) free_slot = spoiled;
  if (free_slot == nullptr) return nullptr;
  *free_slot = {};
  free_slot->used = true;
  free_slot->origin = origin;
  free_slot->src = ip.src;
  free_slot->dst = ip.dst;
  free_slot->id = ip.id;
  free_slot->proto = ip.proto;
  free_slot->deadline_ms = io_.now_ms() + kLifetimeMs;
  return free_slot;
}

Reassembler::Placed Reassembler::place(Slot& slot, uint32_t first, std::span<const uint8_t> data) {
  const uint32_t end = first + static_cast<uint32_t>(data.size());
  auto& pieces = slot.pieces;
  // The first piece that ends behind our start: only it and its neighbours can matter.
  auto next = std::find_if(pieces.begin(), pieces.end(),
                           [&](const auto& piece) { return piece.second > first; });
  if (next != pieces.end() && next->first < end) {
    const bool repeat = next->first <= first && next->second >= end &&
                        std::equal(data.begin(), data.end(), slot.data.begin() + first);
    return repeat ? Placed::kRepeat : Placed::kOverlap;
  }
  if (slot.data.size() < end) slot.data.resize(end);
  std::copy(data.begin(), data.end(), slot.data.begin() + first);

  const bool joins_before = next != pieces.begin() && std::prev(next)->second == first;
  const bool joins_after = next != pieces.end() && next->first == end;
  if (joins_before && joins_after) {
    std::prev(next)->second = next->second;
    pieces.erase(next);
  } else if (joins_before) {
    std::prev(next)->second = end;
  } else if (joins_after) {
    next->first = first;
  } else if (pieces.size() >= kPieces) {
    return Placed::kOverlap;  // nothing honest arrives in so many separate pieces
  } else {
    pieces.insert(next, {first, end});
  }
  return Placed::kYes;
}

/// Keeps the place for the rest of its time, so that later fragments do not begin anew.
void Reassembler::spoil(Slot& slot) {
  if (slot.packet != nullptr) io_.free(slot.packet, Drop::frag_malformed, slot.origin.in_if);
  slot.packet = nullptr;
  slot.spoiled = true;
  slot.header = {};
  slot.data = {};
  slot.pieces = {};
}

Reassembler::Datagram Reassembler::finish(Slot& slot) {
  Datagram out;
  out.packet = slot.packet;
  message_of(out.packet).broadcast = slot.origin.broadcast;
  out.bytes = std::move(slot.header);
  Ip4Hdr ip;
  std::memcpy(static_cast<void*>(&ip), out.bytes.data(), sizeof(ip));
  ip.total_length = be16::from(static_cast<uint16_t>(out.bytes.size() + slot.total));
  ip.fragment = {};
  ip.checksum = {};
  write_header(out.bytes, 0, ip);
  ip.checksum.raw = checksum(out.bytes.data(), out.bytes.size());
  write_header(out.bytes, 0, ip);
  out.bytes.insert(out.bytes.end(), slot.data.begin(), slot.data.begin() + slot.total);
  slot = {};
  return out;
}

void Reassembler::tick() {
  const uint64_t now = io_.now_ms();
  for (Slot& slot : slots_) {
    if (!slot.used || slot.deadline_ms > now) continue;
    if (slot.packet != nullptr) {
      if (!slot.header.empty()) {
        std::vector<uint8_t> first = std::move(slot.header);
        const auto came = slot.data.begin() + slot.pieces.front().second;
        first.insert(first.end(), slot.data.begin(), came);
        timed_out_(first, slot.origin);
      }
      io_.free(slot.packet, Drop::frag_timeout, slot.origin.in_if);
    }
    slot = {};
  }
}

uint64_t Reassembler::next_deadline() const {
  uint64_t next = kNever;
  for (const Slot& slot : slots_) {
    if (slot.used) next = std::min(next, slot.deadline_ms);
  }
  return next;
}

size_t Reassembler::waiting() const {
  return static_cast<size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.used; }));
}

}  // namespace maclane
