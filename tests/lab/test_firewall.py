"""The whole firewall frame by frame: raw, mangle, lists that rules fill, limits, FastTrack, tarpit."""

import pytest

from frames import ICMP, IP, TCP, UDP, good_checksums
from lab import Lab
from process import wait_until
from scenes import (
    LEFT_HOST, LEFT_HOST_MAC, LEFT_ROUTER, RIGHT_HOST, back, out, rows, two_port_rig, two_ports,
)

RAW = [
    {"chain": "prerouting", "protocol": "udp", "dst-port": "9", "action": "drop",
     "comment": "raw drop"},
    {"chain": "prerouting", "protocol": "udp", "port": "514", "action": "notrack",
     "comment": "untracked"},
]
MANGLE = [
    {"chain": "prerouting", "protocol": "tcp", "dst-port": "80", "connection-state": "new",
     "action": "mark-connection", "new-connection-mark": "web", "comment": "mark"},
    {"chain": "prerouting", "connection-mark": "web", "action": "mark-packet",
     "new-packet-mark": "web-packet", "comment": "mark packet"},
    {"chain": "forward", "protocol": "tcp", "tcp-flags": "syn", "action": "change-mss",
     "new-mss": 1300, "comment": "clamp"},
    {"chain": "postrouting", "protocol": "udp", "dst-port": "5060", "action": "change-dscp",
     "new-dscp": 46, "comment": "voice"},
    {"chain": "prerouting", "protocol": "udp", "dst-port": "5061", "action": "change-ttl",
     "new-ttl": "set:9", "comment": "ttl"},
]
FILTER = [
    {"chain": "forward", "src-address-list": "banned", "action": "drop", "comment": "banned"},
    {"chain": "forward", "protocol": "tcp", "dst-port": "23", "action": "add-src-to-address-list",
     "address-list": "banned", "address-list-timeout": "1h", "comment": "ban"},
    {"chain": "forward", "protocol": "udp", "dst-port": "7000", "action": "fasttrack-connection",
     "connection-state": "established", "comment": "fast"},
    {"chain": "forward", "protocol": "udp", "dst-port": "7000", "comment": "after fast"},
    {"chain": "forward", "protocol": "udp", "dst-port": "6000", "limit": "1/1h,3:packet",
     "comment": "within limit"},
    {"chain": "forward", "protocol": "udp", "dst-port": "6000", "action": "drop",
     "comment": "over limit"},
    {"chain": "forward", "packet-mark": "web-packet", "action": "passthrough",
     "comment": "saw the mark"},
    {"chain": "forward", "protocol": "tcp", "dst-port": "25", "action": "tarpit",
     "comment": "tarpit"},
    {"chain": "forward", "protocol": "udp", "dst-port": "6500", "packet-size": "0-100",
     "action": "drop", "comment": "small"},
    {"chain": "forward", "connection-state": "untracked", "action": "passthrough",
     "comment": "saw untracked"},
    {"chain": "input", "dst-address-type": "local", "protocol": "udp", "dst-port": "4003",
     "action": "reject", "reject-with": "icmp-host-prohibited", "comment": "local"},
]


@pytest.fixture(scope="module")
def rig():
    config = two_ports(filter=FILTER, mangle=MANGLE, raw=RAW)
    rows(config, "ip", "arp").append(
        {"address": "10.1.0.66", "mac-address": LEFT_HOST_MAC, "interface": "left"}
    )
    with Lab() as lab:
        yield two_port_rig(lab, config)


@pytest.fixture(autouse=True)
def quiet(rig):
    rig.clear()


def udp(port, sport=1000, size=4, src=LEFT_HOST, **ip):
    return IP(src=src, dst=RIGHT_HOST, **ip) / UDP(sport=sport, dport=port) / bytes(size)


def count(rig, comment, menu="filter"):
    return rig.router.rule(comment, f"/ip/firewall/{menu}")


def test_raw_drops_before_anything_is_tracked(rig):  # B-1
    before = rig.router.drops("raw_drop")
    assert out(rig, udp(9)) == []
    assert count(rig, "raw drop", "raw") == 1
    assert rig.router.drops("raw_drop") == before + 1
    assert not rig.router.sessions(dst_port=9)


