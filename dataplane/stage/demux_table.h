// The decision table of layer 2: mode of source x destination class x tag class -> who gets the
// frame. Data, not code: the stages look a cell up and carry its actions out (behaviour.md A-24 to
// A-54, the kernel's macvlan; the few differences are named at their rows).
//
// Read by stage/l2_input.cpp and stage/l2_send.cpp; demux_table.cpp asserts what holds over whole
// rows, tests/unit/l2 lists every cell.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/worker/drop.h"

namespace maclane {

/// Where a frame comes from. A group frame from the wire whose source MAC is one of the domain's
/// macvlans is our own, sent back by the switch.
enum class FrameSource : uint8_t {
  kWire,
  kWireOwnBridge,
  kWireOwnPrivate,
  kParent,   // sent by the ethernet or VLAN interface itself
  kBridge,   // sent by a bridge macvlan, routed or attached
  kPrivate,  // sent by a private macvlan
};
inline constexpr unsigned kFrameSources = 6;

enum class FrameTarget : uint8_t {
  kParentMac,
  kBridgeMac,   // MAC of a bridge macvlan that is up
  kPrivateMac,  // MAC of a private macvlan that is up
  kUnknownMac,  // also a macvlan that is down
  kBroadcast,
  kMulticast,
  kLinkLocal,  // 01:80:c2:00:00:0x
  kPause,      // EtherType 0x8808, whatever the destination
};
inline constexpr unsigned kFrameTargets = 8;

/// kUntagged: no tag, priority tags (VID 0), or a VLAN that is an interface of ours and was taken
/// off; kUnknown: a VLAN that is no interface on this parent.
enum class FrameTag : uint8_t { kUntagged, kUnknown };
inline constexpr unsigned kFrameTags = 2;

/// What to do with a frame; bits of DemuxCell::actions.
enum DemuxAction : uint8_t {
  kToParent = 1,         // the parent's own L3
  kToVport = 2,          // the macvlan whose MAC it is
  kToVports = 4,         // every up macvlan that listens
  kToSiblings = 8,       // every up bridge macvlan that listens, but the sender
  kToSource = 16,        // back to the attached private macvlan that sent it
  kToWire = 32,          // out of the port, with the sender's tags
  kCountReflected = 64,  // every macvlan that is passed over counts `reflected`
  kAttachedOnly = 128,   // only kernel devices get it; the router's own interfaces drop it
};

struct DemuxCell {
  uint8_t actions = 0;
  Drop otherwise =
      Drop::not_for_us;  // what ends the frame, or a recipient's share, if nothing else
};

namespace demux {
using Column = std::array<DemuxCell, kFrameTags>;
using Row = std::array<Column, kFrameTargets>;

constexpr Column both(uint8_t actions, Drop otherwise) {
  return {{{actions, otherwise}, {actions, otherwise}}};
}
constexpr Column kNobody = both(0, Drop::not_for_us);
constexpr Column kPauseEnds = both(0, Drop::pause_frame);
constexpr Column kWireOnly = both(kToWire, Drop::tx_down);
constexpr Column kLinkLocalEnds = both(0, Drop::link_local_group);

// What the wire sends to one MAC; unknown tags: A-51.
constexpr Column kWireToParent = {{{kToParent, Drop::vport_down}, {0, Drop::vlan_unknown}}};
constexpr Column kWireToVport = {
    {{kToVport, Drop::vport_down}, {kToVport | kAttachedOnly, Drop::vlan_unknown}}};
// A-43b.
constexpr Column kWireToAll = {
    {{kToParent | kToVports, Drop::vport_down}, {kToVports | kAttachedOnly, Drop::vlan_unknown}}};
// the siblings heard it when it was sent.
constexpr Column kOwnBridgeBack = {
    {{kToParent | kCountReflected, Drop::reflected}, {kCountReflected, Drop::vlan_unknown}}};
// consumed by its sender; the router's own private macvlan has no use for it.
constexpr Column kOwnPrivateBack = both(kToSource | kAttachedOnly, Drop::reflected);
// A-28; a sibling of the router's own does not read tags.
constexpr Column kBridgeToBridge = kWireToVport;
//
constexpr Column kBridgeToAll = {{{kToSiblings | kToWire, Drop::tx_down},
                                  {kToSiblings | kToWire | kAttachedOnly, Drop::tx_down}}};
}  // namespace demux

/// [source][target][tag]
inline constexpr std::array<demux::Row, kFrameSources> kDemuxTable = {{
    // parent MAC, bridge MAC, private MAC, unknown MAC, broadcast, multicast, link-local, pause
    {{demux::kWireToParent, demux::kWireToVport, demux::kWireToVport, demux::kNobody,
      demux::kWireToAll, demux::kWireToAll, demux::kWireToAll, demux::kPauseEnds}},
    {{demux::kWireToParent, demux::kWireToVport, demux::kWireToVport, demux::kNobody,
      demux::kOwnBridgeBack, demux::kOwnBridgeBack, demux::kOwnBridgeBack, demux::kPauseEnds}},
    {{demux::kWireToParent, demux::kWireToVport, demux::kWireToVport, demux::kNobody,
      demux::kOwnPrivateBack, demux::kOwnPrivateBack, demux::kOwnPrivateBack, demux::kPauseEnds}},
    //
    {{demux::kWireOnly, demux::kWireOnly, demux::kWireOnly, demux::kWireOnly, demux::kWireOnly,
      demux::kWireOnly, demux::kWireOnly, demux::kPauseEnds}},
    // Not the kernel's: link-local groups are never sent from a macvlan,
    // since a switch takes LLDP or STP of many MACs on one port badly; nor is pause.
    {{demux::kWireOnly, demux::kBridgeToBridge, demux::kWireOnly, demux::kWireOnly,
      demux::kBridgeToAll, demux::kBridgeToAll, demux::kLinkLocalEnds, demux::kPauseEnds}},
    //
    {{demux::kWireOnly, demux::kWireOnly, demux::kWireOnly, demux::kWireOnly, demux::kWireOnly,
      demux::kWireOnly, demux::kLinkLocalEnds, demux::kPauseEnds}},
}};

[[nodiscard]] constexpr const DemuxCell& demux_cell(FrameSource source, FrameTarget target,
                                                    FrameTag tag) noexcept {
  return kDemuxTable[static_cast<unsigned>(source)][static_cast<unsigned>(target)]
                    [static_cast<unsigned>(tag)];
}

/// Words for the console and for failing tests.
[[nodiscard]] std::string_view name(FrameSource source) noexcept;
[[nodiscard]] std::string_view name(FrameTarget target) noexcept;

}  // namespace maclane
