// Fragments as numbers, for the tests of the table that keeps them.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "dataplane/table/fragments.h"

namespace maclane::test {

using Outcome = FragmentTable::Outcome;
using Ports = FragmentTable::Ports;

/// The table only keeps pointers: numbers will do.
inline rte_mbuf* packet(uintptr_t n) {
  return reinterpret_cast<rte_mbuf*>(n);
}

inline Ip4Hdr header(uint16_t id, unsigned offset, bool more, unsigned payload = 800,
                     uint8_t proto = kProtoUdp) {
  Ip4Hdr ip{};
  ip.version_ihl = 0x45;
  ip.total_length = be16::from(static_cast<uint16_t>(20 + payload));
  ip.id = be16::from(id);
  ip.fragment = be16::from(static_cast<uint16_t>(offset / 8 | (more ? 0x2000 : 0)));
  ip.proto = proto;
  ip.src = be32::from(0x0a000001);
  ip.dst = be32::from(0x0a000002);
  return ip;
}

inline Ports dns() {
  return {be16::from(1000), be16::from(53)};
}

struct Result {
  Outcome outcome;
  Ports ports;
  std::vector<FragmentTable::Held> released;
  Drop reason = Drop::shutdown;
};

inline uint8_t flags_of(uintptr_t n) {
  return static_cast<uint8_t>(n % 251);
}

inline Result offer(FragmentTable& t, uintptr_t n, const Ip4Hdr& ip, uint32_t cs = 0,
                    Ports own = dns(), unsigned whole = 0) {
  const bool first = ip.fragment_offset() == 0;
  Result r;
  if (first) r.ports = own;
  r.released.resize(FragmentTable::kMostReleased);
  unsigned count = 99;
  r.outcome = t.offer({packet(n), static_cast<IfIndex>(n), flags_of(n)}, ip, first, &r.ports,
                      r.released, &count, Now{0, cs}, &r.reason, whole);
  r.released.resize(count);
  return r;
}

struct Dropped {
  std::vector<rte_mbuf*> packets;
  static void drop(void* context, rte_mbuf* p, IfIndex in_if, Drop reason) {
    EXPECT_EQ(reason, Drop::frag_timeout);
    EXPECT_EQ(p, packet(in_if));
    static_cast<Dropped*>(context)->packets.push_back(p);
  }
};

}  // namespace maclane::test
