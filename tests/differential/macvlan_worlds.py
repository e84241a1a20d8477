"""The two worlds of the macvlan comparison: the kernel's driver and the router under test.

Both have a wire, a parent with an address, bridge macvlans m1 and m2, private ones p1 and p2, each
in a namespace of its own, and a bridge macvlan m3 that is down. MAC addresses are the same.
"""

import socket
import struct

from frames import ARP, BROADCAST, IP, UDP, Ether, Raw, Wire, mac, raw
from lab import dataplane, wait_until
from macvlan_cells import TAGS

MACS = {
    "parent": mac(0xC001),
    "m1": mac(0xC011),
    "m2": mac(0xC012),
    "m3 (down)": mac(0xC013),
    "p1": mac(0xC021),
    "p2": mac(0xC022),
    "stranger": mac(0xCAFE),
    "unknown": mac(0xDEAD),
    "broadcast": BROADCAST,
    "group joined by m1": "01:00:5e:01:02:03",
    "all hosts": "01:00:5e:00:00:01",
    "all nodes": "33:33:00:00:00:01",
    "stp": "01:80:c2:00:00:00",
    "pause address": "01:80:c2:00:00:01",
    "lldp": "01:80:c2:00:00:0e",
}
VPORTS = ("m1", "m2", "p1", "p2")
PARENT_IP = "10.77.0.1"
JOINED = "239.1.2.3"
MARK = 0x88B5
MAGIC = b"maclane-cell:"
# One of them nobody's filter takes by a collision of its hash.
UNJOINED = [f"01:00:5e:09:{n // 7:02x}:{n * 37 % 251:02x}" for n in range(1, 33)]


def sender_ip(number):
    """Of the ARP question of a cell: its number, on the parent's network."""
    return f"10.77.{128 + number // 250}.{1 + number % 250}"


def tag_bytes(tags, ethertype):
    """EtherType field with the tags before it."""
    data = b"".join(struct.pack(">HH", tpid, vid) for tpid, vid in tags)
    return data + struct.pack(">H", ethertype)


class Unlucky(Exception):
    """A macvlan hears a group nobody joined, in all the life of this world."""


