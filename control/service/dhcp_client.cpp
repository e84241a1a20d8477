#include "control/service/dhcp_client.h"

#include <algorithm>
#include <array>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "control/service/text.h"
#include "control/service/wire.h"

namespace maclane {

struct DhcpClient::Client final : DhcpMachine::Port {
  Client(DhcpClient& o, DhcpClientConfig c, uint64_t seed)
      : owner(o), config(std::move(c)), machine(*this, seed) {}

  void send(const dhcp::Message& message, const DhcpLease* lease) override {
    const Interface* i = running();
    if (i == nullptr) return;
    dhcp::FrameFields fields;
    fields.src = i->mac;
    fields.dst = lease != nullptr ? lease->server_mac : kBroadcastMac;
    fields.ip_src = message.ciaddr;
    fields.ip_dst = lease != nullptr ? lease->server : be32::from(0xffffffff);
    fields.tos = static_cast<uint8_t>(config.dscp << 2);
    inject(dhcp::build_frame(fields, message));
  }

  void probe(be32 address) override {
    const Interface* i = running();
    if (i == nullptr) return;
    std::array<uint8_t, sizeof(EtherHdr) + sizeof(ArpHdr)> frame{};
    write_header(frame, 0, EtherHdr{kBroadcastMac, i->mac, be16::from(kEtherArp)});
    write_header(frame, sizeof(EtherHdr),
                 ArpHdr{be16::from(1), be16::from(kEtherIp4), 6, 4, be16::from(1), i->mac, be32{},
                        MacAddr{}, address});
    inject(frame);
  }

  [[nodiscard]] std::string taken(be32 address) const override {
    if (std::ranges::find(owner.own_addresses_, address) == owner.own_addresses_.end()) return {};
    return "it is the router's own, a row of /ip/address";
  }

  void bound(const DhcpLease& lease, bool renewed) override {
    owner.changed_ = true;
    if (renewed) {
      log::write(log::Level::kDebug, "dhcp,debug", "dhcp-client on {} renewed IP address {}",
                 config.interface_name, text_of(lease.address));
      return;
    }
    log::write(log::Level::kInfo, "dhcp,info", "dhcp-client on {} got IP address {}",
               config.interface_name, text_of(lease.address));
    if (owner.script_) owner.script_(config, lease, true);
  }

  void lost(const DhcpLease& lease, std::string_view why) override {
    owner.changed_ = true;
    log::write(log::Level::kInfo, "dhcp,info", "dhcp-client on {} lost IP address {} - {}",
               config.interface_name, text_of(lease.address), why);
    if (owner.script_) owner.script_(config, lease, false);
  }

  void say(std::string_view what) override {
    log::write(log::Level::kWarning, "dhcp,warning", "dhcp-client on {}: {}", config.interface_name,
               what);
  }

  /// nullptr: nothing can be sent or heard there.
  [[nodiscard]] const Interface* running() const {
    const Snapshot& s = owner.io_.snapshot();
    if (config.interface == kNoIf || config.interface >= s.interfaces.size()) return nullptr;
    const Interface& i = s.interfaces[config.interface];
    return i.kind != IfKind::kNone && i.up && !i.attached ? &i : nullptr;
  }

  void inject(std::span<const uint8_t> frame) const {
    rte_mbuf* m = make_packet(owner.io_, frame);
    if (m == nullptr) return;
    message_of(m).kind = InjectKind::kFrame;
    message_of(m).out_if = config.interface;
    message_of(m).priority = config.vlan_priority;
    owner.io_.inject(m);
  }

