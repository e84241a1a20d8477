// The poll loop of one worker, and its thread.
//
// loop_once() is one round, for benchmarks and tests that own the clock; WorkerThread runs it on a
// pinned thread until it is stopped. Start and stop are for control; the rest is the thread's own.
#pragma once

#include <pthread.h>

#include <atomic>
#include <memory>
#include <string>

#include "dataplane/worker/publish.h"
#include "dataplane/worker/worker.h"

namespace maclane {

/// Turns TSC into the dataplane's clock.
struct Clock {
  uint64_t start_tsc = 0;
  uint64_t cs_per_tsc = 0;  // of 2^64: a multiplication where a division would be
  [[nodiscard]] static Clock started_now();
  [[nodiscard]] Now at(uint64_t tsc) const noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide cs = Wide{tsc - start_tsc} * cs_per_tsc;
    return {tsc, static_cast<uint32_t>(cs >> 64), static_cast<uint32_t>(cs >> 32)};
  }
};

/// What the loop keeps between rounds beside the Worker.
struct LoopState {
  L3Queue queue;
  uint32_t flush_next = SessionTable::kNone;  // kFlushSessions goes on from here
  uint32_t purge_next = SessionTable::kNone;  // and kPurgeMasquerade from here
  unsigned full_rounds = 0;                   // in a row that left frames waiting
  uint32_t generation = 0;  // of w.snapshot: an address may come back after a sleep, this does not
};

/// One round under w.snapshot and w.now, both set by the caller. Returns the packets it handled.
unsigned loop_once(Worker& w, LoopState& state) noexcept;

/// What one round did, and the only thing of its snapshot that is needed after it.
struct Round {
  bool ran = false;  // false: nothing was published yet
  unsigned packets = 0;
  uint64_t max_sleep_us = 0;
};
/// One round of a worker that is online: takes up the snapshot, loop_once, quiescent.
Round loop_round(Worker& w, LoopState& state, Publisher& publisher, Now now) noexcept;

class WorkerThread {
 public:
  WorkerThread(std::unique_ptr<Worker> worker, unsigned cpu, Publisher& publisher, Clock clock);
  ~WorkerThread();  // stops
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  bool start(std::string* error);
  /// Ends the thread; what it still held is dropped as `shutdown`.
  void stop();
  [[nodiscard]] Worker& worker() noexcept { return *worker_; }
  [[nodiscard]] const Worker& worker() const noexcept { return *worker_; }
  [[nodiscard]] unsigned cpu() const noexcept { return cpu_; }

 private:
  static void* entry(void* self) noexcept;
  void run() noexcept;
  void rest(uint64_t sleep_us) noexcept;
  void drain() noexcept;

  std::unique_ptr<Worker> worker_;
  std::unique_ptr<LoopState> state_;
  const unsigned cpu_;
  Publisher& publisher_;
  const Clock clock_;
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<bool> stop_{false};
  std::atomic<int> registered_{0};  // 1: rte_thread_register worked, -1: it did not
};

}  // namespace maclane
