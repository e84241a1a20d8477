// The whole firewall (B-2 to B-6, B-11, B-16 to B-22, B-25, B-28, B-30, B-33) under random
// conversations of TCP, UDP and echoes from inside and outside, whole and in fragments, some of
// which come when all else has changed, with packets that do not belong and ICMP errors between;
// and meanwhile other rules, other timeouts, a full table, links that flap, other addresses and
// jumps of the clock. Each packet, each connection and each rule's counter is compared with what a
// router in plain words says (plain_router.h). The seeds are fixed: what fails once fails again.
#include "tests/unit/l3/firewall_fuzz_fragments.h"

namespace maclane::test {

class FirewallFuzz : public FirewallFuzzFragments, public ::testing::WithParamInterface<unsigned> {
 protected:
  using Sense = PlainPacket::Sense;
  using Outcome = PlainRouter::Outcome;
  enum Way : uint8_t { kAsker, kAnswerer };
  /// Two ends that speak with each other, each as it sees the other.
  struct Talk {
    Flow asks;           // what the client sends
    Flow heard;          // what the server hears; the same but for translation
    bool known = false;  // the server has heard something
    IfIndex client_if = 0, server_if = 0;
    bool over = false;
    // TCP
    unsigned stage = 0;  // 1: SYN, 2: and SYN-ACK, 3: and ACK were delivered
    uint32_t next[2] = {}, acked[2] = {};
    bool fin[2] = {};
  };

  void SetUp() override { start(GetParam()); }

  static std::vector<uint8_t> segment(const Flow& f, uint8_t flags, uint32_t seq, uint32_t ack,
                                      uint16_t data, bool sound = true) {
    std::vector<uint8_t> p(sizeof(TcpHdr) + data, 0x5a);
    TcpHdr t{};
    t.sport = be16::from(f.sport);
    t.dport = be16::from(f.dport);
    t.seq = be32::from(seq);
    t.ack = be32::from((flags & kTcpAck) != 0 ? ack : 0);
    t.data_offset = 0x50;
    t.flags = flags;
    t.window = be16::from(1000);
    std::memcpy(p.data(), &t, sizeof(t));
    const uint16_t sum = checksum(p.data(), p.size(),
                                  pseudo_sum(be32::from(f.src), be32::from(f.dst), kProtoTcp,
                                             static_cast<uint16_t>(p.size())));
    t.checksum.raw = static_cast<uint16_t>(sound ? sum : sum ^ 0x5555);
    std::memcpy(p.data(), &t, sizeof(t));
    return ip_packet(f.src, f.dst, kProtoTcp, p);
  }
  [[nodiscard]] static PlainPacket packet_of(const Talk& t, Way way) {
    PlainPacket p;
    p.in_if = way == kAsker ? t.client_if : t.server_if;
    p.flow = way == kAsker ? t.asks : t.heard.reversed();
    return p;
  }
  void set_heard(Talk& t, Way way, const Outcome& o) {
    if (!o.sent) return;
    if (way == kAnswerer) {
      // An answer that does not come from where it was asked for is none.
      t.over = t.over || o.flow != t.asks.reversed();
      return;
    }
    t.over = t.over || (t.known && t.heard != o.flow);
    t.heard = o.flow;
    t.known = true;
    t.server_if = o.out_if;
  }

