// What SIP says of addresses (RFC 3261), and SDP of media streams (RFC 4566, RFC 3605): where they
// stand in a message, so that others can be written in their place. Read as the kernel's
// nf_conntrack_sip reads them: numeric IPv4 addresses only; names stay names. Pure and bounded.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "dataplane/net/types.h"

namespace maclane::sip {

enum class Method : uint8_t { kOther, kRegister, kInvite, kAck, kBye, kUpdate, kPrack };
inline constexpr uint16_t kDefaultPort = 5060;
inline constexpr uint32_t kUnsaid = 0xffffffffu;

/// An address with its port, as it stands in the text.
struct Place {
  enum class Role : uint8_t {
    kUri,       // of a request line, a route
    kVia,       // the topmost
    kContact,   //
    kIdentity,  // who calls whom: From, To, P-Asserted-Identity
    kReceived,  // Via's parameter: where the request came from
    kPort,      // Via's parameter rport: a port alone
  };
  Role role = Role::kUri;
  bool has_port = false;
  uint16_t at = 0;
  uint16_t length = 0;  // with the port
  be32 address{};
  be16 port{};                   // 5060 where none is said
  uint32_t expires_s = kUnsaid;  // kContact: its parameter
};

struct Message {
  static constexpr unsigned kPlaces = 40;  // what stands behind them is left alone
  enum class Kind : uint8_t { kNone, kRequest, kResponse };
  Kind kind = Kind::kNone;
  Method method = Method::kOther;  // of a response: what it answers
  uint16_t status = 0;
  uint32_t sequence = 0;  // CSeq
  uint32_t call = 0;      // tells calls apart: a hash of Call-ID
  uint32_t expires_s = kUnsaid;
  size_t size = 0;         // all of the message
  size_t body = 0;         // where that begins
  uint16_t length_at = 0;  // the digits of Content-Length
  uint16_t length_digits = 0;
  uint32_t length = 0;
  unsigned count = 0;
  std::array<Place, kPlaces> places{};
};
/// Text that begins with a message. kNone: it does not, or the message does not end in it.
/// `stream`: another may follow, and only Content-Length says where.
[[nodiscard]] Message read_message(std::string_view text, bool stream) noexcept;

/// A media stream: a line "m=" and what follows it.
struct Stream {
  uint16_t port_at = 0;
  uint16_t port_length = 0;
  be16 port{};
  be32 address{};  // 0: none that is numeric
  bool datagrams = false;
  be16 rtcp{};  // 0: it is not said, and the next port
  uint16_t rtcp_at = 0;
  uint16_t rtcp_length = 0;
};
struct Description {
  static constexpr unsigned kStreams = 8;
  static constexpr unsigned kAddresses = 20;
  struct Address {
    uint16_t at = 0;
    uint16_t length = 0;
    be32 address{};
  };
  unsigned streams = 0;
  unsigned addresses = 0;
  std::array<Stream, kStreams> stream{};
  std::array<Address, kAddresses> address{};  // of the lines "o=", "c=" and "a=rtcp:"
};
/// The session description in text[from, to): all of a body, or a part of it. Places are of text.
[[nodiscard]] Description read_description(std::string_view text, size_t from, size_t to) noexcept;

/// An address, a port, or both.
struct Written {
  std::array<char, 24> text{};
  uint8_t size = 0;
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), size}; }
};
[[nodiscard]] Written write_address(be32 address) noexcept;
[[nodiscard]] Written write_address(be32 address, be16 port) noexcept;
[[nodiscard]] Written write_number(uint32_t number) noexcept;

}  // namespace maclane::sip
