#include "control/service/dhcp_reply.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace maclane {
namespace {

using dhcp::Bytes;
using dhcp::Message;
using dhcp::Option;

constexpr size_t kSmallest = 576 - 28;  // what every client takes (RFC 2131 2)
constexpr size_t kLargest = 1472;
constexpr std::array<uint8_t, 4> kAlways = {Option::kMessageType, Option::kServerId,
                                            Option::kLeaseTime, Option::kRelayAgent};
/// What BOOTP clients understand (RFC 1497) and have room for.
constexpr std::array<uint8_t, 5> kBootp = {Option::kMask, Option::kRouter, Option::kDns,
                                           Option::kDomain, Option::kBootFile};
constexpr size_t kBootpSize = 300;
constexpr std::array<uint8_t, 3> kPlain = {Option::kMask, Option::kRouter, Option::kDns};

Bytes text_bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

void put_addresses(Message& m, uint8_t option, std::span<const be32> all) {
  Bytes bytes;
  for (const be32 one : all) {
    const uint32_t a = one.host();
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<uint8_t>(a >> shift));
  }
  if (!bytes.empty()) m.set(option, std::move(bytes));
}

Bytes value_of(const DhcpOptionConfig& option, const DhcpReply& from) {
  Bytes out;
  for (const DhcpOptionPart& part : option.value) {
    switch (part.kind) {
      case DhcpOptionPart::Kind::kBytes:
        out.insert(out.end(), part.bytes.begin(), part.bytes.end());
        break;
      case DhcpOptionPart::Kind::kHostName: {
        const std::string name = from.request.text(Option::kHostName);
        out.insert(out.end(), name.begin(), name.end());
        break;
      }
      case DhcpOptionPart::Kind::kNetworkGateway:
        if (from.network != nullptr && !from.network->gateways.empty()) {
          const uint32_t a = from.network->gateways.front().host();
          for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<uint8_t>(a >> shift));
        }
        break;
    }
  }
  return out;
}

void put_network(Message& m, const DhcpReply& from) {
  if (from.network == nullptr) return;
  const DhcpNetworkConfig& n = *from.network;
  put_addresses(m, Option::kRouter, n.gateways);
  if (!n.dns.empty()) {
    put_addresses(m, Option::kDns, n.dns);
  } else if (!n.dns_none) {
    put_addresses(m, Option::kDns, from.dns);
  }
  if (!n.ntp.empty()) {
    put_addresses(m, Option::kNtp, n.ntp);
  } else if (!n.ntp_none) {
    put_addresses(m, Option::kNtp, from.ntp);
  }
  put_addresses(m, Option::kWins, n.wins);
  put_addresses(m, Option::kCapwap, n.capwap);
  if (!n.domain.empty()) m.set(Option::kDomain, text_bytes(n.domain));
  if (!n.boot_file.empty()) m.set(Option::kBootFile, text_bytes(n.boot_file));
}

/// What a client did not ask for and no `force` wants goes; then what does not fit (C-4).
void trim(Message& m, const DhcpReply& from, std::span<const uint8_t> forced) {
  const auto in = [](std::span<const uint8_t> all, uint8_t code) {
    return std::ranges::find(all, code) != all.end();
  };
  const auto asked = from.request.options.find(Option::kParameterList);
  const bool bootp = from.request.type() == dhcp::Type::kNone;
  const std::span<const uint8_t> usual =
      bootp ? std::span<const uint8_t>(kBootp) : std::span<const uint8_t>(kPlain);
  const std::span<const uint8_t> wanted =
      asked == from.request.options.end() ? usual : asked->second;
  std::erase_if(m.options, [&](const auto& option) {
    return !in(kAlways, option.first) && !in(forced, option.first) && !in(wanted, option.first);
  });
  size_t most = bootp ? kBootpSize : kSmallest;
  const auto size = from.request.options.find(Option::kMaxSize);
  if (size != from.request.options.end() && size->second.size() == 2) {
    const size_t said = static_cast<size_t>(size->second[0]) << 8 | size->second[1];
    most = std::clamp(said < 28 ? 0 : said - 28, kSmallest, kLargest);
  }
  while (dhcp::build(m).size() > most) {
    const auto last = std::find_if(m.options.rbegin(), m.options.rend(), [&](const auto& option) {
      return !in(kAlways, option.first) && !in(kPlain, option.first);
    });
    if (last == m.options.rend()) return;
    m.options.erase(last->first);
  }
}

