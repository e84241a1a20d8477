#include "dataplane/stage/refuse.h"

#include "dataplane/worker/packet.h"

namespace maclane {

void refuse(Worker& w, Burst& b, unsigned i, Drop reason, IfIndex interface) noexcept {
  drop(w, b.mbuf[i], reason, interface);
  b.mbuf[i] = nullptr;
}

void refuse_with_icmp(Worker& w, Burst& b, unsigned i, Drop reason, uint8_t type, uint8_t code,
                      uint16_t mtu) noexcept {
  if (from_router(b, i) || (b.flags[i] & L3Queue::kL2Broadcast) != 0)
    return refuse(w, b, i, reason, b.in_if[i]);
  PacketMessage message;
  message.reason = PuntReason::kIcmpError;
  message.icmp_type = type;
  message.icmp_code = code;
  message.mtu = mtu;
  message.in_if = b.in_if[i];
  ++w.counters.drops[b.in_if[i]][static_cast<unsigned>(reason)];
  punt_dropped(w, b.mbuf[i], message);
  b.mbuf[i] = nullptr;
}

void reject(Worker& w, Burst& b, unsigned i, RejectWith with) noexcept {
  if (with == RejectWith::kTcpReset) {
    if (from_router(b, i)) return refuse(w, b, i, Drop::filter_reject, b.in_if[i]);
    PacketMessage message;
    message.reason = PuntReason::kTcpReset;
    message.in_if = b.in_if[i];
    ++w.counters.drops[b.in_if[i]][static_cast<unsigned>(Drop::filter_reject)];
    punt_dropped(w, b.mbuf[i], message);
    b.mbuf[i] = nullptr;
    return;
  }
  static constexpr uint8_t kCodes[] = {0, 1, 2, 3, 9, 10, 13};  // by RejectWith (B-14)
  refuse_with_icmp(w, b, i, Drop::filter_reject, kIcmpUnreachable,
                   kCodes[static_cast<unsigned>(with)]);
}

void log_matches(Worker& w, const Burst& b, unsigned i, const WalkRecord& record,
                 const RuleKey& key, bool nat) noexcept {
  if (!record.logs) return;
  const RuleSet& set = nat ? *w.snapshot->nat : *w.snapshot->filter;
  for (unsigned k = 0; k < record.hits; ++k) {
    const Rule& rule = *record.rules[k];
    if (!rule.log && rule.action != Action::kLog) continue;
    Event e;
    e.kind = Event::Kind::kLog;
    e.tcp_flags = b.tcp_flags[i];
    e.icmp_type = key.icmp_type;
    e.icmp_code = key.icmp_code;
    e.in_if = key.in_if;
    e.out_if = key.out_if;
    e.tuple = {be32::from(key.src), be32::from(key.dst), be16::from(key.sport),
               be16::from(key.dport), key.proto};
    e.length = b.length[i];
    e.chain = record.chains[k];
    e.log_prefix = set.more_of(rule).log_prefix;
    e.state = key.state;
    e.nat = nat;
    e.generation = w.snapshot->generation;
    if (!from_router(b, i)) {
      const auto* eth =
          rte_pktmbuf_mtod_offset(b.mbuf[i], const EtherHdr*, -static_cast<int>(sizeof(EtherHdr)));
      e.src_mac = eth->src;
    }
    (void)emit(w, e);
  }
}

}  // namespace maclane
