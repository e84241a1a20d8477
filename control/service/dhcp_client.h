// The DHCP clients (behaviour.md C3): one state machine (dhcp_machine.h) an interface, what they
// hear and send, and what they learned. Control thread.
//
// Many clients stand on one wire (C-20): a reply counts for the one whose xid and MAC address it
// carries, whether it came to that MAC alone or to everybody. Everything leaves by the client's own
// interface, as a frame, past routes and output chain, which know nothing of an interface without
// an address (B-3).
//
// What changed is asked for with changed(): then the snapshot is made again with what
// add_learned() says. The addresses in use are kept by the owner of on_save(), and asked for again
// after a restart by an interface that still has the same MAC address (F-12, F-13).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/service/dhcp_machine.h"
#include "control/service/learned.h"
#include "control/service/packet_io.h"
#include "control/service/renames.h"
#include "control/service/seeds.h"

namespace maclane {

/// What a client had, for after a restart.
struct KeptAddress {
  be32 address{};
  MacAddr mac;  // of its interface
  friend bool operator==(const KeptAddress&, const KeptAddress&) = default;
};
using KeptAddresses = std::map<std::string, KeptAddress, std::less<>>;  // by interface name

class DhcpClient {
 public:
  DhcpClient(PacketIo& io, uint64_t seed);
  ~DhcpClient();

  /// Before the first on_config.
  void restore(KeptAddresses kept) { kept_ = std::move(kept); }
  void on_save(std::function<void(const KeptAddresses&)> save) { save_ = std::move(save); }

  /// An address was got (true) or lost, for the script of who has one.
  using Script = std::function<void(const DhcpClientConfig&, const DhcpLease&, bool bound)>;
  void on_script(Script script) { script_ = std::move(script); }

  /// Their interfaces have other names from now on; before on_config().
  void rename(const Renames& renames);
  /// After each publish.
  void on_config(const ServiceConfig& config);
  /// A kDhcp punt; takes the packet.
  void handle(rte_mbuf* packet);
  /// A kArp punt; looks at it only: it may be an answer to a probe.
  void overhear(const rte_mbuf* packet);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const;

  /// True once after addresses, routes or servers changed.
  [[nodiscard]] bool changed() { return std::exchange(changed_, false); }
  void add_learned(Learned& learned) const;

  /// False if no client is in effect there.
  bool renew(std::string_view interface);
  bool release(std::string_view interface);

  /// nullptr: no client is in effect there.
  [[nodiscard]] const DhcpMachine* find(std::string_view interface) const;
  [[nodiscard]] uint64_t now_ms() const { return io_.now_ms(); }

 private:
  struct Client;
  using Clients = std::map<std::string, std::unique_ptr<Client>, std::less<>>;

  void save();

  PacketIo& io_;
  Seeds seeds_;
  Clients clients_;  // by interface name
  KeptAddresses kept_;
  std::function<void(const KeptAddresses&)> save_;
  Script script_;
  std::vector<be32> own_addresses_;  // of the router, that were not learned
  unsigned probing_ = 0;             // clients that wait for an answer to a probe, at least
  bool changed_ = false;
};

}  // namespace maclane
