// The option negotiation of PPP (RFC 1661 4): the automaton that LCP and IPCP have in common, from
// the side of one who begins and never waits to be called. Control thread; the clock is a
// parameter.
//
// Of the RFC's ten states five are left: what is closed sends nothing, and a layer that is told to
// end is thrown away with its link.
//
// A peer that answers for ever and agrees to nothing gets no further than one that is silent: what
// it refuses again and again is not asked for any more, then the layer fails; and it fails when it
// is not open after kPatienceMs, whatever was said until then.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "control/service/config.h"
#include "control/service/ppp_packet.h"

namespace maclane::ppp {

class Negotiation {
 public:
  static constexpr uint64_t kRetryMs = 3000;  // RFC 1661 4.6
  static constexpr unsigned kTries = 10;
  static constexpr unsigned kMostNaks = 5;       // then what cannot be agreed on is rejected
  static constexpr unsigned kMostRefusals = 10;  // the peer's; then a Nak counts as a Reject
  static constexpr uint64_t kPatienceMs = 60'000;

  enum class State : uint8_t { kClosed, kRequestSent, kAckReceived, kAckSent, kOpened };
  using Send = std::function<void(const Bytes& packet)>;

  explicit Negotiation(Send send) : send_(std::move(send)) {}
  Negotiation(const Negotiation&) = delete;
  Negotiation& operator=(const Negotiation&) = delete;
  virtual ~Negotiation() = default;

  void open(uint64_t now);
  void close();
  /// One of the four Configure codes; others are the caller's.
  void receive(const Packet& packet, uint64_t now);
  void tick(uint64_t now);
  [[nodiscard]] uint64_t next_deadline() const { return due_ms_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool opened() const { return state_ == State::kOpened; }
  /// True once the peer does not answer, or insists on what cannot be.
  [[nodiscard]] bool failed() const { return failed_; }
  /// Whether the peer has answered any request since the layer began.
  [[nodiscard]] bool heard() const { return heard_; }
  uint8_t next_id() { return ++id_; }

 protected:
  enum class Verdict : uint8_t { kAck, kNak, kReject };
  /// What the next request asks for.
  virtual std::vector<Option> wanted() = 0;
  /// What the peer asks for; with kNak `better` is what it should ask for.
  virtual Verdict judge(const Option& option, Option& better) = 0;
  /// A request of the peer begins: what an earlier one said is past.
  virtual void forget_peer() {}
  /// The peer would have this value, or none of this option. False: then there is no link.
  virtual bool suggested(const Option& option) = 0;
  virtual bool rejected(const Option& option) = 0;

 private:
  void begin(uint64_t now);
  void request(uint64_t now);
  void answer(const Packet& packet, uint64_t now);
  [[nodiscard]] bool is_answer(const Packet& packet) const;

  Send send_;
  State state_ = State::kClosed;
  Bytes asked_;  // the options of the last request
  uint8_t id_ = 0;
  uint8_t asked_id_ = 0;
  unsigned tries_ = 0, naks_ = 0, refusals_ = 0;
  uint64_t due_ms_ = kNever;
  uint64_t give_up_ms_ = kNever;
  bool heard_ = false;
  bool failed_ = false;
};

}  // namespace maclane::ppp
