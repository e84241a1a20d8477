"""Frames on a device, seen and sent with AF_PACKET.

A Wire sees what comes in at a device, tags included, and sends frames as they are. Frames are
scapy packets or bytes. Nothing waits for silence: a frame whose answer must come last says that
everything before it has been through (Station.settle).
"""

import socket
import struct
import threading
from time import monotonic

from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, Raw, conf, raw

from lab import readable, wait_until

conf.verb = 0

__all__ = [
    "ARP", "ICMP", "IP", "TCP", "UDP", "BROADCAST", "Dot1AD", "Dot1Q", "Ether", "Raw", "Seen",
    "Station", "Wire", "crc32c", "good_checksums", "mac", "raw", "sum16",
]

BROADCAST = "ff:ff:ff:ff:ff:ff"

_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_AUXDATA = 8
_PACKET_IGNORE_OUTGOING = 23
_PACKET_MR_PROMISC = 1
_SO_RCVBUFFORCE = 33
_ETH_P_ALL = 3
_VLAN_VALID = 0x10
_TPID_VALID = 0x40
_BUSY = (11, 105)  # EAGAIN, ENOBUFS: the queue of the device is full for a moment


def mac(number):
    """Locally administered unicast addresses for tests: 02:00:00:00:00:01 and so on."""
    return "02:00:" + ":".join(f"{byte:02x}" for byte in struct.pack(">I", number))


class Seen:
    """One received frame."""

    def __init__(self, data, packet_type):
        self.data = data
        self.packet_type = packet_type  # 0 host, 1 broadcast, 2 multicast, 3 other host
        self._packet = None

    @property
    def packet(self):
        if self._packet is None:
            self._packet = Ether(self.data)
        return self._packet

    def __repr__(self):
        return self.packet.summary()


class Wire:
    """An AF_PACKET socket on a device of a namespace; device "" is all that are there."""

    def __init__(self, namespace, device, protocol=_ETH_P_ALL, promiscuous=True):
        self.device = device
        self.seen = []
        with namespace.entered():
            # Protocol 0 until bind(): nothing of other devices gets in.
            at_once = 0 if device else socket.htons(protocol)
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, at_once)
            self.sock.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
            self.sock.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 32 << 20)
            if promiscuous and device:
                index = socket.if_nametoindex(device)
                request = struct.pack("=IHH8s", index, _PACKET_MR_PROMISC, 0, b"")
                self.sock.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, request)
            if device:
                self.sock.bind((device, protocol))
        self.sock.setblocking(False)

    def close(self):
        self.sock.close()

    def send(self, *frames):
        for frame in frames:
            data = bytes(frame) if isinstance(frame, (bytes, bytearray)) else raw(frame)
            wait_until(lambda: self._send(data), 10, f"room to send on {self.device}", tick=0.001)

    def _send(self, data):
        try:
            return self.sock.send(data) == len(data)
        except OSError as error:
            if error.errno not in _BUSY:
                raise
            return False

    def _receive(self):
        try:
            data, control, _, address = self.sock.recvmsg(65536, 256)
        except BlockingIOError:
            return None
        for level, kind, value in control:
            if (level, kind) != (_SOL_PACKET, _PACKET_AUXDATA) or len(value) < 20:
                continue
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", value[:20])
            if status & _VLAN_VALID:
                tpid = tpid if status & _TPID_VALID else 0x8100
                data = data[:12] + struct.pack(">HH", tpid, tci) + data[12:]
        return Seen(data, address[2])

    def collect(self):
        """Takes in what has arrived; returns all frames seen since the last clear()."""
        while (frame := self._receive()) is not None:
            self.seen.append(frame)
        return self.seen

    def clear(self):
        self.collect()
        self.seen = []

    def take(self, predicate=lambda packet: True):
        """Removes and returns the packets that fit and have arrived."""
        self.collect()
        fit, rest = [], []
        for frame in self.seen:
            (fit if predicate(frame.packet) else rest).append(frame)
        self.seen = rest
        return [frame.packet for frame in fit]

    def wait(self, predicate, timeout=10.0, what="a frame"):
        """Removes and returns the first packet that fits, waited for; others stay in seen."""
        looked_at = 0

        def look():
            nonlocal looked_at
            readable(self.sock, 0.02)
            self.collect()
            while looked_at < len(self.seen):
                packet = self.seen[looked_at].packet
                if predicate(packet):
                    del self.seen[looked_at]
                    return packet
                looked_at += 1
            return None

        return wait_until(look, timeout, lambda: f"{what} on {self.device}; seen: {self.seen}", 0)


