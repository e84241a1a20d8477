// What the services are told with every publish: what the snapshot does not carry. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "control/service/dhcp_server_config.h"
#include "control/service/learned.h"
#include "dataplane/net/types.h"

namespace maclane {

struct InterfaceAddress {
  IfIndex interface = kNoIf;
  be32 address{};
  uint8_t length = 32;
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

/// A row of /ip/arp that a person wrote.
struct StaticNeighbour {
  IfIndex interface = kNoIf;
  be32 address{};
  MacAddr mac;             // zero: of a published row only, which then says no neighbour
  bool published = false;  // answered for on the interface
};

/// An active route, as far as the kernel's side needs it (host_plane.h).
struct HostRoute {
  be32 dst{};
  uint8_t length = 0;
  IfIndex out_if = kNoIf;
  be32 source{};  // 0: the interface's own
  friend bool operator==(const HostRoute&, const HostRoute&) = default;
};

/// Of an interface with loop-protect=on (A3).
struct LoopProtectConfig {
  uint64_t send_interval_ms = 5000;
  uint64_t disable_time_ms = 300'000;  // 0: until the interface is changed
  std::string revision;                // all that is configured about the interface
};

/// A row of /ip/dhcp-client in effect (C3).
struct DhcpClientConfig {
  enum class ClientId : uint8_t { kNone, kMac, kDuid };
  enum class Broadcast : uint8_t { kBoth, kAlways, kNever };
  enum class DefaultRoute : uint8_t { kNo, kYes, kSpecialClassless };
  std::string interface_name;
  IfIndex interface = kNoIf;
  std::string host_name;  // what the server is told; "": nothing
  ClientId client_id = ClientId::kMac;
  Broadcast broadcast = Broadcast::kBoth;
  DefaultRoute default_route = DefaultRoute::kYes;
  uint8_t distance = 1;
  uint8_t dscp = 0;
  uint8_t vlan_priority = 0;
  bool use_peer_dns = true;
  bool use_peer_ntp = true;
  GatewayProof check_gateway = GatewayProof::kNone;
  std::vector<std::string> tables{std::string()};  // of the routes; "": main
  std::string script{};
  friend bool operator==(const DhcpClientConfig&, const DhcpClientConfig&) = default;
};

/// A row of /ip/dhcp-server/alert in effect (C-13).
struct DhcpAlertConfig {
  uint32_t id = 0;  // of the row
  std::string interface_name;
  IfIndex interface = kNoIf;
  std::vector<MacAddr> valid{};  // servers that may be there
  uint64_t timeout_ms = 0;       // how long an alert stands; 0: until it is reset
  std::string script{};
};

/// A row of /interface/pppoe-client in effect (C4).
struct PppoeClientConfig {
  std::string name;
  IfIndex interface = kNoIf;  // its own
  IfIndex lower = kNoIf;      // what it stands on
  std::string user, password, service_name, ac_name;
  std::vector<uint8_t> host_uniq;  // empty: one is made
  bool pap = true, chap = true, mschap1 = true, mschap2 = true;
  uint16_t max_mtu = 0, max_mru = 0;  // 0: auto
  bool add_default_route = false;
  uint8_t distance = 1;
  bool use_peer_dns = false;
  bool on_demand = false;          // it dials when there is something to send
  uint64_t keepalive_ms = 10'000;  // 0: none
  friend bool operator==(const PppoeClientConfig&, const PppoeClientConfig&) = default;
};

/// A gateway that a route with check-gateway leads to.
struct CheckedGateway {
  bool ping = false;  // else by ARP
  IfIndex interface = kNoIf;
  std::string interface_name;
  be32 address{};
};

struct ServiceConfig {
  std::vector<InterfaceAddress> addresses;  // enabled ones, in the order they were configured
  std::vector<be32> own_addresses;          // of them those of rows, which nobody gave us
  std::vector<StaticNeighbour> neighbours;
  uint64_t arp_timeout_ms = 30'000;                        // /ip/settings arp-timeout
  std::map<IfIndex, uint64_t> interface_arp_timeout_ms{};  // where an interface has its own
  std::map<IfIndex, LoopProtectConfig> loop_protect{};
  std::vector<HostRoute> routes{};  // of the main table, one way each
  bool serves_dns = false;          // /ip/dns allow-remote-requests
  std::vector<DhcpClientConfig> dhcp_clients{};
  std::vector<PppoeClientConfig> pppoe_clients{};
  std::vector<DhcpAlertConfig> dhcp_alerts{};
  DhcpServingConfig dhcp_server{};
  std::vector<CheckedGateway> gateways{};
  uint32_t max_neighbour_entries = 8192;
  uint32_t icmp_rate_limit_ms = 10;  // smallest gap between ICMP messages to one target; 0: none
  uint32_t icmp_rate_mask = 0x1818;  // for these ICMP types, a bit each
  bool accept_redirects = false;     // /ip/settings
  bool secure_redirects = true;
  std::vector<uint32_t> redirected{};           // destinations whose redirects hold
  bool icmp_errors_use_inbound_address = true;  // no: the address of the way back
};

/// An interface's name for the log; kNoIf never asked.
using InterfaceName = std::function<std::string(IfIndex)>;

/// "No deadline", of every next_deadline().
inline constexpr uint64_t kNever = UINT64_MAX;

}  // namespace maclane
