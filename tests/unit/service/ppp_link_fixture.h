// A PPP link, and a peer that the test speaks for.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/service/ppp_link.h"

namespace maclane::ppp {

struct SentPacket {
  uint16_t protocol = 0;
  uint8_t code = 0, id = 0;
  Bytes data;
};

/// The peer: keeps what was sent, answers as the test says.
class LinkTest : public ::testing::Test, public Link::Port {
 protected:
  void send(uint16_t protocol, const Bytes& packet) override {
    const auto one = read(packet);
    ASSERT_TRUE(one);
    sent.push_back({protocol, one->code, one->id, Bytes(one->data.begin(), one->data.end())});
  }
  void up() override { ++ups; }
  void interrupted() override { ++interruptions; }
  void down(std::string_view why) override { ended = why; }

  void begin() {
    link = std::make_unique<Link>(*this, settings, 1);
    link->start(now);
  }
  std::vector<SentPacket> take() { return std::exchange(sent, {}); }
  /// The last packet of a protocol with this code; it must be there.
  SentPacket last(uint16_t protocol, uint8_t code) {
    for (auto it = sent.rbegin(); it != sent.rend(); ++it) {
      if (it->protocol == protocol && it->code == code) return *it;
    }
    ADD_FAILURE() << "nothing of " << std::hex << protocol << " code " << int{code};
    return {};
  }
  void say(uint16_t protocol, uint8_t code, uint8_t id, const Bytes& data = {}) {
    link->receive(protocol, build(code, id, data), now);
  }
  void acknowledge(uint16_t protocol) {
    const SentPacket request = last(protocol, kConfigureRequest);
    say(protocol, kConfigureAck, request.id, request.data);
  }
  void ask(uint16_t protocol, const std::vector<Option>& options, uint8_t id = 1) {
    say(protocol, kConfigureRequest, id, build_options(options));
  }
  /// LCP with this way to authenticate; {}: none.
  void open_lcp(const Bytes& authentication = {}) {
    std::vector<Option> options{option16(kMru, 1492), option32(kMagic, 0x99)};
    if (!authentication.empty()) options.push_back({kAuthentication, authentication});
    ask(kLcp, options);
    acknowledge(kLcp);
  }
  void open_ipcp() {
    ask(kIpcp, {option32(kAddress, 0x0a400001)});
    const SentPacket request = last(kIpcp, kConfigureRequest);
    auto options = *read_options(request.data);
    for (Option& one : options) {
      if (one.type == kAddress) one = option32(kAddress, 0x0a400107);
      if (one.type == kPrimaryDns) one = option32(kPrimaryDns, 0xcb007135);
      if (one.type == kSecondaryDns) one = option32(kSecondaryDns, 0xcb007136);
    }
    say(kIpcp, kConfigureNak, request.id, build_options(options));
    acknowledge(kIpcp);
  }
  void advance(uint64_t ms) {
    const uint64_t end = now + ms;
    while (link->next_deadline() <= end) {
      now = std::max(now, link->next_deadline());
      link->tick(now);
    }
    now = end;
  }

  Settings settings{.user = "user1", .password = "pass1", .dns = true};
  std::unique_ptr<Link> link;
  std::vector<SentPacket> sent;
  std::string ended;
  unsigned ups = 0, interruptions = 0;
  uint64_t now = 1'000'000;
};

}  // namespace maclane::ppp
