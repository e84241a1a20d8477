#include "dataplane/stage/ip4_validate.h"

#include "dataplane/helper/pptp_text.h"
#include "dataplane/net/checksum.h"
#include "dataplane/stage/transport.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

/// Options must parse. Source routes are refused behind the raw rules (slow_path.h).
bool options_ok(const uint8_t* option, const uint8_t* end) noexcept {
  while (option < end) {
    if (*option == 0) return true;  // end of list
    if (*option == 1) {             // no operation
      ++option;
      continue;
    }
    if (end - option < 2 || option[1] < 2 || option[1] > end - option) return false;
    option += option[1];
  }
  return true;
}

/// Addresses that must not come from a wire (RFC 1812 5.3.7).
bool martian(uint32_t src, uint32_t dst) noexcept {
  const uint32_t src_net = src >> 24;
  const uint32_t dst_net = dst >> 24;
  if (src_net == 127 || dst_net == 127) return true;
  if ((src >> 28) == 0xe || src == 0xffffffffu) return true;
  if (src_net == 0) return dst != 0xffffffffu;  // a host without an address may only broadcast
  return dst_net == 0;
}

/// A GRE packet of a call that PPTP's helper knows has the call's two numbers for ports; any other
/// has none (RFC 2637 4.1).
[[gnu::noinline, gnu::cold]] void name_call(const Worker& w, Burst& b, unsigned i,
                                            unsigned here) noexcept {
  if (w.shared->expectations.empty()) return;
  Tuple& t = b.tuple[i];
  t.dport = pptp::gre_call({b.l4[i], here});
  if (t.dport.raw != 0) t.sport = w.shared->expectations.sender_of(t, w.now.cs);
  if (t.sport.raw == 0) t.dport = {};
}

}  // namespace

bool parse_l4(const Snapshot& snapshot, Burst& b, unsigned i, unsigned l4_length,
              bool whole) noexcept {
  const uint8_t* l4 = b.l4[i];
  Tuple& t = b.tuple[i];
  switch (t.proto) {
    case kProtoTcp: {
      if (l4_length < sizeof(TcpHdr)) return false;
      const auto* tcp = reinterpret_cast<const TcpHdr*>(l4);
      const unsigned header = (tcp->data_offset >> 4) * 4u;
      if (header < sizeof(TcpHdr) || (whole && header > l4_length)) return false;
      t.sport = tcp->sport;
      t.dport = tcp->dport;
      b.tcp_flags[i] = tcp->flags;
      return true;
    }
    case kProtoUdp: {
      if (l4_length < sizeof(UdpHdr)) return false;
      const auto* udp = reinterpret_cast<const UdpHdr*>(l4);
      const unsigned length = udp->length.host();
      if (length < sizeof(UdpHdr) || (whole && length > l4_length)) return false;
      t.sport = udp->sport;
      t.dport = udp->dport;
      return true;
    }
    case kProtoIcmp: {
      if (l4_length < sizeof(IcmpHdr)) return false;
      const auto* icmp = reinterpret_cast<const IcmpHdr*>(l4);
      b.icmp_type[i] = icmp->type;
      b.icmp_code[i] = icmp->code;
      t = icmp_tuple(t.src, t.dst, icmp->type, icmp->id);
      return true;
    }
    case kProtoSctp:
    case kProtoDccp:
    case kProtoUdpLite:
      if (!transport_header_ok(t.proto, {l4, l4_length}, whole)) return false;
      read_ports(snapshot, l4, t);
      return true;
    default:
      return true;
  }
}

void ip4_validate(Worker& w, Burst& b, unsigned i) noexcept {
  rte_mbuf* m = b.mbuf[i];
  const auto refuse = [&](Drop reason) {
    drop(w, m, reason, b.in_if[i]);
    b.mbuf[i] = nullptr;
  };
  if (m->data_len < sizeof(Ip4Hdr)) return refuse(Drop::ip_malformed);
  auto* ip = rte_pktmbuf_mtod(m, Ip4Hdr*);
  const unsigned header = ip->header_length();
  const unsigned total = ip->total_length.host();
  if ((ip->version_ihl >> 4) != 4 || header < sizeof(Ip4Hdr) || header > m->data_len ||
      total < header || total > m->pkt_len) {
    return refuse(Drop::ip_malformed);
  }
  if (checksum(ip, header) != 0) return refuse(Drop::ip_checksum);
  if (header > sizeof(Ip4Hdr) &&
      !options_ok(reinterpret_cast<uint8_t*>(ip + 1), reinterpret_cast<uint8_t*>(ip) + header)) {
    return refuse(Drop::ip_options);
  }
  const bool from_router = (b.flags[i] & L3Queue::kFromRouter) != 0;
  if (!from_router && martian(ip->src.host(), ip->dst.host())) return refuse(Drop::ip_martian);
  // What cannot be cut off is more than padding: whole segments behind the packet.
  if (m->pkt_len > total && rte_pktmbuf_trim(m, static_cast<uint16_t>(m->pkt_len - total)) != 0)
    return refuse(Drop::ip_malformed);

  b.ip[i] = ip;
  b.length[i] = static_cast<uint16_t>(total);
  b.tuple[i] = {ip->src, ip->dst, {}, {}, ip->proto};

  if (ip->is_fragment()) {
    const unsigned payload = total - header;
    const unsigned offset = ip->fragment_offset();
    // a middle fragment that is no multiple of eight, or an end past 64 KiB, fits no datagram
    if ((ip->more_fragments() && (payload & 7) != 0) || payload == 0 ||
        offset + payload + header > 65535) {
      return refuse(Drop::frag_malformed);
    }
    if (offset != 0) {
      // RFC 1858: a second fragment that would write into the TCP header of the first
      if (offset < 16 && ip->proto == kProtoTcp) return refuse(Drop::frag_malformed);
      b.l4[i] = nullptr;
      return;
    }
    b.l4[i] = reinterpret_cast<uint8_t*>(ip) + header;
    const unsigned here = m->data_len > header ? m->data_len - header : 0;
    if (!parse_l4(*w.snapshot, b, i, here, false)) return refuse(Drop::frag_malformed);
    if (ip->proto == kProtoGre) [[unlikely]]
      name_call(w, b, i, here);
    return;
  }
  b.l4[i] = reinterpret_cast<uint8_t*>(ip) + header;
  // The L4 header must be in the first segment; a driver that splits headers is not one of ours.
  const unsigned here = m->data_len > header ? m->data_len - header : 0;
  if (!parse_l4(*w.snapshot, b, i, m->nb_segs > 1 ? total - header : here, true) ||
      (m->nb_segs > 1 && here < sizeof(TcpHdr) && here < total - header)) {
    return refuse(Drop::l4_malformed);
  }
  if (ip->proto == kProtoGre) [[unlikely]]
    name_call(w, b, i, std::min(here, total - header));
}

}  // namespace maclane
