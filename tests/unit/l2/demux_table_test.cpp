// Every cell of the decision table, one line a pair of tag columns, with its place in behaviour.md.
#include "dataplane/stage/demux_table.h"

#include <gtest/gtest.h>

namespace maclane {
namespace {

using S = FrameSource;
using T = FrameTarget;

struct Line {
  S source;
  T target;
  DemuxCell untagged;
  DemuxCell unknown;
  const char* id;
};

constexpr uint8_t kAll = kToParent | kToVports;
constexpr uint8_t kTagged = kToVports | kAttachedOnly;
constexpr uint8_t kBack = kToSource | kAttachedOnly;
constexpr uint8_t kSiblings = kToSiblings | kToWire;

const Line kLines[] = {
    {S::kWire, T::kParentMac, {kToParent, Drop::vport_down}, {0, Drop::vlan_unknown}, "A-25"},
    {S::kWire,
     T::kBridgeMac,
     {kToVport, Drop::vport_down},
     {kToVport | kAttachedOnly, Drop::vlan_unknown},
     "A-24 A-51"},
    {S::kWire,
     T::kPrivateMac,
     {kToVport, Drop::vport_down},
     {kToVport | kAttachedOnly, Drop::vlan_unknown},
     "A-24 A-34"},
    {S::kWire, T::kUnknownMac, {0, Drop::not_for_us}, {0, Drop::not_for_us}, "A-26"},
    {S::kWire, T::kBroadcast, {kAll, Drop::vport_down}, {kTagged, Drop::vlan_unknown}, "A-37"},
    {S::kWire, T::kMulticast, {kAll, Drop::vport_down}, {kTagged, Drop::vlan_unknown}, "A-38"},
    {S::kWire, T::kLinkLocal, {kAll, Drop::vport_down}, {kTagged, Drop::vlan_unknown}, "A-46"},
    {S::kWire, T::kPause, {0, Drop::pause_frame}, {0, Drop::pause_frame}, "A-46"},

    {S::kWireOwnBridge,
     T::kParentMac,
     {kToParent, Drop::vport_down},
     {0, Drop::vlan_unknown},
     "A-25"},
    {S::kWireOwnBridge,
     T::kBridgeMac,
     {kToVport, Drop::vport_down},
     {kToVport | kAttachedOnly, Drop::vlan_unknown},
     "A-27"},
    {S::kWireOwnBridge,
     T::kPrivateMac,
     {kToVport, Drop::vport_down},
     {kToVport | kAttachedOnly, Drop::vlan_unknown},
     "A-34"},
    {S::kWireOwnBridge, T::kUnknownMac, {0, Drop::not_for_us}, {0, Drop::not_for_us}, "A-26"},
    {S::kWireOwnBridge,
     T::kBroadcast,
     {kToParent | kCountReflected, Drop::reflected},
     {kCountReflected, Drop::vlan_unknown},
     "A-42"},
    {S::kWireOwnBridge,
     T::kMulticast,
     {kToParent | kCountReflected, Drop::reflected},
     {kCountReflected, Drop::vlan_unknown},
     "A-42"},
    {S::kWireOwnBridge,
     T::kLinkLocal,
     {kToParent | kCountReflected, Drop::reflected},
     {kCountReflected, Drop::vlan_unknown},
     "A-42"},
    {S::kWireOwnBridge, T::kPause, {0, Drop::pause_frame}, {0, Drop::pause_frame}, "A-46"},

    {S::kWireOwnPrivate,
     T::kParentMac,
     {kToParent, Drop::vport_down},
     {0, Drop::vlan_unknown},
     "A-25"},
    {S::kWireOwnPrivate,
     T::kBridgeMac,
     {kToVport, Drop::vport_down},
     {kToVport | kAttachedOnly, Drop::vlan_unknown},
     "A-34"},
    {S::kWireOwnPrivate,
     T::kPrivateMac,
     {kToVport, Drop::vport_down},
     {kToVport | kAttachedOnly, Drop::vlan_unknown},
     "A-34"},
    {S::kWireOwnPrivate, T::kUnknownMac, {0, Drop::not_for_us}, {0, Drop::not_for_us}, "A-26"},
    {S::kWireOwnPrivate, T::kBroadcast, {kBack, Drop::reflected}, {kBack, Drop::reflected}, "A-43"},
    {S::kWireOwnPrivate, T::kMulticast, {kBack, Drop::reflected}, {kBack, Drop::reflected}, "A-43"},
    {S::kWireOwnPrivate, T::kLinkLocal, {kBack, Drop::reflected}, {kBack, Drop::reflected}, "A-43"},
    {S::kWireOwnPrivate, T::kPause, {0, Drop::pause_frame}, {0, Drop::pause_frame}, "A-46"},

    {S::kParent, T::kParentMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-32"},
    {S::kParent, T::kBridgeMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-32"},
    {S::kParent, T::kPrivateMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-32"},
    {S::kParent, T::kUnknownMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-32"},
    {S::kParent, T::kBroadcast, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-41"},
    {S::kParent, T::kMulticast, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-41"},
    {S::kParent, T::kLinkLocal, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-41"},
    {S::kParent, T::kPause, {0, Drop::pause_frame}, {0, Drop::pause_frame}, "A-46"},

    {S::kBridge, T::kParentMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-31"},
    {S::kBridge,
     T::kBridgeMac,
     {kToVport, Drop::vport_down},
     {kToVport | kAttachedOnly, Drop::vlan_unknown},
     "A-28"},
    {S::kBridge, T::kPrivateMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-30"},
    {S::kBridge, T::kUnknownMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-29 A-33"},
    {S::kBridge,
     T::kBroadcast,
     {kSiblings, Drop::tx_down},
     {kSiblings | kAttachedOnly, Drop::tx_down},
     "A-39"},
    {S::kBridge,
     T::kMulticast,
     {kSiblings, Drop::tx_down},
     {kSiblings | kAttachedOnly, Drop::tx_down},
     "A-39"},
    {S::kBridge, T::kLinkLocal, {0, Drop::link_local_group}, {0, Drop::link_local_group}, "A-46"},
    {S::kBridge, T::kPause, {0, Drop::pause_frame}, {0, Drop::pause_frame}, "A-46"},

    {S::kPrivate, T::kParentMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-31"},
    {S::kPrivate, T::kBridgeMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-30"},
    {S::kPrivate, T::kPrivateMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-30"},
    {S::kPrivate, T::kUnknownMac, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-33"},
    {S::kPrivate, T::kBroadcast, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-40"},
    {S::kPrivate, T::kMulticast, {kToWire, Drop::tx_down}, {kToWire, Drop::tx_down}, "A-40"},
    {S::kPrivate, T::kLinkLocal, {0, Drop::link_local_group}, {0, Drop::link_local_group}, "A-46"},
    {S::kPrivate, T::kPause, {0, Drop::pause_frame}, {0, Drop::pause_frame}, "A-46"},
};

TEST(DemuxTable, EveryCell) {
  bool seen[kFrameSources][kFrameTargets] = {};
  for (const Line& line : kLines) {
    SCOPED_TRACE(std::string(line.id) + " from " + std::string(name(line.source)) + " to " +
                 std::string(name(line.target)));
    seen[static_cast<unsigned>(line.source)][static_cast<unsigned>(line.target)] = true;
    const DemuxCell& untagged = demux_cell(line.source, line.target, FrameTag::kUntagged);
    EXPECT_EQ(untagged.actions, line.untagged.actions);
    EXPECT_EQ(untagged.otherwise, line.untagged.otherwise);
    const DemuxCell& unknown = demux_cell(line.source, line.target, FrameTag::kUnknown);
    EXPECT_EQ(unknown.actions, line.unknown.actions);
    EXPECT_EQ(unknown.otherwise, line.unknown.otherwise);
  }
  for (const auto& row : seen) {
    for (bool cell : row) EXPECT_TRUE(cell);
  }
}

}  // namespace
}  // namespace maclane
