// The rules of DHCP clients.
#include <fmt/format.h>

#include "control/model/validate.h"

namespace maclane::model {
namespace {

bool is_attached(const Check& check, std::string_view interface) {
  const Menu& menu = *find_menu("/interface/macvlan");
  const RowPtr row = check.tree.find(menu, interface);
  return row != nullptr && View(menu, *row).get("attach") != "none";
}

void check_dhcp_clients(Check& check, bool interfaces) {
  check.for_asked("/ip/dhcp-client", interfaces, [&](const View& row) {
    if (is_attached(check, row.raw("interface"))) {
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

}  // namespace

void validate_clients(Check& check) {
  const bool interfaces = check.concerns({"/interface/macvlan"});
  if (interfaces || check.concerns({"/ip/dhcp-client"})) check_dhcp_clients(check, interfaces);
}

}  // namespace maclane::model
