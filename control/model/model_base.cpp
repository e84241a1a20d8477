// The file under the running tree, whole trees in its place, and going back unless it is confirmed.
// See model.h.
#include <fmt/format.h>

#include "control/model/model.h"
#include "control/model/new_names.h"

namespace maclane::model {
namespace {

/// Puts something in the place of what is there, until it is said to be right.
template <typename T>
class Tried {
 public:
  Tried(T& place, T next) : place_(place), before_(std::move(place)) { place_ = std::move(next); }
  Tried(const Tried&) = delete;
  Tried& operator=(const Tried&) = delete;
  ~Tried() {
    if (!right_) place_ = std::move(before_);
  }
  void keep() { right_ = true; }

 private:
  T& place_;
  T before_;
  bool right_ = false;
};

bool is_of_users(const Menu& menu) {
  return menu.path == "/user" || menu.path.starts_with("/user/");
}

tl::unexpected<Errors> batch_is_open() {
  return fail("a batch of changes is open: the configuration cannot be replaced in it");
}

}  // namespace

Status Model::start(Tree tree, Base base) {
  auto right = checked(std::move(tree), nullptr);
  if (!right) return tl::make_unexpected(std::move(right.error()));
  base_ = std::move(base);
  return bring(tree_, std::move(*right), Caller::router(), Record::kNo);
}

Result<std::vector<std::string>> Model::load(Tree file, std::string text, const Caller& caller) {
  if (batch_) return batch_is_open();
  if (prepare_) {
    auto prepared = prepare_(std::move(file));
    if (!prepared) return tl::make_unexpected(std::move(prepared.error()));
    file = std::move(*prepared);
  }
  Rebased next = rebase(base_.tree, tree_, std::move(file));
  auto right = checked(std::move(next.tree), nullptr);
  if (!right) return tl::make_unexpected(std::move(right.error()));
  Tried<Base> base(base_, Base{std::move(next.base), std::move(text)});
  if (Status status = bring(tree_, std::move(*right), caller, Record::kYes); !status) {
    return tl::make_unexpected(std::move(status.error()));
  }
  base.keep();
  return std::move(next.warnings);
}

Tree Model::after_reset(const Reset& what) const {
  Tree next = what.no_defaults ? machine(tree_) : base_.tree;
  next.start_ids_after(tree_);
  for (const Menu& menu : menus()) {
    if (what.keep_users && menu.has_rows() && is_of_users(menu)) next.edit(menu) = tree_.rows(menu);
  }
  return next;
}

Status Model::reset(const Reset& what, const Caller& caller) {
  if (batch_) return batch_is_open();
  auto right = checked(after_reset(what), nullptr);
  if (!right) return tl::make_unexpected(std::move(right.error()));
  return bring(tree_, std::move(*right), caller, Record::kYes, "configuration reset: ");
}

Result<Tree> Model::planned(Tree next) {
  if (batch_) return batch_is_open();
  auto right = checked(std::move(next), nullptr);
  if (!right) return right;
  keep_ids(*right, with_names(tree_, new_names(tree_, *right)));
  return right;
}

Status Model::take_over(Tree planned, uint64_t confirm_until_ms, const Caller& caller) {
  if (batch_) return batch_is_open();
  if (confirm_) {
    return fail(
        fmt::format("what {} applied waits for its confirm; confirm it first, or wait until "
                    "it has gone back",
                    confirm_->by.text()));
  }
  std::optional<Confirm> waits;
  if (confirm_until_ms != 0)
    waits = Confirm{tree_, caller, confirm_until_ms, history_.last_number()};
  Tried<std::optional<Confirm>> confirm(confirm_, std::move(waits));
  Status status = bring(tree_, std::move(planned), caller, Record::kYes, "configuration applied: ");
  if (status) confirm.keep();
  return status;
}

Status Model::confirm(const Caller& caller) {
  (void)caller;  // whoever may change the router may say that the change was right
  if (!confirm_) return fail("there is nothing to confirm");
  Tried<std::optional<Confirm>> confirm(confirm_, std::nullopt);
  Status status = persist(tree_);
  if (status) confirm.keep();
  return status;
}

void Model::tick(uint64_t now_ms) {
  if (!confirm_ || now_ms < confirm_->until_ms || batch_) return;
  const Confirm waited = *confirm_;
  const uint64_t others = history_.last_number() - waited.change;
  confirm_.reset();
  const Status status = go_to(waited.before, waited.by, Record::kYes, "not confirmed, gone back: ");
  if (!on_notice_) return;
  if (!status) {
    on_notice_(
        fmt::format("what {} applied was not confirmed, and the router could not go back: {}",
                    waited.by.text(), status.error().front().text()));
  } else {
    on_notice_(fmt::format(
        "what {} applied was not confirmed: the router is as it was before{}", waited.by.text(),
        others > 1 ? fmt::format(", without the {} changes that were made since", others - 1)
                   : ""));
  }
}

}  // namespace maclane::model
