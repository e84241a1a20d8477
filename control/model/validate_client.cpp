// The rules of DHCP and PPPoE clients.
#include <fmt/format.h>

#include <algorithm>

#include "control/model/validate.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

void check_dhcp_clients(Check& check, bool interfaces) {
  check.for_asked("/ip/dhcp-client", interfaces, [&](const View& row) {
    if (check.is_attached(row.raw("interface"))) {
      check.add(row, "interface",
                fmt::format("{} is attached: its addresses belong to the container or program that "
                            "holds the tap; run the DHCP client there, or take attach away",
                            row.raw("interface")));
    }
  });
  check.for_each_twin(
      "/ip/dhcp-client", [](const View& row) { return !row.disabled(); },
      [&](const View& row, const View& first) {
        check.add(row, "interface",
                  fmt::format("failure: dhcp-client on that interface already exists: {} has one "
                              "({}); for a second address make a macvlan",
                              row.raw("interface"), where(first)));
      });
}

constexpr int64_t kSmallestMtu = 128, kLargestMtu = 9000, kUsualMtu = 1492, kPppoeBytes = 8;
constexpr int64_t kLongestKeepalive = 86'400;

void check_size(Check& check, const View& row, std::string_view property, int64_t below) {
  const std::string_view text = row.get(property);
  if (text == "auto") return;
  const auto size = parse_integer(text);
  if (!size || *size < kSmallestMtu || *size > kLargestMtu) {
    check.add(row, property,
              fmt::format("value of {} out of range: {}; give auto, or {} to {}", property, text,
                          kSmallestMtu, kLargestMtu),
              Trouble::kBadArgument);
  } else if (*size > kUsualMtu && *size + kPppoeBytes > below) {
    check.add(row, property,
              fmt::format("{} and {} bytes of PPPoE are above the {} of {}; raise its mtu to {}, "
                          "or give at most {}",
                          *size, kPppoeBytes, below, row.raw("interface"), *size + kPppoeBytes,
                          std::max(below - kPppoeBytes, kUsualMtu)));
  }
}

void check_pppoe_clients(Check& check, bool interfaces) {
  check.for_asked("/interface/pppoe-client", interfaces, [&](const View& row) {
    if (check.is_attached(row.raw("interface"))) {
      check.add(row, "interface",
                fmt::format("{} is attached: its frames belong to the container or program that "
                            "holds the tap; dial there, or take attach away",
                            row.raw("interface")));
    }
    const InterfaceFacts* below = check.interface(row.raw("interface"));
    if (below != nullptr && below->type == "pppoe-out") {
      check.add(row, "interface",
                fmt::format("{} is a pppoe-client: it has no Ethernet to dial through; give an "
                            "ethernet, a vlan or a macvlan",
                            below->name));
    }
    for (std::string_view property : {"max-mtu", "max-mru"})
      check_size(check, row, property, below == nullptr ? kLargestMtu : below->actual_mtu);
    const std::string_view keepalive = row.get("keepalive-timeout");
    const auto seconds = parse_integer(keepalive);
    if (keepalive != "disabled" && (!seconds || *seconds < 1 || *seconds > kLongestKeepalive)) {
      check.add(row, "keepalive-timeout",
                fmt::format("value of keepalive-timeout out of range: {}; give disabled, or 1 to "
                            "{} seconds",
                            keepalive, kLongestKeepalive),
                Trouble::kBadArgument);
    }
    const std::string_view uniq = row.raw("host-uniq");
    if (uniq.size() % 2 != 0 ||
        uniq.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      check.add(row, "host-uniq",
                fmt::format("{} is not hexadecimal; give two digits a byte, as in 0a1b2c", uniq),
                Trouble::kBadArgument);
    }
  });
}

}  // namespace

void validate_clients(Check& check) {
  const bool interfaces = check.concerns({"/interface/macvlan"});
  const bool below = interfaces || check.concerns({"/interface/ethernet", "/interface/vlan"});
  if (below || check.concerns({"/interface/pppoe-client"})) check_pppoe_clients(check, below);
  if (interfaces || check.concerns({"/ip/dhcp-client"})) check_dhcp_clients(check, interfaces);
}

}  // namespace maclane::model
