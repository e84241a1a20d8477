#include "control/service/membership_parse.h"

#include <algorithm>

#include "control/service/packet_build.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/wire.h"

namespace maclane {
namespace {

using Bytes = std::span<const uint8_t>;

uint16_t word(Bytes b, size_t at) {
  return static_cast<uint16_t>(b[at] << 8 | b[at + 1]);
}

void add(std::vector<GroupReport>& out, Bytes address, bool join, bool current) {
  GroupReport report{{}, join, current};
  if (address.size() == 16 && address[0] == 0xff) {
    std::copy(address.begin(), address.end(), report.group.begin());
  } else if (address.size() == 4 && (address[0] & 0xf0) == 0xe0) {
    report.group[10] = report.group[11] = 0xff;
    std::copy(address.begin(), address.end(), report.group.begin() + 12);
  } else {
    return;  // not a group
  }
  out.push_back(report);
}

/// The records of an IGMPv3 or MLDv2 report: the same but for the size of an address.
void records(std::vector<GroupReport>& out, Bytes body, size_t address_size) {
  if (body.size() < 8) return;
  unsigned left = word(body, 6);
  size_t at = 8;
  for (; left > 0 && body.size() - at >= 4 + address_size; --left) {
    const uint8_t type = body[at];
    const size_t sources = word(body, at + 2);
    const size_t length = 4 + address_size + sources * address_size + size_t{body[at + 1]} * 4;
    if (length > body.size() - at) return;
    const Bytes group = body.subspan(at + 4, address_size);
    // Sources do not matter here: wanting a group from anybody at all is wanting its frames.
    switch (type) {
      case 1:  // is include
      case 2:  // is exclude
        add(out, group, type == 2 || sources != 0, true);
        break;
      case 3:  // to include
      case 4:  // to exclude
        add(out, group, type == 4 || sources != 0, false);
        break;
      case 5:  // allow new sources
        if (sources != 0) add(out, group, true, false);
        break;
      default:  // block old sources: the group may still be wanted
        break;
    }
    at += length;
  }
}

void igmp(std::vector<GroupReport>& out, Bytes packet) {
  Ip4Hdr ip;
  if (!read_ip4(packet, ip) || ip.proto != kProtoIgmp || ip.is_fragment() ||
      ip.total_length.host() > packet.size()) {
    return;
  }
  const Bytes body =
      packet.subspan(ip.header_length(), ip.total_length.host() - ip.header_length());
  if (body.size() < 8 || checksum(body.data(), body.size()) != 0) return;
  switch (body[0]) {
    case 0x12:
    case 0x16:
      add(out, body.subspan(4, 4), true, false);
      break;
    case 0x17:
      add(out, body.subspan(4, 4), false, false);
      break;
    case 0x22:
      records(out, body, 4);
      break;
    default:
      break;
  }
}

void mld(std::vector<GroupReport>& out, Bytes packet) {
  constexpr size_t kIp6Header = 40;
  constexpr uint8_t kHopByHop = 0, kIcmp6 = 58;
  if (packet.size() < kIp6Header || (packet[0] >> 4) != 6) return;
  const size_t length = word(packet, 4);
  if (length > packet.size() - kIp6Header) return;
  Bytes body = packet.subspan(kIp6Header, length);
  uint8_t next = packet[6];
  if (next == kHopByHop) {  // MLD carries the router alert option here
    if (body.size() < 8) return;
    const size_t option_length = size_t{body[1]} * 8 + 8;
    if (option_length > body.size()) return;
    next = body[0];
    body = body.subspan(option_length);
  }
  if (next != kIcmp6 || body.size() < 8) return;
  uint32_t sum = sum_partial(packet.data() + 8, 32);  // RFC 8200 8.1: source, destination
  sum += be16::from(static_cast<uint16_t>(body.size())).raw + be16::from(kIcmp6).raw;
  if (checksum(body.data(), body.size(), sum) != 0) return;
  switch (body[0]) {
    case 131:
      if (body.size() >= 24) add(out, body.subspan(8, 16), true, false);
      break;
    case 132:
      if (body.size() >= 24) add(out, body.subspan(8, 16), false, false);
      break;
    case 143:
      records(out, body, 16);
      break;
    default:
      break;
  }
}

}  // namespace

MacAddr mac_of(const GroupAddress& group) {
  if (group[0] == 0xff) return {{0x33, 0x33, group[12], group[13], group[14], group[15]}};
  return {{0x01, 0x00, 0x5e, static_cast<uint8_t>(group[13] & 0x7f), group[14], group[15]}};
}

std::vector<GroupReport> parse_membership(Bytes frame) {
  std::vector<GroupReport> out;
  EtherHdr ether;
  if (!read_header(frame, 0, ether)) return out;
  const Bytes packet = frame.subspan(sizeof(EtherHdr));
  if (ether.type.host() == kEtherIp4) igmp(out, packet);
  if (ether.type.host() == kEtherIp6) mld(out, packet);
  return out;
}

}  // namespace maclane
