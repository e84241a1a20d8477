// The facade: all that control may know of the dataplane, with snapshot.h and the headers it
// includes.
//
// Every function is for the control thread only, unless it says otherwise. Functions that can fail
// for a reason outside return false or nullptr and put a sentence with a remedy in *error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/snapshot.h"
#include "dataplane/table/dynamic_lists.h"
#include "dataplane/table/mc_filter.h"
#include "dataplane/table/neighbour.h"
#include "dataplane/table/session_notes.h"
#include "dataplane/worker/counters.h"
#include "dataplane/worker/message.h"

namespace maclane {

struct DataplaneConfig {
  std::vector<unsigned>
      worker_cpus;  // one CPU per worker; empty: the last one this process may use
  enum class HugePages : uint8_t { kAuto, kYes, kNo } huge_pages = HugePages::kAuto;
  bool rss = false;                // connections live where a NIC's RSS puts them (table/home.h)
  uint32_t memory_mb = 0;          // for packet buffers; 0: what mbufs need
  uint32_t mbufs = 0;              // 0: 16384, and 8192 for each worker more
  uint16_t max_mtu = 1500;         // the largest any port will be given while this runs
  uint32_t max_sessions = 262144;  // per worker
  uint32_t max_neighbours = 16384;
  std::vector<std::string>
      pci;  // PCI addresses that ports will use; empty: the PCI bus is left alone
};

/// What a device turned out to be and to be able to do.
struct PortInfo {
  uint16_t ethdev = 0xffff;
  std::string device;  // the name DPDK gave it
  std::string driver;
  MacAddr mac;
  MacAddr native_mac;  // the one it came with: own again when no other is configured
  uint16_t mtu = 1500;
  uint16_t max_mtu = 1500;
  uint16_t queues = 1;
  bool multi_segment = false;
  bool rss = false;              // its queues are the workers' by the symmetric RSS key
  bool mac_filter_full = false;  // promiscuous because the MAC filter had no room or does not exist
  bool promiscuous = false;
  bool gates_on_link = true;  // false for net_tap: its link state means nothing once moved
  bool must_stop = false;     // configure_port() failed for want of PortConfig::idle
};

struct PortConfig {
  std::string device;         // devargs ("net_tap0,iface=mlwan") or a PCI address
  uint16_t mtu = 1500;        // L3 MTU, room for two VLAN tags is added
  std::vector<MacAddr> macs;  // besides its own: macvlans'; the first may be a new own MAC
  bool set_mac = false;       // macs[0] becomes the port's own MAC
  uint16_t max_queues = 0;    // 0: one per worker, as far as the device has them
  bool idle = false;          // no worker uses the port: configure_port() may stop it
};

struct WorkerStats {
  unsigned id = 0;
  unsigned cpu = 0;
  LoopCounters loop;
  LoopTimes times;
  uint32_t sessions = 0;
  uint32_t session_capacity = 0;
  uint64_t evicted = 0;  // sessions given up to make room for others, since the start
  uint32_t punt_depth = 0, inject_depth = 0;
  uint64_t punt_full = 0;
  uint32_t handoff_depth = 0;  // packets that other workers handed over and it has not taken yet
  uint64_t handed = 0;         // packets it gave to other workers
  uint32_t claims = 0;         // replies it must hand to another worker (worker/claim.h)
};

struct MemoryItem {
  std::string item;
  uint64_t bytes = 0;
};

class Dataplane {
 public:
  /// Starts EAL (once per process), pools, tables and worker threads, which idle until publish().
  /// Checks huge pages, IOVA mode and capabilities first; *error says what to do.
  static std::unique_ptr<Dataplane> start(const DataplaneConfig& config, std::string* error);
  /// Stops the workers and closes the ports. EAL stays up: DPDK cannot start it twice in a process.
  ~Dataplane();
  Dataplane(const Dataplane&) = delete;
  Dataplane& operator=(const Dataplane&) = delete;

