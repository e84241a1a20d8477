// The history: the last changes, each with the tree before and after, for undo, redo, safe mode and
// /system/history (C-50). Trees share what they have in common, so a hundred of them cost what
// changed between them. Control thread only; the model is the only one to write it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "control/model/caller.h"
#include "control/model/tree.h"

namespace maclane::model {

struct HistoryEntry {
  uint64_t number = 0;  // counts up from 1
  Tree before, after;
  Caller by;
  std::chrono::system_clock::time_point when;
  std::string what;  // "filter rule added"
};

class History {
 public:
  static constexpr size_t kMost = 100;

  /// What was undone can no longer be done again; the oldest is forgotten.
  void add(HistoryEntry entry);
  void clear();

  /// Oldest first; those from done() on were undone.
  [[nodiscard]] const std::deque<HistoryEntry>& entries() const { return entries_; }
  [[nodiscard]] size_t done() const { return done_; }
  /// What undo would take back, what redo would do again; nullptr: nothing.
  [[nodiscard]] const HistoryEntry* to_undo() const;
  [[nodiscard]] const HistoryEntry* to_redo() const;
  void undone() { --done_; }
  void redone() { ++done_; }
  /// Changes there have been, forgotten ones too.
  [[nodiscard]] uint64_t last_number() const { return last_; }

 private:
  std::deque<HistoryEntry> entries_;
  size_t done_ = 0;
  uint64_t last_ = 0;
};

/// A session that may lose its connection: what is changed while it lasts is undone if the session
/// dies. There is one at most, and it covers the changes of everybody.
struct SafeMode {
  /// What becomes of it, and of what was changed in it, if another session takes it.
  enum class Held : uint8_t { kRefuse, kRelease, kUnroll };
  Caller owner;
  Tree before;
  uint64_t first = 0;  // the number of the last change before it
};

}  // namespace maclane::model
