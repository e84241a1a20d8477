#include "control/service/gateway_check.h"

#include <algorithm>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "control/service/text.h"
#include "dataplane/net/checksum.h"

namespace maclane {

void GatewayCheck::on_config(const ServiceConfig& config) {
  std::map<Key, State> now;
  for (const CheckedGateway& one : config.gateways) {
    const Key key{one.ping, one.interface, one.address.host()};
    const auto known = gateways_.find(key);
    State state;
    if (known != gateways_.end()) state = known->second;
    state.interface_name = one.interface_name;
    now.try_emplace(key, std::move(state));
  }
  gateways_ = std::move(now);
}

void GatewayCheck::answered(State& state, const Key& key) {
  state.answered = true;
  state.missed = 0;
  if (!state.lost) return;
  state.lost = false;
  changed_ = true;
  tell(key, state);
}

void GatewayCheck::tell(const Key& key, const State& state) const {
  log::write(state.lost ? log::Level::kWarning : log::Level::kInfo,
             state.lost ? "route,warning" : "route,info", "gateway {}%{} {} {}",
             text_of(be32::from(std::get<2>(key))), state.interface_name,
             state.lost ? "does not answer" : "answers", std::get<0>(key) ? "ping" : "ARP");
}

void GatewayCheck::overhear(const rte_mbuf* packet) {
  if (gateways_.empty()) return;
  std::array<uint8_t, sizeof(EtherHdr) + sizeof(ArpHdr)> head{};
  ArpHdr arp{};
  if (read_head(packet, head) < head.size() || !read_header(head, sizeof(EtherHdr), arp)) return;
  if (arp.operation.host() != 2) return;
  for (auto& [key, state] : gateways_) {
    const auto& [by_ping, interface, address] = key;
    if (by_ping || address != arp.sender_ip.host()) continue;
    const Snapshot& s = io_.snapshot();
    if (interface < s.interfaces.size() && s.interfaces[interface].mac == arp.target_mac)
      answered(state, key);
  }
}

bool GatewayCheck::hear(std::span<const uint8_t> packet) {
  Ip4Hdr ip;
  IcmpHdr icmp;
  if (!read_ip4(packet, ip) || !read_header(packet, ip.header_length(), icmp)) return false;
  if (icmp.id.host() != id_) return false;
  for (auto& [key, state] : gateways_) {
    if (!std::get<0>(key) || std::get<2>(key) != ip.src.host() ||
        state.sequence != icmp.sequence.host())
      continue;
    answered(state, key);
    return true;
  }
  return false;
}

void GatewayCheck::ping(const Key& key, State& state) {
  const be32 target = be32::from(std::get<2>(key));
  state.sequence = ++last_sequence_;
  std::array<uint8_t, sizeof(Ip4Hdr) + sizeof(IcmpHdr)> bytes{};
  IcmpHdr icmp{};
  icmp.type = kIcmpEcho;
  icmp.id = be16::from(id_);
  icmp.sequence = be16::from(state.sequence);
  icmp.checksum.raw = checksum(&icmp, sizeof(icmp));
  const be32 source = book_.source_for(std::get<1>(key), target);
  write_header(bytes, 0,
               make_ip4({source, target, kProtoIcmp, 0, icmp_.next_id(), false}, bytes.size()));
  write_header(bytes, sizeof(Ip4Hdr), icmp);
  (void)send_ip4(io_, bytes, false, 0);
}

void GatewayCheck::tick() {
  const uint64_t now = io_.now_ms();
  for (auto& [key, state] : gateways_) {
    if (state.next_ms > now) continue;
    if (state.asked && !state.answered && ++state.missed >= kLostAfter && !state.lost) {
      state.lost = true;
      changed_ = true;
      tell(key, state);
    }
    state.asked = true;
    state.answered = false;
    state.next_ms = now + kIntervalMs;
    if (std::get<0>(key))
      ping(key, state);
    else
      arp_.ask(std::get<1>(key), be32::from(std::get<2>(key)));
  }
}

uint64_t GatewayCheck::next_deadline() const {
  uint64_t next = kNever;
  for (const auto& [key, state] : gateways_) next = std::min(next, state.next_ms);
  return next;
}

void GatewayCheck::add_learned(Learned& learned) const {
  for (const auto& [key, state] : gateways_) {
    if (state.lost)
      learned.lost_gateways.emplace(std::get<0>(key), state.interface_name, std::get<2>(key));
  }
}

}  // namespace maclane
