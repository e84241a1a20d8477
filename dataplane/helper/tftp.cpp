// TFTP (RFC 1350; behaviour.md B-24): a request goes to the server's port, and what answers it
// comes from another one, to the port that asked.
#include "dataplane/helper/protocols.h"

namespace maclane {
namespace {

constexpr uint32_t kTransferWaitCs = 300 * 100;
constexpr uint8_t kRead = 1, kWrite = 2;

}  // namespace

Refusal help_tftp(HelperPacket& p) noexcept {
  const std::span<const uint8_t> message = p.payload();
  const bool asks =
      message.size() >= 2 && message[0] == 0 && (message[1] == kRead || message[1] == kWrite);
  if (p.direction != kOriginal || !asks) return kPasses;
  Expectation e = expect_from_listener(p, kProtoUdp, p.s.original.sport);
  e.expires_cs = p.w.now.cs + kTransferWaitCs;
  return announce_as(p, e, p.s.reply.dport);
}

}  // namespace maclane
