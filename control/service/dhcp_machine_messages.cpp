// What a DHCP client says (RFC 2131 table 4 and 5).
#include <algorithm>

#include "control/service/dhcp_machine.h"

namespace maclane {
namespace {

using dhcp::Message;
using dhcp::Option;
using dhcp::Type;

constexpr uint64_t kBroadcastFor = 15 * kSecond;  // C-15
constexpr uint16_t kLargestMessage = 1472;

/// C-17, and what RouterOS's list lacks and Microsoft's servers send instead of 121.
constexpr uint8_t kWanted[] = {Option::kClasslessRoutes,
                               Option::kMask,
                               Option::kRouter,
                               Option::kDns,
                               Option::kDomain,
                               Option::kStaticRoute,
                               Option::kNtp,
                               Option::kVendorSpecific,
                               Option::kCapwap,
                               Option::kClasslessRoutesMs};

}  // namespace

dhcp::Bytes DhcpMachine::client_id() const {
  dhcp::Bytes id;
  switch (config_.client_id) {
    case DhcpClientConfig::ClientId::kNone:
      return id;
    case DhcpClientConfig::ClientId::kMac:
      id.push_back(1);
      break;
    case DhcpClientConfig::ClientId::kDuid:  // RFC 4361: an IAID, here of the MAC, and a DUID-LL
      id.push_back(0xff);
      id.insert(id.end(), mac_.bytes.begin() + 2, mac_.bytes.end());
      id.insert(id.end(), {0, 3, 0, 1});
      break;
  }
  id.insert(id.end(), mac_.bytes.begin(), mac_.bytes.end());
  return id;
}

void DhcpMachine::add_identity(Message& m) const {
  if (dhcp::Bytes id = client_id(); !id.empty()) m.set(Option::kClientId, std::move(id));
}

Message DhcpMachine::message(Type type, uint64_t now) const {
  Message m;
  m.xid = xid_;
  m.chaddr = mac_;
  m.set(Option::kMessageType, dhcp::Bytes{static_cast<uint8_t>(type)});
  add_identity(m);
  if (type == Type::kDecline || type == Type::kRelease) return m;
  m.secs = static_cast<uint16_t>(std::min<uint64_t>((now - began_ms_) / kSecond, UINT16_MAX));
  m.broadcast =
      config_.broadcast == DhcpClientConfig::Broadcast::kAlways ||
      (config_.broadcast == DhcpClientConfig::Broadcast::kBoth && now - began_ms_ < kBroadcastFor);
  m.set(Option::kParameterList, dhcp::Bytes(std::begin(kWanted), std::end(kWanted)));
  m.set(Option::kMaxSize, dhcp::Bytes{kLargestMessage >> 8, kLargestMessage & 0xff});
  if (!config_.host_name.empty())
    m.set(Option::kHostName, dhcp::Bytes(config_.host_name.begin(), config_.host_name.end()));
  return m;
}

/// What the state has to say (RFC 2131 table 4).
void DhcpMachine::transmit(uint64_t now) {
  if (state_ == State::kSelecting) {
    Message m = message(Type::kDiscover, now);
    if (wanted_ != be32{}) m.set(Option::kRequestedAddress, wanted_.host());
    port_.send(m, nullptr);
    return;
  }
  Message m = message(Type::kRequest, now);
  switch (state_) {
    case State::kRequesting:
      m.set(Option::kRequestedAddress, chosen_.address.host());
      m.set(Option::kServerId, chosen_.server.host());
      break;
    case State::kReboot:
      m.set(Option::kRequestedAddress, wanted_.host());
      break;
    case State::kRenewing:
    case State::kRebinding:
      m.ciaddr = lease_->address;
      m.broadcast = false;  // it has an address
      break;
    default:
      return;
  }
  port_.send(m, state_ == State::kRenewing ? &*lease_ : nullptr);
}

}  // namespace maclane