class World:
    """What both have: endpoints to send from and to listen at."""

    def __init__(self, lab):
        self.lab = lab
        self.wires = {}  # "wire", "m1", ...
        self.unjoined = None
        self.markers = 0

    # frames ---------------------------------------------------------------------------------

    def source_mac(self, source):
        return MACS[source.removeprefix("wire:")]

    def destination_mac(self, destination):
        return self.unjoined if destination == "group nobody joined" else MACS[destination]

    def frame(self, cell):
        """The frames of a cell: one, or the fragments of one datagram."""
        addresses = raw(
            Ether(dst=self.destination_mac(cell.destination), src=self.source_mac(cell.source))
        )[:12]
        mark = MAGIC + b"%05d" % cell.number
        if cell.protocol == "raw":
            return [addresses + tag_bytes(TAGS[cell.tag], MARK) + mark.ljust(60, b".")]
        if cell.protocol == "pause frame":
            return [addresses + tag_bytes([], 0x8808) + b"\0\1\xff\xff" + mark.ljust(46, b".")]
        if cell.protocol == "arp":
            question = ARP(
                op=1, hwsrc=self.source_mac(cell.source), psrc=sender_ip(cell.number),
                pdst=PARENT_IP,
            )
            # The magic stands in the padding, after the 28 bytes that ARP reads.
            return [addresses + tag_bytes(TAGS[cell.tag], 0x0806) + raw(question) + mark]
        target = JOINED if cell.destination == "group joined by m1" else "10.77.99.99"
        if cell.protocol == "udp":
            packet = IP(src="10.77.5.5", dst=target) / UDP(sport=9, dport=9) / mark.ljust(60, b".")
            return [addresses + tag_bytes(TAGS[cell.tag], 0x0800) + raw(packet)]
        body = raw(UDP(sport=9, dport=9, len=8 + 1424, chksum=0)) + mark.ljust(1424, b".")
        step = 720
        parts = []
        for offset in range(0, len(body), step):
            packet = IP(
                src="10.77.5.5", dst=target, id=1000 + cell.number, proto=17, frag=offset // 8,
                flags="MF" if offset + step < len(body) else 0,
            ) / body[offset : offset + step]
            parts.append(addresses + tag_bytes([], 0x0800) + raw(packet))
        return parts[:1] if cell.protocol == "first fragment alone" else parts

    # running --------------------------------------------------------------------------------

    def sender(self, cell):
        return self.wires["wire" if cell.source.startswith("wire:") else cell.source]

    def marker(self):
        """A frame to the wire and one from it to every macvlan: all before them is through."""
        self.markers += 1
        word = b"maclane-marker:%05d" % self.markers
        frame = raw(Ether(src=MACS["stranger"], dst=BROADCAST, type=MARK) / Raw(word.ljust(60)))
        self.wires["wire"].send(frame)
        for name in VPORTS:
            self.wires[name].wait(lambda p: word in bytes(p), what="a marker from the wire")
        frame = raw(Ether(src=MACS["m1"], dst=MACS["unknown"], type=MARK) / Raw(word.ljust(60)))
        self.wires["m1"].send(frame)
        self.wires["wire"].wait(lambda p: word in bytes(p), what="a marker from m1")
        self.settle_parent()

    def settle_parent(self):
        """A question to the parent itself, so that its earlier answers are on the wire."""
        self.markers += 1
        asker = f"10.77.250.{self.markers % 250 + 1}"
        question = Ether(src=MACS["stranger"], dst=MACS["parent"]) / ARP(
            op=1, hwsrc=MACS["stranger"], psrc=asker, pdst=PARENT_IP
        )
        self.wires["wire"].send(question)
        self.wires["wire"].wait(
            lambda p: ARP in p and p[ARP].op == 2 and p[ARP].pdst == asker,
            what="the parent's answer",
        )

    def run(self, cells, batch=40):
        """Sends every cell; returns {(cell number, endpoint): [what arrived]}."""
        arrived = {}
        for wire in self.wires.values():
            wire.clear()
        for start in range(0, len(cells), batch):
            for cell in cells[start : start + batch]:
                self.sender(cell).send(*self.frame(cell))
            self.marker()
            for name, wire in self.wires.items():
                for frame in wire.collect():
                    found = recognise(frame.data)
                    if found:
                        number, what = found
                        arrived.setdefault((number, name), []).append(what)
                wire.clear()
        return {key: sorted(value) for key, value in arrived.items()}

    def join(self):
        """m1 becomes a member of the joined group, by IGMP.

        No socket may make a macvlan promiscuous: the kernel would then give it every group (A-44).
        """
        namespace = self.lab.namespaces[self.label("m1")]
        namespace.address("m1", "10.77.0.11/16")
        self.member = namespace.udp()
        self.member.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
            socket.inet_aton(JOINED) + socket.inet_aton("10.77.0.11"),
        )
        probe = raw(
            Ether(src=MACS["stranger"], dst=MACS["group joined by m1"], type=MARK)
            / Raw(b"maclane-join".ljust(60))
        )

        def heard():
            self.wires["wire"].send(probe)
            self.marker()
            return bool(self.wires["m1"].take(lambda p: b"maclane-join" in bytes(p)))

        wait_until(heard, 10, "m1 to hear the group it joined")

    def hearers(self, group):
        """The macvlans that a frame to a group reaches from the wire."""
        word = b"maclane-group:" + group.encode()
        self.wires["wire"].send(
            raw(Ether(src=MACS["stranger"], dst=group, type=MARK) / Raw(word.ljust(60)))
        )
        self.marker()
        return {
            name for name in VPORTS if self.wires[name].take(lambda p: word in bytes(p))
        }

    def choose_unjoined(self):
        """A group that no macvlan of this world takes by a collision of hashes."""
        for group in UNJOINED:
            if not self.hearers(group):
                self.unjoined = group
                return
        raise AssertionError("every group nobody joined reaches some macvlan")

    def unlucky(self):
        """The macvlans that hear a group nobody joined by chance: one hash has 256 values (A-44)."""
        found = self.hearers(MACS["group joined by m1"]) - {"m1"}
        for group in ("stp", "pause address", "lldp"):
            found |= self.hearers(MACS[group])
        return found

    def avoid_collisions(self):
        """Sees to it that no macvlan hears a group by chance, or raises Unlucky."""
        raise NotImplementedError


