"""What a person sees of the firewall: rows, rules that cannot match, lists that come and go, times."""

import re
import time

import pytest

from scapy.all import IPOption_LSRR

from frames import ARP, ICMP, IP, TCP, UDP, Ether
from lab import Lab
from process import wait_until
from scenes import (
    LEFT_HOST, LEFT_HOST_MAC, LEFT_MAC, LEFT_ROUTER, RIGHT_HOST, RIGHT_ROUTER, back, out, two_port_rig, two_ports,
)

FILTER = "/ip/firewall/filter"
LIST = "/ip/firewall/address-list"


@pytest.fixture(scope="module")
def rig():
    config = two_ports(
        filter=[
            {"chain": "input", "action": "drop", "comment": "closed"},
            {"chain": "forward", "src-address-list": "banned", "action": "drop", "comment": "banned"},
            {"chain": "forward", "protocol": "udp", "dst-port": "6666",
             "action": "add-src-to-address-list", "address-list": "kept",
             "address-list-timeout": "none-static", "comment": "keep"},
        ],
        nat=[{"chain": "dstnat", "dst-address": LEFT_ROUTER, "protocol": "udp", "dst-port": "8053",
              "action": "dst-nat", "to-addresses": RIGHT_HOST, "to-ports": "53"}],
    )
    config["interface"]["vlan"] = [{"name": "v30", "interface": "left", "vlan-id": 30}]
    with Lab() as lab:
        yield two_port_rig(lab, config)


@pytest.fixture(autouse=True)
def quiet(rig):
    rig.clear()


def udp(port, sport=1000, src=LEFT_HOST, dst=RIGHT_HOST):
    return IP(src=src, dst=dst) / UDP(sport=sport, dport=port) / b"data"


def listed(rig, name):
    return [r for r in rig.router.print(LIST) if r["list"] == name]


def on(value):
    return value in (True, "true", "yes")


def test_forward_sees_the_translated_destination(rig):  # B-2
    ctl = rig.router.ctl
    ctl(f"{FILTER} add chain=forward dst-address={RIGHT_HOST} protocol=udp dst-port=53 "
        "action=passthrough comment=after")
    ctl(f"{FILTER} add chain=forward dst-address={LEFT_ROUTER} action=passthrough comment=before")
    (got,) = out(rig, udp(8053, dst=LEFT_ROUTER))
    assert (got[IP].dst, got[UDP].dport) == (RIGHT_HOST, 53)
    assert rig.router.rule("after") == 1
    assert rig.router.rule("before") == 0


