// Addresses that come and go beside those of the configuration: none is in a list twice, and what
// rules added as none-static is moved there (B-13). See listed_addresses.h.
#include <fmt/format.h>

#include <iterator>
#include <unordered_set>

#include "control/listed_addresses.h"
#include "control/model/value.h"
#include "control/observe/log.h"

namespace maclane {
namespace {

constexpr size_t kKeptAtOnce = 2000;

}  // namespace

void ListedAddresses::expect(const std::string& list) {
  if (lists_.insert(list).second) world_.republish();
}

bool ListedAddresses::has(const std::string& list, uint32_t address, std::string_view name) const {
  const auto known = by_key_.find(Key{list, model::format_ip4(address)});
  return known != by_key_.end() && timed_.at(known->second).name == name;
}

Status ListedAddresses::may_store(const model::Fields& values) const {
  if (by_key_.empty() && world_.lists->size() == 0) return {};
  model::Tree tree = empty_;
  // What is wrong with the values is said where they are stored.
  if (!model::edit(tree, {{model::Edit::Kind::kAdd, std::string(kPath), {}, values, {}, {}}}))
    return {};
  const model::View row(menu(), *tree.rows(menu()).back());
  const auto range = model::parse_ip4_set(row.raw("address"));
  if (!range) return {};  // a name: its addresses are there beside it
  bool known = by_key_.contains(Key{row.raw("list"), row.raw("address")});
  const uint16_t list = world_.number(row.raw("list"));
  if (!known && list != 0 && range->first == range->last)
    known = world_.lists->get(list, range->first, world_.now_cs()).list != 0;
  if (!known) return {};
  return tl::make_unexpected(Errors{
      row.error("address", fmt::format("failure: already have such entry: {} is in {} (dynamic)",
                                       row.raw("address"), row.raw("list")))});
}

/// The rows that entries are to become, but for those that are there already.
std::vector<model::Edit> ListedAddresses::rows_to_keep(
    const std::vector<DynamicLists::Entry>& entries) const {
  const auto list = static_cast<size_t>(menu().index("list"));
  const auto address = static_cast<size_t>(menu().index("address"));
  const model::Rows& stored = model_.tree().rows(menu());
  std::unordered_multimap<uint64_t, model::Row> fresh;
  std::unordered_set<uint64_t> hashes;
  for (const DynamicLists::Entry& entry : entries) {
    model::Row row;
    row.values.resize(menu().properties.size());
    row.values[list] = world_.name(entry.list);
    row.values[address] = model::format_ip4(entry.address);
    if (row.values[list].empty()) continue;
    const uint64_t hash = stored.key_of(row);
    hashes.insert(hash);
    fresh.emplace(hash, std::move(row));
  }
  stored.with_keys(hashes, [&](const model::RowPtr& known) {
    const auto [begin, end] = fresh.equal_range(stored.key_of(*known));
    for (auto it = begin; it != end;)
      it = stored.same_key(*known, it->second) ? fresh.erase(it) : std::next(it);
  });
  std::vector<model::Edit> edits;
  edits.reserve(fresh.size());
  for (const auto& [hash, row] : fresh) {
    edits.push_back({model::Edit::Kind::kAdd,
                     std::string(kPath),
                     {},
                     {{"list", row.values[list]}, {"address", row.values[address]}},
                     {},
                     {}});
  }
  return edits;
}

/// Makes rows of the configuration of what rules said is to be kept.
void ListedAddresses::keep() {
  const uint32_t seen = world_.lists->to_keep();
  std::vector<DynamicLists::Entry> entries;
  world_.lists->for_each([&](const DynamicLists::Entry& entry) {
    if (entry.expires_cs == DynamicLists::kToKeep && entries.size() <= kKeptAtOnce)
      entries.push_back(entry);
  });
  const bool all = entries.size() <= kKeptAtOnce;
  if (all) kept_ = seen;
  const model::Rows& stored = model_.tree().rows(menu());
  if (stored.size() + entries.size() > kMostKept) {
    kept_ = seen;
    if (!full_told_)
      log::write(log::Level::kWarning, "firewall,warning",
                 "address lists have {} rows: what rules add as none-static stays until the router "
                 "restarts, and is not kept any longer than that",
                 stored.size());
    full_told_ = true;
    return;
  }
  std::vector<model::Edit> edits = rows_to_keep(entries);
  if (!edits.empty()) {
    const auto done = model_.apply(edits, model::Caller::router(), model::Model::Record::kNo);
    if (!done) {
      log::write(log::Level::kError, "firewall,error",
                 "addresses that rules added cannot be kept: {}", done.error().front().text());
      return;
    }
  }
  for (const DynamicLists::Entry& entry : entries)
    (void)world_.lists->remove(entry.list, entry.address);
}

}  // namespace maclane
