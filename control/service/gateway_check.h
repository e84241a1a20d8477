// check-gateway of /ip/route: whether gateways answer. Control thread.
//
// Every ten seconds each is asked, by ARP or by a ping; one that left two questions in a row
// unanswered for ten seconds each is lost until it answers again, and then routes that ask for the
// check do not lead to it. A new one counts as there until it is found lost. A ping takes the way
// that packets of the interface's own address take.
#pragma once

#include <map>
#include <span>
#include <tuple>
#include <utility>

#include "control/service/address_book.h"
#include "control/service/arp.h"
#include "control/service/config.h"
#include "control/service/learned.h"
#include "control/service/local.h"
#include "control/service/packet_io.h"

namespace maclane {

class GatewayCheck {
 public:
  static constexpr uint64_t kIntervalMs = 10'000;
  static constexpr unsigned kLostAfter = 2;

  GatewayCheck(PacketIo& io, const AddressBook& book, Arp& arp, Icmp& icmp, uint64_t seed)
      : io_(io), book_(book), arp_(arp), icmp_(icmp), id_(static_cast<uint16_t>(seed >> 16)) {}

  /// After each publish.
  void on_config(const ServiceConfig& config);
  /// An ARP frame that was punted, which stays the caller's.
  void overhear(const rte_mbuf* packet);
  /// An echo reply for the router, IP header first. True: it answered a question asked here.
  bool hear(std::span<const uint8_t> packet);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const;

  /// True once after a gateway was lost or came back: the snapshot is to be made again.
  [[nodiscard]] bool changed() { return std::exchange(changed_, false); }
  void add_learned(Learned& learned) const;

 private:
  using Key = std::tuple<bool, IfIndex, uint32_t>;  // by ping, interface, address
  struct State {
    std::string interface_name;
    bool lost = false;
    bool asked = false;
    bool answered = false;
    unsigned missed = 0;
    uint16_t sequence = 0;
    uint64_t next_ms = 0;
  };
  void answered(State& state, const Key& key);
  void ping(const Key& key, State& state);
  void tell(const Key& key, const State& state) const;

  PacketIo& io_;
  const AddressBook& book_;
  Arp& arp_;
  Icmp& icmp_;
  uint16_t id_;  // of our pings
  uint16_t last_sequence_ = 0;
  std::map<Key, State> gateways_;
  bool changed_ = false;
};

}  // namespace maclane
