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
add action=masquerade chain=srcnat in-interface=ether2
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

/// The firewall and what it stands on as RouterOS writes them with /export verbose: every value,
/// "!name" where there is none.
constexpr const char* kVerbose = R"RSC(# 2025-02-25 00:59:25 by RouterOS 7.17.2
/interface list
set [ find name=all ] comment="contains all interfaces" exclude="" include="" \
    name=all
set [ find name=none ] comment="contains no interfaces" exclude="" include="" \
    name=none
set [ find name=dynamic ] comment="contains dynamic interfaces" exclude="" \
    include="" name=dynamic
set [ find name=static ] comment="contains static interfaces" exclude="" \
    include="" name=static
add exclude="" include="" name=LAN
add exclude=dynamic include="" name=WAN
/ip firewall connection tracking
set enabled=auto generic-timeout=10m icmp-timeout=10s loose-tcp-tracking=yes \
    tcp-close-timeout=10s tcp-close-wait-timeout=10s tcp-established-timeout=1d \
    tcp-fin-wait-timeout=10s tcp-last-ack-timeout=10s tcp-max-retrans-timeout=5m \
    tcp-syn-received-timeout=5s tcp-syn-sent-timeout=5s tcp-time-wait-timeout=10s \
    tcp-unacked-timeout=5m udp-stream-timeout=3m udp-timeout=30s
/ip settings
set accept-redirects=no accept-source-route=no allow-fast-path=yes \
    arp-timeout=30s icmp-errors-use-inbound-interface-address=no \
    icmp-rate-limit=10 icmp-rate-mask=0x1818 ip-forward=yes \
    ipv4-multipath-hash-policy=l3 max-neighbor-entries=16384 rp-filter=no \
    secure-redirects=yes send-redirects=yes tcp-syncookies=no \
    tcp-timestamps=random-offset
set max-neighbor-entries=8192 route-cache=yes
/interface list member
add disabled=no interface=ether1 list=WAN
/ip firewall filter
add action=accept chain=input comment="default configuration" \
    !connection-bytes !connection-limit !connection-mark \
    !connection-nat-state !connection-rate !connection-state !connection-type \
    !content disabled=no !dscp !dst-address !dst-address-list \
    !dst-address-type !dst-limit !dst-port !fragment !hotspot !icmp-options \
    !in-bridge-port !in-bridge-port-list !in-interface !in-interface-list \
    !ingress-priority !ipsec-policy !ipv4-options !layer7-protocol !limit \
    log=no log-prefix="" !nth !out-bridge-port !out-bridge-port-list \
    !out-interface !out-interface-list !packet-mark !packet-size \
    !per-connection-classifier !port !priority protocol=icmp !psd !random \
    !realm !routing-mark !routing-table !src-address !src-address-list \
    !src-address-type !src-mac-address !src-port !tcp-flags !tcp-mss !time \
    !tls-host !ttl
/ip firewall mangle
add action=change-mss chain=forward !connection-bytes !connection-limit \
    !connection-mark !connection-nat-state !connection-rate !connection-state \
    !connection-type !content disabled=no !dscp !dst-address \
    !dst-address-list !dst-address-type !dst-limit !dst-port !fragment \
    !hotspot !icmp-options !in-bridge-port !in-bridge-port-list !in-interface \
    !in-interface-list !ingress-priority !ipsec-policy !ipv4-options \
    !layer7-protocol !limit log=no log-prefix="" new-mss=clamp-to-pmtu !nth \
    !out-bridge-port !out-bridge-port-list out-interface=ether1 \
    !out-interface-list !packet-mark !packet-size passthrough=yes \
    !per-connection-classifier !port !priority protocol=tcp !psd !random \
    !routing-mark !routing-table !src-address !src-address-list \
    !src-address-type !src-mac-address !src-port tcp-flags=syn !tcp-mss !time \
    !tls-host !ttl
/ip firewall nat
add action=masquerade chain=srcnat comment="defconf: masquerade" \
    ipsec-policy=out,none out-interface-list=WAN !to-addresses !to-ports
add action=dst-nat chain=dstnat !connection-bytes !connection-limit \
    !connection-mark !connection-rate !connection-type !content disabled=no \
    !dscp !dst-address !dst-address-list !dst-address-type !dst-limit \
    dst-port=8080 !fragment !hotspot !icmp-options !in-bridge-port \
    !in-bridge-port-list !in-interface in-interface-list=WAN \
    !ingress-priority !ipsec-policy !ipv4-options !layer7-protocol !limit \
    log=no log-prefix="" !nth !out-bridge-port !out-bridge-port-list \
    !out-interface !out-interface-list !packet-mark !packet-size \
    !per-connection-classifier !port !priority protocol=tcp !psd !random \
    !routing-mark !routing-table !src-address !src-address-list \
    !src-address-type !src-mac-address !src-port !tcp-mss !time !tls-host \
    to-addresses=192.168.88.64 to-ports=80 !ttl
/ip firewall raw
add action=notrack chain=prerouting !content disabled=no !dscp !dst-address \
    !dst-address-list !dst-address-type !dst-limit dst-port=53 !fragment \
    !hotspot !icmp-options !in-bridge-port !in-bridge-port-list !in-interface \
    !in-interface-list !ingress-priority !ipsec-policy !ipv4-options !limit \
    log=no log-prefix="" !nth !out-bridge-port !out-bridge-port-list \
    !out-interface !out-interface-list !packet-size \
    !per-connection-classifier !port !priority protocol=udp !psd !random \
    !src-address !src-address-list !src-address-type !src-mac-address \
    !src-port !tcp-flags !tcp-mss !time !tls-host !ttl
/ip firewall service-port
set ftp disabled=no ports=21
set tftp disabled=no ports=69
set irc disabled=yes ports=6667
set sip disabled=no ports=5060,5061 sip-direct-media=yes sip-timeout=1h
set pptp disabled=no
set rtsp disabled=yes ports=554
set udplite disabled=no
set dccp disabled=no
set sctp disabled=no
)RSC";

TEST_F(ConsoleTest, TakesAFirewallThatRouterOsExportsVerbosely) {
  const std::string before = says("/ip settings export");
  EXPECT_EQ(says(kVerbose, {{"pieces", true}}), "");
  EXPECT_EQ(says("/ip settings set max-neighbor-entries=16384; /ip settings export"), before)
      << "they are the defaults";
  EXPECT_THAT(says("/ip firewall filter export terse"),
              HasSubstr("add action=accept chain=input comment=\"default configuration\" "
                        "protocol=icmp\n"));
}

}  // namespace
}  // namespace maclane::door
