#include "dataplane/stage/effects.h"

#include "dataplane/net/checksum.h"
#include "dataplane/stage/refuse.h"
#include "dataplane/stage/tcp_options.h"
#include "dataplane/stage/transport.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

void add_to_list(Worker& w, const Effect& e) noexcept {
  const RuleMore& more = *e.more;
  const auto address = static_cast<uint32_t>(e.a);
  if (more.list_set != nullptr && contains(*more.list_set, address))
    return;  // it is there for good
  const DynamicLists::Added added =
      w.shared->lists.add(more.list, address, more.timeout_cs, w.now.cs);
  // This worker's own sessions are judged by it from the next packet on.
  if (added == DynamicLists::Added::kNew) follow_lists(w);
}

void count_session(Worker& w, const Effect& e, uint32_t session) noexcept {
  SessionNote& note = w.notes.at(session);
  Session& s = w.sessions.at(session);
  if (!s.has(Session::kCounted)) note.counted = {};
  for (SessionNote::Counted& one : note.counted) {
    if (one.word != 0 && one.rule == e.rule->counter) return;
    if (one.word != 0) continue;
    const uint32_t word = w.shared->counts.add(e.a);
    if (word == ConnectionCounts::kNone) return;
    one = {e.rule->counter, word + 1};
    s.set(Session::kCounted);
    return;
  }
}

/// The packet at hand, which is not counted yet, has passed the rules: those behind it will not.
void fast_track(Worker& w, const Burst& b, unsigned i, uint32_t session) noexcept {
  Session& s = w.sessions.at(session);
  if (s.has(Session::kFastTracked) || !w.snapshot->fast_track_on) return;
  FastTrackStart start;
  for (const uint8_t way : {kOriginal, kReply}) {
    start.packets[way] = SessionTable::packets(s, w.sessions.side(session), way);
    start.bytes[way] = s.leg(way).bytes;
  }
  start.packets[b.direction[i]] += 1;
  start.bytes[b.direction[i]] += b.length[i];
  w.notes.set_fast_track_start(session, start);
  s.set(Session::kFastTracked);
  s.original.generation = s.reply.generation = 0;
}

void log_lines(Worker& w, const Burst& b, unsigned i, std::span<const LoggedHit> lines,
               const RuleKey& key) noexcept {
  for (const LoggedHit& hit : lines) {
    Event e;
    e.kind = Event::Kind::kLog;
    e.tcp_flags = b.tcp_flags[i];
    e.icmp_type = key.icmp_type;
    e.icmp_code = key.icmp_code;
    e.in_if = hit.in_if;
    e.out_if = hit.out_if;
    e.tuple = {be32::from(hit.src), be32::from(hit.dst), be16::from(hit.sport),
               be16::from(hit.dport), key.proto};
    e.length = b.length[i];
    e.chain = hit.chain;
    e.log_prefix = hit.prefix;
    e.state = hit.state;
    e.table = hit.table;
    e.generation = w.snapshot->generation;
    e.before_dst = b.tuple[i].dst;
    e.before_dport = b.tuple[i].dport;
    if (hit.known && b.session[i] != SessionTable::kNone && !b.icmp_error[i]) {
      const Leg& other =
          w.sessions.at(b.session[i]).leg(b.direction[i] == kOriginal ? kReply : kOriginal);
      e.after_src = other.dst;
      e.after_sport = other.dport;
    }
    if (!from_router(b, i)) e.src_mac = key.facts->src_mac;
    (void)emit(w, e);
  }
}

void write_log(Worker& w, const Burst& b, unsigned i, const RuleKey& key,
               unsigned before_dstnat) noexcept {
  const auto lines_of = [](const WalkRecord& record) {
    return std::span<const LoggedHit>{record.log.data(), record.logged};
  };
  const std::span<const LoggedHit> lines = lines_of(w.walk);
  const size_t first = std::min<size_t>(before_dstnat, lines.size());
  log_lines(w, b, i, lines.first(first), key);
  log_lines(w, b, i, lines_of(w.dnat_walk), key);
  log_lines(w, b, i, lines.subspan(first), key);
  log_lines(w, b, i, lines_of(w.snat_walk), key);
}

void take_effect(Worker& w, const Burst& b, unsigned i, const WalkRecord& record,
                 uint32_t session) noexcept {
  for (unsigned k = 0; k < record.effects; ++k) {
    const Effect& e = record.effect[k];
    switch (e.kind) {
      case Effect::Kind::kLimit:
        e.more->state->limit.take(e.a, w.now.fine());
        break;
      case Effect::Kind::kDstLimit:
        e.more->state->keyed->take(e.a, e.b, w.now, e.more->dst_expire_cs);
        break;
      case Effect::Kind::kNth:
        e.more->state->count.fetch_add(1, std::memory_order_relaxed);
        break;
      case Effect::Kind::kCount:
        if (session != SessionTable::kNone) count_session(w, e, session);
        break;
      case Effect::Kind::kFastTrack:
        if (session != SessionTable::kNone) fast_track(w, b, i, session);
        break;
      case Effect::Kind::kAddToList:
        add_to_list(w, e);
        break;
    }
  }
}

}  // namespace