Message begin(const Message& request, dhcp::Type type, be32 server_id) {
  Message m;
  m.op = 2;
  m.xid = request.xid;
  m.broadcast = request.broadcast;
  m.giaddr = request.giaddr;
  m.chaddr = request.chaddr;
  if (request.type() != dhcp::Type::kNone) {
    m.set(Option::kMessageType, Bytes{static_cast<uint8_t>(type)});
    m.set(Option::kServerId, server_id.host());
  }
  // RFC 3046 2.2: a relay gets its own words back.
  if (const auto agent = request.options.find(Option::kRelayAgent); agent != request.options.end())
    m.set(Option::kRelayAgent, agent->second);
  return m;
}

}  // namespace

const DhcpNetworkConfig* network_of(std::span<const DhcpNetworkConfig> networks, uint32_t address) {
  const DhcpNetworkConfig* best = nullptr;
  for (const DhcpNetworkConfig& one : networks) {
    const uint32_t mask = one.length == 0 ? 0 : ~uint32_t{0} << (32 - one.length);
    if ((address & mask) != one.network) continue;
    if (best == nullptr || one.length > best->length) best = &one;
  }
  return best;
}

Message make_reply(const DhcpReply& from) {
  Message m = begin(from.request, from.type, from.server_id);
  m.yiaddr = be32::from(from.address);
  m.siaddr = from.server_id;
  if (from.address == 0) m.ciaddr = from.request.ciaddr;
  if (from.type == dhcp::Type::kAck) m.ciaddr = from.request.ciaddr;
  if (from.network != nullptr) {
    if (from.network->next_server != be32{}) m.siaddr = from.network->next_server;
    m.file = from.network->boot_file;
  }
  const bool row_mask = from.network != nullptr && from.network->length != 0;
  uint8_t length = row_mask ? from.network->length : from.length;
  if (from.network != nullptr && from.network->netmask != 0) length = from.network->netmask;
  if (length != 0) m.set(Option::kMask, ~uint32_t{0} << (32 - length));
  put_network(m, from);
  if (from.server.add_dns_entries && !m.options.contains(Option::kDomain))
    m.set(Option::kDomain, text_bytes(from.server.dns_suffix));
  if (from.lease_s != 0 && from.request.type() != dhcp::Type::kNone) {
    m.set(Option::kLeaseTime, from.lease_s);
    m.set(Option::kRenewalTime, from.lease_s / 2);
    m.set(Option::kRebindingTime, from.lease_s - from.lease_s / 8);
  }
  Bytes forced;
  const auto put_options = [&](const std::vector<DhcpOptionConfig>& options) {
    for (const DhcpOptionConfig& one : options) {
      m.set(one.code, value_of(one, from));
      if (one.force) forced.push_back(one.code);
    }
  };
  // The later goes before the earlier (C-4).
  if (from.network != nullptr) put_options(from.network->options);
  put_options(from.server.options);
  if (from.matcher != nullptr) put_options(from.matcher->options);
  if (from.row != nullptr) put_options(from.row->options);
  trim(m, from, forced);
  return m;
}

Message make_nak(const Message& request, be32 server_id, std::string_view why) {
  Message m = begin(request, dhcp::Type::kNak, server_id);
  m.set(Option::kMessage, text_bytes(why));
  m.broadcast = true;  // through a relay as well (RFC 2131 4.3.2)
  return m;
}

}  // namespace maclane
