// See traceroute_command.h. Echo requests (service/ping.h) whose TTL ends at the first router, the
// second and so on, one at a time, until the target answers or somebody says that there is no way;
// then again from the first, a second after the last time began. Each time gives a row for every
// hop, all of one `.section`. Where nobody has answered, five silent hops in a row end the way, as
// in RouterOS.
//
// Only ICMP: a UDP probe's answer would have to be told from those to the router's own traffic.
#include "control/traceroute_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "control/model/value.h"
#include "control/service/text.h"

namespace maclane {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Outcome;
using model::PrintRow;

constexpr uint64_t kRoundMs = 1000;
constexpr unsigned kMostSilent = 5;
constexpr std::string_view kPassedOn = "TTL exceeded";  // what a router on the way says

/// Milliseconds with a tenth, as RouterOS writes them: 0.4, 12, 7.6.
std::string tenths(double us) {
  const auto all = static_cast<uint64_t>(std::llround(us / 100));
  return all % 10 == 0 ? std::to_string(all / 10) : fmt::format("{}.{}", all / 10, all % 10);
}

struct Hop {
  be32 address{};  // who answered last; 0: nobody has
  uint64_t sent = 0, received = 0;
  double sum_us = 0, sum_squares = 0;
  uint32_t last_us = 0, best_us = UINT32_MAX, worst_us = 0;
  bool silent = false;  // the last request had no answer
  std::string_view status;

  void answered(const Ping::Answer& answer) {
    address = answer.from;
    silent = false;
    status = answer.status == kPassedOn ? std::string_view() : answer.status;
    ++received;
    last_us = answer.time_us;
    best_us = std::min(best_us, last_us);
    worst_us = std::max(worst_us, last_us);
    sum_us += last_us;
    sum_squares += double{1} * last_us * last_us;
  }

  [[nodiscard]] PrintRow row(uint64_t section) const {
    PrintRow out;
    out.fields = {{".section", std::to_string(section)},
                  {"address", address == be32{} ? std::string() : text_of(address)},
                  {"loss", std::to_string((sent - received) * 100 / sent)},
                  {"sent", std::to_string(sent)},
                  {"last", silent ? "timeout" : tenths(last_us)}};
    if (received != 0) {
      const double mean = sum_us / static_cast<double>(received);
      const double variance = sum_squares / static_cast<double>(received) - mean * mean;
      out.fields.insert(out.fields.end(),
                        {{"avg", tenths(mean)},
                         {"best", tenths(best_us)},
                         {"worst", tenths(worst_us)},
                         {"std-dev", tenths(std::sqrt(std::max(variance, 0.0)))}});
    }
    out.fields.emplace_back("status", std::string(status));
    return out;
  }
};

class TracerouteRun : public model::Running {
 public:
  struct Plan {
    Ping::Question question;
    uint64_t timeout_ms = 1000;
    uint64_t count = 0;  // 0: until it is stopped
    size_t max_hops = 255;
  };

  TracerouteRun(Ping& ping, uint16_t id, const Plan& plan) : ping_(ping), id_(id), plan_(plan) {}
  ~TracerouteRun() override { ping_.end(id_); }
  TracerouteRun(const TracerouteRun&) = delete;
  TracerouteRun& operator=(const TracerouteRun&) = delete;

  [[nodiscard]] uint64_t next_deadline() const override {
    return waiting_ ? looked_ms_ + 1 : next_ms_;
  }

  State step(uint64_t now_ms, std::vector<PrintRow>& rows) override {
    looked_ms_ = now_ms;
    while (waiting_ || now_ms >= next_ms_) {
      if (!waiting_ && !send(now_ms)) {
        failure_ = model::refuse(Trouble::kGeneral,
                                 fmt::format("failure: no route to host {}, or no address to ask "
                                             "from",
                                             text_of(plan_.question.target)))
                       .value();
        return State::kFailed;
      }
      const auto answer = ping_.take(id_, sequence_);
      if (!answer && now_ms < sent_ms_ + plan_.timeout_ms) return State::kGoesOn;
      waiting_ = false;
      if (!(answer ? is_end(*answer) : is_end_of_patience())) continue;
      for (const Hop& hop : hops_) rows.push_back(hop.row(round_));
      at_ = 0;
      silent_ = 0;
      if (++round_ == plan_.count) return State::kDone;
      next_ms_ = std::max(began_ms_ + kRoundMs, now_ms);
    }
    return State::kGoesOn;
  }

  [[nodiscard]] const model::Failure& failure() const override { return failure_; }

 private:
  /// The request to the next hop.
  bool send(uint64_t now_ms) {
    if (at_ == 0) began_ms_ = now_ms;
    if (at_ == hops_.size()) hops_.emplace_back();
    plan_.question.ttl = static_cast<uint8_t>(++at_);
    if (!ping_.ask(id_, ++sequence_, plan_.question)) return false;
    ++hops_[at_ - 1].sent;
    sent_ms_ = now_ms;
    waiting_ = true;
    return true;
  }

  /// True: there is nothing behind this hop.
  bool is_end(const Ping::Answer& answer) {
    hops_[at_ - 1].answered(answer);
    silent_ = 0;
    if (answer.status == kPassedOn) return at_ >= plan_.max_hops;
    reached_ = true;
    hops_.resize(at_);
    return true;
  }

  bool is_end_of_patience() {
    ping_.forget(id_, sequence_);
    Hop& hop = hops_[at_ - 1];
    hop.silent = true;
    hop.status = {};
    // Of a way that was seen to its end nothing is looked for behind that.
    return ++silent_ >= kMostSilent || at_ >= plan_.max_hops || (reached_ && at_ == hops_.size());
  }

  Ping& ping_;
  uint16_t id_;
  Plan plan_;
  std::vector<Hop> hops_;
  size_t at_ = 0;  // the hop that was asked last, from 1; 0: none yet in this round
  uint16_t sequence_ = 0;
  unsigned silent_ = 0;  // hops in a row without an answer
  bool waiting_ = false, reached_ = false;
  uint64_t round_ = 0;
  uint64_t began_ms_ = 0, sent_ms_ = 0, next_ms_ = 0, looked_ms_ = 0;
  model::Failure failure_;
};

Answer<Outcome> traceroute(const Call& call, be32 target, const Asking& asking) {
  auto question = question_of(call, target, asking);
  if (!question) return tl::make_unexpected(std::move(question.error()));
  const auto number = [&](std::string_view argument) {
    return static_cast<uint64_t>(model::parse_integer(call.get(argument)).value_or(0));
  };
  TracerouteRun::Plan plan;
  plan.question = *question;
  plan.timeout_ms = static_cast<uint64_t>(model::parse_time_ms(call.get("timeout")).value_or(0));
  plan.count = number("count");
  plan.max_hops = number("max-hops");
  const auto id = begin_ping(asking.services);
  if (!id) return tl::make_unexpected(id.error());
  Outcome out;
  out.running = std::make_unique<TracerouteRun>(asking.services.ping(), *id, plan);
  return out;
}

}  // namespace

void add_traceroute_command(model::Commands& commands, const Asking& asking) {
  commands.on("/tool", "traceroute", [asking](const Call& call, const Caller&) {
    return with_target(call, asking.resolver, [asking](const Call& known, be32 known_target) {
      return traceroute(known, known_target, asking);
    });
  });
}

}  // namespace maclane
