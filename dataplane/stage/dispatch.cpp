#include "dataplane/stage/dispatch.h"

#include "dataplane/stage/icmp_error.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/worker/claim.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

void hand(Worker& w, Burst& b, unsigned i, unsigned to, unsigned flags) noexcept {
  HandoffMessage message;
  message.interface = b.in_if[i];
  message.flags = static_cast<uint8_t>(b.flags[i] | flags);
  message.sport = b.tuple[i].sport;
  message.dport = b.tuple[i].dport;
  message.icmp_type = b.icmp_type[i];
  message.icmp_code = b.icmp_code[i];
  hand_over(w, b.mbuf[i], to, message);
  b.mbuf[i] = nullptr;
}

/// It belongs to the connection that it quotes.
[[nodiscard]] bool is_error(const Burst& b, unsigned i) noexcept {
  return b.tuple[i].proto == kProtoIcmp && b.l4[i] != nullptr && is_icmp_error(b.icmp_type[i]);
}

}  // namespace

void dispatch_fragments(Worker& w, Burst& b) noexcept {
  constexpr unsigned kDone = L3Queue::kAtReassembler | L3Queue::kAtHome;
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || !b.ip[i]->is_fragment() || (b.flags[i] & kDone) != 0) continue;
    const unsigned to = w.handoff.home.of_datagram(*b.ip[i]);
    if (to != w.id) hand(w, b, i, to, L3Queue::kAtReassembler);
  }
}

void dispatch_home(Worker& w, Burst& b) noexcept {
  if (!w.snapshot->tracking) return;  // no sessions: any worker will do
  constexpr unsigned kStays = L3Queue::kAtHome | L3Queue::kRelatedToOther;
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || (b.flags[i] & kStays) != 0) continue;
    Tuple t = b.tuple[i];
    if (is_error(b, i)) (void)icmp_error_quotes(w, b, i, &t);
    const unsigned to = w.handoff.home.of(t);
    if (to != w.id) hand(w, b, i, to, L3Queue::kAtHome);
  }
}

bool dispatch_claimed(Worker& w, Burst& b, unsigned i) noexcept {
  constexpr unsigned kStays = L3Queue::kClaimed | L3Queue::kRelatedToOther;
  if (!w.snapshot->tracking || (b.flags[i] & kStays) != 0) return false;
  // Whoever claimed this packet's tuple did so before the packet could come.
  if (!take_claims(w)) {
    drop(w, b.mbuf[i], Drop::claim_full, b.in_if[i]);  // whose it is cannot be known now
    b.mbuf[i] = nullptr;
    return true;
  }
  if (w.claims.size() == 0) return false;
  Tuple t = b.tuple[i];
  if (is_error(b, i)) {
    if (!icmp_error_quotes(w, b, i, &t)) return false;
    t = t.reversed();  // as a reply to the quoted packet would come
  }
  const ClaimTable::Entry* claim = w.claims.find(t, w.sessions.hash(t));
  if (claim == nullptr) return false;
  hand(w, b, i, claim->worker, L3Queue::kAtHome | L3Queue::kClaimed);
  return true;
}

void recall_ports(Burst& b, unsigned i) noexcept {
  const HandoffMessage& message = handoff_message(b.mbuf[i]);
  b.tuple[i].sport = message.sport;
  b.tuple[i].dport = message.dport;
  b.icmp_type[i] = message.icmp_type;
  b.icmp_code[i] = message.icmp_code;
}

}  // namespace maclane