def test_notrack_leaves_both_ways_untracked(rig):  # B-1, B-16
    assert len(out(rig, udp(514))) == 1
    assert len(back(rig, IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=514, dport=1000))) == 1
    assert count(rig, "saw untracked") == 2
    assert not rig.router.sessions(dst_port=514)


def test_a_connection_keeps_its_mark_and_its_packets_get_theirs(rig):  # B-1, B-11
    syn = IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(sport=2000, dport=80, flags="S", seq=100,
                                                  options=[("MSS", 1460)])
    (got,) = out(rig, syn)
    assert dict(got[TCP].options)["MSS"] == 1300
    assert good_checksums(got)
    answer = IP(src=RIGHT_HOST, dst=LEFT_HOST) / TCP(sport=80, dport=2000, flags="SA", seq=500,
                                                     ack=101, options=[("MSS", 1200)])
    (got,) = back(rig, answer)
    assert dict(got[TCP].options)["MSS"] == 1200, "a smaller one stays"
    assert len(out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(
        sport=2000, dport=80, flags="A", seq=101, ack=501))) == 1
    assert count(rig, "mark", "mangle") == 1
    assert count(rig, "mark packet", "mangle") == 3
    assert count(rig, "saw the mark") == 3
    (row,) = rig.router.sessions(dst_port=80)
    assert row["connection-mark"] == "web"


def test_dscp_and_ttl_are_changed_on_every_packet(rig):  # B-1
    for _ in range(3):
        (got,) = out(rig, udp(5060, tos=0x03))
        assert got[IP].tos == 46 << 2 | 3
        assert good_checksums(got)
        (got,) = out(rig, udp(5061, ttl=40))
        assert got[IP].ttl == 8  # set on the way in, one less on the way out
        assert good_checksums(got)


def test_a_rule_fills_a_list_and_another_asks_it(rig):  # B-5, B-13
    assert len(out(rig, udp(6100, src="10.1.0.66"))) == 1
    syn = IP(src="10.1.0.66", dst=RIGHT_HOST) / TCP(sport=3000, dport=23, flags="S")
    assert len(out(rig, syn)) == 1
    (row,) = [r for r in rig.router.print("/ip/firewall/address-list") if r["list"] == "banned"]
    assert row["address"] == "10.1.0.66"
    assert row["dynamic"] in (True, "true") and row["timeout"].startswith("59m")
    assert out(rig, udp(6100, src="10.1.0.66")) == [], "a connection that was there too"
    assert out(rig, udp(6101, src="10.1.0.66")) == []
    assert len(out(rig, udp(6101))) == 1
    assert count(rig, "banned") == 2


def test_limit_counts_packets_of_all(rig):  # B-11
    for sport in range(5000, 5006):
        out(rig, udp(6000, sport=sport))
    assert count(rig, "within limit") == 3
    assert count(rig, "over limit") == 3


def test_size_is_asked_of_every_packet(rig):  # B-11
    assert len(out(rig, udp(6500, size=200))) == 1
    assert out(rig, udp(6500, size=4)) == []
    assert len(out(rig, udp(6500, size=200))) == 1
    assert count(rig, "small") == 1


