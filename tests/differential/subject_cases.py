"""Subjects of other projects' tests, written anew as cases (reference/performance.md, part 5): netfilter's
selftests and packetdrill scripts, VPP's nat44-ed, the pf suites of FreeBSD and OpenBSD."""

from scapy.all import Padding, fragment

from frames import ICMP, IP, TCP, UDP
from nat_cases import (
    DROP_INVALID, FIXED, HANDSHAKE, LEFT_SECOND, LEFT_THIRD, MASQUERADE, NFT_DROP_INVALID,
    NFT_MASQUERADE, NFT_STATEFUL, NFT_WEB, RIGHT_SECOND, STATEFUL, WEB, Case, error, ping, reply,
    tcp, udp,
)
from scenes import LEFT_HOST, RIGHT_HOST, RIGHT_ROUTER
from transport_cases import sctp, sctp_reply

CLEAN = {"filter": DROP_INVALID, "nft": NFT_DROP_INVALID}
CLEAN_MASQUERADE = {"filter": DROP_INVALID, "nat": MASQUERADE,
                    "nft": NFT_DROP_INVALID + NFT_MASQUERADE}


def left(flags, seq, ack=0, body=b"", **more):
    return ("left", tcp(1, 80, flags, seq=seq, ack=ack, body=body, window=8192, **more))


def right(flags, seq, ack=0, body=b"", **more):
    return ("right", tcp(80, 1, flags, src=RIGHT_HOST, dst=LEFT_HOST, seq=seq, ack=ack, body=body,
                         window=8192, **more))


CLOSED_BY_BOTH = [left("FA", 1001, 5001), right("FA", 5001, 1002), left("A", 1002, 5002)]


def exactly(layer, sport, dport, src=LEFT_HOST, dst=RIGHT_HOST, **fields):
    """Ports as they are, those below 50 too."""

    def make(c):
        c.literal.update((sport, dport))
        return IP(src=src, dst=dst) / layer(sport=sport, dport=dport, **fields) / b"edge"

    return make


def query(number, src=LEFT_HOST):
    def make(c):
        c.literal.add(number)
        return IP(src=src, dst=RIGHT_HOST) / ICMP(type=8, id=number, seq=1) / b"edge"

    return make


def trailed(c):
    """A ping in a frame that is longer than the packet."""
    return IP(src=LEFT_HOST, dst=RIGHT_HOST) / ICMP(id=c.port(1), seq=1) / b"12" / Padding(b"\xa5" * 16)


def trailed_reply(c):
    seen = c.seen["right"]
    return (IP(src=seen[IP].dst, dst=seen[IP].src)
            / ICMP(type=0, id=seen[ICMP].id, seq=1) / b"12" / Padding(b"\x5a" * 16))


def whole(c, size=2000):
    return IP(src=LEFT_HOST, dst=RIGHT_HOST, id=c.base) / UDP(
        sport=c.port(1), dport=c.port(2)) / bytes(n % 251 for n in range(size))


def overlapping(c):
    """The second part begins eight bytes before the first one's end, and says something else there."""
    first, second = fragment(whole(c), fragsize=1000)[:2]
    second.frag -= 1
    second.payload = type(second.payload)(b"\xee" * 8 + bytes(second.payload))
    del second.len
    return [first, second]


def repeated(c):
    """The same part twice."""
    made = fragment(whole(c, 2600), fragsize=1000)
    return [made[0], made[1], made[1], *made[2:]]


def gre(src, dst):
    return lambda c: IP(src=src, dst=dst, proto=47) / (b"\x00\x00\x08\x00" + b"inside, whatever")


TWO_PORTS = [{"chain": "srcnat", "out-interface": "right", "protocol": "udp", "action": "src-nat",
              "to-addresses": FIXED, "to-ports": "5000-5001"}]
NFT_TWO_PORTS = f"""
chain srcnat {{ type nat hook postrouting priority 100;
  oifname "right" meta l4proto udp snat to {FIXED}:5000-5001; }}
"""

