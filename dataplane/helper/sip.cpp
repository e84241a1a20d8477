// SIP (RFC 3261; behaviour.md B-24), as the kernel's nf_conntrack_sip and nf_nat_sip do it: calls
// that come in for registered hosts, the media streams that INVITE, UPDATE, PRACK, their answers
// and ACK describe, and addresses in headers and descriptions.
//
// A place in a header is translated if it is one end of the connection, address and port, or a
// contact that was registered through it; so what one side is told it can say again, and is
// understood. A client that sends from another port than its Via names (many of Cisco's phones) is
// answered at the one that it names. Messages that a packet does not hold whole pass as they are.
// TCP carries several in a segment; they are read while they are whole, and few.
#include "dataplane/helper/sip.h"

#include <optional>

#include "dataplane/net/checksum.h"

namespace maclane {
namespace sip {
namespace {

using Role = Place::Role;

struct End {
  be32 address{};
  be16 port{};
};

/// What stands for a registered contact on the other side of the router.
[[nodiscard]] std::optional<End> registered(const HelperPacket& p, const Place& place) noexcept {
  Expectation e;
  for (const Expectations::Ref ref : p.record.registered) {
    if (!p.w.shared->expectations.read(ref, e)) continue;
    if (e.to_dst == p.speaker() && place.address == e.to_dst && place.port == e.to_dport)
      return End{e.dst, e.dport};
    if (e.dst == p.public_listener() && place.address == e.dst && place.port == e.dport)
      return End{e.to_dst, e.to_dport};
  }
  return std::nullopt;
}

/// What the listener is to read in the place of what the speaker wrote.
[[nodiscard]] std::optional<End> translated(const HelperPacket& p, const Place& place) noexcept {
  const Leg& in = p.s.leg(p.direction);
  const Leg& out = p.s.leg(opposite(p.direction));
  if (place.role == Role::kPort)
    return place.port == in.dport ? std::optional(End{{}, out.sport}) : std::nullopt;
  const bool any_port =
      place.role == Role::kReceived || (place.role == Role::kIdentity && !place.has_port);
  const be16 listens = p.record.listens;
  const bool replies = p.direction == kReply && listens.raw != 0;
  const bool own_port = place.port == in.sport ||
                        (p.direction == kOriginal && listens.raw != 0 && place.port == listens);
  if (place.address == in.src && (any_port || own_port))
    return End{out.dst, any_port ? place.port : out.dport};
  if (place.address == in.dst && (any_port || place.port == in.dport))
    return End{out.src, any_port ? place.port : replies ? listens : out.sport};
  return registered(p, place);
}

void write_places(const HelperPacket& p, const Reading& r) noexcept {
  for (unsigned i = 0; i < r.m.count; ++i) {
    const Place& place = r.m.places[i];
    const std::optional<End> end = translated(p, place);
    if (!end || (end->address == place.address && end->port == place.port)) continue;
    Written text;
    if (place.role == Role::kPort)
      text = write_number(end->port.host());
    else if (place.has_port || end->port.host() != kDefaultPort)
      text = write_address(end->address, end->port);
    else
      text = write_address(end->address);
    if (place.role == Role::kReceived) text = write_address(end->address);
    if (text.view() == r.text.substr(place.at, place.length)) continue;
    r.edits.add(r.base + place.at, place.length, text);
  }
}

/// Where the client wants its answers.
void note_port(const HelperPacket& p, const Message& m) noexcept {
  if (p.direction != kOriginal || p.s.proto != kProtoUdp || m.kind != Message::Kind::kRequest)
    return;
  for (unsigned i = 0; i < m.count; ++i) {
    const Place& place = m.places[i];
    if (place.role != Role::kVia || !(place.address == p.speaker())) continue;
    p.record.listens = place.port == p.s.original.sport ? be16{} : place.port;
  }
}

/// The packet goes where the client listens.
void answer_there(const HelperPacket& p) noexcept {
  if (p.direction != kReply || p.record.listens.raw == 0) return;
  auto& udp = *reinterpret_cast<UdpHdr*>(p.b.l4[p.i]);
  udp.checksum = udp_apply_delta(udp.checksum, delta16(udp.dport, p.record.listens));
  udp.dport = p.record.listens;
}

[[nodiscard]] bool may_describe(const Message& m) noexcept {
  const bool method = m.method == Method::kInvite || m.method == Method::kUpdate ||
                      m.method == Method::kPrack || m.method == Method::kAck;
  return method && m.length != 0 && m.status < 300;
}

[[nodiscard]] Refusal read_one(HelperPacket& p, const Reading& r) noexcept {
  const Message& m = r.m;
  note_port(p, m);
  const bool answers = m.kind == Message::Kind::kResponse;
  if (m.method == Method::kRegister && !p.s.has(Session::kExpected)) {
    if (answers)
      register_response(p, m);
    else if (const Refusal reason = register_request(p, r); reason)
      return reason;
  }
  const bool refused = answers && m.method == Method::kInvite && m.status >= 300;
  if (refused || (!answers && m.method == Method::kBye)) forget_call(p, m.call);
  if (may_describe(m)) {
    if (const Refusal reason = read_media(p, r); reason) return reason;
  }
  if (p.s.translated()) write_places(p, r);
  const int32_t growth = r.edits.growth(r.base + m.body);
  if (growth != 0 && m.length_digits != 0) {
    const auto length = static_cast<uint32_t>(static_cast<int32_t>(m.length) + growth);
    r.edits.add(r.base + m.length_at, m.length_digits, write_number(length));
  }
  return kPasses;
}

/// Signalling goes on for longer than other datagrams do, once it was answered.
void keep(const HelperPacket& p) noexcept {
  if (p.s.proto != kProtoUdp || !p.s.has(Session::kSeenReply)) return;
  p.s.set(Session::kAssured);
  p.w.sessions.set_class(p.session, TimeoutClass::kSip, p.w.now.cs);
}

}  // namespace
}  // namespace sip

Refusal help_sip(HelperPacket& p) noexcept {
  const std::string_view text = p.text();
  const bool stream = p.s.proto == kProtoTcp;
  sip::Edits edits;
  for (size_t at = 0; at < text.size() && edits.has_room();) {
    const sip::Message m = sip::read_message(text.substr(at), stream);
    if (m.kind == sip::Message::Kind::kNone) break;
    sip::keep(p);
    if (const Refusal reason = sip::read_one(p, {text.substr(at, m.size), at, m, edits}); reason)
      return reason;
    if (!stream) break;
    at += m.size;
  }
  if (!replace_all(p, edits.in_order())) return Drop::helper_no_room;
  sip::answer_there(p);
  return kPasses;
}

}  // namespace maclane
