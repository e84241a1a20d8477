#include "control/service/arp_cache.h"

#include <algorithm>

namespace maclane {
namespace {

constexpr uint8_t kRankFailed = 0, kRankHeard = 1, kRankStale = 2, kRankInUse = 3;

bool unresolved(NeighState s) {
  return s == NeighState::kIncomplete || s == NeighState::kFull || s == NeighState::kFailed;
}

}  // namespace

uint8_t ArpCache::rank_of(const ArpEntry& entry) {
  if (entry.state == NeighState::kFailed) return kRankFailed;
  if (entry.state == NeighState::kStale) return entry.confirmed ? kRankStale : kRankHeard;
  return kRankInUse;
}

void ArpCache::set_limit(uint32_t entries) {
  limit_ = std::max<uint32_t>(1, std::min(entries, table_.capacity()));
  while (entries_.size() > limit_ && make_room(kRankStale)) {
  }
}

ArpEntry* ArpCache::find(IfIndex interface, be32 address) {
  const auto found = entries_.find(ArpEntry::key_of(interface, address));
  return found == entries_.end() ? nullptr : &found->second;
}

ArpEntry* ArpCache::create(IfIndex interface, be32 address, Need need) {
  if (need == Need::kPermanent) {
    if (table_.size() >= table_.capacity()) make_room(kRankStale);
  } else {
    // A scan of a large subnet must leave room for those that do answer.
    const bool too_many_unanswered =
        need == Need::kWanted && unresolved_ >= (limit_ + 1) / 2 && !make_room(kRankFailed);
    const uint8_t highest = need == Need::kWanted ? kRankStale : kRankHeard;
    if (too_many_unanswered || (entries_.size() >= limit_ && !make_room(highest))) {
      ++refused_;
      return nullptr;
    }
  }
  ArpEntry entry;
  entry.interface = interface;
  entry.address = address;
  return &entries_.emplace(entry.key(), entry).first->second;
}

bool ArpCache::make_room(uint8_t highest_rank) {
  if (evictable_.empty() || std::get<0>(*evictable_.begin()) > highest_rank) return false;
  erase(entries_.at(std::get<2>(*evictable_.begin())));
  return true;
}

bool ArpCache::change(ArpEntry& entry, NeighState state, uint64_t now_ms, uint64_t deadline_ms) {
  unlink(entry);
  if (entry.state != state) entry.since_ms = now_ms;
  entry.state = state;
  entry.deadline_ms = deadline_ms;
  if (state == NeighState::kReachable) entry.confirmed = true;
  if (table_.set(entry.interface, entry.address, entry.mac, state) == kNoNeighbour) {
    ++refused_;
    entries_.erase(entry.key());
    return false;
  }
  if (unresolved(state)) ++unresolved_;
  if (deadline_ms != kNever) timers_.emplace(deadline_ms, entry.key());
  if (rank_of(entry) != kRankInUse) evictable_.insert(place_of(entry));
  return true;
}

void ArpCache::set_deadline(ArpEntry& entry, uint64_t deadline_ms) {
  timers_.erase({entry.deadline_ms, entry.key()});
  entry.deadline_ms = deadline_ms;
  if (deadline_ms != kNever) timers_.emplace(deadline_ms, entry.key());
}

void ArpCache::unlink(const ArpEntry& entry) {
  timers_.erase({entry.deadline_ms, entry.key()});
  if (rank_of(entry) != kRankInUse) evictable_.erase(place_of(entry));
  if (unresolved(entry.state)) --unresolved_;
}

void ArpCache::erase(ArpEntry& entry) {
  unlink(entry);
  table_.remove(entry.interface, entry.address);
  entries_.erase(entry.key());
}

ArpEntry* ArpCache::due(uint64_t now_ms) {
  if (timers_.empty() || timers_.begin()->first > now_ms) return nullptr;
  return &entries_.at(timers_.begin()->second);
}

}  // namespace maclane
