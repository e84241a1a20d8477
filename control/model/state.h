// The state folder: what must outlive the process and is no part of the configuration file.
//
// For now the MAC addresses generated for macvlans, by macvlan name, in `macs.json`. They are
// generated once and kept over restarts, parent changes and disabling, and when the macvlan is
// removed: who removes one and adds it again meets the same switch and the same ISP. Control thread
// only.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "control/model/tree.h"

namespace maclane::model {

/// Writes a file so that a crash leaves the old one or the new one, never half of either.
[[nodiscard]] Status write_atomically(const std::string& path, std::string_view text);

class StateStore {
 public:
  /// Opens the folder, making it if it is not there, and reads what it holds.
  [[nodiscard]] static Result<StateStore> open(const std::string& folder);

  /// The kept MAC of a name, or a new one: 46 random bits, locally administered, unicast. Kept on
  /// disk by the next save().
  [[nodiscard]] std::string mac_for(std::string_view name);
  /// Generates anew what mac_for gave, because it is in use elsewhere.
  std::string replace_mac(std::string_view name);
  /// Writes what was added since; does nothing if nothing was.
  [[nodiscard]] Status save();

  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  explicit StateStore(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
  std::map<std::string, std::string, std::less<>> macs_;
  bool changed_ = false;
};

/// Fills in the mac-address of every macvlan that has none, and saves the new ones. For
/// Model::on_prepare.
[[nodiscard]] Result<Tree> with_generated_macs(Tree tree, StateStore& state);

}  // namespace maclane::model
