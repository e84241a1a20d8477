// Datagrams that are wanted whole: put together by their pieces in any order, or let go.
#include <algorithm>

#include "tests/unit/table/fragments_fixture.h"

namespace maclane::test {
namespace {

/// The same, if it is a first one, of a datagram that is wanted whole.
Result gather(FragmentTable& t, uintptr_t n, const Ip4Hdr& ip, unsigned whole = 4000) {
  return offer(t, n, ip, 0, dns(), ip.fragment_offset() == 0 ? whole : 0);
}

std::vector<IfIndex> numbers(const Result& r) {
  std::vector<IfIndex> out;
  for (const auto& one : r.released) out.push_back(one.in_if);
  return out;
}

TEST(Fragments, OneThatIsWantedWholeComesWhole) {
  std::vector<unsigned> order{0, 1, 2};
  do {
    FragmentTable t;
    for (unsigned n = 0; n < 3; ++n) {
      const unsigned piece = order[n];
      const Result r = gather(t, piece + 1, header(7, piece * 800, piece != 2, 800));
      ASSERT_EQ(r.outcome, n == 2 ? Outcome::kWhole : Outcome::kHeld);
      EXPECT_EQ(numbers(r), n == 2 ? std::vector<IfIndex>({1, 2, 3}) : std::vector<IfIndex>{});
    }
    EXPECT_EQ(t.datagrams(), 0u);
  } while (std::next_permutation(order.begin(), order.end()));
  FragmentTable t;  // of as many pieces as can wait, and the one that ends the waiting
  for (unsigned n = 0; n < FragmentTable::kHeldPerDatagram; ++n)
    ASSERT_EQ(gather(t, n + 1, header(7, n * 80, true, 80)).outcome, Outcome::kHeld) << n;
  const unsigned end = FragmentTable::kHeldPerDatagram * 80;
  EXPECT_EQ(gather(t, 9, header(7, end, false, 3)).released.size(), FragmentTable::kMostReleased);
}

TEST(Fragments, WhatCannotBeWholeGoesPieceByPiece) {
  const struct {
    const char* why;
    Ip4Hdr before, wrong;
  } all[] = {
      {"too long", header(7, 800, true), header(7, 3600, false)},
      {"too long before the first", header(7, 3600, false), header(7, 800, true)},
      {"overlaps", header(7, 800, true), header(7, 1592, false)},
      {"again", header(7, 800, true), header(7, 800, true)},
      {"two ends", header(7, 1600, false), header(7, 800, false)},
      {"behind the end", header(7, 1600, false), header(7, 2400, true)},
  };
  for (const auto& one : all) {
    for (const bool first_last : {false, true}) {
      FragmentTable t;
      Result r{Outcome::kHeld, {}, {}};
      unsigned held = 0;
      const auto one_more = [&](uintptr_t n, const Ip4Hdr& ip) {
        if (r.outcome == Outcome::kScattered) return;
        r = gather(t, n, ip);
        held += r.outcome == Outcome::kHeld ? 1 : 0;
      };
      if (!first_last) one_more(1, header(7, 0, true));
      one_more(2, one.before);
      one_more(3, one.wrong);
      if (first_last) one_more(1, header(7, 0, true));
      ASSERT_EQ(r.outcome, Outcome::kScattered) << one.why << first_last;
      EXPECT_EQ(r.released.size(), held + 1) << one.why;
      EXPECT_EQ(r.released.front().in_if, 1) << "the first goes first: " << one.why;
      EXPECT_EQ(t.datagrams(), 0u);
      // Offered again, they are fragments like others.
      EXPECT_EQ(offer(t, 1, header(7, 0, true)).outcome, Outcome::kReady);
      EXPECT_EQ(offer(t, 2, one.before).outcome, Outcome::kReady) << one.why;
    }
  }
  // More pieces than can wait, and more datagrams.
  FragmentTable t;
  for (unsigned n = 0; n < FragmentTable::kHeldPerDatagram; ++n)
    ASSERT_EQ(gather(t, n + 1, header(7, n * 80, true, 80)).outcome, Outcome::kHeld) << n;
  const Result r = gather(t, 9, header(7, 720, true, 80));
  EXPECT_EQ(r.outcome, Outcome::kScattered);
  EXPECT_EQ(r.released.size(), FragmentTable::kMostReleased);
  for (unsigned id = 0; id < FragmentTable::kMaxHeld; ++id)
    ASSERT_EQ(gather(t, 1, header(static_cast<uint16_t>(id), 0, true)).outcome, Outcome::kHeld);
  EXPECT_EQ(gather(t, 2, header(60000, 0, true)).outcome, Outcome::kScattered);
  EXPECT_EQ(gather(t, 3, header(0, 800, false)).outcome, Outcome::kWhole);
  t.expire(
      Now{0, 1u << 30}, 100000, [](void*, rte_mbuf*, IfIndex, Drop) {}, nullptr);
}

}  // namespace
}  // namespace maclane::test