PacketFacts facts_of(Worker& w, const Burst& b, unsigned i) noexcept {
  PacketFacts f;
  const rte_mbuf* m = b.mbuf[i];
  const auto* ip = reinterpret_cast<const uint8_t*>(b.ip[i]);
  f.bytes = {ip, std::min<size_t>(m->data_len, b.length[i])};
  f.length = b.length[i];
  f.tcp_flags = b.tcp_flags[i];
  f.fragment = b.ip[i]->is_fragment() && !w.snapshot->tracking;
  if (b.l4[i] != nullptr) {
    size_t headers = b.ip[i]->header_length();
    if (b.tuple[i].proto == kProtoTcp)
      headers += (reinterpret_cast<const TcpHdr*>(b.l4[i])->data_offset >> 4) * 4u;
    else if (b.tuple[i].proto == kProtoUdp)
      headers += sizeof(UdpHdr);
    else
      headers += transport_header(b.tuple[i].proto, b.l4[i]);
    if (headers < f.bytes.size()) f.payload = f.bytes.subspan(headers);
  }
  if (!from_router(b, i)) std::memcpy(&f.src_mac, ip - sizeof(EtherHdr) + 6, 6);
  f.in_if = b.in_if[i];
  f.now = w.now;
  f.snapshot = w.snapshot;
  f.shared = w.shared.get();
  f.random = &w.random;
  if (b.session[i] != SessionTable::kNone) {
    f.session = &w.sessions.at(b.session[i]);
    f.note = &w.notes.at(b.session[i]);
    f.owner = w.sessions.sequence(b.session[i]) | 1;
  }
  return f;
}

void clear_walks(Worker& w) noexcept {
  w.walk.clear();
  w.dnat_walk.clear();
  w.snat_walk.clear();
}

void settle(Worker& w, const Burst& b, unsigned i, const RuleKey& key, unsigned before_dstnat,
            uint32_t session) noexcept {
  if ((w.walk.logged | w.dnat_walk.logged | w.snat_walk.logged) != 0) [[unlikely]]
    write_log(w, b, i, key, before_dstnat);
  for (const WalkRecord* record : {&w.walk, &w.dnat_walk, &w.snat_walk}) {
    if (record->effects != 0) [[unlikely]]
      take_effect(w, b, i, *record, session);
  }
  WalkTable::count_once(w.dnat_walk, b.length[i], w.counters);
  WalkTable::count_once(w.snat_walk, b.length[i], w.counters);
}

void change_dscp(Ip4Hdr& ip, uint8_t dscp) noexcept {
  be16 before;
  std::memcpy(&before, &ip.version_ihl, 2);
  ip.tos = static_cast<uint8_t>((ip.tos & 3) | dscp << 2);
  be16 after;
  std::memcpy(&after, &ip.version_ihl, 2);
  ip.checksum = apply_delta(ip.checksum, delta16(before, after));
}

namespace {

/// Puts no-operations in the place of what options an IPv4 header has.
void strip_options(Ip4Hdr& ip) noexcept {
  const unsigned header = ip.header_length();
  if (header <= sizeof(Ip4Hdr)) return;
  constexpr int kNoOperation = 1;
  std::memset(reinterpret_cast<uint8_t*>(&ip) + sizeof(Ip4Hdr), kNoOperation,
              header - sizeof(Ip4Hdr));
  ip.checksum = {};
  ip.checksum.raw = checksum(&ip, header);
}

}  // namespace

void change_packet(Burst& b, unsigned i, const WalkRecord& record, uint8_t ttl) noexcept {
  Ip4Hdr& ip = *b.ip[i];
  if (record.dscp != WalkRecord::kSameDscp) change_dscp(ip, record.dscp);
  if (record.new_ttl && ip.ttl != ttl) {
    be16 before;
    std::memcpy(&before, &ip.ttl, 2);  // TTL and protocol share a checksum word
    ip.ttl = ttl;
    be16 after;
    std::memcpy(&after, &ip.ttl, 2);
    ip.checksum = apply_delta(ip.checksum, delta16(before, after));
  }
  if (record.clear_df && ip.dont_fragment()) {
    const be16 before = ip.fragment;
    ip.fragment = be16::from(static_cast<uint16_t>(before.host() & ~0x4000u));
    ip.checksum = apply_delta(ip.checksum, delta16(before, ip.fragment));
  }
  if (record.strip_options) strip_options(ip);
  if (record.mss != 0 && b.l4[i] != nullptr) {
    auto* bytes = reinterpret_cast<uint8_t*>(&ip);
    (void)lower_mss({bytes, std::min<size_t>(b.mbuf[i]->data_len, b.length[i])}, record.mss);
  }
}

void forget_counts(Worker& w, uint32_t session) noexcept {
  for (SessionNote::Counted& one : w.notes.at(session).counted) {
    if (one.word != 0) w.shared->counts.remove(one.word - 1);
    one = {};
  }
}

}  // namespace maclane
