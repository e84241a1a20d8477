// Shallow reassembly (RFC 791, 4787 REQ-14): fragments are not put together, they learn the ports
// of their first fragment, so that sessions, filter and NAT never see a packet without ports. Only
// datagrams that somebody wants to read are handed back together, and put together by the caller.
//
// Per worker, fixed memory: kDatagrams datagrams of which at most kHeldPerDatagram fragments each,
// and kMaxHeld together, wait for the first one. A datagram is forgotten when all its bytes went
// by, else kKnownLifetimeCs after its first fragment, or kLifetimeCs after its first piece if that
// never came. A full table forgets the oldest whose first fragment came. The owning worker only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/net/types.h"
#include "dataplane/net/wire.h"
#include "dataplane/worker/drop.h"

struct rte_mbuf;

namespace maclane {

class FragmentTable {
 public:
  static constexpr unsigned kDatagrams = 1024;
  static constexpr unsigned kHeldPerDatagram = 8;
  static constexpr unsigned kMostReleased = kHeldPerDatagram + 1;
  // Every datagram that waits holds a packet: half of the table is always left for the others, and
  // lone fragments cannot empty the pool.
  static constexpr unsigned kMaxHeld = kDatagrams / 2;
  static constexpr uint32_t kLifetimeCs = 3000;
  static constexpr uint32_t kKnownLifetimeCs = 200;  // the pieces of a datagram travel together

  struct Ports {
    be16 sport;
    be16 dport;
    uint8_t icmp_type = 0;
    uint8_t icmp_code = 0;
  };
  enum class Outcome : uint8_t { kReady, kHeld, kDrop, kWhole, kScattered };
  struct Held {
    rte_mbuf* packet = nullptr;
    IfIndex in_if = kNoIf;
    uint8_t flags = 0;  // L3Queue::Flag; the table only keeps them
  };
  /// What expire() throws away, for the caller to free by name.
  using DropFn = void (*)(void* context, rte_mbuf* packet, IfIndex in_if, Drop reason);

  FragmentTable();
  ~FragmentTable();

  /// Offers a fragment whose IPv4 header has been validated. The first fragment must come with its
  /// ports in *ports and `first` true: it is remembered, and the fragments that waited for it are
  /// written to released (room for kMostReleased) and counted in *released_count. A later one
  /// gets *ports filled (kReady), is kept (kHeld; the table owns the packet now), or kDrop with
  /// *reason. A fragment counts as seen when it is kReady: those released must be offered again.
  /// whole: a first fragment whose datagram, of at most so many bytes behind its header, is wanted
  /// whole. Then none is kReady: all are released in their order with the one that makes it so
  /// (kWhole), or that cannot be of such a datagram (kScattered: offered again, with whole 0, they
  /// pass one by one).
  Outcome offer(const Held& piece, const Ip4Hdr& ip, bool first, Ports* ports,
                std::span<Held> released, unsigned* released_count, Now now, Drop* reason,
                unsigned whole = 0) noexcept;
  /// Forgets datagrams that are too old, at most `budget` of them.
  void expire(Now now, unsigned budget, DropFn drop, void* context) noexcept;
  [[nodiscard]] unsigned datagrams() const noexcept { return used_; }

 private:
  struct Datagram;
  static constexpr unsigned kSlots = 2 * kDatagrams;  // half empty: a probe window rarely fills
  static constexpr unsigned kProbes = 16;
  static constexpr uint16_t kNil = 0xffff;

  struct List {  // FIFO by since_cs
    uint16_t oldest = kNil;
    uint16_t newest = kNil;
  };

  [[nodiscard]] unsigned home(const Ip4Hdr& ip) const noexcept;
  [[nodiscard]] Datagram* find(const Ip4Hdr& ip) noexcept;
  [[nodiscard]] Datagram* add(const Ip4Hdr& ip, Now now) noexcept;
  [[nodiscard]] uint16_t free_slot(unsigned first) noexcept;
  [[nodiscard]] List& list_of(const Datagram& d) noexcept;
  void push(Datagram& d) noexcept;
  void unlink(const Datagram& d) noexcept;
  void begin(Datagram& d, Now now) noexcept;
  void hold(Datagram& d, const Held& piece, const Ip4Hdr& ip) noexcept;
  Outcome gather(Datagram& d, const Held& piece, const Ip4Hdr& ip, std::span<Held> released,
                 unsigned* released_count) noexcept;
  void forget(Datagram& d) noexcept;

  std::unique_ptr<Datagram[]> slots_;
  uint64_t seed_;
  unsigned used_ = 0;
  unsigned held_ = 0;
  List waiting_;
  List known_;
};

}  // namespace maclane
