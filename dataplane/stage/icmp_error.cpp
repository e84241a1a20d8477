#include "dataplane/stage/icmp_error.h"

#include "dataplane/helper/pptp_text.h"
#include "dataplane/net/checksum.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/stage/transport.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

struct Quoted {
  Ip4Hdr* ip = nullptr;
  uint8_t* l4 = nullptr;
  unsigned l4_length = 0;  // bytes that were quoted: at least 8 of what has ports or an id
  Tuple tuple;
};

/// The quoted packet, bounds checked: a whole IPv4 header and, if its protocol has ports or an id,
/// eight bytes after it.
bool find_quoted(const Snapshot& snapshot, const Burst& b, unsigned i, Quoted* q) noexcept {
  const unsigned outer = b.ip[i]->header_length();
  const unsigned available = b.mbuf[i]->data_len;
  const unsigned start = outer + sizeof(IcmpHdr);
  if (available < start + sizeof(Ip4Hdr)) return false;
  auto* ip = reinterpret_cast<Ip4Hdr*>(b.l4[i] + sizeof(IcmpHdr));
  const unsigned header = ip->header_length();
  if ((ip->version_ihl >> 4) != 4 || header < sizeof(Ip4Hdr)) return false;
  if (available < start + header) return false;
  if (checksum(ip, header) != 0) return false;   // N-27
  if (ip->fragment_offset() != 0) return false;  // its ports are not quoted
  q->ip = ip;
  q->l4 = reinterpret_cast<uint8_t*>(ip) + header;
  q->l4_length = available - start - header;
  q->tuple = {ip->src, ip->dst, {}, {}, ip->proto};
  constexpr unsigned kLeast = 8;  // RFC 792; protocols without ports may quote less
  switch (ip->proto) {
    case kProtoTcp:
    case kProtoUdp:
      if (q->l4_length < kLeast) return false;
      std::memcpy(&q->tuple.sport, q->l4, 2);
      std::memcpy(&q->tuple.dport, q->l4 + 2, 2);
      return true;
    case kProtoIcmp: {
      if (q->l4_length < kLeast) return false;
      const auto* icmp = reinterpret_cast<const IcmpHdr*>(q->l4);
      if (is_icmp_error(icmp->type)) return false;  // nobody answers an error with an error
      q->tuple = icmp_tuple(ip->src, ip->dst, icmp->type, icmp->id);
      return true;
    }
    case kProtoSctp:
    case kProtoDccp:
    case kProtoUdpLite:
      if (q->l4_length < kLeast) return false;
      read_ports(snapshot, q->l4, q->tuple);
      return true;
    default:
      return true;
  }
}

}  // namespace

bool icmp_error_quotes(const Worker& w, const Burst& b, unsigned i, Tuple* tuple) noexcept {
  Quoted q;
  if (b.mbuf[i]->nb_segs > 1 || b.ip[i]->is_fragment() || !find_quoted(*w.snapshot, b, i, &q))
    return false;
  *tuple = q.tuple;
  return true;
}

bool icmp_error_match(Worker& w, Burst& b, unsigned i) noexcept {
  const unsigned header = b.ip[i]->header_length();
  if (b.mbuf[i]->nb_segs > 1 || b.ip[i]->is_fragment()) return false;
  if (checksum(b.l4[i], static_cast<size_t>(b.length[i]) - header) != 0) return false;
  Quoted q;
  if (!find_quoted(*w.snapshot, b, i, &q)) return false;
  if (q.ip->proto == kProtoGre && !w.shared->expectations.empty()) {
    q.tuple.dport = pptp::gre_call({q.l4, q.l4_length});
    if (q.tuple.dport.raw != 0) q.tuple.sport = w.shared->expectations.sender_of(q.tuple, w.now.cs);
    if (q.tuple.sport.raw == 0) q.tuple.dport = {};
  }
  const SessionTable::Hit hit = w.sessions.find(q.tuple.reversed());
  if (!hit) return false;
  // The quoted packet went to q.tuple.dst; its error must come back to where that one came from
  // (B-17: the outer destination must be consistent).
  if (!(b.ip[i]->dst == q.tuple.src)) return false;
  b.session[i] = hit.session;
  b.direction[i] = hit.direction;
  b.icmp_error[i] = true;
  return true;
}

