// Publishing snapshots: one atomic pointer, and QSBR (rte_rcu_qsbr) to know when no worker can hold
// the one before. Control publishes, polls and synchronizes; workers load, and say when they hold
// nothing (quiescent, or offline while they sleep).
#pragma once

#include <rte_rcu_qsbr.h>

#include <atomic>
#include <memory>
#include <vector>

#include "dataplane/snapshot.h"

namespace maclane {

class Publisher {
 public:
  explicit Publisher(unsigned workers);
  ~Publisher();  // the workers must have stopped
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  [[nodiscard]] bool valid() const noexcept { return qsbr_ != nullptr; }

  // control
  /// Sets the generation (never 0) and retires the snapshot before.
  void publish(std::unique_ptr<Snapshot> snapshot);
  [[nodiscard]] const Snapshot* current() const noexcept {
    return current_.load(std::memory_order_acquire);
  }
  /// Frees what no worker can hold any more.
  void poll();
  /// Waits until every worker has let go of what was published before this call. The worker may be
  /// in a driver that blocks (AF_XDP: a second), hence the limit.
  bool synchronize(unsigned timeout_ms);

  // workers
  [[nodiscard]] const Snapshot* load() const noexcept {
    return current_.load(std::memory_order_acquire);
  }
  void online(unsigned worker) noexcept { rte_rcu_qsbr_thread_online(qsbr_, worker); }
  void offline(unsigned worker) noexcept { rte_rcu_qsbr_thread_offline(qsbr_, worker); }
  void quiescent(unsigned worker) noexcept { rte_rcu_qsbr_quiescent(qsbr_, worker); }

 private:
  struct Retired {
    std::unique_ptr<const Snapshot> snapshot;
    uint64_t token = 0;
  };
  rte_rcu_qsbr* qsbr_ = nullptr;
  std::atomic<const Snapshot*> current_{nullptr};
  std::unique_ptr<Snapshot> owned_;
  uint32_t generation_ = 0;
  std::vector<Retired> retired_;
};

}  // namespace maclane
