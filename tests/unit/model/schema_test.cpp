// The tables themselves: that what they say is consistent.
#include "control/model/schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "control/door/reference.h"
#include "control/model/tree.h"

namespace maclane::model {
namespace {

TEST(Schema, TablesAreConsistent) {
  std::set<std::string_view> paths;
  for (const Menu& menu : menus()) {
    EXPECT_TRUE(paths.insert(menu.path).second) << menu.path;
    EXPECT_FALSE(menu.help.empty()) << menu.path;
    std::set<std::string_view> names;
    for (const Property& property : menu.properties) {
      SCOPED_TRACE(std::string(menu.path) + " " + std::string(property.name));
      EXPECT_TRUE(names.insert(property.name).second);
      const auto canonical = normalize(property, property.default_value);
      ASSERT_TRUE(canonical) << canonical.error();
      EXPECT_EQ(*canonical, property.default_value) << "defaults are canonical";
      for (std::string_view path : property.reference) EXPECT_NE(find_menu(path), nullptr);
      if (property.type == Type::kEnum) {
        EXPECT_FALSE(property.values.empty());
      }
      if (property.type == Type::kReference) {
        EXPECT_FALSE(property.reference.empty());
      }
      // Flags of one type of value say nothing of another: two must not share a bit.
      if (property.has(Property::kMayBeLost)) {
        EXPECT_EQ(property.type, Type::kReference);
      }
      if (property.has(Property::kIp6Too)) {
        EXPECT_EQ(property.type, Type::kIp4Prefix);
      }
      if (!property.not_working.empty() || property.has(Property::kNotYet)) {
        EXPECT_FALSE(property.not_working_reason.empty());
      }
    }
    for (std::string_view column : menu.columns) EXPECT_GE(menu.index(column), 0) << column;
    for (std::string_view column : menu.stats_columns) EXPECT_GE(menu.index(column), 0) << column;
    for (const FlagLetter& letter : menu.letters) EXPECT_GE(menu.index(letter.property), 0);
  }
}

TEST(Schema, MacvlanHasEveryRouterOsProperty) {
  const Menu* menu = find_menu("/interface/macvlan");
  for (const char* name : {"arp", "arp-timeout", "comment", "disabled", "interface", "loop-protect",
                           "loop-protect-disable-time", "loop-protect-send-interval", "mac-address",
                           "mode", "mtu", "name", "l2mtu", "loop-protect-status", "running"}) {
    EXPECT_GE(menu->index(name), 0) << name;
  }
  EXPECT_EQ(menu->find("mode")->default_value, "bridge");
  EXPECT_EQ(menu->find("loop-protect-send-interval")->default_value, "5s");
  EXPECT_EQ(menu->find("loop-protect-disable-time")->default_value, "5m");
  EXPECT_EQ(menu->columns[0], "name");
  EXPECT_EQ(menu->columns[4], "mode");
}

TEST(Schema, MenusAreFoundInEverySpelling) {  // E-47
  const Menu* menu = find_menu("/interface/macvlan");
  ASSERT_NE(menu, nullptr);
  for (const char* path :
       {"interface/macvlan", "/interface macvlan", "interface macvlan", "/interface/macvlan/"}) {
    EXPECT_EQ(find_menu(path), menu) << path;
  }
  EXPECT_EQ(find_menu("/interface/nothing"), nullptr);
  EXPECT_EQ(find_menu("")->kind, Menu::Kind::kGroup) << "the root";
  EXPECT_EQ(find_menu(""), find_menu("/"));
  EXPECT_TRUE(is_later_menu("/ip/dhcp-relay/more"));
  EXPECT_FALSE(is_later_menu("/ip/dhcp-relays"));
}

TEST(Schema, TreesStartWithDefaults) {
  const Tree tree;
  EXPECT_EQ(tree.settings("/system/identity").get("name"), "Maclane");
  EXPECT_EQ(tree.settings("/ip/settings").get_time_ms("arp-timeout"), 30'000);  // A1
  EXPECT_EQ(tree.settings("/dataplane").get_integer("max-sessions"), 262144);
  const View tracking = tree.settings("/ip/firewall/connection/tracking");  // B-18
  EXPECT_EQ(tracking.get("tcp-established-timeout"), "1d");
  EXPECT_EQ(tracking.get("udp-timeout"), "30s");
  EXPECT_TRUE(tracking.get_bool("loose-tcp-tracking"));
  EXPECT_TRUE(validate(tree).empty());
}

TEST(Reference, HasEveryPropertyOfEveryMenu) {
  const std::string page = door::reference();
  for (size_t i = 0; i < menus().size(); ++i) {
    const Menu& menu = menus()[i];
    const size_t begin = page.find(fmt::format("\n## {}\n", menu.path));
    ASSERT_NE(begin, std::string::npos) << menu.path;
    const std::string part = page.substr(begin, page.find("\n## ", begin + 1) - begin);
    EXPECT_NE(part.find(menu.help), std::string::npos) << menu.path << " and what it is";
    for (const Property& property : menu.properties) {
      const size_t row = part.find(fmt::format("\n| `{}` | ", property.name));
      ASSERT_NE(row, std::string::npos) << menu.path << " " << property.name;
      const std::string line = part.substr(row + 1, part.find('\n', row + 1) - row - 1);
      EXPECT_EQ(line.find("read-only") != std::string::npos, property.has(Property::kReadOnly))
          << line;
      EXPECT_NE(line.find(fmt::format(" | {} | ", property.default_value)), std::string::npos)
          << line;
      EXPECT_FALSE(door::takes(property).empty()) << menu.path << " " << property.name;
    }
    for (const Command& command : menu.commands) {
      EXPECT_NE(part.find(fmt::format("`{}`: ", command.name)), std::string::npos)
          << menu.path << " " << command.name;
    }
  }
}

TEST(Reference, SaysWhatAPropertyTakes) {
  const Menu& macvlan = *find_menu("/interface/macvlan");
  EXPECT_EQ(door::takes(*macvlan.find("mtu")), "integer 68..65535");
  EXPECT_EQ(door::takes(*macvlan.find("disabled")), "yes | no");
  EXPECT_EQ(door::takes(*find_menu("/ip/firewall/filter")->find("dst-port")),
            "port or port-port, several with commas, `!` negates");
}

}  // namespace
}  // namespace maclane::model
