// REGISTER: whoever the registrar lets call a host comes to its contact, from the registrar alone,
// and is helped as the registration is. The contact's port is promised with the request, and opens
// with the answer that agrees to it, for as long as that says (RFC 3261 10.2, 10.3). Contacts of
// other hosts are not announced.
#include "dataplane/helper/sip.h"

namespace maclane::sip {
namespace {

constexpr uint32_t kPendingCs = 180 * 100;
constexpr uint32_t kDefaultExpires_s = 3600;
constexpr uint32_t kLongestExpires_s = 7 * 86400;

/// The announcement of a contact, by what `same` says of it.
template <typename Same>
Expectations::Ref* announced(HelperPacket& p, Expectation& e, Same&& same) noexcept {
  for (Expectations::Ref& ref : p.record.registered)
    if (p.w.shared->expectations.read(ref, e) && same(e)) return &ref;
  return nullptr;
}

void store(HelperPacket& p, const Expectation& e) noexcept {
  Expectation other;
  Expectations::Ref* place = &p.record.registered[0];
  for (Expectations::Ref& ref : p.record.registered) {
    if (p.w.shared->expectations.read(ref, other)) continue;
    place = &ref;
    break;
  }
  (void)p.w.shared->expectations.take(*place);
  *place = p.w.shared->expectations.add(e, p.w.now.cs);
}

}  // namespace

Refusal register_request(HelperPacket& p, const Reading& r) noexcept {
  const Message& m = r.m;
  p.record.register_sequence = m.sequence;
  p.record.register_expires_s = m.expires_s != kUnsaid ? m.expires_s : kDefaultExpires_s;
  const Leg& in = p.s.leg(p.direction);
  const Leg& out = p.s.leg(opposite(p.direction));
  for (unsigned i = 0; i < m.count; ++i) {
    const Place& contact = m.places[i];
    if (contact.role != Place::Role::kContact || !(contact.address == p.speaker())) continue;
    const uint32_t expires_s =
        contact.expires_s != kUnsaid ? contact.expires_s : p.record.register_expires_s;
    Expectation e;
    const bool known = announced(p, e, [&](const Expectation& o) {
                         return o.to_dst == contact.address && o.to_dport == contact.port;
                       }) != nullptr;
    if (expires_s == 0 || known) continue;
    e = expect_from_listener(p, p.s.proto, contact.port);
    e.flags = Expectation::kStays | Expectation::kHelps | Expectation::kSleeps;
    e.expires_cs = p.w.now.cs + kPendingCs;
    // What comes to the connection's own port comes by the connection while that lasts.
    if (contact.port == in.sport) {
      if (!claim_port(p, e, out.dport)) continue;
    } else if (const Refusal reason = choose_port(p, e, nullptr, {}); reason) {
      return reason;
    }
    store(p, e);
  }
  return kPasses;
}

void register_response(HelperPacket& p, const Message& m) noexcept {
  if (m.sequence != p.record.register_sequence || m.status < 200) return;
  Expectations& all = p.w.shared->expectations;
  bool any = false;
  for (unsigned i = 0; m.status < 300 && i < m.count; ++i) {
    const Place& contact = m.places[i];
    if (contact.role != Place::Role::kContact) continue;
    Expectation e;
    Expectations::Ref* ref = announced(p, e, [&](const Expectation& o) {
      return o.dst == contact.address && o.dport == contact.port;
    });
    if (ref == nullptr) continue;
    uint32_t expires_s = contact.expires_s != kUnsaid ? contact.expires_s : m.expires_s;
    if (expires_s == kUnsaid) expires_s = p.record.register_expires_s;
    if (!all.take(*ref)) continue;
    *ref = {};
    if (expires_s == 0) continue;
    e.flags = static_cast<uint8_t>(e.flags & ~Expectation::kSleeps);
    e.expires_cs = p.w.now.cs + std::min(expires_s, kLongestExpires_s) * 100;
    *ref = all.add(e, p.w.now.cs);
    any = true;
  }
  if (any) return;
  for (Expectations::Ref& ref : p.record.registered) {
    (void)all.take(ref);
    ref = {};
  }
}

}  // namespace maclane::sip
