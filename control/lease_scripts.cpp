#include "control/lease_scripts.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/service/text.h"

namespace maclane {
namespace {

using script::Value;
using Bytes = std::vector<uint8_t>;
using Options = std::map<uint8_t, Bytes>;

std::string option_text(std::span<const uint8_t> bytes) {
  constexpr uint8_t kSpace = 0x20, kDelete = 0x7f;
  const bool printable =
      std::ranges::all_of(bytes, [](uint8_t byte) { return byte >= kSpace && byte < kDelete; });
  if (printable) return {bytes.begin(), bytes.end()};
  return fmt::format("0x{:02x}", fmt::join(bytes, ""));
}

Value options_value(const Options& options) {
  script::Array array;
  for (const auto& [code, bytes] : options)
    array.keyed.emplace(std::to_string(code), Value::text(option_text(bytes)));
  return Value::array(std::move(array));
}

std::string option_of(const Options& options, uint8_t code) {
  const auto found = options.find(code);
  return found == options.end() ? std::string() : option_text(found->second);
}

/// A part of what a relay says of its client (RFC 3046); "" if it says none.
std::string relay_part(const Options& options, uint8_t wanted) {
  const auto found = options.find(dhcp::kRelayAgent);
  if (found == options.end()) return {};
  std::span<const uint8_t> rest(found->second);
  while (rest.size() >= 2 && rest.size() >= 2u + rest[1]) {
    if (rest[0] == wanted) return option_text(rest.subspan(2, rest[1]));
    rest = rest.subspan(2u + rest[1]);
  }
  return {};
}

script::EventScripts::Happened of_lease(const DhcpServerConfig& server, const DhcpBinding& lease,
                                        bool bound) {
  constexpr uint8_t kCircuitId = 1, kRemoteId = 2;
  const std::string address = text_of(be32::from(lease.address));
  script::EventScripts::Happened one;
  one.event = server.lease_script;
  one.name = "lease-script of " + server.name;
  one.subject = "lease " + address;
  one.variables = {{"leaseBound", Value::number(bound ? 1 : 0)},
                   {"leaseServerName", Value::text(server.name)},
                   {"leaseActMAC", Value::text(text_of(lease.mac))},
                   {"leaseActIP", Value::ip(lease.address)},
                   {"lease-hostname", Value::text(lease.host_name)},
                   {"lease-options", options_value(lease.options)},
                   {"lease-agent-circuit-id", Value::text(relay_part(lease.options, kCircuitId))},
                   {"lease-agent-remote-id", Value::text(relay_part(lease.options, kRemoteId))}};
  return one;
}

script::EventScripts::Happened of_client(const DhcpClientConfig& client, const DhcpLease& lease,
                                         bool bound) {
  script::EventScripts::Happened one;
  one.event = client.script;
  one.name = "script of dhcp-client on " + client.interface_name;
  one.subject = "client " + client.interface_name;
  one.variables = {
      {"bound", Value::number(bound ? 1 : 0)},
      {"server-address", Value::ip(lease.server.host())},
      {"lease-address", Value::ip(lease.address.host())},
      {"interface", Value::text(client.interface_name)},
      {"gateway-address",
       lease.gateways.empty() ? Value::text("") : Value::ip(lease.gateways.front().host())},
      {"vendor-specific", Value::text(option_of(lease.options, dhcp::kVendorSpecific))},
      {"lease-options", options_value(lease.options)}};
  return one;
}

script::EventScripts::Happened of_alert(const DhcpAlertConfig& alert) {
  script::EventScripts::Happened one;
  one.event = alert.script;
  one.name = "on-alert of " + alert.interface_name;
  one.subject = "alert " + alert.interface_name;
  return one;
}

}  // namespace

void run_lease_scripts(Services& services, script::EventScripts& scripts) {
  services.dhcp_server().on_script(
      [&scripts](const DhcpServerConfig& server, const DhcpBinding& lease, bool bound) {
        scripts.happened(of_lease(server, lease, bound));
      });
  services.dhcp_client().on_script(
      [&scripts](const DhcpClientConfig& client, const DhcpLease& lease, bool bound) {
        scripts.happened(of_client(client, lease, bound));
      });
  services.dhcp_alert().on_alert(
      [&scripts](const DhcpAlertConfig& alert) { scripts.happened(of_alert(alert)); });
}

}  // namespace maclane
