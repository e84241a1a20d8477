"""Routing, ICMP, TTL, MTU and fragments, frame by frame."""

import pytest
from scapy.all import fragment

from frames import ICMP, IP, UDP, Raw, good_checksums, raw
from lab import Lab
from scenes import (
    LEFT_HOST,
    LEFT_ROUTER,
    RIGHT_HOST,
    RIGHT_HOST_MAC,
    RIGHT_MAC,
    RIGHT_ROUTER,
    rows,
    two_port_rig,
    two_ports,
)

ROUTES = [
    {"dst-address": "10.3.0.0/16", "gateway": RIGHT_HOST},
    {"dst-address": "10.4.0.0/16", "gateway": f"{RIGHT_HOST}%right"},
    {"dst-address": "10.5.0.0/24", "gateway": "right"},
    {"dst-address": "10.6.0.0/16", "type": "blackhole"},
    {"dst-address": "10.7.0.0/16", "type": "prohibit"},
    {"dst-address": "10.8.0.0/16", "type": "unreachable"},
    {"dst-address": "10.3.9.0/24", "type": "blackhole"},
    {"dst-address": "10.9.0.0/16", "gateway": RIGHT_HOST, "distance": 5},
    {"dst-address": "10.9.0.0/16", "gateway": "10.1.0.99", "distance": 10},
]


@pytest.fixture(scope="module")
def rig():
    config = two_ports()
    rows(config, "ip", "route").extend(ROUTES)
    # A neighbour on the right with an address of 10.5.0.0/24, for the route by interface.
    rows(config, "ip", "arp").append(
        {"address": "10.5.0.5", "mac-address": RIGHT_HOST_MAC, "interface": "right"}
    )
    # A narrower interface behind the left one.
    config["interface"]["macvlan"] = [
        {"name": "narrow", "interface": "right", "mac-address": "02:00:00:00:30:01", "mtu": 1000}
    ]
    rows(config, "ip", "address").append({"address": "10.20.0.1/24", "interface": "narrow"})
    rows(config, "ip", "arp").append(
        {"address": "10.20.0.20", "mac-address": RIGHT_HOST_MAC, "interface": "narrow"}
    )
    with Lab() as lab:
        yield two_port_rig(lab, config)


@pytest.fixture(autouse=True)
def quiet(rig):
    rig.clear()


def forwarded(rig, packet):
    """Sends from the left, returns what came out on the right after everything settled."""
    rig.left.send(packet)
    rig.settle()
    return rig.right.wire.take(lambda p: IP in p)


def errors(rig):
    return rig.left.wire.take(lambda p: ICMP in p)


def test_forwards_with_ttl_less_one_and_right_macs(rig):
    sent = IP(src=LEFT_HOST, dst=RIGHT_HOST, ttl=17, id=7, tos=0x28) / UDP(sport=1, dport=2) / b"x"
    (got,) = forwarded(rig, sent)
    assert (got.src, got.dst) == (RIGHT_MAC, RIGHT_HOST_MAC)
    assert (got[IP].ttl, got[IP].id, got[IP].tos) == (16, 7, 0x28)
    assert (got[UDP].sport, got[UDP].dport, bytes(got[UDP].payload)[:1]) == (1, 2, b"x")
    assert good_checksums(got)


@pytest.mark.parametrize("target", ["10.3.1.1", "10.4.1.1", "10.5.0.5", "10.9.1.1"])
def test_static_routes_by_address_address_and_interface_and_interface(rig, target):
    (got,) = forwarded(rig, IP(src=LEFT_HOST, dst=target) / UDP(dport=5))
    assert (got.dst, got[IP].dst) == (RIGHT_HOST_MAC, target)


def test_longest_prefix_wins(rig):
    before = rig.router.drops("route_blackhole")
    assert forwarded(rig, IP(src=LEFT_HOST, dst="10.3.9.1") / UDP(dport=5)) == []
    assert rig.router.drops("route_blackhole") == before + 1


@pytest.mark.parametrize(
    ("target", "code", "reason"),
    [
        ("10.6.0.1", None, "route_blackhole"),
        ("10.7.0.1", 13, "route_prohibit"),
        ("10.8.0.1", 1, "route_unreachable"),
        ("172.16.0.1", 0, "no_route"),
    ],
)
def test_routes_to_nowhere_answer_as_they_should(rig, target, code, reason):
    before = rig.router.drops(reason)
    assert forwarded(rig, IP(src=LEFT_HOST, dst=target) / UDP(sport=9, dport=5) / b"abc") == []
    got = errors(rig)
    if code is None:
        assert got == []
    else:
        assert [(p[ICMP].type, p[ICMP].code) for p in got] == [(3, code)]
        assert got[0][IP].src == LEFT_ROUTER and got[0][IP].dst == LEFT_HOST
        quoted = IP(bytes(got[0][ICMP].payload))
        assert (quoted.dst, quoted[UDP].sport, quoted[UDP].dport) == (target, 9, 5)
        assert good_checksums(got[0])
    assert rig.router.drops(reason) == before + 1


