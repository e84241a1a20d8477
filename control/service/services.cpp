#include "control/service/services.h"

#include <algorithm>

namespace maclane {

Services::Services(PacketIo& io, const InterfaceName& name, uint64_t seed)
    : io_(io),
      icmp_(io, book_, seed),
      arp_(io, book_, icmp_, name, seed ^ 0x9e3779b97f4a7c15ULL),
      local_(io, book_, icmp_),
      membership_(io),
      loop_protect_(io, name),
      dhcp_client_(io, seed ^ 0xd1b54a32d192ed03ULL),
      pppoe_client_(io, seed ^ 0x8cb92ba72f3d8dd7ULL),
      dhcp_server_(io, book_, arp_),
      dhcp_alert_(io, seed ^ 0x589965cc75374cc3ULL),
      gateway_check_(io, book_, arp_, icmp_, seed ^ 0xa0761d6478bd642fULL),
      redirects_(io, book_, name),
      ping_(io, book_, icmp_, seed ^ 0xe7037ed1a0b428dbULL),
      event_log_(name) {
  local_.on_echo_reply([this](std::span<const uint8_t> packet) {
    return gateway_check_.hear(packet) || ping_.hear(packet);
  });
  local_.on_icmp_error([this](std::span<const uint8_t> packet) { ping_.hear_error(packet); });
  local_.on_redirect([this](std::span<const uint8_t> packet, IfIndex in_if, bool related) {
    redirects_.hear(packet, in_if, related);
  });
  const auto addresses = [](const std::vector<LearnedServer>& learned) {
    std::vector<be32> out;
    for (const LearnedServer& one : learned)
      if (std::ranges::find(out, one.address) == out.end()) out.push_back(one.address);
    return out;
  };
  dhcp_server_.on_dns([this, addresses] { return addresses(learned().dns); });
  dhcp_server_.on_ntp([this, addresses] { return addresses(learned().ntp); });
}

void Services::on_config(const ServiceConfig& config) {
  book_.set(config.addresses);
  icmp_.on_config(config);
  membership_.on_config();
  event_log_.on_config(io_.snapshot());
  arp_.on_config(config);  // from here on they send
  loop_protect_.on_config(config);
  dhcp_client_.on_config(config);
  pppoe_client_.on_config(config);
  dhcp_server_.on_config(config.dhcp_server);
  dhcp_alert_.on_config(config.dhcp_alerts);
  gateway_check_.on_config(config);
  redirects_.on_config(config);
}

void Services::rename(const Renames& renames) {
  dhcp_client_.rename(renames);
  pppoe_client_.rename(renames);
}

bool Services::changed() {
  // Each is asked, and has said so then.
  const bool loops = loop_protect_.changed();
  const bool dhcp = dhcp_client_.changed();
  const bool pppoe = pppoe_client_.changed();
  const bool gateways = gateway_check_.changed();
  const bool redirects = redirects_.changed();
  return loops || dhcp || pppoe || gateways || redirects;
}

Learned Services::learned() const {
  Learned learned;
  dhcp_client_.add_learned(learned);
  pppoe_client_.add_learned(learned);
  gateway_check_.add_learned(learned);
  redirects_.add_learned(learned);
  return learned;
}

/// Where packets wait for a PPPoE session rather than for a neighbour.
bool Services::is_session(IfIndex interface) const {
  const Snapshot& s = io_.snapshot();
  return interface < s.interfaces.size() && s.interfaces[interface].kind == IfKind::kPppoe;
}

void Services::handle(rte_mbuf* packet) {
  switch (message_of(packet).reason) {
    case PuntReason::kArp:
      dhcp_client_.overhear(packet);
      dhcp_server_.overhear(packet);
      gateway_check_.overhear(packet);
      arp_.handle(packet);
      return;
    case PuntReason::kNeighbour:
      if (is_session(message_of(packet).out_if)) {
        pppoe_client_.wanted(packet);
      } else {
        arp_.handle(packet);
      }
      return;
    case PuntReason::kLocal:
      local_.handle(packet);
      return;
    case PuntReason::kIcmpError:
    case PuntReason::kTcpReset:
    case PuntReason::kTarpit:
      icmp_.handle(packet);
      return;
    case PuntReason::kDhcp:
      dhcp_alert_.overhear(packet);
      if (dhcp_server_.hear(packet)) {
        io_.consume(packet);
      } else {
        dhcp_client_.handle(packet);
      }
      return;
    case PuntReason::kPppoe:
      pppoe_client_.handle(packet);
      return;
    case PuntReason::kMembership:
      membership_.handle(packet);
      return;
    case PuntReason::kLoopProtect:
      loop_protect_.handle(packet);
      return;
  }
  io_.free(packet, Drop::no_service, message_of(packet).in_if);
}

void Services::handle(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kNeighbourUsed:
      arp_.used(event.out_if, event.address);
      break;
    case Event::Kind::kLog:
      event_log_.handle(event, io_.now_ms());
      break;
  }
}

void Services::tick() {
  arp_.tick();
  local_.tick();
  membership_.tick();
  loop_protect_.tick();
  dhcp_client_.tick();
  pppoe_client_.tick();
  dhcp_server_.tick();
  dhcp_alert_.tick();
  gateway_check_.tick();
  redirects_.tick();
  event_log_.tick(io_.now_ms());
}

uint64_t Services::next_deadline() const {
  return std::min({arp_.next_deadline(), local_.next_deadline(), membership_.next_deadline(),
                   loop_protect_.next_deadline(), dhcp_client_.next_deadline(),
                   pppoe_client_.next_deadline(), dhcp_server_.next_deadline(),
                   dhcp_alert_.next_deadline(), gateway_check_.next_deadline(),
                   redirects_.next_deadline(), event_log_.next_deadline()});
}

}  // namespace maclane
