#include "dataplane/stage/reassemble.h"

#include <algorithm>
#include <span>

#include "dataplane/net/checksum.h"
#include "dataplane/stage/dispatch.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

using Table = FragmentTable;

/// Up to how many bytes behind its header the datagram of first fragment i is wanted whole: as many
/// as its buffer has room for, if it may be of a connection that a helper reads. 0: it is not.
[[nodiscard]] unsigned wanted_whole(const Worker& w, const Burst& b, unsigned i) noexcept {
  constexpr unsigned kForEdits = 128;  // a helper's text may be longer
  const Snapshot& s = *w.snapshot;
  const rte_mbuf* m = b.mbuf[i];
  const Tuple& t = b.tuple[i];
  if (!s.tracking || (b.flags[i] & ~L3Queue::kAtReassembler) != 0 || m->nb_segs != 1 ||
      b.ip[i]->dont_fragment() ||
      (s.helper_ports.of(t.proto, t.sport) == Helper::kNone &&
       s.helper_ports.of(t.proto, t.dport) == Helper::kNone)) {
    return 0;
  }
  const unsigned room = m->data_len + rte_pktmbuf_tailroom(m);
  const unsigned used = b.ip[i]->header_length() + kForEdits;
  return room > used ? std::min(room - used, 65535u) : 0;
}

/// Puts the pieces of a datagram, which are all of it in their order, together in the first one's
/// buffer. False: one of them came otherwise than the first, and nothing was changed.
[[nodiscard]] bool join(Worker& w, std::span<const Table::Held> pieces) noexcept {
  if (std::any_of(pieces.begin(), pieces.end(), [](const Table::Held& one) {
        return one.packet->nb_segs != 1 || (one.flags & ~L3Queue::kAtReassembler) != 0;
      })) {
    return false;
  }
  rte_mbuf* const first = pieces.front().packet;
  for (const Table::Held& piece : pieces.subspan(1)) {
    const auto* ip = rte_pktmbuf_mtod(piece.packet, const Ip4Hdr*);
    const unsigned header = ip->header_length();
    const unsigned length = ip->total_length.host() - header;
    char* to = rte_pktmbuf_append(first, static_cast<uint16_t>(length));
    std::memcpy(to, reinterpret_cast<const char*>(ip) + header, length);
    finish(w, piece.packet);
  }
  auto* ip = rte_pktmbuf_mtod(first, Ip4Hdr*);
  ip->total_length = be16::from(static_cast<uint16_t>(first->pkt_len));
  ip->fragment = {};
  ip->checksum = {};
  ip->checksum.raw = checksum(ip, ip->header_length());
  return true;
}

void release(Worker& w, std::span<const Table::Held> pieces, L3Queue& released) noexcept {
  for (const Table::Held& one : pieces) {
    if (!released.push(one.packet, one.in_if, one.flags))
      drop(w, one.packet, Drop::frag_table_full, one.in_if);
  }
}

}  // namespace

void reassemble(Worker& w, Burst& b, L3Queue& released, bool whole) noexcept {
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || !b.ip[i]->is_fragment()) continue;
    const bool first = b.l4[i] != nullptr;
    if ((b.flags[i] & L3Queue::kAtHome) != 0) {  // it was here before, at another worker
      if (!first) recall_ports(b, i);
      continue;
    }
    FragmentTable::Ports ports{b.tuple[i].sport, b.tuple[i].dport, b.icmp_type[i], b.icmp_code[i]};
    std::array<Table::Held, Table::kMostReleased> held;
    unsigned held_count = 0;
    Drop reason = Drop::frag_table_full;
    const auto outcome =
        w.fragments.offer({b.mbuf[i], b.in_if[i], b.flags[i]}, *b.ip[i], first, &ports, held,
                          &held_count, w.now, &reason, whole && first ? wanted_whole(w, b, i) : 0);
    const std::span<const Table::Held> others{held.data(), held_count};
    switch (outcome) {
      case Table::Outcome::kHeld:
        b.mbuf[i] = nullptr;
        continue;
      case Table::Outcome::kDrop:
        drop(w, b.mbuf[i], reason, b.in_if[i]);
        b.mbuf[i] = nullptr;
        continue;
      case Table::Outcome::kWhole:
        if (join(w, others)) {
          b.mbuf[i] = others.front().packet;
          b.in_if[i] = others.front().in_if;
          b.flags[i] = others.front().flags;
          ip4_validate(w, b, i);
          continue;
        }
        [[fallthrough]];
      case Table::Outcome::kScattered:
        release(w, others, released);
        b.mbuf[i] = nullptr;
        continue;
      case Table::Outcome::kReady:
        break;
    }
    if (!first) {
      b.tuple[i].sport = ports.sport;
      b.tuple[i].dport = ports.dport;
      b.icmp_type[i] = ports.icmp_type;
      b.icmp_code[i] = ports.icmp_code;
    }
    release(w, others, released);
  }
}

}  // namespace maclane
