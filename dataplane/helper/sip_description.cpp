// Session descriptions (SDP, RFC 4566): where the addresses and ports of media streams stand.
#include <algorithm>

#include "dataplane/helper/sip_scan.h"
#include "dataplane/helper/sip_text.h"

namespace maclane::sip {
namespace {

struct DescriptionReader {
  std::string_view text;
  Description& d;
  be32 common{};  // of the session: of streams that say none

  /// "IN IP4 address" at `at`; 0: it is another kind of address.
  be32 read_address(size_t at, size_t end) const noexcept {
    constexpr std::string_view kKind = "in ip4 ";
    be32 address{};
    if (!begins_with(text.substr(at, end - at), kKind)) return {};
    at = skip_blanks(text, at + kKind.size(), end);
    const size_t next = read_quad(text, at, end, address);
    if (next == kNpos) return {};
    if (d.addresses < Description::kAddresses) {
      d.address[d.addresses++] = {static_cast<uint16_t>(at), static_cast<uint16_t>(next - at),
                                  address};
    }
    return address;
  }
  /// "name session version IN IP4 address"
  void read_origin(size_t at, size_t end) const noexcept {
    for (unsigned word = 0; word < 3; ++word) {
      const size_t blank = text.find(' ', at);
      if (blank >= end) return;
      at = blank + 1;
    }
    (void)read_address(at, end);
  }
  /// "kind port[/count] transport formats". False: no more streams are read.
  [[nodiscard]] bool read_stream(size_t at, size_t end) const noexcept {
    if (d.streams == Description::kStreams) return false;
    const size_t blank = text.find(' ', at);
    if (blank >= end) return true;
    Stream stream;
    stream.address = common;
    uint32_t port = 0;
    size_t next = read_number(text, blank + 1, end, 65535, port);
    if (next != kNpos) {
      stream.port = be16::from(static_cast<uint16_t>(port));
      stream.port_at = static_cast<uint16_t>(blank + 1);
      stream.port_length = static_cast<uint16_t>(next - blank - 1);
      next = text.find(' ', next);
      if (next < end) {
        const std::string_view transport = text.substr(next + 1, end - next - 1);
        stream.datagrams = begins_with(transport, "rtp/") || begins_with(transport, "udp");
      }
    }
    d.stream[d.streams++] = stream;
    return true;
  }
  /// "a=rtcp:port [IN IP4 address]" (RFC 3605)
  void read_rtcp(size_t at, size_t end) const noexcept {
    uint32_t port = 0;
    const size_t next = read_number(text, at, end, 65535, port);
    if (next == kNpos || d.streams == 0) return;
    Stream& stream = d.stream[d.streams - 1];
    stream.rtcp = be16::from(static_cast<uint16_t>(port));
    stream.rtcp_at = static_cast<uint16_t>(at);
    stream.rtcp_length = static_cast<uint16_t>(next - at);
    (void)read_address(skip_blanks(text, next, end), end);
  }
};

}  // namespace

Description read_description(std::string_view text, size_t from, size_t to) noexcept {
  constexpr std::string_view kRtcp = "a=rtcp:";
  Description d;
  DescriptionReader r{text, d};
  bool begun = false;
  to = std::min({to, text.size(), size_t{65535}});
  for (size_t at = from; at < to;) {
    size_t end = text.find('\n', at);
    end = std::min(end, to);
    const size_t next = end + 1;
    if (end > at && text[end - 1] == '\r') --end;
    const std::string_view line = text.substr(at, end - at);
    begun = begun || line.substr(0, 2) == "v=";
    if (begun && line.substr(0, 2) == "--") break;  // the next part of a body of several
    if (begun && line.size() > 2 && line[1] == '=') {
      if (line[0] == 'o') {
        r.read_origin(at + 2, end);
      } else if (line[0] == 'c') {
        const be32 address = r.read_address(at + 2, end);
        (d.streams == 0 ? r.common : d.stream[d.streams - 1].address) = address;
      } else if (line[0] == 'm') {
        if (!r.read_stream(at + 2, end)) break;
      } else if (begins_with(line, kRtcp)) {
        r.read_rtcp(at + kRtcp.size(), end);
      }
    }
    at = next;
  }
  return d;
}

}  // namespace maclane::sip
