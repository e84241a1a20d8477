#include "control/service/dhcp_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/service/text.h"

namespace maclane {
namespace {

using dhcp::Message;
using dhcp::Option;
using dhcp::Type;

constexpr uint64_t kFirstWait = 4 * kSecond, kLongestWait = 64 * kSecond, kJitter = 1 * kSecond;
constexpr uint64_t kStartSpread = 1 * kSecond;
constexpr uint64_t kOthersWait = 2 * kSecond;  // a server may look first who has the address
constexpr uint64_t kPause = 1 * kSecond, kPauseSpread = 9 * kSecond;
constexpr uint64_t kDeclinePause = 10 * kSecond;
constexpr size_t kMostAvoided = 8;
constexpr unsigned kPatience = 2;  // DISCOVERs without an answer before somebody is told
constexpr unsigned kRequests = 4, kReboots = 2;
constexpr unsigned kProbes = 2;
constexpr uint64_t kProbeWait = 250;
constexpr uint64_t kShortestRenewWait = 60 * kSecond;
constexpr unsigned kMostSteps = 4;

/// Why no host can have the address of a lease; "": one can.
std::string unfit_reason(const DhcpLease& lease) {
  constexpr uint8_t kLongestSubnet = 30;  // RFC 3021: both addresses of a /31 are hosts'
  if (lease.length > kLongestSubnet) return {};
  const uint32_t hosts = 0xffffffffu >> lease.length;
  const uint32_t host = lease.address.host() & hosts;
  if (host != 0 && host != hosts) return {};
  return fmt::format("it is the {} address of {}/{}", host == 0 ? "network" : "broadcast",
                     text_of(be32::from(lease.address.host() & ~hosts)), lease.length);
}

}  // namespace

std::string_view DhcpMachine::status() const {
  switch (state_) {
    case State::kStopped:
      return "stopped";
    case State::kInit:
      return lease_ ? "rebinding..." : "searching...";
    case State::kSelecting:
      return "searching...";
    case State::kReboot:
      return lease_ ? "rebinding..." : "requesting...";
    case State::kRequesting:
    case State::kProbing:
      return "requesting...";
    case State::kBound:
      return "bound";
    case State::kRenewing:
      return "renewing...";
    case State::kRebinding:
      return "rebinding...";
  }
  return "error";
}

uint64_t DhcpMachine::random_ms(uint64_t spread_ms) {
  return spread_ms == 0 ? 0 : random_() % (spread_ms + 1);
}

void DhcpMachine::configure(const DhcpClientConfig& config, const MacAddr& mac, uint64_t now) {
  const bool identity = configured_ && (mac != mac_ || config.host_name != config_.host_name ||
                                        config.client_id != config_.client_id);
  config_ = config;
  configured_ = true;
  if (identity) end(now);  // as the one it was
  mac_ = mac;
  if (!identity) return;
  wanted_ = be32{};
  if (running_) begin(now, 0, kStartSpread);
}

void DhcpMachine::set_running(bool running, uint64_t now) {
  if (running == running_) return;
  running_ = running;
  if (running) {
    began_ms_ = now;
    begin(now, 0, kStartSpread);
    return;
  }
  // The address stays what it is until its time is over: the cable may come back.
  state_ = State::kStopped;
  due_ms_ = lease_ ? lease_->end_ms : kNever;
}

/// Waits, then asks: for the address there is, else for any.
void DhcpMachine::begin(uint64_t now, uint64_t least_ms, uint64_t spread_ms) {
  state_ = State::kInit;
  due_ms_ = now + least_ms + random_ms(spread_ms);
}

void DhcpMachine::start_exchange(State state, uint64_t now) {
  state_ = state;
  tries_ = 0;
  if (state != State::kRequesting) {  // a REQUEST has the xid of the DISCOVER
    xid_ = static_cast<uint32_t>(random_());
    began_ms_ = now;
    spare_.reset();
    complained_ = false;
  }
  retransmit(now);
}

/// RFC 2131 4.1: 4 s, then twice as long each time, up to 64 s, each a second more or less.
void DhcpMachine::retransmit(uint64_t now) {
  transmit(now);
  if (state_ == State::kSelecting && tries_ == kPatience) {
    port_.say(fmt::format("no server answers; is there one on this wire, and does it serve {}?",
                          text_of(mac_)));
  }
  const uint64_t wait = std::min(kFirstWait << std::min(tries_, 4u), kLongestWait);
  ++tries_;
  due_ms_ = now + wait - kJitter + random_ms(2 * kJitter);
}

/// Half of what is left until then, and not more often than once a minute.
void DhcpMachine::wait_to_renew(uint64_t now, uint64_t until) {
  const uint64_t left = until > now ? until - now : 0;
  due_ms_ = std::min(until, now + std::max(left / 2, kShortestRenewWait));
}

void DhcpMachine::handle(const dhcp::Heard& heard, uint64_t now) {
  const Message& m = heard.message;
  if (state_ == State::kStopped || state_ == State::kInit || state_ == State::kProbing ||
      state_ == State::kBound || m.xid != xid_ || m.chaddr != mac_)
    return;
  const auto server = m.number(Option::kServerId);
  if (state_ == State::kSelecting) {
    if (m.type() == Type::kOffer) consider(heard, now);
    return;
  }
  // Of several servers only the one that was chosen counts.
  if (state_ == State::kRequesting && (!server || be32::from(*server) != chosen_.server)) return;
  if (m.type() == Type::kAck) {
    take(heard, now);
  } else if (m.type() == Type::kNak) {
    // A renewal was sent to one server alone: another has nothing to refuse.
    if (state_ == State::kRenewing && server && be32::from(*server) != lease_->server) return;
    if (state_ == State::kRequesting) avoid(heard.src);
    const std::string said = m.text(Option::kMessage);
    wanted_ = be32{};
    if (lease_) {
      drop(said.empty() ? "refused by the server" : "refused by the server: " + said);
    } else {
      port_.say(fmt::format("server {} refused the address{}{}",
                            server ? text_of(be32::from(*server)) : "?", said.empty() ? "" : ": ",
                            said));
    }
    // At once after INIT-REBOOT: that the address is gone is no fault of the server.
    if (state_ == State::kReboot) {
      begin(now, 0, 0);
    } else if (state_ == State::kRequesting && !std::exchange(refused_, true)) {
      begin(now, 0, kStartSpread);
    } else {
      begin(now, kPause, kPauseSpread);
    }
  }
}

void DhcpMachine::consider(const dhcp::Heard& heard, uint64_t now) {
  std::string why;
  if (!lease_of(heard, now, &why)) return complain("OFFER", heard, why);
  const Offer offer{heard.message.yiaddr,
                    be32::from(heard.message.number(Option::kServerId).value_or(0)), heard.src};
  const auto avoided = std::ranges::find(avoided_, heard.src);
  if (avoided == avoided_.end()) {
    choose(offer, now);
  } else if (!spare_ || avoided < std::ranges::find(avoided_, spare_->from)) {
    spare_ = offer;  // whose failure is longest ago, so that they take turns
    due_ms_ = std::min(due_ms_, now + kOthersWait);
  }
}

void DhcpMachine::choose(const Offer& offer, uint64_t now) {
  chosen_ = offer;
  start_exchange(State::kRequesting, now);
}

void DhcpMachine::avoid(const MacAddr& server) {
  std::erase(avoided_, server);
  if (avoided_.size() >= kMostAvoided) avoided_.erase(avoided_.begin());
  avoided_.push_back(server);
}

/// Once for each exchange: who floods us does not flood the log.
void DhcpMachine::complain(std::string_view what, const dhcp::Heard& heard, std::string_view why) {
  if (std::exchange(complained_, true)) return;
  port_.say(fmt::format("an {} from {} ({}) is of no use: {}", what, text_of(heard.ip_src),
                        text_of(heard.src), why));
}

void DhcpMachine::take(const dhcp::Heard& heard, uint64_t now) {
  std::string why;
  std::optional<DhcpLease> lease = lease_of(heard, now, &why);
  if (!lease) {
    complain("ACK", heard, why);
    if (state_ != State::kRequesting) return;  // it is asked again in its time
    avoid(heard.src);
    begin(now, kPause, 0);
    return;
  }
  pending_ = std::move(*lease);
  if (lease_ && lease_->address == pending_.address && lease_->length == pending_.length) {
    use(now);
    return;
  }
  std::string unfit = unfit_reason(pending_);
  if (unfit.empty()) unfit = port_.taken(pending_.address);
  if (!unfit.empty()) {
    avoid(heard.src);
    return decline(unfit, now);
  }
  state_ = State::kProbing;
  tries_ = 1;
  due_ms_ = now + kProbeWait;
  port_.probe(pending_.address);
}

void DhcpMachine::use(uint64_t) {
  const bool renewed = lease_ && lease_->address == pending_.address;
  if (lease_ && !renewed) drop("the server gave another");
  lease_ = pending_;
  avoided_.clear();
  refused_ = false;
  wanted_ = lease_->address;
  state_ = State::kBound;
  due_ms_ = lease_->t1_ms;
  port_.bound(*lease_, renewed);
}

void DhcpMachine::drop(std::string_view why) {
  if (!lease_) return;
  const DhcpLease gone = std::move(*lease_);
  lease_.reset();
  port_.lost(gone, why);
}

void DhcpMachine::conflict(be32 address, const MacAddr& by, uint64_t now) {
  if (state_ != State::kProbing || address != pending_.address) return;
  decline(fmt::format("{} has it", text_of(by)), now);
}

/// RFC 2131 3.1.5 and 4.4.4: what was acknowledged cannot be used.
void DhcpMachine::decline(std::string_view why, uint64_t now) {
  port_.say(fmt::format("declined {}: {}", text_of(pending_.address), why));
  Message m = message(Type::kDecline, now);
  m.set(Option::kRequestedAddress, pending_.address.host());
  m.set(Option::kServerId, pending_.server.host());
  port_.send(m, nullptr);
  wanted_ = be32{};
  drop("the address given in its place cannot be used");
  begin(now, kDeclinePause, kJitter);
}

void DhcpMachine::tick(uint64_t now) {
  // More than one step may be due after a long sleep, and each makes the next later.
  for (unsigned steps = 0; steps < kMostSteps && next_deadline() <= now; ++steps) due(now);
}

void DhcpMachine::due(uint64_t now) {
  if (lease_ && lease_->end_ms <= now) {
    wanted_ = lease_->address;
    drop("lease expired");
    due_ms_ = kNever;
    if (running_) start_exchange(State::kSelecting, now);
    return;
  }
  switch (state_) {
    case State::kStopped:
      due_ms_ = kNever;
      return;
    case State::kInit:
      start_exchange(wanted_ == be32{} ? State::kSelecting : State::kReboot, now);
      return;
    case State::kSelecting:
      if (spare_) return choose(*std::exchange(spare_, std::nullopt), now);
      retransmit(now);
      return;
    case State::kRequesting:
      if (tries_ < kRequests) return retransmit(now);
      avoid(chosen_.from);
      return start_exchange(State::kSelecting, now);
    case State::kReboot:
      if (tries_ < kReboots) return retransmit(now);
      if (!lease_) return start_exchange(State::kSelecting, now);
      state_ = State::kBound;  // RFC 2131 3.2: the rest of the lease is still ours
      due_ms_ = std::min(std::max(lease_->t1_ms, now), lease_->end_ms);
      return;
    case State::kProbing:
      if (tries_++ < kProbes) {
        port_.probe(pending_.address);
        due_ms_ = now + kProbeWait;
        return;
      }
      return use(now);
    case State::kBound:
      if (lease_->t2_ms > now) return renew(now);
      [[fallthrough]];
    case State::kRenewing:
      if (lease_->t2_ms <= now) {
        if (state_ != State::kRenewing) {
          xid_ = static_cast<uint32_t>(random_());
          began_ms_ = now;
        }
        state_ = State::kRebinding;
        transmit(now);
        return wait_to_renew(now, lease_->end_ms);
      }
      transmit(now);
      return wait_to_renew(now, lease_->t2_ms);
    case State::kRebinding:
      transmit(now);
      return wait_to_renew(now, lease_->end_ms);
  }
}

void DhcpMachine::renew(uint64_t now) {
  if (!running_) return;
  if (!lease_) {
    began_ms_ = now;
    begin(now, 0, 0);
    return;
  }
  xid_ = static_cast<uint32_t>(random_());
  began_ms_ = now;
  state_ = lease_->t2_ms > now ? State::kRenewing : State::kRebinding;
  transmit(now);
  wait_to_renew(now, state_ == State::kRenewing ? lease_->t2_ms : lease_->end_ms);
}

void DhcpMachine::release(uint64_t now) {
  end(now);
  wanted_ = be32{};
  if (running_) begin(now, kPause, 0);
}

void DhcpMachine::move(uint64_t now) {
  drop("the interface is on another wire");
  wanted_ = be32{};
  avoided_.clear();
  if (running_) begin(now, 0, kStartSpread);
}

void DhcpMachine::end(uint64_t now) {
  if (lease_ && running_) {
    xid_ = static_cast<uint32_t>(random_());
    Message m = message(Type::kRelease, now);
    m.ciaddr = lease_->address;
    m.set(Option::kServerId, lease_->server.host());
    port_.send(m, &*lease_);
  }
  drop("released");
  state_ = State::kStopped;
  due_ms_ = kNever;
}

uint64_t DhcpMachine::next_deadline() const {
  return lease_ ? std::min(due_ms_, lease_->end_ms) : due_ms_;
}

}  // namespace maclane
