"""The matrix of behaviour.md A4 as data: every frame that is sent through both worlds.

A cell is a source, a destination class, a tag class and a protocol. Sources named "wire:x" put the
frame on the wire with the MAC address of x as source; the others send it from inside the macvlan's
own namespace.
"""

from dataclasses import dataclass
from itertools import product

SOURCES = ["wire:stranger", "wire:m1", "wire:p1", "wire:parent", "m1", "p1"]

DESTINATIONS = [
    "broadcast", "m1", "m2", "m3 (down)", "p1", "p2", "parent", "unknown",
    "group joined by m1", "group nobody joined", "all hosts", "all nodes", "stp", "pause address",
    "lldp",
]

# Tags from the outside in: (EtherType, VLAN ID).
TAGS = {
    "untagged": [],
    "802.1Q 0": [(0x8100, 0)],
    "802.1Q 10": [(0x8100, 10)],
    "802.1ad 0": [(0x88A8, 0)],
    "802.1ad 10": [(0x88A8, 10)],
    "802.1Q 0 in 0": [(0x8100, 0), (0x8100, 0)],
    "802.1Q 10 in 0": [(0x8100, 0), (0x8100, 10)],
}

# raw: an EtherType of nobody's; udp: IPv4; arp: who-has for the parent's address, so that the
# parent's own stack is seen by its answer.
PROTOCOLS = ["raw", "udp", "arp"]


@dataclass(frozen=True)
class Cell:
    source: str
    destination: str
    tag: str
    protocol: str
    number: int  # carried in the frame: it is found again by it

    def __str__(self):
        return f"{self.source} -> {self.destination}, {self.tag}, {self.protocol}"


def cells():
    """The whole product, and the frames that only exist once."""
    made = [
        (source, destination, tag, protocol)
        for source, destination, protocol, tag in product(SOURCES, DESTINATIONS, PROTOCOLS, TAGS)
    ]
    made += [
        ("wire:stranger", destination, "untagged", "pause frame")
        for destination in ("broadcast", "m1", "pause address")
    ]
    made += [
        (source, destination, "untagged", protocol)
        for source in ("wire:stranger", "m1")
        for destination in ("m2", "broadcast")
        for protocol in ("whole datagram in fragments", "first fragment alone")
    ]
    return [Cell(*values, number) for number, values in enumerate(made)]


@dataclass(frozen=True)
class Difference:
    """Cells in which we differ from the kernel on purpose, at which endpoints, and why."""

    reason: str
    source: tuple = ()
    destination: tuple = ()
    tag: tuple = ()
    protocol: tuple = ()
    endpoint: tuple = ()

    def covers(self, cell, endpoint):
        wanted = {
            "source": cell.source,
            "destination": cell.destination,
            "tag": cell.tag,
            "protocol": cell.protocol,
            "endpoint": endpoint,
        }
        return all(
            not getattr(self, name) or value in getattr(self, name)
            for name, value in wanted.items()
        )


DIFFERENCES = [
    Difference(
        "A-46: 01:80:c2:00:00:0x from a macvlan would confuse the switch; we never send it there",
        source=("m1", "p1"),
        destination=("stp", "pause address", "lldp"),
        endpoint=("wire",),
    ),
    Difference(
        "A-48: the kernel reassembles IPv4 fragments before it copies a broadcast to macvlans; we "
        "pass on the fragments as they are",
        source=("wire:stranger",),
        destination=("broadcast",),
        protocol=("whole datagram in fragments", "first fragment alone"),
        endpoint=("m1", "m2", "p1", "p2"),
    ),
    Difference(
        "802.3x: MAC control frames end at the port they arrive at; the kernel hands one that is "
        "addressed to a macvlan's own MAC address on to it",
        source=("wire:stranger",),
        destination=("m1",),
        protocol=("pause frame",),
        endpoint=("m1",),
    ),
    Difference(
        "an ARP question that names our own MAC address as its sender is a reflection or a forgery "
        "and is not answered; the kernel answers it",
        source=("wire:parent",),
        protocol=("arp",),
        endpoint=("wire",),
    ),
]
