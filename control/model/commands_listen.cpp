// Commands of the model that go on: listen (D-22), print with interval or follow. See commands.h.
//
// What is stored changes with the model's revision only, so a menu without state costs a listener
// nothing while nothing changes; state is looked at once a second. Counters are no news.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "control/model/commands_parts.h"

namespace maclane::model {
namespace {

constexpr uint64_t kLookMs = 100;    // at what is stored
constexpr uint64_t kStateMs = 1000;  // at what the router says of itself
constexpr uint64_t kRestMs = 10;     // between two prints, at least

/// What both need: rows of a menu, chosen and cut as the call said.
class Watched {
 public:
  explicit Watched(const Job& job)
      : model_(job.model),
        menu_(job.menu),
        caller_(job.caller),
        filter_(job.call.filter),
        proplist_(job.call.proplist) {}

  [[nodiscard]] std::vector<PrintRow> rows() const {
    std::vector<PrintRow> out = visible_rows(model_, menu_, caller_);
    if (filter_) std::erase_if(out, [&](const PrintRow& row) { return !filter_(row); });
    return out;
  }
  void cut(PrintRow& row) const { keep_only(proplist_, row); }
  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] const Menu& menu() const { return menu_; }

 private:
  const Model& model_;
  const Menu& menu_;
  Caller caller_;
  Filter filter_;
  std::vector<std::string> proplist_;
};

class Follow : public Running {
 public:
  Follow(const Job& job, bool from_the_start) : watched_(job) {
    for (PrintRow& row : watched_.rows()) {
      seen_.emplace(row.id, news(row));
      if (from_the_start) first_.push_back(std::move(row));
    }
    revision_ = watched_.model().revision();
    has_state_ = watched_.model().has_state(watched_.menu());
  }

  [[nodiscard]] uint64_t next_deadline() const override { return next_ms_; }

  State step(uint64_t now_ms, std::vector<PrintRow>& rows) override {
    for (PrintRow& row : first_) say(std::move(row), rows);
    first_.clear();
    if (now_ms < next_ms_) return State::kGoesOn;
    next_ms_ = now_ms + kLookMs;
    const bool changed = watched_.model().revision() != revision_;
    if (!changed && !(has_state_ && now_ms >= state_ms_)) return State::kGoesOn;
    revision_ = watched_.model().revision();
    state_ms_ = now_ms + kStateMs;
    look(rows);
    return State::kGoesOn;
  }

 private:
  void say(PrintRow row, std::vector<PrintRow>& rows) const {
    watched_.cut(row);
    rows.push_back(std::move(row));
  }

  /// All of a row that is worth telling, as one text.
  [[nodiscard]] std::string news(const PrintRow& row) const {
    std::string out;
    for (const auto& [name, value] : row.fields) {
      const Property* property = watched_.menu().find(name);
      if (property != nullptr && property->has(Property::kCounter)) continue;
      out += fmt::format("{}={}\x1f", name, value);
    }
    return out;
  }

  void look(std::vector<PrintRow>& rows) {
    std::unordered_map<std::string, std::string> now;
    for (PrintRow& row : watched_.rows()) {
      std::string text = news(row);
      const auto before = seen_.find(row.id);
      const bool same = before != seen_.end() && before->second == text;
      if (before != seen_.end()) seen_.erase(before);
      now.emplace(row.id, std::move(text));
      if (!same) say(std::move(row), rows);
    }
    for (const auto& [id, text] : seen_) {  // what is left went away
      PrintRow dead;
      dead.id = id;
      dead.fields = {{".dead", "yes"}};
      rows.push_back(std::move(dead));
    }
    seen_ = std::move(now);
  }

  Watched watched_;
  std::unordered_map<std::string, std::string> seen_;  // by id
  std::vector<PrintRow> first_;
  uint64_t revision_ = 0;
  bool has_state_ = false;
  uint64_t next_ms_ = 0, state_ms_ = 0;
};

class Repeat : public Running {
 public:
  Repeat(const Job& job, uint64_t interval_ms)
      : watched_(job), interval_ms_(std::max(interval_ms, kRestMs)) {}

  [[nodiscard]] uint64_t next_deadline() const override { return next_ms_; }

  State step(uint64_t now_ms, std::vector<PrintRow>& rows) override {
    if (now_ms < next_ms_) return State::kGoesOn;
    next_ms_ = now_ms + interval_ms_;
    const std::string section = std::to_string(section_++);
    for (PrintRow& row : watched_.rows()) {
      watched_.cut(row);
      row.fields.emplace_back(".section", section);
      rows.push_back(std::move(row));
    }
    return State::kGoesOn;
  }

 private:
  Watched watched_;
  uint64_t interval_ms_;
  uint64_t next_ms_ = 0;
  uint64_t section_ = 0;
};

}  // namespace

std::unique_ptr<Running> follow(const Job& job, bool from_the_start) {
  return std::make_unique<Follow>(job, from_the_start);
}

std::unique_ptr<Running> repeat_print(const Job& job, uint64_t interval_ms) {
  return std::make_unique<Repeat>(job, interval_ms);
}

Answer<Outcome> listen(Job& job) {
  Outcome out;
  out.running = follow(job, /*from_the_start=*/false);
  return out;
}

}  // namespace maclane::model
