// The flooder's frames: Ethernet, IPv4 and UDP, with right checksums, and what differs between
// flows.
#pragma once

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace maclane::peers {

using Mac = std::array<uint8_t, 6>;

inline constexpr size_t kIp = 14, kUdp = kIp + 20, kBody = kUdp + 8;
inline constexpr uint32_t kPorts = 64512;  // 1024 to 65535

/// What is the flow's own, in network order: 12 bytes to copy a frame.
struct Flow {
  uint32_t source;
  uint16_t source_port;
  uint16_t port;
  uint16_t ip_checksum;
  uint16_t udp_checksum;
};

inline std::optional<Mac> parse_mac(const std::string& text) {
  Mac mac;
  char rest = 0;
  const int n = std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1],
                            &mac[2], &mac[3], &mac[4], &mac[5], &rest);
  return n == 6 ? std::optional(mac) : std::nullopt;
}

/// Host order.
inline std::optional<uint32_t> parse_ip(const std::string& text) {
  in_addr address;
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

inline void put16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

inline void put32(uint8_t* at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

inline uint32_t sum16(const uint8_t* at, size_t length, uint32_t sum = 0) {
  for (size_t i = 0; i + 1 < length; i += 2) sum += uint32_t{at[i]} << 8 | at[i + 1];
  if (length % 2 != 0) sum += uint32_t{at[length - 1]} << 8;
  return sum;
}

inline uint16_t folded(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

/// A frame without what differs between flows.
inline std::vector<uint8_t> model_frame(const Mac& from, const Mac& to, uint32_t destination,
                                        size_t length) {
  std::vector<uint8_t> frame(length);
  uint8_t* const f = frame.data();
  std::copy(to.begin(), to.end(), f);
  std::copy(from.begin(), from.end(), f + 6);
  put16(f + 12, 0x0800);
  f[kIp] = 0x45;
  put16(f + kIp + 2, static_cast<uint32_t>(length - kIp));
  f[kIp + 8] = 64;  // TTL
  f[kIp + 9] = 17;  // UDP
  put32(f + kIp + 16, destination);
  put16(f + kUdp + 4, static_cast<uint32_t>(length - kUdp));
  return frame;
}

/// Flow number `number`: its source port is its own until the ports are used up, then the
/// destination port goes on.
inline Flow make_flow(std::vector<uint8_t> frame, uint32_t source, uint16_t port, uint32_t number) {
  uint8_t* const f = frame.data();
  put32(f + kIp + 12, source);
  put16(f + kUdp, 1024 + number % kPorts);
  put16(f + kUdp + 2, port + number / kPorts);
  const uint16_t ip = folded(sum16(f + kIp, 20));
  const uint32_t pseudo = 17 + static_cast<uint32_t>(frame.size() - kUdp);
  uint16_t udp = folded(sum16(f + kUdp, frame.size() - kUdp, sum16(f + kIp + 12, 8, pseudo)));
  if (udp == 0) udp = 0xffff;
  return {htonl(source), htons(static_cast<uint16_t>(1024 + number % kPorts)),
          htons(static_cast<uint16_t>(port + number / kPorts)), htons(ip), htons(udp)};
}

inline void put_flow(uint8_t* frame, const Flow& flow) {
  std::memcpy(frame + kIp + 10, &flow.ip_checksum, 2);
  std::memcpy(frame + kIp + 12, &flow.source, 4);
  std::memcpy(frame + kUdp, &flow.source_port, 2);
  std::memcpy(frame + kUdp + 2, &flow.port, 2);
  std::memcpy(frame + kUdp + 6, &flow.udp_checksum, 2);
}

inline void swap_bytes(uint8_t* a, uint8_t* b, size_t length) {
  for (size_t i = 0; i < length; ++i) std::swap(a[i], b[i]);
}

/// Exchanges source and destination on every layer, which leaves the checksums right; false if it
/// is no plain UDP frame.
inline bool turn_around(uint8_t* frame, size_t length) {
  if (length < kBody || frame[12] != 0x08 || frame[13] != 0 || frame[kIp] != 0x45 ||
      frame[kIp + 9] != 17) {
    return false;
  }
  swap_bytes(frame, frame + 6, 6);
  swap_bytes(frame + kIp + 12, frame + kIp + 16, 4);
  swap_bytes(frame + kUdp, frame + kUdp + 2, 2);
  return true;
}

}  // namespace maclane::peers
