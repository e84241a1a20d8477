// The host plane: the router as Linux programs see it. Every routed interface with an address has a
// tap device of its name, MAC and MTU in a network namespace, with its addresses. Packets for the
// router that control does not answer itself go there after the input chain; what Linux sends from
// there goes through the output chain, our routes and NAT, and out. So sshd, nginx, chrony, FRR,
// and our own doors and DNS, are reached at the router's addresses. Control thread.
//
// Where (`dataplane: host-plane`):
//   auto   in the namespace maclane runs in, if somebody made that for it (a name of `ip netns`, or
//          not that of process 1); else in one of its own named "maclane". So a host that has its
//          own networking is left alone, and a lab or a unit with its own namespace needs no
//          setting.
//   yes    in the namespace maclane runs in, whatever that is. In the host's own it is shared: see
//          below.
//   NAME   in the namespace of that name or path; a name nobody has is made.
//   no     nowhere: the router answers pings and refuses the rest.
//
// Kernel routing. Linux only has to choose a tap and a source address: which way a packet takes,
// and which MAC it goes to, is decided by our dataplane when it comes out of the tap (behaviour.md
// among equal ways the interface that owns the source). The active routes of the main table
// are mirrored into table 28012 by device and preferred source, asked after the kernel's own tables
// (rule 32770), so that whatever routes others put there go first. Addresses bring no routes of
// their own. Taps are NOARP: the kernel asks and answers nothing. In a namespace shared with the
// host each address also has a rule 10900 "from ADDRESS", so that the host's routes do not catch
// answers. Routes and rules carry protocol 109; rules that a killed process left are removed at
// start, all else goes with the taps.
//
// The other way, what routes others put into that main table are the router's: kernel_routes.h.
//
// Names: host_frame.h. A device that is there already is never touched: a tap that cannot have its
// name waits three seconds (a killed predecessor's devices go one by one) and then takes the other
// one, with a line in the log. An interface that is renamed takes its device along.
//
// What somebody does to our devices is put right within a second, with a line in the log: one that
// was removed or taken to another namespace is made anew; name, MAC, MTU, up state and addresses
// are set again. Addresses that others add stay. Whoever does it again and again is followed ever
// more slowly, down to once in ten seconds.
//
// Not bridged: only IPv4 with a source that is the router's. ARP, IPv6 and raw protocols that
// programs send are dropped. Group and broadcast packets leave by the tap they came from; groups
// that programs join (IGMP) are heard on macvlans too.
//
// Bounds: so many taps are made, and so many frames taken, in one turn of the control loop; what
// the kernel has more waits in the tap's queue. What goes in is bounded by the punt ring.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "control/service/address_book.h"
#include "control/service/kernel_routes.h"
#include "control/service/membership.h"
#include "control/service/netlink.h"
#include "control/service/netns.h"
#include "control/service/packet_io.h"

namespace maclane {

struct HostRow {
  IfIndex interface = kNoIf;
  std::string device;  // "" while there is none
  std::string state;   // "running", "no-carrier", "waiting", or why there is none
  uint64_t to_host = 0, from_host = 0;
  uint64_t lost = 0;     // the kernel would not take them
  uint64_t refused = 0;  // from programs: not IPv4, or with a source that is not the router's
};

class HostPlane {
 public:
  static constexpr uint32_t kTable = 28012;
  static constexpr uint32_t kLastPriority = 32770, kFromPriority = 10900;
  static constexpr uint32_t kMetric = 100;
  static constexpr size_t kMostRoutes = 4096;  // beyond, only the shorter ones are mirrored
  static constexpr unsigned kTapsPerTurn = 32, kRoutesPerTurn = 256, kFramesPerTurn = 256;
  static constexpr uint64_t kNameMs = 3000, kRetryMs = 1000;
  static constexpr uint64_t kLookMs = 250;  // from a change of a device to the look at it
  static constexpr uint64_t kMostPauseMs = 10'000, kCalmMs = 20'000;

  HostPlane(PacketIo& io, const AddressBook& book, Membership& membership, InterfaceName name);
  ~HostPlane();
  HostPlane(const HostPlane&) = delete;
  HostPlane& operator=(const HostPlane&) = delete;

