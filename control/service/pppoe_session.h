// One PPPoE client: its discovery, its session, its link. Included by pppoe_client.cpp and
// pppoe_session.cpp only.
#pragma once

#include "control/service/pppoe_client.h"
#include "control/service/wire.h"

namespace maclane {

struct PppoeClient::Client final : ppp::Link::Port {
  static constexpr size_t kMostHeld = 64;
  enum class State : uint8_t {
    kStopped,  // what it stands on does not run
    kWaiting,  // until it dials (again); due_ms: kNever: until it is wanted
    kLooking,  // PADI
    kAsking,   // PADR
    kSession,
  };

  Client(PppoeClient& o, PppoeClientConfig c, uint64_t seed)
      : owner(o), config(std::move(c)), random(seed) {}
  ~Client() override { give_up(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void set_running(bool running, uint64_t now);
  void tick(uint64_t now);
  [[nodiscard]] uint64_t next_deadline() const;
  void offered(const pppoe::Discovery& heard, uint64_t now);    // a PADO
  void confirmed(const pppoe::Discovery& heard, uint64_t now);  // a PADS
  /// A PADO that answers nobody's PADI.
  void not_answered(const pppoe::Discovery& heard);
  /// The session is over or was never one; dials again if it may.
  void hang_up(std::string_view why, bool say_so);

  // ppp::Link::Port
  void send(uint16_t protocol, const ppp::Bytes& packet) override;
  void up() override;
  void interrupted() override;
  void down(std::string_view why) override;

  [[nodiscard]] bool owns(const pppoe::Bytes* host_uniq) const {
    return host_uniq != nullptr && *host_uniq == uniq;
  }
  [[nodiscard]] bool connected() const {
    return state == State::kSession && link->phase() == ppp::Link::Phase::kUp;
  }
  [[nodiscard]] MacAddr mac() const;

  /// A packet that the session is wanted for; takes it.
  void wanted(rte_mbuf* packet, uint64_t now);
  /// What waited goes on, once the workers know the session.
  void release();
  void give_up();

  void wait(uint64_t now, uint64_t ms);
  void look(uint64_t now);
  void ask(uint64_t now);
  void discover(uint8_t code, const MacAddr& to, std::vector<pppoe::TagValue> more);
  void padt();
  [[nodiscard]] static std::string refusal(const pppoe::Discovery& heard);
  [[nodiscard]] uint16_t largest() const;  // that we would take or send
  void log(std::string_view what) const;

  PppoeClient& owner;
  PppoeClientConfig config;
  Wire wire;  // that it is on
  std::mt19937_64 random;
  State state = State::kStopped;
  uint64_t due_ms = kNever;
  uint64_t backoff_ms = 0;
  unsigned tries = 0;
  pppoe::Bytes uniq;
  // of the concentrator that was chosen
  MacAddr peer;
  std::string ac_name, service_name;
  std::vector<pppoe::TagValue> echoed;  // cookie and relay's id
  uint16_t session = 0;
  std::unique_ptr<ppp::Link> link;
  std::unique_ptr<ppp::Link> ended;  // a link ends inside its own calls, and goes at the next tick
  uint64_t up_since_ms = 0;
  uint64_t not_before_ms = 0;   // dialled on demand
  std::vector<rte_mbuf*> held;  // for a session that is dialled
  std::string last_error;
  std::string unfit;  // why what was offered was not taken
};

}  // namespace maclane
