"""Frames nobody honest sends: each is dropped by name, none crashes anything or stays behind."""

import os
import random
import struct

import pytest
from scapy.all import fragment

from frames import ARP, BROADCAST, ICMP, IP, TCP, UDP, Dot1Q, Ether, Raw, mac, raw
from lab import Lab, wait_until
from scenes import (
    LEFT_HOST,
    LEFT_HOST_MAC,
    LEFT_MAC,
    LEFT_ROUTER,
    RIGHT_HOST,
    RIGHT_ROUTER,
    two_port_rig,
    two_ports,
)

SEED = 20240611


@pytest.fixture(scope="module")
def rig():
    config = two_ports(
        filter=[
            {"chain": "input", "connection-state": "invalid", "action": "drop"},
            {"chain": "forward", "connection-state": "invalid", "action": "drop"},
        ],
        nat=[{"chain": "srcnat", "out-interface": "right", "action": "masquerade"}],
    )
    config["interface"]["vlan"] = [{"name": "v30", "interface": "left", "vlan-id": 30}]
    config["interface"]["macvlan"] = [
        {"name": "mb", "interface": "left", "mode": "bridge"},
        {"name": "mp", "interface": "left", "mode": "private"},
    ]
    config["interface"]["pppoe-client"] = [{"name": "dsl", "interface": "left", "user": "u"}]
    config["ip"]["address"].append({"address": "10.30.0.1/24", "interface": "v30"})
    with Lab() as lab:
        yield two_port_rig(lab, config)


def works(rig):
    """The router still answers, forwards and translates."""
    rig.clear()
    rig.left.send(IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=50000, dport=9) / b"alive")
    got = rig.right.wire.wait(lambda p: UDP in p and b"alive" in bytes(p))
    assert got[IP].src == RIGHT_ROUTER
    rig.left.send(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / ICMP(id=50000))
    rig.left.wire.wait(lambda p: ICMP in p and p[ICMP].type == 0)
    assert rig.router.process.alive()


def strange_sessions(rig, known=("50000",)):
    return [row for row in rig.router.sessions() if row.get("src-port") not in known
            and row["protocol"] != "icmp"]


def test_what_a_device_refuses_leaves_the_router_as_it_was(rig):
    """A change whole or not at all: what was compiled before is compiled again."""
    for command in ("/interface ethernet add name=e3 device=nosuch",
                    "/interface ethernet add name=e3 device=\"net_tap7,iface=lo\"",
                    "/interface ethernet set left mtu=1600"):
        for _ in range(2):
            refused = rig.router.ctl(command, check=False)
            assert refused.returncode == 1, refused.stdout + refused.stderr
            works(rig)
    (left,) = [row for row in rig.router.print("/interface/ethernet") if row["name"] == "left"]
    assert left["mtu"] == "1500"


def test_random_bytes(rig):
    generator = random.Random(SEED)
    frames = []
    for _ in range(1500):
        body = generator.randbytes(generator.randrange(1, 200))
        kind = generator.choice([0x0800, 0x0806, 0x8100, 0x88A8, 0x86DD, 0x8808, 0x8863, 0x8864,
                                 0x9003, 3, 0])
        dst = generator.choice([LEFT_MAC, BROADCAST, "01:00:5e:00:00:01", rig.router.mac("mb")]
                               if generator.random() < 0.01 else [LEFT_MAC, BROADCAST])
        frames.append(raw(Ether(src=LEFT_HOST_MAC, dst=dst, type=kind)) + body)
    rig.left.flood(frames)
    works(rig)
    assert strange_sessions(rig) == []


def test_every_length_of_a_good_frame(rig):
    whole = [
        raw(rig.left.frame(IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(sport=1, dport=2, flags="S"))),
        raw(rig.left.frame(IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=1, dport=2) / b"data")),
        raw(rig.left.frame(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / ICMP(id=1) / b"data")),
        raw(rig.left.who_has(LEFT_ROUTER)),
        raw(Ether(src=LEFT_HOST_MAC, dst=LEFT_MAC) / Dot1Q(vlan=30) / IP() / UDP()),
    ]
    for frame in whole:
        rig.left.flood([frame[:length] for length in range(14, len(frame))])
    works(rig)
    assert strange_sessions(rig) == []


