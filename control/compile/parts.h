// What the parts of a compile share. Included by control/compile only.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "control/compile/compile.h"
#include "control/model/value.h"

namespace maclane::compile {

/// One compile while it is being made.
struct Work {
  const model::Tree& tree;
  const LearnedState& learned;
  const CompileState* previous;
  const FibBuilders& fib_builders;
  CompileState& state;
  Snapshot& snapshot;
  Errors errors;
  /// No rule changed, nor what rules refer to: patched indexes are built anew.
  bool rules_rest = false;
  std::vector<bool> enabled;  // by IfIndex: it and all below it, whatever the link

  /// Whether a menu has the very rows it had before.
  [[nodiscard]] bool same(std::string_view path) const {
    return previous != nullptr && previous->tree.rows(path) == tree.rows(path);
  }
  [[nodiscard]] bool same_interfaces() const {
    return previous != nullptr && state.names.added().empty() && state.names.removed().empty();
  }
  [[nodiscard]] const Interface& interface(IfIndex i) const { return snapshot.interfaces[i]; }
};

void compile_interfaces(Work& work);  // first: interfaces, domains, ports, queues
void compile_routes(Work& work);
void compile_policy(Work& work);  // after the routes
void compile_firewall(Work& work);
void compile_conntrack(Work& work);
void compile_helpers(Work& work);

/// The FIB of routes, which are sorted: the one before if it was made of the same. nullptr: there
/// is an error more in `work`.
[[nodiscard]] std::shared_ptr<const Fib4> fib_of(Work& work, std::span<const Fib4Route> routes,
                                                 std::shared_ptr<const Fib4> before,
                                                 const std::vector<Fib4Route>* routes_before,
                                                 const FibBuilder& build);
/// Makes the FIB of a table beside main, whose routes are there. before: of the last compile, or
/// nullptr.
void make_fib(Work& work, CompileState::Fib& table, const CompileState::Fib* before);

// Workers compare centiseconds by signed difference, which must not come near 2^31: about 124 days.
inline constexpr uint32_t kLongestTimeoutCs = 1u << 30;

/// A timeout of sessions: of a time in milliseconds, at least the shortest there is.
[[nodiscard]] inline uint32_t timeout_cs(int64_t ms) {
  return static_cast<uint32_t>(std::clamp<int64_t>(ms / 10, 1, kLongestTimeoutCs));
}

/// Zero: none.
[[nodiscard]] inline MacAddr mac_of(std::string_view canonical) {
  const auto mac = model::parse_mac(canonical);
  return mac ? MacAddr{*mac} : MacAddr{};
}

template <typename Map, typename Key>
[[nodiscard]] const typename Map::mapped_type* find_or_null(const Map& map, const Key& key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

/// Interface lists as sets of indexes, each worked out once.
class InterfaceLists {
 public:
  explicit InterfaceLists(const Work& work);
  /// An unknown list is empty.
  [[nodiscard]] const InterfaceSet& set(std::string_view list);

 private:
  struct List {
    InterfaceSet set{};
    std::string_view include, exclude;  // canonical: separated by commas
    bool done = true;
  };
  std::unordered_map<std::string_view, List> lists_;
};

/// Sorts address-list rows by list, taking over the sets of lists that did not change.
void group_address_lists(Work& work);
/// The set of a list, made when first asked for. An unknown list is empty.
[[nodiscard]] std::shared_ptr<const AddressSet> address_set(Work& work, std::string_view list);

inline constexpr std::string_view kManglePath = "/ip/firewall/mangle";
/// The rules that stand before those of mangle's forward: of Work::state's clamps.
void append_clamps(const Work& work, RuleSet& set);
/// The enabled rows of a menu of the firewall as rules, counters and all. known: its rows, as
/// known_rows() gives them. before: what the last compile made of the menu; nullptr at start.
[[nodiscard]] CompileState::Rules compile_rules(Work& work, InterfaceLists& lists,
                                                std::string_view path,
                                                std::vector<CompileState::KnownRow> known,
                                                const CompileState::Rules* before);

}  // namespace maclane::compile
