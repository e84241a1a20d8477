"""A PPPoE access concentrator made of frames, as bad as a test wants it. It needs no PPP of a kernel:
what it is asked it grants, unless a test answers in its place."""

import struct
from socket import inet_aton as ip

from frames import BROADCAST, Answerer, Ether, raw

DISCOVERY, SESSION = 0x8863, 0x8864
PADI, PADO, PADR, PADS, PADT = 0x09, 0x07, 0x19, 0x65, 0xA7
SERVICE, NAME, HOST_UNIQ = 0x0101, 0x0102, 0x0103
LCP, IPCP, PAP, IPV4 = 0xC021, 0x8021, 0xC023, 0x0021
REQUEST, ACK, NAK, REJECT, TERMINATE, TERMINATE_ACK, ECHO, ECHO_REPLY = 1, 2, 3, 4, 5, 6, 9, 10
AC_MAC = "02:ac:00:00:00:01"
ADDRESS, PEER = "10.64.1.7", "10.64.0.1"  # the client's, and its own


def option(kind, value):
    return bytes((kind, len(value) + 2)) + value


def ppp(code, number, data=b""):
    return struct.pack(">BBH", code, number, len(data) + 4) + data


def tags(*pairs):
    return b"".join(struct.pack(">HH", kind, len(value)) + value for kind, value in pairs)


def read_tags(data):
    found = {}
    while len(data) >= 4:
        kind, length = struct.unpack(">HH", data[:4])
        found[kind] = data[4 : 4 + length]
        data = data[4 + length :]
    return found


class Asked:
    """A frame of a client: what kind, of whom, and what is in it."""

    def __init__(self, packet):
        data = raw(packet)
        self.client, self.to = packet.src, packet.dst
        self.type = packet.type
        _, self.code, self.session, length = struct.unpack(">BBHH", data[14:20])
        self.body = data[20 : 20 + length]
        self.tags = read_tags(self.body) if self.type == DISCOVERY else {}
        self.protocol = self.number = 0
        self.options = b""
        if self.type == SESSION:
            self.protocol = struct.unpack(">H", self.body[:2])[0]
            if self.protocol != IPV4:
                self.code, self.number, size = struct.unpack(">BBH", self.body[2:6])
                self.options = self.body[6 : 2 + size]

    def is_ppp(self, protocol, code):
        return self.type == SESSION and self.protocol == protocol and self.code == code


class Concentrator(Answerer):
    """Answers what comes to a device; `instead(asked)` gives other frames, or None for the usual ones."""

    def __init__(self, namespace, device, mac=AC_MAC):
        self.mac = mac
        self.session, self.numbers = 0x10, 0
        self.asked, self.instead = [], None
        self.client = None  # whose session it is, once there is one
        super().__init__(namespace, device)

    def hear(self, packet):
        if packet.type not in (DISCOVERY, SESSION):
            return
        asked = Asked(packet)
        self.asked.append(asked)
        frames = self.instead(asked) if self.instead else None
        self.wire.send(*(self.usual(asked) if frames is None else frames))

    def count(self, fits):
        return sum(1 for one in list(self.asked) if fits(one))

    # Frames -----------------------------------------------------------------------------------------

    def discovery(self, asked, code, *more, session=0, uniq=None, src=None, tail=b""):
        """An answer to a PADI or PADR."""
        uniq = asked.tags.get(HOST_UNIQ, b"") if uniq is None else uniq
        body = tags((SERVICE, asked.tags.get(SERVICE, b"")), (NAME, b"ac"), (HOST_UNIQ, uniq), *more) + tail
        return self.frame(DISCOVERY, code, session, body, asked.client, src)

    def frame(self, kind, code, session, body, to=None, src=None, length=None):
        head = struct.pack(">BBHH", 0x11, code, session, len(body) if length is None else length)
        return raw(Ether(src=src or self.mac, dst=to or self.client, type=kind)) + head + body

    def ppp(self, protocol, packet, session=None, src=None, to=None):
        body = struct.pack(">H", protocol) + packet
        return self.frame(SESSION, 0, self.session if session is None else session, body, to, src)

    def padt(self, session=None, src=None):
        return self.frame(DISCOVERY, PADT, self.session if session is None else session, b"", src=src)

    def request(self, protocol, options):
        self.numbers = self.numbers % 255 + 1
        return self.ppp(protocol, ppp(REQUEST, self.numbers, options))

    # What a good one says -----------------------------------------------------------------------------

    def usual(self, asked):
        if asked.type == DISCOVERY:
            if asked.code == PADI and asked.to == BROADCAST:
                return [self.discovery(asked, PADO)]
            if asked.code == PADR:
                self.session += 1
                self.client = asked.client
                return [self.discovery(asked, PADS, session=self.session),
                        self.request(LCP, option(5, b"good"))]
            return []
        if asked.is_ppp(LCP, REQUEST):
            return [self.ppp(LCP, ppp(ACK, asked.number, asked.options))]
        if asked.is_ppp(LCP, ECHO):
            return [self.ppp(LCP, ppp(ECHO_REPLY, asked.number, b"good" + asked.options[4:]))]
        if asked.is_ppp(IPCP, REQUEST):
            if asked.options[2:6] == ip(ADDRESS):
                return [self.ppp(IPCP, ppp(ACK, asked.number, asked.options))]
            return [self.request(IPCP, option(3, ip(PEER))),
                    self.ppp(IPCP, ppp(NAK, asked.number, option(3, ip(ADDRESS))))]
        return []
