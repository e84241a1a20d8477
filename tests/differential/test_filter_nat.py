"""Linux's nftables beside our filter and NAT: what comes out on either side must be equal."""

import struct

import pytest

from frames import ICMP, IP, TCP, UDP, Station, Wire, good_checksums, raw
from helper_cases import HELPER_CASES, text_of, without_call
from lab import Lab, dataplane
from nat_cases import CASES as NAT_CASES
from nat_cases import FIXED, LEFT_SECOND, LEFT_THIRD, NARROW, RIGHT_SECOND, Context
from scenes import (
    LEFT_HOST,
    LEFT_HOST_MAC,
    LEFT_MAC,
    LEFT_ROUTER,
    RIGHT_HOST,
    RIGHT_HOST_MAC,
    RIGHT_MAC,
    RIGHT_ROUTER,
)
from subject_cases import SUBJECT_CASES
from transport_cases import TRANSPORT_CASES

CASES = NAT_CASES + TRANSPORT_CASES + HELPER_CASES + SUBJECT_CASES
SIDES = ("left", "right")
NEIGHBOURS = {
    "left": {LEFT_HOST: LEFT_HOST_MAC, LEFT_SECOND: "02:00:00:00:10:0b",
             LEFT_THIRD: "02:00:00:00:10:0c"},
    "right": {RIGHT_HOST: RIGHT_HOST_MAC, RIGHT_SECOND: "02:00:00:00:20:0b",
              "10.2.0.53": "02:00:00:00:20:35"},
}
ROUTER = {"left": (LEFT_MAC, LEFT_ROUTER), "right": (RIGHT_MAC, RIGHT_ROUTER)}


# A rule that asks for a state switches the kernel's connection tracking on, as any rule does ours.
TRACKING = """flush ruleset
table ip tracking {
  chain pre {
    type filter hook prerouting priority -150;
    ct state new counter
  }
}
"""


class Side:
    """One wire of a world: sends as its hosts, takes what the router sends."""

    def __init__(self, name, wire):
        self.name = name
        self.wire = wire
        address, ip = ROUTER[name]
        probe = ip.rsplit(".", 1)[0] + ".250"
        self.probe = Station(wire, "02:00:00:00:ff:fe", probe, address, ip)
        self.router_mac = address

    def send(self, packets):
        for packet in packets if isinstance(packets, list) else [packets]:
            source = NEIGHBOURS[self.name].get(packet.src, "02:00:00:00:99:99")
            station = Station(self.wire, source, packet.src, self.router_mac, "")
            station.send(packet)


class World:
    """A router between two sides."""

    def __init__(self, lab):
        self.lab = lab
        self.sides = {}

    def play(self, case, number):
        """What came out after each step, as text."""
        self.load(case)
        context = Context(base=20000 + 100 * number)
        story = []
        for side in SIDES:
            self.sides[side].probe.settle()
            self.sides[side].wire.clear()
        for side, make in case.steps:
            self.sides[side].send(make(context))
            for one in SIDES:
                self.sides[one].probe.settle(rounds=2)
            out = {}
            for one in SIDES:
                packets = self.sides[one].wire.take(lambda p: IP in p)
                self.sides[one].wire.clear()
                if packets:
                    context.seen[one] = packets[-1]
                out[one] = sorted(describe(packet, context) for packet in packets)
            story.append(out)
        return story


def transport(layer, context):
    if isinstance(layer, ICMP) or layer.name == "ICMP in ICMP":
        more = f" id {context.shown(layer.id)}" if layer.type in (0, 8, 13, 14) else ""
        return f"icmp {layer.type}/{layer.code}{more}"
    ports = f"{context.shown(layer.sport)}>{context.shown(layer.dport)}"
    if layer.name.startswith("TCP"):
        return f"tcp {ports}"
    return f"udp {ports}"


