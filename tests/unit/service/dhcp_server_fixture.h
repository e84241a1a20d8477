// DHCP servers in the network of fake_io.h, and clients that the test speaks for.
#pragma once

#include "control/observe/log.h"
#include "control/service/dhcp_server.h"
#include "dataplane/net/checksum.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {

using dhcp::Message;
using dhcp::Option;
using dhcp::Type;
using Status = DhcpBinding::Status;

inline constexpr IfIndex kLan = 1, kIot = 2;
inline constexpr uint32_t kTop = ip4(192, 168, 1, 110);

class DhcpServerTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    DhcpNetworkConfig network;
    network.network = ip4(192, 168, 1, 0);
    network.length = 24;
    network.gateways = {addr(192, 168, 1, 1)};
    network.dns = {addr(192, 168, 1, 53)};
    network.domain = "lan.example";
    config.dhcp_server.networks = {network};
    config.dhcp_server.servers = {server("dhcp1", kLan)};
    publish();
    io.take();
    log::clear();
  }

  static DhcpServerConfig server(const std::string& name, IfIndex interface) {
    DhcpServerConfig one;
    one.name = name;
    one.interface = interface;
    one.ranges = {{"pool", ip4(192, 168, 1, 101), kTop}};
    one.lease_s = 600;
    return one;
  }
  static DhcpServerConfig first_of(std::vector<DhcpServerConfig> all, uint32_t id,
                                   const std::string& name) {
    all.front().id = id;
    all.front().name = name;
    return all.front();
  }
  DhcpServerConfig& first() { return config.dhcp_server.servers.front(); }
  [[nodiscard]] DhcpServer& servers() { return services->dhcp_server(); }

  static Message message(Type type, uint8_t who, uint32_t requested = 0, uint32_t server_id = 0) {
    Message m;
    m.xid = 0x1000u + who;
    m.chaddr = client_mac(who);
    m.set(Option::kMessageType, dhcp::Bytes{static_cast<uint8_t>(type)});
    m.set(Option::kParameterList, dhcp::Bytes{1, 3, 6, 15});
    if (requested != 0) m.set(Option::kRequestedAddress, requested);
    if (server_id != 0) m.set(Option::kServerId, server_id);
    return m;
  }
  static MacAddr client_mac(uint8_t who) { return {{0x02, 0xcc, 0, 0, 0, who}}; }

  void hear(const Message& m, IfIndex in_if = kLan, IfIndex sender = kNoIf) {
    const bool unicast = m.ciaddr != be32{} && m.giaddr == be32{};
    dhcp::FrameFields fields;
    fields.src = m.chaddr;
    fields.dst = unicast ? mac(static_cast<uint8_t>(in_if)) : kBroadcastMac;
    fields.ip_src = m.ciaddr;
    fields.ip_dst = unicast ? addr(192, 168, 1, 1) : addr(255, 255, 255, 255);
    PacketMessage punt_message;
    punt_message.reason = PuntReason::kDhcp;
    punt_message.in_if = in_if;
    punt_message.out_if = sender;
    punt_message.broadcast = !unicast;
    punt(dhcp::build_frame(fields, m), punt_message);
  }
  struct Said {
    IfIndex out_if;
    EtherHdr ether;
    Ip4Hdr ip;
    Message message;
  };
  std::vector<Said> said() {
    std::vector<Said> out;
    for (const Sent& one : io.take()) {
      const size_t at = one.message.kind == InjectKind::kFrame ? 14 : 0;
      const auto ether = at == 0 ? EtherHdr{} : one.at<EtherHdr>(0);
      if (at != 0 && ether.type.host() == kEtherArp) {
        probed_.push_back(one.arp().target_ip);
        continue;
      }
      const Bytes packet(one.bytes.begin() + static_cast<ptrdiff_t>(at), one.bytes.end());
      EXPECT_TRUE(l4_checksum_ok(packet));
      auto m = dhcp::parse(std::span(packet).subspan(28));
      if (!m) {  // an answer to a BOOTP client differs from its question in the first byte alone
        Bytes as_asked(packet.begin() + 28, packet.end());
        as_asked.front() = 1;
        m = dhcp::parse_bootp(as_asked);
        if (m) m->op = packet[28];
      }
      EXPECT_TRUE(m && m->op == 2);
      if (m) out.push_back({one.message.out_if, ether, one.at<Ip4Hdr>(at), *m});
    }
    return out;
  }
  Said one() {
    const auto all = said();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Said{} : all.back();
  }
  /// DISCOVER to ACK; the address.
  uint32_t bind(uint8_t who, IfIndex in_if = kLan) {
    hear(message(Type::kDiscover, who), in_if);
    advance(kSecond);
    const Said offer = one();
    EXPECT_EQ(offer.message.type(), Type::kOffer);
    const uint32_t address = offer.message.yiaddr.host();
    hear(message(Type::kRequest, who, address, *offer.message.number(Option::kServerId)), in_if);
    EXPECT_EQ(one().message.type(), Type::kAck);
    return address;
  }
  [[nodiscard]] const DhcpBinding* lease(uint32_t address) {
    const auto found = servers().leases().find(address);
    return found == servers().leases().end() ? nullptr : &found->second;
  }
  void answer_probe(uint32_t address) {
    ServiceTest::hear(arp_frame(2, kOtherMac, be32::from(address), mac(kLan), be32{}, mac(kLan)),
                      kLan);
  }

  std::vector<be32> probed_;
};

}  // namespace maclane::test
