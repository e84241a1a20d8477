"""Random walks of TCP connections: what two ends send, and what a stranger or a bad network adds.

A walk is made from a seed alone, before anything is sent: it does not know what a router does with
its packets. Most steps are what the ends would say next, so that connections get somewhere; the
others repeat, reorder, acknowledge what was never sent, or forge.
"""

from random import Random

from frames import IP, TCP

MASK = 0xFFFFFFFF


class End:
    """One end's numbers."""

    def __init__(self, random):
        # Near the wrap every now and then.
        self.next = random.choice([random.getrandbits(32), (1 << 32) - random.randrange(1, 3000)])
        self.first = self.next
        self.window = random.choice([1000, 8192, 65535, 65535])
        self.scale = random.choice([None, 0, 3, 7, 14])
        self.timestamps = random.random() < 0.3
        self.sack = random.random() < 0.5


class Walk:
    """Packets of one connection, as (side, packet)."""

    def __init__(self, seed, sport, dport, left, right, length):
        self.random = Random(seed)
        self.seed = seed
        self.ends = {"left": End(self.random), "right": End(self.random)}
        self.addresses = {"left": (left, sport), "right": (right, dport)}
        self.history = []
        self.state = "closed"
        self.steps = [self.step() for _ in range(length)]

    def packet(self, side, flags, seq, ack, size=0, window=None, options=None):
        other = "right" if side == "left" else "left"
        (src, sport), (dst, dport) = self.addresses[side], self.addresses[other]
        end = self.ends[side]
        if options is None:
            options = self.options(end, flags)
        made = IP(src=src, dst=dst) / TCP(
            sport=sport, dport=dport, flags=flags, seq=seq & MASK, ack=ack & MASK,
            window=end.window if window is None else window, options=options,
        )
        if size:
            made = made / bytes(self.random.getrandbits(8) for _ in range(size))
        self.history.append((side, made))
        return side, made

    def options(self, end, flags):
        if "S" in flags:
            made = [("MSS", 1460)]
            if end.sack:
                made.append(("SAckOK", b""))
            if end.scale is not None:
                made += [("NOP", None), ("WScale", end.scale)]
            return made
        if end.timestamps:
            return [("NOP", None), ("NOP", None), ("Timestamp", (1, 2))]
        return []

    def step(self):
        if self.random.random() < 0.72:
            return self.expected()
        return self.odd()

    # What comes next -----------------------------------------------------------------------------

    def expected(self):
        a, b = self.ends["left"], self.ends["right"]
        if self.state == "closed":
            self.state = "syn"
            side, packet = self.packet("left", "S", a.next, 0)
            a.next = (a.next + 1) & MASK
            return side, packet
        if self.state == "syn":
            self.state = "syn-ack"
            side, packet = self.packet("right", "SA", b.next, a.next)
            b.next = (b.next + 1) & MASK
            return side, packet
        if self.state == "syn-ack":
            self.state = "open"
            return self.packet("left", "A", a.next, b.next)
        side = self.random.choice(["left", "right"])
        end, peer = (a, b) if side == "left" else (b, a)
        choice = self.random.random()
        if choice < 0.5:
            size = self.random.choice([1, 100, 700, 1200])
            made = self.packet(side, "PA", end.next, peer.next, size)
            end.next = (end.next + size) & MASK
            return made
        if choice < 0.8:
            return self.packet(side, "A", end.next, peer.next)
        if choice < 0.95:
            made = self.packet(side, "FA", end.next, peer.next)
            end.next = (end.next + 1) & MASK
            return made
        return self.packet(side, "R", end.next, 0)

    # What does not -------------------------------------------------------------------------------

    def odd(self):
        side = self.random.choice(["left", "right"])
        end = self.ends[side]
        peer = self.ends["right" if side == "left" else "left"]
        far = self.random.choice([70_000, 1_000_000, 0x40000000, 0x7FFFFFF0, -70_000, -1_000_000])
        near = self.random.choice([1, -1, 500, -500, 1400, 9000, -9000])
        kinds = [
            lambda: self.again(),
            lambda: self.again(),
            lambda: self.packet(side, "A", end.next - 1, peer.next),  # keep-alive
            lambda: self.packet(side, "A", end.next, peer.next, window=0),
            lambda: self.packet(side, "PA", end.next + near, peer.next, 100),
            lambda: self.packet(side, "PA", end.next + far, peer.next, 100),
            lambda: self.packet(side, "A", end.next, peer.next + near),
            lambda: self.packet(side, "A", end.next, peer.next + far),
            lambda: self.packet(side, "R", end.next + near, 0),
            lambda: self.packet(side, "R", end.next + far, 0),
            lambda: self.packet(side, "RA", end.next, peer.next),
            lambda: self.packet(side, "RA", 0, peer.next),
            lambda: self.packet(side, "RA", 0, 0),
            lambda: self.packet(side, "S", end.next + near, 0),
            lambda: self.packet(side, "S", end.next + far, 0),
            lambda: self.packet(side, "SA", end.next + near, peer.next),
            lambda: self.packet(side, "SA", end.first, peer.first + 1),
            lambda: self.packet(side, "FA", end.next + near, peer.next),
            lambda: self.packet(side, "A", end.next, peer.next - 900, options=[
                ("NOP", None), ("NOP", None),
                ("SAck", ((peer.next - 500) & MASK, (peer.next + near) & MASK)),
            ]),
            self.anew,
            self.challenge,
        ]
        return self.random.choice(kinds)()

    def again(self):
        if not self.history:
            return self.expected()
        side, packet = self.random.choice(self.history[-4:])
        self.history.append((side, packet))
        return side, packet

    def anew(self):
        """The client forgets and opens again, with other numbers."""
        a = self.ends["left"]
        a.next = (a.next + self.random.choice([100_000, 5_000_000, -100_000])) & MASK
        self.state = "syn"
        made = self.packet("left", "S", a.next, 0)
        a.next = (a.next + 1) & MASK
        return made

    def challenge(self):
        """The server answers a SYN it does not like with what it has."""
        b = self.ends["right"]
        acked = self.ends["left"].first + self.random.choice([1, 50, 1000])
        return self.packet("right", "A", b.next, acked)
