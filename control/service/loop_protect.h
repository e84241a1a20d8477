// Loop protect (behaviour.md A3): a frame that an interface sent and that comes back from a wire
// says that the wires make a loop. Control thread.
//
// What is not documented anywhere, and chosen here: frames go to ff:ff:ff:ff:ff:ff, which
// every switch floods, come from the interface's MAC and carry 46 bytes: "maclane" and zeros. What
// counts of a received frame is its EtherType and source MAC alone, so that RouterOS's own frames
// would do as well; whoever forges one with an interface's MAC can bring that interface down, which
// is so with every loop detection of this kind.
//
// The receiving interface goes down: of a frame to one MAC the interface that has it; of a
// broadcast the interface that the wire belongs to, if it has loop protect on (what stands on it
// goes down with it), else those of its macvlans that have. Only frames from the wire come here, so
// that siblings never take each other's frames for a loop.
//
// Being down is learned state: changed() asks for a new snapshot, held() says who is down in it.
#pragma once

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "control/service/config.h"
#include "control/service/packet_io.h"

namespace maclane {

class LoopProtect {
 public:
  LoopProtect(PacketIo& io, InterfaceName name) : io_(io), name_(std::move(name)) {}

  /// After each publish. A changed interface is given another try.
  void on_config(const ServiceConfig& config);
  /// A kLoopProtect punt; takes the packet.
  void handle(rte_mbuf* packet);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const;

  /// True once after interfaces went down or came back: the snapshot is to be made again.
  [[nodiscard]] bool changed() { return std::exchange(changed_, false); }
  [[nodiscard]] bool held(IfIndex interface) const;
  [[nodiscard]] std::vector<IfIndex> all_held() const;
  /// "off", "on" or "disabled".
  [[nodiscard]] std::string_view status(IfIndex interface) const;

 private:
  struct Port {
    LoopProtectConfig config;
    bool held = false;
    uint64_t next_send_ms = 0;
    uint64_t release_ms = kNever;
  };
  [[nodiscard]] const Interface* running(IfIndex interface) const;
  [[nodiscard]] IfIndex origin_of(const MacAddr& mac, uint16_t domain) const;
  void hold(IfIndex interface, const MacAddr& mac, IfIndex origin);
  void send(IfIndex interface);

  PacketIo& io_;
  InterfaceName name_;
  std::map<IfIndex, Port> ports_;  // those with loop-protect=on
  bool changed_ = false;
};

}  // namespace maclane
