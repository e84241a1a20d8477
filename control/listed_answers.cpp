#include "control/listed_answers.h"

#include <algorithm>

#include "control/model/commands.h"

namespace maclane {
namespace {

constexpr uint64_t kShortestMs = 5'000;  // whatever a name server says
constexpr uint64_t kUnknownMs = 60'000;  // until it is known how long it counts
constexpr uint64_t kAskedMs = 30'000;    // a question is under way for so long at most
constexpr uint64_t kNearMs = 2'000;      // caches count in seconds: theirs may end so much sooner
constexpr unsigned kTries = 3;

}  // namespace

void ListedAnswers::configure(const model::Tree& tree) {
  const model::Menu& menu = *model::find_menu("/ip/dns/static");
  extra_ms_ =
      static_cast<uint64_t>(tree.settings("/ip/dns").get_time_ms("address-list-extra-time"));
  const model::Rows& rows = tree.rows(menu);
  if (rows == rows_) return;
  rows_ = rows;
  expressions_.clear();
  whole_.clear();
  below_.clear();
  lists_.clear();
  known_.clear();
  for (const model::RowPtr& one : rows) {
    const model::View row(menu, *one);
    if (row.disabled()) continue;
    const std::string list(row.get("address-list"));
    if (!list.empty()) lists_.insert(list);
    const Lists lists = list.empty() ? Lists{} : Lists{list};
    if (row.is_set("regexp")) {
      expressions_.emplace_back(model::NameExpression(row.raw("regexp")), lists);
      continue;
    }
    Lists& all =
        (row.get_bool("match-subdomain") ? below_ : whole_)[model::plain_name(row.raw("name"))];
    all.insert(all.end(), lists.begin(), lists.end());
  }
  for (const std::string& one : lists_) listed_.expect(one);
}

/// Of the row that answers for a name; nullptr: none does.
const ListedAnswers::Lists* ListedAnswers::lists_of(const std::string& name) const {
  for (const auto& [expression, lists] : expressions_)
    if (expression.matches(name)) return &lists;
  if (const auto found = whole_.find(name); found != whole_.end()) return &found->second;
  for (std::string_view rest = name; !below_.empty();) {
    if (const auto found = below_.find(rest); found != below_.end()) return &found->second;
    const size_t dot = rest.find('.');
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return nullptr;
}

void ListedAnswers::put(const std::string& list, uint32_t address, const std::string& name,
                        uint64_t for_ms) {
  const uint64_t now_ms = model::steady_ms();
  if (placed_.size() >= kMostNames)
    std::erase_if(placed_, [&](const auto& one) { return one.second.until_ms <= now_ms; });
  Placed& known = placed_[{list, address}];
  if (known.until_ms >= now_ms + for_ms && listed_.has(list, address, known.name)) return;
  if (!known.name.empty() && known.name != name) listed_.unlearn(list, address, known.name);
  listed_.learn(list, address, name, for_ms);
  known = {name, now_ms + for_ms};
}

void ListedAnswers::hear(const HeardAnswer& answer) {
  const Lists* const lists = lists_of(answer.name);
  if (lists == nullptr || lists->empty()) return;
  const uint64_t now_ms = model::steady_ms();
  const auto known = known_.find(answer.name);
  const bool is_known = known != known_.end() && known->second.until_ms > now_ms;
  // Answers are heard after ours, too: the question that we asked is one of them.
  const bool counts =
      is_known && known->second.counted && known->second.until_ms > now_ms + kNearMs;
  const uint64_t for_ms = counts ? known->second.until_ms - now_ms : kUnknownMs;
  for (const std::string& list : *lists) put(list, answer.address, answer.name, for_ms + extra_ms_);
  const bool under_way = is_known && !known->second.counted;
  if (asked_ >= kMostAsked || counts || under_way) return;
  ask(answer.name, kTries);
}

void ListedAnswers::ask(const std::string& name, unsigned tries) {
  if (known_.size() >= kMostNames) known_.clear();
  known_[name] = {model::steady_ms() + kAskedMs, false};
  ++asked_;
  ask_(name, [this, name, tries](const Resolver::Answer& found) { counts(name, found, tries); });
}

void ListedAnswers::counts(const std::string& name, const Resolver::Answer& answer,
                           unsigned tries) {
  --asked_;
  const Lists* const lists = lists_of(name);
  if (lists == nullptr) return;
  if (!answer.answered) {
    if (tries > 1) ask(name, tries - 1);
    return;
  }
  const uint64_t lives_ms = std::max(answer.ttl_s * uint64_t{1000}, kShortestMs);
  known_[name] = {model::steady_ms() + lives_ms, true};
  for (const std::string& list : *lists) {
    for (const be32 one : answer.addresses) {
      // It is known now how long: what was put there before may be too long.
      const auto placed = placed_.find({list, one.host()});
      if (placed != placed_.end() && placed->second.name == name) placed->second.until_ms = 0;
      put(list, one.host(), name, lives_ms + extra_ms_);
    }
  }
}

}  // namespace maclane
