// Expiry queues of the session table; session.h says how they work.
#include <algorithm>
#include <array>
#include <bit>

#include "dataplane/table/session.h"

namespace maclane {

namespace {

/// Where evict() looks, in this order: what is over, what nobody answered, what is cheap to begin
/// again.
constexpr std::array kGivenUp = {TimeoutClass::kTcpClose,       TimeoutClass::kTcpTimeWait,
                                 TimeoutClass::kTcpSynSent,     TimeoutClass::kUdp,
                                 TimeoutClass::kIcmp,           TimeoutClass::kTcpSynReceived,
                                 TimeoutClass::kTcpUnacked,     TimeoutClass::kGre,
                                 TimeoutClass::kGeneric,        TimeoutClass::kTcpFinWait,
                                 TimeoutClass::kTcpCloseWait,   TimeoutClass::kTcpLastAck,
                                 TimeoutClass::kTcpEstablished, TimeoutClass::kTcpMaxRetrans};

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
  SessionSide& s = sides_[session];
  s.queued_at_cs = now_cs;
  s.next = kNone;
  s.prev = q.tail;
  if (q.tail == kNone)
    q.head = session;
  else
    sides_[q.tail].next = session;
  q.tail = session;
  mark_waiting(queue, true);
}

void SessionTable::unlink(uint32_t session) noexcept {
  const SessionSide& s = sides_[session];
  if (s.prev != kNone) sides_[s.prev].next = s.next;
  if (s.next != kNone) sides_[s.next].prev = s.prev;
  if (s.prev != kNone && s.next != kNone) return;
  // At an end: its class is known, its level is where it is head or tail.
  const unsigned first = static_cast<unsigned>(s.timeout_class) * kLevels;
  for (unsigned i = first; i < first + kLevels; ++i) {
    Queue& q = queues_[i];
    if (q.head != session && q.tail != session) continue;
    if (q.head == session) q.head = s.next;
    if (q.tail == session) q.tail = s.prev;
    if (q.head == kNone) mark_waiting(i, false);
    return;
  }
}

void SessionTable::set_class(uint32_t session, TimeoutClass timeout_class,
                             uint32_t now_cs) noexcept {
  SessionSide& s = sides_[session];
  if (s.timeout_class == timeout_class) return;
  unlink(session);
  s.timeout_class = timeout_class;
  push(static_cast<unsigned>(timeout_class) * kLevels, session, now_cs);
}

bool SessionTable::evict(uint32_t now_cs, const Timeouts& timeouts) noexcept {
  // Of each class and level the first few: those that were not looked at the longest. What has
  // become of a longer class is moved there and does not count, or it would hide those behind it.
  constexpr unsigned kLooks = 4;
  unsigned moves = 64;
  for (const TimeoutClass cls : kGivenUp) {
    const unsigned first = static_cast<unsigned>(cls) * kLevels;
    for (unsigned queue = first; queue < first + kLevels; ++queue) {
      uint32_t id = queues_[queue].head;
      for (unsigned look = 0; look < kLooks && id != kNone;) {
        if (!is_assured(sessions_[id], sides_[id])) {
          release(id);
          return true;
        }
        const uint32_t next = sides_[id].next;
        if (moves != 0 && move_on(id, timeouts, now_cs))
          --moves;
        else
          ++look;
        id = next;
      }
    }
  }
  return false;
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
    const SessionSide& side = sides_[id];
    if (timeout_cs != 0 && elapsed(now_cs, side.queued_at_cs) < wait) break;
    if (elapsed(now_cs, s.last_seen_cs) < timeout_cs) break;
    if (effective_class(s, side) != side.timeout_class) break;
    due[n] = {id, hash(s.tuple(kOriginal)), hash(s.tuple(kReply))};
    prefetch_bucket(due[n].original_hash);
    prefetch_bucket(due[n].reply_hash);
    id = side.next;
    if (id != kNone) {
      prefetch_session(id);
      rte_prefetch0(&sides_[id]);
    }
  }
  for (unsigned i = 0; i < n; ++i) release(due[i].session, due[i].original_hash, due[i].reply_hash);
  return n;
}