def test_input_does_not_hide_arp_but_hides_ping_dns_and_the_api(rig):  # B-3
    before = rig.router.rule("closed")
    rig.left.wire.send(Ether(src=LEFT_HOST_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(
        op=1, hwsrc=LEFT_HOST_MAC, psrc=LEFT_HOST, pdst=LEFT_ROUTER))
    answer = rig.left.wire.wait(lambda p: ARP in p and p[ARP].op == 2, what="the ARP answer")
    assert answer[ARP].hwsrc == LEFT_MAC
    rig.left.send(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / ICMP(type=8, id=3, seq=1),
                  udp(53, dst=LEFT_ROUTER),
                  IP(src=LEFT_HOST, dst=LEFT_ROUTER) / TCP(sport=5, dport=8728, flags="S"))
    rig.settle()
    assert rig.left.wire.take(lambda p: IP in p) == []
    assert rig.router.rule("closed") == before + 3


def test_a_row_has_routeros_fields_and_flags(rig):  # B-8
    ctl = rig.router.ctl
    ctl(f"{FILTER} add chain=forward action=fasttrack-connection connection-state=established "
        "comment=ft disabled=yes")
    row = rig.router.row(FILTER, comment="ft")
    for name, value in (("chain", "forward"), ("action", "fasttrack-connection"), ("log", "false"),
                        ("log-prefix", None), ("invalid", "false"), ("dynamic", "false"),
                        ("disabled", "true"), ("bytes", "0"), ("packets", "0")):
        got = row.get(name)
        assert (got if got is None else str(got).lower()) == value, name
    assert row[".id"].startswith("*")
    text = ctl(f"{FILTER} print").stdout
    assert "Flags: X" in text
    assert re.search(r"^ *\d+ +X ", text, re.MULTILINE), text
    ctl(f"{FILTER} enable [find comment=ft]")
    dummies = [r for r in rig.router.print(FILTER) if on(r["dynamic"])]
    assert [d["comment"] for d in dummies] == ["special dummy rule to show fasttrack counters"]
    ctl(f"{FILTER} remove [find comment=ft]")


def test_a_rule_whose_interface_is_gone_is_invalid_and_matches_nothing(rig):  # B-10
    ctl = rig.router.ctl
    assert "no interface named" in ctl(
        f"{FILTER} add chain=forward in-interface=nowhere action=drop", check=False).stderr
    ctl(f"{FILTER} add chain=forward in-interface=!v30 action=drop comment=lost place-before=0")
    assert out(rig, udp(9000)) == []
    ctl("/interface/vlan remove v30")
    row = rig.router.row(FILTER, comment="lost")
    assert on(row["invalid"])
    assert row["in-interface"].startswith("!*")
    assert len(out(rig, udp(9000, sport=1001))) == 1
    ctl(f"{FILTER} set [find comment=lost] in-interface=left")
    assert not on(rig.router.row(FILTER, comment="lost")["invalid"])
    assert out(rig, udp(9000, sport=1002)) == []
    ctl(f"{FILTER} remove [find comment=lost]")


def test_a_jump_comes_before_its_chain(rig):  # B-4
    """As rules are written for RouterOS: one after another, the chain after what jumps to it."""
    ctl = rig.router.ctl
    ctl(f"{FILTER} add chain=forward protocol=udp dst-port=9300 action=jump jump-target=later "
        "place-before=0 comment=jump")
    assert len(out(rig, udp(9300))) == 1, "a chain without rules returns at once"
    ctl(f"{FILTER} add chain=later action=drop comment=later")
    assert out(rig, udp(9300, sport=1001)) == []
    exported = ctl(f"{FILTER} export terse").stdout
    assert "place-before" not in exported
    assert exported.index("jump-target=later") < exported.index("chain=later")
    ctl(f"{FILTER} remove [find comment=later]")
    assert len(out(rig, udp(9300, sport=1002))) == 1
    ctl(f"{FILTER} remove [find comment=jump]")


def test_a_rule_that_asks_for_an_interface_in_vain_is_told_of(rig):  # B-1
    ctl = rig.router.ctl
    ctl(f"{FILTER} add chain=mine in-interface=left action=drop comment=vain")
    assert "never matches" not in rig.router.log(), "nothing leads there"
    ctl(f"{FILTER} add chain=output action=jump jump-target=mine comment=vain")
    wait_until(lambda: "in-interface=left never matches: chain mine is reached only from output"
               in rig.router.log(), what="the warning")
    ctl(f"{FILTER} remove [find comment=vain]")


def test_an_address_is_listed_for_a_while(rig):  # B-13
    ctl = rig.router.ctl
    assert len(out(rig, udp(9100))) == 1
    ctl(f"{LIST} add list=banned address={LEFT_HOST} timeout=1h comment=why")
    (row,) = listed(rig, "banned")
    assert on(row["dynamic"]) and row["comment"] == "why" and row["timeout"][:2] in ("1h", "59")
    assert row["creation-time"][:2] == "20"
    assert out(rig, udp(9100)) == [], "of a connection that was there too"
    assert "banned" not in ctl(f"{LIST} export").stdout
    assert "already have such entry" in ctl(
        f"{LIST} add list=banned address={LEFT_HOST} timeout=2h", check=False).stderr
    ctl(f"{LIST} set [find list=banned] timeout=1s")
    wait_until(lambda: not listed(rig, "banned"), what="the address gone")
    assert len(out(rig, udp(9100))) == 1
    ctl(f"{LIST} add list=banned address=10.1.0.0/24 timeout=1h")
    assert out(rig, udp(9100)) == [], "a network"
    ctl(f"{LIST} remove [find list=banned]")
    assert len(out(rig, udp(9100))) == 1


def test_what_a_rule_keeps_is_configuration(rig):  # B-13
    assert len(out(rig, udp(6666))) == 1
    wait_until(lambda: [r for r in listed(rig, "kept") if not on(r["dynamic"])],
               what="the address in the configuration")
    assert f"add address={LEFT_HOST} list=kept" in rig.router.ctl(f"{LIST} export").stdout
    assert len(out(rig, udp(6666, sport=1003))) == 1
    assert len(listed(rig, "kept")) == 1


# B-1, B-12, B-16: packets that say their way are dropped behind raw, or go it if they may.
def test_what_settings_say_of_source_routes_is_so(rig):
    ctl = rig.router.ctl
    (settings,) = rig.router.print("/ip/settings")
    assert str(settings["accept-source-route"]).lower() == "false"
    before = rig.router.drops("ip_options")
    source_routed = IP(src=LEFT_HOST, dst=LEFT_ROUTER, options=[IPOption_LSRR(routers=[RIGHT_HOST])])
    packet = source_routed / UDP(sport=1, dport=2, chksum=0)
    assert out(rig, packet) == []
    assert rig.router.drops("ip_options") == before + 1
    ctl("/ip/settings/set accept-source-route=yes")
    (got,) = out(rig, packet)
    assert (got[IP].dst, got[IP].options[0].routers, got[IP].options[0].pointer) == (RIGHT_HOST, [RIGHT_ROUTER], 8)
    ctl("/ip/settings/set accept-source-route=no")
    assert out(rig, packet) == []


def test_what_is_not_routed_is_not_tracked(rig):  # B-19
    (tracking,) = rig.router.print("/ip/firewall/connection/tracking")
    assert int(tracking["total-entries"]) == (
        int(tracking["total-ip4-entries"]) + int(tracking["total-ip6-entries"]))
    assert (tracking["active-ipv4"], tracking["active-ipv6"]) == ("true", "false")


def test_icmp_is_limited_by_type(rig):
    """icmp-rate-limit and icmp-rate-mask, as Linux's icmp_ratelimit and icmp_ratemask; its kernel's are the same."""
    ctl = rig.router.ctl

    def kernel(name):
        return int(rig.router.ns.run("cat", f"/proc/sys/net/ipv4/{name}").stdout)

    def answered():
        """Of ten pings, and of ten packets whose time is over."""
        rig.left.send(*(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / ICMP(type=8, id=7, seq=n) for n in range(10)),
                      *(IP(src=LEFT_HOST, dst=RIGHT_HOST, ttl=1) / UDP(sport=n, dport=9) for n in range(10)))
        rig.settle()
        got = [p[ICMP].type for p in rig.left.wire.take(lambda p: ICMP in p)]
        return got.count(0), got.count(11)

    (settings,) = rig.router.print("/ip/settings")
    assert settings["icmp-rate-mask"] == "0x1818"
    assert (kernel("icmp_ratelimit"), kernel("icmp_ratemask")) == (0, 0x1818)
    ctl(f"{FILTER} disable [find comment=closed]")
    ctl("/ip/settings/set icmp-rate-limit=100000")
    assert answered() == (10, 6)
    ctl("/ip/settings/set icmp-rate-mask=0x1")
    assert (kernel("icmp_ratelimit"), kernel("icmp_ratemask")) == (100000, 1)
    assert answered() == (0, 10), "six have been sent to that host"
    ctl("/ip/settings/set icmp-rate-mask=0x1818 icmp-rate-limit=0")
    ctl(f"{FILTER} enable [find comment=closed]")
    refused = ctl("/ip/settings/set icmp-rate-mask=all", check=False)
    assert refused.returncode == 1 and "no mask of ICMP types" in refused.stderr


def test_syn_cookies_are_those_of_the_router_s_own_services(rig):  # B-3
    ctl = rig.router.ctl
    switch = ("cat", "/proc/sys/net/ipv4/tcp_syncookies")
    assert rig.router.ns.run(*switch).stdout.strip() == "0"
    ctl("/ip/settings/set tcp-syncookies=yes")
    assert rig.router.ns.run(*switch).stdout.strip() == "1"
    ctl("/ip/settings/set tcp-syncookies=no")
    assert rig.router.ns.run(*switch).stdout.strip() == "0"


def test_tcp_timestamps_are_those_of_the_router_s_own_services(rig):
    for word, value in (("disabled", "0"), ("enabled", "2"), ("random-offset", "1")):
        rig.router.ctl("/ip/settings/set", f"tcp-timestamps={word}")
        assert rig.router.ns.run("cat", "/proc/sys/net/ipv4/tcp_timestamps").stdout.strip() == value


def test_a_rule_is_in_force_at_its_time(rig):  # B-11
    ctl = rig.router.ctl
    day = time.strftime("%a").lower()
    others = ",".join(d for d in ("sun", "mon", "tue", "wed", "thu", "fri", "sat") if d != day)
    ctl(f"{FILTER} add chain=forward protocol=udp dst-port=9200 time=0s-1d,{others} action=drop "
        "comment=other-days")
    assert len(out(rig, udp(9200))) == 1
    ctl(f"{FILTER} set [find comment=other-days] time=0s-1d")
    assert out(rig, udp(9200)) == []
    ctl(f"{FILTER} remove [find comment=other-days]")
    assert len(back(rig, IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=9200, dport=1000))) == 1
