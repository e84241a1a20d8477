// Devices: the ethdevs that the tree needs, created, set and removed as the plan of ports changes,
// so that a change either happens entirely or leaves every device as it was.
//
// The dance with the snapshot: what must go before its successor can come (a changed device of the
// same name, an attachment with a new MAC) is taken out of the published snapshot first; what
// simply goes is removed after the next snapshot is out. No device is stopped or removed before
// every worker has let go of it. Control thread only.
#pragma once

#include <set>
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

  /// Brings the devices to what `want` needs, but for those that only go. What is in `renames`
  /// keeps its port; a device of a container has its macvlan's name, and comes anew. On failure
  /// everything is as before. Call settle() when the next snapshot is published, or revert() if it
  /// could not be made. After either failure the snapshot must be published again: devices that had
  /// to make room may have come back with other numbers, or not at all.
  Status prepare(const compile::PortPlan& want, const Renames& renames);
  void settle();
  void revert();
  /// Removes what a worker would not let go of in settle(). Call now and then.
  void retry();

  /// What the devices turned out to be, for compile_tree().
  [[nodiscard]] const compile::LearnedState& learned() const { return learned_; }
  /// Reads link states; the names of ethernets whose link changed.
  std::vector<std::string> poll_links();

 private:
  Status add(const compile::PortPlan::Ethernet& port);
  Status add(const compile::PortPlan::Attachment& port);
  Status configure(const compile::PortPlan::Ethernet& port);
  Status configure(const compile::PortPlan::Attachment& port);
  bool configure(PortInfo* info, PortConfig config, std::string* error);
  Status make_room();
  void rename(const Renames& renames);
  Status carry_out();
  void remove(const std::vector<uint16_t>& ethdevs);
  template <typename Port, typename Learned>
  void restore(std::vector<Port>& have, Learned& learned, const std::vector<Port>& configured);
  /// Publishes the current snapshot without these ethdevs and waits until no worker uses them;
  /// false: one does not let go.
  bool withdraw(const std::vector<uint16_t>& ethdevs);

  Dataplane& dataplane_;
  compile::PortPlan have_, want_;
  compile::LearnedState learned_;

  // the change under way
  Renames renames_;
  compile::PortChanges changes_;
  compile::PortPlan before_;
  compile::LearnedState learned_before_;
  std::set<std::string> made_room_;  // names of ports removed before their successors came
  std::vector<uint16_t> leaving_;    // removed by settle()
  std::vector<uint16_t> added_;      // removed by revert()

  std::vector<uint16_t> held_;  // in no snapshot any more, but a worker may still be at it
};

}  // namespace maclane
