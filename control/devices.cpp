#include "control/devices.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "control/observe/log.h"

namespace maclane {
namespace {

using compile::PortPlan;

// For every worker to let go of a port; a driver may block for a while (AF_XDP: a second).
constexpr unsigned kPatienceMs = 1500;
constexpr std::string_view kHeld =
    "a worker did not let go of the port in time, as its driver blocks; try again";

Status failed(std::string path, std::string name, std::string property, std::string message) {
  return tl::make_unexpected(
      Errors{Error{std::move(message), std::move(path), std::move(name), std::move(property), {}}});
}

template <typename Port>
const Port* find_named(const std::vector<Port>& list, std::string_view name) {
  auto it = std::find_if(list.begin(), list.end(), [&](const Port& p) { return p.name == name; });
  return it == list.end() ? nullptr : &*it;
}

uint16_t ethdev_of(const compile::LearnedState::Ethernet& ethernet) {
  return ethernet.info.ethdev;
}
uint16_t ethdev_of(const PortInfo& attachment) {
  return attachment.ethdev;
}

/// What no two ports can have at once: a device of DPDK, a kernel interface of a namespace.
std::vector<std::string> claims(const PortPlan::Ethernet& port) {
  const std::string& device = port.config.device;
  std::string name = device.substr(0, device.find(','));
  // A PCI address may be given without its domain.
  if (std::count(name.begin(), name.end(), ':') == 1) name.insert(0, "0000:");
  std::vector<std::string> result = {"device " + name};
  constexpr std::string_view kKey = ",iface=";
  if (const size_t at = device.find(kKey); at != std::string::npos) {
    const size_t begin = at + kKey.size();
    result.push_back("interface " + device.substr(begin, device.find(',', begin) - begin));
  }
  return result;
}
std::vector<std::string> claims(const PortPlan::Attachment& port) {
  return {"interface " + port.name + (port.netns.empty() ? "" : " in " + port.netns)};
}

std::set<std::string> claims_of_added(const compile::PortChanges& changes) {
  std::set<std::string> all;
  const auto insert = [&](const auto& ports) {
    for (const auto& port : ports)
      for (std::string& claim : claims(port)) all.insert(std::move(claim));
  };
  insert(changes.add_ethernets);
  insert(changes.add_attachments);
  return all;
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

bool Devices::configure(PortInfo* info, PortConfig config, std::string* error) {
  config.idle = false;
  if (dataplane_.configure_port(info->ethdev, config, info, error)) return true;
  if (!info->must_stop) return false;
  if (!withdraw({info->ethdev})) {
    *error = kHeld;
    return false;
  }
  // The snapshot that is published at the end of the change brings it back.
  config.idle = true;
  return dataplane_.configure_port(info->ethdev, config, info, error);
}

Status Devices::configure(const PortPlan::Ethernet& port) {
  auto it = learned_.ethernets.find(port.name);
  if (it == learned_.ethernets.end()) return {};
  std::string error;
  if (configure(&it->second.info, port.config, &error)) return {};
  return failed("/interface/ethernet", port.name, "mtu", error);
}

Status Devices::configure(const PortPlan::Attachment& port) {
  auto it = learned_.attachments.find(port.name);
  if (it == learned_.attachments.end()) return {};
  std::string error;
  PortConfig config;
  config.mtu = port.mtu;
  if (configure(&it->second, config, &error)) return {};
  return failed("/interface/macvlan", port.name, "mtu", error);
}

bool Devices::withdraw(const std::vector<uint16_t>& ethdevs) {
  const Snapshot* current = dataplane_.current();
  if (ethdevs.empty() || current == nullptr) return true;
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
  return dataplane_.synchronize(kPatienceMs);
}

/// Removes devices that no snapshot has any more, once no worker can be at them.
void Devices::remove(const std::vector<uint16_t>& ethdevs) {
  if (ethdevs.empty()) return;
  if (!dataplane_.synchronize(kPatienceMs)) {
    held_.insert(held_.end(), ethdevs.begin(), ethdevs.end());
    log::write(log::Level::kWarning, "interface,warning",
               "a worker did not let go of {} device(s) in time, as a driver blocks; they are "
               "removed when it has",
               ethdevs.size());
    return;
  }
  for (uint16_t ethdev : ethdevs) dataplane_.remove_port(ethdev);
}

/// Takes out what goes. What stands in the way of what comes goes at once, the rest in settle().
Status Devices::make_room() {
  struct Leaver {
    const char* path;
    std::string name;
    uint16_t ethdev;
    bool now;
  };
  std::vector<Leaver> leavers;
  const std::set<std::string> claimed = claims_of_added(changes_);
  const auto collect = [&](const auto& names, const auto& plan, const auto& added, auto& learned,
                           const char* path) {
    for (const std::string& name : names) {
      auto it = learned.find(name);
      const auto* port = find_named(plan, name);
      if (it == learned.end() || port == nullptr) continue;
      const std::vector<std::string> mine = claims(*port);
      const bool now = find_named(added, name) != nullptr ||
                       std::any_of(mine.begin(), mine.end(),
                                   [&](const std::string& c) { return claimed.contains(c); });
      leavers.push_back({path, name, ethdev_of(it->second), now});
      learned.erase(it);
    }
  };
  collect(changes_.remove_attachments, have_.attachments, changes_.add_attachments,
          learned_.attachments, "/interface/macvlan");
  collect(changes_.remove_ethernets, have_.ethernets, changes_.add_ethernets, learned_.ethernets,
          "/interface/ethernet");

  // DPDK has so many places for ports and no more.
  const auto first = static_cast<size_t>(
      std::count_if(leavers.begin(), leavers.end(), [](const Leaver& l) { return l.now; }));
  const bool full = changes_.add_ethernets.size() + changes_.add_attachments.size() >
                    dataplane_.ports_left() + first;
  std::vector<uint16_t> now;
  for (Leaver& leaver : leavers) {
    leaver.now |= full;
    (leaver.now ? now : leaving_).push_back(leaver.ethdev);
  }
  const bool free = withdraw(now);
  for (const Leaver& leaver : leavers) {
    if (!leaver.now) continue;
    if (!free) return failed(leaver.path, leaver.name, "", std::string(kHeld));
    dataplane_.remove_port(leaver.ethdev);
    made_room_.insert(leaver.name);
  }
  return {};
}

Status Devices::carry_out() {
  Status status = make_room();
  const auto each = [&](const auto& ports, auto&& act) {
    for (const auto& port : ports)
      if (status) status = act(port);
  };
  const auto adding = [this](const auto& port) { return add(port); };
  const auto configuring = [this](const auto& port) { return configure(port); };
  each(changes_.add_ethernets, adding);
  each(changes_.configure_ethernets, configuring);
  each(changes_.add_attachments, adding);
  each(changes_.configure_attachments, configuring);
  return status;
}

void Devices::rename(const Renames& renames) {
  for (PortPlan::Ethernet& port : have_.ethernets) maclane::rename(renames, port.name);
  rename_keys(renames, learned_.ethernets);
}

Status Devices::prepare(const PortPlan& want, const Renames& renames) {
  retry();
  renames_ = renames;
  // A name of a port that goes with the same change is given to a new port.
  std::erase_if(renames_, [&](const auto& one) {
    return !renames.contains(one.second) && find_named(have_.ethernets, one.second) != nullptr;
  });
  rename(renames_);
  changes_ = diff(have_, want);
  before_ = have_;
  want_ = want;
  learned_before_ = learned_;
  made_room_.clear();
  leaving_.clear();
  added_.clear();
  Status status = carry_out();
  if (!status) revert();
  return status;
}

void Devices::settle() {
  have_ = want_;
  added_.clear();
  remove(leaving_);
  leaving_.clear();
}

void Devices::retry() {
  if (held_.empty() || !dataplane_.synchronize(1)) return;
  for (uint16_t ethdev : held_) dataplane_.remove_port(ethdev);
  held_.clear();
}

void Devices::revert() {
  // None of the added was in a snapshot yet.
  for (uint16_t ethdev : added_) dataplane_.remove_port(ethdev);
  leaving_.clear();
  // Settings that were reached are read back from the devices by restore().
  learned_ = learned_before_;
  have_ = before_;
  restore(have_.ethernets, learned_.ethernets, changes_.configure_ethernets);
  restore(have_.attachments, learned_.attachments, changes_.configure_attachments);
  added_.clear();
  Renames back;
  for (const auto& [from, to] : std::exchange(renames_, {})) back.emplace(to, from);
  rename(back);
}

/// Brings back the ports that made room, and the settings of those that were to be set otherwise.
template <typename Port, typename Learned>
void Devices::restore(std::vector<Port>& have, Learned& learned,
                      const std::vector<Port>& configured) {
  std::erase_if(have, [&](const Port& port) {
    const bool gone = made_room_.contains(port.name);
    if (gone) learned.erase(port.name);
    if (!gone && find_named(configured, port.name) == nullptr) return false;
    const Status status = gone ? add(port) : configure(port);
    if (status) return false;
    const std::string why = status.error().front().text();
    if (gone) {
      log::write(log::Level::kError, "interface,error",
                 "{}; {} had made room for a change that was refused and does not come back: it is "
                 "down until the configuration is loaded again",
                 why, port.name);
    } else {
      log::write(log::Level::kError, "interface,error",
                 "{}; {} keeps settings of a change that was refused", why, port.name);
    }
    return gone;  // unknown from here on, the next change adds it
  });
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
