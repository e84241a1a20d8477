// A few threads for what costs milliseconds of CPU: checking passwords, deriving keys.
//
// submit() hands work to a thread; what the work returns is called on the control thread by
// handle(), when fd() is readable. At most kMostWaiting wait; more is refused. The threads run at
// low priority on the CPUs of the thread that made this (not the workers'), block all signals and
// touch nothing but what the work brought along. Control thread, but for the work itself.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace maclane::door {

class Background {
 public:
  using Finish = std::function<void()>;  // on the control thread
  using Work = std::function<Finish()>;  // on one of the threads
  static constexpr size_t kMostWaiting = 1024;

  explicit Background(unsigned threads);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  [[nodiscard]] bool submit(Work work);  // false: too much waits already
  [[nodiscard]] int fd() const { return event_fd_; }
  /// Calls what finished. Does nothing if nothing did.
  void handle();

 private:
  void run();

  int event_fd_;
  std::mutex mutex_;  // guards waiting_, finished_, stop_
  std::condition_variable wake_;
  std::deque<Work> waiting_;
  std::vector<Finish> finished_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

/// What every helper thread of the doors does first: low priority, no signals.
void settle_helper_thread(const char* name);

}  // namespace maclane::door
