#include "dataplane/worker/publish.h"

#include <rte_malloc.h>
#include <time.h>

#include <algorithm>

namespace maclane {
namespace {

uint64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000ULL + static_cast<uint64_t>(t.tv_nsec);
}

}  // namespace

Publisher::Publisher(unsigned workers) {
  qsbr_ = static_cast<rte_rcu_qsbr*>(
      rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(workers), RTE_CACHE_LINE_SIZE));
  if (qsbr_ == nullptr) return;
  rte_rcu_qsbr_init(qsbr_, workers);
  for (unsigned i = 0; i < workers; ++i) rte_rcu_qsbr_thread_register(qsbr_, i);
}

Publisher::~Publisher() {
  rte_free(qsbr_);
}

void Publisher::publish(std::unique_ptr<Snapshot> snapshot) {
  if (++generation_ == 0) generation_ = 1;  // 0 is nobody's
  snapshot->generation = generation_;
  current_.store(snapshot.get(), std::memory_order_release);
  std::swap(owned_, snapshot);
  if (snapshot != nullptr) {
    retired_.push_back({std::move(snapshot), rte_rcu_qsbr_start(qsbr_)});
  }
  poll();
}

void Publisher::poll() {
  // Tokens rise, so what is due is a prefix.
  const auto due = std::find_if(retired_.begin(), retired_.end(), [this](const Retired& r) {
    return rte_rcu_qsbr_check(qsbr_, r.token, false) == 0;
  });
  retired_.erase(retired_.begin(), due);
}

bool Publisher::synchronize(unsigned timeout_ms) {
  const uint64_t token = rte_rcu_qsbr_start(qsbr_);
  const uint64_t deadline = now_ns() + timeout_ms * 1000000ULL;
  while (rte_rcu_qsbr_check(qsbr_, token, false) == 0) {
    if (now_ns() >= deadline) return false;
    constexpr timespec kPause = {0, 50000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &kPause, nullptr);
  }
  poll();
  return true;
}

}  // namespace maclane
