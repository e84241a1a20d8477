// See ping_command.h. A row of a ping is one request: what became of it, and the sums so far, as
// RouterOS tells them. A request is waited for a second, or for the interval where that is longer.
#include "control/ping_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>

#include "control/model/value.h"
#include "control/service/text.h"

namespace maclane {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Outcome;
using model::PrintRow;

constexpr uint64_t kEchoPatienceMs = 1000;

/// 453us, 12ms453us, 1s2ms, as RouterOS writes round trips.
std::string round_trip_text(uint64_t us) {
  std::string out;
  if (us >= 1'000'000) out += fmt::format("{}s", us / 1'000'000);
  if (const uint64_t ms = us / 1000 % 1000; ms != 0) out += fmt::format("{}ms", ms);
  if (const uint64_t rest = us % 1000; rest != 0 || out.empty()) out += fmt::format("{}us", rest);
  return out;
}

class PingRun : public model::Running {
 public:
  struct Plan {
    Ping::Question question;
    uint64_t interval_ms = 1000;
    uint64_t count = 0;  // 0: until it is stopped
  };

  PingRun(Ping& ping, uint16_t id, const Plan& plan) : ping_(ping), id_(id), plan_(plan) {}
  ~PingRun() override { ping_.end(id_); }
  PingRun(const PingRun&) = delete;
  PingRun& operator=(const PingRun&) = delete;

  [[nodiscard]] uint64_t next_deadline() const override {
    const uint64_t next = all_sent() ? UINT64_MAX : next_ms_;
    return waiting_.empty() ? next : std::min(next, looked_ms_ + 1);
  }

  State step(uint64_t now_ms, std::vector<PrintRow>& rows) override {
    looked_ms_ = now_ms;
    for (auto one = waiting_.begin(); one != waiting_.end();) {
      if (const auto answer = ping_.take(id_, one->wire)) {
        rows.push_back(answered(one->sequence, *answer));
      } else if (now_ms >= one->sent_ms + std::max(kEchoPatienceMs, plan_.interval_ms)) {
        ping_.forget(id_, one->wire);
        rows.push_back(unanswered(one->sequence, "timeout"));
      } else {
        ++one;
        continue;
      }
      one = waiting_.erase(one);
    }
    if (!all_sent() && now_ms >= next_ms_) send(now_ms, rows);
    return all_sent() && waiting_.empty() ? State::kDone : State::kGoesOn;
  }

  void stop() override {}

 private:
  struct Waiting {
    uint64_t sequence;
    uint16_t wire;  // the sequence in the packet
    uint64_t sent_ms;
  };

  [[nodiscard]] bool all_sent() const { return plan_.count != 0 && sent_ >= plan_.count; }

  void send(uint64_t now_ms, std::vector<PrintRow>& rows) {
    // Late rather than in a burst.
    const uint64_t planned_ms = sent_ == 0 ? now_ms : next_ms_;
    next_ms_ = std::max(planned_ms + plan_.interval_ms, now_ms + plan_.interval_ms / 2);
    const uint64_t sequence = sent_++;
    const auto wire = static_cast<uint16_t>(sequence);
    if (!ping_.ask(id_, wire, plan_.question)) {
      rows.push_back(unanswered(sequence, "no route to host"));
      return;
    }
    if (const auto answer = ping_.take(id_, wire)) {  // the router itself
      rows.push_back(answered(sequence, *answer));
    } else {
      waiting_.push_back({sequence, wire, now_ms});
    }
  }

  [[nodiscard]] PrintRow answered(uint64_t sequence, const Ping::Answer& answer) {
    PrintRow row;
    row.fields = {{"seq", std::to_string(sequence)},
                  {"host", text_of(answer.from)},
                  {"size", std::to_string(answer.size)},
                  {"ttl", std::to_string(answer.ttl)},
                  {"time", round_trip_text(answer.time_us)}};
    if (answer.status.empty()) {
      ++received_;
      sum_us_ += answer.time_us;
      least_us_ = std::min<uint64_t>(least_us_, answer.time_us);
      most_us_ = std::max<uint64_t>(most_us_, answer.time_us);
    } else {
      row.fields.emplace_back("status", answer.status);
    }
    add_sums(row);
    return row;
  }

  [[nodiscard]] PrintRow unanswered(uint64_t sequence, std::string_view status) const {
    PrintRow row;
    row.fields = {{"seq", std::to_string(sequence)},
                  {"host", text_of(plan_.question.target)},
                  {"status", std::string(status)}};
    add_sums(row);
    return row;
  }

