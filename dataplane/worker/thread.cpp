// The thread around the loop: pinned, known to DPDK, asleep when there is nothing to do.
#include <rte_cycles.h>
#include <rte_lcore.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "dataplane/worker/loop.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

constexpr unsigned kIdleRounds = 64;  // polled without a packet before the first sleep
constexpr uint64_t kUnpublishedSleepUs = 1000;

/// Signals are control's, but for those that report this thread's own faults and the realtime ones,
/// which net_tap uses to say that a queue has frames.
void block_signals() {
  sigset_t set;
  sigfillset(&set);
  for (int s : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&set, s);
  for (int s = SIGRTMIN; s <= SIGRTMAX; ++s) sigdelset(&set, s);
  pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

void drop_at_shutdown(void* worker, rte_mbuf* packet, IfIndex in_if, Drop /*reason*/) {
  drop(*static_cast<Worker*>(worker), packet, Drop::shutdown, in_if);
}

}  // namespace

WorkerThread::WorkerThread(std::unique_ptr<Worker> worker, unsigned cpu, Publisher& publisher,
                           Clock clock)
    : worker_(std::move(worker)),
      state_(std::make_unique<LoopState>()),
      cpu_(cpu),
      publisher_(publisher),
      clock_(clock) {}

WorkerThread::~WorkerThread() {
  stop();
}

bool WorkerThread::start(std::string* error) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu_, &cpus);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus);
  const int rc = pthread_create(&thread_, &attributes, &WorkerThread::entry, this);
  pthread_attr_destroy(&attributes);
  if (rc != 0) {
    *error = "worker " + std::to_string(worker_->id) + " cannot start on CPU " +
             std::to_string(cpu_) + ": " + std::strerror(rc) +
             "; set dataplane workers to CPUs this process may use";
    return false;
  }
  started_ = true;
  char name[16];
  snprintf(name, sizeof(name), "worker%u", worker_->id);
  pthread_setname_np(thread_, name);
  while (registered_.load(std::memory_order_acquire) == 0) {
    constexpr timespec kPause = {0, 50000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &kPause, nullptr);
  }
  if (registered_.load(std::memory_order_acquire) < 0) {
    stop();
    *error = "DPDK has no room for another thread; use fewer workers";
    return false;
  }
  return true;
}

void WorkerThread::stop() {
  if (!started_) return;
  stop_.store(true, std::memory_order_release);
  pthread_join(thread_, nullptr);
  started_ = false;
}

void* WorkerThread::entry(void* self) noexcept {
  static_cast<WorkerThread*>(self)->run();
  return nullptr;
}

/// Sleeps with the thread offline: a sleeping worker holds no snapshot.
void WorkerThread::rest(uint64_t sleep_us) noexcept {
  publisher_.offline(worker_->id);
  const timespec time = {static_cast<time_t>(sleep_us / 1000000),
                         static_cast<long>(sleep_us % 1000000 * 1000)};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
  publisher_.online(worker_->id);
}

void WorkerThread::run() noexcept {
  block_signals();
  prctl(PR_SET_TIMERSLACK, 1UL);  // the default of 50 us would be most of a short sleep
  if (rte_thread_register() != 0) {
    registered_.store(-1, std::memory_order_release);
    return;
  }
  Worker& w = *worker_;
  publisher_.online(w.id);
  registered_.store(1, std::memory_order_release);

  unsigned idle_rounds = 0;
  uint64_t last_tsc = rte_rdtsc();
  while (!stop_.load(std::memory_order_acquire)) {
    const Round round = loop_round(w, *state_, publisher_, clock_.at(rte_rdtsc()));
    if (!round.ran) {
      rest(kUnpublishedSleepUs);
      last_tsc = rte_rdtsc();
      continue;
    }
    if (round.packets != 0 || w.loopback.count != 0) {
      idle_rounds = 0;
    } else if (++idle_rounds >= kIdleRounds && round.max_sleep_us != 0) {
      // 1 us after 64 empty rounds, twice as long after each 16 more, up to the limit
      const unsigned doublings = std::min((idle_rounds - kIdleRounds) / 16, 30u);
      rest(std::min<uint64_t>(uint64_t{1} << doublings, round.max_sleep_us));
    }
    LoopCounters& loop = w.counters.loop;
    const uint64_t end = rte_rdtsc();
    (round.packets != 0 ? loop.busy_tsc : loop.idle_tsc) += end - last_tsc;
    last_tsc = end;
  }
  drain();
  publisher_.offline(w.id);
  rte_thread_unregister();
}

void WorkerThread::drain() noexcept {
  Worker& w = *worker_;
  // Nothing waits for transmission, as every round ends with a flush; and w.snapshot may have been
  // freed since the last one.
  w.snapshot = nullptr;
  for (unsigned i = 0; i < w.loopback.count; ++i) {
    drop(w, w.loopback.packets[i], Drop::shutdown, w.loopback.in_if[i]);
  }
  w.loopback.count = 0;
  // Late enough for every datagram that waits for its first fragment to be too old.
  const Now later = {w.now.tsc, w.now.cs + FragmentTable::kLifetimeCs + 1};
  w.fragments.expire(later, FragmentTable::kDatagrams, drop_at_shutdown, &w);
}

}  // namespace maclane