def broken(packet, layer, **fields):
    made = packet.copy()
    for name, value in fields.items():
        setattr(made[layer], name, value)
    return made


def test_broken_headers_leave_no_session(rig):
    tcp = IP(src=LEFT_HOST, dst=RIGHT_HOST) / TCP(sport=7, dport=8, flags="S")
    udp = IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=7, dport=8) / b"data"
    icmp = IP(src=LEFT_HOST, dst=RIGHT_HOST) / ICMP(id=7)
    malformed = rig.router.drops("l4_malformed")
    frames = [
        broken(tcp, TCP, dataofs=2),
        broken(tcp, TCP, dataofs=15),
        broken(udp, UDP, len=4),
        broken(udp, UDP, len=400),
        IP(src=LEFT_HOST, dst=RIGHT_HOST, proto=6) / b"1234567",
        IP(src=LEFT_HOST, dst=RIGHT_HOST, proto=17) / b"123",
        IP(src=LEFT_HOST, dst=RIGHT_HOST, proto=1) / b"1",
        broken(icmp, IP, ihl=15),
        broken(tcp, TCP, flags="SF"),
        broken(tcp, TCP, flags=""),
        broken(tcp, TCP, flags="FPU"),
        broken(tcp, TCP, flags="SR"),
        broken(tcp, TCP, chksum=1),
        broken(udp, UDP, chksum=1),
        broken(icmp, ICMP, chksum=1),
    ]
    rig.left.send(*frames)
    rig.settle()
    assert rig.router.drops("l4_malformed") >= malformed + 7
    works(rig)
    assert strange_sessions(rig) == []


def test_impossible_addresses(rig):
    martian = rig.router.drops("ip_martian")
    sources = [RIGHT_ROUTER, LEFT_ROUTER, "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"]
    frames = [IP(src=source, dst=RIGHT_HOST) / UDP(sport=9, dport=9) for source in sources]
    frames += [
        IP(src=LEFT_ROUTER, dst=LEFT_ROUTER) / TCP(sport=9, dport=9, flags="S"),  # land
        IP(src=LEFT_HOST, dst="127.0.0.1") / UDP(sport=9, dport=9),
        IP(src=LEFT_HOST, dst="0.0.0.0") / UDP(sport=9, dport=9),
        IP(src=LEFT_HOST, dst="240.0.0.1") / UDP(sport=9, dport=9),
    ]
    rig.left.send(*frames)
    rig.settle()
    assert rig.router.drops("ip_martian") >= martian + 6
    assert rig.right.wire.take(lambda p: UDP in p and p[UDP].sport == 9) == []
    works(rig)
    assert strange_sessions(rig) == []


def ip_fragment(number, offset, more, body, dst=RIGHT_HOST):
    flags = "MF" if more else 0
    return IP(src=LEFT_HOST, dst=dst, id=number, proto=17, frag=offset, flags=flags) / body


def test_hostile_fragments(rig):
    udp = raw(UDP(sport=7, dport=8, len=3000, chksum=0))
    frames = [
        ip_fragment(1, 0, True, udp[:4]),  # the first holds no whole header
        ip_fragment(2, 0, True, udp + b"a" * 24), ip_fragment(2, 1, False, b"b" * 64),  # overlap
        ip_fragment(3, 8190, True, b"c" * 64),  # past 65535
        ip_fragment(4, 8189, False, b"c" * 100),
        ip_fragment(5, 0, True, udp + b"d" * 3),  # not a multiple of eight
        ip_fragment(6, 5, True, b""),
    ]
    frames += [ip_fragment(7, 1, False, b"t" * 8)]  # tiny second fragment alone
    frames += [ip_fragment(1000 + n, 10, True, b"l" * 64) for n in range(3000)]  # orphans
    frames += [ip_fragment(8, 0, True, udp + b"s" * 24)] * 200  # the same again and again
    frames += [
        ip_fragment(5000 + n, 10, True, b"l" * 64, dst=LEFT_ROUTER) for n in range(2000)
    ]
    rig.left.flood([rig.left.frame(packet) for packet in frames])
    works(rig)
    numbers = iter(range(100, 10_000))

    def fragments_pass_again():
        """Whatever the flood took comes back, without anybody's help."""
        body, number = os.urandom(2500), next(numbers)
        rig.left.send(
            *fragment(IP(src=LEFT_HOST, dst=LEFT_ROUTER, id=number) / ICMP(id=9) / body,
                      fragsize=1000)
        )
        rig.settle()
        return len(rig.left.wire.take(lambda p: IP in p and p[IP].proto == 1)) == 2

    wait_until(fragments_pass_again, 60, "fragments to pass again", tick=0.5)


