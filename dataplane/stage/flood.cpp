#include "dataplane/stage/flood.h"

#include "dataplane/stage/l2_deliver.h"
#include "dataplane/stage/l2_frame.h"
#include "dataplane/stage/l3.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

/// L3 places that copies leave free, one for the original of every frame of a burst.
constexpr unsigned kQueueForCopies = L3Queue::kCapacity - kBurst;

class Fan {
 public:
  Fan(Worker& w, const FloodFrame& frame, const DemuxCell& cell, L3Queue& queue)
      : w_(w), frame_(frame), cell_(cell), queue_(queue), group_(ether(frame.packet)->dst.key()) {}

  void run() noexcept {
    if ((cell_.actions & kToVports) != 0) each(frame_.domain->vports);
    if ((cell_.actions & kToSiblings) != 0) each(frame_.domain->bridge_vports);
    if ((cell_.actions & kCountReflected) != 0) {
      for (IfIndex vport : frame_.domain->vports) count_drop(w_, Drop::reflected, vport);
    }
    if (dhcp_heard_) punt_dhcp_copy();
    if ((cell_.actions & kToWire) != 0) {
      if (arp_heard_) punt_arp_copy();
      send_original();
    } else if ((cell_.actions & kToParent) != 0) {
      original_to_parent();
    } else {
      drop(w_, frame_.packet, cell_.otherwise, frame_.domain->parent);
    }
  }

 private:
  [[nodiscard]] bool listens(IfIndex vport, const Interface& interface) const noexcept {
    return frame_.target == FrameTarget::kBroadcast || interface.multicast_all ||
           w_.mc_filters.accepts(vport, group_);
  }

  /// The loopback queue fills from within L3, which must not be entered again; it is run as a whole
  /// in the next loop.
  [[nodiscard]] bool in_l3() const noexcept { return &queue_ == &w_.loopback; }

  /// Whether a frame for so many recipients may leave some without.
  [[nodiscard]] bool too_many(size_t recipients) const noexcept {
    return recipients > w_.flood_budget || (in_l3() && recipients + queue_.count > kQueueForCopies);
  }

  void each(const std::vector<IfIndex>& vports) noexcept {
    const size_t n = vports.size();
    // From a random one, or the last of the list would always be those that go without.
    size_t at = too_many(n) && n != 0 ? w_.random.next() % n : 0;
    for (size_t k = 0; k < n; ++k, at = at + 1 == n ? 0 : at + 1) {
      const IfIndex vport = vports[at];
      if (vport == frame_.sender) continue;
      const Interface& interface = w_.snapshot->interfaces[vport];
      if (!listens(vport, interface)) continue;
      if (!interface.up) {
        count_drop(w_, Drop::vport_down, vport);
      } else if (interface.attached) {
        to_attached(vport, interface);
      } else if ((cell_.actions & kAttachedOnly) != 0) {
        count_drop(w_, Drop::vlan_unknown, vport);
      } else {
        to_routed(vport);
      }
    }
  }

  /// nullptr, and counted, if the budget or the buffers are used up.
  [[nodiscard]] rte_mbuf* twin(IfIndex vport, bool may_share) noexcept {
    if (w_.flood_budget == 0) {
      count_drop(w_, Drop::flood_budget, vport);
      return nullptr;
    }
    --w_.flood_budget;
    rte_mbuf* m = may_share ? clone(w_, frame_.packet) : copy(w_, frame_.packet);
    if (m == nullptr) {
      count_drop(w_, Drop::flood_no_mbuf, vport);
    } else if (may_share) {
      shared_ = true;
    }
    return m;
  }

  void to_attached(IfIndex vport, const Interface& interface) noexcept {
    const auto& ports = w_.snapshot->ports;
    const bool chains =
        interface.attach_port < ports.size() && ports[interface.attach_port].multi_segment;
    rte_mbuf* m = twin(vport, chains && frame_.packet->pkt_len > kCopyLimit);
    if (m != nullptr) tx(w_, m, interface.attach_port, vport);
  }

