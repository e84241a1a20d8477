// What a DHCP server gave, as it stands in an ACK (RFC 2131 4.4.1, options of RFC 2132 and 3442).
// No state; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/service/config.h"
#include "control/service/dhcp_packet.h"

namespace maclane {

inline constexpr uint64_t kSecond = 1000;  // in milliseconds

/// What a server gave.
struct DhcpLease {
  be32 address{};
  uint8_t length = 24;
  be32 server{};
  MacAddr server_mac;  // of who carried its ACK to us
  std::vector<be32> gateways, dns, ntp, capwap;
  std::vector<dhcp::Route> routes;  // option 121, 249 or 33
  bool classless = false;           // those came with option 121 or 249
  std::string domain;
  std::map<uint8_t, dhcp::Bytes> options;                    // all that came
  uint64_t t1_ms = kNever, t2_ms = kNever, end_ms = kNever;  // on the machine's clock
};

/// The lease of an ACK heard now; nullopt with a sentence in *why if it cannot be used.
[[nodiscard]] std::optional<DhcpLease> lease_of(const dhcp::Heard& ack, uint64_t now,
                                                std::string* why);

}  // namespace maclane
