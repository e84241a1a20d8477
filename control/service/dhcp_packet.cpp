#include "control/service/dhcp_packet.h"

#include <algorithm>
#include <utility>

#include "control/service/packet_build.h"
#include "dataplane/net/checksum.h"

namespace maclane::dhcp {
namespace {

constexpr uint32_t kCookie = 0x63825363;
constexpr uint8_t kEthernet = 1;
constexpr uint8_t kMacLength = 6;
constexpr size_t kLongestName = 64, kLongestFile = 128;
constexpr size_t kShortest = 300;  // RFC 1542 2.1: relays drop what is shorter
constexpr size_t kLongestPart = 255;
constexpr uint16_t kBroadcastFlag = 0x8000;

struct Header {
  uint8_t op;
  uint8_t htype;
  uint8_t hlen;
  uint8_t hops;
  be32 xid;
  be16 secs;
  be16 flags;
  be32 ciaddr, yiaddr, siaddr, giaddr;
  MacAddr chaddr;
  std::array<uint8_t, 10> padding;
  std::array<uint8_t, kLongestName> sname;
  std::array<uint8_t, kLongestFile> file;
  be32 cookie;
};
static_assert(sizeof(Header) == 240);

/// False if an option reaches beyond the end.
bool read_options(std::span<const uint8_t> bytes, std::map<uint8_t, Bytes>& out) {
  for (size_t at = 0; at < bytes.size();) {
    const uint8_t code = bytes[at++];
    if (code == kPad) continue;
    if (code == kEnd) return true;
    if (at >= bytes.size()) return false;
    const size_t length = bytes[at++];
    if (length > bytes.size() - at) return false;
    Bytes& value = out[code];
    value.insert(value.end(), bytes.begin() + static_cast<ptrdiff_t>(at),
                 bytes.begin() + static_cast<ptrdiff_t>(at + length));
    at += length;
  }
  return true;  // an end that is missing is no reason to be without an address
}

}  // namespace

Type Message::type() const {
  const auto found = options.find(kMessageType);
  if (found == options.end() || found->second.size() != 1) return Type::kNone;
  const uint8_t value = found->second.front();
  return value <= static_cast<uint8_t>(Type::kInform) ? Type{value} : Type::kNone;
}

std::optional<uint32_t> Message::number(uint8_t option) const {
  const auto found = options.find(option);
  be32 value;
  if (found == options.end() || found->second.size() != sizeof value) return std::nullopt;
  (void)read_header(found->second, 0, value);
  return value.host();
}

std::vector<be32> Message::addresses(uint8_t option) const {
  std::vector<be32> out;
  const auto found = options.find(option);
  if (found == options.end() || found->second.size() % sizeof(be32) != 0) return out;
  be32 one;
  for (size_t at = 0; read_header(found->second, at, one); at += sizeof one) out.push_back(one);
  return out;
}

std::string Message::text(uint8_t option) const {
  std::string out;
  const auto found = options.find(option);
  if (found == options.end()) return out;
  for (const uint8_t c : found->second) {
    if (c >= ' ' && c < 0x7f) out.push_back(static_cast<char>(c));
  }
  return out;
}

void Message::set(uint8_t option, uint32_t value) {
  Bytes bytes(sizeof value);
  write_header(bytes, 0, be32::from(value));
  options[option] = std::move(bytes);
}

namespace {

Message fixed_part(const Header& h) {
  Message m;
  m.op = h.op;
  m.xid = h.xid.host();
  m.secs = h.secs.host();
  m.broadcast = (h.flags.host() & kBroadcastFlag) != 0;
  m.ciaddr = h.ciaddr;
  m.yiaddr = h.yiaddr;
  m.siaddr = h.siaddr;
  m.giaddr = h.giaddr;
  m.chaddr = h.chaddr;
  return m;
}

}  // namespace

std::optional<Message> parse(std::span<const uint8_t> bytes) {
  Header h;
  if (!read_header(bytes, 0, h) || h.cookie.host() != kCookie) return std::nullopt;
  if ((h.op != 1 && h.op != 2) || h.htype != kEthernet || h.hlen != kMacLength) return std::nullopt;
  Message m = fixed_part(h);
  if (!read_options(bytes.subspan(sizeof h), m.options)) return std::nullopt;
  const auto overload = m.options.find(kOverload);
  if (overload != m.options.end()) {
    const uint8_t where = overload->second.size() == 1 ? overload->second.front() : uint8_t{0};
    // The file before the name (RFC 3396 5).
    if ((where & 1) != 0 && !read_options(h.file, m.options)) return std::nullopt;
    if ((where & 2) != 0 && !read_options(h.sname, m.options)) return std::nullopt;
  }
  if (m.type() == Type::kNone) return std::nullopt;
  return m;
}

std::optional<Message> parse_bootp(std::span<const uint8_t> bytes) {
  Header h;
  if (bytes.size() < kShortest || !read_header(bytes, 0, h)) return std::nullopt;
  if (h.op != 1 || h.htype != kEthernet || h.hlen != kMacLength) return std::nullopt;
  Message m = fixed_part(h);
  // What stands where options would may be anything, unless the cookie says that they are.
  if (h.cookie.host() != kCookie) return m;
  if (!read_options(bytes.subspan(sizeof h), m.options) || m.options.contains(kMessageType))
    return std::nullopt;
  return m;
}

Bytes build(const Message& m) {
  Header h{};
  h.op = m.op;
  h.htype = kEthernet;
  h.hlen = kMacLength;
  h.xid = be32::from(m.xid);
  h.secs = be16::from(m.secs);
  h.flags = be16::from(m.broadcast ? kBroadcastFlag : 0);
  h.ciaddr = m.ciaddr;
  h.yiaddr = m.yiaddr;
  h.siaddr = m.siaddr;
  h.giaddr = m.giaddr;
  h.chaddr = m.chaddr;
  std::copy_n(m.file.begin(), std::min(m.file.size(), kLongestFile - 1), h.file.begin());
  h.cookie = be32::from(kCookie);
  Bytes out(sizeof h);
  write_header(out, 0, h);
  const auto add = [&](uint8_t code, std::span<const uint8_t> value) {
    do {
      const size_t n = std::min(value.size(), kLongestPart);
      out.push_back(code);
      out.push_back(static_cast<uint8_t>(n));
      out.insert(out.end(), value.begin(), value.begin() + static_cast<ptrdiff_t>(n));
      value = value.subspan(n);
    } while (!value.empty());
  };
  // The type first, as every server and every capture expects it.
  if (const auto type = m.options.find(kMessageType); type != m.options.end())
    add(kMessageType, type->second);
  for (const auto& [code, value] : m.options) {
    if (code != kMessageType) add(code, value);
  }
  out.push_back(kEnd);
  out.resize(std::max(out.size(), kShortest));
  return out;
}

std::optional<std::vector<Route>> classless_routes(std::span<const uint8_t> value) {
  std::vector<Route> out;
  for (size_t at = 0; at < value.size();) {
    Route route;
    route.length = value[at++];
    const size_t octets = (route.length + size_t{7}) / 8;
    if (route.length > 32 || value.size() - at < octets + sizeof(be32)) return std::nullopt;
    for (size_t i = 0; i < octets; ++i) route.network |= uint32_t{value[at + i]} << (24 - 8 * i);
    if (route.length < 32) route.network &= ~(0xffffffffu >> route.length);
    (void)read_header(value, at + octets, route.gateway);
    at += octets + sizeof(be32);
    out.push_back(route);
  }
  return out;
}

Bytes build_frame(const FrameFields& fields, const Message& message) {
  const Bytes payload = build(message);
  const size_t udp_length = sizeof(UdpHdr) + payload.size();
  constexpr size_t kUdpAt = sizeof(EtherHdr) + sizeof(Ip4Hdr);
  Bytes out(kUdpAt + udp_length);
  write_header(out, 0, EtherHdr{fields.dst, fields.src, be16::from(kEtherIp4)});
  write_header(
      out, sizeof(EtherHdr),
      make_ip4({fields.ip_src, fields.ip_dst, kProtoUdp, fields.tos}, sizeof(Ip4Hdr) + udp_length));
  UdpHdr udp{};
  udp.sport = be16::from(fields.sport);
  udp.dport = be16::from(fields.dport);
  udp.length = be16::from(static_cast<uint16_t>(udp_length));
  write_header(out, kUdpAt, udp);
  std::ranges::copy(payload, out.begin() + kUdpAt + sizeof udp);
  udp.checksum.raw =
      checksum(out.data() + kUdpAt, udp_length,
               pseudo_sum(fields.ip_src, fields.ip_dst, kProtoUdp, udp.length.host()));
  if (udp.checksum.raw == 0) udp.checksum.raw = 0xffff;
  write_header(out, kUdpAt, udp);
  return out;
}

std::optional<Heard> read_frame(std::span<const uint8_t> frame, uint16_t port) {
  EtherHdr ether;
  Ip4Hdr ip;
  if (!read_header(frame, 0, ether) || ether.type.host() != kEtherIp4) return std::nullopt;
  std::span<const uint8_t> packet = frame.subspan(sizeof ether);
  if (!read_ip4(packet, ip) || ip.proto != kProtoUdp || (ip.fragment.host() & 0x3fff) != 0 ||
      ip.total_length.host() > packet.size() || checksum(packet.data(), ip.header_length()) != 0)
    return std::nullopt;
  packet = packet.subspan(ip.header_length(), ip.total_length.host() - ip.header_length());
  UdpHdr udp;
  if (!read_header(packet, 0, udp) || udp.length.host() < sizeof udp ||
      udp.length.host() > packet.size() || udp.dport.host() != port)
    return std::nullopt;
  packet = packet.first(udp.length.host());
  if (udp.checksum.raw != 0 &&
      checksum(packet.data(), packet.size(),
               pseudo_sum(ip.src, ip.dst, kProtoUdp, udp.length.host())) != 0)
    return std::nullopt;
  std::optional<Message> message = parse(packet.subspan(sizeof udp));
  if (!message && port == kServerPort) message = parse_bootp(packet.subspan(sizeof udp));
  const uint8_t op = port == kClientPort ? 2 : 1;
  if (!message || message->op != op) return std::nullopt;
  return Heard{ether.src, ether.dst, ip.src, ip.dst, std::move(*message)};
}

bool is_host(be32 address) {
  const uint32_t first = address.host() >> 24;
  return first != 0 && first != 127 && first < 224;
}

}  // namespace maclane::dhcp
