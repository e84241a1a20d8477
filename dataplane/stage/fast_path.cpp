#include "dataplane/stage/fast_path.h"

#include "dataplane/stage/demux_table.h"

namespace maclane {
namespace {

// What find_way() takes for granted about the decision table.
constexpr bool goes_to_wire(FrameSource source, FrameTarget target) {
  return demux_cell(source, target, FrameTag::kUntagged).actions == kToWire;
}
static_assert(goes_to_wire(FrameSource::kParent, FrameTarget::kUnknownMac));
static_assert(goes_to_wire(FrameSource::kPrivate, FrameTarget::kUnknownMac));
static_assert(goes_to_wire(FrameSource::kBridge, FrameTarget::kUnknownMac));

}  // namespace

Way find_way(Worker& w, IfIndex out_if, const MacAddr& dst) noexcept {
  const Snapshot& s = *w.snapshot;
  const Interface& out = s.interfaces[out_if];
  if (!out.up || out.tag_count != 0 || dst.is_multicast() || out.port >= s.ports.size() ||
      out.port >= w.tx.size() || s.ports[out.port].ethdev == 0xffff) {
    return {};
  }
  // A bridge macvlan reaches its siblings without the wire.
  const bool bridge = out.kind == IfKind::kMacvlan && out.mode == VportMode::kBridge;
  if (bridge && s.domains[out.domain].macs.find(dst.key()) != kNoIf) return {};
  Way way{out_if, out.port, out.mtu, sizeof(EtherHdr), &w.tx[out.port], {}};
  const EtherHdr header{dst, out.mac, be16::from(kEtherIp4)};
  std::memcpy(way.header.data() + sizeof(PppoeHdr), &header, sizeof(header));
  return way;
}

Way find_session_way(Worker& w, IfIndex session) noexcept {
  const auto& interfaces = w.snapshot->interfaces;
  const Interface& out = interfaces[session];
  if (!out.up || out.pppoe_session.raw == 0) return {};
  Way way = find_way(w, out.parent, out.pppoe_peer);
  // What is longer than the interface below takes is the ordinary path's to drop by name.
  if (way.port == kNoPort || out.mtu + sizeof(PppoeHdr) > way.mtu) return {};
  way.out_if = session;
  way.mtu = out.mtu;
  way.header_bytes = kPppoeOverhead;
  way.header = pppoe_head(out, interfaces[out.parent].mac);
  return way;
}

}  // namespace maclane
