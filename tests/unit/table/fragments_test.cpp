#include <algorithm>
#include <set>

#include "tests/unit/table/fragments_fixture.h"

namespace maclane::test {
namespace {

TEST(Fragments, AllOrdersOfThree) {
  std::vector<unsigned> order{0, 1, 2};
  do {
    FragmentTable t;
    std::multiset<uintptr_t> out;  // every fragment leaves exactly once
    bool first_seen = false;
    for (unsigned piece : order) {
      const Result r = offer(t, piece + 1, header(7, piece * 800, piece != 2));
      first_seen |= piece == 0;
      ASSERT_EQ(r.outcome, first_seen ? Outcome::kReady : Outcome::kHeld);
      if (r.outcome != Outcome::kReady) continue;
      EXPECT_EQ(r.ports.sport, be16::from(1000));
      EXPECT_EQ(r.ports.dport, be16::from(53));
      out.insert(piece + 1);
      for (const auto& h : r.released) {
        out.insert(reinterpret_cast<uintptr_t>(h.packet));
        EXPECT_EQ(packet(h.in_if), h.packet);
        EXPECT_EQ(h.flags, flags_of(h.in_if));
        // It comes again, and finds its ports.
        const unsigned waited = h.in_if - 1u;
        EXPECT_EQ(offer(t, h.in_if, header(7, waited * 800, waited != 2)).outcome, Outcome::kReady);
      }
    }
    EXPECT_EQ(out, (std::multiset<uintptr_t>{1, 2, 3}));
    EXPECT_EQ(t.datagrams(), 0u);  // complete
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Fragments, ALoneFragmentTimesOut) {
  FragmentTable t;
  const uint32_t start = 0xfffffff0;  // wraps
  EXPECT_EQ(offer(t, 1, header(7, 800, true), start).outcome, Outcome::kHeld);
  EXPECT_EQ(offer(t, 2, header(7, 1600, false), start + 2000).outcome, Outcome::kHeld);
  Dropped dropped;
  t.expire(Now{0, start + FragmentTable::kLifetimeCs - 1}, 10, Dropped::drop, &dropped);
  EXPECT_TRUE(dropped.packets.empty());
  t.expire(Now{0, start + FragmentTable::kLifetimeCs}, 10, Dropped::drop, &dropped);
  EXPECT_EQ(dropped.packets, (std::vector<rte_mbuf*>{packet(1), packet(2)}));
  EXPECT_EQ(t.datagrams(), 0u);
  EXPECT_EQ(offer(t, 3, header(7, 2400, false), start + 4000).outcome, Outcome::kHeld);
  t.expire(Now{0, start + 100000}, 10, Dropped::drop, &dropped);
  EXPECT_EQ(dropped.packets.size(), 3u);
}

TEST(Fragments, KeysAreApart) {
  FragmentTable t;
  offer(t, 1, header(7, 0, true));
  EXPECT_EQ(offer(t, 2, header(8, 800, true)).outcome, Outcome::kHeld);
  EXPECT_EQ(offer(t, 3, header(7, 800, true, 800, kProtoIcmp)).outcome, Outcome::kHeld);
  Ip4Hdr other = header(7, 800, true);
  other.src = be32::from(0x0a000003);
  EXPECT_EQ(offer(t, 4, other).outcome, Outcome::kHeld);
  EXPECT_EQ(offer(t, 5, header(7, 800, true)).outcome, Outcome::kReady);
  EXPECT_EQ(t.datagrams(), 4u);
  Dropped dropped;
  t.expire(Now{0, 1u << 30}, 100, Dropped::drop, &dropped);
  EXPECT_EQ(dropped.packets.size(), 3u);
}

TEST(Fragments, NoMoreThanEightWait) {
  FragmentTable t;
  for (unsigned i = 1; i <= 8; ++i)
    EXPECT_EQ(offer(t, i, header(7, i * 800, true)).outcome, Outcome::kHeld);
  const Result ninth = offer(t, 9, header(7, 7200, true));
  EXPECT_EQ(ninth.outcome, Outcome::kDrop);
  EXPECT_EQ(ninth.reason, Drop::frag_table_full);
  EXPECT_EQ(offer(t, 10, header(7, 0, true)).released.size(), 8u);
  EXPECT_EQ(offer(t, 11, header(7, 8000, false)).outcome, Outcome::kReady);
}

TEST(Fragments, HeldPacketsAreBounded) {
  FragmentTable t;
  unsigned kept = 0;
  Result r;
  for (unsigned id = 0; id < 2 * FragmentTable::kDatagrams; ++id) {
    r = offer(t, 1, header(static_cast<uint16_t>(id), 800, true));
    kept += r.outcome == Outcome::kHeld;
  }
  EXPECT_EQ(r.outcome, Outcome::kDrop);
  EXPECT_EQ(r.reason, Drop::frag_table_full);
  EXPECT_EQ(kept, FragmentTable::kMaxHeld);
  EXPECT_EQ(t.datagrams(), kept);
  // First fragments pass as ever, and one that releases a packet makes room for another.
  EXPECT_EQ(offer(t, 1, header(60000, 0, true)).outcome, Outcome::kReady);
  EXPECT_EQ(offer(t, 1, header(60001, 800, true)).outcome, Outcome::kDrop);
  EXPECT_EQ(offer(t, 1, header(0, 0, true)).released.size(), 1u);
  EXPECT_EQ(offer(t, 1, header(60001, 800, true)).outcome, Outcome::kHeld);
  Dropped dropped;
  const Now known_end{0, FragmentTable::kKnownLifetimeCs};
  t.expire(known_end, 100, Dropped::drop, &dropped);
  EXPECT_TRUE(dropped.packets.empty());
  const Now late{0, FragmentTable::kLifetimeCs};
  t.expire(late, 100, Dropped::drop, &dropped);
  EXPECT_EQ(dropped.packets.size(), 100u);  // the budget
  t.expire(late, 100000, Dropped::drop, &dropped);
  EXPECT_EQ(dropped.packets.size(), kept);
  EXPECT_EQ(t.datagrams(), 0u);
  EXPECT_EQ(offer(t, 1, header(1, 800, true)).outcome, Outcome::kHeld);
  t.expire(Now{0, 1u << 30}, 100, Dropped::drop, &dropped);
}

TEST(Fragments, CompleteDatagramsNeedNoTime) {
  FragmentTable t;
  for (unsigned id = 0; id < 20 * FragmentTable::kDatagrams; ++id) {
    const auto n = static_cast<uint16_t>(id);
    ASSERT_EQ(offer(t, 1, header(n, 0, true)).outcome, Outcome::kReady) << id;
    ASSERT_EQ(offer(t, 2, header(n, 800, false, 3)).outcome, Outcome::kReady) << id;
    ASSERT_EQ(t.datagrams(), 0u);
  }
}

TEST(Fragments, AFullTableForgetsTheOldestThatIsKnown) {
  FragmentTable t;
  for (unsigned id = 0; id < 200; ++id)
    EXPECT_EQ(offer(t, 1, header(static_cast<uint16_t>(50000 + id), 800, true)).outcome,
              Outcome::kHeld);
  unsigned later = 0;
  for (unsigned id = 0; id < 20 * FragmentTable::kDatagrams; ++id) {
    ASSERT_EQ(offer(t, 1, header(static_cast<uint16_t>(id), 0, true), id).outcome, Outcome::kReady);
    if (id < 300) continue;  // what came a moment ago is still there, as good as always
    later += offer(t, 2, header(static_cast<uint16_t>(id - 300), 1600, true), id).outcome ==
             Outcome::kReady;
  }
  EXPECT_LE(t.datagrams(), FragmentTable::kDatagrams);
  EXPECT_GT(later, 20 * FragmentTable::kDatagrams - 300 - 100);
  // Those that hold a packet were never the victims.
  unsigned released = 0;
  for (unsigned id = 0; id < 200; ++id) {
    const auto n = static_cast<uint16_t>(50000 + id);
    released += static_cast<unsigned>(offer(t, 1, header(n, 0, true)).released.size());
  }
  EXPECT_EQ(released, 200u);
  t.expire(
      Now{0, 1u << 30}, 100000, [](void*, rte_mbuf*, IfIndex, Drop) {}, nullptr);
}

TEST(Fragments, KnownDatagramsLiveShort) {
  FragmentTable t;
  EXPECT_EQ(offer(t, 1, header(7, 800, true), 0).outcome, Outcome::kHeld);
  EXPECT_EQ(offer(t, 2, header(8, 800, true), 0).outcome, Outcome::kHeld);
  EXPECT_EQ(offer(t, 3, header(8, 0, true), 1000).released.size(), 1u);
  const uint32_t end = 1000 + FragmentTable::kKnownLifetimeCs;
  t.expire(Now{0, end - 1}, 10, Dropped::drop, nullptr);
  EXPECT_EQ(t.datagrams(), 2u);
  t.expire(Now{0, end}, 10, Dropped::drop, nullptr);
  EXPECT_EQ(t.datagrams(), 1u);  // the one that waits
  Dropped dropped;
  t.expire(Now{0, FragmentTable::kLifetimeCs}, 10, Dropped::drop, &dropped);
  EXPECT_EQ(dropped.packets, std::vector<rte_mbuf*>{packet(1)});
}

TEST(Fragments, TheSameBytesTwiceAreNoDatagram) {
  FragmentTable t;
  EXPECT_EQ(offer(t, 1, header(7, 0, true)).outcome, Outcome::kReady);
  EXPECT_EQ(offer(t, 2, header(7, 1600, false)).outcome, Outcome::kReady);
  EXPECT_EQ(offer(t, 3, header(7, 1600, false)).outcome, Outcome::kDrop);  // as many as the whole
  EXPECT_EQ(offer(t, 4, header(7, 1608, false, 792)).outcome, Outcome::kDrop);
  EXPECT_EQ(t.datagrams(), 1u);
  EXPECT_EQ(offer(t, 5, header(7, 800, true)).outcome, Outcome::kReady);
  EXPECT_EQ(t.datagrams(), 0u);
}

TEST(Fragments, OneThatOverlapsEndsTheDatagram) {  // RFC 5722, as Linux
  const auto first = header(7, 0, true);
  const struct {
    Ip4Hdr before, wrong, after;
  } all[] = {
      {header(7, 1600, true), header(7, 792, true), header(7, 800, true)},   // of the first
      {header(7, 1600, true), header(7, 1200, true), header(7, 800, true)},  // of another
      {header(7, 1600, true), header(7, 800, true, 1608), header(7, 800, true)},
      {header(7, 1600, false), header(7, 2400, true), header(7, 800, true)},  // behind the end
      {header(7, 1600, false), header(7, 800, false), header(7, 800, true)},  // another end
      {header(7, 1600, true), header(7, 800, false), header(7, 2400, false)},
      {header(7, 1600, true), header(7, 0, true, 808), header(7, 800, true)},  // another beginning
  };
  for (const auto& one : all) {
    FragmentTable t;
    EXPECT_EQ(offer(t, 1, first).outcome, Outcome::kReady);
    EXPECT_EQ(offer(t, 2, one.before).outcome, Outcome::kReady);
    const Result wrong = offer(t, 3, one.wrong);
    EXPECT_EQ(wrong.outcome, Outcome::kDrop);
    EXPECT_EQ(wrong.reason, Drop::frag_malformed);
    EXPECT_EQ(offer(t, 4, one.after).outcome, Outcome::kDrop);
    EXPECT_EQ(offer(t, 5, first).outcome, Outcome::kDrop);
    // Not for ever: the id is somebody's again.
    t.expire(Now{0, FragmentTable::kKnownLifetimeCs}, 10, Dropped::drop, nullptr);
    EXPECT_EQ(offer(t, 6, first, FragmentTable::kKnownLifetimeCs).outcome, Outcome::kReady);
    EXPECT_EQ(offer(t, 7, header(7, 800, false), FragmentTable::kKnownLifetimeCs).outcome,
              Outcome::kReady);
  }
}

TEST(Fragments, ManyGaps) {
  // Every other piece first: as many gaps as are kept, or more. What could not be told from an
  // overlap later does not pass.
  for (const unsigned pieces : {12u, 48u, 60u}) {
    FragmentTable t;
    unsigned refused = 0;
    for (unsigned start : {0u, 1u}) {
      for (unsigned i = start; i < pieces; i += 2) {
        const auto r = offer(t, 1, header(7, i * 80, i != pieces - 1, 80));
        if (r.outcome == Outcome::kReady) continue;
        EXPECT_EQ(r.reason, Drop::frag_table_full);
        ++refused;
      }
    }
    EXPECT_EQ(refused == 0, pieces <= 48) << refused;
    EXPECT_EQ(t.datagrams(), pieces <= 48 ? 0u : 1u);
    t.expire(Now{0, FragmentTable::kKnownLifetimeCs}, 10, Dropped::drop, nullptr);
    EXPECT_EQ(t.datagrams(), 0u);
  }
}

TEST(Fragments, FirstFragmentAgain) {
  FragmentTable t;
  offer(t, 1, header(7, 0, true));
  EXPECT_EQ(offer(t, 2, header(7, 1600, false), 50).outcome, Outcome::kReady);
  const Result twice = offer(t, 1, header(7, 0, true), 100);
  EXPECT_EQ(twice.outcome, Outcome::kReady);
  EXPECT_TRUE(twice.released.empty());
  // What was seen before may be of another datagram, and does not make this one complete.
  EXPECT_EQ(offer(t, 2, header(7, 800, true), 100).ports.sport, be16::from(1000));
  EXPECT_EQ(t.datagrams(), 1u);
  // The same id from other ports is another datagram, with its own time.
  const Ports other{be16::from(2000), be16::from(53)};
  EXPECT_EQ(offer(t, 3, header(7, 0, true), 200, other).ports.sport, be16::from(2000));
  EXPECT_EQ(offer(t, 4, header(7, 1600, false), 200).ports.sport, be16::from(2000));
  EXPECT_EQ(t.datagrams(), 1u);
  t.expire(Now{0, FragmentTable::kKnownLifetimeCs + 199}, 10, Dropped::drop, nullptr);
  EXPECT_EQ(t.datagrams(), 1u);
  t.expire(Now{0, FragmentTable::kKnownLifetimeCs + 200}, 10, Dropped::drop, nullptr);
  EXPECT_EQ(t.datagrams(), 0u);
}

TEST(Fragments, RefusesWhatCannotBe) {
  FragmentTable t;
  for (const Ip4Hdr& ip : {
           header(7, 65528, false, 100),         // the whole would be longer than a packet
           header(7, 800, true, 801),            // not the last, not a multiple of eight
           header(7, 800, true, 0),              // nothing in it
           header(7, 8, false, 100, kProtoTcp),  // would overwrite the TCP flags
       }) {
    const Result r = offer(t, 1, ip);
    EXPECT_EQ(r.outcome, Outcome::kDrop);
    EXPECT_EQ(r.reason, Drop::frag_malformed);
  }
  Result r;
  unsigned count = 0;
  r.released.resize(FragmentTable::kMostReleased);
  r.outcome = t.offer({packet(1), 1, 0}, header(7, 0, true), false, &r.ports, r.released, &count,
                      Now{}, &r.reason);  // the beginning, but without ports
  EXPECT_EQ(r.outcome, Outcome::kDrop);
  EXPECT_EQ(r.reason, Drop::frag_malformed);
  EXPECT_EQ(t.datagrams(), 0u);
}

}  // namespace
}  // namespace maclane::test
