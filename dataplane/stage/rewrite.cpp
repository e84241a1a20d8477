#include "dataplane/stage/rewrite.h"

#include "dataplane/helper/pptp_text.h"
#include "dataplane/net/checksum.h"
#include "dataplane/stage/icmp_error.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/worker/worker.h"

namespace maclane {

void decrement_ttl(Ip4Hdr& ip) noexcept {
  be16 before;
  std::memcpy(&before, &ip.ttl, 2);  // TTL and protocol share a checksum word
  --ip.ttl;
  be16 after;
  std::memcpy(&after, &ip.ttl, 2);
  ip.checksum = apply_delta(ip.checksum, delta16(before, after));
}

void translate(Worker& w, Burst& b, unsigned i) noexcept {
  if (b.session[i] == SessionTable::kNone || b.state[i] == ConnState::kInvalid) return;
  if (b.icmp_error[i]) return icmp_error_translate(w, b, i);
  const Session& s = w.sessions.at(b.session[i]);
  if (!s.translated()) return;
  const uint8_t dir = b.direction[i];
  const Leg& other = s.leg(opposite(dir));

  Ip4Hdr& ip = *b.ip[i];
  ip.src = other.dst;
  ip.dst = other.src;
  ip.checksum = apply_delta(ip.checksum, s.l3(dir));
  if (b.l4[i] == nullptr) return;  // a later fragment: no ports, no L4 checksum
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
    default:
      break;
  }
}

}  // namespace maclane
