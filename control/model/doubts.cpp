#include "control/model/doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_set>

#include "control/model/chains.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr std::string_view kNat = "/ip/firewall/nat";
constexpr std::string_view kRuleMenus[] = {"/ip/firewall/raw", "/ip/firewall/mangle",
                                           "/ip/firewall/filter", kNat};

uint64_t count_of(const Ip4Range& range) {
  return uint64_t{range.last} - range.first + 1;
}

void look_at_netmap(const View& row, Errors& out) {
  if (row.disabled() || row.get("action") != "netmap") return;
  const std::string_view chain = row.raw("chain");
  const bool source = chain == "srcnat" || chain == "input";
  if (!source && chain != "dstnat" && chain != "output") return;  // which it maps is not said here
  const std::string_view property = source ? "src-address" : "dst-address";
  const Negatable mapped = split_negation(row.raw(property));
  const auto from = parse_ip4_set(mapped.value);
  const auto to = parse_ip4_set(row.raw("to-addresses"));
  if (mapped.negated || !from || !to || count_of(*from) <= count_of(*to)) return;
  out.push_back(row.error(
      "to-addresses",
      fmt::format("netmap maps the {} addresses of {}={} onto {}, so that several share each; give "
                  "both prefixes the same length",
                  count_of(*from), property, mapped.value, count_of(*to))));
}

/// A matcher that asks for an interface, and where that is known.
struct Matcher {
  std::string_view property, side;
  bool (*known)(std::string_view builtin);
};
constexpr std::array<Matcher, 4> kMatchers = {{{"in-interface", "incoming", knows_in},
                                               {"in-interface-list", "incoming", knows_in},
                                               {"out-interface", "outgoing", knows_out},
                                               {"out-interface-list", "outgoing", knows_out}}};

std::string words_of(const std::vector<std::string_view>& chains, std::string_view between) {
  return fmt::format("{}", fmt::join(chains, between));
}

/// The built-in chains from which each chain of a menu is reached.
class Roots {
 public:
  Roots(const Tree& tree, std::string_view path) {
    const Jumps jumps(tree, path);
    for (std::string_view builtin : builtin_chains(path))
      for (std::string_view chain : jumps.reached(builtin)) roots_[chain].push_back(builtin);
  }
  [[nodiscard]] const std::vector<std::string_view>& of(std::string_view chain) const {
    static const std::vector<std::string_view> kNone;
    const auto found = roots_.find(chain);
    return found == roots_.end() ? kNone : found->second;
  }
  /// Whether there are ways to a chain, and what a matcher asks for is known on none of them.
  [[nodiscard]] bool in_vain(std::string_view chain, const Matcher& matcher) const {
    const auto& roots = of(chain);
    return !roots.empty() && std::none_of(roots.begin(), roots.end(), matcher.known);
  }

 private:
  std::map<std::string_view, std::vector<std::string_view>> roots_;
};

/// The rules of one menu that ask for an interface where no packet has one: of a chain's, those
/// that ask for the same are told of together.
class WrongSides {
 public:
  WrongSides(const Tree& tree, std::string_view path)
      : menu_(*find_menu(path)),
        rows_(tree.rows(menu_)),
        chain_(menu_.index("chain")),
        disabled_(menu_.index("disabled")) {
    for (size_t i = 0; i < kMatchers.size(); ++i) columns_[i] = menu_.index(kMatchers[i].property);
  }

  void look(const Tree& tree, const Tree* before, Errors& out) {
    if (before == nullptr) {
      const Roots now(tree, menu_.path);
      for (const RowPtr& row : rows_) look_at(*row, now, nullptr);
      return say(now, out);
    }
    const Rows& known = before->rows(menu_);
    if (rows_ == known) return;
    const RowsDiff changes = compare(known, rows_);
    std::unordered_set<const Row*> news;
    bool asked = false;
    const auto add = [&](const RowPtr& row) {
      news.insert(row.get());
      asked = asked || asks(*row);
    };
    for (const RowPtr& row : changes.added) add(row);
    for (const RowsDiff::Changed& row : changes.changed) add(row.after);
    const bool ways_changed = has_jump(changes);
    if (!asked && !ways_changed) return;
    const Roots now(tree, menu_.path);
    std::optional<Roots> then;
    if (ways_changed) then.emplace(*before, menu_.path);
    for (const RowPtr& row : rows_) {
      if (news.contains(row.get()))
        look_at(*row, now, nullptr);
      else if (then)
        look_at(*row, now, &*then);
    }
    say(now, out);
  }

