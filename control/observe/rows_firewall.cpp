// /ip/firewall: rule counters (behaviour.md B-7), the rows that count FastTracked packets (B-26),
// those that tell TCP of the MTU of PPPoE sessions, and rules that cannot match (B-10).
#include <fmt/format.h>

#include <algorithm>

#include "control/model/chains.h"
#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"
#include "control/service/text.h"

namespace maclane::observe {
namespace {

using model::Fields;
using model::View;

/// Whether an enabled rule of a menu FastTracks.
bool fast_tracks(const model::Tree& tree, std::string_view path) {
  const model::Menu& menu = *model::find_menu(path);
  const int action = menu.index("action");
  const int disabled = menu.index("disabled");
  const model::Tree::Rows& rows = tree.rows(menu);
  return std::any_of(rows.begin(), rows.end(), [&](const model::RowPtr& row) {
    return row->at(action) == "fasttrack-connection" && row->at(disabled) != "true";
  });
}

bool names_what_is_gone(const View& row) {
  for (std::string_view property : {"in-interface", "out-interface", "in-interface-list",
                                    "out-interface-list", "routing-mark", "new-routing-mark"}) {
    if (property == "new-routing-mark" && row.get("action") != "mark-routing") continue;
    if (model::is_lost_reference(model::split_negation(row.raw(property)).value)) return true;
  }
  return false;
}

/// Whether a rule may FastTrack connections now.
bool fast_track_active(const model::Tree& tree) {
  const View settings = tree.settings("/ip/settings");
  return settings.get_bool("allow-fast-path") && settings.get_bool("route-cache") &&
         (fast_tracks(tree, "/ip/firewall/filter") || fast_tracks(tree, "/ip/firewall/mangle"));
}

RuleCounter fast_tracked(Router& router) {
  return router.compiled().names.count(compile::kFastTrackCounter, 1, router.rule_counters());
}

/// Rows of a menu that stand for all rules FastTracked packets pass by.
std::vector<model::PrintRow> fast_track_rows(Router& router, std::string_view path) {
  std::vector<model::PrintRow> rows;
  const model::Tree& tree = router.model().tree();
  if (!fast_tracks(tree, "/ip/firewall/filter") && !fast_tracks(tree, "/ip/firewall/mangle"))
    return rows;
  const RuleCounter count = fast_tracked(router);
  for (const std::string_view chain : model::fast_track_chains(path)) {
    model::PrintRow row;
    row.id = dynamic_id(static_cast<uint32_t>(rows.size() + 1));
    row.dynamic = true;
    row.leads = true;
    row.fields = {{"chain", std::string(chain)},
                  {"action", "passthrough"},
                  {"comment", "special dummy rule to show fasttrack counters"},
                  {"disabled", "false"},
                  {"bytes", std::to_string(count.bytes)},
                  {"packets", std::to_string(count.packets)},
                  {"invalid", "false"},
                  {"dynamic", "true"}};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<model::PrintRow> mangle_rows(Router& router) {
  std::vector<model::PrintRow> rows = fast_track_rows(router, "/ip/firewall/mangle");
  const compile::CompileState& compiled = router.compiled();
  const std::vector<RuleCounter>& raw = router.rule_counters();
  auto number = static_cast<uint32_t>(rows.size());
  for (const compile::CompileState::Clamp& clamp : compiled.clamps) {
    for (const bool sent : {true, false}) {
      const RuleCounter count = compiled.names.count(
          compile::kClampCounter, compile::clamp_row(clamp.interface, sent), raw);
      model::PrintRow row;
      row.id = dynamic_id(++number);
      row.dynamic = true;
      row.fields = {{"chain", "forward"},
                    {"action", "change-mss"},
                    {sent ? "out-interface" : "in-interface",
                     std::string(compiled.names.name_of(clamp.interface))},
                    {"protocol", "tcp"},
                    {"tcp-flags", "syn"},
                    {"tcp-mss", fmt::format("{}-65535", clamp.mss + 1)},
                    {"new-mss", std::to_string(clamp.mss)},
                    {"passthrough", "true"},
                    {"disabled", "false"},
                    {"bytes", std::to_string(count.bytes)},
                    {"packets", std::to_string(count.packets)},
                    {"invalid", "false"},
                    {"dynamic", "true"}};
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace

void provide_firewall_rows(Router& router) {
  model::Model& model = router.model();
  for (const char* path : {"/ip/firewall/raw", "/ip/firewall/filter"})
    model.provide_rows(path, [&router, path] { return fast_track_rows(router, path); });
  model.provide_rows("/ip/firewall/mangle", [&router] { return mangle_rows(router); });
  model.provide("/ip/settings", [&router](const View& /*settings*/, Fields& out) {
    const RuleCounter count = fast_tracked(router);
    out.emplace_back("ipv4-fasttrack-active", yes_no(fast_track_active(router.model().tree())));
    out.emplace_back("ipv4-fasttrack-packets", std::to_string(count.packets));
    out.emplace_back("ipv4-fasttrack-bytes", std::to_string(count.bytes));
  });
  for (const char* path :
       {"/ip/firewall/raw", "/ip/firewall/mangle", "/ip/firewall/filter", "/ip/firewall/nat"}) {
    // One print asks for many rows at once: the raw counters are read for the first of them.
    model.provide(path, [&router, path](const View& row, Fields& out) {
      const model::Tree::Rows& rows = router.model().tree().rows(path);
      const bool first = !rows.empty() && rows.front()->id == row.row().id;
      static std::vector<RuleCounter> raw;
      if (first || raw.empty()) raw = router.rule_counters();
      const RuleCounter count = router.compiled().names.count(path, row.row().id, raw);
      out.emplace_back("bytes", std::to_string(count.bytes));
      out.emplace_back("packets", std::to_string(count.packets));
      if (names_what_is_gone(row)) out.emplace_back("invalid", "true");
    });
  }
}

}  // namespace maclane::observe
