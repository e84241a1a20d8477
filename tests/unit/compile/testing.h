// What the compile tests share: trees made of values as a person writes them, and compiles whose
// FIB is only looked at, so that no EAL is needed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "control/compile/compile.h"
#include "control/compile/port_plan.h"

namespace maclane::compile {

inline constexpr std::string_view kFilter = "/ip/firewall/filter";
inline constexpr std::string_view kNat = "/ip/firewall/nat";
inline constexpr std::string_view kMangle = "/ip/firewall/mangle";
inline constexpr std::string_view kMacA = "0A:00:00:00:00:01", kMacB = "0A:00:00:00:00:02";

namespace testing {

using Values = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline void put(const model::Menu& menu, model::Row& row, Values values) {
  row.values.resize(menu.properties.size());
  for (const auto& [property, raw] : values) {
    const int index = menu.index(property);
    ASSERT_GE(index, 0) << menu.path << " has no " << property;
    auto canonical = model::normalize(menu.properties[static_cast<size_t>(index)], raw);
    ASSERT_TRUE(canonical.has_value()) << property << "=" << raw << ": " << canonical.error();
    row.values[static_cast<size_t>(index)] = *canonical;
  }
}

/// Adds a row and returns its id.
inline uint32_t add(model::Tree& tree, std::string_view path, Values values) {
  const model::Menu& menu = *model::find_menu(path);
  auto row = std::make_shared<model::Row>();
  row->id = tree.next_id(menu);
  put(menu, *row, values);
  tree.edit(menu).push_back(row);
  return row->id;
}

/// Changes values of the row with this id; 0: of the only row of a settings menu.
inline void set(model::Tree& tree, std::string_view path, uint32_t id, Values values) {
  if (values.size() == 0) return;
  const model::Menu& menu = *model::find_menu(path);
  const model::Rows rows = tree.rows(menu);
  size_t place = 0;
  for (const model::RowPtr& row : rows) {
    const size_t here = place++;
    if (id != 0 && row->id != id) continue;
    auto changed = std::make_shared<model::Row>(*row);
    put(menu, *changed, values);
    tree.edit(menu).replace(here, std::move(changed));
  }
}

inline void remove(model::Tree& tree, std::string_view path, uint32_t id) {
  tree.edit(*model::find_menu(path)).erase_if([&](const model::RowPtr& row) {
    return row->id == id;
  });
}

inline uint32_t ip(std::string_view text) {
  return model::parse_ip4(text).value();
}
inline MacAddr mac(std::string_view text) {
  return {model::parse_mac(text).value()};
}

/// A FIB that is nothing but a distinct pointer; it is never looked into or destroyed.
inline FibBuilders counting_fib(int& built) {
  return [&built](bool) -> FibBuilder {
    return [&built](std::span<const Fib4Route>, std::string*) {
      ++built;
      auto token = std::make_shared<uint64_t>(0);
      return std::shared_ptr<const Fib4>(token, reinterpret_cast<const Fib4*>(token.get()));
    };
  };
}

/// A tree, what was learned, and the last successful compile.
struct Bench {
  model::Tree tree;
  LearnedState learned;
  Compiled now;
  int fibs = 0;

  /// An ethernet whose device started; its own MAC ends in its ethdev number.
  void ethernet(std::string_view name, Values more = {}, bool link = true) {
    const auto ethdev = static_cast<uint16_t>(learned.ethernets.size());
    const std::string device = "net_ring" + std::to_string(ethdev);
    const uint32_t id = add(tree, "/interface/ethernet", {{"name", name}, {"device", device}});
    set(tree, "/interface/ethernet", id, more);
    PortInfo info;
    info.ethdev = ethdev;
    info.max_mtu = 9000;
    info.mac = MacAddr{{2, 0, 0, 0, 0, static_cast<uint8_t>(ethdev + 1)}};
    learned.ethernets[std::string(name)] = {info, link};
  }
  uint32_t macvlan(std::string_view name, std::string_view parent, std::string_view mac,
                   Values more = {}) {
    const uint32_t id = add(tree, "/interface/macvlan",
                            {{"name", name}, {"interface", parent}, {"mac-address", mac}});
    set(tree, "/interface/macvlan", id, more);
    return id;
  }
  uint32_t vlan(std::string_view name, std::string_view parent, std::string_view id,
                Values more = {}) {
    const uint32_t row =
        add(tree, "/interface/vlan", {{"name", name}, {"interface", parent}, {"vlan-id", id}});
    set(tree, "/interface/vlan", row, more);
    return row;
  }
  uint32_t address(std::string_view address, std::string_view interface, Values more = {}) {
    const uint32_t id = add(tree, "/ip/address", {{"address", address}, {"interface", interface}});
    set(tree, "/ip/address", id, more);
    return id;
  }
  uint32_t route(std::string_view dst, std::string_view gateway, Values more = {}) {
    const uint32_t id = add(tree, "/ip/route", {{"dst-address", dst}, {"gateway", gateway}});
    set(tree, "/ip/route", id, more);
    return id;
  }

  Errors compile() {
    auto result = compile_tree(tree, learned, now.state.get(), counting_fib(fibs));
    if (!result) return result.error();
    now = std::move(*result);
    return {};
  }
  void must_compile() {
    const Errors errors = compile();
    ASSERT_TRUE(errors.empty()) << errors.front().text();
  }

  [[nodiscard]] IfIndex index(std::string_view name) const {
    return now.state->names.index_of(name);
  }
  [[nodiscard]] const Interface& interface(std::string_view name) const {
    return now.snapshot->interfaces[index(name)];
  }
  [[nodiscard]] const Domain& domain(std::string_view name) const {
    return now.snapshot->domains[interface(name).domain];
  }
  /// What the FIB was given for exactly this prefix; kind kNone if nothing.
  [[nodiscard]] const NextHop& hop(std::string_view prefix) const {
    const auto wanted = model::parse_prefix(prefix).value();
    for (const Fib4Route& route : now.state->fib_routes) {
      if (route.network == wanted.address && route.length == wanted.length) {
        return now.snapshot->next_hops[route.next_hop];
      }
    }
    return now.snapshot->next_hops[0];
  }
  [[nodiscard]] std::vector<IfIndex> ways(std::string_view prefix) const {
    std::vector<IfIndex> result;
    for (uint16_t way : hop(prefix).alternatives) {
      result.push_back(now.snapshot->next_hops[way].out_if);
    }
    return result;
  }
  [[nodiscard]] const RouteInfo& static_route(uint32_t id) const {
    return *now.state->routes.find(id);
  }
  [[nodiscard]] std::vector<Rule> chain(const RuleSet& set, std::string_view name) const {
    for (const RuleSet::Chain& chain : set.chains) {
      if (chain.name != name) continue;
      const auto first = set.rules.begin() + chain.first;
      return {first, first + chain.count};
    }
    ADD_FAILURE() << "no chain " << name;
    return {};
  }
};

/// The address of a made-up macvlan: the n-th.
inline std::string nth_mac(unsigned n) {
  return model::format_mac({0x0a, 0, 0, static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
                            static_cast<uint8_t>(n)});
}

}  // namespace testing
}  // namespace maclane::compile
