// Ids over a reload: a row that is still there keeps its id, so that its counters and what doors
// remembered of it stay its own wherever it moved in the file.
#include <deque>
#include <optional>
#include <unordered_map>

#include "control/model/tree.h"

namespace maclane::model {
namespace {

/// What a row says, whether its defaults are written or not.
std::string content(const Menu& menu, const Row& row) {
  std::string key;
  for (size_t i = 0; i < row.values.size(); ++i) {
    const std::string_view value = row.values[i];
    key += value.empty() ? menu.properties[i].default_value : value;
    key += '\x1f';
  }
  return key;
}

/// Defaults are written where they were: to write one, or not to any more, is no change.
void write_as(const Menu& menu, const Row& before, Row& row) {
  for (size_t i = 0; i < row.values.size(); ++i) {
    const std::string_view usual = menu.properties[i].default_value;
    const std::string &was = before.values[i], &is = row.values[i];
    if (!usual.empty() && (was.empty() ? is == usual : is.empty() && was == usual))
      row.values[i] = was;
  }
}

/// The rows of one menu of a tree, to find the one that a loaded row is.
class Known {
 public:
  Known(const Menu& menu, const Rows& rows) : menu_(menu), name_(name_index(menu)) {
    for (const RowPtr& row : rows) {
      rows_.emplace(row->id, row.get());
      if (name_ >= 0) {
        named_.emplace(row->at(name_), row->id);
      } else {
        same_[content(menu, *row)].push_back(row->id);
      }
    }
  }
  [[nodiscard]] bool has_names() const { return name_ >= 0; }
  [[nodiscard]] bool has(uint32_t id) const { return rows_.contains(id); }
  [[nodiscard]] const Row* row(uint32_t id) const {
    const auto it = rows_.find(id);
    return it == rows_.end() ? nullptr : it->second;
  }
  /// 0: none. Of rows without names that have the same content each is found once, in their order.
  uint32_t find(const Row& row) {
    if (name_ >= 0) {
      const auto it = named_.find(row.at(name_));
      return it == named_.end() ? 0 : it->second;
    }
    const auto it = same_.find(content(menu_, row));
    if (it == same_.end() || it->second.empty()) return 0;
    const uint32_t id = it->second.front();
    it->second.pop_front();
    return id;
  }

 private:
  const Menu& menu_;
  int name_;
  std::unordered_map<uint32_t, const Row*> rows_;
  std::unordered_map<std::string_view, uint32_t> named_;
  std::unordered_map<std::string, std::deque<uint32_t>> same_;
};

/// The id of a loaded row; 0 if it is new.
uint32_t id_of(const Row& row, Known& known, Known* more) {
  const uint32_t id = known.find(row);
  if (more == nullptr || (id != 0 && (more->has(id) || !known.has_names()))) return id;
  // Not there any more, but another of its name is: it was removed and added again.
  const uint32_t other = more->find(row);
  return other != 0 && !known.has(other) ? other : id;
}

void keep_settings(Tree& next, const Tree& running, const Menu& menu) {
  const Rows& before = running.rows(menu);
  const Rows loaded = next.rows(menu);
  if (before.size() != 1 || loaded.size() != 1) return;
  auto copy = std::make_shared<Row>(**loaded.begin());
  write_as(menu, **before.begin(), *copy);
  next.edit(menu).replace(0, std::move(copy));
}

void keep_menu(Tree& next, const Tree& running, const Tree* also, const Menu& menu) {
  Known known(menu, running.rows(menu));
  std::optional<Known> more;
  next.start_ids(menu, running.coming_id(menu));
  if (also != nullptr) {
    more.emplace(menu, also->rows(menu));
    next.start_ids(menu, also->coming_id(menu));
  }
  const Rows loaded = next.rows(menu);
  size_t place = 0;
  for (const RowPtr& row : loaded) {
    auto copy = std::make_shared<Row>(*row);
    copy->id = id_of(*row, known, more ? &*more : nullptr);
    const Row* before = also == nullptr ? known.row(copy->id) : nullptr;
    if (before != nullptr) write_as(menu, *before, *copy);
    if (copy->id == 0) copy->id = next.next_id(menu);
    next.edit(menu).replace(place++, std::move(copy));
  }
}

}  // namespace

void keep_ids(Tree& next, const Tree& running, const Tree* also) {
  for (const Menu& menu : menus()) {
    if (menu.kind == Menu::Kind::kList || menu.kind == Menu::Kind::kOrdered)
      keep_menu(next, running, also, menu);
    if (menu.kind == Menu::Kind::kSettings && also == nullptr) keep_settings(next, running, menu);
  }
}

}  // namespace maclane::model
