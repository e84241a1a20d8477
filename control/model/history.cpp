// See history.h.
#include "control/model/history.h"

namespace maclane::model {

void History::add(HistoryEntry entry) {
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(done_), entries_.end());
  entry.number = ++last_;
  entries_.push_back(std::move(entry));
  if (entries_.size() > kMost) entries_.pop_front();
  done_ = entries_.size();
}

void History::clear() {
  entries_.clear();
  done_ = 0;
}

const HistoryEntry* History::to_undo() const {
  return done_ == 0 ? nullptr : &entries_[done_ - 1];
}

const HistoryEntry* History::to_redo() const {
  return done_ == entries_.size() ? nullptr : &entries_[done_];
}

}  // namespace maclane::model
