// A DHCP client in the network of fake_io.h, and a server that the test speaks for.
#pragma once

#include "control/observe/log.h"
#include "control/service/dhcp_client.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {

using dhcp::Message;
using dhcp::Option;
using dhcp::Type;

inline constexpr IfIndex kWan = 2, kWan2 = 3;
inline const MacAddr kServerMac{{0x02, 0xd0, 0, 0, 0, 1}};

class DhcpClientTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    config.addresses.clear();
    publish();
    io.take();
    log::clear();
  }

  DhcpClientConfig client(IfIndex interface) {
    DhcpClientConfig one;
    one.interface = interface;
    one.interface_name = "if" + std::to_string(interface);
    one.host_name = "edge1";
    return one;
  }
  void start(std::vector<DhcpClientConfig> clients) {
    config.dhcp_clients = std::move(clients);
    publish();
  }
  [[nodiscard]] std::string status(IfIndex i = kWan) {
    const DhcpMachine* one = services->dhcp_client().find("if" + std::to_string(i));
    return one == nullptr ? "" : std::string(one->status());
  }
  [[nodiscard]] Learned learned() { return services->learned(); }

  struct Said {
    IfIndex out_if;
    EtherHdr ether;
    Ip4Hdr ip;
    Message message;
    uint8_t priority;
  };
  /// The DHCP messages sent since, their frames checked; ARP probes are counted.
  std::vector<Said> said() {
    std::vector<Said> out;
    for (const Sent& one : io.take()) {
      const auto ether = one.at<EtherHdr>(0);
      if (ether.type.host() == kEtherArp) {
        ++probes_;
        continue;
      }
      EXPECT_EQ(one.message.kind, InjectKind::kFrame);
      const Bytes packet(one.bytes.begin() + 14, one.bytes.end());
      EXPECT_TRUE(l4_checksum_ok(packet));
      const auto m = dhcp::parse(std::span(packet).subspan(28));
      EXPECT_TRUE(m);
      if (!m) continue;
      out.push_back({one.message.out_if, ether, one.at<Ip4Hdr>(14), *m, one.message.priority});
    }
    return out;
  }
  /// Lets time go on until something is said.
  Said next(uint64_t most_ms = 100 * kSecond) {
    for (uint64_t t = 0; t <= most_ms; t += 50) {
      const auto all = said();
      if (!all.empty()) return all.back();
      advance(50);
    }
    ADD_FAILURE() << "nothing was said";
    return {};
  }

  static Message reply(const Message& to, Type type, uint32_t address, uint32_t lease = 600) {
    Message m;
    m.op = 2;
    m.xid = to.xid;
    m.chaddr = to.chaddr;
    m.yiaddr = be32::from(address);
    m.set(Option::kMessageType, dhcp::Bytes{static_cast<uint8_t>(type)});
    m.set(Option::kServerId, ip4(203, 0, 113, 1));
    m.set(Option::kMask, 0xffffff00);
    m.set(Option::kRouter, ip4(203, 0, 113, 1));
    m.set(Option::kDns, ip4(203, 0, 113, 53));
    m.set(Option::kNtp, ip4(203, 0, 113, 12));
    if (lease != 0) m.set(Option::kLeaseTime, lease);
    return m;
  }
  void hear(const Message& m, IfIndex in_if = kWan, bool broadcast = false) {
    dhcp::FrameFields fields;
    fields.src = kServerMac;
    fields.dst = broadcast ? kBroadcastMac : m.chaddr;
    fields.ip_src = addr(203, 0, 113, 1);
    fields.ip_dst = broadcast ? addr(255, 255, 255, 255) : m.yiaddr;
    Bytes frame = dhcp::build_frame(fields, m);
    std::swap(frame[35], frame[37]);
    PacketMessage message;
    message.reason = PuntReason::kDhcp;
    message.in_if = in_if;
    message.broadcast = broadcast;
    punt(frame, message);
  }
  void arp(be32 sender, be32 target, const MacAddr& from, uint16_t operation = 2) {
    ServiceTest::hear(arp_frame(operation, from, sender, {}, target), 1);
  }
  /// All the way to an address.
  void bind(uint32_t address = ip4(203, 0, 113, 50), uint32_t lease = 600, IfIndex i = kWan) {
    hear(reply(next().message, Type::kOffer, address, lease), i);
    hear(reply(next().message, Type::kAck, address, lease), i);
    advance(kSecond);
    said();
    ASSERT_EQ(status(i), "bound");
    (void)services->changed();
  }

  unsigned probes_ = 0;
};

}  // namespace maclane::test
