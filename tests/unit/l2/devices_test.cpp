// Devices over a dataplane that is played: workers that do not let go, drivers that want to be
// stopped, devices that do not come.
#include "control/devices.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace maclane {
namespace {

constexpr uint16_t kPorts = 4;

/// What the played DPDK has and does.
struct Played {
  struct Device {
    PortConfig config;
    PortInfo info;
  };
  std::map<uint16_t, Device> devices;
  std::unique_ptr<Snapshot> current;
  bool stuck = false;           // no worker lets go
  bool mtu_needs_stop = false;  // as a driver that says -EBUSY
  std::string absent;           // a device that does not come any more
  unsigned stops = 0;

  [[nodiscard]] bool polled(uint16_t ethdev) const {
    if (current == nullptr) return false;
    for (const RxQueue& q : current->rx[0])
      if (current->ports[q.port].ethdev == ethdev) return true;
    return false;
  }
  bool add(const std::string& name, const PortConfig& config, PortInfo* info, std::string* error) {
    const bool bad = config.device.find("bogus") != std::string::npos || name == absent;
    if (bad || devices.size() >= kPorts || find(name) != nullptr) {
      *error = bad ? "no such device" : find(name) != nullptr ? "in use" : "no room";
      return false;
    }
    Device made;
    made.config = config;
    made.info.ethdev = next_free();
    made.info.device = name;
    made.info.mtu = config.mtu;
    devices[made.info.ethdev] = made;
    *info = made.info;
    return true;
  }
  [[nodiscard]] const Device* find(const std::string& name) const {
    for (const auto& [number, device] : devices)
      if (device.info.device == name) return &device;
    return nullptr;
  }
  [[nodiscard]] uint16_t next_free() const {
    uint16_t number = 0;
    while (devices.contains(number)) ++number;
    return number;
  }
};

Played* played = nullptr;

}  // namespace

// The dataplane's functions that Devices calls --------------------------------------------------

struct Dataplane::Impl {};
Dataplane::Dataplane() = default;
Dataplane::~Dataplane() = default;
std::unique_ptr<Dataplane> Dataplane::start(const DataplaneConfig& /*config*/,
                                            std::string* /*error*/) {
  return std::unique_ptr<Dataplane>(new Dataplane);
}
bool Dataplane::add_port(const PortConfig& config, PortInfo* info, std::string* error) {
  return played->add(config.device.substr(0, config.device.find(',')), config, info, error);
}
bool Dataplane::add_attachment(const std::string& kernel_name, const MacAddr& /*mac*/, uint16_t mtu,
                               const std::string& netns, PortInfo* info, std::string* error) {
  PortConfig config;
  config.mtu = mtu;
  return played->add(netns + "/" + kernel_name, config, info, error);
}
bool Dataplane::configure_port(uint16_t ethdev, const PortConfig& config, PortInfo* info,
                               std::string* error) {
  Played::Device& device = played->devices.at(ethdev);
  device.info.must_stop = false;
  if (config.mtu == 666) {
    *error = "no such mtu";
    return false;
  }
  if (config.mtu != device.info.mtu && played->mtu_needs_stop) {
    device.info.must_stop = !config.idle;
    *info = device.info;
    if (!config.idle) return false;
    EXPECT_FALSE(played->polled(ethdev)) << "stopped under a worker";
    ++played->stops;
  }
  device.config = config;
  device.info.mtu = config.mtu;
  *info = device.info;
  return true;
}
void Dataplane::remove_port(uint16_t ethdev) {
  EXPECT_FALSE(played->polled(ethdev)) << "removed under a worker";
  EXPECT_FALSE(played->stuck) << "removed although a worker may be at it";
  EXPECT_EQ(played->devices.erase(ethdev), 1u);
}
bool Dataplane::link_up(uint16_t /*ethdev*/) const {
  return true;
}
unsigned Dataplane::ports_left() const {
  return kPorts - static_cast<unsigned>(played->devices.size());
}
void Dataplane::publish(std::unique_ptr<Snapshot> snapshot) {
  played->current = std::move(snapshot);
}
const Snapshot* Dataplane::current() const {
  return played->current.get();
}
bool Dataplane::synchronize(unsigned /*timeout_ms*/) {
  return !played->stuck;
}

namespace {

using compile::PortPlan;

class DevicesTest : public testing::Test {
 protected:
  DevicesTest() {
    played = &world_;
    std::string error;
    dataplane_ = Dataplane::start({}, &error);
    devices_ = std::make_unique<Devices>(*dataplane_);
  }

  static PortPlan::Ethernet ethernet(std::string name, std::string device, uint16_t mtu = 1500) {
    PortPlan::Ethernet port;
    port.name = std::move(name);
    port.config.device = std::move(device);
    port.config.mtu = mtu;
    return port;
  }

