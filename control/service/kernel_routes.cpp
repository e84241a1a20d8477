#include "control/service/kernel_routes.h"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "control/observe/log.h"
#include "control/service/netlink.h"
#include "control/service/text.h"

namespace maclane {
namespace {

constexpr size_t kBuffer = 32768;        // of one piece of a dump
constexpr unsigned kPiecesPerTurn = 64;  // the rest waits in the socket
constexpr int kSocketBytes = 4 << 20;    // so that announcements are seldom lost
constexpr uint8_t kZebraStatic = 196;    // FRR's staticd
constexpr std::array kGroups = {RTNLGRP_IPV4_ROUTE, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR};

struct Kind {
  LearnedFrom origin;
  uint8_t distance;
};

Kind kind_of(uint8_t protocol) {
  switch (protocol) {
    case RTPROT_BGP:
      return {LearnedFrom::kBgp, 20};
    case RTPROT_ZEBRA:  // FRR, where it does not say which of its daemons
    case RTPROT_BIRD:   // and BIRD, which never does
      return {LearnedFrom::kProgram, 110};
    case RTPROT_OSPF:
      return {LearnedFrom::kOspf, 110};
    case RTPROT_ISIS:
      return {LearnedFrom::kIsis, 115};
    case RTPROT_RIP:
      return {LearnedFrom::kRip, 120};
    case kZebraStatic:
    default:
      return {LearnedFrom::kProgram, 10};
  }
}

be32 address_in(const nlattr* attribute) {
  be32 address;
  if (mnl_attr_get_payload_len(attribute) >= sizeof(address.raw))
    std::memcpy(&address.raw, mnl_attr_get_payload(attribute), sizeof(address.raw));
  return address;
}

uint32_t number_in(const nlattr* attribute) {
  return mnl_attr_get_payload_len(attribute) >= sizeof(uint32_t) ? mnl_attr_get_u32(attribute) : 0;
}

/// Calls fn with each attribute between two places.
template <typename Fn>
void each_attribute(const char* from, const char* end, Fn&& fn) {
  const auto* attribute = reinterpret_cast<const nlattr*>(from);
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    fn(attribute);
    attribute = mnl_attr_next(attribute);
  }
}

/// Calls fn(device, gateway attributes' begin, end) for each next hop of an RTA_MULTIPATH.
template <typename Fn>
void each_hop(const nlattr* attribute, Fn&& fn) {
  const auto* at = static_cast<const char*>(mnl_attr_get_payload(attribute));
  const char* const end = at + mnl_attr_get_payload_len(attribute);
  while (static_cast<size_t>(end - at) >= sizeof(rtnexthop)) {
    rtnexthop hop;
    std::memcpy(&hop, at, sizeof(hop));
    if (hop.rtnh_len < sizeof(hop) || at + hop.rtnh_len > end) return;
    fn(static_cast<unsigned>(hop.rtnh_ifindex), at + sizeof(hop), at + hop.rtnh_len);
    const size_t step = RTNH_ALIGN(hop.rtnh_len);
    if (step >= static_cast<size_t>(end - at)) return;
    at += step;
  }
}

}  // namespace

KernelRoutes::~KernelRoutes() {
  if (socket_ != nullptr) mnl_socket_close(socket_);
}

int KernelRoutes::open(bool shared) {
  shared_ = shared;
  socket_ = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket_ == nullptr) return errno;
  const int fd = mnl_socket_get_fd(socket_);
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBytes, sizeof kSocketBytes);
  if (mnl_socket_bind(socket_, 0, MNL_SOCKET_AUTOPID) < 0) return errno;
  for (const int group : kGroups) {
    int number = group;
    if (mnl_socket_setsockopt(socket_, NETLINK_ADD_MEMBERSHIP, &number, sizeof number) < 0)
      return errno;
  }
  start_dump();
  return 0;
}

int KernelRoutes::fd() const {
  return socket_ == nullptr ? -1 : mnl_socket_get_fd(socket_);
}

void KernelRoutes::start_dump() {
  again_ms_ = UINT64_MAX;
  refused_ = false;
  std::array<char, 64> buffer{};
  nlmsghdr* const header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = RTM_GETROUTE;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header->nlmsg_seq = ++dump_;
  static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)))->rtm_family = AF_INET;
  dumping_ = mnl_socket_sendto(socket_, header, header->nlmsg_len) > 0;
  if (!dumping_) again_ms_ = 0;  // at the next turn
}

void KernelRoutes::ask_again(uint64_t now_ms) {
  if (again_ms_ == UINT64_MAX) again_ms_ = now_ms + kAgainMs;
}

