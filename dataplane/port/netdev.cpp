#include "dataplane/port/netdev.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace maclane {
namespace {

/// One RTM_NEWLINK request with its attributes.
struct LinkRequest {
  struct {
    nlmsghdr header;
    ifinfomsg info;
    uint8_t attributes[256];
  } message = {};

  explicit LinkRequest(unsigned index) {
    message.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifinfomsg));
    message.header.nlmsg_type = RTM_NEWLINK;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    message.header.nlmsg_seq = 1;
    message.info.ifi_family = AF_UNSPEC;
    message.info.ifi_index = static_cast<int>(index);
  }

  /// A name is at most 15 bytes, so that all four attributes always fit.
  void add(uint16_t type, const void* data, size_t size) {
    auto* attribute = reinterpret_cast<rtattr*>(reinterpret_cast<uint8_t*>(&message) +
                                                NLMSG_ALIGN(message.header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
    std::memcpy(RTA_DATA(attribute), data, size);
    message.header.nlmsg_len = NLMSG_ALIGN(message.header.nlmsg_len) +
                               static_cast<uint32_t>(RTA_ALIGN(attribute->rta_len));
  }
};

/// 0, or the kernel's errno.
int exchange(const LinkRequest& request) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return errno;
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  int result = 0;
  ssize_t n = 0;
  // net_tap's realtime signals interrupt whatever waits.
  do {
    n = sendto(fd, &request.message, request.message.header.nlmsg_len, 0,
               reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel));
  } while (n < 0 && errno == EINTR);
  if (n < 0) result = errno;
  if (result == 0) {
    alignas(nlmsghdr) uint8_t reply[4096];
    do {
      n = recv(fd, reply, sizeof(reply), 0);
    } while (n < 0 && errno == EINTR);
    const auto* header = reinterpret_cast<const nlmsghdr*>(reply);
    if (n < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)))) {
      result = n < 0 ? errno : EPROTO;
    } else if (header->nlmsg_type == NLMSG_ERROR) {
      result = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
    }
  }
  close(fd);
  return result;
}

}  // namespace

unsigned netdev_index(const std::string& name) {
  return if_nametoindex(name.c_str());
}

bool netdev_change(unsigned index, const NetdevChange& change, std::string* error) {
  LinkRequest request(index);
  if (change.netns_fd >= 0) request.add(IFLA_NET_NS_FD, &change.netns_fd, sizeof(int));
  if (!change.name.empty() && change.name.size() < IFNAMSIZ) {
    request.add(IFLA_IFNAME, change.name.c_str(), change.name.size() + 1);
  }
  if (change.mac != nullptr) request.add(IFLA_ADDRESS, change.mac->bytes.data(), 6);
  if (change.mtu != 0) {
    const uint32_t mtu = change.mtu;
    request.add(IFLA_MTU, &mtu, sizeof(mtu));
  }
  if (change.up) {
    request.message.info.ifi_flags = IFF_UP;
    request.message.info.ifi_change = IFF_UP;
  }
  const int failure = exchange(request);
  if (failure == 0) return true;
  const std::string what = change.name.empty() ? "device " + std::to_string(index) : change.name;
  *error = failure == EEXIST
               ? "an interface named " + what +
                     " exists in that namespace already; choose another "
                     "name or remove it (ip link)"
               : "the kernel refuses to set up " + what + ": " + std::strerror(failure);
  return false;
}

int netns_open(const std::string& netns, std::string* error) {
  const bool path = netns.find('/') != std::string::npos;
  const std::string file = path ? netns : "/run/netns/" + netns;
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    *error = "network namespace " + netns + " (" + file + "): " + std::strerror(errno) +
             (path ? "" : "; do: ip netns add " + netns);
  }
  return fd;
}

}  // namespace maclane
