// Which interface has which index and which rule which counter slot. Control thread.
#include "control/compile/names.h"

#include <algorithm>
#include <unordered_set>

namespace maclane::compile {

std::optional<uint32_t> NumberPool::take() {
  if (next_ < limit_) return next_++;
  if (free_.empty()) return std::nullopt;
  const uint32_t number = free_.front();
  free_.pop_front();
  return number;
}

Names::Names() : names_(1) {}

IfIndex Names::index_of(std::string_view name) const {
  auto it = indexes_.find(name);
  return it == indexes_.end() ? kNoIf : it->second;
}

std::string_view Names::name_of(IfIndex index) const {
  return index < names_.size() ? std::string_view(names_[index]) : std::string_view{};
}

std::optional<uint32_t> Names::slot_of(std::string_view path, uint32_t row) const {
  auto menu = slots_.find(path);
  if (menu == slots_.end()) return std::nullopt;
  const auto it =
      std::lower_bound(menu->second.begin(), menu->second.end(), row,
                       [](const Slot& one, uint32_t wanted) { return one.row < wanted; });
  if (it == menu->second.end() || it->row != row) return std::nullopt;
  return it->slot;
}

RuleCounter Names::count(std::string_view path, uint32_t row,
                         std::span<const RuleCounter> raw) const {
  const auto slot = slot_of(path, row);
  if (!slot || *slot >= raw.size()) return {};
  RuleCounter count = raw[*slot];
  if (*slot < baselines_.size()) {
    count.packets -= baselines_[*slot].packets;
    count.bytes -= baselines_[*slot].bytes;
  }
  return count;
}

void Names::set_baseline(uint32_t slot, const RuleCounter& raw) {
  if (slot >= baselines_.size()) baselines_.resize(slot + 1);
  baselines_[slot] = raw;
}

void Names::reset(std::string_view path, uint32_t row, std::span<const RuleCounter> raw) {
  const auto slot = slot_of(path, row);
  if (slot && *slot < raw.size()) set_baseline(*slot, raw[*slot]);
}

void Names::start_reused(std::span<const RuleCounter> raw) {
  for (uint32_t slot : reused_) {
    if (slot < raw.size()) set_baseline(slot, raw[slot]);
  }
  reused_.clear();
}

std::string_view Names::mark_name(uint32_t mark) const {
  return mark == 0 || mark >= marks_.size() ? std::string_view() : marks_[mark];
}

std::string_view Names::list_name(uint16_t list) const {
  return list < lists_.size() ? lists_[list] : std::string_view();
}

uint32_t Names::mark(std::string_view name) {
  if (name == "no-mark") return 0;
  const auto [it, fresh] =
      mark_numbers_.try_emplace(std::string(name), static_cast<uint32_t>(marks_.size()));
  if (fresh) marks_.emplace_back(name);
  return it->second;
}

uint16_t Names::list_number(std::string_view name) const {
  const auto it = list_numbers_.find(std::string(name));
  return it == list_numbers_.end() ? uint16_t{0} : static_cast<uint16_t>(it->second);
}

uint16_t Names::list(std::string_view name) {
  const auto known = list_numbers_.find(std::string(name));
  if (known != list_numbers_.end()) return static_cast<uint16_t>(known->second);
  if (lists_.size() > 0xffff) return 0;
  list_numbers_.emplace(name, static_cast<uint32_t>(lists_.size()));
  lists_.emplace_back(name);
  return static_cast<uint16_t>(lists_.size() - 1);
}

void Names::forget_changes() {
  added_.clear();
  removed_.clear();
}

void Names::rename(const std::map<std::string, std::string, std::less<>>& names) {
  std::vector<std::pair<std::string_view, IfIndex>> moved;
  for (const auto& [from, to] : names) {
    const auto found = indexes_.find(from);
    if (found == indexes_.end()) continue;
    moved.emplace_back(to, found->second);
    indexes_.erase(found);
  }
  for (const auto& [to, index] : moved) {
    const auto [found, free] = indexes_.try_emplace(std::string(to), index);
    if (!free) {  // whose name it was is gone with this change
      removed_.push_back(found->second);
      names_[found->second].clear();
      found->second = index;
    }
    names_[index] = to;
  }
}

bool Names::set_interfaces(std::span<const std::string_view> names) {
  const std::unordered_set<std::string_view> wanted(names.begin(), names.end());
  if (wanted.size() >= kMaxInterfaces) return false;
  for (size_t i = 1; i < names_.size(); ++i) {
    if (names_[i].empty() || wanted.contains(names_[i])) continue;
    removed_.push_back(static_cast<IfIndex>(i));
    indexes_.erase(names_[i]);
    names_[i].clear();
  }
  size_t given_back = 0;  // of removed_: only when there is no other number left
  for (std::string_view name : names) {
    auto [it, fresh] = indexes_.try_emplace(std::string(name), kNoIf);
    if (!fresh) continue;
    auto number = index_pool_.take();
    if (!number) number = removed_[given_back++];
    it->second = static_cast<IfIndex>(*number);
    if (it->second >= names_.size()) names_.resize(it->second + size_t{1});
    names_[it->second] = name;
    added_.push_back(it->second);
  }
  for (size_t i = given_back; i < removed_.size(); ++i) index_pool_.give_back(removed_[i]);
  return true;
}

bool Names::set_rules(std::string_view path, std::span<const uint32_t> rows) {
  auto& slots = slots_.try_emplace(std::string(path)).first->second;
  const std::vector<Slot> before = std::exchange(slots, {});
  std::vector<uint32_t> wanted(rows.begin(), rows.end());
  if (!std::is_sorted(wanted.begin(), wanted.end())) std::sort(wanted.begin(), wanted.end());
  slots.reserve(wanted.size());
  std::vector<uint32_t> gone;
  auto old = before.begin();
  for (const uint32_t row : wanted) {
    for (; old != before.end() && old->row < row; ++old) gone.push_back(old->slot);
    const bool known = old != before.end() && old->row == row;
    slots.push_back(known ? *old++ : Slot{row, 0});
  }
  for (; old != before.end(); ++old) gone.push_back(old->slot);
  for (Slot& one : slots) {
    if (one.slot != 0) continue;  // no slot is 0
    const bool second_hand = slot_pool_.exhausted();
    auto slot = slot_pool_.take();
    if (!slot && !gone.empty()) {
      slot = gone.back();
      gone.pop_back();
    }
    if (!slot) return false;
    one.slot = *slot;
    if (second_hand) reused_.push_back(*slot);
  }
  for (uint32_t slot : gone) slot_pool_.give_back(slot);
  return true;
}

}  // namespace maclane::compile
