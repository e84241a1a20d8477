// The servers' wires: which server hears a message, how answers and probes leave, and time. What is
// said is in dhcp_server_messages.cpp.
#include "control/service/dhcp_server.h"

#include <algorithm>
#include <array>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "control/service/text.h"

namespace maclane {
namespace {

constexpr uint32_t kAnyRelay = 0xffffffff;

const PacketMessage& punt_of(const rte_mbuf* packet) {
  return *static_cast<const PacketMessage*>(
      rte_mbuf_to_priv(const_cast<rte_mbuf*>(packet)));  // NOLINT: DPDK's takes no const
}

}  // namespace

void DhcpServer::on_config(const DhcpServingConfig& config) {
  // ARP rows stand by interface: what changed hands is taken down under the old configuration.
  for (const auto& [address, binding] : leases_.all()) {
    if (const DhcpServerConfig* server = server_of(binding);
        server != nullptr && server->add_arp && binding.status == BindingStatus::kBound)
      arp_.remove_lease(server->interface, be32::from(address));
  }
  config_ = config;
  leases_.configure(
      config_,
      [&](const DhcpBinding& binding) {
        lost_to_row(binding);
        ended(binding);
      },
      [&](const DhcpBinding& binding) { tell(binding); });
  std::erase_if(tested_, [&](const auto& one) { return leases_.at(one.first) == nullptr; });
  for (const auto& [address, binding] : leases_.all()) {
    if (const DhcpServerConfig* server = server_of(binding);
        server != nullptr && server->add_arp && binding.status == BindingStatus::kBound)
      arp_.set_lease(server->interface, be32::from(address), binding.mac);
  }
}

/// A lease may go because a person gave its address to another client.
void DhcpServer::lost_to_row(const DhcpBinding& binding) const {
  const auto row = std::ranges::find(config_.leases, binding.address, &DhcpStaticLease::address);
  if (row == config_.leases.end() || binding.is_static()) return;
  log::write(log::Level::kWarning, "dhcp,warning",
             "{}: {} is another client's by a row of lease now; {}, which has it, is told so when "
             "it asks again and may use it until then",
             binding.server, text_of(be32::from(binding.address)), text_of(binding.mac));
}

/// The pool of a server, or of what its matchers give, that an address is of; nullptr: of none.
const DhcpPoolRange* DhcpServer::range_of(const DhcpServerConfig& server, uint32_t address) {
  const auto in = [address](const std::vector<DhcpPoolRange>& ranges) {
    const auto found = std::ranges::find_if(ranges, [address](const DhcpPoolRange& r) {
      return address >= r.first && address <= r.last;
    });
    return found == ranges.end() ? nullptr : &*found;
  };
  const DhcpPoolRange* range = in(server.ranges);
  for (const DhcpMatcher& matcher : server.matchers)
    if (range == nullptr) range = in(matcher.ranges);
  return range;
}

void DhcpServer::tell(const DhcpBinding& binding) {
  ++changes_;
  if (told_) told_(binding);
}

void DhcpServer::restore(std::vector<DhcpBinding> kept) {
  ++changes_;
  for (DhcpBinding& one : kept) {
    if (one.until_ms <= io_.now_ms()) continue;
    const bool known =
        server_of(one) != nullptr || std::ranges::any_of(config_.names, [&](const auto& name) {
          return name.second == one.server;
        });
    if (!known) {  // its server may have another name in a file that was changed meanwhile
      const auto server = std::ranges::find_if(config_.servers, [&](const DhcpServerConfig& s) {
        return range_of(s, one.address) != nullptr;
      });
      if (server == config_.servers.end()) continue;
      one.server = server->name;
    }
    const DhcpServerConfig* server = server_of(one);
    const DhcpBinding* there = leases_.at(one.address);
    const DhcpPoolRange* range = server == nullptr ? nullptr : range_of(*server, one.address);
    one.pool = there != nullptr || range == nullptr ? "" : range->pool;
    const DhcpBinding* binding = leases_.adopt(std::move(one));
    if (binding != nullptr && server != nullptr && server->add_arp)
      arp_.set_lease(server->interface, be32::from(binding->address), binding->mac);
  }
}

be32 DhcpServer::id_of(const DhcpServerConfig& server) const {
  const Snapshot& s = io_.snapshot();
  if (server.interface == kNoIf || server.interface >= s.interfaces.size()) return {};
  const Interface& i = s.interfaces[server.interface];
  if (i.kind == IfKind::kNone || !i.up || i.attached) return {};
  if (server.server_address == be32{}) return i.primary_address;
  return book_.owns(server.interface, server.server_address) ? server.server_address : be32{};
}

bool DhcpServer::hears(const DhcpServerConfig& server, const dhcp::Message& message,
                       const PacketMessage& punt) const {
  const Snapshot& s = io_.snapshot();
  if (id_of(server) == be32{}) return false;
  const Interface& i = s.interfaces[server.interface];
  if (message.chaddr == i.mac) return false;  // its own client
  if (!is_heard_on(s, server.interface, punt)) return false;
  const bool relayed = message.giaddr != be32{};
  if (server.relay == be32{}) return !relayed;
  return relayed && (server.relay.host() == kAnyRelay || server.relay == message.giaddr);
}

bool DhcpServer::hear(const rte_mbuf* packet) {
  if (config_.servers.empty()) return false;
  const PacketMessage& punt = punt_of(packet);
  std::array<uint8_t, dhcp::kLargestFrame> bytes;
  const size_t n = read_head(packet, bytes);
  const auto heard = dhcp::read_frame(std::span(bytes).first(n), dhcp::kServerPort);
  if (!heard || punt.in_if >= io_.snapshot().interfaces.size()) return false;
  const dhcp::Message& m = heard->message;
  if (m.chaddr.is_zero() || (m.chaddr.bytes[0] & 1) != 0) return false;
  for (const DhcpServerConfig& server : config_.servers) {
    if (!hears(server, m, punt)) continue;
    Request request{server, *heard, id_of(server), punt.in_if, {}, {}};
    const auto id = m.options.find(dhcp::kClientId);
    if (id != m.options.end()) request.client_id = id->second;
    request.identity = DhcpLeases::identity(
        m.chaddr, server.by_client_id ? request.client_id : std::vector<uint8_t>());
    take(request);
  }
  return true;
}

void DhcpServer::take(const Request& r) {
  if (r.heard.message.secs < r.server.delay_threshold_s) return;
  switch (r.heard.message.type()) {
    case dhcp::Type::kDiscover:
      return discover(r);
    case dhcp::Type::kRequest:
      return request(r);
    case dhcp::Type::kDecline:
      return decline(r);
    case dhcp::Type::kRelease:
      return release(r);
    case dhcp::Type::kInform:
      return inform(r);
    case dhcp::Type::kNone:
      return bootp(r);
    default:
      return;
  }
}

void DhcpServer::probe(const DhcpServerConfig& server, uint32_t address) {
  const Interface& i = io_.snapshot().interfaces[server.interface];
  std::array<uint8_t, sizeof(EtherHdr) + sizeof(ArpHdr)> frame{};
  write_header(frame, 0, EtherHdr{kBroadcastMac, i.mac, be16::from(kEtherArp)});
  write_header(frame, sizeof(EtherHdr),
               ArpHdr{be16::from(1), be16::from(kEtherIp4), 6, 4, be16::from(1), i.mac, be32{},
                      MacAddr{}, be32::from(address)});
  rte_mbuf* m = make_packet(io_, frame);
  if (m == nullptr) return;
  message_of(m).kind = InjectKind::kFrame;
  message_of(m).out_if = server.interface;
  io_.inject(m);
}

void DhcpServer::overhear(const rte_mbuf* packet) {
  if (tested_.empty()) return;
  std::array<uint8_t, sizeof(EtherHdr) + sizeof(ArpHdr)> bytes{};
  ArpHdr arp;
  const Snapshot& s = io_.snapshot();
  const IfIndex in_if = punt_of(packet).in_if;
  if (read_head(packet, bytes) != bytes.size() || !read_header(bytes, sizeof(EtherHdr), arp) ||
      in_if >= s.interfaces.size())
    return;
  const auto tested = tested_.find(arp.sender_ip.host());
  if (tested == tested_.end()) return;
  DhcpBinding* binding = leases_.at(tested->first);
  const DhcpServerConfig* server = binding == nullptr ? nullptr : server_of(*binding);
  if (server == nullptr || arp.sender_mac == tested->second.heard.message.chaddr ||
      arp.sender_mac == s.interfaces[server->interface].mac ||
      s.interfaces[server->interface].domain != s.interfaces[in_if].domain)
    return;
  log::write(log::Level::kWarning, "dhcp,warning",
             "{}: {} is in use by {}, which has no lease of it; it is not given for {} s",
             server->name, text_of(arp.sender_ip), text_of(arp.sender_mac), server->lease_s);
  const Tested again = std::move(tested->second);
  tested_.erase(tested);
  const std::string identity = binding->identity;
  leases_.claim(*binding, server->name, "conflict " + std::to_string(binding->address));
  binding->mac = arp.sender_mac;
  leases_.set_status(*binding, BindingStatus::kConflict,
                     io_.now_ms() + uint64_t{server->lease_s} * 1000);
  // The client gets another one now, it has waited already.
  Request request{*server, again.heard, id_of(*server), again.in_if, identity, {}};
  const auto id = again.heard.message.options.find(dhcp::kClientId);
  if (id != again.heard.message.options.end()) request.client_id = id->second;
  discover(request);
}

void DhcpServer::tick() {
  const uint64_t now = io_.now_ms();
  while (DhcpBinding* binding = leases_.due(now)) {
    const auto tested = tested_.find(binding->address);
    if (binding->status == BindingStatus::kTesting && tested != tested_.end()) {
      const Tested one = std::move(tested->second);
      tested_.erase(tested);
      const DhcpServerConfig* server = server_of(*binding);
      if (server != nullptr && id_of(*server) != be32{}) {
        offer({*server, one.heard, id_of(*server), one.in_if, binding->identity, {}}, *binding);
        continue;
      }
    }
    unbind(*binding);
  }
}

void DhcpServer::send(const Request& r, const dhcp::Message& message, bool always_broadcast) {
  dhcp::FrameFields fields;
  const Interface& i = io_.snapshot().interfaces[r.server.interface];
  fields.src = i.mac;
  fields.ip_src = r.server_id;
  fields.sport = dhcp::kServerPort;
  fields.dport = dhcp::kClientPort;
  const dhcp::Message& asked = r.heard.message;
  const bool nak = message.type() == dhcp::Type::kNak;
  if (asked.giaddr != be32{}) {  // back by the relay, wherever it is
    fields.ip_dst = asked.giaddr;
    fields.dport = dhcp::kServerPort;
    const dhcp::Bytes frame = dhcp::build_frame(fields, message);
    (void)send_ip4(io_, std::span(frame).subspan(sizeof(EtherHdr)), false, 0);
    return;
  }
  if (nak || ((always_broadcast || asked.broadcast) && asked.ciaddr == be32{})) {
    fields.dst = kBroadcastMac;
    fields.ip_dst = be32::from(0xffffffff);
  } else if (asked.ciaddr != be32{}) {
    fields.dst = r.heard.src;
    fields.ip_dst = asked.ciaddr;
  } else {  // to who has no address yet, without ARP (RFC 2131 4.1)
    fields.dst = asked.chaddr;
    fields.ip_dst = message.yiaddr;
  }
  rte_mbuf* m = make_packet(io_, dhcp::build_frame(fields, message));
  if (m == nullptr) return;
  message_of(m).kind = InjectKind::kFrame;
  message_of(m).out_if = r.server.interface;
  io_.inject(m);
}

const DhcpServerConfig* DhcpServer::server_of(const DhcpBinding& binding) const {
  const auto found = std::ranges::find(config_.servers, binding.server, &DhcpServerConfig::name);
  return found == config_.servers.end() ? nullptr : &*found;
}

const DhcpStaticLease* DhcpServer::row_of(const DhcpBinding& binding) const {
  if (!binding.is_static()) return nullptr;
  const auto found = std::ranges::find(config_.leases, binding.static_id, &DhcpStaticLease::id);
  return found == config_.leases.end() ? nullptr : &*found;
}

bool DhcpServer::remove(uint32_t number) {
  for (const auto& [address, binding] : leases_.all()) {
    if (binding.number != number || binding.is_static()) continue;
    unbind(*leases_.at(address));
    return true;
  }
  return false;
}

}  // namespace maclane
