// Opening the database and reading what it keeps. See store.h.
#include "control/model/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "control/model/state.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

using sqlite::Statement;
using Json = nlohmann::json;

constexpr int64_t kFormat = 1;
constexpr std::string_view kFile = "/maclane.db";

constexpr const char* kTables =
    "CREATE TABLE rows(tree INTEGER, menu TEXT, id INTEGER, row TEXT NOT NULL,"
    " PRIMARY KEY(tree, menu, id)) WITHOUT ROWID;"
    // ordering: ids with commas, where the rows' order is not that of their ids; rows that are not
    // named stand behind, by id.
    "CREATE TABLE menus(tree INTEGER, menu TEXT, next_id INTEGER NOT NULL, ordering TEXT,"
    " PRIMARY KEY(tree, menu)) WITHOUT ROWID;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE macs(name TEXT PRIMARY KEY, mac TEXT NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

/// Rows in the order that was written; rows that it does not name behind, by id, as they come.
void put_in_order(std::vector<RowPtr>& rows, std::string_view ordering) {
  std::unordered_map<uint32_t, size_t> place;
  for (std::string_view part : split_list(ordering)) {
    const auto id = parse_integer(part);
    if (id) place.emplace(static_cast<uint32_t>(*id), place.size());
  }
  const auto place_of = [&](const RowPtr& row) {
    const auto found = place.find(row->id);
    return found == place.end() ? place.size() : found->second;
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const RowPtr& a, const RowPtr& b) { return place_of(a) < place_of(b); });
}

}  // namespace

Error Store::damaged(std::string_view what) const {
  Error error;
  error.message = fmt::format(
      "{} is damaged or of another version: {}; restore it from a copy, or remove it to begin from "
      "the configuration file",
      path_, what);
  return error;
}

Result<Store> Store::open(const std::string& folder) {
  if (Status status = make_state_folder(folder); !status) {
    return tl::make_unexpected(std::move(status.error()));
  }
  Store store;
  store.path_ = folder + std::string(kFile);
  auto database = sqlite::Database::open(store.path_);
  if (!database) return tl::make_unexpected(std::move(database.error()));
  store.database_ = std::move(*database);
  if (Status status = store.prepare(); !status) {
    return tl::make_unexpected(Errors{store.damaged(status.error().front().message)});
  }
  if (Status status = store.read_macs(folder); !status) {
    return tl::make_unexpected(std::move(status.error()));
  }
  return store;
}

Status Store::prepare() {
  // A commit is in the log before it is answered; the disk is waited for at checkpoints only.
  if (Status status = database_.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
      !status) {
    return status;
  }
  auto format = database_.number("PRAGMA user_version");
  if (!format) return tl::make_unexpected(std::move(format.error()));
  if (*format == 0) {
    Status status = database_.run(std::string("BEGIN IMMEDIATE;") + kTables + "COMMIT;");
    if (!status) return status;
  } else if (*format != kFormat) {
    return fail(fmt::format("its format is {}, and this version knows {}", *format, kFormat));
  }
  const std::pair<Statement*, const char*> statements[] = {
      {&put_row_, "INSERT OR REPLACE INTO rows VALUES(?, ?, ?, ?)"},
      {&drop_row_, "DELETE FROM rows WHERE tree = ? AND menu = ? AND id = ?"},
      {&put_menu_, "INSERT OR REPLACE INTO menus VALUES(?, ?, ?, ?)"},
      {&put_next_id_,
       "INSERT INTO menus VALUES(?, ?, ?, NULL)"
       " ON CONFLICT(tree, menu) DO UPDATE SET next_id = excluded.next_id"},
      {&drop_tree_rows_, "DELETE FROM rows WHERE tree = ?"},
      {&drop_tree_menus_, "DELETE FROM menus WHERE tree = ?"},
      {&put_meta_, "INSERT OR REPLACE INTO meta VALUES(?, ?)"},
      {&put_mac_, "INSERT OR REPLACE INTO macs VALUES(?, ?)"},
  };
  for (const auto& [statement, text] : statements) {
    auto prepared = database_.prepare(text);
    if (!prepared) return tl::make_unexpected(std::move(prepared.error()));
    *statement = std::move(*prepared);
  }
  return {};
}

