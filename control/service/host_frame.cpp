#include "control/service/host_frame.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/service/packet_build.h"

namespace maclane {
namespace {

constexpr size_t kLongestName = 15;  // IFNAMSIZ less the final zero
constexpr size_t kKept = 10;

bool fits(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7f && c != '/' && c != ':' && c != '%';
}

uint32_t fnv1a(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

}  // namespace

std::string host_device_name(std::string_view interface, bool taken) {
  const bool whole = interface.size() <= kLongestName && !interface.empty() && interface != "." &&
                     interface != ".." && std::all_of(interface.begin(), interface.end(), fits);
  if (whole && !taken) return std::string(interface);
  std::string name(interface.substr(0, kKept));
  for (char& c : name) {
    // Half a character of UTF-8 is none.
    if (!fits(c) || static_cast<unsigned char>(c) >= 0x80) c = '_';
  }
  return fmt::format("{}~{:04x}", name, fnv1a(interface) & 0xffff);
}

std::span<const uint8_t> packet_in(std::span<const uint8_t> frame) {
  EtherHdr ether;
  if (!read_header(frame, 0, ether) || ether.type.host() != kEtherIp4) return {};
  frame = frame.subspan(sizeof(EtherHdr));
  Ip4Hdr ip;
  if (!read_ip4(frame, ip) || ip.total_length.host() > frame.size()) return {};
  return frame.first(ip.total_length.host());
}

bool is_from_port(std::span<const uint8_t> packet, uint16_t port) {
  Ip4Hdr ip;
  UdpHdr ports;  // TCP's begin as these
  return read_ip4(packet, ip) && ip.fragment_offset() == 0 &&
         (ip.proto == kProtoUdp || ip.proto == kProtoTcp) &&
         read_header(packet, ip.header_length(), ports) && ports.sport.host() == port;
}

bool refuses_port(std::span<const uint8_t> packet, uint16_t port) {
  Ip4Hdr ip;
  if (!read_ip4(packet, ip) || ip.fragment_offset() != 0) return false;
  const auto payload = packet.subspan(ip.header_length());
  if (ip.proto == kProtoTcp) {
    TcpHdr tcp;
    return read_header(payload, 0, tcp) && tcp.sport.host() == port && (tcp.flags & kTcpRst) != 0 &&
           (tcp.flags & kTcpAck) != 0 && tcp.seq.host() == 0;
  }
  if (ip.proto != kProtoIcmp || payload.size() < sizeof(IcmpHdr) ||
      payload[0] != kIcmpUnreachable || payload[1] != 3) {
    return false;
  }
  const auto quoted = payload.subspan(sizeof(IcmpHdr));
  Ip4Hdr inner;
  UdpHdr udp;
  return read_ip4(quoted, inner) && inner.proto == kProtoUdp &&
         read_header(quoted, inner.header_length(), udp) && udp.dport.host() == port;
}

}  // namespace maclane