def from_the_parent(world):
    """What the parent itself sends: {"question" | "unicast": the endpoints that got it}.

    A packet for m1's address is given to the parent to forward: it asks with a broadcast (A-41),
    is answered from the wire with m1's MAC address, and sends to it (A-32).
    """
    target, word = "10.77.0.11", b"maclane-parent"
    wire = world.wires["wire"]
    wire.send(
        Ether(src=MACS["stranger"], dst=MACS["parent"])
        / IP(src="10.77.3.3", dst=target)
        / UDP(sport=1, dport=2)
        / word
    )

    def asks(packet):
        return (
            ARP in packet and packet[ARP].op == 1 and packet.src == MACS["parent"]
            and packet[ARP].pdst == target
        )

    question = wire.wait(asks, what="the parent's question")
    world.marker()
    heard = {"wire"} | {name for name in VPORTS if world.wires[name].take(asks)}
    wire.send(
        Ether(src=MACS["m1"], dst=MACS["parent"])
        / ARP(op=2, hwsrc=MACS["m1"], psrc=target, hwdst=MACS["parent"], pdst=question[ARP].psrc)
    )

    def carries(packet):
        return UDP in packet and word in bytes(packet) and packet.dst == MACS["m1"]

    wire.wait(carries, what="the forwarded packet")
    world.marker()
    got = {"wire"} | {name for name in VPORTS if world.wires[name].take(carries)}
    return {"question": heard, "unicast": got}


def recognise(data):
    """Which cell a received frame belongs to, and what of it is compared."""
    offset, tags = 12, []
    ethertype = struct.unpack(">H", data[offset : offset + 2])[0]
    while ethertype in (0x8100, 0x88A8) and len(data) >= offset + 6:
        tci = struct.unpack(">H", data[offset + 2 : offset + 4])[0] & 0xFFF
        # VLAN 0 is no VLAN: both worlds hand it on with or without its tag, as they see fit.
        if tci:
            tags.append((ethertype, tci))
        offset += 4
        ethertype = struct.unpack(">H", data[offset : offset + 2])[0]
    body = data[offset + 2 :]
    if ethertype == 0x0806 and len(body) >= 28 and body[6:8] == b"\0\2":
        high, low = body[26], body[27]
        if body[24:26] != b"\x0a\x4d" or not 128 <= high < 250:
            return None
        # The parent's answer: found by the address it is for.
        what = f"ARP answer of {data[6:12].hex(':')} to {data[:6].hex(':')}"
        return (high - 128) * 250 + low - 1, what
    addresses = f"{data[6:12].hex(':')} > {data[:6].hex(':')} {tags} {ethertype:#06x}"
    if ethertype == 0x0800 and len(body) >= 20 and body[9] == 17:
        number = struct.unpack(">H", body[4:6])[0]
        fragment = struct.unpack(">H", body[6:8])[0]
        length = struct.unpack(">H", body[2:4])[0]
        if number >= 1000:
            return number - 1000, f"{addresses} fragment {fragment:#06x} of {length}"
    at = data.find(MAGIC)
    if at < 0:
        return None
    return int(data[at + len(MAGIC) :][:5]), addresses


