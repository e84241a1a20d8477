#include "control/service/ppp_packet.h"

namespace maclane::ppp {
namespace {

constexpr size_t kOptionHead = 2;
constexpr size_t kMostWords = 200;

}  // namespace

std::optional<Packet> read(std::span<const uint8_t> bytes) {
  if (bytes.size() < kHeader) return std::nullopt;
  const size_t length = size_t{bytes[2]} << 8 | bytes[3];
  if (length < kHeader || length > bytes.size()) return std::nullopt;
  return Packet{bytes[0], bytes[1], bytes.subspan(kHeader, length - kHeader)};
}

Bytes build(uint8_t code, uint8_t id, std::span<const uint8_t> data) {
  const size_t length = kHeader + data.size();
  Bytes out{code, id, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

std::optional<uint16_t> Option::number16() const {
  if (value.size() != 2) return std::nullopt;
  return static_cast<uint16_t>(value[0] << 8 | value[1]);
}

std::optional<uint32_t> Option::number32() const {
  if (value.size() != 4) return std::nullopt;
  return uint32_t{value[0]} << 24 | uint32_t{value[1]} << 16 | uint32_t{value[2]} << 8 | value[3];
}

Option option16(uint8_t type, uint16_t value) {
  return {type, {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)}};
}

Option option32(uint8_t type, uint32_t value) {
  return {type,
          {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
           static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)}};
}

std::optional<std::vector<Option>> read_options(std::span<const uint8_t> bytes) {
  std::vector<Option> out;
  while (!bytes.empty()) {
    if (bytes.size() < kOptionHead) return std::nullopt;
    const size_t length = bytes[1];
    if (length < kOptionHead || length > bytes.size()) return std::nullopt;
    const auto value = bytes.subspan(kOptionHead, length - kOptionHead);
    out.push_back({bytes[0], Bytes(value.begin(), value.end())});
    bytes = bytes.subspan(length);
  }
  return out;
}

Bytes build_options(const std::vector<Option>& options) {
  Bytes out;
  for (const Option& one : options) {
    out.push_back(one.type);
    out.push_back(static_cast<uint8_t>(one.value.size() + kOptionHead));
    out.insert(out.end(), one.value.begin(), one.value.end());
  }
  return out;
}

std::string words(std::span<const uint8_t> bytes) {
  std::string out;
  for (const uint8_t c : bytes) {
    if (out.size() == kMostWords) break;
    if (c >= ' ' && c < 0x7f) out.push_back(static_cast<char>(c));
  }
  return out;
}

}  // namespace maclane::ppp