class Answerer:
    """Hears what comes to a device, in a thread of its own, until the lab ends: hear(packet) answers
    what concerns it. What goes wrong in there is told at the end."""

    def __init__(self, namespace, device):
        self.wire = Wire(namespace, device)
        self.failure, self.ends = None, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        namespace.lab.cleanups.append(self.stop)

    def hear(self, packet):
        raise NotImplementedError

    def stop(self):
        self.ends = True
        self.thread.join()
        assert self.failure is None, repr(self.failure)

    def _run(self):
        try:
            while not self.ends:
                seen, self.wire.seen = list(self.wire.collect()), []
                for frame in seen:
                    self.hear(frame.packet)
                threading.Event().wait(0.001)
        except Exception as error:  # told by stop()
            self.failure = error


class Station:
    """A host made of frames: one MAC and one address on a Wire, and the router it talks to."""

    def __init__(self, wire, own_mac, own_ip, router_mac, router_ip):
        self.wire = wire
        self.mac = own_mac
        self.ip = own_ip
        self.router_mac = router_mac
        self.router_ip = router_ip

    def frame(self, packet):
        """An IP packet on its way to the router."""
        return Ether(src=self.mac, dst=self.router_mac) / packet

    def send(self, *packets):
        self.wire.send(*(self.frame(packet) for packet in packets))

    def who_has(self, target, **fields):
        source = fields.pop("psrc", self.ip)
        dst = fields.pop("dst", BROADCAST)
        return Ether(src=self.mac, dst=dst) / ARP(
            op=1, hwsrc=self.mac, psrc=source, pdst=target, **fields
        )

    def is_reply(self, packet, target):
        return ARP in packet and packet[ARP].op == 2 and packet[ARP].psrc == target

    def settle(self, rounds=2):
        """Asks the router for its address and waits for the answer: what went before is done."""
        for _ in range(rounds):
            self._ask_until_answered()

    def _ask_until_answered(self):
        # After a flood the device's queue may be full and the question itself be lost.
        asked_at = 0.0

        def answered():
            nonlocal asked_at
            if monotonic() - asked_at > 1.0:
                asked_at = monotonic()
                self.wire.send(self.who_has(self.router_ip))
            readable(self.wire.sock, 0.02)
            return self.wire.take(
                lambda p: self.is_reply(p, self.router_ip) and p[ARP].hwdst == self.mac
            )

        wait_until(answered, 10, f"the router's answer to who-has {self.router_ip}", tick=0)

    def flood(self, frames, batch=200):
        """Many frames, no faster than the device's queue takes them: none is lost on the way."""
        for start in range(0, len(frames), batch):
            self.wire.send(*frames[start : start + batch])
            self.settle(rounds=1)


def sum16(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def crc32c(data):
    """SCTP's checksum (RFC 9260 appendix A), whose lowest byte stands first."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def good_checksums(packet):
    """Whether the checksums of a frame are right: IPv4's, and its transport's (UDP's zero is)."""
    if IP not in packet:
        return True
    data = raw(packet[IP])
    header = (data[0] & 15) * 4
    length, fragment, proto = (
        struct.unpack(">H", data[2:4])[0],
        struct.unpack(">H", data[6:8])[0] & 0x3FFF,
        data[9],
    )
    if sum16(data[:header]) != 0xFFFF:
        return False
    if fragment or proto not in (1, 6, 17, 132, 136):
        return True
    body = data[header:length]
    if proto == 132:
        return crc32c(body[:8] + bytes(4) + body[12:]) == struct.unpack("<I", body[8:12])[0]
    if proto == 136:
        covered = struct.unpack(">H", body[4:6])[0] or len(body)
        pseudo = data[12:20] + struct.pack(">HH", proto, len(body))
        return body[6:8] != b"\0\0" and sum16(pseudo + body[:covered]) == 0xFFFF
    if proto == 1:
        return sum16(body) == 0xFFFF
    if proto == 17 and body[6:8] == b"\0\0":
        return True
    return sum16(data[12:20] + struct.pack(">HH", proto, len(body)) + body) == 0xFFFF
