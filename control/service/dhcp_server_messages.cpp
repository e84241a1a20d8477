// What the servers say to each message (RFC 2131 4.3; behaviour.md C-6..C-11).
#include <algorithm>

#include "control/observe/log.h"
#include "control/service/dhcp_reply.h"
#include "control/service/dhcp_server.h"
#include "control/service/text.h"

namespace maclane {
namespace {

using dhcp::Option;
using dhcp::Type;

constexpr uint32_t kForever = 0xffffffff;

}  // namespace

const DhcpMatcher* DhcpServer::matcher_of(const Request& r) {
  for (const DhcpMatcher& one : r.server.matchers) {
    const auto said = r.heard.message.options.find(one.code);
    if (said == r.heard.message.options.end()) continue;
    const dhcp::Bytes& value = said->second;
    const bool part = std::search(value.begin(), value.end(), one.value.begin(), one.value.end()) !=
                          value.end() ||
                      one.value.empty();
    if (one.substring ? part : value == one.value) return &one;
  }
  return nullptr;
}

const std::vector<DhcpPoolRange>& DhcpServer::ranges_of(const Request& r) {
  const DhcpMatcher* matcher = matcher_of(r);
  return matcher != nullptr && matcher->has_pool ? matcher->ranges : r.server.ranges;
}

/// Whether a lease can be had where the client is now: its server may stand on another interface
/// than when it gave it (RFC 2131 4.3.2: the wrong network).
bool DhcpServer::fits(const Request& r, const DhcpBinding& binding) const {
  if (binding.is_static() || r.heard.message.giaddr != be32{} ||
      binding.interface == r.server.interface_name)
    return true;
  return std::ranges::any_of(book_.of(r.server.interface), [&](const InterfaceAddress& one) {
    return in_prefix(one, be32::from(binding.address));
  });
}

/// A row for an address that the router has itself, be it one it was given later, gives nothing.
bool DhcpServer::is_ours(const DhcpBinding& row) const {
  if (!book_.owns(be32::from(row.address))) return false;
  log::write(log::Level::kWarning, "dhcp,warning",
             "the row of lease for {} has {}, which is the router's own address: it is not given",
             text_of(row.mac), text_of(be32::from(row.address)));
  return true;
}

/// The client's row or lease, or a fresh address of the pool; nullptr: none, or none that is left.
DhcpBinding* DhcpServer::binding_for(const Request& r, bool& limited) {
  const dhcp::Message& m = r.heard.message;
  DhcpBinding* own = leases_.find(r.server.name, r.identity);
  DhcpBinding* row = leases_.find_static(r.server.name, m.chaddr, r.client_id);
  if (row != nullptr) {  // static rows win (C-14); the pool's address is given up
    if (own != nullptr && own != row && !own->is_static()) unbind(*own);
    limited = is_ours(*row);
    return limited ? nullptr : row;
  }
  if (own != nullptr && fits(r, *own)) return own;
  if (own != nullptr) unbind(*own);
  if (r.server.client_mac_limit != 0) {
    const auto same = std::ranges::count_if(leases_.all(), [&](const auto& one) {
      return one.second.server == r.server.name && one.second.mac == m.chaddr &&
             one.second.status != BindingStatus::kConflict &&
             one.second.status != BindingStatus::kDeclined;
    });
    if (same >= int64_t{r.server.client_mac_limit}) {
      log::write(log::Level::kWarning, "dhcp,warning",
                 "{}: {} has {} leases already (client-mac-limit)", r.server.name,
                 text_of(m.chaddr), same);
      limited = true;
      return nullptr;
    }
  }
  const auto wanted = m.number(Option::kRequestedAddress).value_or(0);
  const auto on_wire = book_.of(r.server.interface);
  return leases_.allocate(r.server.name, ranges_of(r), r.identity, wanted, [&](uint32_t address) {
    const be32 a = be32::from(address);
    return !dhcp::is_host(a) || book_.owns(a) ||
           std::ranges::any_of(on_wire, [&](const InterfaceAddress& one) {
             return one.length < 31 && in_prefix(one, a) && !book_.connected(one.interface, a);
           });
  });
}

void DhcpServer::note(DhcpBinding& binding, const Request& r) {
  const dhcp::Message& m = r.heard.message;
  binding.seen_ms = static_cast<int64_t>(io_.now_ms());
  binding.interface = r.server.interface_name;
  binding.mac = m.chaddr;
  binding.src_mac = r.heard.src;
  binding.client_id = r.client_id;
  if (m.options.contains(Option::kHostName)) {
    const std::string name = m.text(Option::kHostName);
    if (name != binding.host_name || binding.named_ms == DhcpBinding::kNeverSeen)
      binding.named_ms = binding.seen_ms;
    binding.host_name = name;
  }
  if (m.options.contains(Option::kClassId)) binding.class_id = m.text(Option::kClassId);
  if (!r.server.lease_script.empty()) binding.options = m.options;
}

void DhcpServer::discover(const Request& r) {
  bool limited = false;
  DhcpBinding* binding = binding_for(r, limited);
  if (binding == nullptr) {
    if (!ranges_of(r).empty() && !limited) {
      log::write(log::Level::kWarning, "dhcp,warning", "{}: no address is left in its pool for {}",
                 r.server.name, text_of(r.heard.message.chaddr));
    }
    return;
  }
  if (binding->blocked) return;
  const bool fresh = binding->status == BindingStatus::kWaiting && !binding->is_static();
  if (binding->status == BindingStatus::kTesting) {
    // Asked again meanwhile: this is what is answered.
    if (const auto tested = tested_.find(binding->address); tested != tested_.end())
      tested->second.heard = r.heard;
    return;
  }
  if (binding->status == BindingStatus::kDeclined || binding->status == BindingStatus::kConflict) {
    if (!binding->is_static()) return;
    leases_.set_status(*binding, BindingStatus::kWaiting, kNever);
  }
  if (binding->identity != r.identity) leases_.claim(*binding, r.server.name, r.identity);
  note(*binding, r);
  if (fresh && r.server.conflict_detection && r.heard.message.giaddr == be32{}) {
    tested_[binding->address] = {r.heard, r.in_if};
    leases_.set_status(*binding, BindingStatus::kTesting, io_.now_ms() + kTestMs);
    probe(r.server, binding->address);
    return;
  }
  offer(r, *binding);
}

/// A BOOTP client asks once and has what it is told (RFC 951): there is no offer to take.
void DhcpServer::bootp(const Request& r) {
  using Bootp = DhcpServerConfig::Bootp;
  if (r.server.bootp == Bootp::kNone) return;
  if (r.server.bootp == Bootp::kStatic &&
      leases_.find_static(r.server.name, r.heard.message.chaddr, r.client_id) == nullptr)
    return;
  discover(r);
}

void DhcpServer::offer(const Request& r, DhcpBinding& binding) {
  if (r.heard.message.type() == Type::kNone) return bind(r, binding);
  if (binding.status != BindingStatus::kBound)
    leases_.set_status(binding, BindingStatus::kOffered, io_.now_ms() + kOfferMs);
  // Who takes none may not hear what is sent to it alone: of each four in a row the last two go to
  // everybody (C-9).
  constexpr unsigned kInARow = 4, kToItAlone = 2;
  answer(r, &binding, Type::kOffer, binding.offers++ % kInARow >= kToItAlone);
}

/// Whether another of our servers on the segment gave the address to this client: then it is not
/// this one's to refuse (C-10).
bool DhcpServer::is_anothers(const Request& r, uint32_t address) const {
  const auto found = leases_.all().find(address);
  return found != leases_.all().end() && found->second.server != r.server.name &&
         server_of(found->second) != nullptr && found->second.mac == r.heard.message.chaddr &&
         (found->second.status == BindingStatus::kBound ||
          found->second.status == BindingStatus::kOffered);
}

void DhcpServer::request(const Request& r) {
  const dhcp::Message& m = r.heard.message;
  const auto chosen = m.number(Option::kServerId);
  DhcpBinding* binding = leases_.find(r.server.name, r.identity);
  if (chosen && be32::from(*chosen) != r.server_id) {  // another's offer was taken
    if (binding != nullptr && binding->status == BindingStatus::kOffered) leases_.end(*binding);
    return;
  }
  const uint32_t address =
      m.ciaddr != be32{} ? m.ciaddr.host() : m.number(Option::kRequestedAddress).value_or(0);
  if (address == 0) return;
  DhcpBinding* const row = leases_.find_static(r.server.name, m.chaddr, r.client_id);
  if (binding != nullptr && binding != row && binding->address == address && !fits(r, *binding)) {
    unbind(*binding);
    binding = nullptr;
  }
  if (row != nullptr && row->address == address && !is_ours(*row)) {
    if (row->identity != r.identity) leases_.claim(*row, r.server.name, r.identity);
    binding = row;
  } else if (row != nullptr) {
    binding = nullptr;  // its row has another address
  }
  const bool known = binding != nullptr && binding->address == address && !binding->blocked &&
                     (binding->status == BindingStatus::kBound ||
                      binding->status == BindingStatus::kOffered || binding == row);
  if (known) return bind(r, *binding);
  if (binding != nullptr && binding->blocked) return;
  if (chosen) return refuse(r, "the address was not offered to this client");
  if (is_anothers(r, address)) return;
  using Authoritative = DhcpServerConfig::Authoritative;
  const bool speaks = r.server.authoritative == Authoritative::kYes ||
                      (r.server.authoritative == Authoritative::kAfter2s && m.secs >= 2) ||
                      (r.server.authoritative == Authoritative::kAfter10s && m.secs >= 10);
  if (speaks) refuse(r, "the address is not this client's here");
}

void DhcpServer::bind(const Request& r, DhcpBinding& binding) {
  const bool fresh = binding.status != BindingStatus::kBound;
  binding.offers = 0;
  note(binding, r);
  if (!fresh && r.server.add_arp)
    arp_.remove_lease(r.server.interface, be32::from(binding.address));
  if (fresh) binding.bound_ms = binding.seen_ms;
  const uint32_t seconds = lease_s(r, binding);
  leases_.set_status(binding, BindingStatus::kBound,
                     seconds == kForever ? kNever : io_.now_ms() + uint64_t{seconds} * 1000);
  if (r.server.add_arp)
    arp_.set_lease(r.server.interface, be32::from(binding.address), binding.mac);
  answer(r, &binding, Type::kAck);
  tell(binding);
  if (!fresh) return;
  log::write(log::Level::kInfo, "dhcp,info", "{} assigned {} for {} {}", r.server.name,
             text_of(be32::from(binding.address)), text_of(binding.mac), binding.host_name);
  if (script_) script_(r.server, binding, true);
}

/// What is to be done when a lease is no more: its ARP row, its line in the log.
void DhcpServer::ended(const DhcpBinding& binding) {
  const DhcpServerConfig* server = server_of(binding);
  if (server != nullptr && server->add_arp)
    arp_.remove_lease(server->interface, be32::from(binding.address));
  log::write(log::Level::kInfo, "dhcp,info", "{} deassigned {} for {} {}", binding.server,
             text_of(be32::from(binding.address)), text_of(binding.mac), binding.host_name);
  DhcpBinding gone = binding;
  gone.status = BindingStatus::kWaiting;
  tell(gone);
  if (server != nullptr && script_) script_(*server, binding, false);
}

void DhcpServer::unbind(DhcpBinding& binding) {
  tested_.erase(binding.address);
  if (binding.status == BindingStatus::kBound) ended(binding);
  leases_.end(binding);
}

void DhcpServer::decline(const Request& r) {
  const dhcp::Message& m = r.heard.message;
  const auto server = m.number(Option::kServerId);
  const auto address = m.number(Option::kRequestedAddress);
  if (!server || be32::from(*server) != r.server_id || !address) return;
  DhcpBinding* binding = leases_.find(r.server.name, r.identity);
  if (binding == nullptr || binding->address != *address) return;
  log::write(log::Level::kWarning, "dhcp,warning",
             "{}: {} declined {}: somebody else has it; it is not given for {} s", r.server.name,
             text_of(m.chaddr), text_of(be32::from(*address)), r.server.lease_s);
  if (binding->status == BindingStatus::kBound) ended(*binding);
  leases_.claim(*binding, r.server.name, "declined " + std::to_string(*address));
  leases_.set_status(*binding, BindingStatus::kDeclined,
                     io_.now_ms() + uint64_t{r.server.lease_s} * 1000);
}

void DhcpServer::release(const Request& r) {
  const auto server = r.heard.message.number(Option::kServerId);
  if (server && be32::from(*server) != r.server_id) return;
  DhcpBinding* binding = leases_.find(r.server.name, r.identity);
  if (binding != nullptr && be32::from(binding->address) == r.heard.message.ciaddr)
    unbind(*binding);
}

void DhcpServer::inform(const Request& r) {
  if (r.heard.message.ciaddr != be32{}) answer(r, nullptr, Type::kAck);
}

void DhcpServer::refuse(const Request& r, std::string_view why) {
  log::write(log::Level::kDebug, "dhcp,debug", "{} refused {} to {}: {}", r.server.name,
             text_of(be32::from(r.heard.message.number(Option::kRequestedAddress)
                                    .value_or(r.heard.message.ciaddr.host()))),
             text_of(r.heard.message.chaddr), why);
  send(r, make_nak(r.heard.message, r.server_id, why), true);
}

uint32_t DhcpServer::lease_s(const Request& r, const DhcpBinding& binding) const {
  if (r.heard.message.type() == Type::kNone) return r.server.bootp_lease_s;
  const DhcpStaticLease* row = row_of(binding);
  const uint32_t most = row != nullptr && row->lease_s != 0 ? row->lease_s : r.server.lease_s;
  // Who wants less gets less, but not so little that it asks all the time.
  const auto wanted = r.heard.message.number(Option::kLeaseTime);
  constexpr uint32_t kShortest = 60;
  return wanted ? std::min(most, std::max(*wanted, kShortest)) : most;
}

void DhcpServer::answer(const Request& r, const DhcpBinding* binding, Type type, bool to_all) {
  const DhcpStaticLease* row = binding == nullptr ? nullptr : row_of(*binding);
  const uint32_t address = binding == nullptr ? r.heard.message.ciaddr.host() : binding->address;
  const std::vector<be32> learned = dns_ ? dns_() : std::vector<be32>();
  const std::vector<be32> times = ntp_ ? ntp_() : std::vector<be32>();
  uint8_t length = 0;
  for (const InterfaceAddress& one : book_.of(r.server.interface))
    if (in_prefix(one, be32::from(address))) length = std::max(length, one.length);
  const DhcpReply reply{
      .server = r.server,
      .request = r.heard.message,
      .network = network_of(config_.networks, address),
      .row = row,
      .matcher = matcher_of(r),
      .type = type,
      .server_id = r.server_id,
      .address = binding == nullptr ? 0 : address,
      .lease_s = binding == nullptr ? 0 : lease_s(r, *binding),
      .length = length,
      .dns = learned.empty() ? std::span<const be32>(config_.dns) : std::span<const be32>(learned),
      .ntp = times,
  };
  send(r, make_reply(reply),
       to_all || r.server.always_broadcast || (row != nullptr && row->always_broadcast));
}

}  // namespace maclane
