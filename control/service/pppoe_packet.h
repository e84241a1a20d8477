// PPPoE frames (RFC 2516, RFC 4638) to and from bytes: discovery with its tags, and PPP packets in
// session frames. No state; any thread. What is read comes from anyone on the wire and is bounded
// (tests/fuzz/pppoe_fuzz.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/net/types.h"

namespace maclane::pppoe {

using Bytes = std::vector<uint8_t>;

enum Code : uint8_t { kPado = 0x07, kPadi = 0x09, kPadr = 0x19, kPads = 0x65, kPadt = 0xa7 };

enum Tag : uint16_t {
  kEndOfList = 0x0000,
  kServiceName = 0x0101,
  kAcName = 0x0102,
  kHostUniq = 0x0103,
  kAcCookie = 0x0104,
  kRelaySessionId = 0x0110,
  kPppMaxPayload = 0x0120,
  kServiceNameError = 0x0201,
  kAcSystemError = 0x0202,
  kGenericError = 0x0203,
};

struct TagValue {
  uint16_t type = 0;
  Bytes value;
};

struct Discovery {
  MacAddr src, dst;
  uint8_t code = 0;
  uint16_t session = 0;
  std::vector<TagValue> tags;
  /// The first of its type; nullptr: there is none.
  [[nodiscard]] const Bytes* find(uint16_t type) const;
};

struct SessionFrame {
  MacAddr src, dst;
  uint16_t session = 0;
  uint16_t protocol = 0;
  std::span<const uint8_t> packet;  // without padding
};

/// From the Ethernet header on. nullopt: not one, or it contradicts itself.
[[nodiscard]] std::optional<Discovery> read_discovery(std::span<const uint8_t> frame);
[[nodiscard]] std::optional<SessionFrame> read_session(std::span<const uint8_t> frame);
[[nodiscard]] Bytes build(const Discovery& discovery);
[[nodiscard]] Bytes build(const SessionFrame& session);

}  // namespace maclane::pppoe
