// The firewall's menus to rule sets, each anew only if something it was made of has changed; and
// what they share: counters, address lists that fill, the sessions whose MTU TCP is told. Control
// thread.
#include <fmt/format.h>

#include <algorithm>

#include "control/compile/parts.h"
#include "control/compile/rule_columns.h"
#include "dataplane/net/wire.h"

namespace maclane::compile {
namespace {

using model::RowPtr;
using model::View;

bool turned(const CompileState::Rules& rules, const LearnedState::WallTime& now) {
  return std::any_of(rules.times.begin(), rules.times.end(), [&](const auto& one) {
    return one.first.covers(now.weekday, now.second) != one.second;
  });
}

/// Whether nothing a rule set was made of has changed.
bool unchanged(const Work& work, std::string_view path, const CompileState::Rules* rules) {
  const RuleSet* before = rules != nullptr ? rules->set.get() : nullptr;
  if (before == nullptr || !work.same(path) || !work.same_interfaces()) return false;
  if (turned(*rules, work.learned.clock)) return false;
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

void take_slots(Work& work, std::string_view path) {
  if (work.same(path)) return;
  const model::Menu& menu = *model::find_menu(path);
  const auto& rows = work.tree.rows(menu);
  std::vector<uint32_t> ids;
  ids.reserve(rows.size());
  for (const RowPtr& row : rows) ids.push_back(row->id);
  if (work.state.names.set_rules(path, ids)) return;
  work.errors.push_back(View(menu, *rows.back())
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
void find_filling_lists(Work& work, std::string_view path) {
  const model::Menu& menu = *model::find_menu(path);
  const Columns columns(menu);
  for (const RowPtr& row : work.tree.rows(menu)) {
    const std::string_view list = row->at(columns.address_list);
    const std::string_view action = row->at(columns.action);
    const bool adds = action == "add-src-to-address-list" || action == "add-dst-to-address-list";
    if (!adds || list.empty() || row->at(columns.disabled) == "true") continue;
    work.state.filling_lists.emplace(list);
    if (work.state.names.list(list) != 0) continue;
    work.errors.push_back(
        View(menu, *row)
            .error("address-list",
                   "more than 65535 lists were filled by rules since the router started; use "
                   "fewer, or restart it"));
  }
}

}  // namespace

bool times_turned(const CompileState& state, const LearnedState::WallTime& now) {
  return turned(state.raw, now) || turned(state.mangle, now) || turned(state.filter, now) ||
         turned(state.nat, now);
}

void compile_firewall(Work& work) {
  constexpr std::string_view kRaw = "/ip/firewall/raw";
  constexpr std::string_view kFilter = "/ip/firewall/filter";
  constexpr std::string_view kNat = "/ip/firewall/nat";
  group_address_lists(work);
  find_clamps(work);
  find_timed_lists(work);
  for (std::string_view path : {kRaw, kManglePath, kFilter, kNat}) {
    take_slots(work, path);
    find_filling_lists(work, path);
  }
  InterfaceLists lists(work);
  const auto compile = [&](std::string_view path, CompileState::Rules CompileState::*rules) {
    const auto* before = work.previous != nullptr ? &(work.previous->*rules) : nullptr;
    const bool same = unchanged(work, path, before);
    work.state.*rules = same ? *before : compile_rules(work, lists, path, before);
    return (work.state.*rules).set;
  };
  work.snapshot.raw = compile(kRaw, &CompileState::raw);
  work.snapshot.mangle = compile(kManglePath, &CompileState::mangle);
  work.snapshot.filter = compile(kFilter, &CompileState::filter);
  work.snapshot.nat = compile(kNat, &CompileState::nat);
  // What passes the rules by has a counter too, behind those of all rules (B-26).
  constexpr uint32_t kOnly[] = {1};
  (void)work.state.names.set_rules(kFastTrackCounter, kOnly);
  work.snapshot.fast_track.counter = work.state.names.slot_of(kFastTrackCounter, 1).value_or(0);
}

}  // namespace maclane::compile
