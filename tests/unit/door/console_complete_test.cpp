// What the console offers at the end of a text (C-44).
#include <filesystem>

#include "tests/unit/door/console_fixture.h"

namespace maclane::door {
namespace {

TEST_F(ConsoleTest, Completes) {
  EXPECT_EQ(words("/int"), "interface");
  EXPECT_EQ(words("/interface macvlan e"), "enable export");
  EXPECT_EQ(words("/interface macvlan print te"), "terse");
  EXPECT_EQ(words("/interface macvlan add m"), "mac-address= mode= mtu= multicast=");
  EXPECT_EQ(words("/interface macvlan add mode="), "bridge private");
  EXPECT_EQ(words("/interface macvlan add interface="), "ether1");
  EXPECT_EQ(words("/interface ethernet set e"), "ether1");
  // Parts of lists, what stands behind "not", and what can be taken away.
  EXPECT_EQ(words("/ip firewall filter add connection-state=established,rel"), "related");
  EXPECT_EQ(words("/ip firewall filter add connection-state=!est"), "established");
  EXPECT_EQ(words("/ip firewall filter add in-interface=!eth"), "ether1");
  EXPECT_EQ(words("/interface macvlan set m !mt"), "mtu");
  // Rows that are looked for.
  says(
      "/ip firewall filter add chain=own action=drop; add chain=forward action=jump "
      "jump-target=own comment=\"a b\"",
      {{"menu", "/ip/firewall/filter"}});
  EXPECT_EQ(words("/ip firewall filter add chain="), "input forward output own");
  EXPECT_EQ(words("/ip firewall filter add chain=o"), "output own");
  EXPECT_EQ(words("/ip firewall filter add jump-target="), "own forward");
  EXPECT_EQ(words("/ip firewall nat add chain=s"), "srcnat");
  EXPECT_EQ(words("/ip firewall filter print where cha"), "chain");
  EXPECT_EQ(kind("/ip firewall filter print where cha"), "property");
  EXPECT_EQ(kind("/ip firewall filter add cha"), "parameter");
  EXPECT_EQ(words("/ip firewall filter print where chain="), "own forward");
  EXPECT_EQ(words("/ip firewall filter print where chain=o"), "own");
  EXPECT_EQ(words("/ip firewall filter print where action=dr"), "drop");
  EXPECT_EQ(words("/ip firewall filter remove [find jump-"), "jump-target");
  EXPECT_EQ(words("/ip firewall filter remove [find where jump-target="), "own");
  EXPECT_EQ(words("/interface ethernet set [find name=e"), "ether1");
  EXPECT_NE((" " + words("/interface ethernet set [find ")).find(" name"), std::string::npos);
  EXPECT_EQ(words("/ip firewall filter add chain=x place-before="), "0 1");
  EXPECT_EQ(words("/ip firewall filter move 1"), "1");
  says("/ip firewall address-list add list=guests address=10.0.0.1");
  says("/ip firewall mangle add chain=prerouting action=mark-connection new-connection-mark=gold");
  EXPECT_EQ(words("/ip firewall filter add src-address-list=!g"), "guests");
  EXPECT_EQ(words("/ip firewall address-list add list="), "guests");
  EXPECT_EQ(words("/ip firewall filter add connection-mark="), "gold");
  says("/system script add name=nightly source=\":put 1\"");
  EXPECT_EQ(words("/system script run n"), "nightly");
  EXPECT_EQ(words("pr", "/interface/macvlan"), "print");
  EXPECT_EQ(words("/nothing "), "");
  EXPECT_EQ(words("print", "/ip"), "");
}

TEST_F(ConsoleTest, OffersFiles) {
  model_.provide_rows("/file", [] {
    std::vector<model::PrintRow> out;
    for (const char* name : {"first.rsc", "night.backup"}) {
      model::PrintRow row;
      row.id = "*" + std::to_string(out.size() + 1);
      row.fields = {{"name", name}, {"type", "script"}};
      out.push_back(std::move(row));
    }
    return out;
  });
  EXPECT_EQ(words("/import file-name="), "first.rsc night.backup");
  EXPECT_EQ(words("/import file-name=fi"), "first.rsc");
  EXPECT_EQ(words("/import "), "dry-run file-name= from-line= verbose first.rsc night.backup");
  EXPECT_EQ(words("/import fir"), "first.rsc");
  EXPECT_EQ(words("/import fi"), "file-name= first.rsc");
  EXPECT_EQ(words("/system backup load name="), "first.rsc night.backup");
  EXPECT_EQ(words("/file remove "), "first.rsc night.backup");
  EXPECT_EQ(words("/file remove ni"), "night.backup");
  EXPECT_EQ(words("/certificate import file-name=n"), "night.backup");
  EXPECT_EQ(words("/system reset-configuration run-after-reset=f"), "first.rsc");
}

TEST_F(ConsoleTest, OffersProtocols) {
  EXPECT_EQ(words("/ip firewall filter add protocol=tc"), "tcp");
  EXPECT_EQ(words("/ip firewall filter add protocol=!ud"), "udp udp-lite");
  EXPECT_EQ(words("/ip firewall filter print where protocol=icmp"), "icmp icmpv6");
  const std::string all = words("/ip firewall nat add protocol=");
  EXPECT_NE((" " + all + " ").find(" gre "), std::string::npos) << all;
  EXPECT_EQ((" " + all).find(" 2"), std::string::npos) << "numbers are no names: " << all;
}

TEST_F(ConsoleTest, OffersGlobals) {
  EXPECT_EQ(words(":put $xy"), "");
  says(":global xyzvar 5; :global other 1");
  EXPECT_EQ(words(":put $xy"), "xyzvar");
  EXPECT_EQ(kind(":put $xy"), "variable");
  EXPECT_EQ(words(":put $"), "other xyzvar");
  EXPECT_EQ(words(":put ($xy"), "xyzvar");
  EXPECT_EQ(words(":set xy"), "xyzvar");
}

TEST_F(ConsoleTest, OffersNothingThatIsRefused) {
  EXPECT_EQ(words("/interface ethernet set ether1 sp"), "");
  EXPECT_EQ(words("/interface ethernet set ether1 !adv"), "");
  EXPECT_EQ(words("/interface ethernet print where auto"), "");
  EXPECT_EQ(words("/system clock set "), "time-zone-name=");
}

TEST_F(ConsoleTest, OffersZones) {
  const bool there = std::filesystem::exists("/usr/share/zoneinfo/Europe/Vienna");
  EXPECT_EQ(words("/system clock set time-zone-name=Europe/Vi"),
            there ? "Europe/Vienna Europe/Vilnius" : "");
  EXPECT_EQ(words("/system clock set time-zone-name=UT"), there ? "UTC" : "");
  EXPECT_EQ(words("/system clock set time-zone-name=zone"), "");   // a table
  EXPECT_EQ(words("/system clock set time-zone-name=posix"), "");  // the same ones again
}

}  // namespace
}  // namespace maclane::door
