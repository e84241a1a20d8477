#include "control/service/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace maclane {
namespace {

constexpr size_t kBuffer = 32768;  // of a dump's piece; requests take far less

template <typename Body>
nlmsghdr* start(void* buffer, uint16_t type, uint16_t flags, Body** body) {
  nlmsghdr* header = mnl_nlmsg_put_header(buffer);
  header->nlmsg_type = type;
  header->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  *body = static_cast<Body*>(mnl_nlmsg_put_extra_header(header, sizeof(Body)));
  return header;
}

using RequestBuffer = std::array<char, 512>;

nlmsghdr* link_request(RequestBuffer& buffer, unsigned device, ifinfomsg** body) {
  nlmsghdr* header = start(buffer.data(), RTM_NEWLINK, 0, body);
  (*body)->ifi_family = AF_UNSPEC;
  (*body)->ifi_index = static_cast<int>(device);
  return header;
}

nlmsghdr* address_request(RequestBuffer& buffer, uint16_t type, uint16_t flags, unsigned device,
                          be32 address, uint8_t length) {
  ifaddrmsg* body = nullptr;
  nlmsghdr* header = start(buffer.data(), type, flags, &body);
  body->ifa_family = AF_INET;
  body->ifa_prefixlen = length;
  body->ifa_index = device;
  body->ifa_scope = RT_SCOPE_UNIVERSE;
  mnl_attr_put(header, IFA_LOCAL, 4, &address.raw);
  mnl_attr_put(header, IFA_ADDRESS, 4, &address.raw);
  return header;
}

nlmsghdr* route_request(RequestBuffer& buffer, uint16_t type, uint16_t flags,
                        const Netlink::Route& route) {
  rtmsg* body = nullptr;
  nlmsghdr* header = start(buffer.data(), type, flags, &body);
  body->rtm_family = AF_INET;
  body->rtm_dst_len = route.length;
  body->rtm_table = RT_TABLE_UNSPEC;
  body->rtm_protocol = Netlink::kProtocol;
  body->rtm_scope = RT_SCOPE_LINK;
  body->rtm_type = RTN_UNICAST;
  mnl_attr_put_u32(header, RTA_TABLE, route.table);
  if (route.length != 0) mnl_attr_put(header, RTA_DST, 4, &route.dst.raw);
  if (route.source.raw != 0) mnl_attr_put(header, RTA_PREFSRC, 4, &route.source.raw);
  mnl_attr_put_u32(header, RTA_OIF, route.device);
  if (route.metric != 0) mnl_attr_put_u32(header, RTA_PRIORITY, route.metric);
  return header;
}

nlmsghdr* rule_request(RequestBuffer& buffer, uint16_t type, uint16_t flags,
                       const Netlink::Rule& rule) {
  fib_rule_hdr* body = nullptr;
  nlmsghdr* header = start(buffer.data(), type, flags, &body);
  body->family = AF_INET;
  body->action = FR_ACT_TO_TBL;
  body->table = RT_TABLE_UNSPEC;
  mnl_attr_put_u32(header, FRA_TABLE, rule.table);
  mnl_attr_put_u32(header, FRA_PRIORITY, rule.priority);
  mnl_attr_put_u8(header, FRA_PROTOCOL, Netlink::kProtocol);
  if (rule.from.raw != 0) {
    body->src_len = 32;
    mnl_attr_put(header, FRA_SRC, 4, &rule.from.raw);
  }
  return header;
}

/// Calls fn(attribute) for each attribute behind a message's body.
template <typename Body, typename Fn>
void each_attribute(const nlmsghdr* message, Fn&& fn) {
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(message));
  const auto* attribute =
      static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, sizeof(Body)));
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    fn(attribute);
    attribute = mnl_attr_next(attribute);
  }
}

be32 address_in(const nlattr* attribute) {
  be32 address;
  if (mnl_attr_get_payload_len(attribute) >= 4)
    std::memcpy(&address.raw, mnl_attr_get_payload(attribute), 4);
  return address;
}

Netlink::Device device_in(const nlmsghdr* message) {
  ifinfomsg info;
  std::memcpy(&info, mnl_nlmsg_get_payload(message), sizeof info);
  Netlink::Device device;
  device.up = (info.ifi_flags & IFF_UP) != 0;
  device.loopback = (info.ifi_flags & IFF_LOOPBACK) != 0;
  each_attribute<ifinfomsg>(message, [&](const nlattr* attribute) {
    switch (mnl_attr_get_type(attribute)) {
      case IFLA_IFNAME:
        device.name = mnl_attr_get_str(attribute);
        break;
      case IFLA_ADDRESS:
        if (mnl_attr_get_payload_len(attribute) == device.mac.bytes.size())
          std::memcpy(device.mac.bytes.data(), mnl_attr_get_payload(attribute),
                      device.mac.bytes.size());
        break;
      case IFLA_MTU:
        device.mtu = mnl_attr_get_u32(attribute);
        break;
      case IFLA_GROUP:
        device.group = mnl_attr_get_u32(attribute);
        break;
      default:
        break;
    }
  });
  return device;
}

}  // namespace