  DhcpClient& owner;
  DhcpClientConfig config;
  DhcpMachine machine;
  Wire wire;  // that it is on
};

DhcpClient::DhcpClient(PacketIo& io, uint64_t seed) : io_(io), seeds_(seed) {}
DhcpClient::~DhcpClient() = default;

void DhcpClient::rename(const Renames& renames) {
  rename_keys(renames, clients_);
  for (const auto& [name, client] : clients_) client->config.interface_name = name;
  KeptAddresses kept = kept_;
  rename_keys(renames, kept);
  if (kept == kept_) return;
  kept_ = std::move(kept);
  if (save_) save_(kept_);
}

void DhcpClient::on_config(const ServiceConfig& config) {
  const uint64_t now = io_.now_ms();
  own_addresses_ = config.own_addresses;
  std::erase_if(clients_, [&](const auto& entry) {
    const auto wanted =
        std::ranges::find(config.dhcp_clients, entry.first, &DhcpClientConfig::interface_name);
    if (wanted != config.dhcp_clients.end()) return false;
    entry.second->machine.end(now);
    return true;
  });
  for (const DhcpClientConfig& wanted : config.dhcp_clients) {
    const auto [found, fresh] = clients_.try_emplace(wanted.interface_name);
    if (fresh) found->second = std::make_unique<Client>(*this, wanted, seeds_.next());
    Client& client = *found->second;
    if (client.config != wanted) changed_ = true;  // what it learned may count in another way
    client.config = wanted;
    const Snapshot& s = io_.snapshot();
    const Interface* i = client.running();
    // Of an interface that is down the MAC is known as well.
    const MacAddr mac =
        wanted.interface < s.interfaces.size() ? s.interfaces[wanted.interface].mac : MacAddr {};
    client.machine.configure(wanted, mac, now);
    const Wire wire = wire_of(s, wanted.interface);
    if (wire.is_other_than(client.wire) && wire.mac == client.wire.mac) client.machine.move(now);
    if (wire.is_known()) client.wire = wire;
    const auto kept = kept_.find(wanted.interface_name);
    if (fresh && kept != kept_.end() && kept->second.mac == mac)
      client.machine.remember(kept->second.address);
    client.machine.set_running(i != nullptr && !mac.is_zero(), now);
  }
  tick();
}

void DhcpClient::handle(rte_mbuf* packet) {
  const PacketMessage message = message_of(packet);
  std::array<uint8_t, dhcp::kLargestFrame> bytes;
  const size_t n = read_head(packet, bytes);
  const auto heard = dhcp::read_frame(std::span(bytes).first(n));
  const Snapshot& s = io_.snapshot();
  if (!heard || message.in_if >= s.interfaces.size()) {
    io_.free(packet, Drop::l4_malformed, message.in_if);
    return;
  }
  io_.consume(packet);
  for (const auto& [name, client] : clients_) {
    const Interface* i = client->running();
    if (i == nullptr || heard->message.xid != client->machine.xid() ||
        heard->message.chaddr != i->mac)
      continue;
    if (!is_heard_on(s, client->config.interface, message)) continue;
    client->machine.handle(*heard, io_.now_ms());
    if (client->machine.probing() != be32{}) ++probing_;
  }
  if (changed_) save();
}

void DhcpClient::overhear(const rte_mbuf* packet) {
  if (probing_ == 0) return;
  const PacketMessage& message = *static_cast<const PacketMessage*>(
      rte_mbuf_to_priv(const_cast<rte_mbuf*>(packet)));  // NOLINT: DPDK's takes no const
  std::array<uint8_t, sizeof(EtherHdr) + sizeof(ArpHdr)> bytes{};
  ArpHdr arp;
  const Snapshot& s = io_.snapshot();
  if (read_head(packet, bytes) != bytes.size() || !read_header(bytes, sizeof(EtherHdr), arp) ||
      message.in_if >= s.interfaces.size())
    return;
  const uint16_t domain = s.interfaces[message.in_if].domain;
  probing_ = 0;
  for (const auto& [name, client] : clients_) {
    const be32 probed = client->machine.probing();
    const Interface* i = client->running();
    if (probed == be32{} || i == nullptr) continue;
    ++probing_;
    if (i->domain != domain || arp.sender_mac == i->mac) continue;
    // Who has it, or who probes for it at the same time (RFC 5227 2.1.1).
    const bool prober =
        arp.sender_ip == be32{} && arp.target_ip == probed && arp.operation == be16::from(1);
    if (arp.sender_ip == probed || prober)
      client->machine.conflict(probed, arp.sender_mac, io_.now_ms());
  }
}

void DhcpClient::tick() {
  const uint64_t now = io_.now_ms();
  for (const auto& [name, client] : clients_) client->machine.tick(now);
  if (changed_) save();
}

uint64_t DhcpClient::next_deadline() const {
  uint64_t next = kNever;
  for (const auto& [name, client] : clients_)
    next = std::min(next, client->machine.next_deadline());
  return next;
}

void DhcpClient::save() {
  KeptAddresses now = kept_;
  for (const auto& [name, client] : clients_) {
    const Interface* i = client->running();
    const be32 address = client->machine.remembered();
    if (i == nullptr) continue;
    if (address == be32{}) {
      now.erase(name);
    } else {
      now[name] = {address, i->mac};
    }
  }
  if (now == kept_) return;
  kept_ = std::move(now);
  if (save_) save_(kept_);
}

void DhcpClient::add_learned(Learned& learned) const {
  for (const auto& entry : clients_) {
    const std::string& name = entry.first;
    const Client* const client = entry.second.get();
    const DhcpLease* lease = client->machine.lease();
    if (lease == nullptr) continue;
    const DhcpClientConfig& config = client->config;
    learned.addresses.push_back(
        {name, lease->address.host(), lease->length, 0, LearnedFrom::kDhcp});
    const auto add_route = [&](uint32_t network, uint8_t length, be32 gateway) {
      LearnedRoute route{network,
                         length,
                         gateway == be32{} ? name : text_of(gateway) + "%" + name,
                         config.distance,
                         lease->address.host(),
                         LearnedFrom::kDhcp};
      // It is the default route's gateway that is asked (C-15).
      if (length == 0) route.check = config.check_gateway;
      for (const std::string& table : config.tables) {
        route.table = table;
        learned.routes.push_back(route);
      }
    };
    using DefaultRoute = DhcpClientConfig::DefaultRoute;
    if (config.default_route != DefaultRoute::kNo) {
      for (const dhcp::Route& route : lease->routes)
        add_route(route.network, route.length, route.gateway);
      // RFC 3442: with option 121 the router option does not count (C-17).
      const bool has_default = std::ranges::any_of(
          lease->routes, [](const dhcp::Route& route) { return route.length == 0; });
      const bool asked = config.default_route == DefaultRoute::kSpecialClassless
                             ? !has_default
                             : !lease->classless;
      if (asked && !lease->gateways.empty()) add_route(0, 0, lease->gateways.front());
    }
    if (config.use_peer_dns)
      for (const be32 one : lease->dns) learned.dns.push_back({one, name});
    if (config.use_peer_ntp)
      for (const be32 one : lease->ntp) learned.ntp.push_back({one, name});
  }
}

bool DhcpClient::renew(std::string_view interface) {
  const auto found = clients_.find(interface);
  if (found == clients_.end()) return false;
  found->second->machine.renew(io_.now_ms());
  return true;
}

bool DhcpClient::release(std::string_view interface) {
  const auto found = clients_.find(interface);
  if (found == clients_.end()) return false;
  found->second->machine.release(io_.now_ms());
  save();
  return true;
}

const DhcpMachine* DhcpClient::find(std::string_view interface) const {
  const auto found = clients_.find(interface);
  return found == clients_.end() ? nullptr : &found->second->machine;
}

}  // namespace maclane
