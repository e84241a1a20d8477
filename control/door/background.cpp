// Threads for slow work. See background.h.
#include "control/door/background.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

namespace maclane::door {
namespace {

constexpr int kNice = 5;  // behind the control thread, which shares its CPU with them

}  // namespace

void settle_helper_thread(const char* name) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), name);
  // 0 is the calling thread alone, in Linux.
  (void)setpriority(PRIO_PROCESS, 0, kNice);
}

Background::Background(unsigned threads) : event_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    waiting_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  if (event_fd_ >= 0) close(event_fd_);
}

bool Background::submit(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMostWaiting) return false;
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void Background::run() {
  settle_helper_thread("mlan-slow");
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
      if (stop_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Finish finish = work();
    work = nullptr;
    {
      const std::lock_guard lock(mutex_);
      finished_.push_back(std::move(finish));
    }
    const uint64_t one = 1;
    (void)!write(event_fd_, &one, sizeof one);
  }
}

void Background::handle() {
  uint64_t count = 0;
  if (read(event_fd_, &count, sizeof count) != sizeof count) return;
  std::vector<Finish> done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(finished_);
  }
  for (const Finish& finish : done) finish();
}

}  // namespace maclane::door