unsigned SessionTable::expire_queue(unsigned queue, uint32_t now_cs, const Timeouts& timeouts,
                                    unsigned* budget) noexcept {
  const uint32_t timeout_cs = timeout_of(timeouts, queue / kLevels);
  const uint32_t wait = delay(timeout_cs, queue % kLevels);
  unsigned released = 0;
  while (*budget != 0 && queues_[queue].head != kNone) {
    const unsigned gone = release_due(queue, now_cs, timeout_cs, *budget);
    released += gone;
    *budget -= gone;
    if (gone != 0) continue;
    const uint32_t session = queues_[queue].head;
    const SessionSide& side = sides_[session];
    --*budget;
    if (elapsed(now_cs, side.queued_at_cs) < wait) break;
    if (!move_on(session, timeouts, now_cs))
      wait_again(session, side.timeout_class, timeouts, now_cs);  // seen since
  }
  return released;
}

/// To the longest queue of a class that does not keep the session (much) longer than it has left.
void SessionTable::wait_again(uint32_t session, TimeoutClass cls, const Timeouts& timeouts,
                              uint32_t now_cs) noexcept {
  const auto number = static_cast<unsigned>(cls);
  const uint32_t timeout_cs = timeout_of(timeouts, number);
  const uint32_t slack = timeout_cs >> (2 * (kLevels - 1));
  const uint32_t idle = elapsed(now_cs, sessions_[session].last_seen_cs);
  const uint32_t left = idle >= timeout_cs ? 0 : timeout_cs - idle;
  unsigned level = 0;
  while (level + 1 < kLevels && delay(timeout_cs, level) > left + slack) ++level;
  unlink(session);
  sides_[session].timeout_class = cls;
  push(number * kLevels + level, session, now_cs);
}

bool SessionTable::move_on(uint32_t session, const Timeouts& timeouts, uint32_t now_cs) noexcept {
  Session& s = sessions_[session];
  const TimeoutClass cls = effective_class(s, sides_[session]);
  if (cls == sides_[session].timeout_class) return false;
  // The next packet has to bring it back to this queue: it must not pass unseen.
  if (cls == TimeoutClass::kUdpStream)
    s.flags |= Session::kAssured;
  else
    s.unsettle();
  wait_again(session, cls, timeouts, now_cs);
  return true;
}

unsigned SessionTable::expire(uint32_t now_cs, const Timeouts& timeouts, unsigned budget) noexcept {
  unsigned released = 0;
  // Each queue once, from where the call before stopped; a queue with much to do does not starve
  // the others, as the next call begins behind it.
  const unsigned start = expire_from_;
  for (unsigned step = 0; step <= kWords; ++step) {
    const unsigned word = (start / 64 + step) % kWords;
    const uint64_t behind = ~uint64_t{0} << (start % 64);
    uint64_t todo = waiting_[word];
    if (step == 0) todo &= behind;
    if (step == kWords) todo &= ~behind;
    for (; todo != 0; todo &= todo - 1) {
      if (budget == 0) return released;
      const auto queue = word * 64 + static_cast<unsigned>(std::countr_zero(todo));
      expire_from_ = (queue + 1) % kQueues;
      released += expire_queue(queue, now_cs, timeouts, &budget);
    }
  }
  return released;
}

uint32_t SessionTable::remaining_cs(const Session& s, const SessionSide& side, uint32_t now_cs,
                                    const Timeouts& timeouts) noexcept {
  const uint32_t timeout = timeout_of(timeouts, static_cast<unsigned>(effective_class(s, side)));
  const uint32_t idle = elapsed(now_cs, s.last_seen_cs);
  return idle >= timeout ? 0 : timeout - idle;
}

}  // namespace maclane
