// Changes taken over whole, and rows as print shows them.
#include "control/model/model.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/model/idle.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

std::string_view field(const Fields& fields, std::string_view property) {
  for (const auto& [name, value] : fields) {
    if (name == property) return value;
  }
  return {};
}

/// What follows from the configuration alone, for properties no provider has filled in.
void derive(const View& row, size_t place, const std::vector<InterfaceFacts>& interfaces,
            Fields& out) {
  const std::string_view path = row.menu().path;
  if (path == "/interface/ethernet") out.emplace_back("default-name", default_name(place));
  if (path.starts_with("/interface/") && row.menu().index("actual-mtu") >= 0) {
    const auto facts = std::find_if(interfaces.begin(), interfaces.end(),
                                    [&](const auto& one) { return one.name == row.raw("name"); });
    if (facts == interfaces.end()) return;
    out.emplace_back("mtu", std::to_string(facts->mtu));
    out.emplace_back("actual-mtu", std::to_string(facts->actual_mtu));
  } else if (path == "/ip/address") {
    const auto prefix = parse_prefix(row.raw("address"));
    if (prefix) out.emplace_back("network", format_ip4(prefix->network()));
    out.emplace_back("actual-interface", row.raw("interface"));
  } else if (path == "/ip/route") {
    out.emplace_back("static", "true");
  } else if (path == "/ip/arp") {
    out.emplace_back("status", "permanent");
    out.emplace_back("complete", "true");
  }
}

/// What RouterOS shows of settings though nothing is there: texts and lists, unless the menu only
/// tells of the machine.
bool is_shown_empty(const Menu& menu, const Property& property) {
  if (menu.kind != Menu::Kind::kSettings || menu.has(Menu::kOurs)) return false;
  const auto& all = menu.properties;
  if (std::all_of(all.begin(), all.end(),
                  [](const Property& p) { return p.has(Property::kReadOnly); }))
    return false;
  if (property.has(Property::kOurs) || property.has(Property::kNotYet)) return false;
  return property.type == Type::kString || property.has(Property::kList);
}

}  // namespace

std::string_view PrintRow::get(std::string_view property) const {
  return field(fields, property);
}

/// Completed and found right, or what is wrong.
Result<Tree> Model::checked(Tree next, const Tree* before) {
  if (prepare_) {
    auto prepared = prepare_(std::move(next));
    if (!prepared) return prepared;
    next = std::move(*prepared);
  }
  if (Errors errors = validate(next, before); !errors.empty()) {
    return tl::make_unexpected(std::move(errors));
  }
  return next;
}

Status Model::bring(const Tree& before, Tree next, const Caller& caller, Record record,
                    std::string_view prefix, Effect effect) {
  const std::vector<MenuDiff> changes = diff(before, next);
  const bool first = revision_ == 0;
  const Tree old = before;                      // may be tree_ itself
  const bool same = changes.empty() && !first;  // nothing a router would do differently
  const bool commits = effect == Effect::kSome || (effect == Effect::kNone && !same);
  const auto go_back = [&] {
    if (commit_ && !first) (void)commit_(old);
    tree_ = old;
  };
  if (commit_ && commits) {
    if (Status status = commit_(next); !status) {
      if (effect == Effect::kSome) go_back();
      tree_ = old;
      return status;
    }
  }
  if (Status status = persist(next); !status) {
    if (commits || effect != Effect::kNone) go_back();
    tree_ = old;
    return status;
  }
  if (same) {
    tree_ = std::move(next);
    return {};
  }
  tree_ = std::move(next);
  ++revision_;
  if (first) return {};
  Change change{old, tree_, changes, caller, std::string(prefix) + summary(changes)};
  if (record == Record::kYes) {
    history_.add({0, old, tree_, caller, std::chrono::system_clock::now(), change.what});
    end_safe_mode_if_full();
  }
  for (const OnChange& told : on_change_) told(change);
  return {};
}

Status Model::replace(Tree next, const Caller& caller) {
  if (batch_) return fail("a batch of changes is open: the configuration cannot be replaced in it");
  auto right = checked(std::move(next), nullptr);
  if (!right) return tl::make_unexpected(std::move(right.error()));
  right->start_ids_after(tree_);
  if (revision_ == 0) base_.tree = *right;
  return bring(tree_, std::move(*right), caller, Record::kYes);
}

Status Model::persist(const Tree& tree) const {
  if (!persist_) return {};
  // What began first goes back farther.
  const bool safe = safe_mode_ && (!confirm_ || safe_mode_->first <= confirm_->change);
  return persist_({tree, base_,
                   safe       ? &safe_mode_->before
                   : confirm_ ? &confirm_->before
                              : nullptr});
}

Status Model::remove_state(const Removals& removals) {
  for (const auto& [remove, id] : removals) {
    if (Status status = (*remove)(id); !status) return status;
  }
  return {};
}

