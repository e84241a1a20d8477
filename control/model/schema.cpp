// All menus in one list, found by path; and the menus RouterOS has beyond this version.
#include "control/model/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

// Menus of later milestones, and what people's RouterOS exports hold besides. A path below one of
// these is known too. Commands stand here as if they were menus.
constexpr std::string_view kLaterMenus[] = {"/interface/bonding",
                                            "/interface/bridge",
                                            "/interface/eoip",
                                            "/interface/gre",
                                            "/interface/ipip",
                                            "/interface/l2tp-client",
                                            "/interface/lte",
                                            "/interface/ovpn-client",
                                            "/interface/ppp-client",
                                            "/interface/pppoe-server",
                                            "/interface/pptp-client",
                                            "/interface/sstp-client",
                                            "/interface/veth",
                                            "/interface/vrrp",
                                            "/interface/vxlan",
                                            "/interface/wifi",
                                            "/interface/wireguard",
                                            "/interface/wireless",
                                            "/interface/detect-internet",
                                            "/interface/ethernet/blink",
                                            "/interface/ethernet/cable-test",
                                            "/interface/ethernet/poe",
                                            "/interface/ethernet/reset-mac-address",
                                            "/interface/ethernet/switch",
                                            "/ip/cloud",
                                            "/ip/dhcp-client/option",
                                            "/ip/dhcp-relay",
                                            "/ip/dhcp-server/lease/send-reconfigure",
                                            "/ip/dhcp-server/setup",
                                            "/ip/dns/adlist",
                                            "/ip/dns/forwarders",
                                            "/ip/firewall/calea",
                                            "/ip/firewall/layer7-protocol",
                                            "/ip/hotspot",
                                            "/ip/ipsec",
                                            "/ip/kid-control",
                                            "/ip/nat-pmp",
                                            "/ip/neighbor/discovery-settings",
                                            "/ip/proxy",
                                            "/ip/smb",
                                            "/ip/socks",
                                            "/ip/ssh",
                                            "/ip/tftp",
                                            "/ip/traffic-flow",
                                            "/ip/upnp",
                                            "/ip/vrf",
                                            "/ipv6",
                                            "/routing",
                                            "/queue",
                                            "/snmp",
                                            "/user-manager",
                                            "/ppp",
                                            "/disk",
                                            "/container",
                                            "/port",
                                            "/radius",
                                            "/tool",
                                            "/mpls",
                                            "/special-login",
                                            "/beep",
                                            "/blink",
                                            "/lora",
                                            "/iot",
                                            "/caps-man",
                                            "/dude",
                                            "/zerotier",
                                            "/system/backup/cloud",
                                            "/certificate/crl",
                                            "/certificate/create-certificate-request",
                                            "/certificate/enable-ssl-certificate",
                                            "/certificate/scep-server",
                                            "/certificate/settings",
                                            "/system/check-installation",
                                            "/system/default-configuration",
                                            "/system/device-mode",
                                            "/system/gps",
                                            "/system/package/apply-changes",
                                            "/system/package/downgrade",
                                            "/system/package/local-update",
                                            "/system/package/update",
                                            "/system/resource/cpu",
                                            "/system/resource/hardware",
                                            "/system/resource/irq",
                                            "/system/resource/monitor",
                                            "/system/resource/pci",
                                            "/system/resource/usb",
                                            "/system/routerboard/settings",
                                            "/system/routerboard/upgrade",
                                            "/system/serial-terminal",
                                            "/system/ssh",
                                            "/system/ssh-exec",
                                            "/system/sup-output",
                                            "/system/telnet",
                                            "/system/ups",
                                            "/user/aaa",
                                            "/user/settings",
                                            "/user/ssh-keys",
                                            "/system/console",
                                            "/system/leds",
                                            "/system/logging",
                                            "/system/note",
                                            "/system/ntp",
                                            "/system/upgrade",
                                            "/system/watchdog"};
/// What shows the same of what they are asked for.
constexpr std::pair<std::string_view, std::string_view> kInstead[] = {
    {"/tool/torch",
     "/ip/firewall/connection/print shows who talks with whom and how much, "
     "/interface/monitor-traffic how much an interface carries"},
    {"/tool/sniffer",
     "a rule with action=passthrough and log=yes writes what it matches into /log, and tcpdump in "
     "the namespace of /dataplane/host-plane shows what is for the router itself"},
};