  void to_routed(IfIndex vport) noexcept {
    const uint16_t type = ether(frame_.packet)->type.host();
    if (type == kEtherArp) {  // one punt for all who hear it
      count_rx(w_, vport, frame_.packet->pkt_len);
      arp_heard_ = true;
      return;
    }
    // So for DHCP, whoever of them it is meant for.
    const Interface& interface = w_.snapshot->interfaces[vport];
    if (type == kEtherIp4 && interface.hears_dhcp() && is_dhcp(frame_.packet, interface)) {
      count_rx(w_, vport, frame_.packet->pkt_len);
      dhcp_heard_ = true;
      return;
    }
    // A sibling's frame may carry priority tags: its type shows in the copy only.
    if (type != kEtherIp4 && !is_vlan_type(type)) {
      count_rx(w_, vport, frame_.packet->pkt_len);
      return;
    }
    if (queue_.count >= kQueueForCopies && in_l3()) {
      count_drop(w_, Drop::flood_budget, vport);
      return;
    }
    rte_mbuf* m = twin(vport, false);
    if (m == nullptr) return;
    if (queue_.count >= kQueueForCopies) l3_input(w_, queue_);
    count_rx(w_, vport, m->pkt_len);
    if (!strip_priority_tags(m) || ether(m)->type.host() != kEtherIp4) {
      drop(w_, m, Drop::unknown_ethertype, vport);
      return;
    }
    rte_pktmbuf_adj(m, kEtherHeader);
    if (!queue_.push(m, vport, L3Queue::kL2Broadcast)) drop(w_, m, Drop::flood_budget, vport);
  }

  [[nodiscard]] PacketMessage arp_message(bool broadcast) const noexcept {
    PacketMessage message;
    message.reason = PuntReason::kArp;
    message.in_if = frame_.domain->parent;
    message.out_if = frame_.sender;
    message.broadcast = broadcast;
    return message;
  }

  void punt_arp_copy() noexcept {
    rte_mbuf* m = copy(w_, frame_.packet);
    if (m == nullptr) {
      count_drop(w_, Drop::flood_no_mbuf, frame_.domain->parent);
    } else {
      punt(w_, m, arp_message(true));
    }
  }

  void punt_dhcp_copy() noexcept {
    const IfIndex parent = frame_.domain->parent;
    rte_mbuf* m = copy(w_, frame_.packet);
    if (m == nullptr) {
      count_drop(w_, Drop::flood_no_mbuf, parent);
    } else {
      dhcp_punt(w_, m, parent, true, frame_.sender);
    }
  }

  void send_original() noexcept {
    // Pushing tags writes into bytes that clones read; to_wire copies a shared buffer first.
    to_wire(w_, frame_.packet, frame_.sender);
  }

  /// Under overload this counts as a copy does, since L3 costs as much.
  void original_to_parent() noexcept {
    const IfIndex parent = frame_.domain->parent;
    rte_mbuf* m = frame_.packet;
    const uint16_t type = ether(m)->type.host();
    if (w_.overloaded && type != kEtherArp && w_.flood_budget == 0) {
      drop(w_, m, Drop::flood_budget, parent);
    } else if (!w_.snapshot->interfaces[parent].up) {
      drop(w_, m, Drop::vport_down, parent);
    } else if (type == kEtherLoopProtect) {
      punt_loop_protect(w_, m, parent, true);
    } else if (type != kEtherIp4 && type != kEtherArp) {
      drop(w_, m, Drop::unknown_ethertype, parent);
    } else if (m = unshared(m); m != nullptr) {
      if (w_.overloaded && w_.flood_budget != 0) --w_.flood_budget;
      if (type == kEtherArp) {
        // Only the parent hears a reflected frame, so it is told as if it were for it alone.
        punt(w_, m, arp_message((cell_.actions & kToVports) != 0));
      } else if (const Interface& interface = w_.snapshot->interfaces[parent];
                 interface.hears_dhcp() && is_dhcp(m, interface)) {
        if (dhcp_heard_) {
          finish(w_, m);  // its copy is for all
        } else {
          dhcp_punt(w_, m, parent, true, frame_.sender);
        }
      } else {
        rte_pktmbuf_adj(m, kEtherHeader);
        if (!queue_.push(m, parent, L3Queue::kL2Broadcast)) {
          drop(w_, m, Drop::flood_budget, parent);
        }
      }
    }
  }

  [[nodiscard]] rte_mbuf* unshared(rte_mbuf* m) noexcept {
    if (!shared_ && m->nb_segs == 1) return m;
    rte_mbuf* own = copy(w_, m);
    if (own == nullptr) {
      drop(w_, m, Drop::flood_no_mbuf, frame_.domain->parent);
      return nullptr;
    }
    finish(w_, m);
    return own;
  }

  Worker& w_;
  const FloodFrame& frame_;
  const DemuxCell& cell_;
  L3Queue& queue_;
  const uint64_t group_;
  bool shared_ = false;
  bool arp_heard_ = false;
  bool dhcp_heard_ = false;
};

}  // namespace

void flood(Worker& w, const FloodFrame& frame, const DemuxCell& cell, L3Queue& queue) noexcept {
  Fan(w, frame, cell, queue).run();
}

}  // namespace maclane
