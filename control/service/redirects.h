// ICMP redirects to the router (/ip/settings accept-redirects; RFC 792, RFC 1122 3.2.2.2). Control
// thread.
//
// One counts if it comes from the gateway that its destination goes by now, on the interface it
// goes by, and names another host of that interface's networks; with secure-redirects, one that is
// the gateway of some route there. It must quote a packet of the router's own, of a connection that
// is tracked if any are: what the router translates for others is none (the workers drop redirects
// about it). Then that one destination goes by the new gateway for five minutes, for the router and
// for what it forwards, as in Linux: a dynamic row of /ip/route. The compiler lays these ways over
// the main table (compile/redirected.h) as long as the route below leads to the gateway that told
// of it; routing marks and rules that decide go before it.
//
// Bounds: so many destinations, the one whose time is over first makes room; so many news a second,
// and one snapshot for all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "control/service/address_book.h"
#include "control/service/config.h"
#include "control/service/learned.h"
#include "control/service/packet_io.h"

namespace maclane {

class Redirects {
 public:
  static constexpr size_t kMost = 256;
  static constexpr uint64_t kLifeMs = 300'000;
  static constexpr uint64_t kGapMs = 1000;  // between two snapshots, at least
  static constexpr unsigned kNewsPerGap = 32;

  Redirects(PacketIo& io, const AddressBook& book, InterfaceName name);

  /// After each publish.
  void on_config(const ServiceConfig& config);
  /// A redirect to an address of the router's, IP header first, its checksum right; it stays the
  /// caller's. related: it quotes a packet of a connection.
  void hear(std::span<const uint8_t> packet, IfIndex in_if, bool related);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const;

  /// True once after news: the snapshot is to be made again.
  [[nodiscard]] bool changed();
  void add_learned(Learned& learned) const;

 private:
  struct Way {
    IfIndex interface = kNoIf;
    be32 told_by{};  // the route's gateway
    be32 gateway{};
    uint64_t until_ms = 0;
  };
  /// Whether there may be news now; takes it from the bound.
  [[nodiscard]] bool may_change();
  void make_room();

  PacketIo& io_;
  const AddressBook& book_;
  InterfaceName name_;
  bool accept_ = false, secure_ = true;
  std::map<uint32_t, Way> ways_;  // by destination, host order
  bool changed_ = false;
  uint64_t published_ms_ = 0, window_ms_ = 0;
  unsigned news_left_ = kNewsPerGap;
};

}  // namespace maclane
