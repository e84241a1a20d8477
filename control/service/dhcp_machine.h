// One DHCP client: the state machine of RFC 2131 4.4 with its timers (behaviour.md C-18). Control
// thread. It knows no interface and no packet buffer: it is told the time and what was heard, and
// says through a Port what to send, so that tests own the clock and the wire.
//
// Decisions where the RFC leaves room or asks for more patience than people have:
// - The first message goes within a second, not after 1 to 10: that spread is for a street of
//   clients after a power cut; it is kept after a lost lease and from the second refusal on. One
//   refusal is no fault of anybody: servers that keep no address for whom they offered it to refuse
//   all but the first of those who were offered the same.
// - The first good OFFER is taken: one that is as complete as an ACK has to be. A server that made
//   nothing of it (an ACK of no use, an address that no host can have, a refusal, silence) is
//   taken again only if no other has offered anything within two seconds, until the client is
//   bound: whoever is quickest with nonsense does not keep it from a good one.
// - An address is probed twice within half a second before use (RFC 5227 would take up to seven),
//   after every ACK that brings an address not in use already; a conflict is declined, and the
//   client begins again 10 s later. An address that no host can have there (the network's, its
//   broadcast address) or that the router has elsewhere is declined as well, without a probe: a
//   server that is told so offers another.
// - A link that comes back asks for the address it has (INIT-REBOOT) and keeps it meanwhile; a
//   server that says nothing to that leaves it the rest of its lease. After a restart nothing is
//   used before a server has agreed to it.
// - Renewals go to the MAC address that the last ACK came from, by the client's own interface: no
//   routing table can send them elsewhere, however many uplinks have the same gateway (C-20, F-7).
#pragma once

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "control/service/config.h"
#include "control/service/dhcp_lease.h"

namespace maclane {

class DhcpMachine {
 public:
  enum class State : uint8_t {
    kStopped,  // not running
    kInit,     // waits before it begins
    kSelecting,
    kRequesting,
    kReboot,
    kProbing,
    kBound,
    kRenewing,
    kRebinding,
  };
  struct Port {
    virtual ~Port() = default;
    /// To everybody, or if `lease` is there to its server, from its address.
    virtual void send(const dhcp::Message& message, const DhcpLease* lease) = 0;
    /// An ARP probe (RFC 5227).
    virtual void probe(be32 address) = 0;
    /// Why the router cannot have the address at this interface; "": it can.
    [[nodiscard]] virtual std::string taken(be32 address) const = 0;
    /// The address in use came, changed, or went with a reason for the log.
    virtual void bound(const DhcpLease& lease, bool renewed) = 0;
    virtual void lost(const DhcpLease& lease, std::string_view why) = 0;
    virtual void say(std::string_view what) = 0;  // for the log: a warning
  };

  DhcpMachine(Port& port, uint64_t seed) : port_(port), random_(seed) {}

  /// A new configuration; one that changes what the server is told begins again. mac: whose chaddr.
  void configure(const DhcpClientConfig& config, const MacAddr& mac, uint64_t now);
  /// An address to ask for first, of a life before.
  void remember(be32 address) { wanted_ = address; }
  /// The interface runs, or does not any more.
  void set_running(bool running, uint64_t now);
  void handle(const dhcp::Heard& heard, uint64_t now);
  /// Somebody has the address that is being probed.
  void conflict(be32 address, const MacAddr& by, uint64_t now);
  void tick(uint64_t now);
  [[nodiscard]] uint64_t next_deadline() const;

  void renew(uint64_t now);
  void release(uint64_t now);  // and begin again
  /// The interface is on another wire: what was got on the one before is of no use there.
  void move(uint64_t now);
  /// The client is to go: gives its address back.
  void end(uint64_t now);

  [[nodiscard]] State state() const { return state_; }
  /// As /ip/dhcp-client print shows it.
  [[nodiscard]] std::string_view status() const;
  /// The lease whose address is in use; nullptr if there is none.
  [[nodiscard]] const DhcpLease* lease() const { return lease_ ? &*lease_ : nullptr; }
  /// The address that is being probed; 0: none.
  [[nodiscard]] be32 probing() const {
    return state_ == State::kProbing ? pending_.address : be32{};
  }
  [[nodiscard]] uint32_t xid() const { return xid_; }
  /// What it would ask for after a restart.
  [[nodiscard]] be32 remembered() const { return lease_ ? lease_->address : wanted_; }

 private:
  struct Offer {
    be32 address{}, server{};
    MacAddr from;
  };

  void begin(uint64_t now, uint64_t least_ms, uint64_t spread_ms);
  void start_exchange(State state, uint64_t now);
  void retransmit(uint64_t now);
  void transmit(uint64_t now);
  void consider(const dhcp::Heard& heard, uint64_t now);
  void choose(const Offer& offer, uint64_t now);
  void avoid(const MacAddr& server);
  void complain(std::string_view what, const dhcp::Heard& heard, std::string_view why);
  void take(const dhcp::Heard& heard, uint64_t now);
  void use(uint64_t now);
  void decline(std::string_view why, uint64_t now);
  void drop(std::string_view why);
  void due(uint64_t now);
  void wait_to_renew(uint64_t now, uint64_t until);
  [[nodiscard]] dhcp::Message message(dhcp::Type type, uint64_t now) const;
  void add_identity(dhcp::Message& m) const;
  [[nodiscard]] dhcp::Bytes client_id() const;
  uint64_t random_ms(uint64_t spread_ms);

  Port& port_;
  std::mt19937_64 random_;
  DhcpClientConfig config_;
  MacAddr mac_;
  State state_ = State::kStopped;
  bool configured_ = false;
  bool running_ = false;
  std::optional<DhcpLease> lease_;
  DhcpLease pending_;             // acknowledged and being probed
  be32 wanted_{};                 // asked for by DISCOVER and INIT-REBOOT
  Offer chosen_;                  // the last that was asked for
  std::optional<Offer> spare_;    // of who is avoided
  std::vector<MacAddr> avoided_;  // oldest first
  bool complained_ = false;       // in this exchange
  bool refused_ = false;          // since it was bound
  uint32_t xid_ = 0;
  unsigned tries_ = 0;
  uint64_t due_ms_ = kNever;
  uint64_t began_ms_ = 0;  // of this acquisition: secs
};

}  // namespace maclane
