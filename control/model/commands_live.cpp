// Commands on rows that exist only as state and that callers may make and change all the same:
// Model::LiveRows. See commands.h.
#include <algorithm>

#include "control/model/commands_parts.h"

namespace maclane::model {
namespace {

std::string_view value_of(const Fields& values, std::string_view property) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& one) { return one.first == property; });
  return found == values.end() ? std::string_view{} : std::string_view{found->second};
}

/// The values of a row that is to become state, with those it is given.
Fields with(const Menu& menu, const Row& row, const Fields& given) {
  Fields values;
  for (size_t i = 0; i < menu.properties.size(); ++i) {
    const std::string_view name = menu.properties[i].name;
    const bool replaced =
        std::any_of(given.begin(), given.end(), [&](const auto& one) { return one.first == name; });
    if (!replaced && !row.values[i].empty()) values.emplace_back(name, row.values[i]);
  }
  values.insert(values.end(), given.begin(), given.end());
  return values;
}

/// Whether values make a row of such state: they have the property that says so, with a value that
/// means something. A wrong one does too, so that what is wrong with it is said there.
bool makes_live(const Menu& menu, const Model::LiveRows& live, const Fields& values) {
  const Property* property = menu.find(live.property);
  const auto canonical = normalize(*property, value_of(values, live.property));
  return !canonical || !canonical->empty();
}

/// Whether an edit leaves a stored row, new or with another key, that no such state stands for
/// already. row: what it changes, or nullptr.
Status may_store(const Job& job, const Model::LiveRows& live, RowPtr row, const Edit& one) {
  if (one.kind != Edit::Kind::kAdd) {
    const auto key = key_of(job.menu);
    const bool other = std::any_of(one.values.begin(), one.values.end(), [&](const auto& given) {
      const int index = job.menu.index(given.first);
      return std::any_of(key.begin(), key.end(),
                         [&](const KeyPart& part) { return part.index == index; });
    });
    if (!other) return {};
  } else if (!one.copy_from.empty()) {
    row = job.model.tree().find(job.menu, one.copy_from);
  }
  return live.may_store(row != nullptr ? with(job.menu, *row, one.values) : one.values);
}

/// Carries out what concerns such rows, and leaves of the edits what is to be done with stored
/// ones.
Answer<std::vector<std::string>> edit_live(Job& job, const Model::LiveRows& live,
                                           std::vector<Edit>& edits) {
  std::vector<std::string> made;
  std::vector<Edit> stored;
  for (Edit& one : edits) {
    const RowPtr row = one.target.empty() ? nullptr : job.model.tree().find(job.menu, one.target);
    const bool to_live = makes_live(job.menu, live, one.values);
    const bool adds = one.kind == Edit::Kind::kAdd && to_live;
    const bool sets = one.kind == Edit::Kind::kSet && row == nullptr;
    const bool turns = one.kind == Edit::Kind::kSet && row != nullptr && to_live;
    if (!adds && !sets && !turns) {
      if (Status status = may_store(job, live, row, one); !status)
        return refuse(std::move(status.error()));
      stored.push_back(std::move(one));
      continue;
    }
    if (sets) {
      if (Status status = live.set(one.target, one.values); !status)
        return refuse(std::move(status.error()));
      continue;
    }
    RowPtr from = row;
    if (adds && !one.copy_from.empty()) from = job.model.tree().find(job.menu, one.copy_from);
    auto id =
        live.add(from != nullptr ? with(job.menu, *from, one.values) : one.values, one.target);
    if (!id) return refuse(std::move(id.error()));
    if (adds) made.push_back(std::move(*id));
    if (turns) {
      one.kind = Edit::Kind::kRemove;
      one.values.clear();
      stored.push_back(std::move(one));
    }
  }
  edits = std::move(stored);
  return made;
}

Answer<std::vector<std::string>> apply_stored(Job& job, const std::vector<Edit>& edits) {
  auto ids = job.model.apply(edits, job.caller);
  if (!ids) return refuse(std::move(ids.error()));
  return std::move(*ids);
}

}  // namespace

Answer<std::vector<std::string>> apply_edits(Job& job, std::vector<Edit> edits) {
  const Model::LiveRows* live = job.model.live_rows(job.menu);
  if (live == nullptr) return apply_stored(job, edits);
  live->begin();
  auto made = edit_live(job, *live, edits);
  if (made && !edits.empty()) {
    auto ids = apply_stored(job, edits);
    if (ids)
      made->insert(made->end(), ids->begin(), ids->end());
    else
      made = std::move(ids);
  }
  live->end(made.has_value());
  return made;
}

}  // namespace maclane::model
