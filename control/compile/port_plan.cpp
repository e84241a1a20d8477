// Devices from interfaces, and the steps between two plans. Control thread.
#include "control/compile/port_plan.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "control/compile/parts.h"

namespace maclane::compile {
namespace {

constexpr int kDeepest = 16;  // interfaces on interfaces; validation refuses circles

using Facts = std::unordered_map<std::string_view, const model::InterfaceFacts*>;

/// The ethernet a macvlan stands on; nullptr if something on the way down is disabled.
const model::InterfaceFacts* ethernet_below(const Facts& facts, std::string_view name) {
  for (int depth = 0; depth < kDeepest; ++depth) {
    auto it = facts.find(name);
    if (it == facts.end() || it->second->disabled) return nullptr;
    if (it->second->parent.empty()) return it->second;
    name = it->second->parent;
  }
  return nullptr;
}

template <typename T>
std::unordered_map<std::string_view, const T*> by_name(const std::vector<T>& all) {
  std::unordered_map<std::string_view, const T*> result;
  for (const T& one : all) result.emplace(one.name, &one);
  return result;
}

bool must_renew(const PortConfig& have, const PortConfig& want) {
  return have.device != want.device || (have.set_mac && !want.set_mac);
}

/// The own MAC has its place; of the others the order means nothing.
bool equal(const PortConfig& have, const PortConfig& want) {
  if (have.mtu != want.mtu || have.set_mac != want.set_mac ||
      have.macs.size() != want.macs.size()) {
    return false;
  }
  if (have.set_mac && have.macs.front() != want.macs.front()) return false;
  std::unordered_set<uint64_t> keys;
  for (const MacAddr& mac : have.macs) keys.insert(mac.key());
  return std::all_of(want.macs.begin(), want.macs.end(),
                     [&](const MacAddr& mac) { return keys.contains(mac.key()); });
}

bool must_renew(const PortPlan::Attachment& have, const PortPlan::Attachment& want) {
  return have.mac != want.mac || have.netns != want.netns;
}

}  // namespace

PortPlan plan_ports(const model::Tree& tree) {
  const std::vector<model::InterfaceFacts> all = model::interfaces(tree);
  Facts facts;
  for (const model::InterfaceFacts& one : all) facts.emplace(one.name, &one);
  const auto mtu_of = [&](std::string_view name) {
    return static_cast<uint16_t>(std::min<int64_t>(facts.at(name)->actual_mtu, UINT16_MAX));
  };

  PortPlan plan;
  std::unordered_map<std::string_view, size_t> numbers;  // ethernets by name
  std::vector<std::unordered_set<uint64_t>> seen;        // their MACs
  model::for_each(tree, "/interface/ethernet", [&](const model::View& row) {
    PortPlan::Ethernet one;
    one.name = row.raw("name");
    one.config.device = row.raw("device");
    one.config.mtu = mtu_of(one.name);
    one.config.set_mac = row.is_set("mac-address");
    seen.emplace_back();
    if (one.config.set_mac) {
      one.config.macs.push_back(mac_of(row.raw("mac-address")));
      seen.back().insert(one.config.macs.back().key());
    }
    numbers.emplace(row.raw("name"), plan.ethernets.size());
    plan.ethernets.push_back(std::move(one));
  });
  model::for_each(tree, "/interface/macvlan", [&](const model::View& row) {
    const MacAddr mac = mac_of(row.raw("mac-address"));
    const std::string_view name = row.raw("name");
    if (row.get("attach") != "none") {
      plan.attachments.push_back(
          {std::string(name), mac, mtu_of(name), std::string(row.raw("netns"))});
    }
    const model::InterfaceFacts* below = ethernet_below(facts, name);
    if (below == nullptr) return;
    const size_t number = numbers.at(below->name);
    // The same MAC may stand in several VLANs of one wire.
    if (seen[number].insert(mac.key()).second) plan.ethernets[number].config.macs.push_back(mac);
  });
  return plan;
}

bool PortChanges::empty() const {
  return remove_attachments.empty() && remove_ethernets.empty() && add_ethernets.empty() &&
         configure_ethernets.empty() && add_attachments.empty() && configure_attachments.empty();
}

PortChanges diff(const PortPlan& have, const PortPlan& want) {
  PortChanges changes;
  const auto wanted_ethernets = by_name(want.ethernets);
  const auto wanted_attachments = by_name(want.attachments);
  const auto old_ethernets = by_name(have.ethernets);
  const auto old_attachments = by_name(have.attachments);
  for (const PortPlan::Attachment& one : have.attachments) {
    auto it = wanted_attachments.find(one.name);
    if (it == wanted_attachments.end() || must_renew(one, *it->second)) {
      changes.remove_attachments.push_back(one.name);
    }
  }
  for (const PortPlan::Ethernet& one : have.ethernets) {
    auto it = wanted_ethernets.find(one.name);
    if (it == wanted_ethernets.end() || must_renew(one.config, it->second->config)) {
      changes.remove_ethernets.push_back(one.name);
    }
  }
  for (const PortPlan::Ethernet& one : want.ethernets) {
    auto it = old_ethernets.find(one.name);
    if (it == old_ethernets.end() || must_renew(it->second->config, one.config)) {
      changes.add_ethernets.push_back(one);
    } else if (!equal(it->second->config, one.config)) {
      changes.configure_ethernets.push_back(one);
    }
  }
  for (const PortPlan::Attachment& one : want.attachments) {
    auto it = old_attachments.find(one.name);
    if (it == old_attachments.end() || must_renew(*it->second, one)) {
      changes.add_attachments.push_back(one);
    } else if (it->second->mtu != one.mtu) {
      changes.configure_attachments.push_back(one);
    }
  }
  return changes;
}

}  // namespace maclane::compile
