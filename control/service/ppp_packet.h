// PPP control packets (RFC 1661 5, 6): LCP, authentication and IPCP to and from bytes. No state;
// any thread. What is read comes from anyone on the wire and is bounded (tests/fuzz/ppp_fuzz.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace maclane::ppp {

using Bytes = std::vector<uint8_t>;

inline constexpr uint16_t kLcp = 0xc021, kPap = 0xc023, kChap = 0xc223, kIpcp = 0x8021;

enum Code : uint8_t {
  kConfigureRequest = 1,
  kConfigureAck = 2,
  kConfigureNak = 3,
  kConfigureReject = 4,
  kTerminateRequest = 5,
  kTerminateAck = 6,
  kCodeReject = 7,
  kProtocolReject = 8,
  kEchoRequest = 9,
  kEchoReply = 10,
  kDiscardRequest = 11,
};

enum LcpOption : uint8_t { kMru = 1, kAuthentication = 3, kMagic = 5 };
enum IpcpOption : uint8_t { kAddress = 3, kPrimaryDns = 129, kSecondaryDns = 131 };

inline constexpr size_t kHeader = 4;  // code, id, length

struct Packet {
  uint8_t code = 0;
  uint8_t id = 0;
  std::span<const uint8_t> data;
};
/// nullopt: shorter than it says. What is behind its length is padding.
[[nodiscard]] std::optional<Packet> read(std::span<const uint8_t> bytes);
[[nodiscard]] Bytes build(uint8_t code, uint8_t id, std::span<const uint8_t> data);

struct Option {
  uint8_t type = 0;
  Bytes value;
  friend bool operator==(const Option&, const Option&) = default;
  [[nodiscard]] std::optional<uint16_t> number16() const;
  [[nodiscard]] std::optional<uint32_t> number32() const;
};
[[nodiscard]] Option option16(uint8_t type, uint16_t value);
[[nodiscard]] Option option32(uint8_t type, uint32_t value);
/// nullopt: one of them reaches beyond the end, or is shorter than its own head.
[[nodiscard]] std::optional<std::vector<Option>> read_options(std::span<const uint8_t> bytes);
[[nodiscard]] Bytes build_options(const std::vector<Option>& options);

/// What a peer says in words, for the log: printable ASCII, at most 200 characters.
[[nodiscard]] std::string words(std::span<const uint8_t> bytes);

}  // namespace maclane::ppp
