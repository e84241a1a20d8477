#include "control/devices.h"

#include <algorithm>

#include "control/observe/log.h"

namespace maclane {
namespace {

Status failed(std::string path, std::string name, std::string property, std::string message) {
  return tl::make_unexpected(
      Errors{Error{std::move(message), std::move(path), std::move(name), std::move(property), {}}});
}

template <typename List>
auto find_named(const List& list, const std::string& name) {
  return std::find_if(list.begin(), list.end(), [&](const auto& e) { return e.name == name; });
}

}  // namespace

Status Devices::add(const compile::PortPlan::Ethernet& port) {
  PortInfo info;
  std::string error;
  if (!dataplane_.add_port(port.config, &info, &error))
    return failed("/interface/ethernet", port.name, "device", error);
  added_.push_back(info.ethdev);
  learned_.ethernets[port.name] = {info, !info.gates_on_link || dataplane_.link_up(info.ethdev)};
  if (info.mac_filter_full && port.config.macs.size() > (port.config.set_mac ? 1u : 0u)) {
    log::write(log::Level::kInfo, "interface,info",
               "{} ({}) is promiscuous: its MAC filter has no room for the macvlans' addresses",
               port.name, info.driver);
  }
  return {};
}

Status Devices::add(const compile::PortPlan::Attachment& port) {
  PortInfo info;
  std::string error;
  if (!dataplane_.add_attachment(port.name, port.mac, port.mtu, port.netns, &info, &error))
    return failed("/interface/macvlan", port.name, "attach", error);
  added_.push_back(info.ethdev);
  learned_.attachments[port.name] = info;
  return {};
}

Status Devices::configure(const compile::PortPlan::Ethernet& port) {
  auto it = learned_.ethernets.find(port.name);
  if (it == learned_.ethernets.end()) return {};
  std::string error;
  PortInfo info = it->second.info;
  if (!dataplane_.configure_port(info.ethdev, port.config, &info, &error))
    return failed("/interface/ethernet", port.name, "mtu", error);
  it->second.info = info;
  return {};
}

void Devices::withdraw(const std::vector<uint16_t>& ethdevs) {
  const Snapshot* current = dataplane_.current();
  if (ethdevs.empty() || current == nullptr) return;
  auto copy = std::make_unique<Snapshot>(*current);
  const auto gone = [&](uint16_t port) {
    return port != kNoPort &&
           std::find(ethdevs.begin(), ethdevs.end(), copy->ports[port].ethdev) != ethdevs.end();
  };
  for (auto& queues : copy->rx)
    std::erase_if(queues, [&](const RxQueue& q) { return gone(q.port); });
  for (Interface& i : copy->interfaces) {
    if (gone(i.attach_port)) i.attach_port = kNoPort;
    if (gone(i.port)) i.up = false;
  }
  for (Port& p : copy->ports)
    if (std::find(ethdevs.begin(), ethdevs.end(), p.ethdev) != ethdevs.end()) p.ethdev = 0xffff;
  dataplane_.publish(std::move(copy));
  (void)dataplane_.synchronize(1000);
}

Status Devices::prepare(const compile::PortPlan& want) {
  const compile::PortChanges changes = diff(have_, want);
  before_ = have_;
  want_ = want;
  learned_before_ = learned_;
  leaving_.clear();
  added_.clear();

  // What comes back under the same name must go first; what only goes can wait until settle().
  std::vector<uint16_t> now;
  for (const std::string& name : changes.remove_attachments) {
    auto it = learned_.attachments.find(name);
    if (it == learned_.attachments.end()) continue;
    const bool returns = find_named(changes.add_attachments, name) != changes.add_attachments.end();
    (returns ? now : leaving_).push_back(it->second.ethdev);
    learned_.attachments.erase(it);
  }
  for (const std::string& name : changes.remove_ethernets) {
    auto it = learned_.ethernets.find(name);
    if (it == learned_.ethernets.end()) continue;
    const bool returns = find_named(changes.add_ethernets, name) != changes.add_ethernets.end();
    (returns ? now : leaving_).push_back(it->second.info.ethdev);
    learned_.ethernets.erase(it);
  }
  withdraw(now);
  for (uint16_t ethdev : now) dataplane_.remove_port(ethdev);

  Status status;
  for (const auto& port : changes.add_ethernets)
    if (status) status = add(port);
  for (const auto& port : changes.configure_ethernets)
    if (status) status = configure(port);
  for (const auto& port : changes.add_attachments)
    if (status) status = add(port);
  for (const auto& port : changes.configure_attachments) {
    auto it = learned_.attachments.find(port.name);
    if (!status || it == learned_.attachments.end()) continue;
    std::string error;
    PortConfig config;
    config.mtu = port.mtu;
    if (!dataplane_.configure_port(it->second.ethdev, config, &it->second, &error))
      status = failed("/interface/macvlan", port.name, "mtu", error);
  }
  if (!status) revert();
  return status;
}

void Devices::settle() {
  have_ = want_;
  added_.clear();
  if (leaving_.empty()) return;
  (void)dataplane_.synchronize(1000);
  for (uint16_t ethdev : leaving_) dataplane_.remove_port(ethdev);
  leaving_.clear();
}

void Devices::revert() {
  withdraw(added_);
  for (uint16_t ethdev : added_) dataplane_.remove_port(ethdev);
  added_.clear();
  leaving_.clear();
  restore(before_, learned_before_);
}

void Devices::restore(const compile::PortPlan& plan, const compile::LearnedState& learned) {
  const compile::LearnedState reached = std::exchange(learned_, learned);
  const auto complain = [](const Status& status) {
    if (!status)
      log::write(log::Level::kError, "interface,error", "{}", status.error().front().text());
  };
  for (const auto& port : plan.ethernets) {
    auto now = reached.ethernets.find(port.name);
    auto then = learned_.ethernets.find(port.name);
    if (then == learned_.ethernets.end()) continue;
    if (now != reached.ethernets.end() && now->second.info.ethdev == then->second.info.ethdev)
      complain(configure(port));  // its settings may have been changed
    else if (now != reached.ethernets.end())
      complain(add(port));  // it had to make room for its successor
  }
  for (const auto& port : plan.attachments) {
    auto now = reached.attachments.find(port.name);
    auto then = learned_.attachments.find(port.name);
    if (then == learned_.attachments.end()) continue;
    if (now != reached.attachments.end() && now->second.ethdev != then->second.ethdev)
      complain(add(port));
  }
  added_.clear();
  have_ = plan;
}

std::vector<std::string> Devices::poll_links() {
  std::vector<std::string> changed;
  for (auto& [name, ethernet] : learned_.ethernets) {
    const bool up = !ethernet.info.gates_on_link || dataplane_.link_up(ethernet.info.ethdev);
    if (up == ethernet.link_up) continue;
    ethernet.link_up = up;
    changed.push_back(name);
  }
  return changed;
}

}  // namespace maclane