Netlink::~Netlink() {
  if (socket_ != nullptr) mnl_socket_close(socket_);
}

int Netlink::open() {
  socket_ = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket_ == nullptr) return errno;
  if (mnl_socket_bind(socket_, 0, MNL_SOCKET_AUTOPID) < 0) return errno;
  // Only ever our own requests' answers; a kernel that keeps one back must not stop control.
  const timeval patience{2, 0};
  (void)setsockopt(mnl_socket_get_fd(socket_), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return 0;
}

unsigned Netlink::index_of(const std::string& name) {
  return if_nametoindex(name.c_str());
}

int Netlink::exchange(nlmsghdr* request, const std::function<void(const nlmsghdr*)>& heard) {
  if (socket_ == nullptr) return ENOTCONN;
  request->nlmsg_seq = ++sequence_;
  // net_tap's realtime signals interrupt whatever waits.
  while (mnl_socket_sendto(socket_, request, request->nlmsg_len) < 0) {
    if (errno != EINTR) return errno;
  }
  std::array<char, 8192> reply;
  for (;;) {
    const ssize_t n = mnl_socket_recvfrom(socket_, reply.data(), reply.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    const auto* header = reinterpret_cast<const nlmsghdr*>(reply.data());
    if (!mnl_nlmsg_ok(header, static_cast<int>(n)) || header->nlmsg_seq != sequence_) continue;
    if (header->nlmsg_type != NLMSG_ERROR) {
      if (heard) heard(header);
      continue;
    }
    return -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header))->error;
  }
}

template <typename Fn>
bool Netlink::dump(uint16_t type, uint8_t family, Fn&& fn) {
  if (socket_ == nullptr) return false;
  RequestBuffer buffer{};
  rtgenmsg* body = nullptr;
  nlmsghdr* header = start(buffer.data(), type, NLM_F_DUMP, &body);
  header->nlmsg_flags &= static_cast<uint16_t>(~NLM_F_ACK);
  body->rtgen_family = family;
  header->nlmsg_seq = ++sequence_;
  while (mnl_socket_sendto(socket_, header, header->nlmsg_len) < 0) {
    if (errno != EINTR) return false;
  }
  std::vector<char> reply(kBuffer);
  bool whole = true;
  for (;;) {
    const ssize_t n = mnl_socket_recvfrom(socket_, reply.data(), reply.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    int left = static_cast<int>(n);
    for (auto* message = reinterpret_cast<nlmsghdr*>(reply.data()); mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left)) {
      if (message->nlmsg_seq != sequence_) continue;
      whole = whole && (message->nlmsg_flags & NLM_F_DUMP_INTR) == 0;
      if (message->nlmsg_type == NLMSG_DONE) return whole;
      if (message->nlmsg_type == NLMSG_ERROR) return false;
      fn(message);
    }
  }
}

int Netlink::change_link(unsigned device, const Link& change) {
  RequestBuffer buffer{};
  ifinfomsg* body = nullptr;
  nlmsghdr* header = link_request(buffer, device, &body);
  if (change.no_arp) {
    body->ifi_flags |= IFF_NOARP;
    body->ifi_change |= IFF_NOARP;
  }
  if (change.up) {
    body->ifi_flags |= IFF_UP;
    body->ifi_change |= IFF_UP;
  }
  if (change.down) body->ifi_change |= IFF_UP;
  if (!change.name.empty()) mnl_attr_put_strz(header, IFLA_IFNAME, change.name.c_str());
  if (change.mac) mnl_attr_put(header, IFLA_ADDRESS, 6, change.mac->bytes.data());
  if (change.mtu) mnl_attr_put_u32(header, IFLA_MTU, *change.mtu);
  if (change.group != 0) mnl_attr_put_u32(header, IFLA_GROUP, change.group);
  if (!change.alias.empty()) {
    mnl_attr_put(header, IFLA_IFALIAS, std::min<size_t>(change.alias.size(), 255),
                 change.alias.data());
  }
  return exchange(header);
}

