#include "dataplane/stage/pppoe.h"

#include "dataplane/stage/l2.h"
#include "dataplane/worker/packet.h"

namespace maclane {

void pppoe_punt(Worker& w, rte_mbuf* m, IfIndex lower) noexcept {
  if (!w.snapshot->interfaces[lower].pppoe) {
    drop(w, m, Drop::unknown_ethertype, lower);
    return;
  }
  PacketMessage message;
  message.reason = PuntReason::kPppoe;
  message.in_if = lower;
  punt(w, m, message);
}

IfIndex pppoe_take(Worker& w, rte_mbuf* m, IfIndex lower) noexcept {
  if (m->data_len < kPppoeOverhead) {
    drop(w, m, Drop::pppoe_malformed, lower);
    return kNoIf;
  }
  auto* const start = rte_pktmbuf_mtod(m, uint8_t*);
  EtherHdr ether;
  PppoeHdr header;
  std::memcpy(&ether, start, sizeof(ether));
  std::memcpy(&header, start + sizeof(ether), sizeof(header));
  // What is behind the length is padding.
  const unsigned length = header.length.host();
  const unsigned most = m->data_len - kPppoeOverhead + static_cast<unsigned>(sizeof(be16));
  if (header.version_type != kPppoeVersionType || header.code != 0 || length < sizeof(be16) ||
      length > most) {
    drop(w, m, Drop::pppoe_malformed, lower);
    return kNoIf;
  }
  if (header.protocol.raw != be16::from(kPppIp4).raw) {
    pppoe_punt(w, m, lower);
    return kNoIf;
  }
  const Snapshot& s = *w.snapshot;
  const IfIndex session = s.pppoe_sessions.find(pppoe_key(lower, header.session));
  if (session == kNoIf || s.interfaces[session].pppoe_peer.key() != ether.src.key()) {
    drop(w, m, Drop::pppoe_session, lower);
    return kNoIf;
  }
  ether.type = be16::from(kEtherIp4);
  std::memcpy(start + sizeof(header), &ether, sizeof(ether));
  m->data_off = static_cast<uint16_t>(m->data_off + kPppoeOverhead);
  m->data_len = static_cast<uint16_t>(length - sizeof(be16));
  m->pkt_len = m->data_len;
  return session;
}

void pppoe_send(Worker& w, rte_mbuf* m, IfIndex session) noexcept {
  const auto& interfaces = w.snapshot->interfaces;
  const Interface& out = interfaces[session];
  if (!out.up || out.pppoe_session.raw == 0) return drop(w, m, Drop::tx_down, session);
  const uint32_t bytes = m->pkt_len;
  char* const start = rte_pktmbuf_prepend(m, kPppoeOverhead);
  if (start == nullptr) return drop(w, m, Drop::oversize, session);
  const PppoeHead head = pppoe_head(out, interfaces[out.parent].mac);
  std::memcpy(start, head.data(), head.size());
  set_pppoe_length(start + kPppoeOverhead, bytes);
  IfCounters& c = w.counters.interfaces[session];
  c.tx_packets += 1;
  c.tx_bytes += bytes;
  l2_send(w, m, out.parent);
}

}  // namespace maclane
