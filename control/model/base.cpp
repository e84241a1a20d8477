// Three-way merging of trees. See base.h.
#include "control/model/base.h"

#include <fmt/format.h>

#include <unordered_map>

#include "control/model/new_names.h"

namespace maclane::model {
namespace {

using Places = std::unordered_map<uint32_t, RowPtr>;

Places by_id(const Rows& rows) {
  Places out;
  for (const RowPtr& row : rows) out.emplace(row->id, row);
  return out;
}

std::vector<uint32_t> ids_of(const Rows& rows) {
  std::vector<uint32_t> out;
  for (const RowPtr& row : rows) out.push_back(row->id);
  return out;
}

/// One menu, three ways.
class Merge {
 public:
  Merge(const Menu& menu, const Tree& base, const Tree& running, Rebased& out)
      : menu_(menu),
        base_(base.rows(menu)),
        running_(running.rows(menu)),
        file_(out.base.rows(menu)),
        out_(out) {}

  void carry_out() {
    was_ = by_id(base_);
    runs_ = by_id(running_);
    given_ = by_id(file_);
    Rows merged(key_of(menu_));
    for (const uint32_t id : order()) {
      if (RowPtr row = row_of(id); row != nullptr) merged.push_back(std::move(row));
    }
    out_.tree.edit(menu_) = std::move(merged);
    for (const RowPtr& row : base_) warn_if_lost(*row);
  }

 private:
  [[nodiscard]] static RowPtr find(const Places& places, uint32_t id) {
    const auto found = places.find(id);
    return found == places.end() ? nullptr : found->second;
  }

  [[nodiscard]] RowPtr by_name(std::string_view name) const {
    RowPtr found;
    base_.with_key(name_hash(name), [&](const RowPtr& row) {
      if (row->at(name_) == name) found = row;
    });
    return found;
  }

  /// What becomes of a row; nullptr: it is gone.
  [[nodiscard]] RowPtr row_of(uint32_t id) const {
    const RowPtr runs = find(runs_, id);
    const RowPtr given = find(given_, id);
    RowPtr was = find(was_, id);
    // A door removed it and added another of its name.
    if (was == nullptr && given != nullptr && name_ >= 0) was = by_name(given->at(name_));
    if (given == nullptr) return was == nullptr ? runs : nullptr;
    if (runs == nullptr) {
      // A door removed it: it comes back if the file has something new to say of it.
      const bool same = was != nullptr && was->values == given->values;
      return same ? nullptr : given;
    }
    auto merged = std::make_shared<Row>(*given);
    for (size_t i = 0; i < merged->values.size(); ++i) {
      const std::string before = was == nullptr ? std::string() : was->values[i];
      const bool derived = menu_.properties[i].has(Property::kDerived);
      if (given->values[i] != before && !derived) continue;
      merged->values[i] = runs->values[i];
      if (runs->values[i] != given->values[i] && !merged->sources.empty()) merged->sources[i] = {};
    }
    return merged;
  }

  /// The ids of all rows in the order they shall stand. If the file's order is as it was, the
  /// running one stays; else the file's rows stand as there, the others behind whom they follow.
  [[nodiscard]] std::vector<uint32_t> order() const {
    const std::vector<uint32_t> running = ids_of(running_);
    const std::vector<uint32_t> file = ids_of(file_);
    const bool same = ids_of(base_) == file;
    const std::vector<uint32_t>& first = same ? running : file;
    const std::vector<uint32_t>& second = same ? file : running;
    // What each of the others follows: the row in front of it, or none.
    std::unordered_map<uint32_t, std::vector<uint32_t>> behind;
    std::unordered_map<uint32_t, bool> known;
    for (const uint32_t id : first) known[id] = true;
    uint32_t last = 0;  // no row has this id
    for (const uint32_t id : second) {
      if (known.count(id) != 0) {
        last = id;
      } else {
        behind[last].push_back(id);
      }
    }
    std::vector<uint32_t> out;
    const auto follow = [&](uint32_t id) {
      const auto found = behind.find(id);
      if (found == behind.end()) return;
      out.insert(out.end(), found->second.begin(), found->second.end());
    };
    follow(0);
    for (const uint32_t id : first) {
      out.push_back(id);
      follow(id);
    }
    return out;
  }

  void warn_if_lost(const Row& was) {
    const RowPtr runs = find(runs_, was.id);
    if (runs == nullptr || find(given_, was.id) != nullptr || runs->values == was.values) return;
    out_.warnings.push_back(
        fmt::format("{} {} is gone from the configuration file, and with it what was changed here",
                    menu_.path, View(menu_, *runs).label()));
  }

  const Menu& menu_;
  const int name_ = name_index(menu_);
  const Rows& base_;
  const Rows& running_;
  const Rows& file_;
  Rebased& out_;
  Places was_, runs_, given_;
};

}  // namespace

Tree machine(const Tree& running) {
  Tree out;
  for (const Menu& menu : menus()) {
    if (!menu.has(Menu::kMachine)) continue;
    Rows rows(key_of(menu));
    for (const RowPtr& row : running.rows(menu)) {
      auto bare = std::make_shared<Row>(*row);
      for (size_t i = 0; i < menu.properties.size() && menu.kind != Menu::Kind::kSettings; ++i) {
        const Property& property = menu.properties[i];
        if (!property.has(Property::kRequired)) bare->values[i].clear();
        if (property.has(Property::kName)) bare->values[i] = default_name(rows.size());
      }
      rows.push_back(std::move(bare));
    }
    out.edit(menu) = std::move(rows);
  }
  return out;
}

Rebased rebase(const Tree& before, const Tree& runs, Tree file) {
  // Under the names that the file gives them.
  std::vector<NewName> names = new_names(before, file);
  // Where a door has given that name to another, the file's is a new one.
  std::erase_if(names, [&](const NewName& one) { return is_taken(runs, one); });
  const Tree base = with_names(before, names);
  const Tree running = with_names(runs, names);
  Rebased out;
  keep_ids(file, base, &running);
  out.tree = running;
  out.tree.start_ids_after(file);
  out.base = std::move(file);
  for (const Menu& menu : menus()) {
    if (menu.has_rows()) Merge(menu, base, running, out).carry_out();
  }
  return out;
}

}  // namespace maclane::model