  /// As the router does after each change, made or refused: every learned port is polled.
  void publish() {
    auto snapshot = std::make_unique<Snapshot>();
    const auto add = [&](uint16_t ethdev) {
      snapshot->rx[0].push_back({static_cast<uint16_t>(snapshot->ports.size()), 0});
      snapshot->ports.emplace_back().ethdev = ethdev;
    };
    for (const auto& [name, one] : devices_->learned().ethernets) add(one.info.ethdev);
    for (const auto& [name, info] : devices_->learned().attachments) add(info.ethdev);
    dataplane_->publish(std::move(snapshot));
  }
  bool change(const PortPlan& plan, const Renames& renames = {}) {
    const bool done = devices_->prepare(plan, renames).has_value();
    publish();
    if (done) devices_->settle();
    return done;
  }
  /// The device behind a name that was learned; empty if none was.
  std::string device(const std::string& name) const {
    const auto& ethernets = devices_->learned().ethernets;
    if (auto it = ethernets.find(name); it != ethernets.end())
      return world_.devices.at(it->second.info.ethdev).info.device;
    const auto& attachments = devices_->learned().attachments;
    if (auto it = attachments.find(name); it != attachments.end())
      return world_.devices.at(it->second.ethdev).info.device;
    return {};
  }
  uint16_t mtu(const std::string& device) const { return world_.find(device)->info.mtu; }

