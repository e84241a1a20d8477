// A PPPoE client in the network of fake_io.h, and an access concentrator that the test speaks for.
#pragma once

#include "control/observe/log.h"
#include "control/service/pppoe_client.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {

using pppoe::Discovery;
using pppoe::Tag;

inline constexpr IfIndex kLower = 2, kLower2 = 3;
inline const MacAddr kAc{{0x02, 0xac, 0, 0, 0, 1}};
inline const MacAddr kOtherAc{{0x02, 0xac, 0, 0, 0, 2}};

inline pppoe::Bytes bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

class PppoeClientTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    log::clear();
  }

  static PppoeClientConfig client(const std::string& name, IfIndex lower) {
    PppoeClientConfig one;
    one.name = name;
    one.lower = lower;
    one.user = "user1";
    one.password = "pass1";
    one.add_default_route = true;
    one.use_peer_dns = true;
    return one;
  }
  void start(std::vector<PppoeClientConfig> clients) {
    config.pppoe_clients = std::move(clients);
    publish();
  }
  [[nodiscard]] PppoeClient& clients() { return services->pppoe_client(); }
  [[nodiscard]] PppoeStatus status(std::string_view name = "out1") {
    const auto one = clients().status(name);
    return one == nullptr ? PppoeStatus{} : *one;
  }

  uint16_t peer_payload = 0;  // PPP-Max-Payload of its answers; 0: none
  struct Said {
    IfIndex out_if = kNoIf;
    Discovery discovery;  // code 0: a session frame
    uint16_t session = 0, protocol = 0;
    Bytes packet;
  };
  std::vector<Said> said() {
    std::vector<Said> out;
    for (const Sent& one : io.take()) {
      Said s;
      s.out_if = one.message.out_if;
      if (const auto d = pppoe::read_discovery(one.bytes)) {
        s.discovery = *d;
        EXPECT_EQ(d->src, io.published.interfaces[s.out_if].mac) << "C-29";
      } else if (const auto f = pppoe::read_session(one.bytes)) {
        s.session = f->session;
        s.protocol = f->protocol;
        s.packet = Bytes(f->packet.begin(), f->packet.end());
      } else {
        continue;  // ARP of others
      }
      out.push_back(std::move(s));
    }
    return out;
  }
  /// Lets time go on until a discovery frame with this code is sent.
  Said next(uint8_t code, uint64_t most_ms = 70 * kSecond) {
    for (uint64_t t = 0; t <= most_ms; t += 50) {
      for (Said& one : said()) {
        if (one.discovery.code == code) return one;
      }
      advance(50);
    }
    ADD_FAILURE() << "no " << int{code};
    return {};
  }
  void hear(const pppoe::Bytes& frame, IfIndex in_if = kLower) {
    PacketMessage message;
    message.reason = PuntReason::kPppoe;
    message.in_if = in_if;
    punt(frame, message);
  }
  Discovery answer(const Said& to, uint8_t code, uint16_t session = 0,
                   std::string_view ac = "ac1") const {
    Discovery d;
    d.src = kAc;
    d.dst = to.discovery.src;
    d.code = code;
    d.session = session;
    d.tags = {{Tag::kServiceName, *to.discovery.find(Tag::kServiceName)},
              {Tag::kAcName, bytes(ac)},
              {Tag::kHostUniq, *to.discovery.find(Tag::kHostUniq)}};
    if (peer_payload != 0)
      d.tags.push_back({Tag::kPppMaxPayload, ppp::option16(0, peer_payload).value});
    return d;
  }
  void hear_ppp(uint16_t protocol, const ppp::Bytes& packet, uint16_t session = 0x11,
                IfIndex in_if = kLower, const MacAddr& from = kAc) {
    hear(pppoe::build(pppoe::SessionFrame{from, mac(static_cast<uint8_t>(in_if)), session, protocol,
                                          packet}),
         in_if);
  }
  /// Discovery, and what was sent in the session since.
  std::vector<Said> open_session(uint16_t session = 0x11, IfIndex in_if = kLower) {
    hear(pppoe::build(answer(next(pppoe::kPadi), pppoe::kPado)), in_if);
    hear(pppoe::build(answer(next(pppoe::kPadr), pppoe::kPads, session)), in_if);
    return said();
  }
  /// Answers every Configure-Request of ours until the session is up.
  void connect(uint16_t session = 0x11, IfIndex in_if = kLower, uint32_t address = 0x0a400107) {
    std::vector<Said> all = open_session(session, in_if);
    hear_ppp(ppp::kLcp, ppp::build(1, 1, ppp::build_options({ppp::option32(5, 9)})), session,
             in_if);
    for (unsigned round = 0; round < 6; ++round) {
      for (const Said& one : all) {
        const auto packet = ppp::read(one.packet);
        if (!packet || packet->code != ppp::kConfigureRequest) continue;
        uint8_t code = ppp::kConfigureAck;
        ppp::Bytes data(packet->data.begin(), packet->data.end());
        if (one.protocol == ppp::kIpcp && data[2] == 0) {
          code = ppp::kConfigureNak;
          data = ppp::build_options({ppp::option32(3, address), ppp::option32(129, 0xcb007135),
                                     ppp::option32(131, 0xcb007136)});
          hear_ppp(ppp::kIpcp, ppp::build(1, 1, ppp::build_options({ppp::option32(3, 0x0a400001)})),
                   session, in_if);
        }
        hear_ppp(one.protocol, ppp::build(code, packet->id, data), session, in_if);
      }
      all = said();
    }
  }
};

}  // namespace maclane::test
