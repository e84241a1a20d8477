// Routes that others put into the kernel of the host plane's namespace: routing daemons such as FRR
// and BIRD, and people with `ip route`. They become the router's: dynamic rows of /ip/route, which
// go when the kernel's go. Control thread.
//
// What counts: IPv4 routes of the main table whose next hops are all behind the router's own
// devices, or that refuse (blackhole and its like). Not the kernel's own ones, and not ours, which
// are in another table (host_plane.h). Of one destination the one with the lowest metric, as the
// kernel has it; the metric says no more than that. The distance is that of the protocol which the
// route says it is from, with RouterOS's values: bgp 20, ospf 110, is-is 115, rip 120; of others'
// and `ip route`'s 10, behind what is configured and before what is learned. Next hops that are
// IPv6 (RFC 8950) cannot be used, and neither can a route that has one.
//
// How: rtnetlink's announcements, after a dump. The kernel does not announce routes that go with
// their device or address: when one of these changes, or announcements were lost, everything is
// dumped again. News are passed on once they have been quiet for kQuietMs, or kLongestMs after the
// first, so that a table of thousands costs few snapshots. At most kMost routes are taken, of them
// kMostLong longer than /24, which the FIB has less room for; the log says when there are more.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "control/service/learned.h"

struct mnl_socket;
struct nlmsghdr;

namespace maclane {

class KernelRoutes {
 public:
  static constexpr size_t kMost = 100'000, kMostLong = 16'384;
  static constexpr uint64_t kQuietMs = 50, kLongestMs = 500, kAgainMs = 250;

  KernelRoutes() = default;
  KernelRoutes(const KernelRoutes&) = delete;
  KernelRoutes& operator=(const KernelRoutes&) = delete;
  ~KernelRoutes();

  /// In the calling thread's namespace; 0 or an errno. `shared`: it is the host's own, and routes
  /// that lead to none of our devices are not ours to follow.
  [[nodiscard]] int open(bool shared);
  [[nodiscard]] int fd() const;
  void handle(uint64_t now_ms);
  /// What the kernel said, a message behind another.
  void hear(std::span<const char> messages, uint64_t now_ms);
  void tick(uint64_t now_ms);
  /// Is told of each device that was changed or removed, or lost an address, and whether the kernel
  /// took routes with that; of device 0 when announcements were lost, and it may have been any.
  using DeviceChanged = std::function<void(unsigned device, bool routes_lost)>;
  void on_device(DeviceChanged changed) { device_changed_ = std::move(changed); }

  /// True once after news: the snapshot is to be made again.
  [[nodiscard]] bool changed(uint64_t now_ms);
  /// name: of the interface that a device number belongs to; empty: it is none of the router's.
  void add_learned(Learned& learned, const std::function<std::string(unsigned)>& name) const;
  [[nodiscard]] size_t size() const { return routes_.size(); }

 private:
  struct Way {
    uint32_t gateway = 0;  // 0: on the device itself
    unsigned device = 0;
    friend bool operator==(const Way&, const Way&) = default;
  };
  struct Route {
    LearnedRoute::Type type = LearnedRoute::Type::kUnicast;
    uint8_t protocol = 0;
    uint32_t source = 0;
    std::vector<Way> ways;
    friend bool operator==(const Route&, const Route&) = default;
  };
  struct Kept {
    Route route;
    uint32_t dump = 0;  // the last that had it
  };
  using Key = std::tuple<uint32_t, uint8_t, uint32_t>;  // destination, length, metric

  void take(const nlmsghdr* message, uint64_t now_ms);
  void put(const Key& key, Route route, uint64_t now_ms);
  void forget(std::map<Key, Kept>::iterator which, uint64_t now_ms);
  void end_dump(uint64_t now_ms);
  void start_dump();
  void ask_again(uint64_t now_ms);
  void note(uint64_t now_ms);
  void say_device(const nlmsghdr* message) const;

  DeviceChanged device_changed_;
  mnl_socket* socket_ = nullptr;
  bool shared_ = false;
  std::map<Key, Kept> routes_;
  size_t long_ = 0;       // of them longer than /24
  bool refused_ = false;  // some had no room
  bool told_ = false;     // and the log says so
  uint32_t dump_ = 0;
  bool dumping_ = false;
  uint64_t again_ms_ = UINT64_MAX;       // when to dump again
  uint64_t first_ms_ = 0, last_ms_ = 0;  // of the news; 0: none
};

}  // namespace maclane
