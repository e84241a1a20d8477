// The firewall's menus to rule sets, each anew only if something it was made of has changed; and
// what they share: counters, address lists that fill, the sessions whose MTU TCP is told. Control
// thread.
#include <fmt/format.h>

#include <algorithm>

#include "control/compile/parts.h"
#include "control/compile/rule_reuse.h"
#include "dataplane/net/wire.h"
#include "dataplane/table/rule_index.h"

namespace maclane::compile {
namespace {

using model::RowPtr;
using model::View;

bool turned(const CompileState::Rules& rules, const LearnedState::WallTime& now) {
  return std::any_of(rules.times.begin(), rules.times.end(), [&](const auto& one) {
    return one.first.covers(now.weekday, now.second) != one.second;
  });
}

/// Whether an index has rules that it was not built for.
bool is_patched(const RuleSet& set) {
  return std::any_of(set.chains.begin(), set.chains.end(), [](const RuleSet::Chain& chain) {
    return chain.index != nullptr && chain.index->late() != 0;
  });
}

/// Whether nothing a rule set was made of has changed.
bool unchanged(const Work& work, std::string_view path, const CompileState::Rules* rules) {
  const RuleSet* before = rules != nullptr ? rules->set.get() : nullptr;
  if (before == nullptr || !work.same(path) || !work.same_interfaces()) return false;
  if (turned(*rules, work.learned.clock) || (work.rules_rest && is_patched(*before))) return false;
  if (path == kManglePath && work.state.clamps != work.previous->clamps) return false;
  if (!before->address_sets.empty() && (!work.same("/ip/firewall/address-list") ||
                                        work.state.timed_ranges != work.previous->timed_ranges ||
                                        work.state.filling_lists != work.previous->filling_lists)) {
    return false;
  }
  constexpr std::string_view kInSets[] = {"/interface/list",     "/interface/list/member",
                                          "/interface/ethernet", "/interface/vlan",
                                          "/interface/macvlan",  "/interface/pppoe-client"};
  return before->interface_sets.empty() ||
         std::all_of(std::begin(kInSets), std::end(kInSets),
                     [&](std::string_view path) { return work.same(path); });
}

/// The PPPoE sessions that are up, where packets are smaller than hosts believe.
void find_clamps(Work& work) {
  constexpr uint16_t kHeaders = sizeof(Ip4Hdr) + sizeof(TcpHdr);
  constexpr uint16_t kUsual = 1500;
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < work.snapshot.interfaces.size(); ++i) {
    const Interface& one = work.snapshot.interfaces[i];
    if (one.kind != IfKind::kPppoe || !one.up || one.mtu >= kUsual) continue;
    const auto index = static_cast<IfIndex>(i);
    work.state.clamps.push_back({index, static_cast<uint16_t>(one.mtu - kHeaders)});
    for (const bool sent : {true, false}) rows.push_back(clamp_row(index, sent));
  }
  (void)work.state.names.set_rules(kClampCounter, rows);
}

void take_slots(Work& work, std::string_view path, const KnownRows& rows) {
  if (work.same(path)) return;
  std::vector<uint32_t> ids;
  ids.reserve(rows.size());
  for (const CompileState::KnownRow& row : rows) ids.push_back(row.id);
  if (work.state.names.set_rules(path, ids)) return;
  const model::Menu& menu = *model::find_menu(path);
  work.errors.push_back(View(menu, *work.tree.rows(menu).back())
                            .error("chain", fmt::format("all firewall rules together are more "
                                                        "than {}, the most there are counters for; "
                                                        "address lists can take the place of many",
                                                        kMaxRuleCounters - 1)));
}

/// The address lists that have addresses for a while.
void find_timed_lists(Work& work) {
  for (const std::string& list : work.learned.peers.timed_lists)
    if (work.state.names.list(list) != 0) work.state.filling_lists.insert(list);
}

/// The address lists that enabled rules of a menu add to.
void find_filling_lists(Work& work, std::string_view path, const KnownRows& rows) {
  const model::Menu& menu = *model::find_menu(path);
  const int address_list = menu.index("address-list");
  for (const CompileState::KnownRow& known : rows) {
    if (!known.fills || !known.enabled) continue;
    const model::Row& row = *known.row;
    const std::string_view list = row.at(address_list);
    if (list.empty()) continue;
    work.state.filling_lists.emplace(list);
    if (work.state.names.list(list) != 0) continue;
    work.errors.push_back(View(menu, row).error(
        "address-list",
        "more than 65535 lists were filled by rules since the router started; use "
        "fewer, or restart it"));
  }
}

}  // namespace

