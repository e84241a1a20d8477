#include "dataplane/stage/egress.h"

#include "dataplane/net/checksum.h"
#include "dataplane/net/wire.h"
#include "dataplane/stage/l2.h"
#include "dataplane/stage/pppoe.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

void send(Worker& w, rte_mbuf* m, const Interface& out, IfIndex out_if,
          const MacAddr& dst) noexcept {
  if (out.kind == IfKind::kPppoe) return pppoe_send(w, m, out_if);
  auto* eth = reinterpret_cast<EtherHdr*>(rte_pktmbuf_prepend(m, sizeof(EtherHdr)));
  if (eth == nullptr) return drop(w, m, Drop::oversize, out_if);
  *eth = {dst, out.mac, be16::from(kEtherIp4)};
  l2_send(w, m, out_if);
}

/// Options that later fragments carry: those with the copy bit (RFC 791 3.1). Returns their length,
/// padded to four.
unsigned copied_options(const uint8_t* from, unsigned length, uint8_t* to) noexcept {
  unsigned used = 0;
  for (unsigned at = 0; at < length;) {
    const uint8_t option = from[at];
    if (option == 0) break;
    const unsigned size = option == 1 ? 1u : from[at + 1];  // bounds were checked at validation
    if ((option & 0x80) != 0) {
      std::memcpy(to + used, from + at, size);
      used += size;
    }
    at += size;
  }
  while ((used & 3) != 0) to[used++] = 0;
  return used;
}

/// Copies `length` bytes at `offset` of a packet that may be chained to the end of `to`.
bool append(rte_mbuf* to, const rte_mbuf* from, unsigned offset, unsigned length) noexcept {
  char* at = rte_pktmbuf_append(to, static_cast<uint16_t>(length));
  if (at == nullptr) return false;
  const void* data = rte_pktmbuf_read(from, offset, length, at);
  if (data == nullptr) return false;
  if (data != at) std::memcpy(at, data, length);
  return true;
}

void fragment(Worker& w, rte_mbuf* m, const Interface& out, IfIndex out_if,
              const MacAddr& dst) noexcept {
  const auto* ip = rte_pktmbuf_mtod(m, const Ip4Hdr*);
  const unsigned header = ip->header_length();
  const unsigned total = ip->total_length.host();
  const unsigned first_offset = ip->fragment_offset();
  const bool last_has_more = ip->more_fragments();
  std::array<uint8_t, 60> later{};  // header of every fragment but the first
  std::memcpy(later.data(), ip, sizeof(Ip4Hdr));
  const unsigned later_header =
      static_cast<unsigned>(sizeof(Ip4Hdr)) +
      copied_options(reinterpret_cast<const uint8_t*>(ip + 1),
                     header - static_cast<unsigned>(sizeof(Ip4Hdr)), later.data() + sizeof(Ip4Hdr));

  unsigned done = 0;
  while (done < total - header) {
    const bool first = done == 0;
    const unsigned own_header = first ? header : later_header;
    const unsigned room = (out.mtu - own_header) & ~7u;
    const unsigned left = total - header - done;
    const bool last = left <= out.mtu - own_header;
    const unsigned size = last ? left : room;
    rte_mbuf* f = room == 0 ? nullptr : alloc(w);
    if (f == nullptr) break;
    char* head = rte_pktmbuf_append(f, static_cast<uint16_t>(own_header));
    if (head == nullptr || !append(f, m, header + done, size)) {
      drop(w, f, Drop::frag_no_mbuf, out_if);
      break;
    }
    std::memcpy(head, first ? reinterpret_cast<const uint8_t*>(ip) : later.data(), own_header);
    auto* h = reinterpret_cast<Ip4Hdr*>(head);
    const unsigned offset = (first_offset + done) / 8;
    const bool more = !last || last_has_more;
    h->version_ihl = static_cast<uint8_t>(0x40 | own_header / 4);
    h->total_length = be16::from(static_cast<uint16_t>(own_header + size));
    h->fragment = be16::from(static_cast<uint16_t>(offset | (more ? 0x2000u : 0u)));
    h->checksum = {};
    h->checksum.raw = checksum(h, own_header);
    send(w, f, out, out_if, dst);
    done += size;
  }
  if (done < total - header) return drop(w, m, Drop::frag_no_mbuf, out_if);
  finish(w, m);
}

}  // namespace

void egress(Worker& w, rte_mbuf* m, IfIndex out_if, const MacAddr& dst) noexcept {
  const Interface& out = w.snapshot->interfaces[out_if];
  if (m->pkt_len > out.mtu) return fragment(w, m, out, out_if, dst);
  send(w, m, out, out_if, dst);
}

}  // namespace maclane
