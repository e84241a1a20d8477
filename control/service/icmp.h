// ICMP errors and TCP resets that the router sends (RFC 792, RFC 1122 3.2.2, RFC 1812 4.3.2, RFC
// 9293 3.10.7.1). Control thread.
//
// How many of a type leave is /ip/settings icmp-rate-limit's and icmp-rate-mask's. Redirects are
// limited whatever the mask, as in Linux.
//
// An answer to a refused packet leaves as the router's own with state related; one to a packet that
// was delivered leaves through that packet's connection. An error's source is the address that was
// asked if that is ours, else the one of the interface the packet came in on.
#pragma once

#include <cstdint>
#include <span>

#include "control/service/address_book.h"
#include "control/service/icmp_limit.h"
#include "control/service/packet_io.h"
#include "dataplane/net/wire.h"

namespace maclane {

/// Where a packet that is answered came from.
struct Origin {
  IfIndex in_if = kNoIf;
  bool broadcast = false;  // it or its frame was not unicast
  uint8_t worker = 0;      // who has its connection
  // It passed as part of its connection and may have been translated on the way in, so the answer
  // goes out through that connection too. A packet that was refused has none.
  bool tracked = false;

  [[nodiscard]] static Origin of(const PacketMessage& m) {
    return {m.in_if, m.broadcast, m.worker, m.reason == PuntReason::kLocal};
  }
};

class Icmp {
 public:
  static constexpr size_t kLongest = 576;  // RFC 1812 4.3.2.3
  enum class Result : uint8_t {
    kSent,
    kNotAllowed,   // nobody may be told about such a packet
    kRateLimited,  // one was due
    kNoBuffer,
  };

  Icmp(PacketIo& io, const AddressBook& book, uint64_t seed)
      : io_(io), book_(book), limit_(seed), id_(static_cast<uint16_t>(seed)) {}

  void on_config(const ServiceConfig& config);
  /// A kIcmpError or kTcpReset punt; takes the packet.
  void handle(rte_mbuf* packet);

  /// An error about an IPv4 packet (at least its first bytes, IP header first), which stays the
  /// caller's.
  Result send_error(std::span<const uint8_t> packet, const Origin& origin, uint8_t type,
                    uint8_t code, uint16_t mtu = 0);
  Result send_error(const rte_mbuf* packet, const Origin& origin, uint8_t type, uint8_t code,
                    uint16_t mtu = 0);
  /// A redirect: the sender of a packet could have used this gateway itself.
  Result send_redirect(std::span<const uint8_t> packet, const Origin& origin, be32 gateway);
  /// A reset that answers a TCP packet (its IP and TCP headers first).
  Result send_reset(std::span<const uint8_t> packet, const Origin& origin);
  /// The answer of action=tarpit: a SYN is accepted, with a window that takes nothing; whatever the
  /// client sends then is answered by an ACK of nothing, so that it waits until it gives up. No
  /// state is kept.
  Result send_tarpit(std::span<const uint8_t> packet, const Origin& origin);

  /// Whether one more message of the type may leave to a target now; counts what may not.
  [[nodiscard]] bool may_send(uint8_t type, be32 target);

  [[nodiscard]] uint64_t rate_limited() const { return rate_limited_; }
  [[nodiscard]] uint16_t next_id() { return ++id_; }

 private:
  [[nodiscard]] bool allowed(std::span<const uint8_t> packet, const Ip4Hdr& ip,
                             bool broadcast) const;
  /// The TCP header of a packet that may be answered; false if it may not.
  [[nodiscard]] bool tcp_of(std::span<const uint8_t> packet, const Origin& origin, Ip4Hdr& ip,
                            TcpHdr& tcp) const;
  Result send_tcp(const Ip4Hdr& asked, TcpHdr answer, const Origin& origin);
  Result send(std::span<const uint8_t> packet, const Ip4Hdr& ip, const Origin& origin,
              IcmpHdr icmp);
  [[nodiscard]] be32 source_for(const Ip4Hdr& ip, IfIndex in_if);

  PacketIo& io_;
  const AddressBook& book_;
  IcmpLimit limit_;
  uint16_t id_;
  uint32_t mask_ = 0;  // bit per type that the limit is for
  bool use_inbound_address_ = true;
  uint64_t rate_limited_ = 0;
};

}  // namespace maclane
