"""Filter and NAT cases as data: the same rules for nftables and for us, the same packets.

A case says its rules twice, and the packets that are sent one after the other from the left
(10.1.0.0/24) or the right (10.2.0.0/24). What comes out on either side after each packet is
compared. Ports of a case are counted from its own base, so that the cases of one run do not meet:
port n of a packet below 50 stands for base + n, a larger one for itself.
"""

from dataclasses import dataclass, field

from scapy.all import fragment

from frames import ICMP, IP, TCP, UDP, raw
from scenes import LEFT_HOST, LEFT_ROUTER, RIGHT_HOST, RIGHT_ROUTER

LEFT_SECOND, LEFT_THIRD, RIGHT_SECOND = "10.1.0.11", "10.1.0.12", "10.2.0.11"
FIXED = "10.2.0.200"  # an address of the router, for src-nat
NARROW = 1400  # the MTU of the right side


@dataclass
class Context:
    """What a step may know: its case's ports and what was last seen on a side."""

    base: int
    seen: dict = field(default_factory=dict)
    literal: set = field(default_factory=lambda: {80, 123, 5353})

    def port(self, number):
        if number < 50:
            return self.base + number
        self.literal.add(number)
        return number

    def shown(self, number):
        """A port as it is compared: one that NAT picked at random is only that."""
        known = number in self.literal or self.base <= number < self.base + 50
        return str(number) if known else "picked"


@dataclass
class Case:
    name: str
    steps: list
    filter: list = field(default_factory=list)
    nat: list = field(default_factory=list)
    lists: list = field(default_factory=list)
    nft: str = ""
    unchecked: bool = False  # the kernel is told not to look at checksums
    differs: str = ""  # the reason, if what comes out is not the same on purpose

    def __str__(self):
        return self.name


# Packets -----------------------------------------------------------------------------------------


def udp(sport, dport, src=LEFT_HOST, dst=RIGHT_HOST, body=b"data", **ip):
    def make(c):
        return IP(src=src, dst=dst, **ip) / UDP(sport=c.port(sport), dport=c.port(dport)) / body

    return make


def tcp(sport, dport, flags, src=LEFT_HOST, dst=RIGHT_HOST, body=b"", broken=False, **fields):
    def make(c):
        packet = IP(src=src, dst=dst) / TCP(
            sport=c.port(sport), dport=c.port(dport), flags=flags, **fields
        )
        if body:
            packet = packet / body
        if broken:
            packet[TCP].chksum = 0x1111
        return packet

    return make


def ping(number, src=LEFT_HOST, dst=RIGHT_HOST, kind=8, **ip):
    def make(c):
        return IP(src=src, dst=dst, **ip) / ICMP(type=kind, id=c.port(number), seq=1) / b"ping"

    return make


def reply(side, body=b"reply", shift=0, **fields):
    """The answer to what was last seen on that side."""

    def make(c):
        seen = c.seen[side]
        ip = IP(src=seen[IP].dst, dst=seen[IP].src)
        if UDP in seen:
            layer = UDP(sport=seen[UDP].dport, dport=seen[UDP].sport + shift) / body
        elif TCP in seen:
            layer = TCP(sport=seen[TCP].dport, dport=seen[TCP].sport + shift, **fields)
        else:
            kind = fields.get("type", 0)
            layer = ICMP(type=kind, id=seen[ICMP].id + shift, seq=seen[ICMP].seq) / b"pong"
        return ip / layer

    return make


def error(side, kind, code, source=None, **fields):
    """An ICMP error about what was last seen on that side."""

    def make(c):
        seen = c.seen[side]
        outer = IP(src=source or seen[IP].dst, dst=seen[IP].src)
        return outer / ICMP(type=kind, code=code, **fields) / raw(seen[IP])[:120]

    return make


def foreign_error(kind, code, dst=RIGHT_ROUTER):
    """An ICMP error about a packet that never was."""

    def make(c):
        quoted = IP(src=dst, dst=RIGHT_HOST) / UDP(sport=c.port(90), dport=c.port(91))
        return IP(src=RIGHT_HOST, dst=dst) / ICMP(type=kind, code=code) / raw(quoted)

    return make


