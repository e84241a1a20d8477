#include "control/model/chains.h"

#include <algorithm>

namespace maclane::model {
namespace {

constexpr std::string_view kOfFilter[] = {"input", "forward", "output"};
constexpr std::string_view kOfNat[] = {"srcnat", "dstnat", "input", "output"};
constexpr std::string_view kOfRaw[] = {"prerouting", "output"};
constexpr std::string_view kOfMangle[] = {"prerouting", "input", "forward", "output",
                                          "postrouting"};

constexpr std::string_view kPassedInMangle[] = {"prerouting", "forward", "postrouting"};

}  // namespace

std::span<const std::string_view> builtin_chains(std::string_view path) {
  if (path == "/ip/firewall/nat") return kOfNat;
  if (path == "/ip/firewall/raw") return kOfRaw;
  if (path == "/ip/firewall/mangle") return kOfMangle;
  return kOfFilter;
}

bool is_builtin_chain(std::string_view path, std::string_view chain) {
  const auto all = builtin_chains(path);
  return std::find(all.begin(), all.end(), chain) != all.end();
}

bool knows_in(std::string_view builtin) {
  return builtin != "output";
}

bool knows_out(std::string_view builtin) {
  return builtin != "input" && builtin != "dstnat" && builtin != "prerouting";
}

std::span<const std::string_view> fast_track_chains(std::string_view path) {
  if (path == "/ip/firewall/filter") return std::span(kOfFilter).subspan(1, 1);
  if (path == "/ip/firewall/raw") return std::span(kOfRaw).first(1);
  if (path == "/ip/firewall/mangle") return kPassedInMangle;
  return {};
}

Jumps::Jumps(const Tree& tree, std::string_view path) {
  const Menu& menu = *find_menu(path);
  const int chain = menu.index("chain");
  const int action = menu.index("action");
  for (const RowPtr& row : tree.rows(menu)) {
    const std::string_view name = row->at(chain);
    if (!name.empty() && row->at(action) == "jump") jumps_[name].emplace_back(menu, *row);
  }
}

std::set<std::string_view> Jumps::reached(std::string_view from) const {
  std::set<std::string_view> seen{from};
  std::vector<std::string_view> open{from};
  while (!open.empty()) {
    const auto it = jumps_.find(open.back());
    open.pop_back();
    if (it == jumps_.end()) continue;
    for (const View& row : it->second) {
      const std::string_view target = row.raw("jump-target");
      if (!target.empty() && seen.insert(target).second) open.push_back(target);
    }
  }
  return seen;
}

}  // namespace maclane::model
