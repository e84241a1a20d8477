#include "control/service/dhcp_alert.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "control/service/text.h"

namespace maclane {

void DhcpAlert::on_config(const std::vector<DhcpAlertConfig>& config) {
  std::erase_if(watches_, [&](const auto& entry) {
    return std::ranges::find(config, entry.first, &DhcpAlertConfig::id) == config.end();
  });
  for (const DhcpAlertConfig& one : config) {
    const auto [found, fresh] = watches_.try_emplace(one.id);
    Watch& watch = found->second;
    const bool moved = !fresh && watch.config.interface_name != one.interface_name &&
                       watch.config.interface != one.interface;
    if (moved) watch = {};
    watch.config = one;
    std::erase_if(watch.unknown, [&](const auto& entry) {
      return is_known(watch, MacAddr::from_key(entry.first));
    });
  }
  tick();
}

const Interface* DhcpAlert::running(const Watch& watch) const {
  const Snapshot& s = io_.snapshot();
  const IfIndex index = watch.config.interface;
  if (index == kNoIf || index >= s.interfaces.size()) return nullptr;
  const Interface& i = s.interfaces[index];
  return i.kind != IfKind::kNone && i.up && !i.attached ? &i : nullptr;
}

bool DhcpAlert::hears(const Watch& watch, const PacketMessage& punt) const {
  return running(watch) != nullptr && is_heard_on(io_.snapshot(), watch.config.interface, punt);
}

bool DhcpAlert::is_known(const Watch& watch, const MacAddr& server) const {
  return std::ranges::find(watch.config.valid, server) != watch.config.valid.end() ||
         std::ranges::any_of(io_.snapshot().interfaces, [&](const Interface& i) {
           return i.kind != IfKind::kNone && !i.attached && i.mac == server;
         });
}

void DhcpAlert::overhear(const rte_mbuf* packet) {
  if (watches_.empty()) return;
  const PacketMessage& punt = *static_cast<const PacketMessage*>(
      rte_mbuf_to_priv(const_cast<rte_mbuf*>(packet)));  // NOLINT: DPDK's takes no const
  if (std::ranges::none_of(watches_, [&](const auto& one) { return hears(one.second, punt); }))
    return;
  std::array<uint8_t, dhcp::kLargestFrame> bytes;
  const size_t n = read_head(packet, bytes);
  const auto heard = dhcp::read_frame(std::span(bytes).first(n));
  if (!heard) return;
  const dhcp::Type type = heard->message.type();
  if (type != dhcp::Type::kOffer && type != dhcp::Type::kAck && type != dhcp::Type::kNak) return;
  for (auto& [id, watch] : watches_)
    if (hears(watch, punt) && !is_known(watch, heard->src)) discovered(watch, *heard);
}

void DhcpAlert::discovered(Watch& watch, const dhcp::Heard& heard) {
  const uint64_t now = io_.now_ms();
  const auto found = watch.unknown.find(heard.src.key());
  if (found != watch.unknown.end() && found->second > now) return;
  if (found == watch.unknown.end() && watch.unknown.size() >= kMostServers) {
    if (!std::exchange(watch.flooded, true)) {
      log::write(log::Level::kWarning, "dhcp,warning",
                 "dhcp alert on {}: more than {} unknown dhcp servers; no others are told of",
                 watch.config.interface_name, kMostServers);
    }
    return;
  }
  const uint64_t until = watch.config.timeout_ms == 0 ? kNever : now + watch.config.timeout_ms;
  watch.unknown[heard.src.key()] = until;
  next_ms_ = std::min(next_ms_, until);
  log::write(log::Level::kError, "dhcp,critical,error",
             "dhcp alert on {}: discovered unknown dhcp server, mac {}, ip {}",
             watch.config.interface_name, text_of(heard.src), text_of(heard.ip_src));
  if (script_) script_(watch.config);
}

void DhcpAlert::probe(const Watch& watch) {
  const Interface* i = running(watch);
  dhcp::Message m;
  const uint64_t seed = seeds_.next();
  m.xid = static_cast<uint32_t>((seed ^ seed >> 29) * 0xbf58476d1ce4e5b9ULL >> 32);
  m.chaddr = i->mac;
  m.set(dhcp::kMessageType, dhcp::Bytes{static_cast<uint8_t>(dhcp::Type::kDiscover)});
  dhcp::FrameFields fields;
  fields.src = i->mac;
  fields.dst = kBroadcastMac;
  fields.ip_dst = be32::from(0xffffffff);
  rte_mbuf* packet = make_packet(io_, dhcp::build_frame(fields, m));
  if (packet == nullptr) return;
  message_of(packet).kind = InjectKind::kFrame;
  message_of(packet).out_if = watch.config.interface;
  io_.inject(packet);
}

void DhcpAlert::tick() {
  const uint64_t now = io_.now_ms();
  next_ms_ = kNever;
  for (auto& [id, watch] : watches_) {
    std::erase_if(watch.unknown, [now](const auto& entry) { return entry.second <= now; });
    if (watch.unknown.size() < kMostServers) watch.flooded = false;
    for (const auto& [mac, until] : watch.unknown) next_ms_ = std::min(next_ms_, until);
    if (running(watch) == nullptr) {
      watch.probe_ms = 0;  // at once when it comes up
      continue;
    }
    if (now >= watch.probe_ms) {
      probe(watch);
      watch.probe_ms = now + kProbeMs;
    }
    next_ms_ = std::min(next_ms_, watch.probe_ms);
  }
}

void DhcpAlert::reset(uint32_t id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  found->second.unknown.clear();
  found->second.flooded = false;
}

std::vector<MacAddr> DhcpAlert::unknown(uint32_t id) const {
  std::vector<MacAddr> out;
  const auto found = watches_.find(id);
  if (found == watches_.end()) return out;
  for (const auto& entry : found->second.unknown) out.push_back(MacAddr::from_key(entry.first));
  return out;
}

bool DhcpAlert::is_watching(uint32_t id) const {
  const auto found = watches_.find(id);
  return found != watches_.end() && running(found->second) != nullptr;
}

}  // namespace maclane
