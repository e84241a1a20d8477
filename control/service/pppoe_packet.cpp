#include "control/service/pppoe_packet.h"

#include "control/service/packet_build.h"

namespace maclane::pppoe {
namespace {

constexpr uint8_t kVersionType = 0x11;

/// The six bytes behind the Ethernet header of both kinds.
struct Header {
  uint8_t version_type;
  uint8_t code;
  be16 session;
  be16 length;
};
struct TagHeader {
  be16 type;
  be16 length;
};
static_assert(sizeof(Header) == 6 && sizeof(TagHeader) == 4);

constexpr size_t kHead = sizeof(EtherHdr) + sizeof(Header);

/// Both headers, and what the length says; nullopt if there is less.
std::optional<std::span<const uint8_t>> read(std::span<const uint8_t> frame, uint16_t type,
                                             EtherHdr& ether, Header& header) {
  if (!read_header(frame, 0, ether) || ether.type.host() != type ||
      !read_header(frame, sizeof ether, header) || header.version_type != kVersionType ||
      header.length.host() > frame.size() - kHead)
    return std::nullopt;
  return frame.subspan(kHead, header.length.host());
}

Bytes head(const MacAddr& src, const MacAddr& dst, uint16_t type, uint8_t code, uint16_t session,
           size_t length) {
  Bytes out(kHead);
  write_header(out, 0, EtherHdr{dst, src, be16::from(type)});
  write_header(
      out, sizeof(EtherHdr),
      Header{kVersionType, code, be16::from(session), be16::from(static_cast<uint16_t>(length))});
  return out;
}

}  // namespace

const Bytes* Discovery::find(uint16_t type) const {
  for (const TagValue& tag : tags) {
    if (tag.type == type) return &tag.value;
  }
  return nullptr;
}

std::optional<Discovery> read_discovery(std::span<const uint8_t> frame) {
  EtherHdr ether;
  Header header;
  auto tags = read(frame, kEtherPppoeDiscovery, ether, header);
  if (!tags) return std::nullopt;
  Discovery out{ether.src, ether.dst, header.code, header.session.host(), {}};
  while (!tags->empty()) {
    TagHeader tag;
    if (!read_header(*tags, 0, tag) || tag.length.host() > tags->size() - sizeof tag)
      return std::nullopt;
    if (tag.type.host() == kEndOfList) break;
    const auto value = tags->subspan(sizeof tag, tag.length.host());
    out.tags.push_back({tag.type.host(), Bytes(value.begin(), value.end())});
    tags = tags->subspan(sizeof tag + value.size());
  }
  return out;
}

std::optional<SessionFrame> read_session(std::span<const uint8_t> frame) {
  EtherHdr ether;
  Header header;
  const auto payload = read(frame, kEtherPppoeSession, ether, header);
  be16 protocol;
  if (!payload || header.code != 0 || !read_header(*payload, 0, protocol)) return std::nullopt;
  return SessionFrame{ether.src, ether.dst, header.session.host(), protocol.host(),
                      payload->subspan(sizeof protocol)};
}

Bytes build(const Discovery& discovery) {
  size_t length = 0;
  for (const TagValue& tag : discovery.tags) length += sizeof(TagHeader) + tag.value.size();
  Bytes out = head(discovery.src, discovery.dst, kEtherPppoeDiscovery, discovery.code,
                   discovery.session, length);
  for (const TagValue& tag : discovery.tags) {
    const size_t at = out.size();
    out.resize(at + sizeof(TagHeader));
    write_header(
        out, at,
        TagHeader{be16::from(tag.type), be16::from(static_cast<uint16_t>(tag.value.size()))});
    out.insert(out.end(), tag.value.begin(), tag.value.end());
  }
  return out;
}

Bytes build(const SessionFrame& session) {
  Bytes out = head(session.src, session.dst, kEtherPppoeSession, 0, session.session,
                   session.packet.size() + sizeof(be16));
  out.push_back(static_cast<uint8_t>(session.protocol >> 8));
  out.push_back(static_cast<uint8_t>(session.protocol));
  out.insert(out.end(), session.packet.begin(), session.packet.end());
  return out;
}

}  // namespace maclane::pppoe
