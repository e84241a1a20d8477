// Undo, redo and safe mode: the model goes to a tree it had before. See model.h.
#include <fmt/format.h>

#include <utility>

#include "control/model/diff.h"
#include "control/model/model.h"

namespace maclane::model {

Status Model::go_to(Tree target, const Caller& caller, Record record, std::string_view prefix) {
  if (batch_) return fail("a batch of changes is open: nothing can be taken back in it");
  target.start_ids_after(tree_);
  return bring(tree_, std::move(target), caller, record, prefix);
}

Status Model::undo(const Caller& caller) {
  const HistoryEntry* entry = history_.to_undo();
  if (entry == nullptr) return fail("no more actions to undo: nothing has been changed");
  Status status = go_to(entry->before, caller, Record::kNo, "undone: ");
  if (status) history_.undone();
  return status;
}

Status Model::redo(const Caller& caller) {
  const HistoryEntry* entry = history_.to_redo();
  if (entry == nullptr) return fail("no more actions to redo: nothing has been undone");
  Status status = go_to(entry->after, caller, Record::kNo, "redone: ");
  if (status) history_.redone();
  return status;
}

Status Model::take_safe_mode(const Caller& caller, SafeMode::Held held) {
  if (caller.session == 0 || caller.via == "rest-api") {
    return fail(
        "safe mode belongs to a session that stays open, and this call has none; take it at the "
        "console or over the API");
  }
  if (safe_mode_) {
    if (safe_mode_->owner.session == caller.session) return fail("safe mode is taken already");
    if (held == SafeMode::Held::kRefuse) {
      return fail(
          fmt::format("safe mode is taken by {}; hijack=release takes it and keeps what was "
                      "changed in it, hijack=unroll takes it and undoes that",
                      safe_mode_->owner.text()));
    }
    Status ended =
        held == SafeMode::Held::kUnroll ? unroll_safe_mode(caller) : release_safe_mode(caller);
    if (!ended) return ended;
  }
  lost_safe_mode_.erase(caller.session);
  safe_mode_.emplace(SafeMode{caller, tree_, history_.last_number()});
  return {};
}

Status Model::release_safe_mode(const Caller& caller) {
  // Whoever may change the router may end what guards it.
  if (!safe_mode_) return fail("safe mode is not taken");
  std::optional<SafeMode> ended = std::exchange(safe_mode_, std::nullopt);
  Status status = persist(tree_);
  if (!status) {
    safe_mode_ = std::move(ended);
    return status;
  }
  tell_loss(ended->owner, caller, "released");
  return status;
}

Status Model::unroll_safe_mode(const Caller& caller) {
  if (!safe_mode_) return fail("safe mode is not taken");
  // What was changed in it is as if it had been undone one by one: undo does not bring it back,
  // redo may. That cannot be said of what older changes were undone in it.
  const auto& entries = history_.entries();
  size_t made = 0;
  while (made < history_.done() && entries[history_.done() - made - 1].number > safe_mode_->first)
    ++made;
  const bool undone =
      made > 0 && diff(entries[history_.done() - made].before, safe_mode_->before).empty();
  Status status = go_to(safe_mode_->before, caller, undone ? Record::kNo : Record::kYes,
                        "safe mode unrolled: ");
  if (!status) return status;
  for (; undone && made > 0; --made) history_.undone();
  const Caller owner = std::exchange(safe_mode_, std::nullopt)->owner;
  tell_loss(owner, caller, "unrolled");
  return persist(tree_);  // there is nothing to go back to any more
}

void Model::tell_loss(const Caller& owner, const Caller& by, std::string_view how) {
  if (owner.session == by.session) return;
  const std::string_view changes = how == "released" ? "stays" : "is undone";
  lost_safe_mode_[owner.session] = fmt::format(
      "Safe Mode {} by another user, {}: what was changed in it {}", how, by.text(), changes);
  if (on_notice_)
    on_notice_(fmt::format("safe mode of {} is {} by {}: what was changed in it {}", owner.text(),
                           how, by.text(), changes));
}

std::optional<std::string> Model::safe_mode_lost(uint64_t session) {
  auto told = lost_safe_mode_.extract(session);
  if (!told) return std::nullopt;
  return std::move(told.mapped());
}

void Model::session_died(uint64_t session) {
  lost_safe_mode_.erase(session);
  if (!safe_mode_ || session == 0 || safe_mode_->owner.session != session) return;
  const Caller owner = safe_mode_->owner;
  drop_batch();
  const Status status = unroll_safe_mode(owner);
  if (status) {
    if (on_notice_) {
      on_notice_(
          fmt::format("the session of {} died in safe mode: what was changed since it took "
                      "it is undone",
                      owner.text()));
    }
    return;
  }
  safe_mode_.reset();
  if (on_notice_) {
    on_notice_(
        fmt::format("the session of {} died in safe mode, and what was changed since could "
                    "not be undone: {}",
                    owner.text(), status.error().front().text()));
  }
}

void Model::end_safe_mode_if_full() {
  if (!safe_mode_ || history_.last_number() - safe_mode_->first <= History::kMost) return;
  if (on_notice_) {
    on_notice_(
        fmt::format("safe mode of {} has ended: more than {} changes are too many to keep; "
                    "nothing is undone",
                    safe_mode_->owner.text(), History::kMost));
  }
  lost_safe_mode_[safe_mode_->owner.session] = fmt::format(
      "Safe Mode has ended: more than {} changes are too many to keep, and none is undone",
      History::kMost);
  safe_mode_.reset();
  if (const Status status = persist(tree_); !status && on_notice_)
    on_notice_(status.error().front().text());
}

}  // namespace maclane::model
