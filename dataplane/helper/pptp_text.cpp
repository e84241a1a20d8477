#include "dataplane/helper/pptp_text.h"

#include <cstring>

namespace maclane::pptp {
namespace {

constexpr size_t kHeader = 12;
constexpr uint16_t kControl = 1;
constexpr uint32_t kCookie = 0x1a2b3c4d;
constexpr size_t kLongestMessage = 512;
constexpr uint8_t kConnected = 1;  // the result of a reply

[[nodiscard]] be16 number_at(std::span<const uint8_t> bytes, size_t at) noexcept {
  be16 number;
  std::memcpy(&number.raw, bytes.data() + at, sizeof(number.raw));
  return number;
}

/// What messages of a type have: their length at least, and where the numbers stand.
struct Shape {
  size_t size;
  size_t own_at;
  size_t peer_at;
  size_t result_at;  // 0: none
};
[[nodiscard]] Shape shape_of(Type type) noexcept {
  switch (type) {
    case Type::kOutgoingRequest:
      return {168, 12, 0, 0};
    case Type::kOutgoingReply:
      return {32, 12, 14, 16};
    case Type::kIncomingRequest:
      return {220, 12, 0, 0};
    case Type::kIncomingReply:
      return {24, 12, 14, 16};
    case Type::kIncomingConnected:
      return {28, 0, 12, 0};
    case Type::kClear:
      return {16, 12, 0, 0};
    case Type::kDisconnect:
      return {148, 12, 0, 0};
    case Type::kError:
      return {40, 0, 12, 0};
    case Type::kLink:
      return {24, 0, 12, 0};
    case Type::kStopRequest:
    case Type::kStopReply:
    case Type::kOther:
      return {kHeader, 0, 0, 0};
  }
  return {kHeader, 0, 0, 0};
}

}  // namespace

Message read_message(std::span<const uint8_t> bytes) noexcept {
  Message m;
  if (bytes.size() < kHeader) return m;
  const size_t size = number_at(bytes, 0).host();
  be32 cookie;
  std::memcpy(&cookie.raw, bytes.data() + 4, sizeof(cookie.raw));
  if (number_at(bytes, 2).host() != kControl || cookie.host() != kCookie || size < kHeader ||
      size > kLongestMessage || size > bytes.size()) {
    return m;
  }
  m.size = size;
  const uint16_t number = number_at(bytes, 8).host();
  const auto type = static_cast<Type>(number);
  const Shape shape = shape_of(type);
  if (number > static_cast<uint16_t>(Type::kLink) || size < shape.size) return m;
  m.type = type;
  m.own_at = shape.own_at;
  m.peer_at = shape.peer_at;
  if (m.own_at != 0) m.own = number_at(bytes, m.own_at);
  if (m.peer_at != 0) m.peer = number_at(bytes, m.peer_at);
  m.agrees = shape.result_at != 0 && bytes[shape.result_at] == kConnected;
  return m;
}

be16 gre_call(std::span<const uint8_t> header) noexcept {
  constexpr uint16_t kKeyPresent = 0x2000;
  constexpr uint16_t kOfVersion = 0x0007;
  constexpr uint16_t kPpp = 0x880b;
  if (header.size() < kGreCallAt + 2) return {};
  const uint16_t flags = number_at(header, 0).host();
  if ((flags & kKeyPresent) == 0 || (flags & kOfVersion) != 1) return {};
  if (number_at(header, 2).host() != kPpp) return {};
  return number_at(header, kGreCallAt);
}

}  // namespace maclane::pptp