Result<std::vector<std::string>> Model::apply(const std::vector<Edit>& edits, const Caller& caller,
                                              Record record) {
  // Rows that are state are no part of the tree: they are removed once the rest has taken effect.
  std::vector<Edit> configuration;
  Removals removals;
  for (const Edit& one : edits) {
    const Menu* menu = find_menu(one.path);
    const bool removes_state = one.kind == Edit::Kind::kRemove && menu != nullptr &&
                               tree_.find(*menu, one.target) == nullptr;
    const auto remover = removes_state ? remove_state_.find(menu->path) : remove_state_.end();
    if (remover == remove_state_.end()) {
      configuration.push_back(one);
    } else {
      removals.emplace_back(&remover->second, one.target);
    }
  }
  std::vector<std::string> ids;
  if (!configuration.empty()) {
    Tree next = tree_;
    auto added = edit(next, configuration);
    if (!added) return added;
    ids = std::move(*added);
    auto right = checked(std::move(next), &tree_);
    if (!right) return tl::make_unexpected(std::move(right.error()));
    if (batch_) {
      tree_ = std::move(*right);
      ++revision_;
      batch_->changed = true;
    } else if (Status status = bring(tree_, std::move(*right), caller, record); !status) {
      return tl::make_unexpected(std::move(status.error()));
    }
  }
  if (batch_) {
    std::move(removals.begin(), removals.end(), std::back_inserter(batch_->removals));
  } else if (Status status = remove_state(removals); !status) {
    return tl::make_unexpected(std::move(status.error()));
  }
  return ids;
}

void Model::begin_batch(const Caller& caller) {
  batch_.emplace(Batch{tree_, caller, {}, false, 0});
}

Status Model::commit_batch() {
  if (!batch_) return {};
  Batch batch = std::move(*batch_);
  batch_.reset();
  if (batch.changed) {
    const Effect effect = batch.shown == 0           ? Effect::kNone
                          : batch.shown == revision_ ? Effect::kAll
                                                     : Effect::kSome;
    Status status = bring(batch.before, tree_, batch.caller, Record::kYes, {}, effect);
    if (!status) {
      ++revision_;
      return status;
    }
  }
  return remove_state(batch.removals);
}

Status Model::flush_batch() {
  if (!batch_) return {};
  const Caller caller = batch_->caller;
  Status status = commit_batch();
  if (status) begin_batch(caller);
  return status;
}

Status Model::show_batch() {
  if (!batch_) return {};
  if (batch_->changed && batch_->shown != revision_) {
    if (Status status = commit_ ? commit_(tree_) : Status{}; !status) {
      drop_batch();
      return status;
    }
    batch_->shown = revision_;
  }
  return remove_state(std::exchange(batch_->removals, {}));
}

void Model::drop_batch() {
  if (!batch_) return;
  tree_ = std::move(batch_->before);
  if (batch_->shown != 0 && commit_) (void)commit_(tree_);
  ++revision_;
  batch_.reset();
}

std::vector<PrintRow> Model::print(const Menu& menu) const {
  std::vector<PrintRow> more = dynamic_rows(menu);
  const auto behind =
      std::find_if(more.begin(), more.end(), [](const PrintRow& row) { return !row.leads; });
  std::vector<PrintRow> out(std::move_iterator(more.begin()), std::move_iterator(behind));
  const auto state = row_state_.find(menu.path);
  const bool is_interface = menu.path.starts_with("/interface/");
  const auto facts = is_interface ? interfaces(tree_) : std::vector<InterfaceFacts>{};
  size_t place = 0;
  for (const RowPtr& row : tree_.rows(menu)) {
    const View view(menu, *row);
    Fields live;
    if (state != row_state_.end()) state->second(view, live);
    Fields derived;
    derive(view, place++, facts, derived);
    PrintRow shown;
    if (menu.kind != Menu::Kind::kSettings) shown.id = row_id(row->id);
    shown.number = static_cast<uint32_t>(out.size());
    for (size_t i = 0; i < menu.properties.size(); ++i) {
      const Property& property = menu.properties[i];
      std::string_view value = row->values[i];
      if (value.empty()) value = field(live, property.name);
      if (value.empty()) value = field(derived, property.name);
      if (value.empty() && !is_silent_default(view, property)) value = property.default_value;
      if (!value.empty() && value == property.default_value && is_idle_default(view, property))
        value = {};
      if (!value.empty() || is_shown_empty(menu, property))
        shown.fields.emplace_back(property.name, value);
    }
    shown.dynamic = shown.get("dynamic") == "true";
    out.push_back(std::move(shown));
  }
  std::move(behind, more.end(), std::back_inserter(out));
  return out;
}

std::vector<PrintRow> Model::dynamic_rows(const Menu& menu) const {
  const auto provider = dynamic_.find(menu.path);
  if (provider == dynamic_.end()) return {};
  std::vector<PrintRow> rows = provider->second();
  const auto behind = std::stable_partition(rows.begin(), rows.end(),
                                            [](const PrintRow& row) { return row.leads; });
  uint32_t number = 0;
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    if (row == behind) number += static_cast<uint32_t>(tree_.rows(menu).size());
    row->number = number++;
  }
  return rows;
}

bool Model::has_state(const Menu& menu) const {
  return row_state_.contains(menu.path) || dynamic_.contains(menu.path);
}

}  // namespace maclane::model
