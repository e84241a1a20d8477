#include "control/service/loop_protect.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "control/service/text.h"

namespace maclane {
namespace {

constexpr size_t kPayload = 46;
constexpr std::string_view kMark = "maclane";

}  // namespace

void LoopProtect::on_config(const ServiceConfig& config) {
  std::erase_if(ports_, [&](const auto& port) {
    if (config.loop_protect.contains(port.first)) return false;
    changed_ |= port.second.held;
    return true;
  });
  const uint64_t now = io_.now_ms();
  for (const auto& [interface, wanted] : config.loop_protect) {
    const auto [found, fresh] = ports_.try_emplace(interface);
    Port& port = found->second;
    if (fresh || port.config.revision != wanted.revision) {
      changed_ |= port.held;
      port.held = false;
      port.next_send_ms = now;
      port.release_ms = kNever;
    }
    port.config = wanted;
  }
  tick();
}

const Interface* LoopProtect::running(IfIndex interface) const {
  const Snapshot& snapshot = io_.snapshot();
  if (interface == kNoIf || interface >= snapshot.interfaces.size()) return nullptr;
  const Interface& i = snapshot.interfaces[interface];
  return i.kind != IfKind::kNone && !i.attached && i.up ? &i : nullptr;
}

void LoopProtect::handle(rte_mbuf* packet) {
  const PacketMessage message = message_of(packet);
  std::array<uint8_t, sizeof(EtherHdr)> bytes{};
  EtherHdr ether;
  const Interface* heard_on = running(message.in_if);
  const bool whole = read_head(packet, bytes) == bytes.size() && read_header(bytes, 0, ether);
  io_.consume(packet);
  if (!whole || heard_on == nullptr) return;
  const uint16_t domain = heard_on->domain;
  const IfIndex origin = origin_of(ether.src, domain);
  if (origin == kNoIf) return;
  if (!message.broadcast) {
    hold(message.in_if, ether.src, origin);
    return;
  }
  const Domain& segment = io_.snapshot().domains[domain];
  if (ports_.contains(segment.parent)) {
    hold(segment.parent, ether.src, origin);
    return;
  }
  for (const IfIndex vport : segment.vports) hold(vport, ether.src, origin);
}

/// The interface with loop protect on that has this MAC; a VLAN interface shares its parent's, and
/// then the one of the segment goes before the others.
IfIndex LoopProtect::origin_of(const MacAddr& mac, uint16_t domain) const {
  const Snapshot& snapshot = io_.snapshot();
  IfIndex origin = kNoIf;
  for (const auto& [interface, port] : ports_) {
    if (interface >= snapshot.interfaces.size() || snapshot.interfaces[interface].mac != mac) {
      continue;
    }
    if (origin == kNoIf || snapshot.interfaces[interface].domain == domain) origin = interface;
  }
  return origin;
}

void LoopProtect::hold(IfIndex interface, const MacAddr& mac, IfIndex origin) {
  const auto found = ports_.find(interface);
  if (found == ports_.end() || found->second.held) return;
  Port& port = found->second;
  port.held = true;
  port.release_ms =
      port.config.disable_time_ms == 0 ? kNever : io_.now_ms() + port.config.disable_time_ms;
  changed_ = true;
  log::write(log::Level::kWarning, "interface,warning",
             "{} received loop protect packet originated from {} ({})", name_(interface),
             text_of(mac), name_(origin));
}

bool LoopProtect::held(IfIndex interface) const {
  const auto found = ports_.find(interface);
  return found != ports_.end() && found->second.held;
}

std::vector<IfIndex> LoopProtect::all_held() const {
  std::vector<IfIndex> all;
  for (const auto& [interface, port] : ports_) {
    if (port.held) all.push_back(interface);
  }
  return all;
}

std::string_view LoopProtect::status(IfIndex interface) const {
  const auto found = ports_.find(interface);
  if (found == ports_.end()) return "off";
  return found->second.held ? "disabled" : "on";
}

void LoopProtect::tick() {
  const uint64_t now = io_.now_ms();
  for (auto& [interface, port] : ports_) {
    if (port.held) {
      if (now < port.release_ms) continue;
      port.held = false;
      port.release_ms = kNever;
      port.next_send_ms = now;
      changed_ = true;
      log::write(log::Level::kInfo, "interface,info",
                 "{} is enabled again by loop protect: its disable time is over", name_(interface));
    } else if (now >= port.next_send_ms) {
      port.next_send_ms = now + port.config.send_interval_ms;
      send(interface);
    }
  }
}

uint64_t LoopProtect::next_deadline() const {
  uint64_t next = kNever;
  for (const auto& [interface, port] : ports_) {
    next = std::min(next, port.held ? port.release_ms : port.next_send_ms);
  }
  return next;
}

void LoopProtect::send(IfIndex interface) {
  const Interface* i = running(interface);
  if (i == nullptr) return;
  std::array<uint8_t, sizeof(EtherHdr) + kPayload> bytes{};
  write_header(bytes, 0, EtherHdr{kBroadcastMac, i->mac, be16::from(kEtherLoopProtect)});
  std::ranges::copy(kMark, bytes.begin() + sizeof(EtherHdr));
  rte_mbuf* m = make_packet(io_, bytes);
  if (m == nullptr) return;
  message_of(m).kind = InjectKind::kFrame;
  message_of(m).out_if = interface;
  io_.inject(m);
}

}  // namespace maclane
