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
  use_inbound_address_ = config.icmp_errors_use_inbound_address;
}

void Icmp::handle(rte_mbuf* packet) {
  const PacketMessage message = message_of(packet);
  Result result;
  if (message.reason == PuntReason::kTcpReset) {
    std::array<uint8_t, 60 + sizeof(TcpHdr)> head{};
    result = send_reset({head.data(), read_head(packet, head)}, Origin::of(message));
  } else {
    result =
        send_error(packet, Origin::of(message), message.icmp_type, message.icmp_code, message.mtu);
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
  const be32 source = source_for(ip, origin.in_if);
  if (source.raw == 0) return Result::kNotAllowed;
  // Path MTU discovery stands still without its answer, so that one is never held back.
  const bool path_mtu = type == kIcmpUnreachable && code == kFragmentationNeeded;
  if (!path_mtu && !limit_.allow(ip.src, io_.now_ms())) {
    ++rate_limited_;
    return Result::kRateLimited;
  }

  std::array<uint8_t, kLongest> out{};
  const size_t quoted =
      std::min({packet.size(), size_t{ip.total_length.host()}, kLongest - kHeaders});
  std::memcpy(out.data() + kHeaders, packet.data(), quoted);
  IcmpHdr icmp{};
  icmp.type = type;
  icmp.code = code;
  if (path_mtu) icmp.sequence = be16::from(mtu);
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

Icmp::Result Icmp::send_reset(std::span<const uint8_t> packet, const Origin& origin) {
  Ip4Hdr ip;
  TcpHdr tcp;
  if (!read_ip4(packet, ip) || ip.proto != kProtoTcp || ip.fragment_offset() != 0 ||
      !read_header(packet, ip.header_length(), tcp)) {
    return Result::kNotAllowed;
  }
  const unsigned data_at = ip.header_length() + (tcp.data_offset >> 4) * 4u;
  if ((tcp.data_offset >> 4) < 5 || data_at > ip.total_length.host() ||
      (tcp.flags & kTcpRst) != 0 || origin.broadcast || is_no_host(ip.src, book_) ||
      is_class_d_or_e(ip.dst) || book_.broadcast(ip.dst)) {
    return Result::kNotAllowed;
  }
  TcpHdr reset{};
  reset.sport = tcp.dport;
  reset.dport = tcp.sport;
  reset.data_offset = 5 << 4;
  reset.flags = kTcpRst;
  if ((tcp.flags & kTcpAck) != 0) {
    reset.seq = tcp.ack;
  } else {
    const uint32_t length = ip.total_length.host() - data_at +
                            ((tcp.flags & kTcpSyn) != 0 ? 1 : 0) +
                            ((tcp.flags & kTcpFin) != 0 ? 1 : 0);
    reset.ack = be32::from(tcp.seq.host() + length);
    reset.flags |= kTcpAck;
  }
  std::array<uint8_t, sizeof(Ip4Hdr) + sizeof(TcpHdr)> out{};
  write_header(out, 0, make_ip4({ip.dst, ip.src, kProtoTcp, 0, 0, true}, out.size()));
  reset.checksum.raw =
      checksum(&reset, sizeof(reset), pseudo_sum(ip.dst, ip.src, kProtoTcp, sizeof(reset)));
  write_header(out, sizeof(Ip4Hdr), reset);
  return send_ip4(io_, out, !origin.tracked, origin.worker) ? Result::kSent : Result::kNoBuffer;
}

}  // namespace maclane