void KernelRoutes::note(uint64_t now_ms) {
  last_ms_ = now_ms | 1;
  if (first_ms_ == 0) first_ms_ = last_ms_;
}

void KernelRoutes::tick(uint64_t now_ms) {
  if (socket_ != nullptr && now_ms >= again_ms_ && !dumping_) start_dump();
}

bool KernelRoutes::changed(uint64_t now_ms) {
  if (first_ms_ == 0 || dumping_) return false;
  if (now_ms < last_ms_ + kQuietMs && now_ms < first_ms_ + kLongestMs) return false;
  first_ms_ = 0;
  return true;
}

void KernelRoutes::handle(uint64_t now_ms) {
  std::vector<char> buffer(kBuffer);
  for (unsigned piece = 0; piece < kPiecesPerTurn; ++piece) {
    const ssize_t n = mnl_socket_recvfrom(socket_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {  // some announcements are lost
      ask_again(now_ms);
      if (device_changed_) device_changed_(0, true);
      continue;
    }
    if (n <= 0) return;
    hear({buffer.data(), static_cast<size_t>(n)}, now_ms);
  }
}

void KernelRoutes::hear(std::span<const char> messages, uint64_t now_ms) {
  auto left = static_cast<int>(messages.size());
  const auto* message = reinterpret_cast<const nlmsghdr*>(messages.data());
  // libmnl takes a length beyond 2^31 for a negative one, which fits everywhere.
  const auto whole = [&] {
    return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= static_cast<uint32_t>(left);
  };
  for (; whole(); message = mnl_nlmsg_next(message, &left)) {
    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) ask_again(now_ms);
    switch (message->nlmsg_type) {
      case NLMSG_DONE:
        if (message->nlmsg_seq == dump_) end_dump(now_ms);
        break;
      case NLMSG_ERROR:
        dumping_ = false;
        ask_again(now_ms);
        break;
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        take(message, now_ms);
        break;
      case RTM_NEWLINK:
      case RTM_DELLINK:
      case RTM_DELADDR:
        if (!routes_.empty()) ask_again(now_ms);  // some may be gone without a word
        say_device(message);
        break;
      default:
        break;
    }
  }
}

void KernelRoutes::say_device(const nlmsghdr* message) const {
  if (!device_changed_) return;
  const void* const body = mnl_nlmsg_get_payload(message);
  if (message->nlmsg_type == RTM_DELADDR) {
    ifaddrmsg address;
    if (message->nlmsg_len < mnl_nlmsg_size(sizeof address)) return;
    std::memcpy(&address, body, sizeof address);
    device_changed_(address.ifa_index, true);
  } else {
    ifinfomsg link;
    if (message->nlmsg_len < mnl_nlmsg_size(sizeof link)) return;
    std::memcpy(&link, body, sizeof link);
    const bool down = message->nlmsg_type == RTM_DELLINK || (link.ifi_flags & IFF_UP) == 0;
    device_changed_(static_cast<unsigned>(link.ifi_index), down);
  }
}

void KernelRoutes::end_dump(uint64_t now_ms) {
  dumping_ = false;
  for (auto it = routes_.begin(); it != routes_.end();) {
    const auto one = it++;
    if (one->second.dump != dump_) forget(one, now_ms);
  }
  if (!refused_) told_ = false;
}