  Played world_;
  std::unique_ptr<Dataplane> dataplane_;
  std::unique_ptr<Devices> devices_;
};

TEST_F(DevicesTest, RefusedDeviceComesBackUnderItsNumber) {
  const PortPlan good{{ethernet("e1", "null0"), ethernet("e2", "null1")}, {}};
  ASSERT_TRUE(change(good));
  EXPECT_FALSE(change({{ethernet("e1", "null0,bogus=1"), ethernet("e2", "null1")}, {}}));
  EXPECT_EQ(device("e1"), "null0");
  EXPECT_EQ(device("e2"), "null1");
  EXPECT_EQ(world_.devices.size(), 2u);
}

TEST_F(DevicesTest, RefusedLaterPortBringsBackTheOnesThatWereReplaced) {
  ASSERT_TRUE(change({{ethernet("e1", "null0")}, {{"web", {}, 1500, "a"}}}));
  EXPECT_FALSE(change(
      {{ethernet("e1", "null0,x=1"), ethernet("e2", "null5,bogus=1")}, {{"web", {}, 1500, "b"}}}));
  EXPECT_EQ(device("e1"), "null0");
  EXPECT_EQ(world_.find("null0")->config.device, "null0");
  EXPECT_EQ(device("web"), "a/web");
  EXPECT_EQ(world_.devices.size(), 2u);
}

TEST_F(DevicesTest, WhatDoesNotComeBackIsTriedAgain) {
  const PortPlan good{{ethernet("e1", "null0"), ethernet("e2", "null1")}, {}};
  ASSERT_TRUE(change(good));
  world_.absent = "null0";
  EXPECT_FALSE(change({{ethernet("e1", "null0,x=1"), ethernet("e2", "null1")}, {}}));
  EXPECT_EQ(device("e1"), "");
  EXPECT_EQ(device("e2"), "null1");
  world_.absent.clear();
  EXPECT_TRUE(change(good));
  EXPECT_EQ(device("e1"), "null0");
}

TEST_F(DevicesTest, RevertLeavesAloneWhatOnlyGoes) {
  ASSERT_TRUE(change({{ethernet("e1", "null0"), ethernet("e2", "null1")}, {}}));
  const uint16_t before = devices_->learned().ethernets.find("e2")->second.info.ethdev;
  EXPECT_FALSE(change({{ethernet("e1", "null0,bogus=1")}, {}}));
  EXPECT_EQ(device("e2"), "null1");
  EXPECT_EQ(devices_->learned().ethernets.find("e2")->second.info.ethdev, before);
}

TEST_F(DevicesTest, RefusedChangeGivesBackMtus) {
  ASSERT_TRUE(change({{ethernet("e1", "null0")}, {{"a", {}, 1500, ""}, {"b", {}, 1500, ""}}}));
  EXPECT_FALSE(
      change({{ethernet("e1", "null0", 1400)}, {{"a", {}, 1300, ""}, {"b", {}, 666, ""}}}));
  EXPECT_EQ(mtu("null0"), 1500);
  EXPECT_EQ(mtu("/a"), 1500);
  EXPECT_TRUE(
      change({{ethernet("e1", "null0", 1400)}, {{"a", {}, 1300, ""}, {"b", {}, 1200, ""}}}));
  EXPECT_EQ(mtu("/a"), 1300);
}

TEST_F(DevicesTest, PortIsStoppedOnlyWithoutWorkers) {
  ASSERT_TRUE(change({{ethernet("e1", "null0")}, {}}));
  world_.mtu_needs_stop = true;
  EXPECT_TRUE(change({{ethernet("e1", "null0", 1400)}, {}}));
  EXPECT_EQ(mtu("null0"), 1400);
  EXPECT_EQ(world_.stops, 1u);
  EXPECT_TRUE(world_.polled(0));

  world_.stuck = true;
  EXPECT_FALSE(change({{ethernet("e1", "null0", 1300)}, {}}));
  EXPECT_EQ(mtu("null0"), 1400);
  EXPECT_EQ(world_.stops, 1u);
  EXPECT_TRUE(world_.polled(0));
}

TEST_F(DevicesTest, RenamedPortTakesItsDeviceAlong) {
  ASSERT_TRUE(change({{ethernet("e1", "null0,x=1"), ethernet("e2", "null1")}, {}}));
  EXPECT_TRUE(change({{ethernet("wan", "null0,y=2"), ethernet("e2", "null1")}, {}}));
  EXPECT_EQ(device("wan"), "null0");
  EXPECT_EQ(device("e1"), "");
  EXPECT_FALSE(change({{ethernet("e1", "null0,bogus=1"), ethernet("e2", "null1")}, {}}));
  EXPECT_EQ(device("wan"), "null0");
  EXPECT_EQ(device("e1"), "");
}

TEST_F(DevicesTest, AnotherNameOpensNoPortAnew) {
  const auto number = [&](const std::string& name) {
    const auto& all = devices_->learned().ethernets;
    const auto found = all.find(name);
    return found == all.end() ? -1 : int{found->second.info.ethdev};
  };
  ASSERT_TRUE(change({{ethernet("e1", "null0"), ethernet("e2", "null1")}, {}}));
  const int first = number("e1"), second = number("e2");
  ASSERT_TRUE(change({{ethernet("wan", "null0"), ethernet("e2", "null1")}, {}}, {{"e1", "wan"}}));
  EXPECT_EQ(number("wan"), first);
  EXPECT_EQ(number("e1"), -1);
  // Two change places.
  ASSERT_TRUE(change({{ethernet("e2", "null0"), ethernet("wan", "null1")}, {}},
                     {{"wan", "e2"}, {"e2", "wan"}}));
  EXPECT_EQ(number("e2"), first);
  EXPECT_EQ(number("wan"), second);
  // What is refused leaves the names as they were.
  EXPECT_FALSE(
      change({{ethernet("x", "null0"), ethernet("wan", "null1,bogus=1")}, {}}, {{"e2", "x"}}));
  EXPECT_EQ(number("e2"), first);
  EXPECT_EQ(number("x"), -1);
  EXPECT_EQ(device("wan"), "null1");
}

TEST_F(DevicesTest, KernelInterfaceGoesBeforeAPortThatTakesItsName) {
  ASSERT_TRUE(change({{ethernet("e1", "null0")}, {{"web", {}, 1500, ""}}}));
  EXPECT_TRUE(
      devices_->prepare({{ethernet("e1", "null0"), ethernet("e2", "tap1,iface=web")}, {}}, {}));
  EXPECT_EQ(world_.find("/web"), nullptr);
}

TEST_F(DevicesTest, AFullDpdkIsEmptiedFirst) {
  const auto four = [](const std::string& prefix) {
    PortPlan plan;
    for (int i = 0; i < kPorts; ++i)
      plan.ethernets.push_back(ethernet(prefix + std::to_string(i), prefix + std::to_string(i)));
    return plan;
  };
  ASSERT_TRUE(change(four("a")));
  EXPECT_TRUE(change(four("b")));
  EXPECT_EQ(device("b3"), "b3");
}

TEST_F(DevicesTest, WhatAWorkerHoldsIsRemovedLater) {
  ASSERT_TRUE(change({{ethernet("e1", "null0"), ethernet("e2", "null1")}, {}}));
  world_.stuck = true;
  EXPECT_TRUE(change({{ethernet("e1", "null0")}, {}}));
  EXPECT_NE(world_.find("null1"), nullptr);
  devices_->retry();
  EXPECT_NE(world_.find("null1"), nullptr);
  world_.stuck = false;
  devices_->retry();
  EXPECT_EQ(world_.find("null1"), nullptr);
}

TEST_F(DevicesTest, ReplacingAHeldDeviceIsRefused) {
  ASSERT_TRUE(change({{ethernet("e1", "null0")}, {}}));
  world_.stuck = true;
  const Status status = devices_->prepare({{ethernet("e1", "null0,x=1")}, {}}, {});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().front().text().find("did not let go"), std::string::npos);
  publish();
  EXPECT_EQ(device("e1"), "null0");
  EXPECT_TRUE(world_.polled(0));
}

}  // namespace
}  // namespace maclane