  // TCP
  struct Say {
    Way way = kAsker;
    uint8_t flags = kTcpAck;
    uint16_t data = 0;
    uint32_t beyond = 0;  // of the number that is due
    Sense sense = Sense::kFits;
    bool sound = true;
  };
  /// Says something, and both ends know what was heard of it. False: nothing was.
  bool say(Talk& t, const Say& s) {
    const Way other = s.way == kAsker ? kAnswerer : kAsker;
    PlainPacket p = packet_of(t, s.way);
    p.tcp_flags = s.flags;
    p.sense = s.sense;
    const uint32_t ack = t.next[other];
    const Outcome o =
        put(segment(p.flow, s.flags, t.next[s.way] + s.beyond, ack, s.data, s.sound), p);
    const bool rst = (s.flags & kTcpRst) != 0;
    if (s.sense != Sense::kFits) return o.sent;
    set_heard(t, s.way, o);
    if (rst) t.over = true;
    if (!o.sent) {
      // Of what only carried data it is as if it was lost on the way; the rest ends the talk here.
      if (o.tracked && (s.flags != kTcpAck || t.stage < 3)) t.over = true;
      return false;
    }
    if (!o.tracked) t.over = true;
    t.next[s.way] += s.data + ((s.flags & (kTcpSyn | kTcpFin)) != 0 ? 1 : 0);
    if ((s.flags & kTcpFin) != 0) t.fin[s.way] = true;
    if ((s.flags & kTcpAck) != 0) t.acked[other] = ack;
    return true;
  }
  /// Says again what was heard already, one number long.
  void say_again(Talk& t, const Say& s) {
    --t.next[s.way];
    if (!say(t, s)) ++t.next[s.way];
  }
  void open_tcp_talk(Talk& t) {
    const Flow asks = t.asks;
    const IfIndex from = t.client_if;
    const uint32_t seq = t.next[kAsker] + 100000;
    t = Talk{};
    t.asks = asks;
    t.client_if = from;
    t.next[kAsker] = seq;
    t.next[kAnswerer] = static_cast<uint32_t>(random());
    if (say(t, {kAsker, kTcpSyn}))
      t.stage = 1;
    else
      t.over = true;
  }
  void tcp_goes_on(Talk& t) {
    const PlainConnection* c = plain.find(t.asks);
    if (c == nullptr) {  // it was forgotten meanwhile
      if (!plain.loose) say(t, {kAsker, kTcpAck, 10, 0, Sense::kForeign});
      t.over = true;
      return;
    }
    const uint32_t what = below(100);
    if (t.stage == 1) {
      if (what < 60) {
        if (say(t, {kAnswerer, kTcpSyn | kTcpAck})) t.stage = 2;
      } else if (what < 90) {
        say_again(t, {kAsker, kTcpSyn});
      } else {
        say(t, {kAnswerer, kTcpRst | kTcpAck});
      }
      return;
    }
    if (t.stage == 2) {
      if (what < 80) {
        if (say(t, {kAsker, kTcpAck})) t.stage = 3;
      } else if (what < 95) {
        say_again(t, {kAnswerer, kTcpSyn | kTcpAck});
      } else {
        say(t, {kAsker, kTcpRst});
      }
      return;
    }
    const Way way = below(2) == 0 ? kAsker : kAnswerer;
    const bool open = c->state == TcpState::kEstablished && c->assured;
    const bool all_heard = t.acked[way] == t.next[way];
    if (what < 12 && !t.fin[way]) {
      say(t, {way, kTcpFin | kTcpAck});
    } else if (what < 15 && all_heard) {
      say(t, {way, kTcpRst});
    } else if (what < 18 && open) {
      say(t, {way, kTcpRst, 0, 250, Sense::kDoubtful});
    } else if (what < 22 && open) {
      say(t, {way, kTcpAck, 50, 100000, Sense::kForeign});
    } else if (what < 25) {
      say(t, {way, 0, 0, 0, Sense::kForeign});
    } else if (what < 28) {
      say(t, {way, kTcpFin | kTcpAck, 0, 0, Sense::kForeign, false});
    } else if (!t.fin[way] && t.next[way] - t.acked[way] < 500) {
      say(t, {way, kTcpAck, static_cast<uint16_t>(below(200))});
    } else {
      say(t, {way, kTcpAck});
    }
    if (!t.over && t.fin[0] && t.fin[1] && below(3) == 0 && c->state == TcpState::kTimeWait)
      open_tcp_talk(t);
  }

  // UDP
  void speak_udp(Talk& t) {
    const Way way = t.known && below(2) == 0 ? kAnswerer : kAsker;
    const PlainPacket p = packet_of(t, way);
    const Flow& f = p.flow;
    const bool large = below(6) == 0;
    const auto whole = udp(f.src, f.sport, f.dst, f.dport, large ? 300 + below(800) : below(200),
                           64, below(8) != 0);
    if (!large) return set_heard(t, way, put(whole, p));
    auto pieces = pieces_of(whole);
    std::shuffle(pieces.begin(), pieces.end(), random);
    if (flights.size() < kMostFlights && below(2) == 0) {
      flights.push_back(Flight{p, std::move(pieces)});
      return set_heard(t, way, bring_some(flights.back()));
    }
    set_heard(t, way, put_fragments(pieces, as_they_leave(pieces), p));
  }
  void echo_once(Talk& t) {
    const Way way = t.known && below(2) == 0 ? kAnswerer : kAsker;
    PlainPacket p = packet_of(t, way);
    p.opens = way == kAsker;
    const uint16_t id = way == kAsker ? p.flow.sport : p.flow.dport;
    set_heard(t, way, put(echo(p.flow.src, p.flow.dst, id, way == kAnswerer), p));
  }