bool is_outdated(const CompileState& state, const LearnedState::WallTime& now) {
  const auto all = {&state.raw, &state.mangle, &state.filter, &state.nat};
  return std::any_of(all.begin(), all.end(), [&](const CompileState::Rules* rules) {
    return turned(*rules, now) || is_patched(*rules->set);
  });
}

void append_clamps(const Work& work, RuleSet& set) {
  for (const CompileState::Clamp& clamp : work.state.clamps) {
    for (const bool sent : {true, false}) {
      Rule rule;
      rule.match =
          Rule::kProtocol | Rule::kMore | (sent ? Rule::kOutInterface : Rule::kInInterface);
      rule.protocol = kProtoTcp;
      (sent ? rule.out_if : rule.in_if) = clamp.interface;
      rule.action = Action::kChangeMss;
      rule.counter =
          work.state.names.slot_of(kClampCounter, clamp_row(clamp.interface, sent)).value_or(0);
      RuleMore more;
      more.match = RuleMore::kTcpFlags | RuleMore::kTcpMss;
      more.tcp_set = kTcpSyn;
      more.mss_first = static_cast<uint16_t>(clamp.mss + 1);
      more.mss_last = 0xffff;
      more.mss = clamp.mss;
      set.add_more(rule, more);
      set.rules.push_back(rule);
    }
  }
}

void compile_firewall(Work& work) {
  constexpr std::string_view kRaw = "/ip/firewall/raw";
  constexpr std::string_view kFilter = "/ip/firewall/filter";
  constexpr std::string_view kNat = "/ip/firewall/nat";
  group_address_lists(work);
  find_clamps(work);
  find_timed_lists(work);
  struct Part {
    std::string_view path;
    CompileState::Rules CompileState::*rules;
  };
  constexpr Part kParts[] = {{kRaw, &CompileState::raw},
                             {kManglePath, &CompileState::mangle},
                             {kFilter, &CompileState::filter},
                             {kNat, &CompileState::nat}};
  const auto before_of = [&](const Part& part) {
    return work.previous != nullptr ? &(work.previous->*part.rules) : nullptr;
  };
  for (const Part& part : kParts) {
    auto& rows = (work.state.*part.rules).rows;
    const CompileState::Rules* before = before_of(part);
    if (before != nullptr) rows = before->rows;
    if (rows == nullptr || !work.same(part.path)) {
      const Columns columns(*model::find_menu(part.path));
      rows = std::make_shared<const KnownRows>(
          known_rows(work.tree.rows(part.path), columns, rows.get()));
    }
    take_slots(work, part.path, *rows);
    find_filling_lists(work, part.path, *rows);
  }
  work.rules_rest = work.same_interfaces() && work.same("/ip/firewall/address-list") &&
                    std::all_of(std::begin(kParts), std::end(kParts),
                                [&](const Part& part) { return work.same(part.path); });
  InterfaceLists lists(work);
  for (const Part& part : kParts) {
    CompileState::Rules& rules = work.state.*part.rules;
    const CompileState::Rules* before = before_of(part);
    if (unchanged(work, part.path, before))
      rules = *before;
    else
      rules = compile_rules(work, lists, part.path, *rules.rows, before);
  }
  work.snapshot.raw = work.state.raw.set;
  work.snapshot.mangle = work.state.mangle.set;
  work.snapshot.filter = work.state.filter.set;
  work.snapshot.nat = work.state.nat.set;
  // What passes the rules by has a counter too, behind those of all rules (B-26).
  constexpr uint32_t kOnly[] = {1};
  (void)work.state.names.set_rules(kFastTrackCounter, kOnly);
  work.snapshot.fast_track.counter = work.state.names.slot_of(kFastTrackCounter, 1).value_or(0);
}

}  // namespace maclane::compile