def test_icmp_errors_that_quote_rubbish(rig):
    generator = random.Random(SEED)
    quotes = [b"", b"\x45", raw(IP(src=LEFT_HOST, dst=RIGHT_HOST))[:19]]
    inner = IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=1, dport=2)
    quotes += [raw(inner)[:21], raw(broken(inner, IP, ihl=15)), raw(broken(inner, IP, ihl=1))]
    quotes.append(raw(IP(src=LEFT_HOST, dst=RIGHT_HOST) / ICMP(type=3) / raw(inner)))
    quotes += [generator.randbytes(generator.randrange(60)) for _ in range(200)]
    kinds = [(kind, quote) for kind in (3, 4, 5, 11, 12) for quote in quotes]
    rig.right.flood(
        [rig.right.frame(IP(dst=RIGHT_ROUTER, src="10.2.0.9") / ICMP(type=kind, code=0) / quote)
         for kind, quote in kinds]
    )
    rig.left.flood(
        [rig.left.frame(IP(src=LEFT_HOST, dst=RIGHT_HOST) / ICMP(type=kind) / quote)
         for kind, quote in kinds]
    )
    works(rig)


def test_hostile_arp(rig):
    frames = []
    for opcode in (0, 1, 2, 3, 8, 0xFFFF):
        for source in (BROADCAST, "00:00:00:00:00:00", "01:00:5e:00:00:01", LEFT_MAC):
            frames.append(
                Ether(src=LEFT_HOST_MAC, dst=BROADCAST)
                / ARP(op=opcode, hwsrc=source, psrc="10.1.0.66", pdst=LEFT_ROUTER)
            )
    frames.append(
        Ether(src=LEFT_HOST_MAC, dst=BROADCAST)
        / ARP(op=1, hwsrc=LEFT_HOST_MAC, psrc=LEFT_ROUTER, pdst=LEFT_ROUTER)
    )
    rig.left.wire.send(*frames)
    works(rig)
    for row in rig.router.print("/ip/arp"):
        if row["address"] == "10.1.0.66":
            assert int(row["mac-address"][:2], 16) & 1 == 0, row
    # A static row is not overwritten from the wire.
    rig.left.wire.send(
        Ether(src=mac(0x666), dst=BROADCAST)
        / ARP(op=2, hwsrc=mac(0x666), psrc=LEFT_HOST, pdst=LEFT_ROUTER)
    )
    rig.settle()
    assert rig.router.row("/ip/arp", address=LEFT_HOST)["mac-address"].lower() == LEFT_HOST_MAC


def test_broadcast_storm_does_not_starve_unicast(rig):
    #
    storm = raw(Ether(src=mac(0x77), dst=BROADCAST, type=0x88B5) / Raw(b"s" * 60))
    inside = IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=50000, dport=10) / b"inside"
    for _ in range(20):
        rig.left.flood([storm] * 100 + [rig.left.frame(inside)])
    rig.settle()
    assert len(rig.right.wire.take(lambda p: UDP in p and p[UDP].dport == 10)) == 20
    works(rig)


def test_deep_tags(rig):
    frame = Ether(src=LEFT_HOST_MAC, dst=LEFT_MAC)
    for depth in range(1, 12):
        frame = frame / Dot1Q(vlan=depth % 3 * 30)
        rig.left.wire.send(frame / IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=7, dport=7))
        rig.left.wire.send(raw(frame))
    works(rig)


def test_syn_flood_leaves_what_is_bounded(rig):
    generator = random.Random(SEED)
    flood = [
        IP(src=f"10.1.0.{generator.randrange(20, 250)}", dst=RIGHT_HOST)
        / TCP(sport=generator.randrange(1, 65536), dport=80, flags="S",
              seq=struct.unpack("I", generator.randbytes(4))[0])
        for _ in range(3000)
    ]
    rig.left.flood([rig.left.frame(packet) for packet in flood])
    works(rig)
