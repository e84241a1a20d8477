// The facts of every interface: who its parent is, and what MTU comes of that.
#include <algorithm>
#include <unordered_map>

#include "control/model/tree.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr int64_t kUsualMtu = 1500;
constexpr int64_t kPppoeBytes = 8, kUsualPppoeMtu = kUsualMtu - kPppoeBytes;
constexpr int kDeepest = 16;  // parents of parents; a loop ends here and validation names it

struct Facts {
  std::vector<InterfaceFacts> all;
  std::unordered_map<std::string, size_t> by_name;
  std::vector<bool> done;

  void settle(size_t index, int depth) {
    if (done[index]) return;
    InterfaceFacts& mine = all[index];
    auto parent = by_name.find(mine.parent);
    if (mine.parent.empty() || parent == by_name.end() || depth > kDeepest) {
      if (mine.mtu == 0) mine.mtu = kUsualMtu;
      mine.actual_mtu = mine.mtu;
    } else {
      settle(parent->second, depth + 1);
      const bool pppoe = mine.type == "pppoe-out";
      const int64_t limit = all[parent->second].actual_mtu - (pppoe ? kPppoeBytes : 0);
      if (mine.mtu == 0) mine.mtu = std::min(pppoe ? kUsualPppoeMtu : kUsualMtu, limit);
      mine.actual_mtu = std::min(mine.mtu, limit);
    }
    done[index] = true;
  }
};

}  // namespace

std::string default_name(size_t place) {
  return "ether" + std::to_string(place + 1);
}

std::string interface_menu(std::string_view type) {
  return type == "pppoe-out" ? "/interface/pppoe-client" : "/interface/" + std::string(type);
}

std::vector<InterfaceFacts> interfaces(const Tree& tree) {
  Facts facts;
  for (std::string_view type : {"ethernet", "vlan", "macvlan", "pppoe-out"}) {
    const bool pppoe = type == "pppoe-out";
    for_each(tree, interface_menu(type), [&](const View& row) {
      InterfaceFacts one;
      one.name = row.raw("name");
      one.type = type;
      one.parent = row.raw("interface");
      one.disabled = row.disabled();
      // 0 if unset and without a default, or auto.
      one.mtu = pppoe ? parse_integer(row.get("max-mtu")).value_or(0) : row.get_integer("mtu");
      facts.by_name.emplace(one.name, facts.all.size());
      facts.all.push_back(std::move(one));
    });
  }
  facts.done.resize(facts.all.size());
  for (size_t i = 0; i < facts.all.size(); ++i) facts.settle(i, 0);
  return std::move(facts.all);
}

}  // namespace maclane::model
