#include "control/service/ppp_negotiation.h"

#include <algorithm>

namespace maclane::ppp {

void Negotiation::open(uint64_t now) {
  failed_ = false;
  begin(now);
}

void Negotiation::begin(uint64_t now) {
  state_ = State::kRequestSent;
  tries_ = naks_ = refusals_ = 0;
  heard_ = false;
  give_up_ms_ = now + kPatienceMs;
  request(now);
}

void Negotiation::close() {
  state_ = State::kClosed;
  due_ms_ = kNever;
}

/// A new request, with a new id.
void Negotiation::request(uint64_t now) {
  asked_ = build_options(wanted());
  asked_id_ = next_id();
  ++tries_;
  due_ms_ = now + kRetryMs;
  send_(build(kConfigureRequest, asked_id_, asked_));
}

bool Negotiation::is_answer(const Packet& packet) const {
  return state_ != State::kClosed && packet.id == asked_id_;
}

void Negotiation::receive(const Packet& packet, uint64_t now) {
  if (packet.code == kConfigureRequest) return answer(packet, now);
  if (!is_answer(packet)) return;
  heard_ = true;
  if (packet.code == kConfigureAck) {
    if (!std::ranges::equal(packet.data, asked_)) return;
    if (state_ == State::kRequestSent) {
      state_ = State::kAckReceived;
      tries_ = 0;
    } else if (state_ == State::kAckSent) {
      state_ = State::kOpened;
      due_ms_ = kNever;
    }
    return;
  }
  if (packet.code != kConfigureNak && packet.code != kConfigureReject) return;
  if (state_ == State::kOpened) return;  // an old one, twice
  const auto options = read_options(packet.data);
  if (!options) return;
  const bool again = ++refusals_ > kMostRefusals;
  for (const Option& one : *options) {
    const bool go_on = packet.code == kConfigureNak && !again ? suggested(one) : rejected(one);
    if (!go_on) failed_ = true;
  }
  if (refusals_ > 2 * kMostRefusals) failed_ = true;
  if (failed_) return close();
  if (state_ == State::kAckReceived) state_ = State::kRequestSent;
  request(now);
}

/// The peer asks.
void Negotiation::answer(const Packet& packet, uint64_t now) {
  if (state_ == State::kClosed) return;
  const auto options = read_options(packet.data);
  if (!options) return;
  if (state_ == State::kOpened) begin(now);  // as it does
  forget_peer();
  std::vector<Option> naks;
  std::vector<Option> rejects;
  for (const Option& one : *options) {
    Option better = one;
    Verdict verdict = judge(one, better);
    if (verdict == Verdict::kNak && naks_ >= kMostNaks) verdict = Verdict::kReject;
    if (verdict == Verdict::kNak) naks.push_back(std::move(better));
    if (verdict == Verdict::kReject) rejects.push_back(one);
  }
  if (!rejects.empty() || !naks.empty()) {
    const bool reject = !rejects.empty();
    if (!reject) ++naks_;
    send_(build(reject ? kConfigureReject : kConfigureNak, packet.id,
                build_options(reject ? rejects : naks)));
    if (state_ == State::kAckSent) state_ = State::kRequestSent;
    return;
  }
  send_(build(kConfigureAck, packet.id, packet.data));
  if (state_ == State::kAckReceived) {
    state_ = State::kOpened;
    due_ms_ = kNever;
  } else {
    state_ = State::kAckSent;
  }
}

void Negotiation::tick(uint64_t now) {
  if (due_ms_ > now) return;
  if (tries_ >= kTries || now >= give_up_ms_) {
    failed_ = true;
    return close();
  }
  // Whatever was agreed on: without an answer the peer may not know of it.
  if (state_ == State::kAckReceived) state_ = State::kRequestSent;
  request(now);
}

}  // namespace maclane::ppp
