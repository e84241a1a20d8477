#include "dataplane/worker/claim.h"

#include <rte_ring.h>

#include <algorithm>

#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

constexpr unsigned kBatch = 32;

bool send(rte_ring* ring, const ClaimMessage& message) noexcept {
  return rte_ring_sp_enqueue_elem(ring, const_cast<ClaimMessage*>(&message),
                                  sizeof(ClaimMessage)) == 0;
}

/// A claim of worker `from`; what to answer (kClaim: nothing, it is granted).
ClaimMessage::Kind grant(Worker& w, unsigned from, const ClaimMessage& m) noexcept {
  const uint32_t hash = w.sessions.hash(m.tuple);
  if (w.sessions.find(m.tuple, hash)) return ClaimMessage::Kind::kClash;
  if (const ClaimTable::Entry* known = w.claims.find(m.tuple, hash); known != nullptr) {
    if (known->worker != from) return ClaimMessage::Kind::kClash;
    // Its table holds a tuple once: the session before is over and its `forget` on the way.
    w.claims.set_session(*known, m.session);
    return ClaimMessage::Kind::kClaim;
  }
  return w.claims.insert(m.tuple, hash, from, m.session) ? ClaimMessage::Kind::kClaim
                                                         : ClaimMessage::Kind::kFull;
}

void forget(Worker& w, unsigned from, const ClaimMessage& m) noexcept {
  const ClaimTable::Entry* known = w.claims.find(m.tuple, w.sessions.hash(m.tuple));
  if (known == nullptr || known->worker != from || known->session != m.session) return;
  w.claims.erase(*known);
}

void end_here(Worker& w, const Tuple& original) noexcept {
  const SessionTable::Hit hit = w.sessions.find(original);
  if (hit && hit.direction == kOriginal) w.sessions.release(hit.session);
}

/// No more than can be answered: a claimant must hear of a clash.
void take_claims_of(Worker& w, unsigned from, const Handoff::Peer& peer) noexcept {
  std::array<ClaimMessage, kBatch> messages;
  for (unsigned left = HandoffMesh::kClaimRing; left != 0;) {
    const unsigned room = std::min({rte_ring_free_count(peer.answers_out), kBatch, left});
    if (room == 0) return;
    const unsigned n = rte_ring_sc_dequeue_burst_elem(peer.claims_in, messages.data(),
                                                      sizeof(ClaimMessage), room, nullptr);
    if (n == 0) return;
    for (unsigned i = 0; i < n; ++i) {
      ClaimMessage& m = messages[i];
      if (m.kind == ClaimMessage::Kind::kForget) {
        forget(w, from, m);
        continue;
      }
      if (m.kind == ClaimMessage::Kind::kEnd) {
        end_here(w, m.tuple);
        continue;
      }
      m.kind = grant(w, from, m);
      if (m.kind != ClaimMessage::Kind::kClaim) (void)send(peer.answers_out, m);
    }
    left -= n;
  }
}

/// The session has no claim to be forgotten any more, and no right to go on.
void give_way(Worker& w, const ClaimMessage& m) noexcept {
  Session& s = w.sessions.at(m.session);
  if (!s.has(Session::kUsed) || w.sessions.sequence(m.session) != m.sequence) return;
  const bool clash = m.kind == ClaimMessage::Kind::kClash;
  count_drop(w, clash ? Drop::reply_clash : Drop::claim_full, s.original.in_if);
  s.flags = static_cast<uint16_t>(s.flags & ~Session::kClaimed);
  w.sessions.release(m.session);
}

void take_answers_of(Worker& w, const Handoff::Peer& peer) noexcept {
  std::array<ClaimMessage, kBatch> messages;
  unsigned n = kBatch;
  for (unsigned taken = 0; n == kBatch && taken < HandoffMesh::kClaimRing; taken += n) {
    n = rte_ring_sc_dequeue_burst_elem(peer.answers_in, messages.data(), sizeof(ClaimMessage),
                                       kBatch, nullptr);
    for (unsigned i = 0; i < n; ++i) give_way(w, messages[i]);
  }
}

}  // namespace

uint32_t claim_capacity(uint32_t max_sessions) noexcept {
  return std::max(1024u, max_sessions / 2);
}

bool claim_reply(Worker& w, uint32_t session) noexcept {
  Session& s = w.sessions.at(session);
  const Tuple reply = s.tuple(kReply);
  const unsigned home = w.handoff.home.of(reply);
  if (home == w.id) return true;
  ClaimMessage m;
  m.tuple = reply;
  m.session = session;
  m.sequence = w.sessions.sequence(session);
  if (!send(w.handoff.peers[home].claims_out, m)) return false;
  s.flags |= Session::kClaimed;
  return true;
}

bool is_claimed(const Worker& w, const Tuple& t) noexcept {
  return w.claims.size() != 0 && w.claims.find(t, w.sessions.hash(t)) != nullptr;
}

bool take_claims(Worker& w) noexcept {
  bool all = true;
  for (unsigned from = 0; from < w.count; ++from) {
    const Handoff::Peer& peer = w.handoff.peers[from];
    if (peer.claims_in == nullptr) continue;
    take_answers_of(w, peer);
    take_claims_of(w, from, peer);
    // No room for answers: its reader is held up.
    all &= rte_ring_free_count(peer.answers_out) != 0;
  }
  return all;
}

void end_session(Worker& w, const Tuple& original) noexcept {
  const unsigned home = w.handoff.home.of(original);
  if (home == w.id) return end_here(w, original);
  ClaimMessage m;
  m.kind = ClaimMessage::Kind::kEnd;
  m.tuple = original;
  (void)send(w.handoff.peers[home].claims_out, m);
}

void forget_released(Worker& w) noexcept {
  for (;;) {
    const uint32_t session = w.sessions.parked();
    if (session == SessionTable::kNone) return;
    ClaimMessage m;
    m.kind = ClaimMessage::Kind::kForget;
    m.tuple = w.sessions.at(session).tuple(kReply);
    m.session = session;
    if (!send(w.handoff.peers[w.handoff.home.of(m.tuple)].claims_out, m)) return;
    w.sessions.free_parked();
  }
}

}  // namespace maclane