def test_fasttracked_packets_pass_the_rules_by(rig):  # B-25, B-26
    out(rig, udp(7000))
    back(rig, IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=7000, dport=1000))
    assert len(out(rig, udp(7000))) == 1
    assert (count(rig, "fast"), count(rig, "after fast")) == (1, 2)
    for _ in range(4):
        assert len(out(rig, udp(7000))) == 1
    assert (count(rig, "fast"), count(rig, "after fast")) == (1, 2)
    (row,) = rig.router.sessions(dst_port=7000)
    assert row["fasttrack"] in (True, "true")
    dummy = [r for r in rig.router.print("/ip/firewall/filter")
             if r.get("comment") == "special dummy rule to show fasttrack counters"]
    assert [int(r["packets"]) for r in dummy] == [4]
    assert (row["orig-fasttrack-packets"], row["orig-fasttrack-bytes"]) == ("4", str(4 * 32))
    assert (row["repl-fasttrack-packets"], row["repl-fasttrack-bytes"]) == ("0", "0")
    # It stands before the rules, and they are counted from it, as RouterOS has it.
    ctl = rig.router.ctl
    first, second = rig.router.print("/ip/firewall/filter")[:2]
    assert first["comment"].startswith("special dummy") and second.get("dynamic") != "true"
    assert "special dummy" in ctl("/ip/firewall/filter/print dynamic").stdout
    assert "special dummy" not in ctl("/ip/firewall/filter/print static").stdout
    assert "special dummy" in ctl("/ip/firewall/filter/print all").stdout
    assert ctl("/ip/firewall/filter get 1 action").stdout.strip() == second["action"]
    ctl("/ip/firewall/filter add chain=forward action=passthrough comment=new place-before=0")
    assert rig.router.print("/ip/firewall/filter")[1]["comment"] == "new"
    ctl("/ip/firewall/filter move 1 destination=2")
    assert rig.router.print("/ip/firewall/filter")[1]["comment"] == "new"
    ctl("/ip/firewall/filter remove [find comment=new]")


def test_without_the_fast_path_none_is_fasttracked(rig):  # B-27
    ctl = rig.router.ctl
    FAST = "ipv4-fasttrack-"

    def settings(name):
        return rig.router.print("/ip/settings")[0][FAST + name]

    for off, on in (("allow-fast-path=no", "allow-fast-path=yes"), ("route-cache=no", "route-cache=yes")):
        assert settings("active") == "true"
        passed = int(settings("packets"))
        fast, after = count(rig, "fast"), count(rig, "after fast")
        out(rig, udp(7000))
        back(rig, IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=7000, dport=1000))
        assert len(out(rig, udp(7000), udp(7000))) == 2
        assert rig.router.sessions(dst_port=7000)[0]["fasttrack"] == "true"
        assert int(settings("packets")) > passed
        ctl("/ip/settings/set", off)
        assert settings("active") == "false"
        passed, fast, after = int(settings("packets")), count(rig, "fast"), count(rig, "after fast")
        assert len(out(rig, udp(7000), udp(7000))) == 2
        assert (count(rig, "fast"), count(rig, "after fast")) == (fast + 2, after + 2), "met by rules"
        assert int(settings("packets")) == passed
        # One that begins now is not marked.
        out(rig, udp(7000, sport=1500))
        back(rig, IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=7000, dport=1500))
        assert len(out(rig, udp(7000, sport=1500))) == 1
        assert rig.router.sessions(src_port=1500)[0]["fasttrack"] == "false"
        ctl("/ip/settings/set", on)
        assert len(out(rig, udp(7000))) == 1
        assert int(settings("packets")) == passed + 1
        ctl("/ip/firewall/connection remove [find dst-port=7000]")
        wait_until(lambda: not rig.router.sessions(dst_port=7000), what="the connections gone")


def test_every_menu_shows_what_passes_its_chains_by(rig):  # B-26
    """The dummy rules stand in the chains that RouterOS shows them in."""
    for menu, chains in (("raw", ["prerouting"]), ("filter", ["forward"]), ("nat", []),
                         ("mangle", ["prerouting", "forward", "postrouting"])):
        path = f"/ip/firewall/{menu}"
        shown = rig.router.print(path)
        assert [r["chain"] for r in shown if r["dynamic"] == "true"] == chains, menu
        assert [r["chain"] for r in shown[:len(chains)]] == chains, f"{menu}: they stand first"
        if shown[len(chains):]:
            assert (rig.router.ctl(f"{path} get {len(chains)} action").stdout.strip()
                    == shown[len(chains)]["action"])


def test_tarpit_takes_a_connection_and_none_of_its_data(rig):  # B-6
    rig.left.send(IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(sport=4000, dport=25, flags="S", seq=7))
    got = rig.left.wire.wait(lambda p: TCP in p, what="the tarpit's answer")
    assert (got[TCP].flags, got[TCP].ack, got[TCP].window) == ("SA", 8, 0)
    assert got[IP].src == RIGHT_HOST
    assert good_checksums(got)
    rig.settle()
    assert rig.right.wire.take(lambda p: IP in p) == []


