// See monitor_traffic.h. The rates are the differences of /interface's own counters between two
// looks, so what is shown here and there agrees. A look at every interface costs one print of the
// menu, for all that are watched together. With `once` there is one row an interface, a second
// after the command: RouterOS has an average at hand, we measure.
#include "control/observe/monitor_traffic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "control/model/value.h"

namespace maclane::observe {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Model;
using model::Outcome;
using model::PrintRow;
using model::Running;

constexpr std::string_view kAggregate = "aggregate";
constexpr uint64_t kSecondMs = 1000;
constexpr size_t kMost = 100;  // interfaces of one command

struct Rate {
  std::string_view counter;  // of /interface
  std::string_view name;
  uint64_t factor;
};
constexpr std::array<Rate, 9> kRates = {{{"rx-packet", "rx-packets-per-second", 1},
                                         {"rx-byte", "rx-bits-per-second", 8},
                                         {"rx-drop", "rx-drops-per-second", 1},
                                         {"rx-error", "rx-errors-per-second", 1},
                                         {"tx-packet", "tx-packets-per-second", 1},
                                         {"tx-byte", "tx-bits-per-second", 8},
                                         {"tx-drop", "tx-drops-per-second", 1},
                                         {"tx-queue-drop", "tx-queue-drops-per-second", 1},
                                         {"tx-error", "tx-errors-per-second", 1}}};
using Counters = std::array<uint64_t, kRates.size()>;
struct Sample {
  std::string name;
  Counters counters;
};

uint64_t number(std::string_view text) {
  uint64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Counters counters_of(const PrintRow& row) {
  Counters out{};
  for (size_t i = 0; i < kRates.size(); ++i) out[i] = number(row.get(kRates[i].counter));
  return out;
}

bool is_row(const PrintRow& row, std::string_view wanted) {
  return row.id == wanted || row.get("name") == wanted;
}

/// The interfaces that are asked for, in that order; those that are gone are left out.
std::vector<Sample> look(const Model& model, const model::Menu& menu,
                         const std::vector<std::string>& wanted) {
  const std::vector<PrintRow> rows = model.print(menu);
  std::vector<Sample> out;
  for (const std::string& one : wanted) {
    if (one == kAggregate) {
      Sample& sum = out.emplace_back(Sample{std::string(kAggregate), {}});
      for (const PrintRow& row : rows) {
        const Counters counters = counters_of(row);
        for (size_t i = 0; i < counters.size(); ++i) sum.counters[i] += counters[i];
      }
      continue;
    }
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const PrintRow& each) { return is_row(each, one); });
    if (row != rows.end()) out.push_back(Sample{std::string(row->get("name")), counters_of(*row)});
  }
  return out;
}

class Traffic : public Running {
 public:
  Traffic(const Model& model, const model::Menu& menu, std::vector<std::string> wanted,
          uint64_t interval_ms, bool once)
      : model_(model),
        menu_(menu),
        wanted_(std::move(wanted)),
        interval_ms_(interval_ms),
        once_(once),
        looked_ms_(model::steady_ms()),
        before_(look(model, menu, wanted_)) {}

  [[nodiscard]] uint64_t next_deadline() const override { return looked_ms_ + interval_ms_; }

  State step(uint64_t now_ms, std::vector<PrintRow>& rows) override {
    if (now_ms < next_deadline()) return State::kGoesOn;
    const uint64_t passed_ms = now_ms - looked_ms_;
    std::vector<Sample> now = look(model_, menu_, wanted_);
    for (const Sample& sample : now) {
      const auto before = std::find_if(before_.begin(), before_.end(), [&](const Sample& each) {
        return each.name == sample.name;
      });
      if (before != before_.end()) rows.push_back(rates(*before, sample, passed_ms));
    }
    ++section_;
    before_ = std::move(now);
    looked_ms_ = now_ms;
    return once_ ? State::kDone : State::kGoesOn;
  }

 private:
  [[nodiscard]] PrintRow rates(const Sample& before, const Sample& now, uint64_t passed_ms) const {
    PrintRow row;
    row.fields.emplace_back("name", now.name);
    for (size_t i = 0; i < kRates.size(); ++i) {
      // Counters that were reset meanwhile have counted what they show since.
      const uint64_t from = now.counters[i] < before.counters[i] ? 0 : before.counters[i];
      const uint64_t rate = (now.counters[i] - from) * kRates[i].factor * kSecondMs / passed_ms;
      row.fields.emplace_back(kRates[i].name, std::to_string(rate));
    }
    if (!once_) row.fields.emplace_back(".section", std::to_string(section_));
    return row;
  }

  const Model& model_;
  const model::Menu& menu_;
  std::vector<std::string> wanted_;
  uint64_t interval_ms_;
  bool once_;
  uint64_t looked_ms_;
  std::vector<Sample> before_;
  uint64_t section_ = 0;
};

std::vector<std::string> parts(std::string_view list) {
  std::vector<std::string> out;
  while (true) {
    const size_t comma = list.find(',');
    out.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    list.remove_prefix(comma + 1);
  }
}

Answer<Outcome> monitor(const Model& model, const Call& call) {
  std::vector<std::string> wanted = parts(call.get("interface"));
  if (wanted.size() > kMost) {
    return model::refuse(Trouble::kBadArgument,
                         fmt::format("invalid value for argument interface: {} interfaces at once; "
                                     "{} are the most",
                                     wanted.size(), kMost));
  }
  const std::vector<PrintRow> rows = model.print(*call.menu);
  for (const std::string& one : wanted) {
    const bool known =
        one == kAggregate ||
        std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return is_row(row, one); });
    if (!known) {
      return model::refuse(
          Trouble::kBadArgument,
          fmt::format("input does not match any value of interface: there is no interface \"{}\"",
                      one.substr(0, 64)));
    }
  }
  const auto interval = model::parse_time_ms(call.get("interval"));
  Outcome out;
  out.running = std::make_unique<Traffic>(model, *call.menu, std::move(wanted),
                                          interval ? static_cast<uint64_t>(*interval) : kSecondMs,
                                          call.is_on("once"));
  return out;
}

}  // namespace

void serve_monitor_traffic(model::Commands& commands) {
  const Model& model = commands.model();
  commands.on("/interface", "monitor-traffic",
              [&model](const Call& call, const Caller&) { return monitor(model, call); });
}

}  // namespace maclane::observe
