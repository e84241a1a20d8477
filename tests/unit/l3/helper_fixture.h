// What the tests of helpers share: text in packets, and connections that carry it.
#pragma once

#include <string>

#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {

class HelperTest : public NatRouteros {
 protected:
  void SetUp() override {
    NatRouteros::SetUp();
    turn_on(Helper::kFtp, kProtoTcp, 21);
  }
  void turn_on(Helper helper, uint8_t proto, uint16_t port) {
    snap.helpers_on = static_cast<uint8_t>(snap.helpers_on | 1u << static_cast<unsigned>(helper));
    snap.helper_ports.add(proto, be16::from(port), helper);
    publish();
  }

  static std::vector<uint8_t> with_text(std::vector<uint8_t> packet, std::string_view text) {
    packet.insert(packet.end(), text.begin(), text.end());
    auto* ip = reinterpret_cast<Ip4Hdr*>(packet.data());
    ip->total_length = be16::from(static_cast<uint16_t>(packet.size()));
    const auto length = static_cast<uint16_t>(packet.size() - 20);
    const uint32_t pseudo = pseudo_sum(ip->src, ip->dst, ip->proto, length);
    if (ip->proto == kProtoTcp) {
      auto* tcp = reinterpret_cast<TcpHdr*>(packet.data() + 20);
      tcp->checksum = {};
      tcp->checksum.raw = checksum(packet.data() + 20, length, pseudo);
    } else {
      auto* udp = reinterpret_cast<UdpHdr*>(packet.data() + 20);
      udp->length = be16::from(length);
      udp->checksum = {};
      udp->checksum.raw = checksum(packet.data() + 20, length, pseudo);
    }
    set_ip_checksum(packet);
    return packet;
  }
  /// What a packet that was sent says.
  static std::string text_of(const Sent& s) {
    const size_t header = s.ip().proto == kProtoTcp ? (s.l4<TcpHdr>().data_offset >> 4) * 4u : 8u;
    return {s.frame.begin() + static_cast<std::ptrdiff_t>(14 + s.ip().header_length() + header),
            s.frame.end()};
  }

  /// One side of a TCP connection as its host sees it.
  struct Host {
    uint32_t own = 0, peer = 0;
    uint16_t own_port = 0, peer_port = 0;
    IfIndex in_if = kLan;
    uint32_t seq = 0, ack = 0;
  };
  /// Sends text; what left the router, if anything did.
  const Sent* say(Host& host, std::string_view text, uint8_t flags = kTcpAck) {
    run(with_text(
            tcp(host.own, host.own_port, host.peer, host.peer_port, flags, host.seq, host.ack),
            text),
        host.in_if);
    if (sent().size() != 1) return nullptr;
    host.seq += static_cast<uint32_t>(text.size()) + ((flags & (kTcpSyn | kTcpFin)) != 0 ? 1 : 0);
    EXPECT_TRUE(sent()[0].checksums_ok());
    return sent().data();
  }
  /// What the other side learnt from a packet that left the router.
  static void hear(Host& host, const Sent& s) {
    const auto& t = s.l4<TcpHdr>();
    host.ack = t.seq.host() + static_cast<uint32_t>(text_of(s).size()) +
               ((t.flags & (kTcpSyn | kTcpFin)) != 0 ? 1 : 0);
    host.peer = s.ip().src.host();
    host.peer_port = t.sport.host();
  }
  void connect(Host& client, Host& server) {
    const Sent* s = say(client, "", kTcpSyn);
    ASSERT_NE(s, nullptr);
    server.own_port = s->l4<TcpHdr>().dport.host();
    hear(server, *s);
    s = say(server, "", kTcpSyn | kTcpAck);
    ASSERT_NE(s, nullptr);
    client.ack = s->l4<TcpHdr>().seq.host() + 1;
    ASSERT_NE(say(client, ""), nullptr);
  }
  /// Text from one to the other; what arrived.
  std::string tell(Host& from, Host& to, std::string_view text) {
    const Sent* s = say(from, text);
    if (s == nullptr) return "(nothing)";
    hear(to, *s);
    return text_of(*s);
  }

  Host pc_{kPc, kServer, 2000, 21, kLan, 1000, 0};
  Host server_{kServer, 0, 21, 0, kWan, 5000, 0};
};

}  // namespace maclane::test