  /// `where` as configured. A failure is a sentence; the router does without then.
  Status open(const std::string& where);
  [[nodiscard]] bool is_open() const { return epoll_ >= 0; }
  /// For sockets that shall stand at the router's addresses. Without a host plane: where we are.
  [[nodiscard]] Netns::Scope enter() const { return netns_.enter(); }
  [[nodiscard]] const Netns& netns() const { return netns_; }
  /// The namespace is the host's own: addresses there are not all the router's.
  [[nodiscard]] bool is_shared() const { return shared_; }

  /// After each publish, when the address book is set.
  void on_config(const ServiceConfig& config);
  /// A packet for the router. False: no program can have it here.
  bool deliver(std::span<const uint8_t> packet, IfIndex in_if, bool broadcast);
  /// Called before an answer of the name server goes out.
  void before_names(std::function<void()> look) { before_names_ = std::move(look); }
  void tick();
  /// Becomes readable when a program has sent something; -1: never.
  [[nodiscard]] int fd() const { return epoll_; }
  void handle();

  /// True once after programs changed their routes: the snapshot is to be made again.
  [[nodiscard]] bool changed() { return is_open() && kernel_routes_.changed(io_.now_ms()); }
  void add_learned(Learned& learned) const;

  [[nodiscard]] std::vector<HostRow> rows() const;

 private:
  struct Tap {
    std::string name;  // the interface's
    std::string device;
    unsigned index = 0;
    int fd = -1;
    MacAddr mac;
    uint16_t mtu = 0;
    bool running = false;
    std::vector<InterfaceAddress> wanted, have;
    bool dirty = true;
    std::string problem;
    uint64_t since_ms = 0, retry_ms = 0;
    uint64_t pause_ms = 0, calm_ms = 0;  // of mending, and until when it counts as the same trouble
    uint64_t to_host = 0, from_host = 0, lost = 0, refused = 0;
  };

  void share();
  void follow_routes();
  void want_taps(const ServiceConfig& config);
  void want_routes(const ServiceConfig& config);
  void want_rules();
  void remove(const std::vector<IfIndex>& gone);
  /// False: later.
  bool make(IfIndex interface, Tap& tap);
  /// The device goes on under the interface's new name, with what programs have open on it. False:
  /// it cannot have that name.
  bool rename(Tap& tap, const std::string& name);
  [[nodiscard]] int create_device(const std::string& device, int* failure) const;
  void settle(Tap& tap);
  void settle_addresses(Tap& tap);
  /// A device may not be as it was left; 0: any of them.
  void touch(unsigned device);
  void look_at_devices();
  using Standing = std::set<std::tuple<unsigned, uint32_t, uint8_t>>;  // addresses of devices
  void mend(Tap& tap, const Netlink::Device& found, const Standing& standing);
  void lose(Tap& tap);
  void settle_later(Tap& tap);
  /// Those that went with a device.
  void forget_routes(unsigned device);
  /// Those that the kernel may have taken from a device that stays; 0: from any.
  void put_again(unsigned device);
  void settle_routes();
  void take(IfIndex interface, Tap& tap, std::span<const uint8_t> frame);
  [[nodiscard]] Tap* tap_for(be32 destination, IfIndex in_if, bool broadcast);

  PacketIo& io_;
  const AddressBook& book_;
  Membership& membership_;
  InterfaceName name_;
  Netns netns_;
  bool shared_ = false;
  int epoll_ = -1;
  uint32_t group_ = 0;  // of our devices, and of those that are leaving: one more
  std::unique_ptr<Netlink> netlink_;
  KernelRoutes kernel_routes_;
  std::map<IfIndex, Tap> taps_;
  size_t waiting_ = 0;          // taps to be made or settled, at most
  std::set<unsigned> touched_;  // devices to be looked at
  uint64_t look_ms_ = 0;        // when
  using RouteKey = uint64_t;    // by address, then length
  static RouteKey key_of(const HostRoute& route) {
    return RouteKey{route.dst.host()} << 6 | route.length;
  }
  std::vector<HostRoute> routes_wanted_;  // sorted by key, each once
  std::map<RouteKey, Netlink::Route> routes_;
  std::set<RouteKey> routes_again_;
  bool routes_dirty_ = false, routes_refused_ = false;
  std::vector<Netlink::Rule> rules_;
  bool refuse_dns_ = true;
  std::function<void()> before_names_;
  std::vector<uint8_t> frame_;
};

}  // namespace maclane
