// Ids over a reload: a row that is still there keeps its id, so that its counters and what doors
// remembered of it stay its own wherever it moved in the file.
#include <deque>
#include <unordered_map>

#include "control/model/tree.h"

namespace maclane::model {
namespace {

std::string content(const Row& row) {
  std::string key;
  for (const std::string& value : row.values) {
    key += value;
    key += '\x1f';
  }
  return key;
}

void keep_menu(Tree& next, const Tree& running, const Menu& menu) {
  const Tree::Rows& before = running.rows(menu);
  std::unordered_map<std::string, std::deque<uint32_t>> same;  // equal rows keep their order
  std::unordered_map<std::string_view, uint32_t> named;
  const int name = name_index(menu);
  for (const RowPtr& row : before) {
    if (name >= 0)
      named.emplace(row->at(name), row->id);
    else
      same[content(*row)].push_back(row->id);
  }
  next.start_ids(menu, running.coming_id(menu));
  const Rows loaded = next.rows(menu);
  size_t place = 0;
  for (const RowPtr& row : loaded) {
    auto copy = std::make_shared<Row>(*row);
    copy->id = 0;
    if (name >= 0) {
      if (auto it = named.find(row->at(name)); it != named.end()) copy->id = it->second;
    } else if (auto it = same.find(content(*row)); it != same.end() && !it->second.empty()) {
      copy->id = it->second.front();
      it->second.pop_front();
    }
    if (copy->id == 0) copy->id = next.next_id(menu);
    next.edit(menu).replace(place++, std::move(copy));
  }
}

}  // namespace

void keep_ids(Tree& next, const Tree& running) {
  for (const Menu& menu : menus()) {
    if (menu.kind == Menu::Kind::kList || menu.kind == Menu::Kind::kOrdered)
      keep_menu(next, running, menu);
  }
}

}  // namespace maclane::model
