"""SIP and PPTP beside the kernel's helpers (B-24): what either makes of the same call.

The kernel's helpers are given to connections by a rule, as kernels since 4.7 want it; ours are on.
"""

import struct

from frames import IP, TCP, UDP, raw
from nat_cases import MASQUERADE, NFT_MASQUERADE, Case, tcp
from scenes import LEFT_HOST, RIGHT_HOST, RIGHT_ROUTER

GRE = 47
SIP_PORT, PPTP_PORT = 5060, 1723


def helped(kind, protocol, port):
    """Rules that give connections a helper of the kernel's."""
    return f"""
ct helper one {{ type "{kind}" protocol {protocol}; l3proto ip; }}
chain helped {{ type filter hook prerouting priority -150;
  {protocol} dport {port} ct helper set "one"; }}
"""


# SIP ---------------------------------------------------------------------------------------------

MEDIA, ANSWERED = 40000, 42000  # where each side wants the other's voice


def media(host, port):
    return "\r\n".join((
        "v=0", f"o=a 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP 0", "")).encode()


def message(first, caller, via, body=b"", more=(), method="INVITE"):
    lines = [
        first,
        f"Via: SIP/2.0/UDP {via}:{SIP_PORT};branch=z9hG4bK77",
        f"From: <sip:alice@{caller}>;tag=1",
        "To: <sip:bob@10.2.0.10>",
        "Call-ID: call@lab",
        f"CSeq: 1 {method}",
        *more,
    ]
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def sip_call(c):
    body = message("INVITE sip:bob@10.2.0.10 SIP/2.0", LEFT_HOST, LEFT_HOST,
                   media(LEFT_HOST, MEDIA), (f"Contact: <sip:alice@{LEFT_HOST}:{SIP_PORT}>",))
    return IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(
        sport=c.port(SIP_PORT), dport=c.port(SIP_PORT)) / body


def sip_answer(code, body=b""):
    def make(c):
        known = c.seen["right"][UDP]
        text = message(f"SIP/2.0 {code}", RIGHT_ROUTER, RIGHT_ROUTER, body,
                       (f"Contact: <sip:bob@{RIGHT_HOST}:{SIP_PORT}>",))
        return IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / UDP(
            sport=known.dport, dport=known.sport) / text

    return make


def voice(sport, dport, src, dst):
    return lambda c: IP(src=src, dst=dst) / UDP(sport=c.port(sport), dport=c.port(dport)) / b"voice"


# PPTP (RFC 2637) ---------------------------------------------------------------------------------

COOKIE = 0x1A2B3C4D
OUR_CALL, THEIR_CALL = 100, 700


def control(kind, body):
    """A control message: its length, that it is control, the cookie, and what it is."""
    return struct.pack(">HHIHH", 12 + len(body), 1, COOKIE, kind, 0) + body


START = control(1, struct.pack(">HHIIHH", 0x100, 0, 3, 3, 0, 0) + bytes(128))
STARTED = control(2, struct.pack(">HBBIIHH", 0x100, 1, 0, 3, 3, 1, 0) + bytes(128))
CALL = control(7, struct.pack(">HHIIIIHHHH", OUR_CALL, 1, 300, 100000000, 3, 3, 64, 0, 0, 0)
               + bytes(128))


def called(c):
    """The server's answer names the call as the client's packet named it outside."""
    number = c.call
    return control(8, struct.pack(">HHBBHIHHI", THEIR_CALL, number, 1, 0, 0, 100000000, 64, 0, 0))


def client(body, seq, ack):
    return tcp(1, PPTP_PORT, "PA", seq=seq, ack=ack, body=body, window=60000)


def note_call(make):
    """Remembers the number that the server has just been told."""

    def made(c):
        data = bytes(c.seen["right"][TCP].payload)
        c.call = struct.unpack(">H", data[12:14])[0]
        return make(c)

    return made


def server(body, seq, ack):
    def make(c):
        seen = c.seen["right"]
        data = body(c) if callable(body) else body
        return IP(src=seen[IP].dst, dst=seen[IP].src) / TCP(
            sport=seen[TCP].dport, dport=seen[TCP].sport, flags="PA", seq=seq, ack=ack,
            window=60000) / data

    return make


def gre(src, dst, call):
    """A GRE packet of version 1 with PPP in it, whose key is its receiver's call."""

    def make(c):
        number = c.call if call is None else call
        body = struct.pack(">HHHHI", 0x3001, 0x880B, 4, number, 1) + b"\xff\x03\xc0\x21"
        return IP(src=src, dst=dst, proto=GRE) / body

    return make


A, B = 1001, 5001
HELPER_CASES = [
    Case(
        "SIP: a call passes masquerade with its media",
        [
            ("left", sip_call),
            ("right", sip_answer("200 OK", media(RIGHT_HOST, ANSWERED))),
            ("right", voice(ANSWERED, MEDIA, RIGHT_HOST, RIGHT_ROUTER)),
            ("left", voice(MEDIA, ANSWERED, LEFT_HOST, RIGHT_HOST)),
        ],
        nat=MASQUERADE,
        nft=helped("sip", "udp", SIP_PORT) + NFT_MASQUERADE,
    ),
    Case(
        "PPTP: a call passes masquerade with its GRE packets",
        [
            ("left", tcp(1, PPTP_PORT, "S", seq=A - 1, window=60000)),
            ("right", lambda c: IP(src=RIGHT_HOST, dst=RIGHT_ROUTER) / TCP(
                sport=c.port(PPTP_PORT), dport=c.seen["right"][TCP].sport, flags="SA", seq=B - 1,
                ack=A, window=60000)),
            ("left", tcp(1, PPTP_PORT, "A", seq=A, ack=B, window=60000)),
            ("left", client(START, A, B)),
            ("right", server(STARTED, B, A + len(START))),
            ("left", client(CALL, A + len(START), B + len(STARTED))),
            ("right", note_call(server(called, B + len(STARTED), A + len(START) + len(CALL)))),
            ("right", gre(RIGHT_HOST, RIGHT_ROUTER, None)),
            ("left", gre(LEFT_HOST, RIGHT_HOST, THEIR_CALL)),
        ],
        nat=MASQUERADE,
        nft=helped("pptp", "tcp", PPTP_PORT) + NFT_MASQUERADE,
    ),
]


def text_of(packet):
    """A SIP message, by whose whole text it is compared; the usual port is as good as none."""
    data = raw(packet.payload)
    return data.decode().replace(f":{SIP_PORT}", "") if b"SIP/2.0" in data else None


def without_call(data):
    """A PPTP message without the number of the call it asks for: the kernel writes the client's TCP
    port there, we what the client chose, if nobody else has."""
    asks = data[4:8] == struct.pack(">I", COOKIE) and data[8:10] == struct.pack(">H", 7)
    return data[:12] + b"??" + data[14:] if asks else data