void icmp_error_translate(Worker& w, Burst& b, unsigned i) noexcept {
  const Session& s = w.sessions.at(b.session[i]);
  const uint8_t dir = b.direction[i];
  const Tuple in = s.tuple(dir);  // as packets of this direction arrive
  const Tuple out = s.tuple(dir == kOriginal ? kReply : kOriginal).reversed();  // and leave
  if (in == out) return;
  Quoted q;
  if (!find_quoted(*w.snapshot, b, i, &q)) return;

  // The quoted packet travelled the other way and was already translated: it reads `in` reversed
  // and must read `out` reversed, as its sender sent it.
  const Tuple want = out.reversed();
  const uint16_t addresses = delta_add(delta32(q.ip->src, want.src), delta32(q.ip->dst, want.dst));
  q.ip->src = want.src;
  q.ip->dst = want.dst;
  q.ip->checksum = apply_delta(q.ip->checksum, addresses);
  switch (q.ip->proto) {
    case kProtoTcp:
    case kProtoUdp: {
      be16 sport;
      be16 dport;
      std::memcpy(&sport, q.l4, 2);
      std::memcpy(&dport, q.l4 + 2, 2);
      const uint16_t ports = delta_add(delta16(sport, want.sport), delta16(dport, want.dport));
      std::memcpy(q.l4, &want.sport, 2);
      std::memcpy(q.l4 + 2, &want.dport, 2);
      const unsigned at = q.ip->proto == kProtoTcp ? 16 : 6;
      if (q.l4_length >= at + 2) {  // quoted as far as its checksum: keep that right as well
        be16 sum;
        std::memcpy(&sum, q.l4 + at, 2);
        sum = q.ip->proto == kProtoUdp ? udp_apply_delta(sum, delta_add(addresses, ports))
                                       : apply_delta(sum, delta_add(addresses, ports));
        std::memcpy(q.l4 + at, &sum, 2);
      }
      break;
    }
    case kProtoIcmp: {
      auto* icmp = reinterpret_cast<IcmpHdr*>(q.l4);
      const be16 id = is_icmp_query(icmp->type) ? want.sport : want.dport;
      icmp->checksum = apply_delta(icmp->checksum, delta16(icmp->id, id));
      icmp->id = id;
      break;
    }
    case kProtoGre:
      if (want.dport.raw != 0 && q.l4_length >= pptp::kGreCallAt + sizeof(want.dport.raw))
        std::memcpy(q.l4 + pptp::kGreCallAt, &want.dport.raw, sizeof(want.dport.raw));
      break;
    case kProtoSctp:
    case kProtoDccp:
    case kProtoUdpLite: {
      const unsigned total = q.ip->total_length.host();
      const unsigned header = q.ip->header_length();
      const size_t whole = total > header ? total - header : 0;
      const uint16_t ports =
          delta_add(delta16(q.tuple.sport, want.sport), delta16(q.tuple.dport, want.dport));
      change_ports(q.ip->proto, {q.l4, q.l4_length}, whole, {want.sport, want.dport},
                   delta_add(addresses, ports));
      break;
    }
    default:
      break;
  }

  // Outside, the error goes where its direction's packets go; its source changes only if that
  // direction's source is translated (RFC 5508 REQ-5).
  Ip4Hdr* ip = b.ip[i];
  uint16_t outer = delta32(ip->dst, out.dst);
  ip->dst = out.dst;
  if (!(in.src == out.src)) {
    outer = delta_add(outer, delta32(ip->src, out.src));
    ip->src = out.src;
  }
  ip->checksum = apply_delta(ip->checksum, outer);
  auto* icmp = reinterpret_cast<IcmpHdr*>(b.l4[i]);
  icmp->checksum = {};
  icmp->checksum.raw = checksum(icmp, static_cast<size_t>(b.length[i]) - b.ip[i]->header_length());
}

}  // namespace maclane
