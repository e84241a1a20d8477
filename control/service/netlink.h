// rtnetlink, as far as the host plane needs it: devices, addresses, routes and rules of the
// namespace in which the socket was opened. Each call is one request that the kernel carries out
// entirely or refuses; 0 or an errno comes back. On libmnl. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/types.h"

struct mnl_socket;
struct nlmsghdr;

namespace maclane {

class Netlink {
 public:
  /// Marks routes and rules as ours, so that what a killed process left can be told from others'.
  static constexpr uint8_t kProtocol = 109;

  struct Link {
    std::optional<MacAddr> mac;
    std::optional<uint16_t> mtu;
    std::string name{};  // empty: as it is
    std::string alias{};
    uint32_t group = 0;  // 0: as it is
    bool no_arp = false;
    bool up = false;    // true: is set up
    bool down = false;  // true: is set down
  };
  struct Route {
    be32 dst{};
    uint8_t length = 0;
    unsigned device = 0;
    be32 source{};  // 0: the device's own
    uint32_t table = 0;
    uint32_t metric = 0;
    friend bool operator==(const Route&, const Route&) = default;
  };
  struct Rule {
    be32 from{};  // 0: everything
    uint32_t table = 0;
    uint32_t priority = 0;
    friend bool operator==(const Rule&, const Rule&) = default;
  };

  Netlink() = default;
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;
  ~Netlink();

  /// In the calling thread's namespace.
  [[nodiscard]] int open();
  [[nodiscard]] bool is_open() const { return socket_ != nullptr; }

  /// 0 if there is none.
  [[nodiscard]] static unsigned index_of(const std::string& name);
  int change_link(unsigned device, const Link& change);
  /// What a device of a router shall not do by itself: check return paths, speak IPv6.
  int tame_link(unsigned device);
  /// Removes all devices of a group at once: a thousand one by one take the kernel many seconds.
  int remove_group(uint32_t group);
  /// Without the route that the kernel would add for its network.
  int add_address(unsigned device, be32 address, uint8_t length);
  int remove_address(unsigned device, be32 address, uint8_t length);
  int add_route(const Route& route);
  int remove_route(const Route& route);
  int add_rule(const Rule& rule);
  int remove_rule(const Rule& rule);

  /// Those that carry our mark.
  [[nodiscard]] std::vector<Rule> our_rules();
  struct Address {
    unsigned device = 0;
    be32 address{};
    uint8_t length = 0;
  };
  /// Every IPv4 address of every device. False: some may be missing.
  bool list_addresses(std::vector<Address>& out);
  struct Device {
    std::string name;
    MacAddr mac;
    uint32_t mtu = 0;
    bool up = false;
    bool loopback = false;
    uint32_t group = 0;
  };
  [[nodiscard]] std::vector<Device> devices();
  /// ENODEV: there is none of this number here.
  int find_device(unsigned device, Device& out);

 private:
  /// heard: is given what comes before the kernel's last word.
  int exchange(nlmsghdr* request, const std::function<void(const nlmsghdr*)>& heard = {});
  /// False: some may be missing.
  template <typename Fn>
  bool dump(uint16_t type, uint8_t family, Fn&& fn);

  mnl_socket* socket_ = nullptr;
  uint32_t sequence_ = 0;
};

}  // namespace maclane