const std::vector<Menu>& all_menus() {
  static const std::vector<Menu> menus = [] {
    std::vector<Menu> out;
    for (auto part : {group_menus(),
                      system_menus().subspan(0, 1),
                      system_menus().subspan(2),
                      interface_menus(),
                      client_menus().subspan(0, 1),
                      routing_menus(),
                      ip_menus(),
                      pool_menus(),
                      dhcp_menus().subspan(0, 1),
                      dhcp_option_menus().subspan(0, 2),
                      dhcp_menus().subspan(1),
                      dhcp_option_menus().subspan(2),
                      dhcp_alert_menus(),
                      dns_menus(),
                      client_menus().subspan(1),
                      conntrack_menus(),
                      firewall_menus(),
                      mangle_menus(),
                      helper_menus(),
                      script_menus(),
                      certificate_menus(),
                      service_menus(),
                      user_menus(),
                      polled_menus(),
                      system_menus().subspan(1, 1)}) {
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }();
  return menus;
}

const std::unordered_map<std::string_view, const Menu*>& by_path() {
  static const auto map = [] {
    std::unordered_map<std::string_view, const Menu*> out;
    for (const Menu& menu : all_menus()) out.emplace(menu.path, &menu);
    return out;
  }();
  return map;
}

}  // namespace

std::span<const Menu> menus() {
  return all_menus();
}

const Menu* find_menu(std::string_view path) {
  const auto& map = by_path();
  if (auto it = map.find(path); it != map.end()) return it->second;  // the usual case: canonical
  std::string canonical;
  for (size_t i = 0; i < path.size();) {
    const size_t end = std::min(path.find_first_of("/ ", i), path.size());
    if (end > i) canonical.append("/").append(path.substr(i, end - i));
    i = end + 1;
  }
  auto it = map.find(canonical.empty() ? "/" : canonical);
  return it == map.end() ? nullptr : it->second;
}

std::string_view noun_of(const Menu& menu) {
  if (!menu.noun.empty()) return menu.noun;
  return menu.path.substr(menu.path.rfind('/') + 1);
}

namespace {

/// What is found out once about each menu, in the order of menus().
struct Found {
  int name = -1;
  std::vector<KeyPart> key;
  std::unordered_map<std::string_view, int> indexes;
};

const Found& found(const Menu& menu) {
  static const std::vector<Found> all = [] {
    std::vector<Found> out;
    for (const Menu& one : all_menus()) {
      Found facts;
      for (size_t i = 0; i < one.properties.size(); ++i) {
        const Property& property = one.properties[i];
        facts.indexes.emplace(property.name, static_cast<int>(i));
        if (facts.name < 0 && property.has(Property::kName) && !property.has(Property::kReadOnly)) {
          facts.name = static_cast<int>(i);
        }
      }
      const auto add_key = [&](int index) {
        facts.key.push_back({index, &one.properties[static_cast<size_t>(index)]});
      };
      if (facts.name >= 0) {
        add_key(facts.name);
      } else {
        for (std::string_view property : one.key) add_key(facts.indexes.at(property));
      }
      out.push_back(std::move(facts));
    }
    return out;
  }();
  return all[static_cast<size_t>(&menu - all_menus().data())];
}

}  // namespace

int Menu::index(std::string_view property) const {
  const auto& all = all_menus();
  if (this < all.data() || this >= all.data() + all.size()) {  // a copy, or a table of its own
    const auto at = std::find_if(properties.begin(), properties.end(),
                                 [&](const Property& one) { return one.name == property; });
    return at == properties.end() ? -1 : static_cast<int>(at - properties.begin());
  }
  const auto& indexes = found(*this).indexes;
  const auto it = indexes.find(property);
  return it == indexes.end() ? -1 : it->second;
}

const Property* Menu::find(std::string_view property) const {
  const int i = index(property);
  return i < 0 ? nullptr : &properties[static_cast<size_t>(i)];
}

int name_index(const Menu& menu) {
  return found(menu).name;
}

std::span<const KeyPart> key_of(const Menu& menu) {
  return found(menu).key;
}

bool is_later_menu(std::string_view path) {
  return std::any_of(std::begin(kLaterMenus), std::end(kLaterMenus), [&](std::string_view later) {
    return path.starts_with(later) && (path.size() == later.size() || path[later.size()] == '/');
  });
}

std::string later_sentence(std::string_view path) {
  if (path.ends_with("/edit")) {
    return "edit is RouterOS's editor on a terminal, which Maclane does not have; get shows a "
           "value and set changes it";
  }
  if (!is_later_menu(path)) return {};
  std::string_view instead;
  for (const auto& [menu, what] : kInstead)
    if (path.starts_with(menu)) instead = what;
  return fmt::format("{} is known to RouterOS but not in this version of Maclane{}{}", path,
                     instead.empty() ? "" : "; ", instead);
}

bool is_builtin_list(std::string_view name) {
  return std::find(std::begin(parts::kBuiltinLists), std::end(parts::kBuiltinLists), name) !=
         std::end(parts::kBuiltinLists);
}

}  // namespace maclane::model
