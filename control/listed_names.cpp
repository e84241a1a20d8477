#include "control/listed_names.h"

#include <algorithm>

#include "control/model/value_firewall.h"
#include "control/observe/log.h"

namespace maclane {
namespace {

constexpr uint64_t kShortestMs = 5'000;  // whatever a name server says
constexpr uint64_t kLongestMs = 86'400'000;
constexpr uint64_t kRetryMs = 30'000;
constexpr uint64_t kOverlapMs = 10'000;  // an address is there until the next answer
constexpr size_t kMostAsked = 32;        // at a time: each question has a socket

}  // namespace

void ListedNames::configure(const model::Tree& tree) {
  const model::Menu& menu = *model::find_menu("/ip/firewall/address-list");
  const model::Rows& rows = tree.rows(menu);
  if (rows == rows_) return;
  const int list = menu.index("list");
  const int address = menu.index("address");
  const int disabled = menu.index("disabled");
  // A change among addresses, of which there may be many, says nothing of names.
  const model::RowsDiff diff = compare(rows_, rows);
  rows_ = rows;
  const auto is_name = [&](const model::RowPtr& row) {
    return model::is_listed_name(row->at(address));
  };
  const auto of_name = [&](const model::RowsDiff::Changed& one) {
    return is_name(one.before) || is_name(one.after);
  };
  if (std::ranges::none_of(diff.added, is_name) && std::ranges::none_of(diff.removed, is_name) &&
      std::ranges::none_of(diff.changed, of_name))
    return;
  std::map<std::string, std::set<std::string>> wanted;
  for (const model::RowPtr& row : rows) {
    const std::string_view text = row->at(address);
    if (model::is_listed_name(text) && row->at(disabled) != "true")
      wanted[std::string(text)].emplace(row->at(list));
  }
  for (auto it = names_.begin(); it != names_.end();) {
    const auto still = wanted.find(it->first);
    std::set<std::string> gone;
    for (const std::string& one : it->second.lists) {
      if (still == wanted.end() || !still->second.contains(one)) gone.insert(one);
    }
    forget(it->first, it->second, gone);
    it = still == wanted.end() ? names_.erase(it) : std::next(it);
  }
  for (auto& [name, lists] : wanted) {
    Name& known = names_[name];
    if (lists != known.lists) known.ask_ms = 0;
    known.lists = std::move(lists);
  }
  due_ms_ = 0;
}

void ListedNames::forget(const std::string& name, const Name& known,
                         const std::set<std::string>& lists) {
  for (const std::string& list : lists) {
    for (const uint32_t address : known.addresses) listed_.unlearn(list, address, name);
  }
}

void ListedNames::tick(uint64_t now_ms) {
  now_ms_ = now_ms;
  if (now_ms < due_ms_ || asked_ >= kMostAsked) return;
  due_ms_ = UINT64_MAX;
  for (auto& [name, known] : names_) {
    if (known.asked) continue;
    if (now_ms < known.ask_ms || asked_ >= kMostAsked) {
      due_ms_ = std::min(due_ms_, known.ask_ms);
      continue;
    }
    known.asked = true;
    ++asked_;
    (void)resolver_.ask(
        name, {}, [this, name = name](const Resolver::Answer& answer) { answered(name, answer); });
  }
}

void ListedNames::answered(const std::string& name, const Resolver::Answer& answer) {
  --asked_;
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  Name& known = found->second;
  uint64_t lives_ms = kRetryMs;
  known.asked = false;
  // That a name has none is an answer; what was known stays while there is no answer.
  const bool failed = !answer.answered;
  if (failed) {
    if (!known.silent)
      log::write(log::Level::kWarning, "firewall,warning",
                 "the addresses of {}, which is in address list {}, cannot be found out: {}", name,
                 *known.lists.begin(), answer.problem);
  } else {
    std::set<uint32_t> now;
    for (const be32 one : answer.addresses) now.insert(one.host());
    lives_ms =
        now.empty() ? kRetryMs : std::clamp(answer.ttl_s * uint64_t{1000}, kShortestMs, kLongestMs);
    Name over = known;
    std::erase_if(over.addresses, [&](uint32_t one) { return now.contains(one); });
    forget(name, over, known.lists);
    known.addresses = std::move(now);
  }
  known.silent = failed;
  known.ask_ms = now_ms_ + lives_ms;
  due_ms_ = std::min(due_ms_, known.ask_ms);
  for (const std::string& list : known.lists) {
    for (const uint32_t address : known.addresses)
      listed_.learn(list, address, name, lives_ms + kOverlapMs);
  }
}

}  // namespace maclane
