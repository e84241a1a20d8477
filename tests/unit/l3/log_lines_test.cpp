// What rules with log=yes say of a packet (behaviour.md B-1, B-15).
#include <rte_ring_elem.h>

#include "tests/unit/l3/nat_fixture.h"

namespace maclane::test {

// B-1, B-15: the lines of one packet come as it passes the chains, and say what is known there.
TEST_F(NatRouteros, LogLinesFollowThePacketFlow) {
  const auto logging = [](Draft r) {
    r.log = true;
    return r;
  };
  const Draft line = logging(make(Action::kLog, 1));
  Draft there = logging(make(Action::kDstNat, 2));
  there.match = Rule::kDst;
  there.dst = {kWanIp, kWanIp};
  there.with.to_addresses = {kServer, kServer};
  raw({line});
  mangle({line}, {line}, {line});
  filter({line});
  nat({logging(masquerade())}, {there});
  const auto lines = [&] {
    std::vector<Event> out;
    Event e;
    while (rte_ring_dequeue_elem(w->events, &e, sizeof(e)) == 0) out.push_back(e);
    return out;
  };
  using T = RuleTable;
  const auto tables = [](const std::vector<Event>& events) {
    std::vector<T> out;
    for (const Event& e : events) out.push_back(e.table);
    return out;
  };
  run(udp(kPc, 1000, kWanIp, 53), kLan);
  ASSERT_EQ(sent().size(), 1u);
  const auto first = lines();
  ASSERT_EQ(tables(first), (std::vector{T::kRaw, T::kMangle, T::kNat, T::kMangle, T::kFilter,
                                        T::kMangle, T::kNat}));
  for (const Event& e : first) {
    if (e.table != T::kRaw) {
      EXPECT_EQ(e.state, ConnState::kNew);
    }
    EXPECT_EQ(e.after_src.raw, 0u) << "nobody knows the new source before srcnat decides";
  }
  EXPECT_EQ(first[1].tuple.dst.host(), kWanIp);
  EXPECT_EQ(first[2].tuple.dst.host(), kWanIp);
  EXPECT_EQ(first[2].out_if, kNoIf);
  EXPECT_EQ(first[4].tuple.dst.host(), kServer);
  EXPECT_EQ(first[4].before_dst.host(), kWanIp);
  EXPECT_EQ(first[4].out_if, kWan);
  EXPECT_EQ(first[6].in_if, kLan);
  EXPECT_EQ(first[6].out_if, kWan);

  run(udp(kPc, 1000, kWanIp, 53), kLan);
  const auto second = lines();
  ASSERT_EQ(tables(second), (std::vector{T::kRaw, T::kMangle, T::kMangle, T::kFilter, T::kMangle}));
  EXPECT_EQ(second[0].after_src.raw, 0u) << "raw is before tracking";
  EXPECT_EQ(second[3].after_src.host(), kWanIp);

  // What is dropped was seen by the rules before.
  filter({logging(make(Action::kDrop, 3))});
  run(udp(kPc, 1001, kWanIp, 53), kLan);
  EXPECT_EQ(tables(lines()), (std::vector{T::kRaw, T::kMangle, T::kNat, T::kMangle, T::kFilter}));
  EXPECT_EQ(rule(2).packets, 2u) << "and by dstnat, which counts it";
}

}  // namespace maclane::test
