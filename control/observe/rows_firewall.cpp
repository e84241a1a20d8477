// /ip/firewall: rule counters (behaviour.md B-7).
#include <fmt/format.h>

#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"
#include "control/service/text.h"

namespace maclane::observe {
namespace {

using model::Fields;
using model::View;

}  // namespace

void provide_firewall_rows(Router& router) {
  model::Model& model = router.model();
  for (const char* path : {"/ip/firewall/filter", "/ip/firewall/nat"}) {
    // One print asks for many rows at once: the raw counters are read for the first of them.
    model.provide(path, [&router, path](const View& row, Fields& out) {
      const model::Tree::Rows& rows = router.model().tree().rows(path);
      const bool first = !rows.empty() && rows.front()->id == row.row().id;
      static std::vector<RuleCounter> raw;
      if (first || raw.empty()) raw = router.rule_counters();
      const RuleCounter count = router.compiled().names.count(path, row.row().id, raw);
      out.emplace_back("bytes", std::to_string(count.bytes));
      out.emplace_back("packets", std::to_string(count.packets));
    });
  }
}

}  // namespace maclane::observe
