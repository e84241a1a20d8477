// Wire headers (RFC 826, 791, 768, 792, 2516, 4340, 9260, 9293, IEEE 802.1Q) as structs without
// padding, and protocol numbers.
#pragma once

#include "dataplane/net/types.h"

namespace maclane {

inline constexpr uint16_t kEtherIp4 = 0x0800;
inline constexpr uint16_t kEtherArp = 0x0806;
inline constexpr uint16_t kEtherIp6 = 0x86dd;
inline constexpr uint16_t kEtherVlan = 0x8100;
inline constexpr uint16_t kEtherQinQ = 0x88a8;
inline constexpr uint16_t kEtherPause = 0x8808;
inline constexpr uint16_t kEtherPppoeDiscovery = 0x8863;
inline constexpr uint16_t kEtherPppoeSession = 0x8864;
inline constexpr uint16_t kEtherLoopProtect = 0x9003;  // RouterOS's, behaviour.md A-19

inline constexpr uint16_t kPppIp4 = 0x0021;
inline constexpr uint16_t kPppLcp = 0xc021;

inline constexpr uint8_t kProtoIcmp = 1;
inline constexpr uint8_t kProtoIgmp = 2;
inline constexpr uint8_t kProtoTcp = 6;
inline constexpr uint8_t kProtoUdp = 17;
inline constexpr uint8_t kProtoDccp = 33;
inline constexpr uint8_t kProtoGre = 47;
inline constexpr uint8_t kProtoSctp = 132;
inline constexpr uint8_t kProtoUdpLite = 136;

struct EtherHdr {
  MacAddr dst;
  MacAddr src;
  be16 type;
};
struct VlanHdr {
  be16 tci;
  be16 type;
};
/// Of a session frame (RFC 2516 4), with the PPP protocol behind it (RFC 1661 2).
struct PppoeHdr {
  uint8_t version_type;  // 0x11
  uint8_t code;          // 0: session data
  be16 session;
  be16 length;  // of what follows: the protocol and its packet, without padding
  be16 protocol;
};
struct Ip4Hdr {
  uint8_t version_ihl;
  uint8_t tos;
  be16 total_length;
  be16 id;
  be16 fragment;  // flags and offset
  uint8_t ttl;
  uint8_t proto;
  be16 checksum;
  be32 src;
  be32 dst;
  [[nodiscard]] unsigned header_length() const noexcept { return (version_ihl & 0xfu) * 4u; }
  [[nodiscard]] bool dont_fragment() const noexcept { return (fragment.host() & 0x4000) != 0; }
  [[nodiscard]] bool more_fragments() const noexcept { return (fragment.host() & 0x2000) != 0; }
  [[nodiscard]] unsigned fragment_offset() const noexcept {
    return (fragment.host() & 0x1fffu) * 8u;
  }
  [[nodiscard]] bool is_fragment() const noexcept { return (fragment.host() & 0x3fff) != 0; }
};
struct UdpHdr {
  be16 sport;
  be16 dport;
  be16 length;  // UDP-lite (RFC 3828): how much the checksum covers
  be16 checksum;
};
struct TcpHdr {
  be16 sport;
  be16 dport;
  be32 seq;
  be32 ack;
  uint8_t data_offset;
  uint8_t flags;
  be16 window;
  be16 checksum;
  be16 urgent;
};
struct SctpHdr {
  be16 sport;
  be16 dport;
  be32 tag;
  uint32_t checksum;  // CRC-32C, the lowest byte first
};
struct DccpHdr {  // without its sequence number's lower half
  be16 sport;
  be16 dport;
  uint8_t data_offset;
  uint8_t coverage;  // and, in its upper half, CCVal
  be16 checksum;
  uint8_t type;  // bits 1 to 4; bit 0: the sequence number has 48 bits
  uint8_t sequence_high;
  be16 sequence;
};
struct IcmpHdr {
  uint8_t type;
  uint8_t code;
  be16 checksum;
  be16 id;
  be16 sequence;  // errors: MTU of the next hop (type 3 code 4)
};
struct ArpHdr {
  be16 hardware;
  be16 protocol;
  uint8_t hardware_length;
  uint8_t protocol_length;
  be16 operation;
  MacAddr sender_mac;
  be32 sender_ip;
  MacAddr target_mac;
  be32 target_ip;
};
static_assert(sizeof(EtherHdr) == 14 && sizeof(VlanHdr) == 4 && sizeof(Ip4Hdr) == 20);
static_assert(sizeof(PppoeHdr) == 8);
/// What a PPPoE session puts before an IPv4 packet.
inline constexpr uint16_t kPppoeOverhead = sizeof(EtherHdr) + sizeof(PppoeHdr);
static_assert(sizeof(SctpHdr) == 12 && sizeof(DccpHdr) == 12);
static_assert(sizeof(UdpHdr) == 8 && sizeof(TcpHdr) == 20 && sizeof(IcmpHdr) == 8);
static_assert(sizeof(ArpHdr) == 28);

inline constexpr uint8_t kTcpFin = 0x01, kTcpSyn = 0x02, kTcpRst = 0x04, kTcpAck = 0x10;

inline constexpr uint8_t kIcmpEchoReply = 0, kIcmpUnreachable = 3, kIcmpSourceQuench = 4,
                         kIcmpRedirect = 5, kIcmpEcho = 8, kIcmpTimeExceeded = 11,
                         kIcmpParameterProblem = 12;

}  // namespace maclane
