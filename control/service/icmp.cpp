#include "control/service/icmp.h"

#include <algorithm>

#include "control/service/packet_build.h"
#include "dataplane/net/checksum.h"

namespace maclane {
namespace {

constexpr size_t kHeaders = sizeof(Ip4Hdr) + sizeof(IcmpHdr);
constexpr uint8_t kFragmentationNeeded = 4;

/// Errors, and what RFC 1122 does not list: when in doubt, no error about it.
bool is_icmp_query(uint8_t type) {
  switch (type) {
    case kIcmpEchoReply:
    case kIcmpEcho:
    case 9:   // router advertisement
    case 10:  // router solicitation
    case 13:  // timestamp
    case 14:
    case 15:  // information
    case 16:
    case 17:  // address mask
    case 18:
      return true;
    default:
      return false;
  }
}

/// Nobody to answer to (RFC 1122 3.2.2): not one single host.
bool is_no_host(be32 source, const AddressBook& book) {
  return source.raw == 0 || (source.host() >> 24) == 0 || is_loopback(source) ||
         is_class_d_or_e(source) || book.broadcast(source);
}

}  // namespace

void Icmp::on_config(const ServiceConfig& config) {
  limit_.set_gap(config.icmp_rate_limit_ms);
  mask_ = config.icmp_rate_mask;
  use_inbound_address_ = config.icmp_errors_use_inbound_address;
}

void Icmp::handle(rte_mbuf* packet) {
  const PacketMessage message = message_of(packet);
  const Origin origin = Origin::of(message);
  std::array<uint8_t, kLongest> buffer;  // NOLINT: filled as far as it is used
  const std::span<const uint8_t> head{buffer.data(), read_head(packet, buffer)};
  Result result;
  if (message.reason == PuntReason::kTcpReset) {
    result = send_reset(head, origin);
  } else if (message.reason == PuntReason::kTarpit) {
    result = send_tarpit(head, origin);
  } else if (message.icmp_type == kIcmpRedirect) {
    result = send_redirect(head, origin, message.next_hop);
    if (result == Result::kRateLimited) result = Result::kSent;  // the packet itself went on
  } else {
    result = send_error(head, origin, message.icmp_type, message.icmp_code, message.mtu);
  }
  // The worker has counted why the packet itself was dropped.
  if (result == Result::kRateLimited) {
    io_.free(packet, Drop::icmp_rate_limited, message.in_if);
  } else {
    io_.consume(packet);
  }
}

Icmp::Result Icmp::send_error(const rte_mbuf* packet, const Origin& origin, uint8_t type,
                              uint8_t code, uint16_t mtu) {
  std::array<uint8_t, kLongest> head{};
  return send_error({head.data(), read_head(packet, head)}, origin, type, code, mtu);
}

Icmp::Result Icmp::send_error(std::span<const uint8_t> packet, const Origin& origin, uint8_t type,
                              uint8_t code, uint16_t mtu) {
  Ip4Hdr ip;
  if (origin.in_if == kNoIf || !read_ip4(packet, ip) || !allowed(packet, ip, origin.broadcast)) {
    return Result::kNotAllowed;
  }
  IcmpHdr icmp{};
  icmp.type = type;
  icmp.code = code;
  // Path MTU discovery stands still without its answer, so that one is never held back.
  if (type == kIcmpUnreachable && code == kFragmentationNeeded) {
    icmp.sequence = be16::from(mtu);
  } else if (!may_send(type, ip.src)) {
    return Result::kRateLimited;
  }
  return send(packet, ip, origin, icmp);
}

bool Icmp::may_send(uint8_t type, be32 target) {
  if (type >= 32 || (mask_ >> type & 1) == 0 || limit_.allow(target, io_.now_ms())) return true;
  ++rate_limited_;
  return false;
}

Icmp::Result Icmp::send_redirect(std::span<const uint8_t> packet, const Origin& origin,
                                 be32 gateway) {
  Ip4Hdr ip;
  if (origin.in_if == kNoIf || !read_ip4(packet, ip) || !allowed(packet, ip, origin.broadcast)) {
    return Result::kNotAllowed;
  }
  if (!limit_.allow(ip.src, io_.now_ms())) return Result::kRateLimited;
  IcmpHdr icmp{};
  icmp.type = kIcmpRedirect;
  icmp.code = 1;  // for the host
  std::memcpy(static_cast<void*>(&icmp.id), &gateway, sizeof(gateway));
  Origin own = origin;
  own.tracked = false;
  return send(packet, ip, own, icmp);
}

Icmp::Result Icmp::send(std::span<const uint8_t> packet, const Ip4Hdr& ip, const Origin& origin,
                        IcmpHdr icmp) {
  const be32 source = source_for(ip, origin.in_if);
  if (source.raw == 0) return Result::kNotAllowed;
  std::array<uint8_t, kLongest> out{};
  const size_t quoted =
      std::min({packet.size(), size_t{ip.total_length.host()}, kLongest - kHeaders});
  std::memcpy(out.data() + kHeaders, packet.data(), quoted);
  write_header(out, sizeof(Ip4Hdr), icmp);
  icmp.checksum.raw = checksum(out.data() + sizeof(Ip4Hdr), sizeof(IcmpHdr) + quoted);
  write_header(out, sizeof(Ip4Hdr), icmp);
  // The quoted packet's type of service with precedence 6 (RFC 1812 4.3.2.5).
  const auto tos = static_cast<uint8_t>((ip.tos & 0x1c) | 0xc0);
  write_header(out, 0,
               make_ip4({source, ip.src, kProtoIcmp, tos, next_id(), false}, kHeaders + quoted));
  return send_ip4(io_, {out.data(), kHeaders + quoted}, !origin.tracked, origin.worker)
             ? Result::kSent
             : Result::kNoBuffer;
}

bool Icmp::allowed(std::span<const uint8_t> packet, const Ip4Hdr& ip, bool broadcast) const {
  if (broadcast || ip.fragment_offset() != 0 || is_no_host(ip.src, book_) ||
      is_class_d_or_e(ip.dst) || ip.dst.raw == 0 || book_.broadcast(ip.dst)) {
    return false;
  }
  if (ip.proto != kProtoIcmp) return true;
  const size_t type_at = ip.header_length();
  return packet.size() > type_at && ip.total_length.host() > type_at &&
         is_icmp_query(packet[type_at]);
}

be32 Icmp::source_for(const Ip4Hdr& ip, IfIndex in_if) {
  if (book_.owns(ip.dst)) return ip.dst;
  const Snapshot& snapshot = io_.snapshot();
  const auto primary = [&](IfIndex i) {
    const be32 a = i < snapshot.interfaces.size() ? snapshot.interfaces[i].primary_address : be32{};
    return a.raw != 0 ? a : book_.source_for(i, ip.src);
  };
  be32 source = use_inbound_address_ ? primary(in_if) : be32{};
  if (source.raw == 0 && snapshot.fib != nullptr) {  // the way back
    const uint16_t index = snapshot.fib->lookup(ip.src.host());
    if (index < snapshot.next_hops.size()) {
      const NextHop& way = snapshot.next_hops[index];
      source = way.pref_src.raw != 0 ? way.pref_src : primary(way.out_if);
    }
  }
  if (source.raw == 0) source = primary(in_if);
  // RFC 1812 4.3.2.4: an interface without an address speaks with any of the router's.
  if (source.raw == 0 && !book_.all().empty()) source = book_.all().front().address;
  return source;
}

bool Icmp::tcp_of(std::span<const uint8_t> packet, const Origin& origin, Ip4Hdr& ip,
                  TcpHdr& tcp) const {
  if (!read_ip4(packet, ip) || ip.proto != kProtoTcp || ip.fragment_offset() != 0 ||
      !read_header(packet, ip.header_length(), tcp)) {
    return false;
  }
  const unsigned data_at = ip.header_length() + (tcp.data_offset >> 4) * 4u;
  return (tcp.data_offset >> 4) >= 5 && data_at <= ip.total_length.host() && !origin.broadcast &&
         (tcp.flags & kTcpRst) == 0 && !is_no_host(ip.src, book_) && !is_class_d_or_e(ip.dst) &&
         !book_.broadcast(ip.dst);
}

Icmp::Result Icmp::send_tcp(const Ip4Hdr& asked, TcpHdr answer, const Origin& origin) {
  std::array<uint8_t, sizeof(Ip4Hdr) + sizeof(TcpHdr)> out{};
  answer.data_offset = 5 << 4;
  write_header(out, 0, make_ip4({asked.dst, asked.src, kProtoTcp, 0, 0, true}, out.size()));
  answer.checksum.raw = checksum(&answer, sizeof(answer),
                                 pseudo_sum(asked.dst, asked.src, kProtoTcp, sizeof(answer)));
  write_header(out, sizeof(Ip4Hdr), answer);
  return send_ip4(io_, out, !origin.tracked, origin.worker) ? Result::kSent : Result::kNoBuffer;
}

Icmp::Result Icmp::send_reset(std::span<const uint8_t> packet, const Origin& origin) {
  Ip4Hdr ip;
  TcpHdr tcp;
  if (!tcp_of(packet, origin, ip, tcp)) return Result::kNotAllowed;
  TcpHdr reset{};
  reset.sport = tcp.dport;
  reset.dport = tcp.sport;
  reset.flags = kTcpRst;
  if ((tcp.flags & kTcpAck) != 0) {
    reset.seq = tcp.ack;
  } else {
    const uint32_t length = ip.total_length.host() - ip.header_length() -
                            (tcp.data_offset >> 4) * 4u + ((tcp.flags & kTcpSyn) != 0 ? 1 : 0) +
                            ((tcp.flags & kTcpFin) != 0 ? 1 : 0);
    reset.ack = be32::from(tcp.seq.host() + length);
    reset.flags |= kTcpAck;
  }
  return send_tcp(ip, reset, origin);
}

Icmp::Result Icmp::send_tarpit(std::span<const uint8_t> packet, const Origin& origin) {
  Ip4Hdr ip;
  TcpHdr tcp;
  if (!tcp_of(packet, origin, ip, tcp)) return Result::kNotAllowed;
  const bool syn = (tcp.flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
  if ((tcp.flags & kTcpFin) != 0 || (!syn && (tcp.flags & kTcpAck) == 0))
    return Result::kNotAllowed;
  TcpHdr answer{};  // its window is 0
  answer.sport = tcp.dport;
  answer.dport = tcp.sport;
  answer.flags = static_cast<uint8_t>(kTcpAck | (syn ? kTcpSyn : 0));
  if (!syn) answer.seq = tcp.ack;
  answer.ack = be32::from(tcp.seq.host() + (syn ? 1 : 0));
  return send_tcp(ip, answer, origin);
}

}  // namespace maclane
