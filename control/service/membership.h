// Which multicast groups each interface hears (behaviour.md ): the all-nodes groups
// always, what the programs behind an attached macvlan report by IGMP or MLD, or everything with
// multicast=all. The parent hears all of its wire without a filter. Control thread.
//
// A group goes when its host leaves it. It also goes kTimeoutMs after its last report (RFC 3376
// 8.4), but only while that host demonstrably answers queries (current-state records for other
// groups came long after): on a wire without a querier a host reports once and then never again,
// and a timeout would cut it off, IPv6 neighbour discovery first of all. A host with more groups
// than kGroups hears everything, as a NIC with a full filter does.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "control/service/config.h"
#include "control/service/membership_parse.h"
#include "control/service/packet_io.h"

namespace maclane {

class Membership {
 public:
  static constexpr size_t kGroups = 256;
  static constexpr uint64_t kTimeoutMs = 260'000;
  static constexpr uint64_t kSweepMs = 10'000;
  static constexpr uint64_t kQueryGapMs = 60'000;  // later than any answer to the same query

  explicit Membership(PacketIo& io) : io_(io) {}

  /// After each publish: filters of new, changed and removed interfaces.
  void on_config();
  /// A kMembership punt; takes the packet.
  void handle(rte_mbuf* packet);
  /// A frame that a program sent from the host plane's device of a routed interface: an IGMP report
  /// makes the groups heard there.
  void hear(IfIndex interface, std::span<const uint8_t> frame);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const { return vports_.empty() ? kNever : sweep_ms_; }
  [[nodiscard]] size_t groups(IfIndex interface) const;

 private:
  struct Vport {
    MacAddr mac;
    bool everything = false;  // more groups than we keep
    uint64_t answered_ms = 0;
    std::map<GroupAddress, uint64_t> groups;  // last report in ms
  };
  void report(Vport& vport, std::span<const GroupReport> reports);
  void program(IfIndex interface, const Vport* vport);

  PacketIo& io_;
  std::map<IfIndex, Vport>
      vports_;             // attached ones, and routed ones that programs joined groups on
  uint64_t sweep_ms_ = 0;  // when to look for expired groups next
  size_t configured_ = 0;  // interface slots that have been programmed
};

}  // namespace maclane
