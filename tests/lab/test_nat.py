"""NAT and connection tracking, frame by frame: masquerade, dst-nat, redirect, errors, counters."""

import pytest

from frames import ICMP, IP, TCP, UDP, good_checksums, raw
from lab import Lab
from process import wait_until
from scenes import (
    LEFT_HOST,
    LEFT_HOST_MAC,
    LEFT_ROUTER,
    RIGHT_HOST,
    RIGHT_ROUTER,
    back,
    out,
    two_port_rig,
    two_ports,
)

FILTER = [
    {"chain": "input", "protocol": "udp", "dst-port": "4001", "action": "drop", "comment": "drop"},
    {"chain": "input", "protocol": "udp", "dst-port": "4002", "action": "reject",
     "reject-with": "icmp-admin-prohibited", "comment": "reject"},
    {"chain": "forward", "action": "passthrough", "comment": "all forwarded"},
    {"chain": "forward", "action": "jump", "jump-target": "lan", "in-interface": "left"},
    {"chain": "forward", "connection-state": "invalid", "action": "drop", "comment": "invalid"},
    {"chain": "forward", "in-interface": "right", "connection-nat-state": "dstnat",
     "action": "accept", "comment": "published"},
    {"chain": "forward", "in-interface": "right", "connection-state": "new", "action": "drop",
     "comment": "nothing new from outside"},
    {"chain": "lan", "src-address-list": "blocked", "action": "reject",
     "reject-with": "icmp-net-prohibited", "comment": "blocked list"},
    {"chain": "lan", "protocol": "tcp", "dst-port": "25", "action": "reject",
     "reject-with": "tcp-reset", "comment": "no mail"},
    {"chain": "lan", "protocol": "icmp", "icmp-options": "8:0", "dst-address": "10.2.0.66",
     "action": "drop", "comment": "ping to .66"},
    {"chain": "lan", "dst-address": "10.2.0.40-10.2.0.49", "action": "log", "log-prefix": "watched",
     "comment": "watched"},
    {"chain": "lan", "action": "return", "comment": "returned"},
    {"chain": "output", "protocol": "icmp", "icmp-options": "0:0", "dst-address": "10.1.0.77",
     "action": "drop", "comment": "no echo to .77"},
]
NAT = [
    {"chain": "srcnat", "out-interface": "right", "src-address": "10.1.0.200",
     "action": "src-nat", "to-addresses": "10.2.0.200", "comment": "fixed source"},
    {"chain": "srcnat", "out-interface": "right", "src-address": "10.1.0.0/24",
     "action": "masquerade", "comment": "masquerade"},
    {"chain": "dstnat", "in-interface": "right", "protocol": "tcp", "dst-port": "8080",
     "action": "dst-nat", "to-addresses": LEFT_HOST, "to-ports": "80", "comment": "web"},
    {"chain": "dstnat", "in-interface": "left", "protocol": "udp", "dst-port": "53",
     "action": "redirect", "to-ports": "4001", "comment": "dns"},
]


@pytest.fixture(scope="module")
def rig():
    config = two_ports(
        filter=FILTER, nat=NAT, address_list=[{"list": "blocked", "address": "10.1.0.128/26"}]
    )
    for last in (77, 130, 200):
        config["ip"]["arp"].append(
            {"address": f"10.1.0.{last}", "mac-address": LEFT_HOST_MAC, "interface": "left"}
        )
    for last in (45, 66):
        config["ip"]["arp"].append(
            {"address": f"10.2.0.{last}", "mac-address": "02:00:00:00:20:0A", "interface": "right"}
        )
    with Lab() as lab:
        yield two_port_rig(lab, config)


@pytest.fixture(autouse=True)
def quiet(rig):
    rig.clear()


def handshake(rig, sport, dport=80):
    """A TCP connection from the left host, established; returns the port outside."""
    syn = IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(sport=sport, dport=dport, flags="S", seq=1000)
    (got,) = out(rig, syn)
    outside = got[TCP].sport
    answer = IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / TCP(
        sport=dport, dport=outside, flags="SA", seq=5000, ack=1001
    )
    (got,) = back(rig, answer)
    assert (got[IP].dst, got[TCP].dport) == (LEFT_HOST, sport)
    ack = IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(
        sport=sport, dport=dport, flags="A", seq=1001, ack=5001
    )
    assert len(out(rig, ack)) == 1
    return outside


def test_masquerade_out_and_back(rig):
    (got,) = out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=5000, dport=6000) / b"out")
    assert (got[IP].src, got[UDP].sport) == (RIGHT_ROUTER, 5000)
    assert good_checksums(got)
    (got,) = back(rig, IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / UDP(sport=6000, dport=5000) / b"in")
    assert (got[IP].src, got[IP].dst, got[UDP].dport) == (RIGHT_HOST, LEFT_HOST, 5000)
    assert bytes(got[UDP].payload)[:2] == b"in"
    assert good_checksums(got)