SUBJECT_CASES = [
    # packetdrill's conntrack scripts -------------------------------------------------------------
    Case(
        "subject: a stale peer challenges a SYN, is reset, and the next SYN connects",
        [left("S", 1000), right("A", 700000, 900000), left("R", 900000), left("S", 1000),
         right("SA", 5000, 1001), left("A", 1001, 5001), left("PA", 1001, 5001, b"data"),
         right("A", 5001, 1005)],
        **CLEAN,
    ),
    Case(
        "subject: a SYN on an established connection is challenged, resets it, and opens it anew",
        HANDSHAKE + [left("S", 77000), right("A", 5001, 1001), left("R", 1001), left("S", 77000),
                     right("SA", 99000, 77001), left("A", 77001, 99001)],
        **CLEAN,
    ),
    Case(
        "subject: a reset off the exact number after a FIN",
        HANDSHAKE + [right("FA", 5001, 1001), left("A", 1001, 5002), left("R", 1500),
                     right("A", 5002, 1001)],
        **CLEAN,
    ),
    Case(
        "subject: blind resets and acknowledgements do not end a connection",
        HANDSHAKE + [right("R", 900000000), left("R", 900000000), right("A", 5001, 700000000),
                     right("R", 5001 + 100), left("PA", 1001, 5001, b"still here"),
                     right("A", 5001, 1011)],
        **CLEAN,
    ),
    Case(
        "subject: a lost acknowledgement stalls nothing",
        HANDSHAKE + [right("PA", 5001, 1001, b"x" * 1000), right("PA", 7001, 1001, b"z" * 1000),
                     left("A", 1001, 6001), right("PA", 6001, 1001, b"y" * 1000),
                     left("A", 1001, 8001), right("PA", 8001, 1001, b"w" * 1000)],
        **CLEAN,
    ),
    Case(
        "subject: an old SYN-ACK is not taken for the new one's",
        [left("S", 1000), right("SA", 333, 400), left("S", 1000), right("SA", 5000, 1001),
         left("A", 1001, 5001)],
        **CLEAN,
    ),
    # netfilter's selftests -----------------------------------------------------------------------
    Case(
        "subject: both sides speak first, and nobody is translated without a rule",
        [("left", udp(1, 2)), ("right", udp(2, 1, src=RIGHT_HOST, dst=LEFT_HOST)),
         ("right", udp(4, 3, src=RIGHT_HOST, dst=LEFT_HOST)), ("left", udp(3, 4))],
        nat=WEB,
        nft=NFT_WEB,
    ),
    Case(
        "subject: three hosts with one port, each its own answers",
        [step for host in (LEFT_HOST, LEFT_SECOND, LEFT_THIRD)
         for step in (("left", udp(1, 53, src=host)), ("right", reply("right")),
                      ("left", ping(2, src=host)), ("right", reply("right")))],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "subject: who takes a port of the router's shadows no other host's",
        [("left", udp(1194, 53)), ("right", reply("right")),
         ("right", exactly(UDP, 54, 1194, src=RIGHT_SECOND, dst=RIGHT_ROUTER)),
         ("left", udp(1194, 53, src=LEFT_SECOND)), ("right", reply("right"))],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "subject: SCTP's INIT from both sides",
        [("left", sctp(1, 2, "init")),
         ("right", sctp(2, 1, "init", src=RIGHT_HOST, dst=LEFT_HOST)),
         ("right", sctp(2, 1, "init-ack", src=RIGHT_HOST, dst=LEFT_HOST)),
         ("left", sctp(1, 2, "cookie"))],
        **CLEAN,
        differs="SCTP's states are not followed: what opens a connection is judged, and no more",
    ),
    Case(
        "subject: errors about ping and TCP come back to who sent, those about others to nobody",
        [("left", ping(1)), ("right", error("right", 11, 0, source=RIGHT_SECOND)),
         ("left", tcp(2, 80, "S", seq=1)), ("right", error("right", 3, 4, nexthopmtu=1300)),
         ("right", error("right", 3, 1, source=RIGHT_SECOND)), ("right", error("right", 4, 0)),
         ("right", error("right", 12, 0))],
        STATEFUL, MASQUERADE, nft=NFT_STATEFUL + NFT_MASQUERADE,
    ),
    # VPP's nat44-ed ------------------------------------------------------------------------------
    Case(
        "subject: the ports at the edges",
        [step for port in (1, 1023, 1024, 65535)
         for step in (("left", exactly(UDP, port, 53)), ("right", reply("right")),
                      ("left", exactly(TCP, port, 80, flags="S", seq=1)))]
        + [step for number in (0, 1023, 65535)
           for step in (("left", query(number)), ("right", reply("right")))],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "subject: port 0",
        [("left", exactly(UDP, 0, 53)), ("left", exactly(UDP, 4321, 0)),
         ("left", exactly(TCP, 0, 80, flags="S", seq=1)),
         ("left", exactly(TCP, 4321, 0, flags="S", seq=1))],
        **CLEAN_MASQUERADE,
    ),
    Case(
        "subject: what stands behind a packet in its frame is not of it",
        [("left", trailed), ("right", trailed_reply)],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "subject: a SYN after both FINs",
        HANDSHAKE + CLOSED_BY_BOTH + [left("S", 200000), right("SA", 300000, 200001),
                                      left("A", 200001, 300001)],
        **CLEAN,
    ),
    Case(
        "subject: closed by both at once, and from the right first",
        HANDSHAKE + [left("FA", 1001, 5001), right("FA", 5001, 1001), left("A", 1002, 5002),
                     right("A", 5002, 1002), right("A", 5002, 1002)],
        **CLEAN,
    ),
    Case(
        "subject: a doubled SYN and a doubled SYN-ACK",
        [left("S", 1000), left("S", 1000), right("SA", 5000, 1001), right("SA", 5000, 1001),
         left("A", 1001, 5001), right("SA", 5000, 1001), left("A", 1001, 5001)],
        **CLEAN,
    ),
    Case(
        "subject: data after a reset is of no connection",
        HANDSHAKE + [left("R", 1001), left("PA", 1001, 5001, b"late"), left("S", 500000),
                     right("SA", 600000, 500001)],
        STATEFUL, nft=NFT_STATEFUL,
    ),
    Case(
        "subject: GRE is translated by its address, and to the router's own it goes round nowhere",
        [("left", gre(LEFT_HOST, RIGHT_HOST)), ("right", gre(RIGHT_HOST, RIGHT_ROUTER)),
         ("left", gre(LEFT_SECOND, RIGHT_SECOND)), ("right", gre(RIGHT_SECOND, RIGHT_ROUTER))],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "subject: a datagram without data, and whole fragments that nobody translates",
        [("left", udp(1, 53, body=b"")), ("right", reply("right", body=b"")),
         ("left", lambda c: fragment(whole(c), fragsize=1000)),
         ("left", lambda c: fragment(whole(c), fragsize=1000)[::-1])],
    ),
    # pf ------------------------------------------------------------------------------------------
    Case(
        "subject: two ports are all there are, and each serves every other server",
        [("left", udp(1, 53)), ("left", udp(2, 53)), ("left", udp(3, 53)),
         ("left", udp(3, 53, dst=RIGHT_SECOND)), ("left", udp(1, 53)), ("right", reply("right"))],
        nat=TWO_PORTS,
        nft=NFT_TWO_PORTS,
    ),
    Case("subject: a part that comes in the middle of the datagram again",
         [("left", repeated)], nat=MASQUERADE, nft=NFT_MASQUERADE),
    Case("subject: parts that contradict each other", [("left", overlapping)], nat=MASQUERADE,
         nft=NFT_MASQUERADE,
         differs="the first part has gone by when another contradicts it: the rest of the datagram "
                 "is dropped, which whoever puts it together then lacks"),
]
