// Writing what changed. See store.h.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "control/model/store.h"

namespace maclane::model {
namespace {

std::string row_text(const Menu& menu, const Row& row) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  auto& members = json.get_ref<nlohmann::ordered_json::object_t&>();
  for (size_t i = 0; i < menu.properties.size(); ++i) {
    if (!row.values[i].empty()) members.emplace_back(menu.properties[i].name, row.values[i]);
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool is_by_id(const Rows& rows) {
  uint32_t last = 0;
  for (const RowPtr& row : rows) {
    if (row->id < last) return false;
    last = row->id;
  }
  return true;
}

/// Whether the rows added have ids that were never used and stand at the end, by id: then they are
/// where reading puts them.
bool is_appended(const Rows& rows, const std::vector<RowPtr>& added, uint32_t unused) {
  if (added.size() > rows.size()) return false;
  size_t place = rows.size();
  uint32_t above = UINT32_MAX;
  for (size_t i = added.size(); i-- > 0;) {
    if (rows[--place] != added[i] || added[i]->id > above || added[i]->id < unused) return false;
    above = added[i]->id;
  }
  return true;
}

std::string order_text(const Rows& rows) {
  std::string out;
  for (const RowPtr& row : rows) {
    if (!out.empty()) out += ',';
    out += std::to_string(row->id);
  }
  return out;
}

}  // namespace

Status Store::write(const Lasting& state) {
  if (is_written(state)) return {};
  const auto before = written_;
  Status status = database_.run("BEGIN IMMEDIATE");
  if (status) {
    if (write_all(state)) {
      status = database_.run("COMMIT");
    } else {
      status = fail(database_.reason());
    }
    if (!status) (void)database_.run("ROLLBACK");
  }
  if (!status) {
    written_ = before;
    return fail(fmt::format("cannot keep the change: {}; nothing was changed",
                            status.error().front().message));
  }
  if (written_text_ != state.base.text) written_text_ = state.base.text;
  written_any_ = true;
  return {};
}

bool Store::is_written(const Lasting& state) const {
  const auto same = [&](Which which, const Tree* tree) {
    const auto& written = written_[which];
    if (tree == nullptr || !written) return tree == nullptr && !written;
    for (const Menu& menu : menus()) {
      if (&written->rows(menu) != &tree->rows(menu)) return false;
    }
    return true;
  };
  return written_any_ && written_text_ == state.base.text && same(kRunning, &state.tree) &&
         same(kBase, &state.base.tree) && same(kGoBack, state.go_back);
}

bool Store::write_all(const Lasting& state) {
  if (!written_any_ || written_text_ != state.base.text) {
    if (!put_meta_.bind(1, "base").bind(2, state.base.text).run()) return false;
  }
  if (!write_tree(kRunning, state.tree) || !write_tree(kBase, state.base.tree)) return false;
  if (state.go_back != nullptr) return write_tree(kGoBack, *state.go_back);
  if (!written_[kGoBack]) return true;
  written_[kGoBack].reset();
  return drop_tree_rows_.bind(1, int64_t{kGoBack}).run() &&
         drop_tree_menus_.bind(1, int64_t{kGoBack}).run();
}

bool Store::write_tree(Which which, const Tree& tree) {
  std::optional<Tree>& written = written_[which];
  for (const Menu& menu : menus()) {
    if (!menu.has_rows()) continue;
    if (written && &written->rows(menu) == &tree.rows(menu)) continue;
    if (!write_menu(which, menu, tree)) return false;
  }
  written = tree;
  return true;
}

bool Store::write_menu(Which which, const Menu& menu, const Tree& tree) {
  const std::optional<Tree>& written = written_[which];
  const Rows& rows = tree.rows(menu);
  RowsDiff changes;
  if (written) {
    changes = compare(written->rows(menu), rows);
  } else {
    changes.added.assign(rows.begin(), rows.end());
  }
  for (const RowPtr& row : changes.removed) {
    if (!remove_row(which, menu, *row)) return false;
  }
  for (const RowsDiff::Changed& row : changes.changed) {
    if (row.before->values != row.after->values && !write_row(which, menu, *row.after))
      return false;
  }
  for (const RowPtr& row : changes.added) {
    if (!write_row(which, menu, *row)) return false;
  }
  const uint32_t coming = tree.coming_id(menu);
  const uint32_t unused = written ? written->coming_id(menu) : 0;
  if (!changes.moved && is_appended(rows, changes.added, unused)) {
    // Reading finds them in their order: by id, or behind those whose order was written.
    if (written && coming == unused) return true;
    return put_next_id_.bind(1, int64_t{which}).bind(2, menu.path).bind(3, int64_t{coming}).run();
  }
  const std::string order = is_by_id(rows) ? std::string() : order_text(rows);
  put_menu_.bind(1, int64_t{which}).bind(2, menu.path).bind(3, int64_t{coming});
  return (order.empty() ? put_menu_.bind_null(4) : put_menu_.bind(4, order)).run();
}

bool Store::write_row(Which which, const Menu& menu, const Row& row) {
  const std::string text = row_text(menu, row);
  return put_row_.bind(1, int64_t{which})
      .bind(2, menu.path)
      .bind(3, int64_t{row.id})
      .bind(4, text)
      .run();
}

bool Store::remove_row(Which which, const Menu& menu, const Row& row) {
  return drop_row_.bind(1, int64_t{which}).bind(2, menu.path).bind(3, int64_t{row.id}).run();
}

}  // namespace maclane::model