int Netlink::tame_link(unsigned device) {
  const auto send = [&](int family, auto&& fill) {
    RequestBuffer buffer{};
    ifinfomsg* body = nullptr;
    nlmsghdr* header = link_request(buffer, device, &body);
    nlattr* families = mnl_attr_nest_start(header, IFLA_AF_SPEC);
    nlattr* one = mnl_attr_nest_start(header, static_cast<uint16_t>(family));
    fill(header);
    mnl_attr_nest_end(header, one);
    mnl_attr_nest_end(header, families);
    return exchange(header);
  };
  const int failure = send(AF_INET, [](nlmsghdr* header) {
    nlattr* settings = mnl_attr_nest_start(header, IFLA_INET_CONF);
    mnl_attr_put_u32(header, IPV4_DEVCONF_RP_FILTER, 0);
    mnl_attr_put_u32(header, IPV4_DEVCONF_ACCEPT_LOCAL, 1);
    mnl_attr_put_u32(header, IPV4_DEVCONF_FORWARDING, 0);
    mnl_attr_put_u32(header, IPV4_DEVCONF_SEND_REDIRECTS, 0);
    // Either of a device and of all of them is enough: that of all says it.
    mnl_attr_put_u32(header, IPV4_DEVCONF_ACCEPT_REDIRECTS, 0);
    mnl_attr_put_u32(header, IPV4_DEVCONF_SECURE_REDIRECTS, 0);
    // Without it the second address of a network goes with the first.
    mnl_attr_put_u32(header, IPV4_DEVCONF_PROMOTE_SECONDARIES, 1);
    mnl_attr_nest_end(header, settings);
  });
  // Where the kernel has no IPv6 there is nothing to switch off.
  (void)send(AF_INET6, [](nlmsghdr* header) {
    mnl_attr_put_u8(header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  });
  return failure;
}

int Netlink::remove_group(uint32_t group) {
  RequestBuffer buffer{};
  ifinfomsg* body = nullptr;
  nlmsghdr* header = start(buffer.data(), RTM_DELLINK, 0, &body);
  body->ifi_family = AF_UNSPEC;
  mnl_attr_put_u32(header, IFLA_GROUP, group);
  return exchange(header);
}

int Netlink::add_address(unsigned device, be32 address, uint8_t length) {
  RequestBuffer buffer{};
  nlmsghdr* header =
      address_request(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, device, address, length);
  mnl_attr_put_u32(header, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
  if (length <= 30) {  // RFC 3021: /31 has no broadcast address
    const be32 broadcast = be32::from(address.host() | (0xffffffffu >> length));
    mnl_attr_put(header, IFA_BROADCAST, 4, &broadcast.raw);
  }
  return exchange(header);
}

int Netlink::remove_address(unsigned device, be32 address, uint8_t length) {
  RequestBuffer buffer{};
  return exchange(address_request(buffer, RTM_DELADDR, 0, device, address, length));
}

int Netlink::add_route(const Route& route) {
  RequestBuffer buffer{};
  return exchange(route_request(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route));
}

int Netlink::remove_route(const Route& route) {
  RequestBuffer buffer{};
  return exchange(route_request(buffer, RTM_DELROUTE, 0, route));
}

int Netlink::add_rule(const Rule& rule) {
  RequestBuffer buffer{};
  return exchange(rule_request(buffer, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule));
}

int Netlink::remove_rule(const Rule& rule) {
  RequestBuffer buffer{};
  return exchange(rule_request(buffer, RTM_DELRULE, 0, rule));
}

std::vector<Netlink::Rule> Netlink::our_rules() {
  std::vector<Rule> rules;
  (void)dump(RTM_GETRULE, AF_INET, [&](const nlmsghdr* message) {
    Rule rule;
    uint8_t protocol = 0;
    each_attribute<fib_rule_hdr>(message, [&](const nlattr* attribute) {
      switch (mnl_attr_get_type(attribute)) {
        case FRA_TABLE:
          rule.table = mnl_attr_get_u32(attribute);
          break;
        case FRA_PRIORITY:
          rule.priority = mnl_attr_get_u32(attribute);
          break;
        case FRA_SRC:
          rule.from = address_in(attribute);
          break;
        case FRA_PROTOCOL:
          protocol = mnl_attr_get_u8(attribute);
          break;
        default:
          break;
      }
    });
    if (protocol == kProtocol) rules.push_back(rule);
  });
  return rules;
}

bool Netlink::list_addresses(std::vector<Address>& out) {
  return dump(RTM_GETADDR, AF_INET, [&](const nlmsghdr* message) {
    ifaddrmsg body;
    std::memcpy(&body, mnl_nlmsg_get_payload(message), sizeof body);
    each_attribute<ifaddrmsg>(message, [&](const nlattr* attribute) {
      if (mnl_attr_get_type(attribute) == IFA_LOCAL)
        out.push_back({body.ifa_index, address_in(attribute), body.ifa_prefixlen});
    });
  });
}

std::vector<Netlink::Device> Netlink::devices() {
  std::vector<Device> found;
  (void)dump(RTM_GETLINK, AF_UNSPEC,
             [&](const nlmsghdr* message) { found.push_back(device_in(message)); });
  return found;
}

int Netlink::find_device(unsigned device, Device& out) {
  RequestBuffer buffer{};
  ifinfomsg* body = nullptr;
  nlmsghdr* header = start(buffer.data(), RTM_GETLINK, 0, &body);
  body->ifi_family = AF_UNSPEC;
  body->ifi_index = static_cast<int>(device);
  return exchange(header, [&](const nlmsghdr* message) {
    if (message->nlmsg_type == RTM_NEWLINK) out = device_in(message);
  });
}

}  // namespace maclane
