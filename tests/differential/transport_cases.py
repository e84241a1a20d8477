"""Cases of SCTP and UDP-lite beside nftables, and of errors that quote little (B-11, B-17, B-33).

The kernel's tracking sums UDP-lite's pseudo header with the number of UDP, so that every right
checksum is a wrong one to it; it is told not to look. And the kernel of today knows no DCCP any more: tests/unit/l3/transport_test.cpp has it against the RFC.
"""

import struct

from scapy.all import raw
from scapy.layers.sctp import (
    SCTP,
    SCTPChunkCookieEcho,
    SCTPChunkData,
    SCTPChunkHeartbeatReq,
    SCTPChunkInit,
    SCTPChunkInitAck,
)

from frames import ICMP, IP, sum16
from nat_cases import (
    DROP_INVALID,
    MASQUERADE,
    NFT_DROP_INVALID,
    NFT_MASQUERADE,
    NFT_STATEFUL,
    STATEFUL,
    Case,
    chain,
    forward,
)
from scenes import LEFT_HOST, RIGHT_HOST, RIGHT_ROUTER

UDP_LITE, ESP = 136, 50
OUR_TAG, THEIR_TAG = 0x1111, 0x2222

CHUNKS = {
    "init": (0, lambda: SCTPChunkInit(init_tag=OUR_TAG, a_rwnd=65535, n_out_streams=1,
                                      n_in_streams=1)),
    "tagged init": (9, lambda: SCTPChunkInit(init_tag=OUR_TAG)),
    "init-ack": (OUR_TAG, lambda: SCTPChunkInitAck(init_tag=THEIR_TAG)),
    "cookie": (THEIR_TAG, lambda: SCTPChunkCookieEcho(cookie=b"biscuits")),
    "data": (THEIR_TAG, lambda: SCTPChunkData(data=b"hello, world", beginning=1, ending=1)),
    "heartbeat": (THEIR_TAG, SCTPChunkHeartbeatReq),
}


def sctp(sport, dport, what, src=LEFT_HOST, dst=RIGHT_HOST, broken=False):
    def make(c):
        tag, chunk = CHUNKS[what]
        packet = IP(src=src, dst=dst) / SCTP(
            sport=c.port(sport), dport=c.port(dport), tag=tag) / chunk()
        if broken:
            packet[SCTP].chksum = 0x1111
        return packet

    return make


def sctp_reply(side, what):
    """The answer to what was last seen on that side."""

    def make(c):
        seen = c.seen[side]
        tag, chunk = CHUNKS[what]
        return IP(src=seen[IP].dst, dst=seen[IP].src) / SCTP(
            sport=seen[SCTP].dport, dport=seen[SCTP].sport, tag=tag) / chunk()

    return make


def lite(src, dst, sport, dport, covered, body=b"what is covered, and what is not"):
    header = struct.pack(">HHHH", sport, dport, covered, 0)
    whole = header + body
    under = whole if covered == 0 else whole[:covered]
    pseudo = raw(IP(src=src, dst=dst))[12:20] + struct.pack(">HH", UDP_LITE, len(whole))
    total = 0xFFFF ^ sum16(pseudo + under)
    return IP(src=src, dst=dst, proto=UDP_LITE) / (whole[:6] + struct.pack(">H", total) + whole[8:])


def udp_lite(sport, dport, covered=8, src=LEFT_HOST, dst=RIGHT_HOST, zero=False):
    def make(c):
        packet = lite(src, dst, c.port(sport), c.port(dport), covered)
        if not zero:
            return packet
        body = raw(packet.payload)
        return IP(src=src, dst=dst, proto=UDP_LITE) / (body[:6] + b"\0\0" + body[8:])

    return make


def lite_reply(side, covered=8):
    def make(c):
        seen = c.seen[side][IP]
        sport, dport = struct.unpack(">HH", raw(seen.payload)[:4])
        return lite(seen.dst, seen.src, dport, sport, covered)

    return make


def short_error(side, kind, code):
    """An ICMP error that quotes the IPv4 header alone."""

    def make(c):
        seen = c.seen[side]
        return IP(src=seen[IP].dst, dst=seen[IP].src) / ICMP(type=kind, code=code) / raw(
            seen[IP])[:20]

    return make


def esp(c):
    return IP(src=LEFT_HOST, dst=RIGHT_HOST, proto=ESP) / (b"\0\0\0\1" + bytes(28))


TRANSPORT_CASES = [
    Case(
        "SCTP: masquerade keeps the port, and changes it for a second host",
        [
            ("left", sctp(1, 2, "init")),
            ("right", sctp_reply("right", "init-ack")),
            ("left", sctp(1, 2, "cookie")),
            ("left", sctp(1, 2, "data")),
            ("left", sctp(1, 2, "init", src="10.1.0.11")),
            ("right", sctp_reply("right", "init-ack")),
        ],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
    ),
    Case(
        "SCTP: what opens a connection",
        [
            ("left", sctp(1, 2, "tagged init")),
            ("left", sctp(3, 2, "data")),
            ("left", sctp(4, 2, "init", broken=True)),
            ("left", sctp(5, 2, "init")),
            ("left", sctp(6, 2, "heartbeat")),
        ],
        DROP_INVALID,
        nft=NFT_DROP_INVALID,
    ),
    Case(
        "SCTP and UDP-lite: rules see the ports",
        [
            ("left", sctp(1, 1001, "init")),
            ("left", sctp(1, 1002, "init")),
            ("left", udp_lite(1, 1001)),
            ("left", udp_lite(1, 1002)),
        ],
        forward({"protocol": "sctp", "dst-port": "1001", "action": "drop"},
                {"protocol": "udp-lite", "dst-port": "1002", "action": "drop"}),
        nft=chain("forward", "sctp dport 1001 drop\nudplite dport 1002 drop"),
    ),
    Case(
        "SCTP: dst-nat to another port, and the answer",
        [
            ("right", sctp(1, 8080, "init", src=RIGHT_HOST, dst=RIGHT_ROUTER)),
            ("left", sctp_reply("left", "init-ack")),
        ],
        nat=[{"chain": "dstnat", "in-interface": "right", "protocol": "sctp", "dst-port": "8080",
              "action": "dst-nat", "to-addresses": LEFT_HOST, "to-ports": "80"}],
        nft=f"""chain dstnat {{ type nat hook prerouting priority -100;
                  iifname "right" sctp dport 8080 dnat to {LEFT_HOST}:80; }}""",
    ),
    Case(
        "UDP-lite: masquerade with partial checksums, two hosts with one port",
        [
            ("left", udp_lite(1, 2)),
            ("right", lite_reply("right")),
            ("left", udp_lite(1, 2, covered=20)),
            ("left", udp_lite(1, 2, covered=0)),
            ("left", udp_lite(1, 2, src="10.1.0.11")),
            ("right", lite_reply("right", covered=0)),
        ],
        nat=MASQUERADE,
        nft=NFT_MASQUERADE,
        unchecked=True,
    ),
    Case(
        "UDP-lite: a checksum of zero is invalid",
        [("left", udp_lite(1, 2, zero=True)), ("left", udp_lite(1, 3))],
        DROP_INVALID,
        nft=NFT_DROP_INVALID,
        unchecked=True,
    ),
    Case(
        "an error that quotes only a header of ESP is related",
        [("left", esp), ("right", short_error("right", 3, 2))],
        STATEFUL,
        MASQUERADE,
        nft=NFT_STATEFUL + NFT_MASQUERADE,
    ),
]
