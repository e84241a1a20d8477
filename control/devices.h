// Devices: the ethdevs that the tree needs, created, set and removed as the plan of ports changes,
// so that a change either happens entirely or leaves every device as it was.
//
// The dance with the snapshot: what must go before its successor can come (a changed device of the
// same name, an attachment with a new MAC) is taken out of the published snapshot first; what
// simply goes is removed after the next snapshot is out. Control thread only.
#pragma once

#include <string>
#include <vector>

#include "control/compile/compile.h"
#include "control/compile/port_plan.h"
#include "control/model/result.h"
#include "dataplane/dataplane.h"

namespace maclane {

class Devices {
 public:
  explicit Devices(Dataplane& dataplane) : dataplane_(dataplane) {}

  /// Brings the devices to what `want` needs, but for those that only go. On failure everything is
  /// as before. Call settle() when the next snapshot is published, or revert() if it could not be
  /// made.
  Status prepare(const compile::PortPlan& want);
  void settle();
  void revert();

  /// What the devices turned out to be, for compile_tree().
  [[nodiscard]] const compile::LearnedState& learned() const { return learned_; }
  /// Reads link states; the names of ethernets whose link changed.
  std::vector<std::string> poll_links();

 private:
  Status add(const compile::PortPlan::Ethernet& port);
  Status add(const compile::PortPlan::Attachment& port);
  Status configure(const compile::PortPlan::Ethernet& port);
  void restore(const compile::PortPlan& plan, const compile::LearnedState& learned);
  /// Publishes the current snapshot without these ethdevs and waits until no worker uses them.
  void withdraw(const std::vector<uint16_t>& ethdevs);

  Dataplane& dataplane_;
  compile::PortPlan have_, before_, want_;
  compile::LearnedState learned_, learned_before_;
  std::vector<uint16_t> leaving_;  // removed by settle()
  std::vector<uint16_t> added_;    // removed by revert()
};

}  // namespace maclane
