// Bounded reading and rewriting of an Ethernet header with its VLAN tags, in place at the start of
// a buffer. For the layer 2 stages; layer 3 asks for the priority of the tag that was taken off.
#pragma once

#include <rte_mbuf.h>

#include <cstring>

#include "dataplane/net/wire.h"
#include "dataplane/snapshot.h"

namespace maclane {

inline constexpr uint16_t kEtherHeader = sizeof(EtherHdr);
inline constexpr uint16_t kVlanHeader = sizeof(VlanHdr);

[[nodiscard]] inline EtherHdr* ether(rte_mbuf* m) noexcept {
  return rte_pktmbuf_mtod(m, EtherHdr*);
}

[[nodiscard]] inline bool is_vlan_type(uint16_t type) noexcept {
  return type == kEtherVlan || type == kEtherQinQ;
}

/// Whether an untagged IPv4 frame is what the DHCP client or server of an interface listens for:
/// UDP to port 68; to port 67 of everybody or of the interface's first address; no fragment. L2
/// services stand before the router's input (behaviour.md B-3, E-14).
[[nodiscard]] inline bool is_dhcp(const rte_mbuf* m, const Interface& interface) noexcept {
  constexpr unsigned kLeast = kEtherHeader + sizeof(Ip4Hdr) + sizeof(UdpHdr);
  if (m->data_len < kLeast) return false;
  const auto* ip = rte_pktmbuf_mtod_offset(m, const Ip4Hdr*, kEtherHeader);
  if (ip->proto != kProtoUdp || ip->is_fragment()) return false;
  const unsigned udp = kEtherHeader + ip->header_length();
  if (m->data_len < udp + sizeof(UdpHdr)) return false;
  constexpr uint16_t kDhcpServerPort = 67, kDhcpClientPort = 68;
  const be16 port = rte_pktmbuf_mtod_offset(m, const UdpHdr*, udp)->dport;
  if (port == be16::from(kDhcpClientPort)) return interface.dhcp;
  return interface.dhcp_server && port == be16::from(kDhcpServerPort) &&
         (ip->dst == be32::from(0xffffffff) || ip->dst == interface.primary_address);
}

/// Moves the two MACs over the outermost tag and forgets it. The tag must be there.
inline void strip_tag(rte_mbuf* m) noexcept {
  uint8_t* const old = rte_pktmbuf_mtod(m, uint8_t*);
  std::memmove(old + kVlanHeader, old, 12);
  rte_pktmbuf_adj(m, kVlanHeader);
}

/// What a tag said that was taken off stays with the packet.
inline void keep_tag(rte_mbuf* m, uint16_t tci) noexcept {
  m->vlan_tci = tci;
  m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
}
/// The priority of that tag; 0: the packet came without one.
[[nodiscard]] inline uint8_t tag_priority(const rte_mbuf& m) noexcept {
  return (m.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0 ? static_cast<uint8_t>(m.vlan_tci >> 13)
                                                         : uint8_t{0};
}

/// Takes priority tags (VID 0) off, at most four. True if no other tag, whole or cut short, is
/// left.
[[nodiscard]] inline bool strip_priority_tags(rte_mbuf* m) noexcept {
  for (unsigned depth = 0; is_vlan_type(ether(m)->type.host()); ++depth) {
    if (depth == 4 || m->data_len < kEtherHeader + kVlanHeader) return false;
    const auto* tag = rte_pktmbuf_mtod_offset(m, const VlanHdr*, kEtherHeader);
    if ((tag->tci.host() & 0x0fff) != 0) return false;
    strip_tag(m);
  }
  return true;
}

/// The same question without taking anything off.
[[nodiscard]] inline bool has_vlan(rte_mbuf* m) noexcept {
  uint16_t type = ether(m)->type.host();
  for (unsigned offset = kEtherHeader; is_vlan_type(type); offset += kVlanHeader) {
    if (offset == kEtherHeader + 4 * kVlanHeader || m->data_len < offset + kVlanHeader) return true;
    const auto* tag = rte_pktmbuf_mtod_offset(m, const VlanHdr*, offset);
    if ((tag->tci.host() & 0x0fff) != 0) return true;
    type = tag->type.host();
  }
  return false;
}

}  // namespace maclane
