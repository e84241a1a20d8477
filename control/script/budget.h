// What a script may use: the memory of its values, counted as they come and go.
//
// Every text and every array of the language is made while some script runs and belongs to that
// script's budget until the last value that holds it is gone, be it a global that outlives the
// script. A script that asks for more is stopped by the interpreter, which looks after each step;
// one step makes at most one value of bounded size, so the overshoot is bounded too. Control thread
// only: which budget is charged is a variable of the thread.
#pragma once

#include <cstddef>
#include <memory>

namespace maclane::script {

class Budget {
 public:
  explicit Budget(size_t limit) : limit_(limit) {}

  void charge(size_t bytes) { used_ += bytes; }
  void release(size_t bytes) { used_ -= bytes; }
  [[nodiscard]] size_t used() const { return used_; }
  [[nodiscard]] size_t limit() const { return limit_; }
  [[nodiscard]] bool spent() const { return used_ > limit_; }

  /// Values made while this stands belong to the budget.
  class Use {
   public:
    explicit Use(std::shared_ptr<Budget> budget);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    std::shared_ptr<Budget> before_;
  };
  [[nodiscard]] static const std::shared_ptr<Budget>& current();

 private:
  size_t limit_;
  size_t used_ = 0;
};

/// A share of a budget that something occupies while it lives.
class Share {
 public:
  explicit Share(size_t bytes) : budget_(Budget::current()), bytes_(bytes) {
    if (budget_) budget_->charge(bytes_);
  }
  ~Share() {
    if (budget_) budget_->release(bytes_);
  }
  Share(const Share& other) : Share(other.bytes_) {}
  Share& operator=(const Share& other) {
    if (this != &other) resize(other.bytes_);
    return *this;
  }
  void resize(size_t bytes) {
    if (budget_) {
      budget_->release(bytes_);
      budget_->charge(bytes);
    }
    bytes_ = bytes;
  }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<Budget> budget_;
  size_t bytes_;
};

}  // namespace maclane::script
