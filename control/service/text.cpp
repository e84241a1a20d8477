#include "control/service/text.h"

#include <fmt/format.h>

namespace maclane {

std::string text_of(be32 address) {
  const uint32_t a = address.host();
  return fmt::format("{}.{}.{}.{}", a >> 24, (a >> 16) & 255, (a >> 8) & 255, a & 255);
}

std::string text_of(const MacAddr& mac) {
  const auto& b = mac.bytes;
  return fmt::format("{:02X}:{:02X}:{:02X}:{:02X}:{:02X}:{:02X}", b[0], b[1], b[2], b[3], b[4],
                     b[5]);
}

}  // namespace maclane