def test_src_nat_with_a_fixed_address(rig):
    before = rig.router.rule("fixed source", "/ip/firewall/nat")
    (got,) = out(rig, IP(src="10.1.0.200", dst=RIGHT_HOST) / UDP(sport=5001, dport=6000))
    assert (got[IP].src, got[UDP].sport) == ("10.2.0.200", 5001)
    assert rig.router.rule("fixed source", "/ip/firewall/nat") == before + 1


def test_only_the_first_packet_of_a_connection_counts_in_nat(rig):  # B-28
    before = rig.router.rule("masquerade", "/ip/firewall/nat")
    for _ in range(10):
        assert len(out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=5002, dport=6000))) == 1
    assert rig.router.rule("masquerade", "/ip/firewall/nat") == before + 1


def test_udp_without_a_checksum_stays_without(rig):
    packet = IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=5003, dport=6000, chksum=0) / b"plain"
    (got,) = out(rig, packet)
    assert (got[IP].src, got[UDP].chksum) == (RIGHT_ROUTER, 0)


def test_ping_through_masquerade(rig):
    (got,) = out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / ICMP(id=700, seq=1) / b"payload")
    assert got[IP].src == RIGHT_ROUTER
    reply = IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / ICMP(type=0, id=got[ICMP].id, seq=1) / b"payload"
    (got,) = back(rig, reply)
    assert (got[IP].dst, got[ICMP].id, got[ICMP].type) == (LEFT_HOST, 700, 0)
    assert good_checksums(got)


@pytest.mark.parametrize(("kind", "code"), [(3, 3), (3, 4), (11, 0)])
def test_errors_from_outside_are_translated_back(rig, kind, code):
    sport = 5100 + kind * 10 + code
    (sent,) = out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=sport, dport=6000) / b"data")
    error = IP(src="10.2.0.99", dst=RIGHT_ROUTER) / ICMP(type=kind, code=code) / raw(sent[IP])
    (got,) = back(rig, error)
    assert (got[IP].src, got[IP].dst) == ("10.2.0.99", LEFT_HOST)
    assert (got[ICMP].type, got[ICMP].code) == (kind, code)
    inner = IP(bytes(got[ICMP].payload))
    assert (inner.src, inner.dst, inner[UDP].sport) == (LEFT_HOST, RIGHT_HOST, sport)
    assert good_checksums(got)


def test_error_from_inside_is_translated_out(rig):
    outside = IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / TCP(sport=9000, dport=8080, flags="S", seq=1)
    (inside,) = back(rig, outside)
    assert (inside[IP].dst, inside[TCP].dport) == (LEFT_HOST, 80)
    error = IP(src=LEFT_HOST, dst=RIGHT_HOST) / ICMP(type=3, code=3) / raw(inside[IP])
    (got,) = out(rig, error)
    assert (got[IP].src, got[IP].dst) == (RIGHT_ROUTER, RIGHT_HOST)
    inner = IP(bytes(got[ICMP].payload))
    assert (inner.src, inner.dst) == (RIGHT_HOST, RIGHT_ROUTER)
    assert inner[TCP].dport == 8080
    assert good_checksums(got)


def test_error_about_no_connection_is_dropped(rig):
    """An ICMP error that quotes nothing we know never gets inside."""
    quoted = IP(src=RIGHT_ROUTER, dst=RIGHT_HOST) / UDP(sport=1, dport=2)
    error = IP(src="10.2.0.99", dst=RIGHT_ROUTER) / ICMP(type=3, code=3) / raw(quoted)
    assert back(rig, error) == []


def test_published_server(rig):
    syn = IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / TCP(sport=9100, dport=8080, flags="S", seq=1)
    (got,) = back(rig, syn)
    assert (got[IP].src, got[IP].dst, got[TCP].dport) == (RIGHT_HOST, LEFT_HOST, 80)
    answer = IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(sport=80, dport=9100, flags="SA", seq=9, ack=2)
    (got,) = out(rig, answer)
    assert (got[IP].src, got[TCP].sport) == (RIGHT_ROUTER, 8080)
    (row,) = rig.router.sessions(protocol="tcp", src_port=9100)
    assert row["dstnat"] == "true" and row["reply-src-address"] == LEFT_HOST


def test_redirect_ends_at_the_router(rig):
    before = rig.router.rule("drop")
    query = IP(src=LEFT_HOST, dst="10.2.0.53") / UDP(sport=5004, dport=53)
    assert out(rig, query) == []
    assert rig.router.rule("drop") == before + 1  # of chain input, on the port it went to
    assert rig.router.sessions(protocol="udp", src_port=5004) == []


def test_unsolicited_from_outside_is_dropped(rig):
    before = rig.router.rule("nothing new from outside")
    assert back(rig, IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=1, dport=2)) == []
    assert rig.router.rule("nothing new from outside") == before + 1


# B-23
def test_tcp_life_in_the_connection_table(rig):
    outside = handshake(rig, 5200)

    def state():
        (row,) = rig.router.sessions(protocol="tcp", src_port=5200)
        return row["tcp-state"]

    assert state() == "established"
    flow = {"sport": 5200, "dport": 80}
    out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(flags="FA", seq=1001, ack=5001, **flow))
    assert state() == "fin-wait"
    reply = {"sport": 80, "dport": outside}
    back(rig, IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / TCP(flags="A", seq=5001, ack=1002, **reply))
    assert state() == "close-wait"
    back(rig, IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / TCP(flags="FA", seq=5001, ack=1002, **reply))
    assert state() == "last-ack"
    out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(flags="A", seq=1002, ack=5002, **flow))
    assert state() == "time-wait"


