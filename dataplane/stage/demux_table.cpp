// What must hold over whole rows of the decision table, checked by the compiler, and its words.
#include "dataplane/stage/demux_table.h"

namespace maclane {
namespace {

constexpr bool from_wire(unsigned source) {
  return source < 3;
}

/// Nothing that came from the wire is sent to it again, and nothing sent here reaches the parent.
constexpr bool no_echo() {
  for (unsigned s = 0; s < kFrameSources; ++s) {
    for (const demux::Column& column : kDemuxTable[s]) {
      for (const DemuxCell& cell : column) {
        if (from_wire(s) && (cell.actions & (kToWire | kToSiblings)) != 0) return false;
        if (!from_wire(s) && (cell.actions & (kToParent | kToVports | kToSource)) != 0)
          return false;
      }
    }
  }
  return true;
}
static_assert(no_echo());

/// Pause frames go nowhere, whoever sends them.
constexpr bool pause_ends() {
  for (const demux::Row& row : kDemuxTable) {
    for (const DemuxCell& cell : row[static_cast<unsigned>(FrameTarget::kPause)]) {
      if (cell.actions != 0 || cell.otherwise != Drop::pause_frame) return false;
    }
  }
  return true;
}
static_assert(pause_ends());

/// stage/l2_send.cpp looks no MAC up for a parent or a private macvlan: their rows must not care.
constexpr bool unicast_is_wire(FrameSource source) {
  for (unsigned target = 0; target <= static_cast<unsigned>(FrameTarget::kUnknownMac); ++target) {
    for (unsigned tag = 0; tag < kFrameTags; ++tag) {
      if (kDemuxTable[static_cast<unsigned>(source)][target][tag].actions != kToWire) return false;
    }
  }
  return true;
}
static_assert(unicast_is_wire(FrameSource::kParent) && unicast_is_wire(FrameSource::kPrivate));

/// No router interface hears a frame of an unknown VLAN.
constexpr bool unknown_tags_stay_out() {
  for (const demux::Row& row : kDemuxTable) {
    for (const demux::Column& column : row) {
      const uint8_t actions = column[static_cast<unsigned>(FrameTag::kUnknown)].actions;
      if ((actions & kToParent) != 0) return false;
      if ((actions & (kToVport | kToVports | kToSiblings)) != 0 && (actions & kAttachedOnly) == 0) {
        return false;
      }
    }
  }
  return true;
}
static_assert(unknown_tags_stay_out());

}  // namespace

std::string_view name(FrameSource source) noexcept {
  constexpr std::string_view kNames[kFrameSources] = {
      "wire", "own bridge frame back", "own private frame back", "parent", "bridge", "private"};
  return kNames[static_cast<unsigned>(source)];
}

std::string_view name(FrameTarget target) noexcept {
  constexpr std::string_view kNames[kFrameTargets] = {"parent MAC",  "bridge MAC", "private MAC",
                                                      "unknown MAC", "broadcast",  "multicast",
                                                      "link-local",  "pause"};
  return kNames[static_cast<unsigned>(target)];
}

}  // namespace maclane
