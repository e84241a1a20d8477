// Interface lists as sets of indexes and address lists as sorted ranges. Control thread.
#include <algorithm>

#include "control/compile/parts.h"
#include "control/model/value_firewall.h"

namespace maclane::compile {
namespace {

void insert(InterfaceSet& set, IfIndex index) {
  set[index >> 6] |= uint64_t{1} << (index & 63);
}

}  // namespace

InterfaceLists::InterfaceLists(const Work& work) {
  // Nothing the router makes by itself is an interface in this version: dynamic is empty.
  List& all = lists_["all"];
  lists_["none"];
  lists_["dynamic"];
  for (size_t i = 1; i < work.snapshot.interfaces.size(); ++i) {
    if (work.snapshot.interfaces[i].kind != IfKind::kNone) {
      insert(all.set, static_cast<IfIndex>(i));
    }
  }
  const InterfaceSet everything = all.set;
  lists_["static"].set = everything;
  model::for_each(work.tree, "/interface/list", [&](const model::View& row) {
    List& list = lists_[row.raw("name")];
    list.include = row.raw("include");
    list.exclude = row.raw("exclude");
    list.done = list.include.empty() && list.exclude.empty();
  });
  model::for_each(work.tree, "/interface/list/member", [&](const model::View& row) {
    const IfIndex index = work.state.names.index_of(row.raw("interface"));
    if (!row.disabled() && index != kNoIf) insert(lists_[row.raw("list")].set, index);
  });
}

const InterfaceSet& InterfaceLists::set(std::string_view name) {
  List& list = lists_[name];  // a node, which stays where it is
  if (list.done) return list.set;
  list.done = true;  // before the others: a circle ends here, with the members of its own
  for (std::string_view other : model::split_list(list.include)) {
    const InterfaceSet& more = set(other);
    for (size_t i = 0; i < more.size(); ++i) list.set[i] |= more[i];
  }
  for (std::string_view other : model::split_list(list.exclude)) {
    const InterfaceSet& less = set(other);
    for (size_t i = 0; i < less.size(); ++i) list.set[i] &= ~less[i];
  }
  return list.set;
}

void group_address_lists(Work& work) {
  constexpr std::string_view kPath = "/ip/firewall/address-list";
  auto& lists = work.state.address_lists;
  work.state.timed_ranges = work.learned.peers.timed_ranges;
  if (work.same(kPath) && work.previous->timed_ranges == work.state.timed_ranges) {
    lists = work.previous->address_lists;
    return;
  }
  const model::Menu& menu = *model::find_menu(kPath);
  const int list = menu.index("list");
  const int disabled = menu.index("disabled");
  AddressList* last = nullptr;  // rows of a list mostly stand together
  std::string_view last_name;
  for (const model::RowPtr& row : work.tree.rows(menu)) {
    if (row->at(disabled) == "true") continue;
    if (last == nullptr || row->at(list) != last_name) {
      last_name = row->at(list);
      last = &lists[std::string(last_name)];
    }
    last->rows.push_back(row);
  }
  for (const TimedRange& one : work.state.timed_ranges) lists[one.list].timed.push_back(one);
  if (work.previous == nullptr) return;
  for (auto& [name, mine] : lists) {
    auto before = work.previous->address_lists.find(name);
    if (before != work.previous->address_lists.end() && before->second.rows == mine.rows &&
        before->second.timed == mine.timed) {
      mine.set = before->second.set;
    }
  }
}

std::shared_ptr<const AddressSet> address_set(Work& work, std::string_view name) {
  auto it = work.state.address_lists.find(std::string(name));
  if (it == work.state.address_lists.end()) {
    static const auto kEmpty = std::make_shared<const AddressSet>();
    return kEmpty;
  }
  AddressList& list = it->second;
  if (list.set != nullptr) return list.set;
  const model::Menu& menu = *model::find_menu("/ip/firewall/address-list");
  const int address = menu.index("address");
  AddressSet ranges;
  ranges.reserve(list.rows.size());
  for (const model::RowPtr& row : list.rows) {
    if (const auto range = model::parse_ip4_set(row->at(address))) {
      ranges.push_back({range->first, range->last});
    } else if (!model::is_listed_name(row->at(address))) {  // names: ListedNames sees to them
      work.errors.push_back(
          model::View(menu, *row)
              .error("address", "not an address, a prefix or a range a-b; write one of these"));
    }
  }
  for (const TimedRange& one : list.timed) ranges.push_back({one.first, one.last});
  std::sort(ranges.begin(), ranges.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.first < b.first; });
  auto merged = std::make_shared<AddressSet>();
  for (const AddressRange& range : ranges) {
    const bool touches = !merged->empty() && (range.first <= merged->back().last ||
                                              range.first == merged->back().last + 1);
    if (touches) {
      merged->back().last = std::max(merged->back().last, range.last);
    } else {
      merged->push_back(range);
    }
  }
  merged->shrink_to_fit();
  list.set = std::move(merged);
  return list.set;
}

}  // namespace maclane::compile