class Kernel(World):
    """veth and macvlan devices: the oracle."""

    def label(self, name):
        return f"k-{name}"

    def build(self):
        lab = self.lab
        host, wire = lab.namespace("k-host"), lab.namespace("k-wire")
        lab.veth(wire, "v1", host, "v0")
        for side, device in ((wire, "v1"), (host, "v0")):
            side.run("ethtool", "-K", device, "rxvlan", "off", "txvlan", "off", check=False)
        host.sysctl("net.ipv4.ip_forward", 1)  # as a router does
        host.sysctl("net.ipv4.conf.all.send_redirects", 0)
        host.sysctl("net.ipv4.conf.v0.send_redirects", 0)
        host.ip("link", "set", "v0", "address", MACS["parent"])
        host.address("v0", f"{PARENT_IP}/16")
        for name in (*VPORTS, "m3"):
            lab.namespace(self.label(name))
            self.add(name, name)
            if name != "m3":
                self.bring_up(name)
        self.wires["wire"] = Wire(wire, "v1")
        return self

    def add(self, name, device):
        """A macvlan with the MAC address and in the namespace of `name`, down."""
        host = self.lab.namespaces["k-host"]
        host.ip("link", "add", device, "link", "v0",
                "address", MACS["m3 (down)" if name == "m3" else name],
                "type", "macvlan", "mode", "private" if name.startswith("p") else "bridge")
        host.ip("link", "set", device, "netns", self.lab.namespaces[self.label(name)].name)

    def bring_up(self, name):
        namespace = self.lab.namespaces[self.label(name)]
        namespace.ip("link", "set", name, "up")
        self.wires[name] = Wire(namespace, name, promiscuous=False)

    def avoid_collisions(self):
        """Makes a macvlan anew as long as its filter takes a group nobody joined by chance.

        The kernel's hash has 256 values and mixes in where the device lies in memory (A-44): the
        new one is made before the old one goes, so that it lies elsewhere.
        """
        for _ in range(50):
            unlucky = self.unlucky()
            if not unlucky:
                return
            for name in unlucky:
                namespace = self.lab.namespaces[self.label(name)]
                self.add(name, "anew")
                self.wires[name].close()
                namespace.ip("link", "del", name)
                namespace.ip("link", "set", "anew", "name", name)
                self.bring_up(name)
            if "m1" in unlucky:
                self.member.close()
                self.join()
        raise AssertionError("the kernel's macvlans go on hearing groups nobody joined")


class Ours(World):
    """The router, the same macvlans attached to namespaces."""

    def label(self, name):
        return f"o-{name}"

    def build(self):
        lab = self.lab
        macvlans = []
        for name in (*VPORTS, "m3"):
            namespace = lab.namespace(self.label(name))
            row = {
                "name": name,
                "interface": "parent",
                "mode": "private" if name.startswith("p") else "bridge",
                "mac-address": MACS["m3 (down)" if name == "m3" else name],
                "attach": "tap",
                "netns": namespace.name,
            }
            if name == "m3":
                row["disabled"] = True
            macvlans.append(row)
        config = {
            "dataplane": dataplane(),
            "interface": {
                "ethernet": [{"name": "parent", "device": "net_tap0,iface=mlport",
                              "mac-address": MACS["parent"]}],
                "macvlan": macvlans,
            },
            "ip": {"address": [{"address": f"{PARENT_IP}/16", "interface": "parent"}]},
        }
        self.router = lab.router(config, name="o-router").start()
        wire = lab.namespace("o-wire")
        self.router.move_wire("mlport", wire)
        self.wires["wire"] = Wire(wire, "mlport")
        for name in VPORTS:
            self.wires[name] = Wire(lab.namespaces[self.label(name)], name, promiscuous=False)
        return self

    def avoid_collisions(self):
        """Its hash mixes in a number of each start."""
        if self.unlucky():
            raise Unlucky


def play(world, cells):
    """Builds a world and sends every cell through it."""
    world.build()
    world.marker()
    world.join()
    world.avoid_collisions()
    world.choose_unjoined()
    results = world.run(cells)
    results["parent"] = from_the_parent(world)
    return results
