// What RouterOS writes with /export goes in as it is (C-45).
#include <gmock/gmock.h>

#include "tests/unit/door/console_fixture.h"

namespace maclane::door {
namespace {

using testing::HasSubstr;

/// What a router of MikroTik's writes with /export: its defaults, and what people add to them.
constexpr const char* kOfRouterOs = R"RSC(# 2024-11-02 12:00:00 by RouterOS 7.16.1
# software id = ABCD-1234
#
# model = RB5009UG+S+
# serial number = HEXHEX
/interface ethernet
set [ find default-name=ether1 ] comment=WAN disable-running-check=no
/interface macvlan
add interface=ether1 mac-address=02:11:22:33:44:55 mode=bridge name=macvlan1
/interface vlan
add interface=ether1 mvrp=no name=vlan10 vlan-id=10
/interface list
add comment=defconf name=WAN
add comment=defconf name=LAN
/ip pool
add name=dhcp ranges=192.168.88.10-192.168.88.254
/ip dhcp-server
add address-pool=dhcp interface=ether2 lease-time=10m name=defconf
/interface list member
add comment=defconf interface=ether2 list=LAN
add comment=defconf interface=ether1 list=WAN
/ip dhcp-client
add comment=defconf interface=macvlan1
/ip dhcp-server network
add address=192.168.88.0/24 comment=defconf dns-server=192.168.88.1 gateway=\
    192.168.88.1 netmask=24
/ip dns
set allow-remote-requests=yes cache-size=4096KiB servers=1.1.1.1,8.8.8.8
/ip dns static
add address=192.168.88.1 comment=defconf name=router.lan type=A
/ip firewall address-list
add address=10.0.0.0/8 list=private
/ip firewall filter
add action=accept chain=input comment=\
    "defconf: accept established,related,untracked" connection-state=\
    established,related,untracked
add action=drop chain=input comment="defconf: drop invalid" connection-state=\
    invalid
add action=accept chain=input comment="defconf: accept ICMP" protocol=icmp
add action=accept chain=input comment=\
    "defconf: accept to local loopback (for CAPsMAN)" dst-address=127.0.0.1
add action=drop chain=input comment="defconf: drop all not coming from LAN" \
    in-interface-list=!LAN
add action=accept chain=forward comment="defconf: accept in ipsec policy" \
    ipsec-policy=in,ipsec
add action=accept chain=forward comment="defconf: accept out ipsec policy" \
    ipsec-policy=out,ipsec
add action=fasttrack-connection chain=forward comment="defconf: fasttrack" \
    connection-state=established,related hw-offload=yes
add action=accept chain=forward comment=\
    "defconf: accept established,related, untracked" connection-state=\
    established,related,untracked
add action=drop chain=forward comment="defconf: drop invalid" \
    connection-state=invalid
add action=drop chain=forward comment=\
    "defconf: drop all from WAN not DSTNATed" connection-nat-state=!dstnat \
    connection-state=new in-interface-list=WAN
/ip firewall nat
add action=masquerade chain=srcnat comment="defconf: masquerade" \
    ipsec-policy=out,none out-interface-list=WAN
/ip route
add disabled=no distance=1 dst-address=10.10.0.0/16 gateway=192.168.88.2 \
    routing-table=main scope=30 suppress-hw-offload=no target-scope=10
/ip service
set telnet disabled=yes
set ftp disabled=yes
set www disabled=yes
set ssh port=2222
set api address=192.168.88.0/24
set winbox disabled=yes
/system clock
set time-zone-name=Europe/Riga
/system identity
set name=gw1
/system scheduler
add interval=1d name=backup on-event="/system backup save name=daily" policy=\
    ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon \
    start-date=2024-01-01 start-time=03:00:00
/system script
add dont-require-permissions=no name=hello owner=admin policy=\
    ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon source=\
    ":put hello\
    \n:log info \"hi\""
/ip firewall connection tracking
set udp-timeout=10s
/ip settings
set rp-filter=loose
/user group
add name=api policy="read,write,api,!local,!telnet,!ssh,!ftp,!reboot,!policy,!\
    test,!winbox,!password,!web,!sniff,!sensitive,!romon,!rest-api"
)RSC";

TEST_F(ConsoleTest, TakesWhatRouterOsExports) {
  says(
      "/interface ethernet add name=ether2 device=net_null1\n"
      "/ip address add address=192.168.88.1/24 interface=ether2");
  EXPECT_EQ(says(kOfRouterOs, {{"pieces", true}}), "");
  EXPECT_EQ(says("/ip dns get cache-size"), "4096\n");
  EXPECT_THAT(says("/ip dns print"), HasSubstr("cache-size: 4096KiB"));
  EXPECT_EQ(says("/ip dns set cache-size=8MiB; :put [/ip dns get cache-size]"), "8192\n");
  EXPECT_THAT(says("/ip dns set cache-size=9KB"), HasSubstr("is not a whole number"));
  EXPECT_THAT(says("/ip dns set cache-size=9007199254740992MiB"),
              HasSubstr("is not a whole number"));
  EXPECT_THAT(says("/interface ethernet set ether1 disable-running-check=yes"),
              HasSubstr("is not yet working"));
}

}  // namespace
}  // namespace maclane::door
