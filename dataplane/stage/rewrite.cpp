#include "dataplane/stage/rewrite.h"

#include "dataplane/helper/pptp_text.h"
#include "dataplane/net/checksum.h"
#include "dataplane/stage/icmp_error.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/stage/transport.h"
#include "dataplane/worker/packet.h"

namespace maclane {

void decrement_ttl(Ip4Hdr& ip) noexcept {
  be16 before;
  std::memcpy(&before, &ip.ttl, 2);  // TTL and protocol share a checksum word
  --ip.ttl;
  be16 after;
  std::memcpy(&after, &ip.ttl, 2);
  ip.checksum = apply_delta(ip.checksum, delta16(before, after));
}

bool translate(Worker& w, Burst& b, unsigned i) noexcept {
  if (b.session[i] == SessionTable::kNone || b.state[i] == ConnState::kInvalid) return true;
  if (b.icmp_error[i]) {
    icmp_error_translate(w, b, i);
    return true;
  }
  const Session& s = w.sessions.at(b.session[i]);
  if (!s.translated()) return true;
  const uint8_t dir = b.direction[i];
  const Leg& other = s.leg(opposite(dir));

  Ip4Hdr& ip = *b.ip[i];
  if (s.proto == kProtoSctp && ip.is_fragment() &&
      !(other.dport == s.leg(dir).sport && other.sport == s.leg(dir).dport)) {
    drop(w, b.mbuf[i], Drop::frag_sctp, b.in_if[i]);
    b.mbuf[i] = nullptr;
    return false;
  }
  ip.src = other.dst;
  ip.dst = other.src;
  ip.checksum = apply_delta(ip.checksum, s.l3(dir));
  if (b.l4[i] == nullptr) return true;  // a later fragment: no ports, no L4 checksum
  switch (s.proto) {
    case kProtoTcp: {
      auto* tcp = reinterpret_cast<TcpHdr*>(b.l4[i]);
      tcp->sport = other.dport;
      tcp->dport = other.sport;
      tcp->checksum = apply_delta(tcp->checksum, s.l4(dir));
      break;
    }
    case kProtoUdp: {
      auto* udp = reinterpret_cast<UdpHdr*>(b.l4[i]);
      udp->sport = other.dport;
      udp->dport = other.sport;
      udp->checksum = udp_apply_delta(udp->checksum, s.l4(dir));
      break;
    }
    case kProtoIcmp: {
      auto* icmp = reinterpret_cast<IcmpHdr*>(b.l4[i]);
      icmp->id = is_icmp_query(icmp->type) ? other.dport : other.sport;
      icmp->checksum = apply_delta(icmp->checksum, s.l4(dir));
      break;
    }
    case kProtoGre:  // a call of PPTP, as its receiver numbers it
      if (other.sport.raw != 0)
        std::memcpy(b.l4[i] + pptp::kGreCallAt, &other.sport.raw, sizeof(other.sport.raw));
      break;
    case kProtoSctp:
    case kProtoDccp:
    case kProtoUdpLite: {
      const size_t whole = size_t{b.length[i]} - ip.header_length();
      change_ports(s.proto, {b.l4[i], whole}, whole, {other.dport, other.sport}, s.l4(dir));
      break;
    }
    default:
      break;
  }
  return true;
}

}  // namespace maclane