def test_echo_reply_without_a_request_is_invalid(rig):
    before = rig.router.rule("invalid")
    assert out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / ICMP(type=0, id=9)) == []
    assert rig.router.rule("invalid") == before + 1


# The filter's verdicts ---------------------------------------------------------------------------


def test_reject_with_the_asked_for_error(rig):
    rig.left.send(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / UDP(sport=1, dport=4002))
    got = rig.left.wire.wait(lambda p: ICMP in p)
    assert (got[ICMP].type, got[ICMP].code, got[IP].src) == (3, 13, LEFT_ROUTER)


def test_reject_by_address_list(rig):
    before = rig.router.rule("blocked list")
    assert out(rig, IP(src="10.1.0.130", dst=RIGHT_HOST) / UDP(dport=9)) == []
    (got,) = rig.left.wire.take(lambda p: ICMP in p)
    assert (got[ICMP].type, got[ICMP].code, got[IP].dst) == (3, 9, "10.1.0.130")
    assert rig.router.rule("blocked list") == before + 1


def test_reject_with_tcp_reset(rig):
    syn = IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(sport=5300, dport=25, flags="S", seq=77)
    assert out(rig, syn) == []
    (got,) = rig.left.wire.take(lambda p: TCP in p)
    assert (got[IP].src, got[TCP].sport, got[TCP].dport) == (RIGHT_HOST, 25, 5300)
    assert got[TCP].flags == "RA" and got[TCP].ack == 78
    assert good_checksums(got)
    assert rig.router.sessions(protocol="tcp", src_port=5300) == []


def test_icmp_options_match(rig):
    before = rig.router.rule("ping to .66")
    assert out(rig, IP(src=LEFT_HOST, dst="10.2.0.66") / ICMP(id=3)) == []
    assert len(out(rig, IP(src=LEFT_HOST, dst="10.2.0.66") / ICMP(type=13, id=3))) == 1
    assert rig.router.rule("ping to .66") == before + 1


def test_log_line(rig):
    packet = IP(src=LEFT_HOST, dst="10.2.0.45") / UDP(sport=5400, dport=9) / b"abcd"
    assert len(out(rig, packet)) == 1
    line = wait_until(lambda: next((line for line in rig.router.log().splitlines() if "watched" in line), ""),
                      what="the log line")
    for part in ("in:left", "out:right", f"{LEFT_HOST}:5400->10.2.0.45:9", "proto UDP", "len 32"):
        assert part in line, line


def test_output_chain(rig):
    before = rig.router.rule("no echo to .77")
    rig.left.send(IP(src="10.1.0.77", dst=LEFT_ROUTER) / ICMP(id=4))
    rig.settle()
    assert rig.left.wire.take(lambda p: ICMP in p) == []
    assert rig.router.rule("no echo to .77") == before + 1


def test_counts_of_rules_and_drops_are_exact(rig):
    rules = ("all forwarded", "returned", "nothing new from outside")
    before = {name: rig.router.rule(name) for name in rules}
    bytes_before = int(rig.router.row("/ip/firewall/filter", comment="all forwarded")["bytes"])
    dropped = rig.router.drops("filter_drop")
    packet = IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=5500, dport=9) / (b"n" * 72)
    assert len(out(rig, *[packet] * 50)) == 50
    strange = IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=1, dport=3)
    assert back(rig, *[strange] * 30) == []
    after = {name: rig.router.rule(name) for name in rules}
    assert after["all forwarded"] - before["all forwarded"] == 80
    assert after["returned"] - before["returned"] == 50
    assert after["nothing new from outside"] - before["nothing new from outside"] == 30
    assert rig.router.drops("filter_drop") - dropped == 30
    assert rig.router.drops("filter_drop", "right") >= 30
    row = rig.router.row("/ip/firewall/filter", comment="all forwarded")
    assert int(row["bytes"]) - bytes_before == 50 * 100 + 30 * 28


def test_dropped_packets_leave_no_session(rig):
    back(rig, IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=4444, dport=4))
    out(rig, IP(src="10.1.0.130", dst=RIGHT_HOST) / UDP(sport=4445, dport=4))
    assert rig.router.sessions(src_port=4444) == []
    assert rig.router.sessions(src_port=4445) == []


def test_session_counters_and_removal(rig):
    packet = IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=5600, dport=6000) / (b"m" * 72)
    out(rig, *[packet] * 7)
    answer = IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / UDP(sport=6000, dport=5600) / b"r"
    back(rig, *[answer] * 3)
    (row,) = rig.router.sessions(src_port=5600)
    assert (row["orig-packets"], row["orig-bytes"]) == ("7", str(7 * 100))
    assert (row["repl-packets"], row["repl-bytes"]) == ("3", str(3 * 29))
    assert row["seen-reply"] == "true"
