#include "control/listed_addresses.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "control/model/commands.h"
#include "control/model/value.h"
#include "control/model/value_firewall.h"
#include "control/observe/log.h"

namespace maclane {
namespace {

using model::Edit;
using model::Fields;
using model::PrintRow;
using model::View;

constexpr uint64_t kKeepEvery_ms = 1000;
constexpr unsigned kEndedAtOnce = 1000;
constexpr uint32_t kTimedIds = 0x80000000;  // ids of stored rows are below, by far

uint64_t key_of(uint16_t list, uint32_t address) {
  return uint64_t{list} << 32 | address;
}

std::string timed_id(uint32_t id) {
  return fmt::format("*{:X}", kTimedIds + id);
}

/// The id of one that a rule made: apart from all others by its length.
std::string made_id(const DynamicLists::Entry& e) {
  return fmt::format("*8{:04X}{:08X}", e.list, e.address);
}

std::optional<uint64_t> number_of(std::string_view id) {
  if (!id.starts_with('*')) return std::nullopt;
  uint64_t number = 0;
  const char* end = id.data() + id.size();
  const auto [stop, code] = std::from_chars(id.data() + 1, end, number, 16);
  if (code != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::string time_text(std::chrono::system_clock::time_point when) {
  const std::time_t t = std::chrono::system_clock::to_time_t(when);
  std::tm local{};
  localtime_r(&t, &local);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

std::string left_text(uint64_t left_ms) {
  return model::format_time_ms(static_cast<int64_t>(left_ms / 1000 * 1000));
}

/// 0: until_ms is none.
uint64_t left_of(uint64_t until_ms) {
  if (until_ms == 0) return 0;
  const uint64_t now_ms = model::steady_ms();
  return until_ms > now_ms ? until_ms - now_ms : 1;
}

bool lasts(uint32_t expires_cs) {
  return expires_cs == DynamicLists::kForever || expires_cs == DynamicLists::kToKeep;
}

}  // namespace

const model::Menu& ListedAddresses::menu() {
  return *model::find_menu(kPath);
}

void ListedAddresses::serve() {
  model_.provide_rows(kPath, [this] { return rows(); });
  model_.provide_remove(kPath, [this](std::string_view id) { return remove(id); });
  model_.provide_live(
      kPath,
      {"timeout",
       [this](const Fields& values, std::string_view replaces) { return add(values, replaces); },
       [this](std::string_view id, const Fields& values) { return set(id, values); },
       [this](const Fields& values) { return may_store(values); }, [this] { begin(); },
       [this](bool keep) { end(keep); }});
}

void ListedAddresses::end(bool keep) {
  const auto undo = std::exchange(undo_, std::nullopt);
  if (keep || !undo) return;
  for (auto one = undo->rbegin(); one != undo->rend(); ++one) (*one)();
}

Result<std::string> ListedAddresses::add(const Fields& values, std::string_view replaces) {
  model::Tree tree = empty_;
  tree.start_ids(menu(), next_id_);
  auto ids = model::edit(tree, {{Edit::Kind::kAdd, std::string(kPath), {}, values, {}, {}}});
  if (!ids) return tl::make_unexpected(std::move(ids.error()));
  if (Status status = take(tree.rows(menu()).back(), replaces, true); !status)
    return tl::make_unexpected(std::move(status.error()));
  return timed_id(next_id_++);
}

Status ListedAddresses::set(std::string_view written, const Fields& values) {
  std::optional<uint64_t> number = number_of(written);
  if (const auto entry = entry_of(written)) {
    // One that a rule made becomes one of these, with the time it has left.
    const PrintRow row = shown(*entry, world_.now_cs());
    const std::string left(row.get("timeout"));
    auto made = add({{"list", std::string(row.get("list"))},
                     {"address", std::string(row.get("address"))},
                     {"timeout", left.empty() ? "0s" : left}},
                    written);
    if (!made) return tl::make_unexpected(std::move(made.error()));
    number = number_of(*made);
  }
  const auto found = find(number);
  if (found == timed_.end())
    return fail(fmt::format("no such item: there is no row \"{}\"", written));
  const bool new_time = std::any_of(values.begin(), values.end(),
                                    [](const auto& one) { return one.first == "timeout"; });
  model::Tree tree = empty_;
  tree.edit(menu()).push_back(found->second.row);
  const std::string id = model::row_id(found->first);
  auto done = model::edit(tree, {{Edit::Kind::kSet, std::string(kPath), id, values, {}, {}}});
  if (!done) return tl::make_unexpected(std::move(done.error()));
  return take(tree.rows(menu()).back(), {}, new_time);
}

std::map<uint32_t, ListedAddresses::Timed>::iterator ListedAddresses::find(
    std::optional<uint64_t> number) {
  if (!number || *number < kTimedIds || *number > 0xffffffff) return timed_.end();
  return timed_.find(static_cast<uint32_t>(*number - kTimedIds));
}

Status ListedAddresses::check(const View& row, std::string_view replaces) const {
  const auto wrong = [&](std::string_view property, std::string message, Trouble trouble) {
    Error error = row.error(property, std::move(message));
    error.trouble = trouble;
    return tl::make_unexpected(Errors{std::move(error)});
  };
  for (std::string_view property : {"list", "address"}) {
    if (!row.is_set(property))
      return wrong(property, fmt::format("missing ={}=", property), Trouble::kMissing);
  }
  if (!row.is_set("timeout"))
    return wrong("timeout",
                 "a row with a timeout is not part of the configuration and cannot become so; "
                 "remove it and add it without one",
                 Trouble::kGeneral);
  const Key key{row.raw("list"), row.raw("address")};
  const auto mine = by_key_.find(key);
  bool known = mine != by_key_.end() && mine->second != row.row().id;
  const model::Rows& stored = model_.tree().rows(menu());
  stored.with_key(stored.key_of(row.row()), [&](const model::RowPtr& other) {
    known = known || (stored.same_key(*other, row.row()) && model::row_id(other->id) != replaces);
  });
  const auto range = model::parse_ip4_set(key.second);
  const uint16_t list = world_.number(key.first);
  if (mine == by_key_.end() && list != 0 && range->first == range->last) {
    const DynamicLists::Entry entry = world_.lists->get(list, range->first, world_.now_cs());
    known = known || (entry.list != 0 && made_id(entry) != replaces);
  }
  if (!known) return {};
  return wrong("address",
               fmt::format("failure: already have such entry: {} is in {}", key.second, key.first),
               Trouble::kGeneral);
}

Status ListedAddresses::take(const model::RowPtr& row, std::string_view replaces, bool new_time) {
  const View view(menu(), *row);
  if (model::is_listed_name(view.raw("address")))
    return tl::make_unexpected(Errors{view.error(
        "timeout",
        "a row whose address is a DNS name stays until it is removed; leave timeout out")});
  if (Status status = check(view, replaces); !status) return status;
  const auto range = model::parse_ip4_set(view.raw("address"));
  Timed timed{row, std::string(view.raw("list")), range->first, range->last, 0, Clock::now(), 0};
  std::optional<Timed> known;
  if (const auto before = timed_.find(row->id); before != timed_.end()) {
    known = before->second;
    timed.created = known->created;
    timed.until_ms = known->until_ms;
    timed.name = known->name;
  }
  if (new_time) {
    const auto timeout_ms = static_cast<uint64_t>(view.get_time_ms("timeout"));
    timed.until_ms = timeout_ms == 0 ? 0 : model::steady_ms() + timeout_ms;
  }
  if (undo_) {
    if (const auto made = entry_of(replaces)) undo_->push_back([this, made] { restore(*made); });
    undo_->push_back([this, id = row->id, known] { put(id, known); });
  }
  put(row->id, std::move(timed));
  return {};
}

void ListedAddresses::put(uint32_t id, std::optional<Timed> next) {
  bool compiled = false;  // into the list's set
  if (const auto before = timed_.find(id); before != timed_.end()) {
    compiled = before->second.first != before->second.last;
    erase(before);
  }
  if (!next) {
    if (compiled) world_.republish();
    return;
  }
  const View view(menu(), *next->row);
  by_key_[Key{view.raw("list"), view.raw("address")}] = id;
  if (next->until_ms != 0) due_.emplace(next->until_ms, id);
  const bool single = next->first == next->last;
  compiled = compiled || !single || lists_.insert(next->list).second;
  Timed& kept = timed_[id] = std::move(*next);
  if (compiled) world_.republish();
  if (single) place(kept);
}

/// What a rule made is there again as it was.
void ListedAddresses::restore(const DynamicLists::Entry& entry) {
  const uint32_t now_cs = world_.now_cs();
  const uint32_t timeout_cs =
      lasts(entry.expires_cs) ? entry.expires_cs : entry.expires_cs - now_cs;
  (void)world_.lists->add(entry.list, entry.address, timeout_cs, now_cs);
}

/// Puts a single address where workers find it.
void ListedAddresses::place(Timed& timed) {
  timed.number = View(menu(), *timed.row).disabled() ? uint16_t{0} : world_.number(timed.list);
  if (timed.number == 0) return;
  const uint64_t left_ms = left_of(timed.until_ms);
  const uint32_t timeout_cs = left_ms == 0 ? DynamicLists::kForever
                                           : static_cast<uint32_t>(std::min<uint64_t>(
                                                 (left_ms + 9) / 10, DynamicLists::kLongest_cs));
  (void)world_.lists->remove(timed.number, timed.first);
  if (world_.lists->add(timed.number, timed.first, timeout_cs, world_.now_cs()) ==
      DynamicLists::Added::kFull) {
    log::write(log::Level::kWarning, "firewall,warning",
               "{} cannot be put into list {}: {} addresses that come and go are all there is room "
               "for",
               model::format_ip4(timed.first), timed.list, world_.lists->size());
    timed.number = 0;
    return;
  }
  placed_[key_of(timed.number, timed.first)] = timed.row->id;
}

/// Forgets a row.
void ListedAddresses::erase(std::map<uint32_t, Timed>::iterator at) {
  Timed& timed = at->second;
  if (timed.number != 0) {
    (void)world_.lists->remove(timed.number, timed.first);
    placed_.erase(key_of(timed.number, timed.first));
  }
  due_.erase({timed.until_ms, at->first});
  const View view(menu(), *timed.row);
  by_key_.erase(Key{view.raw("list"), view.raw("address")});
  timed_.erase(at);
}

void ListedAddresses::learn(const std::string& list, uint32_t address, std::string_view name,
                            uint64_t timeout_ms) {
  const std::string text = model::format_ip4(address);
  const std::string timeout = model::format_time_ms(static_cast<int64_t>(timeout_ms));
  const auto known = by_key_.find(Key{list, text});
  if (known == by_key_.end()) {
    const auto id = add(
        {{"list", list}, {"address", text}, {"comment", std::string(name)}, {"timeout", timeout}},
        {});
    if (!id) return;  // it is in the list already
    if (const auto added = find(number_of(*id)); added != timed_.end()) added->second.name = name;
  } else if (timed_.at(known->second).name == name) {
    (void)set(timed_id(known->second), {{"timeout", timeout}});
  }
}

void ListedAddresses::unlearn(const std::string& list, uint32_t address, std::string_view name) {
  const auto known = by_key_.find(Key{list, model::format_ip4(address)});
  if (known != by_key_.end() && timed_.at(known->second).name == name)
    put(known->second, std::nullopt);
}

Status ListedAddresses::remove(std::string_view written) {
  if (const auto entry = entry_of(written)) {
    (void)world_.lists->remove(entry->list, entry->address);
    return {};
  }
  const auto found = find(number_of(written));
  if (found == timed_.end())
    return fail(fmt::format("no such item: there is no row \"{}\"", written));
  put(found->first, std::nullopt);
  return {};
}

/// What a rule made and this id names.
std::optional<DynamicLists::Entry> ListedAddresses::entry_of(std::string_view id) const {
  const auto number = number_of(id);
  if (!number || *number >> 48 != 8) return std::nullopt;
  const auto list = static_cast<uint16_t>(*number >> 32);
  const auto address = static_cast<uint32_t>(*number);
  DynamicLists::Entry entry = world_.lists->get(list, address, world_.now_cs());
  if (entry.list == 0) return std::nullopt;
  return entry;
}

PrintRow ListedAddresses::shown(const DynamicLists::Entry& entry, uint32_t now_cs) const {
  PrintRow row;
  row.id = made_id(entry);
  row.dynamic = true;
  row.fields = {{"list", std::string(world_.name(entry.list))},
                {"address", model::format_ip4(entry.address)}};
  if (!lasts(entry.expires_cs))
    row.fields.emplace_back("timeout", left_text(uint64_t{entry.expires_cs - now_cs} * 10));
  row.fields.emplace_back("disabled", "false");
  row.fields.emplace_back("dynamic", "true");
  const auto age = std::chrono::milliseconds(uint64_t{now_cs - entry.created_cs} * 10);
  row.fields.emplace_back("creation-time", time_text(Clock::now() - age));
  return row;
}

PrintRow ListedAddresses::shown(const Timed& timed) const {
  const View view(menu(), *timed.row);
  PrintRow row;
  row.id = timed_id(timed.row->id);
  row.dynamic = true;
  row.fields = {{"list", timed.list}, {"address", std::string(view.raw("address"))}};
  uint64_t left_ms = left_of(timed.until_ms);
  if (timed.number != 0) {  // a rule may have given it more
    const uint32_t now_cs = world_.now_cs();
    const DynamicLists::Entry entry = world_.lists->get(timed.number, timed.first, now_cs);
    if (entry.list != 0)
      left_ms = lasts(entry.expires_cs) ? 0 : uint64_t{entry.expires_cs - now_cs} * 10;
  }
  if (left_ms != 0) row.fields.emplace_back("timeout", left_text(left_ms));
  row.fields.emplace_back("disabled", std::string(view.get("disabled")));
  if (view.is_set("comment")) row.fields.emplace_back("comment", std::string(view.raw("comment")));
  row.fields.emplace_back("dynamic", "true");
  row.fields.emplace_back("creation-time", time_text(timed.created));
  return row;
}

std::vector<PrintRow> ListedAddresses::rows() const {
  std::vector<PrintRow> rows;
  rows.reserve(timed_.size());
  for (const auto& [id, timed] : timed_) rows.push_back(shown(timed));
  const uint32_t now_cs = world_.now_cs();
  world_.lists->for_each([&](const DynamicLists::Entry& entry) {
    const bool over =
        !lasts(entry.expires_cs) && static_cast<int32_t>(entry.expires_cs - now_cs) <= 0;
    if (over || world_.name(entry.list).empty() ||
        placed_.contains(key_of(entry.list, entry.address))) {
      return;
    }
    rows.push_back(shown(entry, now_cs));
  });
  return rows;
}

void ListedAddresses::tick(uint64_t now_ms) {
  bool ranges = false;
  // Bounded, so that many that end at once do not keep the doors waiting.
  for (unsigned n = 0; n < kEndedAtOnce && !due_.empty() && due_.begin()->first <= now_ms; ++n) {
    const auto at = timed_.find(due_.begin()->second);
    Timed& timed = at->second;
    if (const uint64_t more_ms = given_since(timed); more_ms > 20) {
      due_.erase(due_.begin());
      timed.until_ms = now_ms + more_ms;
      due_.emplace(timed.until_ms, at->first);
      continue;
    }
    ranges = ranges || timed.first != timed.last;
    erase(at);
  }
  if (ranges) world_.republish();
  if (now_ms >= next_keep_ms_ && world_.lists->to_keep() != kept_ && !model_.in_batch()) {
    next_keep_ms_ = now_ms + kKeepEvery_ms;
    keep();
  }
}

/// The time that rules gave an address whose own is over.
uint64_t ListedAddresses::given_since(const Timed& timed) const {
  if (timed.number == 0) return 0;
  const uint32_t now_cs = world_.now_cs();
  const DynamicLists::Entry entry = world_.lists->get(timed.number, timed.first, now_cs);
  if (entry.list == 0) return 0;
  return lasts(entry.expires_cs) ? uint64_t{DynamicLists::kLongest_cs} * 10
                                 : uint64_t{entry.expires_cs - now_cs} * 10;
}

void ListedAddresses::add_learned(Learned& learned) const {
  learned.timed_lists = lists_;
  for (const auto& [id, timed] : timed_) {
    if (timed.first == timed.last) continue;
    if (View(menu(), *timed.row).disabled()) continue;
    learned.timed_ranges.push_back({timed.list, timed.first, timed.last});
  }
}

}  // namespace maclane
