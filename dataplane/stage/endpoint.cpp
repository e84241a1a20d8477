#include "dataplane/stage/endpoint.h"

namespace maclane {

Mapping source_mapping(const Session& s) noexcept {
  return {s.original.src, s.reply.dst, s.original.sport, s.reply.dport, s.proto, s.original.out_if};
}

Mapping destination_mapping(const Session& s) noexcept {
  return {s.reply.src, s.original.dst, s.reply.sport, s.original.dport, s.proto, s.original.in_if};
}

bool is_mapped(const Worker& w, const Tuple& out) noexcept {
  if (w.shared->mappings.size() == 0) return false;
  Mapping m;
  m.out_address = out.src;
  m.out_port = out.sport;
  m.proto = out.proto;
  return w.shared->mappings.find_outside(m);
}

void hold_destination(Worker& w, Session& s) noexcept {
  if (!s.has(Session::kDstMapped)) return;
  Mapping m = destination_mapping(s);
  const be16 port = m.out_port;
  const Mappings::Held held = w.shared->mappings.hold(m);
  if (held == Mappings::Held::kHeld && m.out_port == port) {
    w.shared->mappings.allow(m, s.original.src);
    return;
  }
  // It is gone, or another one now: the connection goes on without.
  if (held == Mappings::Held::kHeld) w.shared->mappings.release(m);
  s.flags = static_cast<uint16_t>(s.flags & ~Session::kDstMapped);
}

bool outlived_mapping(const Worker& w, const Session& s) noexcept {
  if (!awaits_answer(s)) return false;
  const Mapping was = destination_mapping(s);
  Mapping is = was;
  return !w.shared->mappings.find_outside(is) || !(is.in_address == was.in_address) ||
         !(is.in_port == was.in_port);
}

void forget_mappings(Worker& w, uint32_t session) noexcept {
  Session& s = w.sessions.at(session);
  const auto forget = [&](const Mapping& m, be32 remote) {
    w.shared->mappings.disallow(m, remote);
    w.shared->mappings.release(m);
  };
  if (s.has(Session::kSrcMapped)) forget(source_mapping(s), s.original.dst);
  if (s.has(Session::kDstMapped) && s.has(Session::kSeenReply))
    forget(destination_mapping(s), s.original.src);
  s.flags = static_cast<uint16_t>(s.flags & ~(Session::kSrcMapped | Session::kDstMapped));
}

}  // namespace maclane
