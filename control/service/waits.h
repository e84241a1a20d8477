// A command whose work is done on another thread: it goes on until somebody says that it is over.
// Control thread only.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "control/model/commands.h"

namespace maclane {

class Waits : public model::Running {
 public:
  struct Shared {
    bool done = false;
    model::Failure failure;
    std::vector<model::PrintRow> rows;

    void finish(const Status& status) {
      if (!status) failure = model::refuse(status.error()).value();
      done = true;
    }
  };
  explicit Waits(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  [[nodiscard]] uint64_t next_deadline() const override { return looked_ms_ + kLookMs; }
  State step(uint64_t now_ms, std::vector<model::PrintRow>& rows) override {
    looked_ms_ = now_ms;
    if (!shared_->done) return State::kGoesOn;
    if (!shared_->failure.errors.empty()) return State::kFailed;
    for (model::PrintRow& row : shared_->rows) rows.push_back(std::move(row));
    return State::kDone;
  }
  [[nodiscard]] const model::Failure& failure() const override { return shared_->failure; }

 private:
  static constexpr uint64_t kLookMs = 5;
  std::shared_ptr<Shared> shared_;
  uint64_t looked_ms_ = 0;
};

}  // namespace maclane
