// Announcing connections, and the ports by which they are known outside.
#include "dataplane/helper/protocols.h"

namespace maclane {
namespace {

constexpr PortSpan kPublicPorts{1024, 65535};

/// What was written in the place of a host's address and port; nullptr: nothing was.
[[nodiscard]] HelperRecord::Promise* promise_of(HelperRecord& record, be32 address,
                                                be16 port) noexcept {
  for (HelperRecord::Promise& promise : record.promises) {
    if (promise.port.raw != 0 && promise.address == address && promise.port == port)
      return &promise;
  }
  return nullptr;
}

void remember(HelperRecord& record, const Expectation& e, Said said) noexcept {
  HelperRecord::Promise* promise = promise_of(record, e.to_dst, e.to_dport);
  if (promise == nullptr) {
    promise = &record.promises[record.next_promise];
    record.next_promise = static_cast<uint8_t>((record.next_promise + 1) % record.promises.size());
  }
  *promise = {e.to_dst, e.to_dport, e.dport, said.call, said.line};
}

/// The same connection's announcement of the same: it is said again.
void forget_same(HelperPacket& p, const Expectation& e) noexcept {
  Expectation old;
  for (HelperRecord::Expected& one : p.record.expected) {
    if (!p.w.shared->expectations.read(one.ref, old) || !old.clashes(e)) continue;
    (void)p.w.shared->expectations.take(one.ref);
    one.ref = {};
  }
}

/// Whether nobody else is announced who would come the same way.
[[nodiscard]] bool is_free(const HelperPacket& p, const Expectation& e) noexcept {
  return !p.w.shared->expectations.clashes(e, p.w.now.cs);
}

/// The same with the port, and of the next with the next one.
[[nodiscard]] bool try_port(const HelperPacket& p, Expectation& e, Expectation* next,
                            uint16_t port) noexcept {
  e.dport = be16::from(port);
  if (next == nullptr) return is_free(p, e);
  next->dport = be16::from(static_cast<uint16_t>(port + 1));
  return port != kPublicPorts.last && is_free(p, e) && is_free(p, *next);
}

[[nodiscard]] Said next_of(Said said) noexcept {
  return {said.call, said.line + 1};
}

Refusal put(HelperPacket& p, const Expectation& e, Said said) noexcept {
  forget_same(p, e);
  const Expectations::Ref ref = p.w.shared->expectations.add(e, p.w.now.cs);
  if (!ref) return Drop::helper_no_room;
  HelperRecord::Expected& place = p.record.expected[p.record.next_expected];
  (void)p.w.shared->expectations.take(place.ref);
  place = {ref, said.call, said.line};
  p.record.next_expected =
      static_cast<uint8_t>((p.record.next_expected + 1) % p.record.expected.size());
  return kPasses;
}

}  // namespace

Expectation expect_from(const Session& s, uint8_t direction) noexcept {
  const Leg& own = s.leg(direction);
  const Leg& other = s.leg(opposite(direction));
  Expectation e;
  e.src = own.src;
  e.dst = own.dst;
  if (!(other.dst == own.src)) e.to_src = other.dst;
  e.to_dst = other.src;
  e.mark = s.mark;
  return e;
}

Expectation expect_from_listener(const HelperPacket& p, uint8_t proto, be16 port) noexcept {
  Expectation e = expect_from(p.s, opposite(p.direction));
  e.dport = port;
  e.proto = proto;
  e.helper = p.record.helper;
  e.to_dport = port;
  return e;
}

uint64_t number_of(const HelperPacket& p) noexcept {
  // Its worker, its place, how often that was used.
  return uint64_t{p.w.id} << 60 | uint64_t{p.session} << 32 | p.w.sessions.sequence(p.session);
}

Refusal choose_port(HelperPacket& p, Expectation& e, Expectation* next, Said said) noexcept {
  e.master = number_of(p);
  if (next != nullptr) next->master = e.master;
  const be16 wanted = e.to_dport;
  if (e.dst == e.to_dst)
    return try_port(p, e, next, wanted.host()) ? kPasses : Refusal{Drop::helper_no_room};
  const HelperRecord::Promise* promise = promise_of(p.record, e.to_dst, e.to_dport);
  if (!try_port(p, e, next, (promise != nullptr ? promise->public_port : wanted).host())) {
    uint16_t port = 0;
    const auto in_order = [&](uint16_t candidate) {
      return next == nullptr || ((candidate ^ wanted.host()) & 1) == 0;
    };
    const auto usable = [&](uint16_t candidate) { return try_port(p, e, next, candidate); };
    if (!pick_port(kPublicPorts, p.w.random, &port, in_order, usable)) return Drop::helper_no_room;
  }
  remember(p.record, e, said);
  if (next != nullptr) remember(p.record, *next, next_of(said));
  return kPasses;
}

bool claim_port(HelperPacket& p, Expectation& e, be16 port) noexcept {
  e.master = number_of(p);
  e.dport = port;
  return is_free(p, e);
}

Refusal announce(HelperPacket& p, Expectation& e, Expectation* next, Said said) noexcept {
  if (const Refusal reason = choose_port(p, e, next, said); reason) return reason;
  if (const Refusal reason = put(p, e, said); reason || next == nullptr) return reason;
  return put(p, *next, next_of(said));
}

Refusal announce_as(HelperPacket& p, Expectation& e, be16 port, Said said) noexcept {
  return claim_port(p, e, port) ? put(p, e, said) : Refusal{Drop::helper_no_room};
}

}  // namespace maclane