  void add_sums(PrintRow& row) const {
    row.fields.emplace_back("sent", std::to_string(sent_));
    row.fields.emplace_back("received", std::to_string(received_));
    row.fields.emplace_back("packet-loss", std::to_string((sent_ - received_) * 100 / sent_));
    if (received_ == 0) return;
    row.fields.emplace_back("min-rtt", round_trip_text(least_us_));
    row.fields.emplace_back("avg-rtt", round_trip_text(sum_us_ / received_));
    row.fields.emplace_back("max-rtt", round_trip_text(most_us_));
  }

  Ping& ping_;
  uint16_t id_;
  Plan plan_;
  std::deque<Waiting> waiting_;
  uint64_t sent_ = 0, received_ = 0;
  uint64_t sum_us_ = 0, least_us_ = UINT64_MAX, most_us_ = 0;
  uint64_t next_ms_ = 0, looked_ms_ = 0;
};

be32 address_of(std::string_view text) {
  const auto address = model::parse_ip4(text);
  return address ? be32::from(*address) : be32{};
}

uint64_t whole_number(std::string_view text) {
  return static_cast<uint64_t>(model::parse_integer(text).value_or(0));
}

/// Whether packets with an address of the interface leave by it although the best route leads
/// elsewhere: what is far has a default route through it, an idle one too
/// (dataplane/stage/route.h).
bool stands_by(const Snapshot& s, IfIndex interface, be32 target) {
  if (s.fib == nullptr || interface >= s.return_ways.size() || s.return_ways[interface] == 0)
    return false;
  const NextHop& best = s.next_hops[s.fib->lookup(target.host())];
  return best.kind == NextHop::Kind::kGateway || (best.kind == NextHop::Kind::kConnected &&
                                                  s.interfaces[best.out_if].kind == IfKind::kPppoe);
}

/// The source that the call's interface gives, which must lead there.
Answer<be32> source_of(const Call& call, be32 target, const Asking& asking) {
  const std::string_view name = call.get("interface");
  const IfIndex index = asking.index_of(name);
  if (index == kNoIf) {
    return model::refuse(Trouble::kBadArgument,
                         fmt::format("input does not match any value of interface: there is no "
                                     "interface named \"{}\"",
                                     name));
  }
  const auto ways = asking.io.ways_to(target);
  if (std::find(ways.begin(), ways.end(), index) == ways.end() &&
      !stands_by(asking.io.snapshot(), index, target)) {
    return model::refuse(Trouble::kGeneral,
                         fmt::format("failure: no route leads to {} by {}", text_of(target), name));
  }
  return asking.services.addresses().source_for(index, target);
}

Answer<Outcome> ping(const Call& call, be32 target, const Asking& asking) {
  PingRun::Plan plan;
  auto question = question_of(call, target, asking);
  if (!question) return tl::make_unexpected(std::move(question.error()));
  plan.question = *question;
  plan.question.ttl = static_cast<uint8_t>(whole_number(call.get("ttl")));
  plan.question.dont_fragment = call.is_on("do-not-fragment");
  plan.interval_ms = static_cast<uint64_t>(model::parse_time_ms(call.get("interval")).value_or(0));
  plan.count = whole_number(call.get("count"));
  const auto id = begin_ping(asking.services);
  if (!id) return tl::make_unexpected(id.error());
  Outcome out;
  out.running = std::make_unique<PingRun>(asking.services.ping(), *id, plan);
  return out;
}

/// What goes on once a name's address is known.
class Resolving : public model::Running {
 public:
  using Then = std::function<Answer<Outcome>(const Resolver::Answer&)>;
  Resolving(Resolver& resolver, const std::string& name, be32 server, Then then)
      : resolver_(resolver), then_(std::move(then)) {
    question_ = resolver_.ask(name, server, [this](const Resolver::Answer& answer) {
      question_ = 0;
      outcome_ = then_(answer);
    });
  }
  ~Resolving() override {
    if (question_ != 0) resolver_.forget(question_);
  }
  Resolving(const Resolving&) = delete;
  Resolving& operator=(const Resolving&) = delete;

  [[nodiscard]] uint64_t next_deadline() const override {
    if (question_ != 0) return looked_ms_ + 1;
    return goes_on() ? outcome_->running->next_deadline() : 0;
  }

  State step(uint64_t now_ms, std::vector<PrintRow>& rows) override {
    looked_ms_ = now_ms;
    if (question_ != 0) return State::kGoesOn;
    if (!outcome_) return State::kFailed;
    return goes_on() ? outcome_->running->step(now_ms, rows) : State::kDone;
  }

  void stop() override {
    if (goes_on()) outcome_->running->stop();
  }
  [[nodiscard]] model::Fields result() const override {
    return goes_on() ? outcome_->running->result() : outcome_->result;
  }
  [[nodiscard]] const model::Failure& failure() const override {
    return outcome_ ? outcome_->running->failure() : outcome_.error();
  }

