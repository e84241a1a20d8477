// Expiry queues of the session table; session.h says how they work.
#include <algorithm>
#include <array>
#include <bit>

#include "dataplane/table/session.h"

namespace maclane {

namespace {

// Released together, so that one's place in the index is fetched while another's is cleared.
constexpr unsigned kReleaseBatch = 16;
// Half of what a signed difference can tell apart, so that a late look is still seen as late.
constexpr uint32_t kLongestTimeout = 0x3fffffff;

/// Centiseconds from `then` to `now`; 0 if `then` is ahead (another thread's clock).
uint32_t elapsed(uint32_t now, uint32_t then) noexcept {
  return static_cast<uint32_t>(std::max(0, static_cast<int32_t>(now - then)));
}

/// How long a queue keeps a session before looking at it; never 0, so that one call cannot see the
/// same session twice.
uint32_t delay(uint32_t timeout_cs, unsigned level) noexcept {
  return std::max(1u, timeout_cs >> (2 * level));
}

uint32_t timeout_of(const Timeouts& timeouts, unsigned timeout_class) noexcept {
  return std::min(timeouts[timeout_class], kLongestTimeout);
}

}  // namespace

void SessionTable::push(unsigned queue, uint32_t session, uint32_t now_cs) noexcept {
  Queue& q = queues_[queue];
  Session& s = sessions_[session];
  s.queued_at_cs = now_cs;
  s.next = kNone;
  s.prev = q.tail;
  if (q.tail == kNone)
    q.head = session;
  else
    sessions_[q.tail].next = session;
  q.tail = session;
  waiting_ |= uint64_t{1} << queue;
}

void SessionTable::unlink(uint32_t session) noexcept {
  const Session& s = sessions_[session];
  if (s.prev != kNone) sessions_[s.prev].next = s.next;
  if (s.next != kNone) sessions_[s.next].prev = s.prev;
  if (s.prev != kNone && s.next != kNone) return;
  // At an end: its class is known, its level is where it is head or tail.
  const unsigned first = static_cast<unsigned>(s.timeout_class) * kLevels;
  for (unsigned i = first; i < first + kLevels; ++i) {
    Queue& q = queues_[i];
    if (q.head != session && q.tail != session) continue;
    if (q.head == session) q.head = s.next;
    if (q.tail == session) q.tail = s.prev;
    if (q.head == kNone) waiting_ &= ~(uint64_t{1} << i);
    return;
  }
}

void SessionTable::set_class(uint32_t session, TimeoutClass timeout_class,
                             uint32_t now_cs) noexcept {
  Session& s = sessions_[session];
  if (s.timeout_class == timeout_class) return;
  unlink(session);
  s.timeout_class = timeout_class;
  push(static_cast<unsigned>(timeout_class) * kLevels, session, now_cs);
}

unsigned SessionTable::release_due(unsigned queue, uint32_t now_cs, uint32_t timeout_cs,
                                   unsigned most) noexcept {
  struct Due {
    uint32_t session;
    uint32_t original_hash;
    uint32_t reply_hash;
  };
  std::array<Due, kReleaseBatch> due;
  const uint32_t wait = delay(timeout_cs, queue % kLevels);
  unsigned n = 0;
  most = std::min(most, kReleaseBatch);
  for (uint32_t id = queues_[queue].head; n < most && id != kNone; ++n) {
    const Session& s = sessions_[id];
    if (timeout_cs != 0 && elapsed(now_cs, s.queued_at_cs) < wait) break;
    if (elapsed(now_cs, s.last_seen_cs) < timeout_cs) break;
    due[n] = {id, hash(s.tuple(kOriginal)), hash(s.tuple(kReply))};
    prefetch_bucket(due[n].original_hash);
    prefetch_bucket(due[n].reply_hash);
    id = s.next;
    if (id != kNone) prefetch_session(id);
  }
  for (unsigned i = 0; i < n; ++i) release(due[i].session, due[i].original_hash, due[i].reply_hash);
  return n;
}

unsigned SessionTable::expire_queue(unsigned queue, uint32_t now_cs, uint32_t timeout_cs,
                                    unsigned* budget) noexcept {
  const uint32_t wait = delay(timeout_cs, queue % kLevels);
  const uint32_t slack = timeout_cs >> (2 * (kLevels - 1));
  unsigned released = 0;
  while (*budget != 0 && queues_[queue].head != kNone) {
    const unsigned gone = release_due(queue, now_cs, timeout_cs, *budget);
    released += gone;
    *budget -= gone;
    if (gone != 0) continue;
    const uint32_t session = queues_[queue].head;
    const Session& s = sessions_[session];
    --*budget;
    if (elapsed(now_cs, s.queued_at_cs) < wait) break;
    // Seen since: to the longest queue that does not keep it (much) longer than it has left.
    const uint32_t left = timeout_cs - elapsed(now_cs, s.last_seen_cs);
    unsigned level = 0;
    while (level + 1 < kLevels && delay(timeout_cs, level) > left + slack) ++level;
    unlink(session);
    push(queue - queue % kLevels + level, session, now_cs);
  }
  return released;
}

unsigned SessionTable::expire(uint32_t now_cs, const Timeouts& timeouts, unsigned budget) noexcept {
  unsigned released = 0;
  // Each queue once, from where the call before stopped; a queue with much to do does not starve
  // the others, as the next call begins behind it.
  const unsigned start = expire_from_;
  for (unsigned half = 0; half < 2; ++half) {
    const uint64_t behind = ~uint64_t{0} << start;
    uint64_t todo = waiting_ & (half == 0 ? behind : ~behind);
    for (; todo != 0; todo &= todo - 1) {
      if (budget == 0) return released;
      const auto queue = static_cast<unsigned>(std::countr_zero(todo));
      expire_from_ = (queue + 1) % kQueues;
      released += expire_queue(queue, now_cs, timeout_of(timeouts, queue / kLevels), &budget);
    }
  }
  return released;
}

uint32_t SessionTable::remaining_cs(const Session& s, uint32_t now_cs,
                                    const Timeouts& timeouts) noexcept {
  const uint32_t timeout = timeout_of(timeouts, static_cast<unsigned>(s.timeout_class));
  const uint32_t idle = elapsed(now_cs, s.last_seen_cs);
  return idle >= timeout ? 0 : timeout - idle;
}

}  // namespace maclane
