// Fuzz: a PPP link that hears anything at all. The input is packets: a byte for the protocol, one
// for the length, and the packet.
#include "control/service/ppp_link.h"

namespace {

using namespace maclane;  // NOLINT: a fuzz target is one file

struct Quiet final : ppp::Link::Port {
  ppp::Link* link = nullptr;
  void send(uint16_t protocol, const ppp::Bytes& packet) override {
    const auto one = ppp::read(packet);
    if (!one) __builtin_trap();
    if (++count > 100'000) __builtin_trap();  // an answer to an answer without end
    if (protocol == ppp::kLcp || protocol == ppp::kIpcp) last = {protocol, packet};
  }
  void up() override {
    if (link->local() == be32{}) __builtin_trap();
  }
  void interrupted() override {}
  void down(std::string_view) override { over = true; }
  std::pair<uint16_t, ppp::Bytes> last;
  unsigned count = 0;
  bool over = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint16_t kProtocols[] = {ppp::kLcp, ppp::kPap, ppp::kChap, ppp::kIpcp, 0x8057, 0x0021};
  Quiet port;
  ppp::Settings settings;
  settings.user = "user";
  settings.password = "password";
  settings.dns = true;
  ppp::Link link(port, settings, size);
  port.link = &link;
  uint64_t now = 1000;
  link.start(now);
  std::span<const uint8_t> rest(data, size);
  while (rest.size() >= 2 && !port.over) {
    const uint8_t what = rest[0];
    const size_t length = std::min<size_t>(rest[1], rest.size() - 2);
    const auto packet = rest.subspan(2, length);
    rest = rest.subspan(2 + length);
    if (what % 8 == 7 && !port.last.second.empty()) {
      // What was asked last is acknowledged, so that the link gets on.
      ppp::Bytes answer = port.last.second;
      answer[0] = ppp::kConfigureAck;
      link.receive(port.last.first, answer, now);
    } else if (what % 8 == 6) {
      now = link.next_deadline() == kNever ? now : std::max(now, link.next_deadline());
      link.tick(now);
    } else {
      link.receive(kProtocols[what % 8], packet, now);
    }
    (void)link.mtu();
    (void)link.dns();
  }
  if (!port.over) link.close("done");
  return 0;
}
