#include "control/service/pppoe_client.h"

#include <algorithm>

#include "control/service/packet_build.h"
#include "control/service/pppoe_session.h"
#include "control/service/text.h"

namespace maclane {
namespace {

using pppoe::Tag;

constexpr size_t kLargestFrame = 9216;
constexpr uint64_t kScanMs = 1000, kScanStartMs = 50;
constexpr size_t kMostOffers = 256;
constexpr uint64_t kStrayMs = 1000;

}  // namespace

PppoeClient::PppoeClient(PacketIo& io, uint64_t seed) : io_(io), seeds_(seed) {}
PppoeClient::~PppoeClient() = default;

const Interface* PppoeClient::running(IfIndex interface) const {
  const Snapshot& s = io_.snapshot();
  if (interface == kNoIf || interface >= s.interfaces.size()) return nullptr;
  const Interface& i = s.interfaces[interface];
  return i.kind != IfKind::kNone && i.up && !i.attached && !i.mac.is_zero() ? &i : nullptr;
}

void PppoeClient::send(IfIndex from, std::span<const uint8_t> frame) {
  if (running(from) == nullptr) return;
  rte_mbuf* m = make_packet(io_, frame);
  if (m == nullptr) return;
  message_of(m).kind = InjectKind::kFrame;
  message_of(m).out_if = from;
  io_.inject(m);
}

void PppoeClient::rename(const Renames& renames) {
  rename_keys(renames, clients_);
  for (const auto& [name, client] : clients_) client->config.name = name;
  for (auto& [number, scan] : scans_) maclane::rename(renames, scan.interface_name);
}

void PppoeClient::on_config(const ServiceConfig& config) {
  const uint64_t now = io_.now_ms();
  std::erase_if(clients_, [&](const auto& entry) {
    Client& client = *entry.second;
    const auto wanted =
        std::ranges::find(config.pppoe_clients, entry.first, &PppoeClientConfig::name);
    if (wanted != config.pppoe_clients.end()) {
      // What is only about what is done with a session does not end it.
      PppoeClientConfig same = *wanted;
      same.add_default_route = client.config.add_default_route;
      same.distance = client.config.distance;
      const Wire wire = wire_of(io_.snapshot(), wanted->lower);
      // RFC 2516 4: a session is of both MAC addresses.
      if (same == client.config && !wire.is_other_than(client.wire)) {
        if (wire.is_known()) client.wire = wire;
        if (*wanted != client.config) changed_ = true;
        client.config = *wanted;
        return false;
      }
    }
    client.hang_up(wanted == config.pppoe_clients.end() ? "disabled" : "changed", true);
    return true;
  });
  for (const PppoeClientConfig& wanted : config.pppoe_clients) {
    const auto [found, fresh] = clients_.try_emplace(wanted.name);
    if (fresh) found->second = std::make_unique<Client>(*this, wanted, seeds_.next());
    if (fresh) found->second->wire = wire_of(io_.snapshot(), wanted.lower);
    found->second->set_running(running(wanted.lower) != nullptr, now);
    if (has_session(wanted.interface)) found->second->release();
  }
  tick();
}

void PppoeClient::handle(rte_mbuf* packet) {
  const IfIndex in_if = message_of(packet).in_if;
  std::vector<uint8_t> bytes(std::min<size_t>(packet->pkt_len, kLargestFrame));
  bytes.resize(read_head(packet, bytes));
  if (const auto discovery = pppoe::read_discovery(bytes)) {
    io_.consume(packet);
    discovered(*discovery, in_if);
  } else if (const auto session = pppoe::read_session(bytes)) {
    io_.consume(packet);
    in_session(*session, in_if);
  } else {
    io_.free(packet, Drop::pppoe_malformed, in_if);
  }
}

void PppoeClient::wanted(rte_mbuf* packet) {
  const PacketMessage& message = message_of(packet);
  for (const auto& [name, client] : clients_) {
    if (client->config.interface != message.out_if || !client->config.on_demand) continue;
    client->wanted(packet, io_.now_ms());
    if (has_session(message.out_if)) client->release();  // it came meanwhile
    return;
  }
  io_.free(packet, Drop::neigh_failed, message.in_if);
}

/// Whether the workers know one.
bool PppoeClient::has_session(IfIndex interface) const {
  const Snapshot& s = io_.snapshot();
  return interface < s.interfaces.size() && s.interfaces[interface].pppoe_session.raw != 0;
}

void PppoeClient::discovered(const pppoe::Discovery& heard, IfIndex in_if) {
  const uint64_t now = io_.now_ms();
  const pppoe::Bytes* uniq = heard.find(Tag::kHostUniq);
  bool ours = heard.code != pppoe::kPado;
  for (auto& [number, scan] : scans_) {
    if (heard.code == pppoe::kPado && scan.interface == in_if && uniq != nullptr &&
        *uniq == scan.host_uniq) {
      ours = true;
      offered(scan, heard);
    }
  }
  for (const auto& [name, client] : clients_) {
    if (client->config.lower != in_if) continue;
    if (heard.code == pppoe::kPadt) {
      if (client->state == Client::State::kSession && client->session == heard.session &&
          client->peer == heard.src)
        client->hang_up("the access concentrator ended the session", false);
    } else if (client->owns(uniq)) {
      ours = true;
      if (heard.code == pppoe::kPado) client->offered(heard, now);
      if (heard.code == pppoe::kPads) client->confirmed(heard, now);
    }
  }
  if (ours) return;
  for (const auto& [name, client] : clients_)
    if (client->config.lower == in_if) client->not_answered(heard);
}

void PppoeClient::in_session(const pppoe::SessionFrame& heard, IfIndex in_if) {
  const uint64_t now = io_.now_ms();
  bool ours = false;
  for (const auto& [name, client] : clients_) {
    if (client->config.lower != in_if) continue;
    ours = true;
    if (client->state != Client::State::kSession || client->session != heard.session ||
        client->peer != heard.src)
      continue;
    client->link->receive(heard.protocol, heard.packet, now);
    return;
  }
  const Interface* i = running(in_if);
  if (!ours || i == nullptr || heard.src.is_multicast() || now - stray_ms_ < kStrayMs) return;
  stray_ms_ = now;
  pppoe::Discovery d;
  d.src = i->mac;
  d.dst = heard.src;
  d.code = pppoe::kPadt;
  d.session = heard.session;
  send(in_if, pppoe::build(d));
}

void PppoeClient::tick() {
  const uint64_t now = io_.now_ms();
  for (const auto& [name, client] : clients_) client->tick(now);
  for (auto& [number, scan] : scans_) {
    if (scan.due_ms > now) continue;
    scan.due_ms = now + kScanMs;
    const Interface* i = running(scan.interface);
    if (i == nullptr) continue;
    pppoe::Discovery d;
    d.src = i->mac;
    d.dst = kBroadcastMac;
    d.code = pppoe::kPadi;
    d.tags = {{Tag::kServiceName, {}}, {Tag::kHostUniq, scan.host_uniq}};
    send(scan.interface, pppoe::build(d));
  }
}

uint64_t PppoeClient::next_deadline() const {
  uint64_t next = kNever;
  for (const auto& [name, client] : clients_) next = std::min(next, client->next_deadline());
  for (const auto& [number, scan] : scans_) next = std::min(next, scan.due_ms);
  return next;
}

void PppoeClient::end() {
  for (const auto& [name, client] : clients_) {
    if (client->state == Client::State::kSession) client->hang_up("the router ends", true);
  }
}

/// What leads packets to a session that is not there yet: as in RouterOS an address of
/// 10.112.112.0/24 (C-28).
void PppoeClient::add_dormant(const Client& client, uint32_t number, Learned& learned) {
  constexpr uint32_t kNet = 0x0a707000, kPairs = 127;
  constexpr uint16_t kMtu = 1492;
  const std::string& name = client.config.name;
  const uint32_t local = kNet + number % kPairs * 2, remote = local + 1;
  learned.sessions[name] = {be16{}, MacAddr{},
                            client.config.max_mtu == 0 ? kMtu : client.config.max_mtu};
  learned.addresses.push_back({name, local, 32, remote, LearnedFrom::kPpp});
  if (client.config.add_default_route)
    learned.routes.push_back({0, 0, name, client.config.distance, local, LearnedFrom::kPpp});
}

void PppoeClient::add_learned(Learned& learned) const {
  for (const auto& [number, scan] : scans_) learned.scanned.insert(scan.interface_name);
  uint32_t number = 0;
  for (const auto& [name, client] : clients_) {
    ++number;
    if (!client->connected()) {
      if (client->config.on_demand) add_dormant(*client, number, learned);
      continue;
    }
    const ppp::Link& link = *client->link;
    learned.sessions[name] = {be16::from(client->session), client->peer, link.mtu()};
    learned.addresses.push_back(
        {name, link.local().host(), 32, link.remote().host(), LearnedFrom::kPpp});
    if (client->config.add_default_route)
      learned.routes.push_back(
          {0, 0, name, client->config.distance, link.local().host(), LearnedFrom::kPpp});
    if (client->config.use_peer_dns)
      for (const be32 one : link.dns()) learned.dns.push_back({one, name});
  }
}

std::unique_ptr<PppoeStatus> PppoeClient::status(std::string_view name) const {
  const auto found = clients_.find(name);
  if (found == clients_.end()) return nullptr;
  const Client& client = *found->second;
  auto out = std::make_unique<PppoeStatus>();
  out->last_error = client.last_error;
  switch (client.state) {
    case Client::State::kStopped:
    case Client::State::kWaiting:
      out->status = "disconnected";
      return out;
    case Client::State::kLooking:
    case Client::State::kAsking:
      out->status = "dialing...";
      return out;
    case Client::State::kSession:
      break;
  }
  const ppp::Link& link = *client.link;
  out->status = link.phase() == ppp::Link::Phase::kUp             ? "connected"
                : link.phase() == ppp::Link::Phase::kAuthenticate ? "verifying password..."
                                                                  : "negotiating...";
  out->service_name = client.service_name;
  out->ac_name = client.ac_name;
  out->ac_mac = client.peer;
  out->session = client.session;
  if (!client.connected()) return out;
  out->authentication = link.authentication();
  out->mtu = link.mtu();
  out->mru = link.mru();
  out->local = link.local();
  out->remote = link.remote();
  out->uptime_ms = io_.now_ms() - client.up_since_ms;
  return out;
}

uint64_t PppoeClient::start_scan(std::string interface_name, IfIndex interface) {
  Scan scan;
  scan.interface_name = std::move(interface_name);
  scan.interface = interface;
  const uint64_t seed = seeds_.next();
  for (unsigned i = 0; i < 8; ++i) scan.host_uniq.push_back(static_cast<uint8_t>(seed >> 8 * i));
  // Answers are heard once the snapshot says so.
  scan.due_ms = io_.now_ms() + kScanStartMs;
  scans_.emplace(++last_scan_, std::move(scan));
  changed_ = true;
  return last_scan_;
}

void PppoeClient::stop_scan(uint64_t scan) {
  if (scans_.erase(scan) != 0) changed_ = true;
}

const std::vector<PppoeOffer>& PppoeClient::offers(uint64_t scan) const {
  static const std::vector<PppoeOffer> none;
  const auto found = scans_.find(scan);
  return found == scans_.end() ? none : found->second.offers;
}

/// One offer for each service of the concentrator.
void PppoeClient::offered(Scan& scan, const pppoe::Discovery& heard) {
  const pppoe::Bytes* ac = heard.find(Tag::kAcName);
  for (const pppoe::TagValue& tag : heard.tags) {
    if (tag.type != Tag::kServiceName || scan.offers.size() >= kMostOffers) continue;
    PppoeOffer one{ppp::words(tag.value), ac == nullptr ? "" : ppp::words(*ac), heard.src};
    const bool known = std::ranges::any_of(scan.offers, [&](const PppoeOffer& other) {
      return other.mac == one.mac && other.service_name == one.service_name;
    });
    if (!known) scan.offers.push_back(std::move(one));
  }
}

}  // namespace maclane
