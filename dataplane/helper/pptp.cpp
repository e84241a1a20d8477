// PPTP (RFC 2637; behaviour.md B-24), as the kernel's nf_conntrack_pptp and nf_nat_pptp do it: the
// control connection says which calls there are, and their GRE packets are expected from both
// ends as long as it says so.
//
// A GRE packet names its call as the receiver numbers it, and nothing else: who is expected
// (table/expectations.h) tells how the sender numbers it (stage/ip4_validate.cpp), so that both
// directions are one connection. A translated client's number becomes another if some client of the
// same server has it already; the control messages and the GRE packets that come back say the
// client's own.
#include <array>

#include "dataplane/helper/pptp_text.h"
#include "dataplane/helper/protocols.h"
#include "dataplane/worker/claim.h"

namespace maclane {
namespace {

using pptp::Message;
using pptp::Type;
using GreCall = HelperRecord::GreCall;

constexpr PortSpan kNumbers{1, 65535};
constexpr uint32_t kCallPendingCs = 120 * 100;
constexpr uint32_t kAsLongAsItSaysCs = 0x7fff0000;  // until it is taken back

/// GRE packets of a call from the server, or from the client, as they come.
[[nodiscard]] Expectation from_server(const HelperPacket& p, const GreCall& call) noexcept {
  Expectation e = expect_from(p.s, kReply);
  e.sport = call.server;
  e.dport = call.client_public;
  e.to_dport = call.client;
  return e;
}
[[nodiscard]] Expectation from_client(const HelperPacket& p, const GreCall& call) noexcept {
  Expectation e = expect_from(p.s, kOriginal);
  e.sport = call.client;
  e.dport = call.server;
  e.to_sport = call.client_public;
  e.to_dport = call.server;
  return e;
}

/// The same as they leave: what ICMP errors quote.
[[nodiscard]] Expectation leaving(const Expectation& e) noexcept {
  Expectation out = e;
  out.src = e.to_src.raw != 0 ? e.to_src : e.src;
  out.dst = e.to_dst;
  if (e.to_sport.raw != 0) out.sport = e.to_sport;
  out.dport = e.to_dport;
  return out;
}

void put(HelperPacket& p, Expectation& e, Expectations::Ref& place, uint8_t flags,
         uint32_t wait_cs) noexcept {
  e.proto = kProtoGre;
  e.helper = Helper::kPptp;
  e.flags = flags;
  e.master = number_of(p);
  e.expires_cs = p.w.now.cs + wait_cs;
  (void)p.w.shared->expectations.take(place);
  place = p.w.shared->expectations.add(e, p.w.now.cs);
}

template <typename Is>
[[nodiscard]] GreCall* find(HelperPacket& p, Is&& is) noexcept {
  for (GreCall& call : p.record.calls)
    if (call.client.raw != 0 && is(call)) return &call;
  return nullptr;
}

void end(Worker& w, const Session& control, GreCall& call) noexcept {
  for (const Expectations::Ref ref : call.ways) (void)w.shared->expectations.take(ref);
  if (call.server.raw != 0) {
    const Tuple out{control.original.src, control.original.dst, call.client, call.server,
                    kProtoGre};
    const Tuple back{control.reply.src, control.reply.dst, call.server, call.client_public,
                     kProtoGre};
    for (const Tuple& t : {out, back}) end_session(w, t);
  }
  call = {};
}

/// The client's call, with the number by which the server is to know it. nullptr: there is none.
[[nodiscard]] GreCall* number(HelperPacket& p, be16 client) noexcept {
  if (GreCall* known = find(p, [&](const GreCall& c) { return c.client == client; })) return known;
  GreCall* call = nullptr;
  for (GreCall& one : p.record.calls)
    if (one.client.raw == 0) call = &one;
  // None is free: one that nobody answered gives way.
  if (call == nullptr) call = find(p, [](const GreCall& c) { return c.server.raw == 0; });
  if (call == nullptr) return nullptr;
  if (call->client.raw != 0) end(p.w, p.s, *call);
  call->client = call->client_public = client;
  // The server's number is not known: what comes from it is kept free, whatever that will be.
  Expectation e = from_server(p, *call);
  e.proto = kProtoGre;
  e.master = number_of(p);
  const auto is_free = [&](uint16_t candidate) {
    e.dport = be16::from(candidate);
    return !p.w.shared->expectations.clashes(e, p.w.now.cs) &&
           find(p, [&](const GreCall& c) {
             return &c != call && c.client_public.host() == candidate;
           }) == nullptr;
  };
  const bool translated = !(p.s.original.src == p.s.reply.dst);
  uint16_t other = client.host();
  const auto any = [](uint16_t) { return true; };
  if (translated && !is_free(other) && !pick_port(kNumbers, p.w.random, &other, any, is_free)) {
    *call = {};
    return nullptr;
  }
  call->client_public = be16::from(other);
  e = from_server(p, *call);
  put(p, e, call->ways[1], Expectation::kSleeps, kCallPendingCs);
  return call;
}

/// Both ends have numbered it.
void announce(HelperPacket& p, GreCall& call, be16 server) noexcept {
  call.server = server;
  Expectation out = from_client(p, call);
  Expectation back = from_server(p, call);
  put(p, out, call.ways[0], Expectation::kStays, kAsLongAsItSaysCs);
  put(p, back, call.ways[1], Expectation::kStays, kAsLongAsItSaysCs);
  if (!p.s.translated()) return;
  out = leaving(out);
  back = leaving(back);
  put(p, out, call.ways[2], Expectation::kSleeps, kAsLongAsItSaysCs);
  put(p, back, call.ways[3], Expectation::kSleeps, kAsLongAsItSaysCs);
}

[[nodiscard]] Refusal write(HelperPacket& p, size_t at, be16 before, be16 after) noexcept {
  if (before == after) return kPasses;
  std::array<char, sizeof(after)> bytes;
  std::memcpy(bytes.data(), &after, bytes.size());
  return replace(p, at, bytes.size(), {bytes.data(), bytes.size()}) ? kPasses
                                                                    : Refusal{Drop::helper_no_room};
}

/// A message at `base` of the payload, from the client.
[[nodiscard]] Refusal from_client_side(HelperPacket& p, const Message& m, size_t base) noexcept {
  if (m.own_at == 0 || m.own.raw == 0) return kPasses;
  const bool begins = m.type == Type::kOutgoingRequest || m.type == Type::kIncomingReply ||
                      m.type == Type::kOutgoingReply || m.type == Type::kIncomingRequest;
  GreCall* call =
      begins ? number(p, m.own) : find(p, [&](const GreCall& c) { return c.client == m.own; });
  if (call == nullptr) return begins ? Refusal{Drop::helper_no_room} : kPasses;
  if (m.agrees && m.peer.raw != 0) announce(p, *call, m.peer);
  const be16 as = call->client_public;
  if (m.type == Type::kDisconnect) end(p.w, p.s, *call);
  return write(p, base + m.own_at, m.own, as);
}

/// The same from the server: what it says of the client's numbers is theirs again.
[[nodiscard]] Refusal from_server_side(HelperPacket& p, const Message& m, size_t base) noexcept {
  if (m.type == Type::kDisconnect) {
    if (GreCall* over = find(p, [&](const GreCall& c) { return c.server == m.own; }))
      end(p.w, p.s, *over);
    return kPasses;
  }
  if (m.peer_at == 0) return kPasses;
  GreCall* call = find(p, [&](const GreCall& c) { return c.client_public == m.peer; });
  if (call == nullptr) return kPasses;
  const be16 client = call->client;
  const bool replies = m.type == Type::kOutgoingReply || m.type == Type::kIncomingReply;
  if (replies && m.agrees && m.own.raw != 0)
    announce(p, *call, m.own);
  else if (replies)
    end(p.w, p.s, *call);
  return write(p, base + m.peer_at, m.peer, client);
}

}  // namespace

void forget_calls(Worker& w, uint32_t session) noexcept {
  HelperRecord& record = w.helped.at(w.notes.at(session).record);
  for (GreCall& call : record.calls)
    if (call.client.raw != 0) end(w, w.sessions.at(session), call);
}

Refusal help_pptp(HelperPacket& p) noexcept {
  const size_t size = p.payload().size();
  for (size_t at = 0; at < size;) {
    const Message m = pptp::read_message(p.payload().subspan(at));
    if (m.size == 0) break;
    if (m.type == Type::kStopRequest || m.type == Type::kStopReply) forget_calls(p.w, p.session);
    const Refusal reason =
        p.direction == kOriginal ? from_client_side(p, m, at) : from_server_side(p, m, at);
    if (reason) return reason;
    at += m.size;
  }
  return kPasses;
}

}  // namespace maclane
