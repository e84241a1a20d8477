// What control knows of the router's neighbours: the entries behind NeighbourTable, their timers
// and the order in which they make room. It decides nothing about ARP; arp.cpp does. Control
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "control/service/config.h"
#include "dataplane/table/neighbour.h"

namespace maclane {

struct ArpEntry {
  IfIndex interface = kNoIf;
  be32 address{};
  MacAddr mac;
  NeighState state = NeighState::kNone;
  bool delay = false;      // kProbe: still waiting before the first probe (shown as "delay")
  bool dhcp = false;       // kPermanent: a lease keeps it, no person
  bool confirmed = false;  // it answered us once: not just somebody's request
  uint8_t tries = 0;       // who-has sent in this state
  uint64_t since_ms = 0;   // when it came to this state
  uint64_t mac_ms = 0;     // when its MAC was learned
  uint64_t deadline_ms = kNever;

  [[nodiscard]] uint64_t key() const { return key_of(interface, address); }
  [[nodiscard]] static uint64_t key_of(IfIndex interface, be32 address) {
    return uint64_t{interface} << 32 | address.host();
  }
};

class ArpCache {
 public:
  enum class Need : uint8_t {
    kHeard,     // somebody asked us: makes room only among those that never answered us
    kWanted,    // we have a packet for it: makes room among all that are not in use
    kPermanent  // configured: not bound by the limit, only by the table
  };

  explicit ArpCache(NeighbourTable& table) : table_(table) {}

  void set_limit(uint32_t entries);
  [[nodiscard]] ArpEntry* find(IfIndex interface, be32 address);
  /// A new entry in kNone, which change() must give a state at once; nullptr if there is no room.
  ArpEntry* create(IfIndex interface, be32 address, Need need);
  /// Carries a state into the worker's table and the timers. False: the table is full, and the
  /// entry is gone.
  bool change(ArpEntry& entry, NeighState state, uint64_t now_ms, uint64_t deadline_ms);
  void set_deadline(ArpEntry& entry, uint64_t deadline_ms);
  void erase(ArpEntry& entry);

  /// An entry whose deadline has passed, or nullptr.
  [[nodiscard]] ArpEntry* due(uint64_t now_ms);
  [[nodiscard]] uint64_t next_deadline() const {
    return timers_.empty() ? kNever : timers_.begin()->first;
  }
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] uint64_t refused() const { return refused_; }
  [[nodiscard]] const std::map<uint64_t, ArpEntry>& entries() const { return entries_; }
  [[nodiscard]] std::map<uint64_t, ArpEntry>& entries() { return entries_; }

 private:
  // rank, since, key: the smallest makes room first.
  using Place = std::tuple<uint8_t, uint64_t, uint64_t>;
  [[nodiscard]] static uint8_t rank_of(const ArpEntry& entry);
  [[nodiscard]] static Place place_of(const ArpEntry& entry) {
    return {rank_of(entry), entry.since_ms, entry.key()};
  }
  void unlink(const ArpEntry& entry);
  bool make_room(uint8_t highest_rank);

  NeighbourTable& table_;
  uint32_t limit_ = 8192;
  uint64_t refused_ = 0;
  uint32_t unresolved_ = 0;
  // A tree and not a hash: neighbours choose the keys.
  std::map<uint64_t, ArpEntry> entries_;
  std::set<std::pair<uint64_t, uint64_t>> timers_;  // deadline, key
  std::set<Place> evictable_;
};

}  // namespace maclane
