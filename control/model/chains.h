// The chains of the firewall's menus: which are built in, what is known of a packet there, and how
// jumps lead from one chain to another. Control thread only.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "control/model/tree.h"

namespace maclane::model {

/// The chains that a menu has without rules. path: a canonical one below /ip/firewall.
[[nodiscard]] std::span<const std::string_view> builtin_chains(std::string_view path);
[[nodiscard]] bool is_builtin_chain(std::string_view path, std::string_view chain);
/// Whether in a built-in chain it is known by which interface a packet came in, or leaves.
[[nodiscard]] bool knows_in(std::string_view builtin);
[[nodiscard]] bool knows_out(std::string_view builtin);

/// Where rows that no rule is stand first once a rule FastTracks, to show what passes the rules by:
/// one for each of these chains (B-26).
[[nodiscard]] std::span<const std::string_view> fast_track_chains(std::string_view path);

/// The jumps of a menu, those of disabled rules too: of a tree that stays as long as this does.
class Jumps {
 public:
  /// Walks the menu's rows once.
  Jumps(const Tree& tree, std::string_view path);

  /// The rules that jump, by the chain they stand in.
  [[nodiscard]] const std::map<std::string_view, std::vector<View>>& by_chain() const {
    return jumps_;
  }
  /// The chains reached from one, itself included.
  [[nodiscard]] std::set<std::string_view> reached(std::string_view from) const;

 private:
  std::map<std::string_view, std::vector<View>> jumps_;
};

}  // namespace maclane::model
