// Fuzz: PPPoE frames, discovery and session.
#include "control/service/ppp_packet.h"
#include "control/service/pppoe_packet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maclane;  // NOLINT: a fuzz target is one file
  const std::span<const uint8_t> bytes(data, size);
  if (const auto discovery = pppoe::read_discovery(bytes)) {
    const auto again = pppoe::read_discovery(pppoe::build(*discovery));
    if (!again || again->tags.size() != discovery->tags.size()) __builtin_trap();
  }
  if (const auto session = pppoe::read_session(bytes)) {
    if (const auto packet = ppp::read(session->packet)) {
      (void)ppp::read_options(packet->data);
      (void)ppp::words(packet->data);
    }
    const pppoe::Bytes built = pppoe::build(*session);
    if (built.size() > size) __builtin_trap();
  }
  return 0;
}
