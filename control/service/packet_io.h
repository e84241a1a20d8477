// What a service may do with packets: the dataplane's facade, narrowed, so that the services run in
// tests without a dataplane. Control thread only.
//
// A packet belongs to whoever was given it and ends in exactly one of inject(), free() or
// consume(). Chained buffers are fine everywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/snapshot.h"
#include "dataplane/table/mc_filter.h"
#include "dataplane/table/neighbour.h"
#include "dataplane/worker/drop.h"
#include "dataplane/worker/message.h"

namespace maclane {

struct PacketIo {
  PacketIo() = default;
  virtual ~PacketIo() = default;
  PacketIo(const PacketIo&) = delete;
  PacketIo& operator=(const PacketIo&) = delete;

  /// A buffer with a fresh PacketMessage; nullptr if none is left.
  virtual rte_mbuf* alloc() = 0;
  /// Gives a packet with its PacketMessage to the workers; false: it was dropped and counted.
  virtual bool inject(rte_mbuf* packet) = 0;
  /// Ends a packet; the reason is counted for in_if.
  virtual void free(rte_mbuf* packet, Drop reason, IfIndex in_if) = 0;
  /// Ends a packet that did its work: not a drop.
  virtual void consume(rte_mbuf* packet) = 0;
  virtual NeighbourTable& neighbours() = 0;
  virtual McFilters& mc_filters() = 0;
  /// What is published now; an empty one before the first.
  virtual const Snapshot& snapshot() = 0;
  /// The interfaces by which a packet to the address would leave, several if the ways are equal; an
  /// address of the router's own counts as behind the interface that owns it. Empty: it would go
  /// nowhere.
  virtual std::vector<IfIndex> ways_to(be32 address) = 0;
  /// A steady clock in milliseconds.
  virtual uint64_t now_ms() = 0;
};

}  // namespace maclane