Result<std::optional<Store::Kept>> Store::read() {
  auto any = database_.number("SELECT count(*) FROM meta WHERE name = 'base'");
  if (!any) return tl::make_unexpected(Errors{damaged(any.error().front().message)});
  if (*any == 0) return std::optional<Kept>{};
  Kept kept;
  auto text = database_.prepare("SELECT value FROM meta WHERE name = 'base'");
  if (!text || text->step() != Statement::Step::kRow) {
    return tl::make_unexpected(Errors{damaged(database_.reason())});
  }
  kept.base.text = text->text(0);
  for (const Which which : {kRunning, kBase, kGoBack}) {
    auto tree = read_tree(which);
    if (!tree) return tl::make_unexpected(std::move(tree.error()));
    if (!*tree && which != kGoBack) {
      return tl::make_unexpected(Errors{damaged("a tree is missing")});
    }
    written_[which] = *tree;
    if (which == kRunning) kept.tree = std::move(**tree);
    if (which == kBase) kept.base.tree = std::move(**tree);
    if (which == kGoBack) kept.go_back = std::move(*tree);
  }
  written_text_ = kept.base.text;
  written_any_ = true;
  return std::optional<Kept>(std::move(kept));
}

Result<std::optional<Tree>> Store::read_tree(Which which) {
  auto menus_of = database_.prepare("SELECT menu, next_id FROM menus WHERE tree = ?");
  if (!menus_of) return tl::make_unexpected(Errors{damaged(database_.reason())});
  menus_of->bind(1, int64_t{which});
  Tree tree;
  bool any = false;
  Statement::Step step = menus_of->step();
  for (; step == Statement::Step::kRow; step = menus_of->step()) {
    const Menu* menu = find_menu(menus_of->text(0));
    if (menu == nullptr || !menu->has_rows()) {
      return tl::make_unexpected(
          Errors{damaged(fmt::format("there is no menu {}", menus_of->text(0)))});
    }
    any = true;
    // A menu that is kept is kept whole; one that came with a new version is as it is at first.
    if (menu->kind != Menu::Kind::kSettings) tree.edit(*menu).clear();
    tree.start_ids(*menu, static_cast<uint32_t>(menus_of->integer(1)));
  }
  if (step == Statement::Step::kFailed) {
    return tl::make_unexpected(Errors{damaged(database_.reason())});
  }
  if (!any) return std::optional<Tree>{};
  if (Status status = read_rows(which, tree); !status) {
    return tl::make_unexpected(std::move(status.error()));
  }
  return std::optional<Tree>(std::move(tree));
}

Status Store::read_rows(Which which, Tree& tree) {
  auto rows_of =
      database_.prepare("SELECT menu, id, row FROM rows WHERE tree = ? ORDER BY menu, id");
  auto orders_of =
      database_.prepare("SELECT menu, ordering FROM menus WHERE tree = ? AND ordering IS NOT NULL");
  if (!rows_of || !orders_of) return tl::make_unexpected(Errors{damaged(database_.reason())});
  std::map<const Menu*, std::vector<RowPtr>> found;
  rows_of->bind(1, int64_t{which});
  Statement::Step step = rows_of->step();
  const auto wrong = [&](std::string_view why) {
    return tl::make_unexpected(
        Errors{damaged(fmt::format("{} *{:X}: {}", rows_of->text(0), rows_of->integer(1), why))});
  };
  const Menu* menu = nullptr;  // rows come menu by menu
  for (; step == Statement::Step::kRow; step = rows_of->step()) {
    if (menu == nullptr || menu->path != rows_of->text(0)) menu = find_menu(rows_of->text(0));
    if (menu == nullptr || !menu->has_rows()) return wrong("there is no such menu");
    const Json json = Json::parse(rows_of->text(2), nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return wrong("it is no JSON object");
    auto row = std::make_shared<Row>();
    row->id = static_cast<uint32_t>(rows_of->integer(1));
    row->values.resize(menu->properties.size());
    for (const auto& [name, value] : json.items()) {
      const int index = menu->index(name);
      if (index < 0) return wrong(fmt::format("there is no property {}", name));
      const Property& property = menu->properties[static_cast<size_t>(index)];
      if (!value.is_string()) return wrong(fmt::format("{} is no text", name));
      auto canonical = normalize(property, value.get_ref<const std::string&>());
      if (!canonical) return wrong(fmt::format("{}: {}", name, canonical.error()));
      row->values[static_cast<size_t>(index)] = std::move(*canonical);
    }
    found[menu].push_back(std::move(row));
  }
  if (step == Statement::Step::kFailed) {
    return tl::make_unexpected(Errors{damaged(database_.reason())});
  }
  orders_of->bind(1, int64_t{which});
  while ((step = orders_of->step()) == Statement::Step::kRow) {
    const Menu* ordered = find_menu(orders_of->text(0));
    if (ordered != nullptr) put_in_order(found[ordered], orders_of->text(1));
  }
  for (auto& [of, rows] : found) {
    Rows& into = tree.edit(*of);
    if (of->kind == Menu::Kind::kSettings) {
      if (!into.empty()) into.replace(0, std::move(rows.front()));
      continue;
    }
    for (RowPtr& row : rows) into.push_back(std::move(row));
  }
  return {};
}

}  // namespace maclane::model
