#include "dataplane/helper/sip_text.h"

#include <algorithm>

#include "dataplane/helper/sip_scan.h"

namespace maclane::sip {
namespace {

constexpr size_t kLongest = 65535;  // places are 16 bits
constexpr uint32_t kGreatestExpires_s = 0x7fffffff;

using Role = Place::Role;

struct Reader {
  std::string_view text;
  Message& m;

  void add(const Place& place) const noexcept {
    if (m.count < Message::kPlaces) m.places[m.count++] = place;
  }
  /// host[:port] at `at`: a place, if it is numeric. Where it ends, or `at`.
  size_t read_place(size_t at, size_t end, Role role) const noexcept {
    Place place;
    size_t next = read_quad(text, at, end, place.address);
    if (next == kNpos) return at;
    place.role = role;
    place.at = static_cast<uint16_t>(at);
    place.port = be16::from(kDefaultPort);
    uint32_t port = 0;
    if (next < end && text[next] == ':') {
      const size_t behind = read_number(text, next + 1, end, 65535, port);
      if (behind == kNpos || port == 0) return at;
      place.port = be16::from(static_cast<uint16_t>(port));
      place.has_port = true;
      next = behind;
    }
    place.length = static_cast<uint16_t>(next - at);
    add(place);
    return next;
  }
  /// The host of a URI whose scheme ends at `at`. `closed`: it ends with '>'.
  size_t read_uri(size_t at, size_t end, Role role, bool closed) const noexcept {
    const std::string_view ends = closed ? "> \t\r\n" : "> \t\r\n,;?";
    size_t host = at;
    for (size_t i = at; i < end && ends.find(text[i]) == kNpos; ++i) {
      if (text[i] == '@') {
        host = i + 1;
        break;
      }
    }
    return read_place(host, end, role);
  }
  [[nodiscard]] size_t scheme_at(size_t at, size_t end) const noexcept {
    const std::string_view here = text.substr(at, end - at);
    if (begins_with(here, "sip:")) return 4;
    return begins_with(here, "sips:") ? 5 : 0;
  }
  /// All URIs of a header's value.
  void read_uris(size_t at, size_t end, Role role) const noexcept {
    unsigned last = m.count;
    bool closed = false;
    bool any = false;  // a contact stands before
    while (at < end) {
      const char c = text[at];
      if (c == '"') {
        at = behind_quotes(at, end);
        continue;
      }
      if (c == '<' || c == '>') closed = c == '<';
      if (c == ',' && !closed) any = false;
      const bool inside_word = at != 0 && is_word(text[at - 1]);
      if (const size_t scheme = inside_word ? 0 : scheme_at(at, end); scheme != 0 && !any) {
        last = m.count;
        at = std::max(at + scheme, read_uri(at + scheme, end, role, closed));
        any = true;
        continue;
      }
      if (c == ';' && !closed && role == Role::kContact && m.count == last + 1)
        read_expires(at + 1, end, m.places[last]);
      ++at;
    }
  }
  [[nodiscard]] size_t behind_quotes(size_t at, size_t end) const noexcept {
    for (++at; at < end && text[at] != '"'; ++at)
      if (text[at] == '\\') ++at;
    return std::min(at + 1, end);
  }
  void read_expires(size_t at, size_t end, Place& contact) const noexcept {
    at = skip_blanks(text, at, end);
    constexpr std::string_view kName = "expires=";
    if (!begins_with(text.substr(at, end - at), kName)) return;
    uint32_t seconds = 0;
    if (read_number(text, at + kName.size(), end, kGreatestExpires_s, seconds) != kNpos)
      contact.expires_s = seconds;
  }
  /// "SIP/2.0/UDP host:port;received=address;rport=port"
  void read_via(size_t at, size_t end) const noexcept {
    end = std::min(end, text.find(',', at));
    const size_t version = text.find('/', at);
    const size_t transport = version < end ? text.find('/', version + 1) : kNpos;
    if (transport >= end) return;
    at = skip_blanks(text, transport + 1, end);
    while (at < end && is_word(text[at])) ++at;
    at = read_place(skip_blanks(text, at, end), end, Role::kVia);
    while ((at = text.find(';', at)) < end) {
      at = skip_blanks(text, at + 1, end);
      const std::string_view here = text.substr(at, end - at);
      Place place;
      if (begins_with(here, "received=")) {
        const size_t next = read_quad(text, at + 9, end, place.address);
        if (next == kNpos) continue;
        place.role = Role::kReceived;
        place.at = static_cast<uint16_t>(at + 9);
        place.length = static_cast<uint16_t>(next - at - 9);
        add(place);
      } else if (begins_with(here, "rport=")) {
        uint32_t port = 0;
        const size_t next = read_number(text, at + 6, end, 65535, port);
        if (next == kNpos) continue;
        place.role = Role::kPort;
        place.has_port = true;
        place.at = static_cast<uint16_t>(at + 6);
        place.length = static_cast<uint16_t>(next - at - 6);
        place.port = be16::from(static_cast<uint16_t>(port));
        add(place);
      }
    }
  }
};

[[nodiscard]] Method method_of(std::string_view word) noexcept {
  struct Known {
    std::string_view name;
    Method method;
  };
  constexpr Known kKnown[] = {{"REGISTER", Method::kRegister}, {"INVITE", Method::kInvite},
                              {"ACK", Method::kAck},           {"BYE", Method::kBye},
                              {"UPDATE", Method::kUpdate},     {"PRACK", Method::kPrack}};
  for (const Known& known : kKnown)
    if (known.name == word) return known.method;
  return Method::kOther;
}

[[nodiscard]] std::string_view word_at(std::string_view text, size_t at, size_t end) noexcept {
  const size_t begin = at;
  while (at < end && is_word(text[at])) ++at;
  return text.substr(begin, at - begin);
}

/// The first line, text[at, end).
[[nodiscard]] bool read_first(const Reader& r, size_t at, size_t end) noexcept {
  constexpr std::string_view kVersion = "sip/2.0";
  const std::string_view line = r.text.substr(at, end - at);
  uint32_t status = 0;
  if (begins_with(line, kVersion)) {
    const size_t number = skip_blanks(r.text, at + kVersion.size(), end);
    if (read_number(r.text, number, end, 699, status) == kNpos || status < 100) return false;
    r.m.kind = Message::Kind::kResponse;
    r.m.status = static_cast<uint16_t>(status);
    return true;
  }
  const std::string_view word = word_at(r.text, at, end);
  const size_t uri = skip_blanks(r.text, at + word.size(), end);
  const size_t last = line.rfind(' ');
  if (word.empty() || uri == at + word.size() || last == kNpos ||
      !begins_with(line.substr(last + 1), kVersion)) {
    return false;
  }
  r.m.kind = Message::Kind::kRequest;
  r.m.method = method_of(word);
  if (const size_t scheme = r.scheme_at(uri, end); scheme != 0)
    (void)r.read_uri(uri + scheme, end, Role::kUri, false);
  return true;
}

enum class Header : uint8_t {
  kOther,
  kVia,
  kContact,
  kIdentity,
  kRoute,
  kCall,
  kSequence,
  kExpires,
  kLength
};
[[nodiscard]] Header header_of(std::string_view name) noexcept {
  struct Known {
    std::string_view name;
    Header header;
  };
  constexpr Known kKnown[] = {{"via", Header::kVia},
                              {"v", Header::kVia},
                              {"contact", Header::kContact},
                              {"m", Header::kContact},
                              {"from", Header::kIdentity},
                              {"f", Header::kIdentity},
                              {"to", Header::kIdentity},
                              {"t", Header::kIdentity},
                              {"call-id", Header::kCall},
                              {"i", Header::kCall},
                              {"cseq", Header::kSequence},
                              {"expires", Header::kExpires},
                              {"content-length", Header::kLength},
                              {"l", Header::kLength},
                              {"route", Header::kRoute},
                              {"record-route", Header::kRoute},
                              {"p-asserted-identity", Header::kIdentity}};
  for (const Known& known : kKnown)
    if (known.name.size() == name.size() && begins_with(name, known.name)) return known.header;
  return Header::kOther;
}

[[nodiscard]] uint32_t hash_of(std::string_view text) noexcept {
  uint32_t hash = 2166136261u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

/// A header's value text[at, end). False: no message is like that.
[[nodiscard]] bool read_header(const Reader& r, Header header, size_t at, size_t end,
                               bool& via_read) noexcept {
  Message& m = r.m;
  uint32_t number = 0;
  switch (header) {
    case Header::kVia:
      if (!via_read) r.read_via(at, end);
      via_read = true;
      return true;
    case Header::kContact:
      r.read_uris(at, end, Role::kContact);
      return true;
    case Header::kIdentity:
      r.read_uris(at, end, Role::kIdentity);
      return true;
    case Header::kRoute:
      r.read_uris(at, end, Role::kUri);
      return true;
    case Header::kCall:
      m.call = hash_of(r.text.substr(at, end - at)) | 1;
      return true;
    case Header::kSequence: {
      const size_t next = read_number(r.text, at, end, 0xffffffffu, m.sequence);
      if (next == kNpos) return false;
      if (m.kind == Message::Kind::kResponse)
        m.method = method_of(word_at(r.text, skip_blanks(r.text, next, end), end));
      return true;
    }
    case Header::kExpires:
      if (read_number(r.text, at, end, kGreatestExpires_s, number) != kNpos) m.expires_s = number;
      return true;
    case Header::kLength: {
      const size_t next = read_number(r.text, at, end, kLongest, m.length);
      if (next == kNpos || m.length_digits != 0) return false;
      m.length_at = static_cast<uint16_t>(at);
      m.length_digits = static_cast<uint16_t>(next - at);
      return true;
    }
    case Header::kOther:
      return true;
  }
  return true;
}

/// Where the line at `at` ends: at its '\n', or kNpos.
[[nodiscard]] size_t line_end(std::string_view text, size_t at) noexcept {
  return text.find('\n', at);
}
[[nodiscard]] size_t without_cr(std::string_view text, size_t at, size_t end) noexcept {
  return end > at && text[end - 1] == '\r' ? end - 1 : end;
}

/// The headers from `at` on; where the body begins, or kNpos.
[[nodiscard]] size_t read_headers(const Reader& r, size_t at) noexcept {
  const std::string_view text = r.text;
  bool via_read = false;
  for (;;) {
    size_t end = line_end(text, at);
    if (end == kNpos) return kNpos;
    if (without_cr(text, at, end) == at) return end + 1;
    // A line that begins with a blank goes on with the header.
    while (end + 1 < text.size() && is_blank(text[end + 1])) {
      end = line_end(text, end + 1);
      if (end == kNpos) return kNpos;
    }
    const std::string_view name = word_at(text, at, end);
    const size_t colon = skip_blanks(text, at + name.size(), end);
    if (!name.empty() && colon < end && text[colon] == ':') {
      const size_t value = skip_blanks(text, colon + 1, end);
      if (!read_header(r, header_of(name), value, without_cr(text, value, end), via_read))
        return kNpos;
    }
    at = end + 1;
  }
}

}  // namespace

Message read_message(std::string_view text, bool stream) noexcept {
  Message m;
  text = text.substr(0, kLongest);
  size_t at = 0;
  while (at < text.size() && (text[at] == '\r' || text[at] == '\n')) ++at;
  const size_t end = line_end(text, at);
  if (end == kNpos) return m;
  const Reader r{text, m};
  size_t body = kNpos;
  if (read_first(r, at, without_cr(text, at, end))) body = read_headers(r, end + 1);
  if (body == kNpos) return {};
  const size_t here = text.size() - body;
  if (stream && m.length > here) return {};
  if (m.length_digits == 0) m.length = static_cast<uint32_t>(stream ? 0 : here);
  m.length = std::min(m.length, static_cast<uint32_t>(here));
  m.body = body;
  m.size = body + m.length;
  return m;
}

Written write_address(be32 address) noexcept {
  Written out;
  for (unsigned shift = 32; shift != 0; shift -= 8) {
    const Written part = write_number(address.host() >> (shift - 8) & 0xff);
    std::copy_n(part.text.begin(), part.size, out.text.begin() + out.size);
    out.size = static_cast<uint8_t>(out.size + part.size);
    if (shift != 8) out.text[out.size++] = '.';
  }
  return out;
}

Written write_address(be32 address, be16 port) noexcept {
  Written out = write_address(address);
  const Written part = write_number(port.host());
  out.text[out.size++] = ':';
  std::copy_n(part.text.begin(), part.size, out.text.begin() + out.size);
  out.size = static_cast<uint8_t>(out.size + part.size);
  return out;
}

Written write_number(uint32_t number) noexcept {
  Written out;
  std::array<char, 10> digits;
  unsigned count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (count != 0) out.text[out.size++] = digits[--count];
  return out;
}

}  // namespace maclane::sip
