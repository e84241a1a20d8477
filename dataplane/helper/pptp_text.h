// What PPTP's control connection says of calls (RFC 2637 2): the numbers by which both ends know
// them, and where those stand. Pure and bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/types.h"

namespace maclane::pptp {

enum class Type : uint16_t {
  kOther = 0,
  kStopRequest = 3,
  kStopReply = 4,
  kOutgoingRequest = 7,
  kOutgoingReply = 8,
  kIncomingRequest = 9,
  kIncomingReply = 10,
  kIncomingConnected = 11,
  kClear = 12,       // the caller asks for the end of a call
  kDisconnect = 13,  // a call is over
  kError = 14,       // of the line
  kLink = 15,        // its characters
};

struct Message {
  Type type = Type::kOther;
  size_t size = 0;  // 0: the bytes do not begin with a whole message
  size_t own_at = 0;
  size_t peer_at = 0;   // 0: it says none
  be16 own{};           // the call as who speaks numbers it
  be16 peer{};          // as the other side does
  bool agrees = false;  // a reply: the call stands
};
[[nodiscard]] Message read_message(std::span<const uint8_t> bytes) noexcept;

/// The call of a GRE packet of PPTP (RFC 2637 4.1), as its receiver numbers it; 0: it is another's.
[[nodiscard]] be16 gre_call(std::span<const uint8_t> header) noexcept;
inline constexpr size_t kGreCallAt = 6;  // where that stands

}  // namespace maclane::pptp
