// /interface and its menus: what runs, with which MTU and MAC, and the traffic counters.
#include <fmt/format.h>

#include <algorithm>

#include "control/model/gathered.h"
#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"

namespace maclane::observe {
namespace {

using model::Fields;
using model::View;

constexpr const char* kHeldComment =
    "loop protect: a frame that the router sent came back; down until its disable time is over or "
    "the interface is changed";

const Interface* find(const Router& router, std::string_view name) {
  const Snapshot* s = router.dataplane().current();
  const IfIndex index = router.compiled().names.index_of(name);
  if (s == nullptr || index == kNoIf || index >= s->interfaces.size()) return nullptr;
  return &s->interfaces[index];
}

void interface_state(const Router& router, const View& row, Fields& out) {
  const std::string_view name = row.raw("name");
  const Interface* i = find(router, name);
  if (i == nullptr) return;
  out.emplace_back("running", yes_no(runs(*i)));
  const LoopProtect& loops = router.services().loop_protect();
  const IfIndex index = router.compiled().names.index_of(name);
  out.emplace_back("loop-protect-status", std::string(loops.status(index)));
  if (loops.held(index) && !row.is_set("comment")) out.emplace_back("comment", kHeldComment);
  if (!row.is_set("mac-address")) out.emplace_back("mac-address", model::format_mac(i->mac.bytes));
  out.emplace_back("l2mtu", std::to_string(i->mtu + 4 * (2 - i->tag_count)));
  if (row.menu().path == "/interface/ethernet") {
    const auto& ethernets = router.learned().ethernets;
    auto it = ethernets.find(name);
    if (it != ethernets.end())
      out.emplace_back("promiscuous", yes_no(it->second.info.mac_filter_full));
  }
  add_counters(router, name, out);
  // Only what the menu has is shown.
  std::erase_if(out, [&](const auto& field) { return row.menu().find(field.first) == nullptr; });
}

std::vector<model::PrintRow> all_interfaces(const Router& router, const model::Model& model) {
  std::vector<model::PrintRow> rows;
  size_t ports = 0;
  for (const model::InterfaceFacts& facts : model::interfaces(model.tree())) {
    const model::Menu* menu = model::find_menu(model::interface_menu(facts.type));
    const model::RowPtr stored = model.tree().find(*menu, facts.name);
    model::PrintRow row;
    const IfIndex index = router.compiled().names.index_of(facts.name);
    if (stored != nullptr) row.id = model::gathered_id(*menu, stored->id);
    const Interface* i = find(router, facts.name);
    Fields& f = row.fields;
    f.emplace_back("name", facts.name);
    if (facts.type == "ethernet") f.emplace_back("default-name", model::default_name(ports++));
    f.emplace_back("type", facts.type == "ethernet" ? "ether" : facts.type);
    f.emplace_back("mtu", std::to_string(facts.mtu));
    f.emplace_back("actual-mtu", std::to_string(facts.actual_mtu));
    if (i != nullptr) {
      if (i->kind != IfKind::kPppoe) {
        f.emplace_back("l2mtu", std::to_string(i->mtu + 4 * (2 - i->tag_count)));
        f.emplace_back("mac-address", model::format_mac(i->mac.bytes));
      }
    }
    f.emplace_back("running", yes_no(i != nullptr && runs(*i)));
    f.emplace_back("disabled", yes_no(facts.disabled));
    f.emplace_back("dynamic", "false");
    f.emplace_back("slave", "false");
    if (stored != nullptr) {
      const View view(*menu, *stored);
      if (view.is_set("comment"))
        f.emplace_back("comment", view.raw("comment"));
      else if (router.services().loop_protect().held(index))
        f.emplace_back("comment", kHeldComment);
    }
    if (const Router::LinkHistory* h = router.link_history(facts.name)) {
      if (!h->last_up.empty()) f.emplace_back("last-link-up-time", h->last_up);
      if (!h->last_down.empty()) f.emplace_back("last-link-down-time", h->last_down);
      f.emplace_back("link-downs", std::to_string(h->downs));
    } else {
      f.emplace_back("link-downs", "0");
    }
    add_counters(router, facts.name, f);
    rows.push_back(std::move(row));
  }
  return rows;
}

/// What rows of /interface, or of a menu of stored interfaces, carried counts from now on.
model::Answer<model::Outcome> reset_counters(Router& router, const model::Call& call) {
  for (const model::PrintRow& row : router.model().print(*call.menu)) {
    if (std::find(call.rows.begin(), call.rows.end(), row.id) == call.rows.end()) continue;
    const IfIndex index = router.compiled().names.index_of(row.get("name"));
    if (index != kNoIf) router.traffic_since().begin(index, traffic_of(router.dataplane(), index));
  }
  return model::Outcome{};
}

}  // namespace

void add_counters(const Router& router, std::string_view name, Fields& out) {
  const IfIndex index = router.compiled().names.index_of(name);
  if (index == kNoIf) return;
  const Traffic t = router.traffic_since().of(index, traffic_of(router.dataplane(), index));
  const auto add = [&](const char* property, uint64_t value) {
    out.emplace_back(property, std::to_string(value));
  };
  add("rx-byte", t.rx_bytes);
  add("tx-byte", t.tx_bytes);
  add("rx-packet", t.rx_packets);
  add("tx-packet", t.tx_packets);
  add("rx-drop", t.rx_drops);
  add("tx-drop", t.tx_drops);
  add("rx-error", 0);
  add("tx-error", 0);
  add("tx-queue-drop", t.queue_drops);
}

void provide_interface_rows(Router& router) {
  model::Model& model = router.model();
  for (const char* path : {"/interface/ethernet", "/interface/vlan", "/interface/macvlan"}) {
    model.provide(path,
                  [&router](const View& row, Fields& out) { interface_state(router, row, out); });
  }
  for (const char* path : {"/interface", "/interface/ethernet"}) {
    router.commands().on(path, "reset-counters",
                         [&router](const model::Call& call, const model::Caller&) {
                           return reset_counters(router, call);
                         });
  }
  model.provide_rows("/interface", [&router, &model] { return all_interfaces(router, model); });
}

}  // namespace maclane::observe
