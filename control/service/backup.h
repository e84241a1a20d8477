// /system/backup (C-44): everything that is configured in one file of /file, and back again.
//
// A backup holds the tree with its identifiers, so users, certificates, keys and scripts too, and
// the key of the state folder that its secrets are sealed under. The file: a line that says what it
// is, a line of JSON (when, of whom, how it is encrypted), then the tree as JSON, encrypted with
// AES-256-GCM under a key that scrypt makes of the password (RFC 7914, 5116), or plain with its
// SHA-256. Loading brings the tree into effect as one change, or says why it cannot and changes
// nothing; sealed values are sealed anew under this router's own key. Deriving the key happens off
// the control thread: save and load are commands that go on for a moment. Control thread only.
#pragma once

#include <string>
#include <string_view>

#include "control/door/background.h"
#include "control/model/commands.h"
#include "control/service/files.h"

namespace maclane {

class Backup {
 public:
  Backup(model::Model& model, Files& files, door::Background& background)
      : model_(model), files_(files), background_(background) {}

  /// /system/backup's commands.
  void serve(model::Commands& commands);

  /// The bytes of a backup. Slow with a password; any thread.
  [[nodiscard]] static Result<std::string> pack(std::string_view tree, std::string_view identity,
                                                std::string_view password);
  /// What pack() was given. Slow with a password; any thread.
  [[nodiscard]] static Result<std::string> unpack(std::string_view bytes,
                                                  std::string_view password);

  [[nodiscard]] static std::string tree_text(const model::Tree& tree);
  [[nodiscard]] static Result<model::Tree> tree_of(const std::string& text);

 private:
  [[nodiscard]] model::Answer<model::Outcome> save(const model::Call& call);
  [[nodiscard]] model::Answer<model::Outcome> load(const model::Call& call,
                                                   const model::Caller& caller);

  model::Model& model_;
  Files& files_;
  door::Background& background_;
};

}  // namespace maclane
