// What a DHCP server's reply says: addresses, times and options (behaviour.md C-3..C-5, C-9; RFC
// 2131 4.3.1, 2132). Functions without state; control thread.
#pragma once

#include <span>

#include "control/service/dhcp_packet.h"
#include "control/service/dhcp_server_config.h"

namespace maclane {

/// All that a reply is made from.
struct DhcpReply {
  const DhcpServerConfig& server;
  const dhcp::Message& request;
  const DhcpNetworkConfig* network = nullptr;  // of the address; nullptr: no row matches
  const DhcpStaticLease* row = nullptr;        // whose options go first
  const DhcpMatcher* matcher = nullptr;        // whose options go before the server's
  dhcp::Type type = dhcp::Type::kOffer;
  be32 server_id{};
  uint32_t address = 0;                // 0: an answer to INFORM
  uint32_t lease_s = 0;                // 0: none is said
  uint8_t length = 0;                  // of the interface's network: the mask where no row says one
  std::span<const be32> dns{}, ntp{};  // for networks that name none
};

/// The network an address belongs to, of several the longest; nullptr: none.
[[nodiscard]] const DhcpNetworkConfig* network_of(std::span<const DhcpNetworkConfig> networks,
                                                  uint32_t address);
/// OFFER and ACK.
[[nodiscard]] dhcp::Message make_reply(const DhcpReply& from);
[[nodiscard]] dhcp::Message make_nak(const dhcp::Message& request, be32 server_id,
                                     std::string_view why);

}  // namespace maclane
