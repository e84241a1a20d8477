// One PPP link as a client (RFC 1661, 1332, 1334, 1877, 1994, 2759): LCP, authentication, IPCP,
// keepalive, until the peer has given an address, and then to see that it is still there. Control
// thread. It knows no PPPoE and no packet buffer: it is told the time and what was heard, and says
// through a Port what to send.
//
// Decisions:
// - Of the offered ways to authenticate the best that is allowed is asked for: MS-CHAPv2, CHAP,
//   MS-CHAP, PAP. A server that answers MS-CHAPv2 without knowing the password is hung up on. A
//   peer that asks for no authentication is taken, as pppd does.
// - A peer may begin LCP again at any time (a wholesaler hands the call over): addresses go, the
//   link stays. One that does so again and again, and is never up for half a minute, is hung up on.
// - After LCP a full-size echo tests the way (C-25): three without an answer, and the MTU is 1480.
// - Keepalive (C-26): an echo after keepalive_ms without a word, then one each second; without an
//   answer for as long again the link is down. IPv4 data goes past control and counts for nothing.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "control/service/ppp_negotiation.h"
#include "dataplane/net/types.h"

namespace maclane::ppp {

struct Settings {
  std::string user, password;
  bool pap = true, chap = true, mschap1 = true, mschap2 = true;
  uint16_t mru = 1492;             // what we take; also what is asked for
  uint16_t mtu = 1492;             // the most that we send
  uint16_t silent_mru = 1492;      // what the peer takes if it says nothing of it (RFC 2516 7)
  bool probe_mtu = true;           // max-mtu=auto
  bool dns = false;                // ask for name servers
  uint64_t keepalive_ms = 10'000;  // 0: none
  friend bool operator==(const Settings&, const Settings&) = default;
};

class Link {
 public:
  enum class Phase : uint8_t { kDead, kEstablish, kAuthenticate, kNetwork, kUp };
  struct Port {
    virtual ~Port() = default;
    virtual void send(uint16_t protocol, const Bytes& packet) = 0;
    /// Addresses, servers or the MTU are there, or changed.
    virtual void up() = 0;
    /// They are gone, the link is not.
    virtual void interrupted() = 0;
    /// It is over: the link sends nothing any more. It must not be destroyed in here.
    virtual void down(std::string_view why) = 0;
  };

  Link(Port& port, Settings settings, uint64_t seed);
  ~Link();

  void start(uint64_t now);
  void receive(uint16_t protocol, std::span<const uint8_t> packet, uint64_t now);
  void tick(uint64_t now);
  [[nodiscard]] uint64_t next_deadline() const;
  /// Says good-bye; nothing is sent afterwards.
  void close(std::string_view why);

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] be32 local() const;
  [[nodiscard]] be32 remote() const;
  [[nodiscard]] std::vector<be32> dns() const;
  [[nodiscard]] uint16_t mtu() const;
  [[nodiscard]] uint16_t mru() const { return settings_.mru; }
  [[nodiscard]] std::string_view authentication() const;

 private:
  enum class Method : uint8_t { kNone, kPap, kChap, kMsChap1, kMsChap2 };
  class Lcp;
  class Ipcp;

  void lcp(const Packet& packet, std::span<const uint8_t> whole, uint64_t now);
  void authenticate(uint64_t now);
  void pap(const Packet& packet, uint64_t now);
  void chap(const Packet& packet, uint64_t now);
  void respond(const Packet& challenge);
  void ask_pap(uint64_t now);
  void network(uint64_t now);
  void settle(bool was_open, uint64_t now);
  bool begins_again(uint64_t now);
  void end(const std::string& why);
  void echo(size_t size);
  void keep_alive(uint64_t now);
  void probe(uint64_t now);
  [[nodiscard]] bool allowed(Method method) const;
  [[nodiscard]] Method best() const;

  Port& port_;
  Settings settings_;
  std::mt19937_64 random_;
  Phase phase_ = Phase::kDead;
  std::unique_ptr<Lcp> lcp_;
  std::unique_ptr<Ipcp> ipcp_;
  Method method_ = Method::kNone;  // that the peer demands
  uint8_t pap_id_ = 0;
  unsigned pap_tries_ = 0;
  uint64_t auth_due_ms_ = kNever;  // PAP: ask again; CHAP: give up
  std::string expected_;           // MS-CHAPv2: what the server must say
  uint64_t heard_ms_ = 0;
  uint64_t up_ms_ = 0;
  unsigned restarts_ = 0;
  uint64_t echo_due_ms_ = kNever;
  bool probing_ = false;
  bool small_ = false;  // full-size frames do not come through
  unsigned probes_ = 0;
  uint64_t probe_due_ms_ = kNever;
};

}  // namespace maclane::ppp