def test_ttl_expired_comes_from_the_router(rig):
    """What traceroute lives on."""
    before = rig.router.drops("ttl_expired")
    assert forwarded(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST, ttl=1) / UDP(sport=33434)) == []
    (got,) = errors(rig)
    assert (got[ICMP].type, got[ICMP].code, got[IP].src) == (11, 0, LEFT_ROUTER)
    assert rig.router.drops("ttl_expired") == before + 1


def test_ttl_of_one_is_enough_for_the_router_itself(rig):
    rig.left.send(IP(src=LEFT_HOST, dst=LEFT_ROUTER, ttl=1) / ICMP(id=1, seq=1))
    reply = rig.left.wire.wait(lambda p: ICMP in p)
    assert reply[ICMP].type == 0


def test_echo_carries_everything_back(rig):
    body = bytes(range(256)) * 4
    rig.left.send(IP(src=LEFT_HOST, dst=LEFT_ROUTER, id=99, tos=0x10) / ICMP(id=77, seq=5) / body)
    reply = rig.left.wire.wait(lambda p: ICMP in p)
    assert (reply[IP].src, reply[IP].dst) == (LEFT_ROUTER, LEFT_HOST)
    assert (reply[ICMP].type, reply[ICMP].id, reply[ICMP].seq) == (0, 77, 5)
    assert bytes(reply[ICMP].payload) == body
    assert good_checksums(reply)


def test_echo_to_the_address_of_another_interface(rig):
    rig.left.send(IP(src=LEFT_HOST, dst=RIGHT_ROUTER) / ICMP(id=78))
    reply = rig.left.wire.wait(lambda p: ICMP in p)
    assert (reply[IP].src, reply[ICMP].type) == (RIGHT_ROUTER, 0)


def test_echo_with_a_bad_checksum_is_not_answered(rig):
    packet = raw(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / ICMP(id=79) / b"abcd")
    broken = packet[:-1] + bytes([packet[-1] ^ 1])
    rig.left.wire.send(raw(rig.left.frame(Raw()))[:12] + b"\x08\x00" + broken)
    rig.settle()
    assert errors(rig) == []


@pytest.mark.parametrize("target", ["255.255.255.255", "10.1.0.255", "224.0.0.1"])
def test_broadcast_ping_is_ignored(rig, target):
    rig.left.send(IP(src=LEFT_HOST, dst=target) / ICMP(id=80))
    rig.settle()
    assert errors(rig) == []


def test_directed_broadcast_is_not_forwarded(rig):
    assert forwarded(rig, IP(src=LEFT_HOST, dst="10.2.0.255") / UDP(dport=9)) == []


def test_no_errors_about_errors_fragments_or_broadcasts(rig):
    inner = IP(src="172.16.0.1", dst=LEFT_HOST) / UDP(sport=1, dport=2)
    rig.left.send(
        IP(src=LEFT_HOST, dst="172.16.0.1") / ICMP(type=3, code=3) / raw(inner),
        IP(src=LEFT_HOST, dst="172.16.0.1", frag=100, proto=17) / (b"x" * 64),
        IP(src="0.0.0.0", dst="172.16.0.1") / UDP(),
        IP(src="255.255.255.255", dst="172.16.0.1") / UDP(),
        IP(src="224.0.0.5", dst="172.16.0.1") / UDP(),
    )
    rig.settle()
    assert errors(rig) == []


# MTU and fragments -------------------------------------------------------------------------------


def test_too_big_with_df_names_the_next_mtu(rig):
    before = rig.router.drops("frag_needed")
    packet = IP(src=LEFT_HOST, dst="10.20.0.20", flags="DF") / UDP(sport=4, dport=5) / (b"z" * 1100)
    assert forwarded(rig, packet) == []
    (got,) = errors(rig)
    assert (got[ICMP].type, got[ICMP].code, got[ICMP].nexthopmtu) == (3, 4, 1000)
    assert rig.router.drops("frag_needed") == before + 1


def test_too_big_without_df_is_fragmented(rig):
    body = bytes(range(256)) * 5
    packet = IP(src=LEFT_HOST, dst="10.20.0.20", id=1234) / UDP(sport=4, dport=5) / body
    got = forwarded(rig, packet)
    assert len(got) == 2
    assert all(p[IP].len <= 1000 and p[IP].id == 1234 for p in got)
    assert all(good_checksums(p) for p in got)
    assert reassembled(got)[8:] == body
    assert [p[IP].frag for p in got] == sorted(p[IP].frag for p in got)  # in order


