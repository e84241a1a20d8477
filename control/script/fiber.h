// A stack of its own for what has to wait in the middle: scripts on the control thread.
//
// resume() runs the body until it yields or ends; yield() goes back to whoever resumed it. The
// stack has an unmapped page below it, so that running over it ends the process instead of
// corrupting it; the interpreter keeps clear of stack_floor(), and what is below is left to the
// commands it calls. The sanitizers are told of every switch. Control thread only: a fiber is
// resumed on the thread that made it, and never from another fiber.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>

namespace maclane::script {

class Fiber {
 public:
  static constexpr size_t kStack = size_t{2} << 20;    // reserved; what is touched counts
  static constexpr size_t kReserve = size_t{1} << 20;  // below the floor, for commands

  explicit Fiber(std::function<void()> body);
  /// It must have ended, or never have been resumed.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// False: there is no memory for its stack, and it never runs.
  [[nodiscard]] bool usable() const { return stack_ != nullptr; }
  void resume();
  void yield();
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const void* stack_floor() const;

 private:
  static void enter(unsigned high, unsigned low);
  void run();
  void switch_to(ucontext_t& from, const ucontext_t& to, bool last);

  std::function<void()> body_;
  char* stack_ = nullptr;  // with the guard page
  size_t size_ = 0;
  ucontext_t own_{};
  ucontext_t outside_{};
  bool ended_ = false;
  // for the sanitizers
  void* fake_own_ = nullptr;
  void* fake_outside_ = nullptr;
  const void* outside_bottom_ = nullptr;
  size_t outside_size_ = 0;
  void* tsan_own_ = nullptr;
  void* tsan_outside_ = nullptr;
};

}  // namespace maclane::script