  // what belongs to nothing or tells of something
  void complain() {
    if (plain.connections.empty()) return;
    auto it = plain.connections.begin();
    std::advance(it, below(static_cast<uint32_t>(plain.connections.size())));
    const PlainConnection c = *it;
    if (c.original.proto == kProtoIcmp) return;
    // Who heard a packet says something of it: the end itself, or a router outside.
    const bool of_original = below(2) == 0;
    const Flow about = of_original ? c.reply.reversed() : c.original.reversed();
    PlainPacket p;
    p.in_if = about.dst >> 8 == kPc >> 8 ? kLan : about.dst >> 8 == kIotHost >> 8 ? kIot : kWan;
    p.quoted = about;
    const bool by_router = p.in_if == kWan && below(2) == 0;
    p.flow = {kProtoIcmp, by_router ? kOnTheWay : about.dst, about.src, 0, 0};
    const auto quoted = about.proto == kProtoTcp
                            ? segment(about, kTcpAck, 1, 1, 0)
                            : udp(about.src, about.sport, about.dst, about.dport);
    (void)put(icmp_error(p.flow.src, p.flow.dst, kIcmpUnreachable, by_router ? 1 : 3, quoted), p);
  }
  void intrude_anywhere() {
    PlainPacket p;
    p.in_if = kWan;
    p.flow = {kProtoTcp, kServer + below(4), address, static_cast<uint16_t>(53 + below(2)),
              static_cast<uint16_t>(4000 + below(12))};
    p.tcp_flags = below(2) == 0 ? kTcpRst : kTcpSyn | kTcpAck;
    if (plain.find(p.flow) != nullptr) return;
    (void)put(segment(p.flow, p.tcp_flags, 5, 5, 0), p);
  }

  void begin_talk() {
    Talk t;
    const uint32_t what = below(10);
    const uint8_t proto = below(5) < 3 ? kProtoTcp : below(3) < 2 ? kProtoUdp : kProtoIcmp;
    const auto port = static_cast<uint16_t>(4000 + below(10));
    const auto service = static_cast<uint16_t>(53 + below(4));
    if (what < 6) {
      t.client_if = kLan;
      t.asks = {proto, kPc + below(8), kServer + below(3), port, service};
    } else if (what < 7) {
      t.client_if = kIot;
      t.asks = {proto, kIotHost, kServer + below(3), port, service};
    } else if (what < 8) {
      t.client_if = kLan;
      t.asks = {proto, kPc + below(8), kIotHost, port, service};
    } else if (what < 9) {
      t.client_if = kWan;
      t.asks = {proto, kServer + below(3), kPc + below(8), port, service};
    } else {
      t.client_if = kWan;
      t.asks = {proto, kServer + below(3), address, port, static_cast<uint16_t>(8000 + below(6))};
    }
    if (proto == kProtoIcmp) t.asks.dport = 0x108;
    const bool has = std::any_of(talks.begin(), talks.end(), [&](const Talk& o) {
      return o.asks == t.asks || o.heard == t.asks.reversed() || o.asks == t.asks.reversed();
    });
    if (has || plain.find(t.asks) != nullptr) return;
    talks.push_back(t);
  }
  void speak() {
    if (below(8) == 0) return fly_on();
    if (talks.empty()) return;
    Talk& t = talks[below(static_cast<uint32_t>(talks.size()))];
    if (t.client_if == kWan && is_outer(t.asks.dst) && t.asks.dst != address) t.over = true;
    if (!t.over) {
      if (t.asks.proto == kProtoUdp)
        speak_udp(t);
      else if (t.asks.proto == kProtoIcmp)
        echo_once(t);
      else if (t.stage == 0)
        open_tcp_talk(t);
      else
        tcp_goes_on(t);
    }
    // A talk whose answers went elsewhere, and one that has lasted, make room for others.
    if (t.over || below(60) == 0) {
      std::swap(t, talks.back());
      talks.pop_back();
    }
  }

  std::vector<Talk> talks;
};

TEST_P(FirewallFuzz, AgreesWithPlainWords) {
  for (step = 0; step < 8000 && !HasFailure(); ++step) {
    const uint32_t what = below(1000);
    if (what < 60)
      begin_talk();
    else if (what < 900)
      speak();
    else if (what < 940)
      complain();
    else if (what < 950)
      intrude_anywhere();
    else if (what < 985)
      pass_time();
    else
      edit();
  }
  if (HasFailure()) return;
  EXPECT_GT(quick, 0u) << "the established path was hardly used";
  EXPECT_GT(landed, 0u) << "no datagram came in parts with other things between";
  compare_counters();
  w->now.cs += 3000000;
  look_round();
  EXPECT_EQ(w->sessions.size(), 0u);
  w->fragments.expire(
      w->now, 1000, [](void*, rte_mbuf* m, IfIndex, Drop) { finish(m); }, nullptr);
  EXPECT_EQ(w->fragments.datagrams(), 0u);
  plain.pass(w->now.cs);
  said();
}
INSTANTIATE_TEST_SUITE_P(Seeds, FirewallFuzz, ::testing::Range(1u, 17u));

}  // namespace maclane::test