  // ports
  /// Creates and starts a device. false: no such device, driver, rights, queues, MTU ... (*error).
  bool add_port(const PortConfig& config, PortInfo* info, std::string* error);
  /// Changes MTU, own MAC and MAC filters of a started port without stopping it. False with
  /// info->must_stop: its driver changes the MTU of a stopped port only; withdraw the port from the
  /// snapshot and ask again with config.idle.
  bool configure_port(uint16_t ethdev, const PortConfig& config, PortInfo* info,
                      std::string* error);
  /// Stops and removes a device. No published snapshot may still use it (synchronize() first).
  void remove_port(uint16_t ethdev);
  /// A net_tap device whose kernel side has this name, MAC and MTU and stands in `netns` (a name of
  /// `ip netns`, a path, or "" for our own). Set up in full before it is moved.
  bool add_attachment(const std::string& kernel_name, const MacAddr& mac, uint16_t mtu,
                      const std::string& netns, PortInfo* info, std::string* error);
  [[nodiscard]] bool link_up(uint16_t ethdev) const;
  [[nodiscard]] unsigned ports_left() const;  // ethdevs that may still be created (of 32)

  // the snapshot
  /// Publishes; sets generation. The one before is freed once no worker can hold it (see poll()).
  void publish(std::unique_ptr<Snapshot> snapshot);
  [[nodiscard]] const Snapshot* current() const;
  /// Waits until every worker has seen what was published before, at most timeout_ms.
  bool synchronize(unsigned timeout_ms);
  /// Frees what is due. Call regularly.
  void poll();

  // shared tables: control writes, workers read
  [[nodiscard]] NeighbourTable& neighbours();
  [[nodiscard]] McFilters& mc_filters();
  [[nodiscard]] uint32_t nat_mappings() const;        // of endpoint-independent NAT, now
  [[nodiscard]] DynamicLists& address_lists() const;  // that fill by themselves

  // rings
  /// Packets that workers punted; the caller owns them and gives each to inject() or free_packet().
  unsigned receive(std::span<rte_mbuf*> packets);
  unsigned receive_events(std::span<Event> events);
  [[nodiscard]] rte_mbuf*
  alloc_packet();  // nullptr: none left. Private area is a fresh PacketMessage
  /// Hands a packet with its PacketMessage to the worker that owns its flow. False: the ring is
  /// full and the packet was dropped and counted.
  bool inject(rte_mbuf* packet);
  /// Ends a packet; the reason is counted for in_if.
  void free_packet(rte_mbuf* packet, Drop reason, IfIndex in_if);
  /// Ends a packet that did its work (answered, held and re-sent as a copy): not a drop.
  void consume_packet(rte_mbuf* packet);
  bool request(unsigned worker, const Request& request);

  // reading
  [[nodiscard]] unsigned workers() const;
  [[nodiscard]] WorkerStats worker_stats(unsigned worker) const;
  [[nodiscard]] IfCounters interface_counters(IfIndex interface) const;  // all workers
  [[nodiscard]] uint64_t drops(IfIndex interface, Drop reason) const;    // workers and control
  void rule_counters(std::span<RuleCounter> out) const;                  // by slot, all workers
  /// Calls fn for each live session of all workers until it returns false.
  void for_each_session(const std::function<bool(unsigned worker, uint32_t index, const Session&,
                                                 const SessionSide&)>& fn) const;
  /// Places of sessions that were ever used by a worker, and the live session in one of them.
  [[nodiscard]] uint32_t sessions_ever(unsigned worker) const;
  bool session_at(unsigned worker, uint32_t index, Session& session, SessionSide& side) const;
  /// What a FastTracked session had counted when it became so.
  [[nodiscard]] FastTrackStart fast_track_start(unsigned worker, uint32_t index) const;
  [[nodiscard]] static uint64_t tsc_hz();  // of all *_tsc and tick figures
  [[nodiscard]] uint32_t now_cs() const;   // the workers' clock, for ages and timeouts
  [[nodiscard]] std::vector<MemoryItem> memory() const;

 private:
  Dataplane();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace maclane
