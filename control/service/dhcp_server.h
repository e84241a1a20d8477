// The DHCP servers (behaviour.md C2; RFC 2131): what they hear and answer. Leases are in
// dhcp_leases.h, replies in dhcp_reply.h. Control thread.
//
// Written here because no server of Debian does what the reference asks. dnsmasq knows no state of
// a lease but its end, no delay-threshold, no authoritative after a delay, no options by lease,
// server and network with `force`, and reaches a client that has no address by way of the kernel's
// ARP table, which the host plane's devices have none of. Kea (2.2) tests no address for conflicts
// before it gives it, keeps no second server on a segment in one process, has neither next-pool nor
// add-arp, and gives its state away only through a second program. The messages were ours already,
// for the clients.
//
// The servers hear frames, before the input chain (B-3, E-14), as the dataplane punts them: a
// broadcast once for all who hear it. Each server that stands on the segment answers by itself: two
// of them race, as two routers would (C-10, E-9). None refuses an address that another of ours on
// that segment gave to the same client.
//
// A pool address is tested before it is offered: half a second for an answer to an ARP probe. An
// ICMP echo, which the reference names too, would begin with the same question. Behind relays
// nothing can be asked.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/service/address_book.h"
#include "control/service/arp.h"
#include "control/service/dhcp_leases.h"
#include "control/service/dhcp_packet.h"
#include "control/service/packet_io.h"

namespace maclane {

class DhcpServer {
 public:
  static constexpr uint64_t kTestMs = 500, kOfferMs = 30'000;

  DhcpServer(PacketIo& io, const AddressBook& book, Arp& arp) : io_(io), book_(book), arp_(arp) {}

  /// A lease began, was renewed or ended (status waiting: then it is gone); for who keeps them.
  using Told = std::function<void(const DhcpBinding&)>;
  void on_lease(Told told) { told_ = std::move(told); }
  /// A lease began (true) or ended, for the lease-script.
  using Script = std::function<void(const DhcpServerConfig&, const DhcpBinding&, bool bound)>;
  void on_script(Script script) { script_ = std::move(script); }
  /// Name servers that were learned, for networks that name none (C-3).
  void on_dns(std::function<std::vector<be32>()> dns) { dns_ = std::move(dns); }
  /// And time servers.
  void on_ntp(std::function<std::vector<be32>()> ntp) { ntp_ = std::move(ntp); }
  /// Leases of an earlier process. After the first on_config.
  void restore(std::vector<DhcpBinding> kept);

  void on_config(const DhcpServingConfig& config);
  /// A kDhcp punt to port 67; false: it is no message to a server. The packet stays the caller's.
  bool hear(const rte_mbuf* packet);
  /// A kArp punt; looks at it only: it may be an answer to a probe.
  void overhear(const rte_mbuf* packet);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const { return leases_.next_deadline(); }

  [[nodiscard]] const std::map<uint32_t, DhcpBinding>& leases() const { return leases_.all(); }
  [[nodiscard]] const DhcpServingConfig& config() const { return config_; }
  [[nodiscard]] uint64_t now_ms() const { return io_.now_ms(); }
  /// Another number after each change of a lease that is bound, or was.
  [[nodiscard]] uint64_t changes() const { return changes_; }
  /// Removes a dynamic lease by its number; false: there is none.
  bool remove(uint32_t number);
  /// Whether a server can answer: its interface is there, up, and has an address.
  [[nodiscard]] bool serves(const DhcpServerConfig& server) const {
    return id_of(server) != be32{};
  }

 private:
  struct Request {  // one message, as one server heard it
    const DhcpServerConfig& server;
    const dhcp::Heard& heard;
    be32 server_id;
    IfIndex in_if;
    std::string identity;
    std::vector<uint8_t> client_id;
  };

  [[nodiscard]] bool hears(const DhcpServerConfig& server, const dhcp::Message& message,
                           const PacketMessage& punt) const;
  [[nodiscard]] be32 id_of(const DhcpServerConfig& server) const;
  /// What the client's options make of it; nullptr: it is as all others.
  [[nodiscard]] static const DhcpMatcher* matcher_of(const Request& request);
  [[nodiscard]] static const std::vector<DhcpPoolRange>& ranges_of(const Request& request);
  void take(const Request& request);
  void discover(const Request& request);
  void request(const Request& request);
  void decline(const Request& request);
  void release(const Request& request);
  void inform(const Request& request);
  void bootp(const Request& request);
  [[nodiscard]] DhcpBinding* binding_for(const Request& request, bool& limited);
  void note(DhcpBinding& binding, const Request& request);
  void offer(const Request& request, DhcpBinding& binding);
  void bind(const Request& request, DhcpBinding& binding);
  void unbind(DhcpBinding& binding);
  void refuse(const Request& request, std::string_view why);
  void ended(const DhcpBinding& binding);
  void tell(const DhcpBinding& binding);
  [[nodiscard]] bool is_anothers(const Request& request, uint32_t address) const;
  [[nodiscard]] const DhcpServerConfig* server_of(const DhcpBinding& binding) const;
  [[nodiscard]] const DhcpStaticLease* row_of(const DhcpBinding& binding) const;
  [[nodiscard]] static const DhcpPoolRange* range_of(const DhcpServerConfig& server,
                                                     uint32_t address);
  void lost_to_row(const DhcpBinding& binding) const;
  [[nodiscard]] bool fits(const Request& request, const DhcpBinding& binding) const;
  [[nodiscard]] bool is_ours(const DhcpBinding& row) const;
  void probe(const DhcpServerConfig& server, uint32_t address);
  void answer(const Request& request, const DhcpBinding* binding, dhcp::Type type,
              bool to_all = false);
  void send(const Request& request, const dhcp::Message& message, bool always_broadcast);
  [[nodiscard]] uint32_t lease_s(const Request& request, const DhcpBinding& binding) const;

  PacketIo& io_;
  const AddressBook& book_;
  Arp& arp_;
  DhcpServingConfig config_;
  DhcpLeases leases_;
  Told told_;
  uint64_t changes_ = 0;
  Script script_;
  std::function<std::vector<be32>()> dns_, ntp_;
  struct Tested {  // who waits for the end of a test
    dhcp::Heard heard;
    IfIndex in_if = kNoIf;
  };
  std::map<uint32_t, Tested> tested_;
};

}  // namespace maclane