def reassembled(packets):
    """The payload of a datagram, from its fragments in any order; checks that it is whole."""
    parts = sorted(((p[IP].frag * 8, p) for p in packets), key=lambda part: part[0])
    body = b""
    for offset, packet in parts:
        assert offset == len(body)
        data = raw(packet[IP])
        header = (data[0] & 15) * 4
        body += data[header : packet[IP].len]
    assert [bool(p[IP].flags.MF) for _, p in parts] == [True] * (len(parts) - 1) + [False]
    return body


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_fragments_pass_in_any_order(rig, order):
    body = bytes(range(256)) * 11
    number = 2000 + order[0] * 10 + order[1]
    parts = fragment(
        IP(src=LEFT_HOST, dst=RIGHT_HOST, id=number) / UDP(sport=6, dport=7) / body, fragsize=1400
    )
    assert len(parts) == 3
    rig.left.send(*(parts[i] for i in order))
    rig.settle()
    got = rig.right.wire.take(lambda p: IP in p)
    assert len(got) == 3
    assert reassembled(got)[8:] == body
    assert {p[IP].ttl for p in got} == {63}


def test_fragmented_ping_to_the_router(rig):
    body = bytes(range(256)) * 12
    rig.left.send(
        *fragment(IP(src=LEFT_HOST, dst=LEFT_ROUTER, id=77) / ICMP(id=81) / body, fragsize=1400)
    )
    rig.settle()
    got = rig.left.wire.take(lambda p: IP in p and p[IP].proto == 1)
    assert reassembled(got)[8:] == body


def test_ip_options_and_bad_headers(rig):
    before = {name: rig.router.drops(name) for name in ("ip_malformed", "ip_checksum")}
    good = IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=1, dport=2) / b"data"
    bad_sum = good.copy()
    bad_sum[IP].chksum = 0x1234
    short = good.copy()
    short[IP].len = 10
    long = good.copy()
    long[IP].len = 2000
    version = good.copy()
    version[IP].version = 6
    ihl = good.copy()
    ihl[IP].ihl = 3
    rig.left.send(bad_sum, short, long, version, ihl)
    rig.settle()
    assert rig.right.wire.take(lambda p: IP in p) == []
    assert rig.router.drops("ip_checksum") == before["ip_checksum"] + 1
    assert rig.router.drops("ip_malformed") == before["ip_malformed"] + 4


def test_record_route_passes_source_route_does_not(rig):
    from scapy.all import IPOption_LSRR, IPOption_NOP

    rig.left.send(IP(src=LEFT_HOST, dst=RIGHT_HOST, options=[IPOption_NOP()] * 4) / UDP(dport=9))
    rig.settle()
    assert len(rig.right.wire.take(lambda p: IP in p)) == 1
    before = rig.router.drops("ip_options")
    routers = IPOption_LSRR(routers=["10.9.9.9"])
    rig.left.send(IP(src=LEFT_HOST, dst=RIGHT_HOST, options=[routers]) / UDP(dport=9))
    rig.settle()
    assert rig.right.wire.take(lambda p: IP in p) == []
    assert rig.router.drops("ip_options") == before + 1


def test_counters_of_interfaces_are_exact(rig):
    def counters(name):
        row = rig.router.row("/interface", name=name)
        return {key: int(row[key]) for key in ("rx-packet", "rx-byte", "tx-packet", "tx-byte")}

    rig.clear()
    before = {name: counters(name) for name in ("left", "right")}
    packet = IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=1, dport=2) / (b"c" * 200)
    for _ in range(100):
        rig.left.send(packet)
    rig.left.settle(rounds=1)
    after = {name: counters(name) for name in ("left", "right")}
    size = 14 + len(packet)
    arp_in = after["left"]["rx-packet"] - before["left"]["rx-packet"] - 100
    assert arp_in == 1  # the settling question
    rx_bytes = after["left"]["rx-byte"] - before["left"]["rx-byte"]
    assert rx_bytes - 100 * size in range(28, 65)
    assert after["right"]["tx-packet"] - before["right"]["tx-packet"] == 100
    assert after["right"]["tx-byte"] - before["right"]["tx-byte"] == 100 * size
    assert len(rig.right.wire.take(lambda p: UDP in p)) == 100


def test_counters_begin_at_zero_again_when_they_are_reset(rig):
    def count(name):
        return int(rig.router.row("/interface", name=name)["rx-packet"])

    rig.clear()
    for _ in range(100):
        rig.left.send(IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=1, dport=2))
        rig.right.send(IP(src=RIGHT_HOST, dst=LEFT_HOST) / UDP(sport=2, dport=1))
    rig.left.settle(rounds=1)
    assert count("left") >= 100 and count("right") >= 100
    rig.router.ctl("/interface/reset-counters left")
    assert count("left") < 100 <= count("right")
    assert int(rig.router.row("/interface/ethernet", name="left")["rx-packet"]) < 100
    rig.router.ctl("/interface/ethernet/reset-counters right")
    assert count("right") < 100
    done = rig.router.ctl("/interface/reset-counters nobody", check=False)
    assert done.returncode == 1 and "no such item" in done.stderr
