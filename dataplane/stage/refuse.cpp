#include "dataplane/stage/refuse.h"

#include "dataplane/stage/route.h"
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

void tarpit(Worker& w, Burst& b, unsigned i) noexcept {
  if (from_router(b, i)) return refuse(w, b, i, Drop::filter_tarpit, b.in_if[i]);
  PacketMessage message;
  message.reason = PuntReason::kTarpit;
  message.in_if = b.in_if[i];
  ++w.counters.drops[b.in_if[i]][static_cast<unsigned>(Drop::filter_tarpit)];
  punt_dropped(w, b.mbuf[i], message);
  b.mbuf[i] = nullptr;
}

void redirect_sender(Worker& w, const Burst& b, unsigned i, IfIndex out_if,
                     be32 next_hop) noexcept {
  const Snapshot& s = *w.snapshot;
  if (!s.send_redirects || out_if != b.in_if[i] || w.last_redirect_cs == w.now.cs) return;
  // What is translated looks to its sender as if it came from elsewhere.
  if (b.session[i] != SessionTable::kNone) {
    const Session& session = w.sessions.at(b.session[i]);
    if (session.has(Session::kSrcNat) || session.has(Session::kDstNat)) return;
  }
  if (!is_on_link(s, b.tuple[i].src, out_if) || next_hop == b.tuple[i].src) return;
  rte_mbuf* told = copy(w, b.mbuf[i]);
  if (told == nullptr) return;
  w.last_redirect_cs = w.now.cs;
  PacketMessage message;
  message.reason = PuntReason::kIcmpError;
  message.icmp_type = kIcmpRedirect;
  message.icmp_code = 1;  // for the host
  message.next_hop = next_hop;
  message.in_if = b.in_if[i];
  punt_dropped(w, told, message);
}

}  // namespace maclane