def parts(order, size, **more):
    """The fragments of one UDP datagram, in an order of their own."""

    def make(c):
        whole = IP(src=LEFT_HOST, dst=RIGHT_HOST, id=c.base) / UDP(
            sport=c.port(1), dport=c.port(2)
        ) / (bytes(range(256)) * 12)
        made = fragment(whole, fragsize=size)
        return [made[number] for number in order]

    return make


# Rules -------------------------------------------------------------------------------------------

MASQUERADE = [{"chain": "srcnat", "out-interface": "right", "action": "masquerade"}]
NFT_MASQUERADE = """
chain srcnat { type nat hook postrouting priority 100; oifname "right" masquerade; }
"""
WEB = [
    {"chain": "dstnat", "in-interface": "right", "protocol": "tcp", "dst-port": "8080",
     "action": "dst-nat", "to-addresses": LEFT_HOST, "to-ports": "80"}
]
NFT_WEB = f"""
chain dstnat {{ type nat hook prerouting priority -100;
  iifname "right" tcp dport 8080 dnat to {LEFT_HOST}:80; }}
"""


def chain(hook, rules, priority=0):
    return f"chain {hook} {{ type filter hook {hook} priority {priority};\n{rules}\n}}\n"


def forward(*rules):
    return [{"chain": "forward", **rule} for rule in rules]


STATEFUL = forward(
    {"connection-state": ["established", "related"], "action": "accept"},
    {"connection-state": "invalid", "action": "drop"},
    {"in-interface": "right", "action": "drop"},
)
NFT_STATEFUL = chain(
    "forward",
    """ct state established,related accept
       ct state invalid drop
       iifname "right" drop""",
)
DROP_INVALID = forward({"connection-state": "invalid", "action": "drop"})
NFT_DROP_INVALID = chain("forward", "ct state invalid drop")

HANDSHAKE = [
    ("left", tcp(1, 80, "S", seq=1000, window=8192)),
    ("right", reply("right", flags="SA", seq=5000, ack=1001, window=8192)),
    ("left", tcp(1, 80, "A", seq=1001, ack=5001, window=8192)),
]


def reject_case(name, with_what, nft_words, packet, **more):
    return Case(
        f"reject with {name}",
        [("left", packet), ("right", reply_free(packet))],
        forward({"in-interface": "left", "action": "reject", "reject-with": with_what, **more}),
        nft=chain("forward", f'iifname "left" reject with {nft_words}'),
    )


def reply_free(packet):
    """The same packet from the other side: not rejected, to show that the rule is one-way."""

    def make(c):
        made = packet(c)
        made[IP].src, made[IP].dst = RIGHT_HOST, LEFT_HOST
        return made

    return make


