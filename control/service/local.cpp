#include "control/service/local.h"

#include "control/service/packet_build.h"
#include "dataplane/net/checksum.h"

namespace maclane {
namespace {

constexpr uint8_t kProtocolUnreachable = 2, kPortUnreachable = 3, kReassemblyTime = 1;

}  // namespace

Local::Local(PacketIo& io, const AddressBook& book, Icmp& icmp)
    : io_(io),
      book_(book),
      icmp_(icmp),
      reassembler_(io,
                   [this](std::span<const uint8_t> first, const Origin& origin) {
                     icmp_.send_error(first, origin, kIcmpTimeExceeded, kReassemblyTime);
                   }),
      scratch_(65535) {}

void Local::handle(rte_mbuf* packet) {
  const IfIndex in_if = message_of(packet).in_if;
  std::span<const uint8_t> bytes{scratch_.data(), read_head(packet, scratch_)};
  Ip4Hdr ip;
  if (!read_ip4(bytes, ip) || ip.total_length.host() > bytes.size()) {
    io_.free(packet, Drop::ip_malformed, in_if);
    return;
  }
  bytes = bytes.first(ip.total_length.host());  // without the padding of a short frame
  if (!ip.is_fragment()) {
    deliver(packet, bytes);
  } else if (const auto whole = reassembler_.offer(packet, bytes)) {
    deliver(whole->packet, whole->bytes);
  }
}

void Local::deliver(rte_mbuf* packet, std::span<const uint8_t> bytes) {
  const Origin origin = Origin::of(message_of(packet));
  Ip4Hdr ip;
  if (!read_ip4(bytes, ip)) {
    io_.free(packet, Drop::ip_malformed, origin.in_if);
    return;
  }
  const auto payload = bytes.subspan(ip.header_length());
  // Only who was addressed alone answers, and only with an address that is the router's.
  const bool answer = !origin.broadcast && book_.owns(ip.dst);
  Drop reason = Drop::no_service;
  if (ip.proto == kProtoIcmp) {
    if (payload.size() < sizeof(IcmpHdr) || checksum(payload.data(), payload.size()) != 0) {
      io_.free(packet, Drop::l4_malformed, origin.in_if);
      return;
    }
    if (answer && payload[0] == kIcmpEcho && payload[1] == 0) {
      if (!icmp_.may_send(kIcmpEchoReply, ip.src)) {
        io_.free(packet, Drop::icmp_rate_limited, origin.in_if);
      } else if (echo(bytes, ip, origin.worker)) {
        io_.consume(packet);
      } else {
        io_.free(packet, Drop::no_mbuf, origin.in_if);
      }
      return;
    }
  }
  if (ip.proto == kProtoIcmp && payload[0] == kIcmpEchoReply && echoes_ && echoes_(bytes)) {
    io_.consume(packet);
    return;
  }
  if (ip.proto == kProtoIcmp && errors_ &&
      (payload[0] == kIcmpUnreachable || payload[0] == kIcmpTimeExceeded)) {
    errors_(bytes);
  }
  if (ip.proto == kProtoIcmp && payload[0] == kIcmpRedirect && answer && redirected_)
    redirected_(bytes, origin.in_if, message_of(packet).related);
  if (programs_ && programs_(bytes, origin.in_if, origin.broadcast)) {
    io_.consume(packet);
    return;
  }
  switch (ip.proto) {
    case kProtoIcmp:
      break;
    case kProtoTcp:
      if (payload.size() < sizeof(TcpHdr)) {
        reason = Drop::l4_malformed;
      } else if (answer) {
        icmp_.send_reset(bytes, origin);
      }
      break;
    case kProtoUdp: {
      UdpHdr udp;
      if (!read_header(payload, 0, udp) || udp.length.host() < sizeof(UdpHdr) ||
          udp.length.host() > payload.size()) {
        reason = Drop::l4_malformed;
      } else if (answer) {
        icmp_.send_error(bytes, origin, kIcmpUnreachable, kPortUnreachable);
      }
      break;
    }
    case kProtoIgmp:
      break;  // reports of neighbours and queries: the router asks for no group
    default:
      if (answer) {
        icmp_.send_error(bytes, origin, kIcmpUnreachable, kProtocolUnreachable);
      }
  }
  io_.free(packet, reason, origin.in_if);
}

/// RFC 1122 3.2.2.6: the same id, sequence and data, from the address that was asked.
bool Local::echo(std::span<const uint8_t> bytes, const Ip4Hdr& ip, uint8_t worker) {
  const auto request = bytes.subspan(ip.header_length());
  reply_.resize(sizeof(Ip4Hdr) + request.size());
  std::memcpy(reply_.data() + sizeof(Ip4Hdr), request.data(), request.size());
  IcmpHdr icmp;
  std::memcpy(static_cast<void*>(&icmp), request.data(), sizeof(icmp));
  icmp.type = kIcmpEchoReply;
  icmp.checksum = apply_delta(icmp.checksum, delta16(be16::from(uint16_t{kIcmpEcho} << 8),
                                                     be16::from(uint16_t{kIcmpEchoReply} << 8)));
  write_header(reply_, sizeof(Ip4Hdr), icmp);
  write_header(
      reply_, 0,
      make_ip4({ip.dst, ip.src, kProtoIcmp, ip.tos, icmp_.next_id(), false}, reply_.size()));
  return send_ip4(io_, reply_, false, worker);
}

}  // namespace maclane
