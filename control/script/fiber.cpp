// Switching stacks with ucontext. See fiber.h.
#include "control/script/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MACLANE_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define MACLANE_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define MACLANE_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define MACLANE_TSAN 1
#endif

#ifdef MACLANE_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef MACLANE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace maclane::script {

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_ = kStack + page;
  void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return;
  if (mprotect(memory, page, PROT_NONE) != 0) {
    (void)munmap(memory, size_);
    return;
  }
  stack_ = static_cast<char*>(memory);
  (void)getcontext(&own_);
  own_.uc_stack.ss_sp = stack_ + page;
  own_.uc_stack.ss_size = kStack;
  own_.uc_link = nullptr;
  // makecontext passes ints: the pointer goes in two halves.
  const auto self = reinterpret_cast<uintptr_t>(this);
  makecontext(&own_, reinterpret_cast<void (*)()>(&Fiber::enter), 2,
              static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
#ifdef MACLANE_TSAN
  tsan_own_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#ifdef MACLANE_TSAN
  if (tsan_own_ != nullptr) __tsan_destroy_fiber(tsan_own_);
#endif
  if (stack_ != nullptr) (void)munmap(stack_, size_);
}

const void* Fiber::stack_floor() const {
  return static_cast<const char*>(own_.uc_stack.ss_sp) + kReserve;
}

void Fiber::enter(unsigned high, unsigned low) {
  const uintptr_t self = static_cast<uintptr_t>(high) << 32 | low;
  reinterpret_cast<Fiber*>(self)->run();  // NOLINT(performance-no-int-to-ptr): see makecontext
}

void Fiber::run() {
#ifdef MACLANE_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &outside_bottom_, &outside_size_);
#endif
  body_();
  body_ = nullptr;
  ended_ = true;
  switch_to(own_, outside_, true);
  std::abort();  // nobody resumes what has ended
}

void Fiber::resume() {
  if (ended_ || stack_ == nullptr) return;
#ifdef MACLANE_ASAN
  __sanitizer_start_switch_fiber(&fake_outside_, own_.uc_stack.ss_sp, own_.uc_stack.ss_size);
#endif
#ifdef MACLANE_TSAN
  tsan_outside_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan_own_, 0);
#endif
  (void)swapcontext(&outside_, &own_);
#ifdef MACLANE_ASAN
  __sanitizer_finish_switch_fiber(fake_outside_, nullptr, nullptr);
#endif
}

void Fiber::yield() {
  switch_to(own_, outside_, false);
}

void Fiber::switch_to(ucontext_t& from, const ucontext_t& to, [[maybe_unused]] bool last) {
#ifdef MACLANE_ASAN
  __sanitizer_start_switch_fiber(last ? nullptr : &fake_own_, outside_bottom_, outside_size_);
#endif
#ifdef MACLANE_TSAN
  __tsan_switch_to_fiber(tsan_outside_, 0);
#endif
  (void)swapcontext(&from, &to);
#ifdef MACLANE_ASAN
  __sanitizer_finish_switch_fiber(fake_own_, &outside_bottom_, &outside_size_);
#endif
}

}  // namespace maclane::script
