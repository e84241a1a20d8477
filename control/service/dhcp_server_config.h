// What the DHCP servers are told with every publish (behaviour.md C2). Plain values; addresses in
// host order, as pools and ranges are counted. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/service/dhcp_option_part.h"
#include "dataplane/net/types.h"

namespace maclane {

/// An option as configured (C-5).
struct DhcpOptionConfig {
  uint8_t code = 0;
  bool force = false;  // sent whether it was asked for or not
  std::vector<DhcpOptionPart> value{};
};

/// A pool with those that follow it (next-pool), in the order they are used up.
struct DhcpPoolRange {
  std::string pool;
  uint32_t first = 0, last = 0;
};

/// Clients that say something in an option, and what they get (C-14).
struct DhcpMatcher {
  uint8_t code = 0;
  bool substring = false;
  std::vector<uint8_t> value{};
  bool has_pool = false;                // no: the server's
  std::vector<DhcpPoolRange> ranges{};  // none: static-only
  std::vector<DhcpOptionConfig> options{};
};

struct DhcpServerConfig {
  enum class Authoritative : uint8_t { kYes, kNo, kAfter2s, kAfter10s };
  uint32_t id = 0;  // of the row
  std::string name;
  std::string interface_name;
  IfIndex interface = kNoIf;
  std::vector<DhcpPoolRange> ranges{};  // none: static-only
  uint32_t lease_s = 1800;
  Authoritative authoritative = Authoritative::kYes;
  uint32_t delay_threshold_s = 0;  // requests with less in `secs` are not heard
  bool conflict_detection = true;
  bool add_arp = false;
  bool add_dns_entries = false;  // clients have names in the DNS (lease_names.h)
  std::string dns_suffix{};      // what stands after them
  bool always_broadcast = false;
  bool by_client_id = true;       // no: leases are told apart by MAC address alone
  be32 server_address{};          // what clients know it by; 0: the interface's first
  uint32_t client_mac_limit = 0;  // leases a MAC address may have; 0: any number
  be32 relay{};                   // 0: clients on the wire; all ones: any relay; else that one
  std::vector<DhcpOptionConfig> options{};
  std::string lease_script{};
  std::vector<std::string> address_lists{};  // that addresses of its clients are in
  enum class Bootp : uint8_t { kNone, kStatic, kDynamic };
  Bootp bootp = Bootp::kStatic;         // BOOTP clients: none, those with a row, or all
  uint32_t bootp_lease_s = 0xffffffff;  // how long they have an address; all ones: for ever
  std::vector<DhcpMatcher> matchers{};  // the first that fits counts
};

/// A row of /ip/dhcp-server/network.
struct DhcpNetworkConfig {
  uint32_t network = 0;
  uint8_t length = 0;   // of the row's address
  uint8_t netmask = 0;  // what clients are told; 0: that of the address
  std::vector<be32> gateways{}, dns{}, ntp{}, wins{}, capwap{};
  bool dns_none = false, ntp_none = false;
  std::string domain;
  be32 next_server{};
  std::string boot_file;
  std::vector<DhcpOptionConfig> options{};
};

/// A row of /ip/dhcp-server/lease that a person wrote.
struct DhcpStaticLease {
  uint32_t id = 0;     // of the row, never 0
  std::string server;  // "": of any
  uint32_t address = 0;
  MacAddr mac;                       // zero: told by client_id alone
  std::vector<uint8_t> client_id{};  // empty: told by MAC address
  uint32_t lease_s = 0;              // 0: the server's
  bool block = false;
  bool always_broadcast = false;
  std::vector<DhcpOptionConfig> options{};
  std::vector<std::string> address_lists{};  // that its address is in
};

struct DhcpServingConfig {
  std::vector<DhcpServerConfig> servers{};  // those that are enabled
  std::map<uint32_t, std::string> names{};  // of every row, by its id: a name may change
  std::vector<DhcpNetworkConfig> networks{};
  std::vector<DhcpStaticLease> leases{};
  std::vector<be32> dns{};  // of /ip/dns, for networks that name none and nothing was learned
};

}  // namespace maclane
