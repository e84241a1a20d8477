// The taps: which there are, and what goes through them. How one is made and set is in
// host_taps.cpp, routes and rules are in host_routes.cpp.
#include "control/service/host_plane.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "control/observe/log.h"
#include "control/service/host_frame.h"
#include "control/service/packet_build.h"

namespace maclane {
namespace {

constexpr const char* kOwnNamespace = "maclane";
constexpr size_t kLongestFrame = 65535 + sizeof(EtherHdr);
constexpr unsigned kFramesPerTap = 32;  // in one go, so that the others have their turn
// Senders whose MAC is not known stand behind this one.
const MacAddr kSomebody{{0x02, 'm', 'l', 'a', 'n', 0}};

constexpr uint16_t kDnsPort = 53;

/// A tap is a descriptor: thousands of interfaces take more than the usual limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

HostPlane::HostPlane(PacketIo& io, const AddressBook& book, Membership& membership,
                     InterfaceName name)
    : io_(io),
      book_(book),
      membership_(membership),
      name_(std::move(name)),
      frame_(kLongestFrame) {}

HostPlane::~HostPlane() {
  if (!is_open()) return;
  for (const Netlink::Rule& rule : rules_) (void)netlink_->remove_rule(rule);
  (void)netlink_->remove_group(group_);
  for (const auto& [interface, tap] : taps_) {
    if (tap.fd >= 0) close(tap.fd);
  }
  close(epoll_);
}

Status HostPlane::open(const std::string& where) {
  if (where == "no") return {};
  const bool own = in_own_netns();
  if (where == "yes" || (where == "auto" && own)) {
    shared_ = !own;
  } else {
    Result<Netns> opened = Netns::open(where == "auto" ? kOwnNamespace : where);
    if (!opened) return tl::make_unexpected(opened.error());
    netns_ = std::move(*opened);
  }
  raise_descriptor_limit();
  group_ = 0x40000000u | static_cast<uint32_t>(getpid()) << 1;
  auto netlink = std::make_unique<Netlink>();
  {
    const Netns::Scope scope = enter();
    if (const int failure = netlink->open(); failure != 0)
      return fail(fmt::format("no rtnetlink socket: {}", std::strerror(failure)));
    const unsigned lo = Netlink::index_of("lo");
    if (lo != 0 && !shared_) (void)netlink->change_link(lo, {.up = true});
  }
  netlink_ = std::move(netlink);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fail(fmt::format("no epoll descriptor: {}", std::strerror(errno)));
  follow_routes();
  share();
  return {};
}

void HostPlane::on_config(const ServiceConfig& config) {
  if (!is_open()) return;
  refuse_dns_ = !config.serves_dns;
  want_taps(config);
  want_routes(config);
  want_rules();
  tick();
}

void HostPlane::want_taps(const ServiceConfig& config) {
  const Snapshot& snapshot = io_.snapshot();
  std::map<IfIndex, std::vector<InterfaceAddress>> wanted;
  for (const InterfaceAddress& address : config.addresses) {
    if (address.interface >= snapshot.interfaces.size()) continue;
    const Interface& interface = snapshot.interfaces[address.interface];
    if (interface.kind != IfKind::kNone && !interface.attached)
      wanted[address.interface].push_back(address);
  }
  std::vector<IfIndex> gone;
  for (auto& [interface, tap] : taps_) {
    const std::string name = name_(interface);
    if (!wanted.contains(interface) || (tap.name != name && !rename(tap, name)))
      gone.push_back(interface);
  }
  remove(gone);
  for (auto& [index, addresses] : wanted) {
    const Interface& interface = snapshot.interfaces[index];
    const auto [found, fresh] = taps_.try_emplace(index);
    Tap& tap = found->second;
    if (fresh) {
      tap.name = name_(index);
      tap.since_ms = io_.now_ms();
    }
    if (!fresh && tap.mac == interface.mac && tap.mtu == interface.mtu &&
        tap.running == interface.up && tap.wanted == addresses) {
      continue;
    }
    tap.mac = interface.mac;
    tap.mtu = interface.mtu;
    tap.running = interface.up;
    tap.wanted = std::move(addresses);
    tap.dirty = true;
    tap.retry_ms = 0;
    ++waiting_;
  }
}

void HostPlane::remove(const std::vector<IfIndex>& gone) {
  size_t devices = 0;
  for (const IfIndex interface : gone) devices += taps_.at(interface).fd >= 0 ? 1 : 0;
  // Each by itself takes the kernel some twenty milliseconds, all at once little more.
  if (devices > 1) {
    for (const IfIndex interface : gone) {
      const Tap& tap = taps_.at(interface);
      if (tap.fd >= 0) (void)netlink_->change_link(tap.index, {.group = group_ + 1});
    }
    (void)netlink_->remove_group(group_ + 1);
  }
  for (const IfIndex interface : gone) {
    const Tap& tap = taps_.at(interface);
    if (tap.fd >= 0) close(tap.fd);
    forget_routes(tap.index);
    taps_.erase(interface);
  }
  routes_dirty_ |= !gone.empty();
}

void HostPlane::tick() {
  if (!is_open()) return;
  const uint64_t now = io_.now_ms();
  kernel_routes_.tick(now);
  if (!touched_.empty() && now >= look_ms_) look_at_devices();
  if (waiting_ != 0) {
    unsigned turns = kTapsPerTurn;
    waiting_ = 0;
    for (auto& [interface, tap] : taps_) {
      if (!tap.dirty) continue;
      if (turns == 0 || now < tap.retry_ms) {
        ++waiting_;
        continue;
      }
      --turns;
      if (tap.fd < 0 && !make(interface, tap)) {
        ++waiting_;
        continue;
      }
      settle(tap);
    }
  }
  if (routes_dirty_) settle_routes();
}

HostPlane::Tap* HostPlane::tap_for(be32 destination, IfIndex in_if, bool broadcast) {
  const auto usable = [&](IfIndex interface) -> Tap* {
    const auto found = taps_.find(interface);
    return found != taps_.end() && found->second.fd >= 0 ? &found->second : nullptr;
  };
  if (Tap* tap = usable(in_if); tap != nullptr || broadcast) return tap;
  for (const InterfaceAddress& row : book_.owners(destination)) {
    if (Tap* tap = usable(row.interface); tap != nullptr) return tap;
  }
  return nullptr;
}

bool HostPlane::deliver(std::span<const uint8_t> packet, IfIndex in_if, bool broadcast) {
  Ip4Hdr ip;
  if (!is_open() || !read_ip4(packet, ip)) return false;
  const auto group = group_mac(ip.dst, book_.broadcast(ip.dst));
  Tap* tap = tap_for(ip.dst, in_if, broadcast || group.has_value());
  if (tap == nullptr || (!group && !book_.owns(ip.dst))) return false;
  const Neighbour sender = io_.neighbours().find(in_if, ip.src);
  EtherHdr ether{group.value_or(tap->mac), sender.mac.is_zero() ? kSomebody : sender.mac,
                 be16::from(kEtherIp4)};
  const std::array<iovec, 2> parts = {iovec{&ether, sizeof ether},
                                      iovec{const_cast<uint8_t*>(packet.data()), packet.size()}};
  ssize_t n = 0;
  do {
    n = writev(tap->fd, parts.data(), parts.size());
  } while (n < 0 && errno == EINTR);
  ++(n < 0 ? tap->lost : tap->to_host);
  return true;
}

void HostPlane::handle() {
  if (!is_open()) return;
  std::array<epoll_event, 64> events;
  const int n = epoll_wait(epoll_, events.data(), events.size(), 0);
  unsigned frames = 0;
  for (int i = 0; i < n; ++i) {
    const auto interface = static_cast<IfIndex>(events[static_cast<size_t>(i)].data.u32);
    if (interface == kNoIf) {
      kernel_routes_.handle(io_.now_ms());
      continue;
    }
    for (unsigned k = 0; k < kFramesPerTap && frames < kFramesPerTurn; ++k) {
      const auto found = taps_.find(interface);
      if (found == taps_.end() || found->second.fd < 0) break;
      const ssize_t length = read(found->second.fd, frame_.data(), frame_.size());
      if (length < 0 && errno == EINTR) continue;
      if (length < 0 && errno == EBADFD) lose(found->second);
      if (length <= 0) break;
      ++frames;
      take(interface, found->second, {frame_.data(), static_cast<size_t>(length)});
    }
  }
}

void HostPlane::take(IfIndex interface, Tap& tap, std::span<const uint8_t> frame) {
  const auto packet = packet_in(frame);
  Ip4Hdr ip;
  if (packet.empty() || !read_ip4(packet, ip) || !book_.owns(ip.src)) {
    ++tap.refused;
    return;
  }
  if (refuse_dns_ && refuses_port(packet, kDnsPort)) return;  // C-30: silence, not a refusal
  if (before_names_ && is_from_port(packet, kDnsPort)) before_names_();
  ++tap.from_host;
  if (ip.proto == kProtoIgmp) membership_.hear(interface, frame);
  rte_mbuf* m = make_packet(io_, packet);
  if (m == nullptr) {
    ++tap.lost;
    return;
  }
  // A group has no route: it leaves where the program sent it.
  const bool group = group_mac(ip.dst, book_.broadcast(ip.dst)).has_value();
  message_of(m).kind = group ? InjectKind::kIpGroup : InjectKind::kIpOutput;
  if (group) message_of(m).out_if = interface;
  io_.inject(m);
}

std::vector<HostRow> HostPlane::rows() const {
  std::vector<HostRow> rows;
  for (const auto& [interface, tap] : taps_) {
    HostRow row{interface, tap.device, {}, tap.to_host, tap.from_host, tap.lost, tap.refused};
    if (tap.fd < 0) {
      row.device.clear();
      row.state = tap.problem.empty() ? "waiting" : tap.problem;
    } else {
      row.state = tap.running ? "running" : "no-carrier";
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace maclane
