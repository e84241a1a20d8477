// DHCP messages (RFC 2131, options of RFC 2132, 3396, 3442) to and from bytes, and the frames that
// carry them. No state; any thread. What is read comes from anyone on the wire: it is bounded,
// nothing is allocated beyond what a message of one frame can hold, and what does not fit is
// refused whole (tests/fuzz/dhcp_fuzz.cpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/net/types.h"

namespace maclane {

namespace dhcp {

inline constexpr uint16_t kServerPort = 67, kClientPort = 68;

enum class Type : uint8_t {
  kNone = 0,
  kDiscover = 1,
  kOffer = 2,
  kRequest = 3,
  kDecline = 4,
  kAck = 5,
  kNak = 6,
  kRelease = 7,
  kInform = 8,
};

enum Option : uint8_t {
  kPad = 0,
  kMask = 1,
  kRouter = 3,
  kDns = 6,
  kHostName = 12,
  kDomain = 15,
  kStaticRoute = 33,
  kNtp = 42,
  kVendorSpecific = 43,
  kWins = 44,
  kRequestedAddress = 50,
  kLeaseTime = 51,
  kOverload = 52,
  kMessageType = 53,
  kServerId = 54,
  kParameterList = 55,
  kMessage = 56,
  kMaxSize = 57,
  kRenewalTime = 58,
  kRebindingTime = 59,
  kClassId = 60,
  kClientId = 61,
  kTftpServer = 66,
  kBootFile = 67,
  kRelayAgent = 82,
  kClasslessRoutes = 121,
  kCapwap = 138,
  kClasslessRoutesMs = 249,
  kEnd = 255,
};

inline constexpr size_t kLargestFrame = 2048;      // that is read
inline constexpr uint32_t kInfinite = 0xffffffff;  // of a lease time

using Bytes = std::vector<uint8_t>;

struct Message {
  uint8_t op = 1;  // 1: from a client, 2: from a server
  uint32_t xid = 0;
  uint16_t secs = 0;
  bool broadcast = false;  // the reply shall be
  be32 ciaddr{}, yiaddr{}, siaddr{}, giaddr{};
  MacAddr chaddr;
  std::string file;                  // what to boot; 127 bytes of it are sent
  std::map<uint8_t, Bytes> options;  // parts of one option are one (RFC 3396)

  [[nodiscard]] Type type() const;
  /// An option of four bytes; nullopt if it is not there or of another length.
  [[nodiscard]] std::optional<uint32_t> number(uint8_t option) const;
  /// Addresses; empty if the option is not there or its length is no multiple of four.
  [[nodiscard]] std::vector<be32> addresses(uint8_t option) const;
  /// A text without zeros at its end; bytes below space are left out.
  [[nodiscard]] std::string text(uint8_t option) const;
  void set(uint8_t option, Bytes value) { options[option] = std::move(value); }
  void set(uint8_t option, uint32_t value);
};

struct Route {
  uint32_t network = 0;  // host order, host bits clear
  uint8_t length = 0;
  be32 gateway{};  // 0: the destination is on the link
  friend bool operator==(const Route&, const Route&) = default;
};

/// nullopt: no DHCP message for an Ethernet client, or one that contradicts itself.
[[nodiscard]] std::optional<Message> parse(std::span<const uint8_t> bytes);
/// A question of a BOOTP client (RFC 951, 1542): of Type kNone; nullopt: it is none.
[[nodiscard]] std::optional<Message> parse_bootp(std::span<const uint8_t> bytes);
/// Padded to the 300 bytes of BOOTP. Options above 255 bytes are split.
[[nodiscard]] Bytes build(const Message& message);
/// Option 121 or 249; nullopt if any part of it is wrong (RFC 3442: then all of it is).
[[nodiscard]] std::optional<std::vector<Route>> classless_routes(std::span<const uint8_t> value);

struct FrameFields {
  MacAddr src, dst;
  be32 ip_src{}, ip_dst{};
  uint8_t tos = 0;
  uint16_t sport = kClientPort, dport = kServerPort;
};
/// An Ethernet frame from the client's port to the server's, or as `fields` say.
[[nodiscard]] Bytes build_frame(const FrameFields& fields, const Message& message);

struct Heard {
  MacAddr src, dst;
  be32 ip_src{}, ip_dst{};
  Message message;
};
/// A frame with a message of a server to a client, or to the port that is given, checked from its
/// Ethernet header on. To a server it may be of a BOOTP client.
[[nodiscard]] std::optional<Heard> read_frame(std::span<const uint8_t> frame,
                                              uint16_t port = kClientPort);

/// Whether an address can be a host's: not 0.x, 127.x, multicast or above.
[[nodiscard]] bool is_host(be32 address);

}  // namespace dhcp
}  // namespace maclane