void KernelRoutes::take(const nlmsghdr* message, uint64_t now_ms) {
  if (message->nlmsg_len < mnl_nlmsg_size(sizeof(rtmsg))) return;
  rtmsg body;
  std::memcpy(&body, mnl_nlmsg_get_payload(message), sizeof body);
  if (body.rtm_family != AF_INET || (body.rtm_flags & RTM_F_CLONED) != 0 || body.rtm_dst_len > 32 ||
      body.rtm_tos != 0)
    return;
  Route route;
  route.protocol = body.rtm_protocol;
  uint32_t table = body.rtm_table, destination = 0, metric = 0;
  Way single;
  bool usable = true;
  const auto hop_attribute = [&](const nlattr* attribute, Way& way) {
    if (mnl_attr_get_type(attribute) == RTA_GATEWAY) way.gateway = address_in(attribute).host();
    if (mnl_attr_get_type(attribute) == RTA_VIA) usable = false;
  };
  const auto* const from =
      static_cast<const char*>(mnl_nlmsg_get_payload_offset(message, sizeof(rtmsg)));
  each_attribute(
      from, static_cast<const char*>(mnl_nlmsg_get_payload_tail(message)),
      [&](const nlattr* attribute) {
        switch (mnl_attr_get_type(attribute)) {
          case RTA_TABLE:
            table = number_in(attribute);
            break;
          case RTA_DST:
            destination = address_in(attribute).host();
            break;
          case RTA_PRIORITY:
            metric = number_in(attribute);
            break;
          case RTA_PREFSRC:
            route.source = address_in(attribute).host();
            break;
          case RTA_OIF:
            single.device = number_in(attribute);
            break;
          case RTA_MULTIPATH:
            each_hop(attribute, [&](unsigned device, const char* begin, const char* end) {
              Way way{0, device};
              each_attribute(begin, end, [&](const nlattr* a) { hop_attribute(a, way); });
              route.ways.push_back(way);
            });
            break;
          default:
            hop_attribute(attribute, single);
            break;
        }
      });
  const bool wanted = table == RT_TABLE_MAIN && body.rtm_protocol != RTPROT_KERNEL &&
                      body.rtm_protocol != RTPROT_REDIRECT &&
                      body.rtm_protocol != Netlink::kProtocol;
  if (!wanted) return;
  if (single.device != 0 && route.ways.empty()) route.ways.push_back(single);
  using Type = LearnedRoute::Type;
  switch (body.rtm_type) {
    case RTN_UNICAST:
      usable = usable && !route.ways.empty();
      break;
    case RTN_BLACKHOLE:
      route.type = Type::kBlackhole;
      break;
    case RTN_UNREACHABLE:
      route.type = Type::kUnreachable;
      break;
    case RTN_PROHIBIT:
      route.type = Type::kProhibit;
      break;
    default:
      usable = false;
      break;
  }
  if (route.type != Type::kUnicast) {
    route.ways.clear();
    usable = !shared_;
  }
  const Key key{destination, body.rtm_dst_len, metric};
  if (message->nlmsg_type == RTM_NEWROUTE && usable) return put(key, std::move(route), now_ms);
  const auto found = routes_.find(key);
  // One of several of the same key may have gone (`ip route append`): the dump says what is left.
  if (found != routes_.end() && message->nlmsg_type == RTM_DELROUTE &&
      !(found->second.route == route)) {
    ask_again(now_ms);
  }
  if (found != routes_.end()) forget(found, now_ms);
}

void KernelRoutes::put(const Key& key, Route route, uint64_t now_ms) {
  const auto [found, fresh] = routes_.try_emplace(key);
  const bool is_long = std::get<1>(key) > 24;
  if (fresh && (routes_.size() > kMost || (is_long && long_ == kMostLong))) {
    routes_.erase(found);
    refused_ = true;
    if (!std::exchange(told_, true)) {
      log::write(log::Level::kWarning, "route,warning",
                 "programs have more routes than the router takes from them ({}, of them {} longer "
                 "than /24): the rest is not used",
                 kMost, kMostLong);
    }
    return;
  }
  if (fresh && is_long) ++long_;
  found->second.dump = dump_;
  if (!fresh && found->second.route == route) return;
  found->second.route = std::move(route);
  note(now_ms);
}

void KernelRoutes::forget(std::map<Key, Kept>::iterator which, uint64_t now_ms) {
  if (std::get<1>(which->first) > 24) --long_;
  routes_.erase(which);
  if (refused_) ask_again(now_ms);  // there is room for what had none
  note(now_ms);
}

void KernelRoutes::add_learned(Learned& learned,
                               const std::function<std::string(unsigned)>& name) const {
  uint64_t last = UINT64_MAX;
  std::map<unsigned, std::string> names;
  for (const auto& [key, kept] : routes_) {
    const auto& [destination, length, metric] = key;
    const uint64_t prefix = uint64_t{destination} << 8 | length;
    if (prefix == last) continue;  // one with a lower metric stands
    const Route& route = kept.route;
    const Kind kind = kind_of(route.protocol);
    LearnedRoute one{destination,  length,      {}, kind.distance,
                     route.source, kind.origin, {}, GatewayProof::kNone,
                     route.type};
    if (route.type != LearnedRoute::Type::kUnicast) {
      learned.routes.push_back(std::move(one));
      last = prefix;
      continue;
    }
    bool ours = true;
    for (const Way& way : route.ways) {
      const auto [known, fresh] = names.try_emplace(way.device);
      if (fresh) known->second = name(way.device);
      ours = ours && !known->second.empty();
    }
    if (!ours) continue;
    last = prefix;
    for (const Way& way : route.ways) {
      const std::string& interface = names[way.device];
      one.gateway =
          way.gateway == 0 ? interface : fmt::format("{}%{}", text_of(be32::from(way.gateway)), interface);
      learned.routes.push_back(one);
    }
  }
}

}  // namespace maclane
