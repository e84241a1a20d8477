// /interface/ethernet/monitor (D-36, D-37): whether ports have a link, at once and then once an
// interval. What a device does not tell us (its rate, what its partner advertises) is left out, as
// RouterOS leaves it out where there is no link. Control thread only.
#include <algorithm>
#include <memory>
#include <utility>

#include "control/model/value.h"
#include "control/observe/monitor_traffic.h"

namespace maclane::observe {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Outcome;
using model::PrintRow;
using model::Running;

class Links : public Running {
 public:
  Links(const model::Model& model, const Call& call, uint64_t interval_ms, bool once)
      : model_(model),
        menu_(*call.menu),
        wanted_(call.rows),
        interval_ms_(interval_ms),
        once_(once),
        due_ms_(model::steady_ms()) {}

  [[nodiscard]] uint64_t next_deadline() const override { return due_ms_; }

  State step(uint64_t now_ms, std::vector<PrintRow>& rows) override {
    if (now_ms < due_ms_) return State::kGoesOn;
    due_ms_ = now_ms + interval_ms_;
    const std::vector<PrintRow> all = model_.print(menu_);
    for (const std::string& id : wanted_) {
      const auto found =
          std::find_if(all.begin(), all.end(), [&](const PrintRow& row) { return row.id == id; });
      if (found == all.end()) continue;  // it was removed meanwhile
      PrintRow& row = rows.emplace_back();
      row.fields.emplace_back("name", found->get("name"));
      row.fields.emplace_back("status", found->get("running") == "true" ? "link-ok" : "no-link");
      if (!once_) row.fields.emplace_back(".section", std::to_string(section_));
    }
    ++section_;
    return once_ ? State::kDone : State::kGoesOn;
  }

 private:
  const model::Model& model_;
  const model::Menu& menu_;
  std::vector<std::string> wanted_;  // ids
  uint64_t interval_ms_;
  bool once_;
  uint64_t due_ms_;
  uint64_t section_ = 0;
};

}  // namespace

void serve_monitor_ethernet(model::Commands& commands) {
  const model::Model& model = commands.model();
  commands.on("/interface/ethernet", "monitor",
              [&model](const Call& call, const Caller&) -> Answer<Outcome> {
                const auto interval = model::parse_time_ms(call.get("interval"));
                Outcome out;
                out.running = std::make_unique<Links>(
                    model, call, static_cast<uint64_t>(interval.value_or(1000)),
                    call.is_on("once"));
                return out;
              });
}

}  // namespace maclane::observe