def test_a_connection_can_be_removed(rig):  # B-23
    out(rig, udp(7300), udp(7301))
    assert len(rig.router.sessions(dst_port=7300)) == 1
    (row,) = rig.router.sessions(dst_port=7300)
    rig.router.ctl("/ip/firewall/connection/remove", row[".id"])
    wait_until(lambda: not rig.router.sessions(dst_port=7300), what="the connection gone")
    assert len(rig.router.sessions(dst_port=7301)) == 1
    assert len(out(rig, udp(7300))) == 1, "the next packet is a new one's first"
    assert len(rig.router.sessions(dst_port=7300)) == 1


def test_thousands_of_connections_can_be_removed(rig):  # B-23
    # So that none goes by itself, however long it takes to open them all.
    rig.router.ctl("/ip/firewall/connection/tracking set udp-timeout=1h")
    for first in range(20000, 23000, 100):
        out(rig, *(udp(port) for port in range(first, first + 100)))
    assert len(rig.router.sessions(src_port=1000)) >= 3000
    rig.router.ctl("/ip/firewall/connection/remove [find src-port=1000 dst-port>=20000]")
    wait_until(lambda: not rig.router.sessions(dst_port=22999), what="the connections gone")
    assert not [r for r in rig.router.sessions(src_port=1000) if int(r["dst-port"]) >= 20000]
    rig.router.ctl("/ip/firewall/connection/tracking set udp-timeout=30s")


def test_a_connection_says_how_fast_it_goes(rig):  # B-23
    def row():
        return rig.router.sessions(dst_port=7100)[0]

    def fast():
        assert len(out(rig, udp(7100, size=1000))) == 1
        return int(row()["orig-rate"]) > 8000

    wait_until(fast, what="a rate")
    assert row()["repl-rate"] == "0"
    wait_until(lambda: row()["orig-rate"] == "0", what="no rate of a connection at rest")
    shown = rig.router.ctl("/ip/firewall/connection print detail where dst-port=7100").stdout
    assert "orig-rate=0bps" in shown


def test_address_types(rig):  # B-11, B-14
    rig.left.send(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / UDP(sport=1, dport=4003))
    got = rig.left.wire.wait(lambda p: ICMP in p, what="the reject")
    assert (got[ICMP].type, got[ICMP].code) == (3, 10)


def test_reset_counters_of_some_rules(rig):  # B-7
    ctl = rig.router.ctl
    for size in (4, 4):
        out(rig, udp(6500, size=size))
    limited = count(rig, "over limit")
    assert limited > 0 and count(rig, "small") > 1
    ctl("/ip/firewall/filter/reset-counters [find comment=small]")
    wait_until(lambda: count(rig, "small") == 0, what="the counter at zero")
    assert count(rig, "over limit") == limited, "another rule's stays"
    out(rig, udp(6500, size=4))
    assert count(rig, "small") == 1
    # Each menu has its own.
    marked = count(rig, "mark", "mangle")
    assert marked > 0
    ctl("/ip/firewall/raw/reset-counters [find]")
    wait_until(lambda: count(rig, "raw drop", "raw") == 0, what="raw's at zero")
    assert count(rig, "mark", "mangle") == marked
    row = rig.router.row("/ip/firewall/mangle", comment="mark")
    assert int(row["bytes"]) > 0
    ctl(f"/ip/firewall/mangle/reset-counters {row['.id']}")
    wait_until(lambda: count(rig, "mark", "mangle") == 0, what="that rule's at zero")
    assert rig.router.row("/ip/firewall/mangle", comment="mark")["bytes"] == "0"
    refused = ctl("/ip/firewall/filter/reset-counters", check=False)
    assert refused.returncode == 1 and "which rows" in refused.stderr


def test_reset_counters_of_all_rules(rig):  # B-7
    assert count(rig, "small") == 1
    rig.router.ctl("/ip/firewall/filter/reset-counters-all")
    wait_until(lambda: count(rig, "small") == 0, what="counters at zero")
