#include "control/service/packet_build.h"

#include <algorithm>

#include "dataplane/net/checksum.h"

namespace maclane {

size_t read_head(const rte_mbuf* packet, std::span<uint8_t> out) {
  size_t done = 0;
  for (const rte_mbuf* seg = packet; seg != nullptr && done < out.size(); seg = seg->next) {
    const size_t n = std::min<size_t>(out.size() - done, seg->data_len);
    if (n != 0) std::memcpy(out.data() + done, rte_pktmbuf_mtod(seg, const uint8_t*), n);
    done += n;
  }
  return done;
}

bool is_heard_on(const Snapshot& snapshot, IfIndex interface, const PacketMessage& punt) {
  if (interface >= snapshot.interfaces.size() || punt.in_if >= snapshot.interfaces.size())
    return false;
  if (!punt.broadcast) return interface == punt.in_if;
  const Interface& i = snapshot.interfaces[interface];
  if (i.domain != snapshot.interfaces[punt.in_if].domain) return false;
  const bool siblings = punt.out_if != kNoIf && punt.out_if != punt.in_if;
  return !siblings ||
         (punt.out_if != interface && i.kind == IfKind::kMacvlan && i.mode == VportMode::kBridge);
}

rte_mbuf* make_packet(PacketIo& io, std::span<const uint8_t> bytes) {
  rte_mbuf* head = nullptr;
  rte_mbuf* tail = nullptr;
  do {
    rte_mbuf* seg = io.alloc();
    if (seg == nullptr) {
      if (head != nullptr) io.consume(head);
      return nullptr;
    }
    const auto n = static_cast<uint16_t>(std::min<size_t>(bytes.size(), rte_pktmbuf_tailroom(seg)));
    if (n != 0) std::memcpy(rte_pktmbuf_mtod(seg, uint8_t*), bytes.data(), n);
    seg->data_len = n;
    seg->pkt_len = n;
    bytes = bytes.subspan(n);
    if (head == nullptr) {
      head = seg;
    } else {
      // By hand and not rte_pktmbuf_chain, which walks the chain each time.
      tail->next = seg;
      ++head->nb_segs;
      head->pkt_len += n;
    }
    tail = seg;
  } while (!bytes.empty());
  return head;
}

Ip4Hdr make_ip4(const Ip4Fields& fields, size_t total_length) {
  Ip4Hdr ip{};
  ip.version_ihl = 0x45;
  ip.tos = fields.tos;
  ip.total_length = be16::from(static_cast<uint16_t>(total_length));
  ip.id = be16::from(fields.id);
  ip.fragment = be16::from(fields.dont_fragment ? 0x4000 : 0);
  ip.ttl = fields.ttl;
  ip.proto = fields.proto;
  ip.src = fields.src;
  ip.dst = fields.dst;
  ip.checksum.raw = checksum(&ip, sizeof(ip));
  return ip;
}

bool read_ip4(std::span<const uint8_t> bytes, Ip4Hdr& out) {
  if (!read_header(bytes, 0, out)) return false;
  return (out.version_ihl >> 4) == 4 && out.header_length() >= sizeof(Ip4Hdr) &&
         out.header_length() <= bytes.size() && out.total_length.host() >= out.header_length();
}

bool send_ip4(PacketIo& io, std::span<const uint8_t> packet, bool related, uint8_t worker) {
  rte_mbuf* m = make_packet(io, packet);
  if (m == nullptr) return false;
  message_of(m).kind = InjectKind::kIpOutput;
  message_of(m).related = related;
  message_of(m).worker = worker;
  return io.inject(m);
}

}  // namespace maclane