 private:
  struct Group {
    const Row* first = nullptr;
    size_t rules = 0;
  };
  using Key = std::tuple<std::string_view, size_t, bool>;  // chain, matcher, negated

  [[nodiscard]] bool has_jump(const RowsDiff& changes) const {
    const auto jumps = [&](const RowPtr& row) { return View(menu_, *row).get("action") == "jump"; };
    return std::any_of(changes.added.begin(), changes.added.end(), jumps) ||
           std::any_of(changes.removed.begin(), changes.removed.end(), jumps) ||
           std::any_of(
               changes.changed.begin(), changes.changed.end(),
               [&](const RowsDiff::Changed& row) { return jumps(row.before) || jumps(row.after); });
  }
  /// Built-in chains are validation's.
  [[nodiscard]] bool asks(const Row& row) const {
    return std::any_of(columns_.begin(), columns_.end(),
                       [&](int column) { return !row.at(column).empty(); }) &&
           row.at(disabled_) != "true" && !is_builtin_chain(menu_.path, row.at(chain_));
  }
  /// before: those that asked in vain then were told of.
  void look_at(const Row& row, const Roots& now, const Roots* before) {
    if (!asks(row)) return;
    const std::string_view chain = row.at(chain_);
    for (size_t i = 0; i < kMatchers.size(); ++i) {
      const std::string_view value = row.at(columns_[i]);
      if (value.empty() || !now.in_vain(chain, kMatchers[i])) continue;
      if (before != nullptr && before->in_vain(chain, kMatchers[i])) continue;
      Group& group = groups_[{chain, i, split_negation(value).negated}];
      if (group.rules++ == 0) group.first = &row;
    }
  }
  void say(const Roots& now, Errors& out) const {
    for (const auto& [key, group] : groups_) {
      const std::string_view chain = std::get<0>(key);
      const Matcher& matcher = kMatchers[std::get<1>(key)];
      std::vector<std::string_view> right;
      for (std::string_view builtin : builtin_chains(menu_.path))
        if (matcher.known(builtin)) right.push_back(builtin);
      const View row(menu_, *group.first);
      std::string text = fmt::format(
          "{}={} {} matches: chain {} is reached only from {}, where no {} interface is known; "
          "leave it out, or jump to {} from {}",
          matcher.property, row.raw(matcher.property), std::get<2>(key) ? "always" : "never", chain,
          words_of(now.of(chain), " and "), matcher.side, chain, words_of(right, " or "));
      if (group.rules > 1)
        text += fmt::format(" (the same for {} more of its rules)", group.rules - 1);
      out.push_back(row.error(matcher.property, std::move(text)));
    }
  }

  const Menu& menu_;
  const Rows& rows_;
  int chain_, disabled_;
  std::array<int, kMatchers.size()> columns_{};
  std::map<Key, Group> groups_;
};

void look_at_nat(const Tree& tree, const Tree* before, Errors& out) {
  const Menu& menu = *find_menu(kNat);
  const Rows& rows = tree.rows(menu);
  if (before == nullptr) {
    for (const RowPtr& row : rows) look_at_netmap(View(menu, *row), out);
    return;
  }
  if (rows == before->rows(menu)) return;
  const RowsDiff changes = compare(before->rows(menu), rows);
  for (const RowPtr& row : changes.added) look_at_netmap(View(menu, *row), out);
  for (const RowsDiff::Changed& row : changes.changed) look_at_netmap(View(menu, *row.after), out);
}

}  // namespace

Errors doubts(const Tree& tree, const Tree* before) {
  Errors out;
  look_at_nat(tree, before, out);
  for (std::string_view path : kRuleMenus) WrongSides(tree, path).look(tree, before, out);
  return out;
}

}  // namespace maclane::model
