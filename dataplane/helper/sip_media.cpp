// Media streams of calls: who is expected at which ports, and what their descriptions say instead.
//
// sip-direct-media=yes: a stream goes between the hosts that signal, and a description that names
// another host announces nothing. =no: a host's own ports are open to whoever sends, and streams
// to others that it is told of are expected of it alone; where those others are behind this router
// themselves, the host is told of them as they are, and both reach each other without leaving. RTP
// and RTCP keep their two ports in order. A host that sends from the port it was told at is seen
// with the port that the other side knows.
#include "dataplane/helper/sip.h"

namespace maclane::sip {
namespace {

constexpr uint32_t kMediaWaitCs = 180 * 100;
constexpr uint16_t kFirstMediaPort = 1024;
constexpr uint16_t kLastPort = 65535;

/// The listener's own port of the same stream, if it was given another.
void pair_with_listeners(const HelperPacket& p, Expectation& e, Said said) noexcept {
  for (const HelperRecord::Promise& promise : p.record.promises) {
    if (promise.port.raw == 0 || promise.call != said.call || promise.line != said.line ||
        !(promise.address == p.listener()) || promise.port == promise.public_port) {
      continue;
    }
    e.known_src = promise.address;
    e.known_sport = promise.port;
    e.known_as = promise.public_port;
  }
}

/// The speaker's port, for what the listener announced of the same stream before.
void pair_with_speakers(HelperPacket& p, const Expectation& own, Said said) noexcept {
  if (own.dport == own.to_dport) return;
  Expectations& all = p.w.shared->expectations;
  Expectation e;
  for (HelperRecord::Expected& one : p.record.expected) {
    if (one.call != said.call || one.line != said.line || !all.read(one.ref, e)) continue;
    if (e.to_dst == own.to_dst || !all.take(one.ref)) continue;
    e.known_src = own.to_dst;
    e.known_sport = own.to_dport;
    e.known_as = own.dport;
    one.ref = all.add(e, p.w.now.cs);
  }
}

[[nodiscard]] Expectation expect_stream(const HelperPacket& p, be32 address, be16 port) noexcept {
  Expectation e = expect_from_listener(p, kProtoUdp, port);
  e.expires_cs = p.w.now.cs + kMediaWaitCs;
  if (p.w.snapshot->sip_direct_media) return e;
  e.to_src = {};
  e.flags = Expectation::kByRules;
  if (address == p.speaker())
    e.src = {};
  else
    e.dst = e.to_dst = address;
  return e;
}

struct Ports {
  be16 rtp{};
  be16 rtcp{};
};

/// A stream is expected; ports become those that the listener is to know.
[[nodiscard]] Refusal expect(HelperPacket& p, const Stream& stream, Said said,
                             Ports& ports) noexcept {
  const uint16_t port = stream.port.host();
  const auto behind = be16::from(static_cast<uint16_t>(port + 1));
  Expectation rtp = expect_stream(p, stream.address, stream.port);
  Expectation rtcp = expect_stream(p, stream.address, behind);
  const Said of_rtcp{said.call, said.line + 1};
  pair_with_listeners(p, rtp, said);
  pair_with_listeners(p, rtcp, of_rtcp);
  const bool both = port != kLastPort && (stream.rtcp.raw == 0 || stream.rtcp == behind);
  if (const Refusal reason = announce(p, rtp, both ? &rtcp : nullptr, said); reason) return reason;
  ports = {rtp.dport, both ? rtcp.dport : stream.rtcp};
  pair_with_speakers(p, rtp, said);
  if (!both && stream.rtcp.host() >= kFirstMediaPort) {
    rtcp = expect_stream(p, stream.address, stream.rtcp);
    pair_with_listeners(p, rtcp, of_rtcp);
    if (const Refusal reason = announce(p, rtcp, nullptr, of_rtcp); reason) return reason;
    ports.rtcp = rtcp.dport;
  }
  if (ports.rtcp.raw != 0) pair_with_speakers(p, rtcp, of_rtcp);
  return kPasses;
}

/// The host behind this router whom the listener, who is behind it too, knows by a promised port.
[[nodiscard]] bool is_behind(const HelperPacket& p, const Stream& stream, Expectation& e) noexcept {
  if (p.listener() == p.public_listener()) return false;
  const Tuple t{p.listener(), stream.address, {}, stream.port, kProtoUdp};
  return p.w.shared->expectations.find(t, p.w.now.cs, e) && e.helper == Helper::kSip &&
         !(e.to_dst == e.dst);
}

void write_addresses(const Reading& r, const Description& d, be32 before, be32 after) noexcept {
  for (unsigned k = 0; k < d.addresses; ++k) {
    const Description::Address& one = d.address[k];
    if (one.address == before) r.edits.add(r.base + one.at, one.length, write_address(after));
  }
}

}  // namespace

Refusal read_media(HelperPacket& p, const Reading& r) noexcept {
  const Description d = read_description(r.text, r.m.body, r.m.size);
  be32 behind{};  // as the description names it
  be32 behind_own{};
  for (unsigned k = 0; k < d.streams; ++k) {
    Stream stream = d.stream[k];
    const bool own = stream.address == p.speaker();
    if (!stream.datagrams || stream.address.raw == 0 || stream.port.host() < kFirstMediaPort ||
        (!own && p.w.snapshot->sip_direct_media)) {
      continue;
    }
    const be16 said = stream.port;
    const be16 said_rtcp = stream.rtcp;
    Expectation other;
    if (!own && is_behind(p, stream, other) &&
        (behind.raw == 0 || (behind == stream.address && behind_own == other.to_dst))) {
      behind = stream.address;
      behind_own = stream.address = other.to_dst;
      stream.port = other.to_dport;
      const auto next = [](be16 port) {
        return be16::from(static_cast<uint16_t>(port.host() + 1));
      };
      if (said_rtcp == next(said)) stream.rtcp = next(stream.port);
    }
    Ports ports{stream.port, stream.rtcp};
    if (const Refusal reason = expect(p, stream, {r.m.call, 2 * k}, ports); reason) {
      // One that is known by its own address is described to several: it is expected already.
      if (own && !(p.speaker() == p.public_speaker())) return reason;
      ports = {stream.port, stream.rtcp};
    }
    if (!(ports.rtp == said))
      r.edits.add(r.base + stream.port_at, stream.port_length, write_number(ports.rtp.host()));
    if (stream.rtcp_length != 0 && !(ports.rtcp == said_rtcp))
      r.edits.add(r.base + stream.rtcp_at, stream.rtcp_length, write_number(ports.rtcp.host()));
  }
  if (behind.raw != 0) write_addresses(r, d, behind, behind_own);
  if (!(p.speaker() == p.public_speaker())) write_addresses(r, d, p.speaker(), p.public_speaker());
  return kPasses;
}

void forget_call(HelperPacket& p, uint32_t call) noexcept {
  for (HelperRecord::Expected& one : p.record.expected) {
    if (one.call != call) continue;
    (void)p.w.shared->expectations.take(one.ref);
    one = {};
  }
}

}  // namespace maclane::sip