def describe(packet, context):
    """A packet as what the two worlds are compared by."""
    ip = packet[IP]
    own = ICMP in packet and packet[ICMP].type == 0 and ip.src in (LEFT_ROUTER, RIGHT_ROUTER)
    words = [f"{packet.src}>{packet.dst}", f"{ip.src}>{ip.dst}", f"len {ip.len}"]
    if not good_checksums(packet):
        words.append("BAD CHECKSUM")
    if ip.frag or ip.flags.MF:
        words.append(f"ttl {ip.ttl} id {ip.id} fragment {ip.frag * 8} more {bool(ip.flags.MF)}")
        words.append(raw(ip)[ip.ihl * 4 :][:32].hex())
        return " ".join(words)
    if TCP in packet and not ip.haslayer(ICMP):
        tcp = packet[TCP]
        words.append(f"{transport(tcp, context)} {tcp.flags} seq {tcp.seq} ack {tcp.ack}")
        if "R" in str(tcp.flags):
            own = True
            words[2] = ""  # of a reset the router makes, TTL and options are its own affair
        words.append(without_call(raw(tcp.payload))[:32].hex())
    elif UDP in packet and not ip.haslayer(ICMP):
        text = text_of(packet[UDP])
        if text:
            words[2] = ""  # the kernel writes ports that need not be written
        text = text or f"{bytes(packet[UDP].payload)[:16]!r}"
        words.append(f"{transport(packet[UDP], context)} {text}")
    elif ICMP in packet:
        icmp = packet[ICMP]
        words.append(transport(icmp, context))
        if icmp.type in (3, 4, 5, 11, 12):
            own = True
            words[2] = ""  # how much is quoted beyond the eight bytes is a router's own affair
            if (icmp.type, icmp.code) == (3, 4):
                words.append(f"mtu {icmp.nexthopmtu}")
            inner = IP(bytes(icmp.payload))
            words.append(f"about {inner.src}>{inner.dst} proto {inner.proto}")
            for layer in (TCP, UDP, ICMP):
                if layer in inner:
                    words.append(transport(inner[layer], context))
                    break
    elif ip.proto in (132, 136):  # SCTP, UDP-lite: all but what a picked port changes
        data = raw(ip.payload)
        sport, dport = struct.unpack(">HH", data[:4])
        rest = data[4:8] + data[12:] if ip.proto == 132 else data[4:6] + data[8:]
        words.append(f"proto {ip.proto} {context.shown(sport)}>{context.shown(dport)} {rest.hex()}")
    else:
        words.append(f"proto {ip.proto} {raw(ip.payload)[:32].hex()}")
    if not own:
        words.append(f"ttl {ip.ttl} df {bool(ip.flags.DF)}")
    return " ".join(word for word in words if word)


class Kernel(World):
    """veth, a namespace with ip_forward, nftables."""

    def build(self):
        lab = self.lab
        self.router = lab.namespace("k-router")
        for key, value in {
            "net.ipv4.ip_forward": 1,
            "net.ipv4.icmp_ratelimit": 0,
            "net.ipv4.icmp_msgs_per_sec": 100000,
            "net.ipv4.icmp_msgs_burst": 100000,
            "net.ipv4.conf.all.rp_filter": 0,
            "net.ipv4.conf.default.rp_filter": 0,
            "net.ipv4.conf.all.send_redirects": 0,
            "net.ipv4.conf.default.send_redirects": 0,
        }.items():
            try:
                self.router.sysctl(key, value)
            except OSError:
                if "icmp_msgs" not in key:  # not in every kernel, per namespace
                    raise
        for side in SIDES:
            end = lab.namespace(f"k-{side}")
            lab.veth(end, "eth0", self.router, side)
            address, ip = ROUTER[side]
            self.router.ip("link", "set", side, "address", address)
            self.router.address(side, f"{ip}/24")
            for host, mac in NEIGHBOURS[side].items():
                self.router.ip("neigh", "add", host, "lladdr", mac, "dev", side)
            self.sides[side] = Side(side, Wire(end, "eth0"))
        self.router.ip("link", "set", "right", "mtu", NARROW)
        self.router.address("right", f"{FIXED}/24")
        return self

    def load(self, case):
        self.router.sysctl("net.netfilter.nf_conntrack_checksum", 0 if case.unchecked else 1)
        self.router.run("nft", "-f", "-", stdin=f"{TRACKING}table ip lab {{\n{case.nft}\n}}\n")


