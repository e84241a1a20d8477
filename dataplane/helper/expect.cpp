// Announcing connections, and the ports by which they are known outside.
#include "dataplane/helper/protocols.h"

namespace maclane {
namespace {

constexpr PortSpan kPublicPorts{1024, 65535};

/// A number for the connection that no other has: its worker, its place, how often that was used.
[[nodiscard]] uint64_t number_of(const HelperPacket& p) noexcept {
  return uint64_t{p.w.id} << 60 | uint64_t{p.session} << 32 | p.w.sessions.sequence(p.session);
}

[[nodiscard]] HelperRecord::Promise* promise_of(HelperRecord& record,
                                                const Expectation& e) noexcept {
  for (HelperRecord::Promise& promise : record.promises) {
    if (promise.port.raw != 0 && promise.address == e.to_dst && promise.port == e.to_dport)
      return &promise;
  }
  return nullptr;
}

void remember(HelperRecord& record, const Expectation& e) noexcept {
  HelperRecord::Promise* promise = promise_of(record, e);
  if (promise == nullptr) {
    promise = &record.promises[record.next_promise];
    record.next_promise = static_cast<uint8_t>((record.next_promise + 1) % record.promises.size());
  }
  *promise = {e.to_dst, e.to_dport, e.dport};
}

/// The same connection's announcement of the same: it is said again.
void forget_same(HelperPacket& p, const Expectation& e) noexcept {
  Expectation old;
  for (Expectations::Ref& ref : p.record.expected) {
    if (!p.w.shared->expectations.read(ref, old) || !old.clashes(e)) continue;
    (void)p.w.shared->expectations.take(ref);
    ref = {};
  }
}

/// Whether nobody else is announced who would come the same way.
[[nodiscard]] bool is_free(const HelperPacket& p, const Expectation& e) noexcept {
  return !p.w.shared->expectations.clashes(e, p.w.now.cs);
}

Refusal put(HelperPacket& p, const Expectation& e) noexcept {
  forget_same(p, e);
  const Expectations::Ref ref = p.w.shared->expectations.add(e, p.w.now.cs);
  if (!ref) return Drop::helper_no_room;
  Expectations::Ref& place = p.record.expected[p.record.next_expected];
  (void)p.w.shared->expectations.take(place);
  place = ref;
  p.record.next_expected =
      static_cast<uint8_t>((p.record.next_expected + 1) % p.record.expected.size());
  return kPasses;
}

}  // namespace

Expectation expect_from_listener(const HelperPacket& p, uint8_t proto, be16 port) noexcept {
  Expectation e;
  e.src = p.listener();
  e.dst = p.public_speaker();
  e.dport = port;
  e.proto = proto;
  e.helper = p.record.helper;
  if (!(p.public_listener() == p.listener())) e.to_src = p.public_listener();
  e.to_dst = p.speaker();
  e.to_dport = port;
  e.mark = p.s.mark;
  return e;
}

Refusal announce(HelperPacket& p, Expectation& e) noexcept {
  e.master = number_of(p);
  if (!(e.dst == e.to_dst)) {
    const be16 wanted = e.to_dport;
    const HelperRecord::Promise* promise = promise_of(p.record, e);
    e.dport = promise != nullptr ? promise->public_port : wanted;
    if (!is_free(p, e)) {
      uint16_t port = 0;
      const auto any = [](uint16_t) { return true; };
      const auto usable = [&](uint16_t candidate) {
        e.dport = be16::from(candidate);
        return is_free(p, e);
      };
      if (!pick_port(kPublicPorts, p.w.random, &port, any, usable)) return Drop::helper_no_room;
      e.dport = be16::from(port);
    }
    remember(p.record, e);
  } else if (!is_free(p, e)) {
    return Drop::helper_no_room;
  }
  return put(p, e);
}

Refusal announce_as(HelperPacket& p, Expectation& e, be16 port) noexcept {
  e.master = number_of(p);
  e.dport = port;
  if (!is_free(p, e)) return Drop::helper_no_room;
  return put(p, e);
}

}  // namespace maclane
