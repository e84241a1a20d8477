// Packets for the router itself that passed the input chain: echo is answered, the rest goes to the
// programs of the host plane, and where there is none, it is refused as RFC 1122 wants it (TCP
// reset, port and protocol unreachable). Control thread.
//
// TCP and UDP checksums are not looked at: nothing here uses their data, the workers judge them,
// and virtual links may leave them to be filled in by a device.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "control/service/address_book.h"
#include "control/service/icmp.h"
#include "control/service/packet_io.h"
#include "control/service/reassembly.h"

namespace maclane {

class Local {
 public:
  Local(PacketIo& io, const AddressBook& book, Icmp& icmp);

  /// Who may have what the router does not answer itself; true: it took it (host_plane.h). Then
  /// refusing is its business too.
  using Programs =
      std::function<bool(std::span<const uint8_t> packet, IfIndex in_if, bool broadcast)>;
  void on_packet(Programs programs) { programs_ = std::move(programs); }

  /// Who may have an echo reply first; true: it was the one asked.
  using Echoes = std::function<bool(std::span<const uint8_t> packet)>;
  void on_echo_reply(Echoes echoes) { echoes_ = std::move(echoes); }

  /// Who is told of ICMP errors; programs get them all the same.
  using Errors = std::function<void(std::span<const uint8_t> packet)>;
  void on_icmp_error(Errors told) { errors_ = std::move(told); }

  /// Who is told of ICMP redirects to an address of the router's. related: as an error, it is one
  /// of a connection that is tracked.
  using Redirected =
      std::function<void(std::span<const uint8_t> packet, IfIndex in_if, bool related)>;
  void on_redirect(Redirected told) { redirected_ = std::move(told); }

  /// A kLocal punt (IP header first); takes the packet.
  void handle(rte_mbuf* packet);
  void tick() { reassembler_.tick(); }
  [[nodiscard]] uint64_t next_deadline() const { return reassembler_.next_deadline(); }
  [[nodiscard]] size_t waiting() const { return reassembler_.waiting(); }

 private:
  /// A whole datagram; ends the packet that brought it.
  void deliver(rte_mbuf* packet, std::span<const uint8_t> bytes);
  [[nodiscard]] bool echo(std::span<const uint8_t> bytes, const Ip4Hdr& ip, uint8_t worker);

  PacketIo& io_;
  const AddressBook& book_;
  Icmp& icmp_;
  Programs programs_;
  Echoes echoes_;
  Errors errors_;
  Redirected redirected_;
  Reassembler reassembler_;
  std::vector<uint8_t> scratch_;  // one datagram
  std::vector<uint8_t> reply_;
};

}  // namespace maclane
