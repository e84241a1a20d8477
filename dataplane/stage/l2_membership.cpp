#include "dataplane/stage/l2_membership.h"

#include "dataplane/stage/l2_frame.h"

namespace maclane {

bool is_membership(rte_mbuf* m) noexcept {
  const uint16_t type = ether(m)->type.host();
  if (type == kEtherIp4) {
    if (m->data_len < kEtherHeader + sizeof(Ip4Hdr)) return false;
    return rte_pktmbuf_mtod_offset(m, const Ip4Hdr*, kEtherHeader)->proto == kProtoIgmp;
  }
  if (type != kEtherIp6) return false;
  // IPv6 header, hop-by-hop options (RFC 2710: router alert), ICMPv6.
  constexpr unsigned kIp6Header = 40;
  if (m->data_len < kEtherHeader + kIp6Header + 8) return false;
  const auto* p = rte_pktmbuf_mtod_offset(m, const uint8_t*, kEtherHeader);
  if (p[6] != 0) return false;  // next header: hop-by-hop
  const unsigned icmp = kIp6Header + (p[kIp6Header + 1] + 1u) * 8u;
  if (p[kIp6Header] != 58 || m->data_len < kEtherHeader + icmp + 1) return false;
  const uint8_t message = p[icmp];
  return (message >= 130 && message <= 132) || message == 143;
}

}  // namespace maclane
