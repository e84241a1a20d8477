// Full reassembly of IPv4 datagrams for the router itself (RFC 791, RFC 815); what is forwarded
// never comes here. Control thread.
//
// Bounded: kDatagrams at once, 64 KiB and kPieces separate pieces each, for kLifetimeMs. Data is
// copied, so at most one packet buffer per datagram is kept, to be dropped by name if it fails. Any
// overlap spoils the datagram for the rest of its time (RFC 5722); byte-identical repeats are the
// network's and are ignored.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "control/service/config.h"
#include "control/service/icmp.h"
#include "control/service/packet_io.h"
#include "dataplane/net/wire.h"

namespace maclane {

class Reassembler {
 public:
  static constexpr size_t kDatagrams = 64;
  static constexpr size_t kPieces = 64;
  static constexpr uint64_t kLifetimeMs = 30'000;

  struct Datagram {
    std::vector<uint8_t> bytes;  // header and data, no longer a fragment
    rte_mbuf* packet = nullptr;  // its last fragment: the caller's to end
  };
  /// Called with a datagram of which the first fragment came but others did not.
  using TimedOut = std::function<void(std::span<const uint8_t> first, const Origin& origin)>;

  Reassembler(PacketIo& io, TimedOut timed_out) : io_(io), timed_out_(std::move(timed_out)) {}
  ~Reassembler();
  Reassembler(const Reassembler&) = delete;
  Reassembler& operator=(const Reassembler&) = delete;

  /// Takes a fragment whose bytes (IP header first) are given; the datagram if it completed one.
  std::optional<Datagram> offer(rte_mbuf* packet, std::span<const uint8_t> bytes);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const;
  [[nodiscard]] size_t waiting() const;

 private:
  struct Slot {
    bool used = false;
    bool spoiled = false;
    Origin origin;
    be32 src{}, dst{};
    be16 id{};
    uint8_t proto = 0;
    uint64_t deadline_ms = 0;
    uint32_t total = 0;           // of the data; 0: the last fragment has not come
    std::vector<uint8_t> header;  // of the first fragment
    std::vector<uint8_t> data;
    std::vector<std::pair<uint32_t, uint32_t>> pieces;  // first, past the end; sorted, disjoint
    rte_mbuf* packet = nullptr;
  };
  enum class Placed : uint8_t { kYes, kRepeat, kOverlap };

  Slot* find_or_create(const Ip4Hdr& ip, const Origin& origin);
  static Placed place(Slot& slot, uint32_t first, std::span<const uint8_t> data);
  void spoil(Slot& slot);
  static Datagram finish(Slot& slot);

  PacketIo& io_;
  TimedOut timed_out_;
  std::array<Slot, kDatagrams> slots_;
};

}  // namespace maclane
