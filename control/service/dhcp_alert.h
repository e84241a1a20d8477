// Watches wires for DHCP servers that nobody knows of (behaviour.md C-13). Control thread.
//
// What comes to a client's port on a watched interface is looked at, whoever it is for: offers,
// acknowledgements and refusals of a MAC address that is neither in valid-server nor the router's
// own are an alert. As servers answer one client alone, the watch asks for an address itself once a
// minute and takes none. An alert stands until its time is over, however often the server is heard
// meanwhile; then the next word of it is another alert. An interface shows kMostServers of them:
// who makes up more MAC addresses is told of once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "control/service/config.h"
#include "control/service/dhcp_packet.h"
#include "control/service/packet_io.h"
#include "control/service/seeds.h"

namespace maclane {

class DhcpAlert {
 public:
  static constexpr uint64_t kProbeMs = 60'000;
  static constexpr size_t kMostServers = 64;

  DhcpAlert(PacketIo& io, uint64_t seed) : io_(io), seeds_(seed) {}

  /// A server was discovered, for on-alert.
  using Script = std::function<void(const DhcpAlertConfig&)>;
  void on_alert(Script script) { script_ = std::move(script); }

  /// After each publish.
  void on_config(const std::vector<DhcpAlertConfig>& config);
  /// A kDhcp punt; looks at it only.
  void overhear(const rte_mbuf* packet);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const { return next_ms_; }

  /// Forgets the alerts of a row.
  void reset(uint32_t id);
  /// The servers that a row's alerts are about.
  [[nodiscard]] std::vector<MacAddr> unknown(uint32_t id) const;
  /// Whether the row is in effect and its interface up.
  [[nodiscard]] bool is_watching(uint32_t id) const;

 private:
  struct Watch {
    DhcpAlertConfig config;
    std::map<uint64_t, uint64_t> unknown{};  // until when, by MacAddr::key()
    uint64_t probe_ms = 0;                   // when to ask next
    bool flooded = false;
  };

  [[nodiscard]] const Interface* running(const Watch& watch) const;
  [[nodiscard]] bool hears(const Watch& watch, const PacketMessage& punt) const;
  [[nodiscard]] bool is_known(const Watch& watch, const MacAddr& server) const;
  void discovered(Watch& watch, const dhcp::Heard& heard);
  void probe(const Watch& watch);

  PacketIo& io_;
  Seeds seeds_;
  Script script_;
  std::map<uint32_t, Watch> watches_;  // by the id of the row
  uint64_t next_ms_ = kNever;
};

}  // namespace maclane
