// Echo requests of the router itself, for whoever wants to know whether somebody answers (/ping,
// C-34). Control thread.
//
// Each ping has an identifier of its own; what is heard is kept until it is taken or the ping ends.
// A request takes the way of any packet of the router: output chain, routes, source NAT. Answers
// are told with the time since their request; errors that quote a request (RFC 792) count as its
// answer. The router answers itself without a packet.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "control/service/address_book.h"
#include "control/service/icmp.h"
#include "control/service/packet_io.h"

namespace maclane {

class Ping {
 public:
  static constexpr uint16_t kHeaders = 28;      // IP and ICMP: the least size of a request
  static constexpr size_t kMost = 64;           // pings at once
  static constexpr size_t kMostWaiting = 1024;  // requests of one that wait for an answer
  static constexpr uint64_t kQuickMs = 20;      // after a request its answer is looked for at once

  struct Question {
    be32 target{};
    be32 source{};       // 0: as the way there has it
    uint16_t size = 56;  // of the IP packet
    uint8_t ttl = 255;
    uint8_t dscp = 0;
    bool dont_fragment = false;
  };
  struct Answer {
    be32 from{};
    uint16_t size = 0;
    uint8_t ttl = 0;
    uint32_t time_us = 0;
    std::string_view status;  // "" of a reply; else what an error said
  };

  Ping(PacketIo& io, const AddressBook& book, Icmp& icmp, uint64_t seed)
      : io_(io), book_(book), icmp_(icmp), last_id_(static_cast<uint16_t>(seed)) {}

  /// An identifier; nullopt: there are too many already.
  [[nodiscard]] std::optional<uint16_t> begin();
  void end(uint16_t id);
  /// False: there is no way, no address to send from, or no buffer.
  bool ask(uint16_t id, uint16_t sequence, const Question& question);
  /// The answer to a request, once.
  [[nodiscard]] std::optional<Answer> take(uint16_t id, uint16_t sequence);
  /// No answer is wanted any more.
  void forget(uint16_t id, uint16_t sequence);

  /// An echo reply for the router (IP header first). True: it was ours.
  bool hear(std::span<const uint8_t> packet);
  /// An ICMP error for the router (IP header first).
  void hear_error(std::span<const uint8_t> packet);
  /// An answer may come any moment.
  [[nodiscard]] bool is_eager() const;

 private:
  struct Waiting {
    uint64_t sent_us = 0;
    be32 target{};
    std::optional<Answer> answer;
  };
  using Asked = std::map<uint16_t, Waiting>;  // by sequence
  [[nodiscard]] Waiting* find(uint16_t id, uint16_t sequence);
  [[nodiscard]] be32 source_for(be32 target);

  PacketIo& io_;
  const AddressBook& book_;
  Icmp& icmp_;
  uint16_t last_id_;
  std::map<uint16_t, Asked> pings_;
};

}  // namespace maclane