 private:
  [[nodiscard]] bool goes_on() const {
    return question_ == 0 && outcome_ && outcome_->running != nullptr;
  }

  Resolver& resolver_;
  Then then_;
  uint64_t question_ = 0, looked_ms_ = 0;
  Answer<Outcome> outcome_;
};

Answer<Outcome> resolve(const Call& call, Resolver& resolver) {
  const std::string_view name = call.get("domain-name");
  Outcome out;
  if (const auto address = model::parse_ip4(name)) {
    out.result = {{"ret", model::format_ip4(*address)}};
    return out;
  }
  if (std::string why = wrong_name(name); !why.empty()) {
    return model::refuse(Trouble::kBadArgument,
                         fmt::format("invalid value for argument domain-name: {}", why));
  }
  out.running = std::make_unique<Resolving>(
      resolver, std::string(name), address_of(call.get("server")),
      [](const Resolver::Answer& answer) -> Answer<Outcome> {
        if (!answer.problem.empty())
          return model::refuse(Trouble::kGeneral, "failure: dns " + answer.problem);
        Outcome known;
        known.result = {{"ret", text_of(answer.addresses.front())}};
        return known;
      });
  return out;
}

}  // namespace

std::string wrong_name(std::string_view text) {
  const bool dot = text.ends_with('.');
  const std::string_view name = text.substr(0, text.size() - (dot ? 1 : 0));
  if (name.empty()) return "it is neither an address nor a name";
  bool digits = false;
  for (size_t at = 0; at <= name.size();) {
    const std::string_view label = name.substr(at, name.find('.', at) - at);
    if (label.empty() || label.size() > 63)
      return fmt::format("\"{}\" is no name of DNS: its parts have 1 to 63 characters", text);
    digits = true;
    for (const char c : label) {
      const bool digit = c >= '0' && c <= '9';
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!digit && !letter && c != '-' && c != '_') {
        return fmt::format(
            "\"{}\" is neither an IPv4 address nor a name of letters, digits, "
            "hyphens and dots",
            text);
      }
      digits = digits && digit;
    }
    at += label.size() + 1;
  }
  return digits ? fmt::format("\"{}\" is no IPv4 address, such as 192.0.2.1", text) : "";
}

void add_resolve_command(model::Commands& commands, Resolver& resolver) {
  commands.on("/", "resolve",
              [&resolver](const Call& call, const Caller&) { return resolve(call, resolver); });
}

Answer<Ping::Question> question_of(const Call& call, be32 target, const Asking& asking) {
  Ping::Question question;
  question.target = target;
  question.source = address_of(call.get("src-address"));
  if (call.has("src-address") && !asking.services.addresses().owns(question.source)) {
    return model::refuse(Trouble::kBadArgument,
                         fmt::format("failure: src-address {} is none of the router's addresses",
                                     call.get("src-address")));
  }
  if (call.has("interface")) {
    auto source = source_of(call, target, asking);
    if (!source) return tl::make_unexpected(std::move(source.error()));
    if (question.source.raw == 0) question.source = *source;
  }
  question.size = static_cast<uint16_t>(whole_number(call.get("size")));
  question.dscp = static_cast<uint8_t>(whole_number(call.get("dscp")));
  return question;
}

Answer<uint16_t> begin_ping(Services& services) {
  if (const auto id = services.ping().begin()) return *id;
  return model::refuse(Trouble::kGeneral,
                       "failure: too many pings go on at once; wait for one to end");
}

Answer<Outcome> with_target(const Call& call, Resolver& resolver, WithTarget then) {
  const std::string_view target = call.get("address");
  if (const auto address = model::parse_ip4(target)) return then(call, be32::from(*address));
  constexpr std::string_view kWhat = "invalid value for argument address: ";
  if (std::string why = wrong_name(target); !why.empty())
    return model::refuse(Trouble::kBadArgument, std::string(kWhat) + why);
  Outcome out;
  out.running = std::make_unique<Resolving>(
      resolver, std::string(target), be32{},
      [call, kWhat, then = std::move(then)](const Resolver::Answer& answer) -> Answer<Outcome> {
        if (!answer.problem.empty()) {
          return model::refuse(
              Trouble::kBadArgument,
              fmt::format("{}while resolving ip-address: {}", kWhat, answer.problem));
        }
        return then(call, answer.addresses.front());
      });
  return out;
}

void add_ping_commands(model::Commands& commands, const Asking& asking) {
  const auto handler = [asking](const Call& call, const Caller&) {
    return with_target(call, asking.resolver, [asking](const Call& known, be32 target) {
      return ping(known, target, asking);
    });
  };
  for (const char* path : {"/", "/tool"}) commands.on(path, "ping", handler);
}

}  // namespace maclane