class Ours(World):
    """The router with the same networks and the case's rules, loaded live."""

    def config(self, case=None):
        return {
            "dataplane": dataplane(),
            "interface": {
                "ethernet": [
                    {"name": "left", "device": "net_tap0,iface=mlleft", "mac-address": LEFT_MAC},
                    {"name": "right", "device": "net_tap1,iface=mlright", "mac-address": RIGHT_MAC,
                     "mtu": NARROW},
                ]
            },
            "ip": {
                "settings": {"icmp-rate-limit": 0},
                "address": [
                    {"address": f"{LEFT_ROUTER}/24", "interface": "left"},
                    {"address": f"{RIGHT_ROUTER}/24", "interface": "right"},
                    {"address": f"{FIXED}/24", "interface": "right"},
                ],
                "arp": [
                    {"address": host, "mac-address": mac, "interface": side}
                    for side in SIDES
                    for host, mac in NEIGHBOURS[side].items()
                ],
                "firewall": {
                    "connection/tracking": {"enabled": "yes"},
                    "filter": case.filter if case else [],
                    "nat": case.nat if case else [],
                    "address-list": case.lists if case else [],
                },
            },
        }

    def build(self):
        self.router = self.lab.router(self.config(), name="o-router").start()
        for side in SIDES:
            end = self.lab.namespace(f"o-{side}")
            self.router.move_wire(f"ml{side}", end)
            self.sides[side] = Side(side, Wire(end, f"ml{side}"))
        return self

    def load(self, case):
        self.router.reload(self.config(case))


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        yield made


@pytest.fixture(scope="module")
def kernel(lab):
    made = lab.namespace("probe").run("nft", "-f", "-", stdin=TRACKING, check=False)
    if made.returncode != 0:
        pytest.skip(f"no nftables with connection tracking here: {made.stderr.strip()}")
    return Kernel(lab).build()


@pytest.fixture(scope="module")
def ours(lab):
    return Ours(lab).build()


def told(story):
    return "\n".join(
        f"  step {number} {side}: {packet}"
        for number, out in enumerate(story, 1)
        for side in SIDES
        for packet in out[side]
    )


# B-2, B-14, B-16, B-17, B-20, B-21, B-24, B-31, B-33, B-35, N-13, N-28: what a case is named after.
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_same_as_nftables(number, kernel, ours):
    case = CASES[number]
    theirs = kernel.play(case, number)
    mine = ours.play(case, number)
    if case.differs:
        assert mine != theirs, f"no longer different: {case.differs}"
    else:
        assert mine == theirs, f"nftables:\n{told(theirs)}\nours:\n{told(mine)}"


# What the oracle itself must say, so that a case cannot be empty on both sides. ------------------

EXPECTED = {
    "plain forwarding and its TTL": [
        {"right": 1}, {"right": 1}, {"left": 1}, {"left": 1},
    ],
    "reject with tcp reset": [{"left": 1}, {"left": 1}],
    "stateful filter: answers in, nothing new": [
        {"right": 1}, {"left": 1}, {}, {"right": 1}, {"left": 1}, {},
    ],
    "masquerade: UDP out, answer in, forged answers out": [
        {"right": 1}, {"left": 1}, {"right": 1}, {"right": 1}, {"right": 1}, {"right": 1},
    ],
    "dst-nat with another port, answers, an error from inside": [
        {"left": 1}, {"right": 1}, {"left": 1}, {"right": 1}, {"right": 1},
    ],
    "invalid: wrong checksum, answers to nothing": [{}, {}, {}, {}],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_oracle_answers(name, kernel):
    number = next(n for n, case in enumerate(CASES) if case.name == name)
    story = kernel.play(CASES[number], number + 100)
    counted = [{side: len(out[side]) for side in SIDES if out[side]} for out in story]
    assert counted == EXPECTED[name]