CASES = [
    Case(
        "plain forwarding and its TTL",
        [
            ("left", udp(1, 2)),
            ("left", udp(1, 3, ttl=2)),
            ("left", udp(1, 4, ttl=1)),
            ("right", udp(4, 1, src=RIGHT_HOST, dst=LEFT_HOST)),
        ],
    ),
    # From a host of its own: Linux limits these errors per receiver, whatever its settings say.
    Case("no route", [("left", udp(1, 5, src=LEFT_THIRD, dst="172.16.0.1"))]),
    Case(
        "sources that cannot be",
        [("left", udp(n, 2, src=source)) for n, source in enumerate(
            ("10.1.0.255", "10.2.0.255", "255.255.255.255", "224.0.0.5", "127.0.0.1", "0.0.0.0",
             LEFT_ROUTER, RIGHT_ROUTER))],
    ),
    Case(
        "drop by protocol and port range",
        [
            ("left", udp(1, 5005)),
            ("left", udp(1, 5011)),
            ("left", udp(1, 6000)),
            ("left", udp(1, 6001)),
            ("left", tcp(1, 5005, "S")),
        ],
        forward({"protocol": "udp", "dst-port": "5000-5010,6000", "action": "drop"}),
        nft=chain("forward", "udp dport { 5000-5010, 6000 } drop"),
    ),
    *[
        reject_case(f"icmp {ours}", f"icmp-{ours}", f"icmp type {theirs}", packet)
        for ours, theirs, packet in (
            ("network-unreachable", "net-unreachable", udp(1, 2)),
            ("host-unreachable", "host-unreachable", udp(1, 2)),
            ("protocol-unreachable", "prot-unreachable", udp(1, 2)),
            ("port-unreachable", "port-unreachable", udp(1, 2)),
            ("net-prohibited", "net-prohibited", tcp(1, 2, "S")),
            ("host-prohibited", "host-prohibited", ping(1)),
            ("admin-prohibited", "admin-prohibited", udp(1, 2)),
        )
    ],
    reject_case("tcp reset", "tcp-reset", "tcp reset", tcp(1, 2, "S", seq=77), protocol="tcp"),
    Case(
        "tcp reset answers an ACK with its own number",
        [("left", tcp(1, 2, "A", seq=77, ack=4242, body=b"xyz")), ("left", tcp(1, 2, "R", seq=78))],
        forward({"protocol": "tcp", "action": "reject", "reject-with": "tcp-reset"}),
        nft=chain("forward", "meta l4proto tcp reject with tcp reset"),
    ),
    Case(
        "stateful filter: answers in, nothing new",
        [
            ("left", udp(1, 2)),
            ("right", reply("right")),
            ("right", udp(3, 4, src=RIGHT_HOST, dst=LEFT_HOST)),
            ("left", ping(5)),
            ("right", reply("right")),
            ("right", ping(6, src=RIGHT_HOST, dst=LEFT_HOST)),
        ],
        STATEFUL,
        nft=NFT_STATEFUL,
    ),
    Case(
        "stateful filter: a TCP connection",
        HANDSHAKE
        + [
            ("left", tcp(1, 80, "PA", seq=1001, ack=5001, body=b"GET", window=8192)),
            ("right", reply("right", flags="A", seq=5001, ack=1004, window=8192)),
            ("right", tcp(7, 8, "S", src=RIGHT_HOST, dst=LEFT_HOST)),
        ],
        STATEFUL,
        nft=NFT_STATEFUL,
    ),
    Case(
        "an error about a connection is related",
        [("left", udp(1, 2)), ("right", error("right", 3, 3)),
         ("right", error("right", 11, 0, source="10.2.0.11"))],
        STATEFUL,
        nft=NFT_STATEFUL,
    ),
    Case(
        "masquerade: UDP out, answer in, forged answers out",
        [
            ("left", udp(1, 53)),
            ("right", reply("right")),
            ("right", reply("right", shift=1)),
            ("right", udp(55, 1, src=RIGHT_HOST, dst=RIGHT_ROUTER)),
            ("left", udp(1, 54)),
            ("left", udp(1, 53, dst=RIGHT_SECOND)),
        ],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "masquerade: a TCP connection to its end",
        HANDSHAKE
        + [
            ("left", tcp(1, 80, "PA", seq=1001, ack=5001, body=b"hello", window=8192)),
            ("right", reply("right", flags="A", seq=5001, ack=1006, window=8192)),
            ("left", tcp(1, 80, "FA", seq=1006, ack=5001, window=8192)),
            ("right", reply("right", flags="FA", seq=5001, ack=1007, window=8192)),
            ("left", tcp(1, 80, "A", seq=1007, ack=5002, window=8192)),
        ],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "masquerade: a reset in the window ends a connection",
        HANDSHAKE
        + [
            ("right", reply("right", flags="R", seq=5001)),
            ("left", tcp(1, 80, "A", seq=1001, ack=5001, window=8192)),
        ],
        DROP_INVALID,
        MASQUERADE,
        nft=NFT_DROP_INVALID + NFT_MASQUERADE,
    ),
    Case(
        "masquerade: ping, its answer, and answers with another id",
        [("left", ping(1)), ("right", reply("right")), ("right", reply("right", shift=1))],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "masquerade: errors from outside find their way",
        [
            ("left", udp(1, 2)),
            ("right", error("right", 3, 3)),
            ("right", error("right", 11, 0, source=RIGHT_SECOND)),
            ("right", error("right", 3, 4, source=RIGHT_SECOND, nexthopmtu=1200)),
            ("left", ping(3)),
            ("right", error("right", 3, 1, source=RIGHT_SECOND)),
            ("left", tcp(4, 5, "S")),
            ("right", error("right", 3, 10)),
        ],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "masquerade: an error about nothing",
        [("right", foreign_error(3, 3)), ("right", foreign_error(11, 0))],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "masquerade: two hosts with one port get two",
        [
            ("left", udp(1, 53)),
            ("left", udp(1, 53, src=LEFT_SECOND)),
            ("right", reply("right")),
        ],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "masquerade: low ports stay low",
        [("left", lambda c: IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=123, dport=c.port(1)))],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "masquerade: fragments in and out of order",
        [("left", parts((0, 1, 2), 1200)), ("left", parts((2, 0, 1), 1200))],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "masquerade: too big for the right side",
        [
            ("left", udp(1, 2, body=b"x" * 1400, flags="DF")),
            ("left", udp(1, 2, body=b"x" * 1400, id=700)),
            ("left", udp(1, 2, body=b"x" * 1372, flags="DF")),
        ],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "src-nat to a fixed address for one host",
        [("left", udp(1, 2)), ("right", reply("right")), ("left", udp(1, 2, src=LEFT_SECOND))],
        nat=[{"chain": "srcnat", "src-address": LEFT_HOST, "action": "src-nat",
              "to-addresses": FIXED}],
        nft=f"""chain srcnat {{ type nat hook postrouting priority 100;
                  ip saddr {LEFT_HOST} snat to {FIXED}; }}""",
    ),
    Case(
        "dst-nat with another port, answers, an error from inside",
        [
            ("right", tcp(1, 8080, "S", src=RIGHT_HOST, dst=RIGHT_ROUTER, seq=10)),
            ("left", reply("left", flags="SA", seq=20, ack=11)),
            ("right", tcp(2, 8080, "S", src=RIGHT_HOST, dst=RIGHT_ROUTER, seq=10)),
            ("left", error("left", 3, 3)),
            ("right", tcp(3, 8081, "S", src=RIGHT_HOST, dst=RIGHT_ROUTER, seq=10)),
        ],
        nat=WEB,
        nft=NFT_WEB,
    ),
    Case(
        "dst-nat without a port keeps it",
        [("right", udp(1, 2, src=RIGHT_HOST, dst=RIGHT_ROUTER)), ("left", reply("left"))],
        nat=[{"chain": "dstnat", "in-interface": "right", "protocol": "udp", "action": "dst-nat",
              "to-addresses": LEFT_SECOND}],
        nft=f"""chain dstnat {{ type nat hook prerouting priority -100;
                  iifname "right" meta l4proto udp dnat to {LEFT_SECOND}; }}""",
    ),
    Case(
        "filter sees the translated destination and knows that it is",
        [
            ("right", tcp(1, 8080, "S", src=RIGHT_HOST, dst=RIGHT_ROUTER, seq=10)),
            ("right", tcp(2, 80, "S", src=RIGHT_HOST, dst=LEFT_HOST, seq=10)),
        ],
        forward(
            {"in-interface": "right", "connection-nat-state": "dstnat", "dst-address": LEFT_HOST,
             "protocol": "tcp", "dst-port": "80", "action": "accept"},
            {"in-interface": "right", "action": "drop"},
        ),
        WEB,
        nft=NFT_WEB
        + chain(
            "forward",
            f"""iifname "right" ct status dnat ip daddr {LEFT_HOST} tcp dport 80 accept
                iifname "right" drop""",
        ),
    ),
    Case(
        "hairpin: the LAN reaches its own server by the public address",
        [
            ("left", tcp(1, 8080, "S", src=LEFT_SECOND, dst=RIGHT_ROUTER, seq=10)),
            ("left", reply("left", flags="SA", seq=20, ack=11)),
        ],
        nat=[
            {"chain": "dstnat", "dst-address": RIGHT_ROUTER, "protocol": "tcp", "dst-port": "8080",
             "action": "dst-nat", "to-addresses": LEFT_HOST, "to-ports": "80"},
            {"chain": "srcnat", "src-address": "10.1.0.0/24", "dst-address": "10.1.0.0/24",
             "action": "masquerade"},
        ],
        nft=f"""chain dstnat {{ type nat hook prerouting priority -100;
                  ip daddr {RIGHT_ROUTER} tcp dport 8080 dnat to {LEFT_HOST}:80; }}
                chain srcnat {{ type nat hook postrouting priority 100;
                  ip saddr 10.1.0.0/24 ip daddr 10.1.0.0/24 masquerade; }}""",
    ),
    Case(
        "redirect: foreign DNS ends at the router",
        [("left", tcp(1, 53, "S", dst="10.2.0.53", seq=5))],
        nat=[{"chain": "dstnat", "in-interface": "left", "protocol": "tcp", "dst-port": "53",
              "action": "redirect", "to-ports": "5353"}],
        nft="""chain dstnat { type nat hook prerouting priority -100;
                 iifname "left" tcp dport 53 redirect to :5353; }""",
    ),
    Case(
        "invalid: outside the window",
        HANDSHAKE
        + [
            ("left", tcp(1, 80, "A", seq=900_000_000, ack=5001, body=b"x", window=8192)),
            ("left", tcp(1, 80, "A", seq=1001, ack=900_000_000, window=8192)),
            ("left", tcp(1, 80, "PA", seq=1001, ack=5001, body=b"fine", window=8192)),
            ("right", tcp(80, 1, "R", src=RIGHT_HOST, dst=LEFT_HOST, seq=900_000_000)),
        ],
        DROP_INVALID,
        nft=NFT_DROP_INVALID,
    ),
    Case(
        "invalid: flags that make no sense",
        [("left", tcp(n, 80, flags)) for n, flags in enumerate(
            ("SF", "SR", "", "FPU", "SFRPAU", "S"), 1)],
        DROP_INVALID,
        nft=NFT_DROP_INVALID,
    ),
    Case(
        "invalid: wrong checksum, answers to nothing",
        [
            ("left", tcp(1, 80, "S", broken=True)),
            ("left", ping(2, kind=0)),
            ("left", tcp(3, 80, "SA")),
            ("left", tcp(4, 80, "R")),
        ],
        DROP_INVALID,
        nft=NFT_DROP_INVALID,
    ),
    Case(
        "a connection taken up in its middle is new, then known",
        [
            ("left", tcp(1, 80, "A", seq=1000, ack=2000, window=8192)),
            ("right", tcp(80, 1, "A", src=RIGHT_HOST, dst=LEFT_HOST, seq=2000, ack=1000,
                          window=8192)),
            ("left", tcp(1, 80, "A", seq=1000, ack=2000, window=8192)),
            ("right", tcp(80, 2, "A", src=RIGHT_HOST, dst=LEFT_HOST, seq=1, ack=1, window=8192)),
        ],
        STATEFUL,
        nft=NFT_STATEFUL,
    ),
    Case(
        "jump, return and a chain that ends",
        [("left", udp(1, 1001)), ("left", udp(1, 1002)), ("left", udp(1, 1003)),
         ("left", udp(1, 1004))],
        [
            {"chain": "forward", "in-interface": "left", "protocol": "udp", "action": "jump",
             "jump-target": "mine"},
            {"chain": "forward", "protocol": "udp", "dst-port": "1002-1003", "action": "drop"},
            {"chain": "mine", "protocol": "udp", "dst-port": "1001", "action": "drop"},
            {"chain": "mine", "protocol": "udp", "dst-port": "1002", "action": "return"},
            {"chain": "mine", "protocol": "udp", "dst-port": "1003", "action": "accept"},
        ],
        nft="""chain mine { udp dport 1001 drop
                 udp dport 1002 return
                 udp dport 1003 accept
               }
            """
        + chain(
            "forward",
            """iifname "left" meta l4proto udp jump mine
               udp dport 1002-1003 drop""",
        ),
    ),
    Case(
        "address lists, ranges and negation",
        [
            ("left", udp(1, 2)),
            ("left", udp(1, 2, src=LEFT_SECOND)),
            ("left", udp(1, 2, dst=RIGHT_SECOND)),
            ("left", udp(1, 2, src=LEFT_SECOND, dst=RIGHT_SECOND)),
        ],
        forward(
            {"src-address-list": "known", "dst-address": "10.2.0.11-10.2.0.12", "action": "drop"},
            {"src-address-list": "!known", "dst-address": "!10.2.0.11", "action": "drop"},
        ),
        lists=[{"list": "known", "address": address} for address in (LEFT_HOST, "10.1.0.64/26")],
        nft="""set known { type ipv4_addr; flags interval; elements = { 10.1.0.10, 10.1.0.64/26 } }
            """
        + chain(
            "forward",
            """ip saddr @known ip daddr 10.2.0.11-10.2.0.12 drop
               ip saddr != @known ip daddr != 10.2.0.11 drop""",
        ),
    ),
    Case(
        "icmp types",
        [("left", ping(1)), ("left", ping(2, kind=13)), ("left", ping(3, kind=17)),
         ("left", ping(4, kind=42))],
        forward({"protocol": "icmp", "icmp-options": "8:0", "action": "drop"},
                {"protocol": "icmp", "icmp-options": "17:0-255", "action": "drop"}),
        nft=chain("forward", "icmp type 8 icmp code 0 drop\nicmp type 17 drop"),
    ),
    Case(
        "source NAT by where a packet came in",
        [
            ("left", udp(1, 53)), ("right", reply("right")),
            ("right", udp(2, 53, src=RIGHT_HOST, dst=LEFT_HOST)), ("left", reply("left")),
            ("left", tcp(3, 80, "S", seq=1)),
        ],
        nat=[{"chain": "srcnat", "in-interface": "right", "action": "src-nat", "to-addresses": LEFT_ROUTER},
             {"chain": "srcnat", "in-interface": "!right", "protocol": "udp", "action": "masquerade"}],
        nft=f"""
chain srcnat {{ type nat hook postrouting priority 100;
  iifname "right" snat to {LEFT_ROUTER}; iifname != "right" meta l4proto udp masquerade; }}
""",
    ),
    Case(
        "input and output chains",
        [
            ("left", ping(1, dst=LEFT_ROUTER)),
            ("left", ping(2, dst=LEFT_ROUTER, src=LEFT_SECOND)),
            ("right", ping(3, src=RIGHT_HOST, dst=RIGHT_ROUTER)),
            ("right", ping(4, src=RIGHT_HOST, dst=LEFT_ROUTER)),
            ("left", udp(5, 6, dst=LEFT_ROUTER)),
            ("left", tcp(7, 8, "S", dst=LEFT_ROUTER, seq=3)),
        ],
        [
            {"chain": "input", "src-address": LEFT_SECOND, "action": "drop"},
            {"chain": "output", "dst-address": RIGHT_HOST, "protocol": "icmp", "action": "drop"},
        ],
        nft=chain("input", f"ip saddr {LEFT_SECOND} drop")
        + chain("output", f"ip daddr {RIGHT_HOST} meta l4proto icmp drop"),
    ),
    Case(
        "other protocols are tracked by their addresses",
        [
            ("left", lambda c: IP(src=LEFT_HOST, dst=RIGHT_HOST, proto=50) / b"esp-esp-esp-esp!"),
            ("right", lambda c: IP(src=RIGHT_HOST, dst=LEFT_HOST, proto=50) / b"esp-esp-esp-esp!"),
            ("right", lambda c: IP(src=RIGHT_HOST, dst=LEFT_HOST, proto=51) / b"ah-ah-ah-ah-ah-!"),
        ],
        STATEFUL,
        nft=NFT_STATEFUL,
    ),
]
