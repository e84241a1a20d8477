// ARP of the router (RFC 826, RFC 5227, neighbour states as in Linux). Control thread.
//
// Strong host (behaviour.md A-17): a who-has is answered once, by the interface of the heard
// segment that owns the address, with that interface's MAC. Only for an address that is nobody's
// here, interfaces answer that stand in for others (arp_proxy.cpp). The modes are those of A2:
//
//   mode             answers for its own      answers for others       learns, asks
//   enabled          yes                      published rows           yes
//   disabled         no                       no                       no
//   reply-only       to those with a row      to those with a row      no
//   proxy-arp        yes                      what is elsewhere        yes
//   local-proxy-arp  yes                      what is here as well     yes
//
// Macvlans that are attached to a kernel
// device answer for themselves; what they ask is heard only where the kernel's macvlan would hear
// it: a bridge sibling hears a bridge one, the parent hears none.
//
// Resolution, ageing and static rows keep NeighbourTable; packets wait in ArpHold.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string_view>
#include <vector>

#include "control/service/address_book.h"
#include "control/service/arp_cache.h"
#include "control/service/arp_hold.h"
#include "control/service/icmp.h"
#include "control/service/packet_io.h"
#include "dataplane/net/wire.h"

namespace maclane {

/// A row of /ip/arp print.
struct ArpRow {
  be32 address{};
  MacAddr mac;  // zero while unknown
  IfIndex interface = kNoIf;
  std::string_view status;
  bool dynamic = false;
  bool complete = false;
  bool dhcp = false;  // made by the DHCP server (add-arp)
};

class Arp {
 public:
  static constexpr unsigned kTries = 3;
  static constexpr uint64_t kRetryMs = 1000, kFailedMs = 3000, kProbeDelayMs = 5000;
  static constexpr uint64_t kLockMs = 1000;  // a MAC just learned is not changed by the next reply
  static constexpr uint64_t kDefendMs = 10'000;  // RFC 5227 DEFEND_INTERVAL
  static constexpr uint64_t kTwinMs = 60'000;    // between two lines about one of our MACs in use
  static constexpr size_t kKeepAll = 128;        // below this no stale entry is forgotten

  Arp(PacketIo& io, const AddressBook& book, Icmp& icmp, InterfaceName name, uint64_t seed);
  ~Arp();

  /// After each publish: the book is set already. Announces what is new.
  void on_config(const ServiceConfig& config);
  /// A kArp or kNeighbour punt; takes the packet.
  void handle(rte_mbuf* packet);
  /// Event::kNeighbourUsed.
  void used(IfIndex interface, be32 address);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const { return cache_.next_deadline(); }

  /// A row that a lease keeps (DHCP server, add-arp); a row that a person wrote goes before it.
  void set_lease(IfIndex interface, be32 address, const MacAddr& mac);
  void remove_lease(IfIndex interface, be32 address);

  /// Forgets what was learned of a neighbour, as the next packet to it asks anew. False: there is
  /// nothing that was learned.
  bool flush(IfIndex interface, be32 address);
  /// A who-has for the address, whether it is known or not.
  void ask(IfIndex interface, be32 address);
  /// Gratuitous ARP for each address of an interface that is up.
  void announce(IfIndex interface);
  [[nodiscard]] std::vector<ArpRow> rows() const;
  [[nodiscard]] size_t held() const { return hold_.size(); }
  [[nodiscard]] uint64_t refused() const { return cache_.refused(); }

 private:
  struct Heard {  // a valid ARP packet
    EtherHdr ether;
    ArpHdr arp;
    uint16_t domain = kNoDomain;
    IfIndex from_vport = kNoIf;  // attached macvlan whose kernel device sent it
    IfIndex only = kNoIf;        // a reflected frame of one: nobody but this interface hears it
    bool request = false;
    bool gratuitous = false;
  };
  struct Seen {  // what an interface was at the last on_config
    MacAddr mac;
    bool active = false;
    std::vector<InterfaceAddress> addresses;
  };

  void handle_frame(rte_mbuf* packet);
  void handle_unresolved(rte_mbuf* packet);
  [[nodiscard]] bool parse(rte_mbuf* packet, Heard& out) const;
  void locate(const PacketMessage& message, Heard& out) const;
  [[nodiscard]] std::optional<Drop> process(const Heard& heard, IfIndex in_if);
  [[nodiscard]] const Interface* speaking(IfIndex interface) const;
  [[nodiscard]] const Interface* asking(IfIndex interface) const;
  [[nodiscard]] bool hears(IfIndex interface, const Heard& heard) const;
  [[nodiscard]] IfIndex owner(be32 address, const Heard& heard) const;
  [[nodiscard]] bool own_mac(const MacAddr& mac, uint16_t domain) const;
  [[nodiscard]] bool knows(IfIndex interface, const Heard& heard) const;
  void conflict(IfIndex interface, const Heard& heard);
  void twin(IfIndex in_if, const Heard& heard);
  void reply(IfIndex from, const Heard& heard);

  void find_proxies(const std::vector<StaticNeighbour>& rows);
  bool stand_in(const Heard& heard);
  [[nodiscard]] bool stands_in(IfIndex interface, const Heard& heard,
                               const std::vector<IfIndex>& ways) const;
  void learn(const Heard& heard);
  void learn_requester(IfIndex interface, const Heard& heard);
  void update(ArpEntry& entry, const MacAddr& mac, bool solicited, bool gratuitous);

  void start(IfIndex interface, be32 next_hop, rte_mbuf* packet);
  void hold(ArpEntry& entry, rte_mbuf* packet);
  void release(IfIndex interface, be32 address);
  void fail(ArpEntry& entry);
  void give_up(rte_mbuf* packet);
  void expire(ArpEntry& entry, uint64_t now);
  void forget(ArpEntry& entry);
  void ask(const ArpEntry& entry, bool unicast);
  void send(IfIndex out_if, const MacAddr& dst, const ArpHdr& arp);

  void keep_valid_entries();
  void apply_statics();
  void apply_static(uint64_t key, const MacAddr& mac, bool dhcp);
  [[nodiscard]] bool may_carry(IfIndex interface) const;
  void announce_changes();
  void announce_address(IfIndex interface, be32 address);
  [[nodiscard]] uint64_t base_timeout(IfIndex interface) const;
  [[nodiscard]] uint64_t reachable_until(IfIndex interface, uint64_t now);
  [[nodiscard]] uint64_t stale_until(IfIndex interface, uint64_t now) const;

  PacketIo& io_;
  const AddressBook& book_;
  Icmp& icmp_;
  InterfaceName name_;
  std::mt19937_64 random_;
  ArpCache cache_;
  ArpHold hold_;
  uint64_t base_timeout_ms_ = 30'000;
  std::map<IfIndex, uint64_t> timeouts_ms_;
  std::map<IfIndex, Seen> seen_;
  std::map<uint64_t, uint64_t> defended_ms_;  // by own interface and address
  std::map<IfIndex, uint64_t> twins_ms_;      // lines about own MACs seen on the wire
  std::map<uint64_t, MacAddr> statics_;       // by interface and address: what people wrote
  std::map<uint64_t, MacAddr> leases_;        // what the DHCP server added
  std::set<uint64_t> published_;              // by interface and address
  std::vector<IfIndex> proxies_;              // interfaces that may answer for others
};

}  // namespace maclane
