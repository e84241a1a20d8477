"""DHCP clients beside a hostile server that is always first: nonsense in its offers and acks is never
taken, and the honest server, slower by a second, has every client in the end (C-18, C-20)."""

import random
from socket import inet_aton as ip

import pytest
from scapy.layers.dhcp import BOOTP, DHCP

from dhcp_servers import Dnsmasq
from frames import BROADCAST, IP, UDP, Answerer, Ether, Raw
from lab import Lab, dataplane, wait_until

LONG = 120
EVIL, GOOD = "203.0.113.66", "203.0.113.1"
COOKIE = bytes.fromhex("63825363")


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def option(code, value):
    return bytes((code, len(value))) + value


def usual(kind, mask="255.255.255.0", server=EVIL, lease=600, more=b""):
    """2: OFFER, 5: ACK, 6: NAK."""
    return (option(53, bytes((kind,))) + option(54, ip(server)) + option(51, lease.to_bytes(4, "big"))
            + option(1, ip(mask)) + more)


class Liar(Answerer):
    """Answers what clients of a wire say at once; answers(kind, question) gives frames."""

    def __init__(self, host, answers):
        self.mac, self.answers, self.asked = host.mac("eth0"), answers, []
        super().__init__(host, "eth0")

    def hear(self, packet):
        if DHCP not in packet or packet[BOOTP].op != 1:
            return
        said = {one[0]: one[1] for one in packet[DHCP].options if isinstance(one, tuple)}
        self.asked.append((packet.src, said))
        if said["message-type"] == 1:
            self.wire.send(*self.answers(2, packet))
        elif said["message-type"] == 3 and said.get("server_id") == EVIL:
            self.wire.send(*self.answers(5, packet))

    def frame(self, ask, options, address="203.0.113.200", end=b"\xff", **fields):
        """A reply to a question, all its fields as a server would have them unless they are given."""
        mine = {"op": 2, "xid": ask[BOOTP].xid, "chaddr": ask[BOOTP].chaddr, "yiaddr": address,
                "siaddr": EVIL, "options": b"", **fields}
        return (Ether(src=self.mac, dst=BROADCAST) / IP(src=EVIL, dst="255.255.255.255")
                / UDP(sport=67, dport=68) / BOOTP(**mine) / Raw(COOKIE + options + end))


def bad_replies(liar, kind, ask):
    """What no client may take, each as a whole frame."""
    good = usual(kind)
    make = lambda *words, **fields: liar.frame(ask, *words, **fields)
    broken = [
        make(good, xid=ask[BOOTP].xid ^ 1),
        make(good, chaddr=bytes.fromhex("02ffffffffff")),
        make(good, op=1), make(good, htype=6), make(good, hlen=7),
        make(good + b"\x0c\xff" + b"x" * 9, end=b""),  # an option beyond the end
        make(good + b"\x0c", end=b""),                 # one without its length
        make(b"", end=b""), make(b"", end=b"\xff"),
        make(option(53, b"") + good[3:]), make(option(53, bytes((kind, kind))) + good[3:]),
        make(option(53, b"\x63") + good[3:]),
        make(good[:3] + option(54, ip(EVIL)[:3]) + good[9:]),  # a server of three bytes
        make(good + option(52, b"\x03"), file=b"\x0c\xff", sname=b"\xff"),
        make(usual(kind, server="0.0.0.0")), make(usual(kind, server="255.255.255.255")),
        make(usual(kind, server="203.0.113.200")), make(usual(kind, lease=0)),
        make(good[:9] + option(51, b"\x01\x02") + good[15:]),
    ]
    broken += [make(usual(kind, mask=mask)) for mask in ("255.0.255.0", "0.0.0.0", "0.255.255.255",
                                                         "255.255.255.253")]
    broken += [make(good, address=one) for one in ("0.0.0.0", "255.255.255.255", "224.0.0.5",
                                                   "127.0.0.1", "0.1.2.3", "240.0.0.1")]
    whole = bytes(make(good))
    checks = [whole[:n] for n in (20, 41, 42, 43, 100, 281, 282)]  # cut short
    wrong_udp = bytearray(whole)
    wrong_udp[40] ^= 0xff  # its checksum
    longer = bytearray(whole)
    longer[38:40] = (len(whole)).to_bytes(2, "big")  # a length beyond the packet
    longer[40:42] = b"\0\0"
    return broken + checks + [bytes(wrong_udp), bytes(longer)]


def start(lab, clients):
    """A port with `clients` macvlans wan1 .., and an honest server that thinks for a second."""
    names = [f"wan{i + 1}" for i in range(clients)]
    router = lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"}],
                      "macvlan": [{"name": name, "interface": "ether1"} for name in names]},
        "ip": {"address": [{"address": "203.0.113.77/24", "interface": "ether1"}]},
    }).start()
    switch = lab.switch()
    switch.plug(router.move_wire("mlwan", switch.ns, up=False))
    honest, evil = switch.host("honest", f"{GOOD}/24"), switch.host("evil", f"{EVIL}/24")
    server = Dnsmasq(honest, "eth0", "203.0.113.100", "203.0.113.150", "--dhcp-reply-delay=1",
                     gateway=GOOD)
    return router, evil, server, names


def begin(router, names):
    for name in names:
        router.ctl(f"/ip/dhcp-client add interface={name}")


def honest(router, names):
    """All are bound, to the honest server."""
    def done():
        rows = {row["interface"]: row for row in router.print("/ip/dhcp-client")}
        return all(rows[name]["status"] == "bound" for name in names) and rows

    rows = wait_until(done, LONG, lambda: f"{router.print('/ip/dhcp-client')}\n{router.log()}")
    for row in rows.values():
        assert row["dhcp-server"] == GOOD and row["gateway"] == GOOD, row
        assert 100 <= int(row["address"].removesuffix("/24").split(".")[3]) <= 150, row
    return rows


def test_offers_of_nonsense_are_not_taken(lab):
    router, evil, _, names = start(lab, 1)
    liar = Liar(evil, lambda kind, ask: bad_replies(liar, kind, ask))
    begin(router, names)
    honest(router, names)
    assert liar.asked and not [said for _, said in liar.asked if said.get("server_id") == EVIL]
    assert router.log().count("is of no use") == 1  # not one for each
    assert router.drops("l4_malformed") > 0
    # Bound: the same, and bytes without any sense, change nothing.
    before = router.row("/ip/dhcp-client")
    dice = random.Random(1)
    ask = Ether() / IP() / UDP() / BOOTP(xid=1, chaddr=bytes.fromhex(router.mac("wan1").replace(":", "")))
    for kind in (2, 5, 6):
        liar.wire.send(*bad_replies(liar, kind, ask), liar.frame(ask, usual(kind)))
    head = bytes(liar.frame(ask, b""))[:42]
    for _ in range(500):
        liar.wire.send(head + dice.randbytes(dice.randrange(600)))
    router.ctl("/ip/dhcp-client renew 0")
    after = honest(router, names)["wan1"]
    assert (after["address"], after["gateway"]) == (before["address"], before["gateway"])


def test_acks_of_nonsense_give_way_to_the_honest_server(lab):
    """Each client is offered an address that looks good, and then told something else."""
    cases = [
        lambda liar, ask: bad_replies(liar, 5, ask),
        lambda liar, ask: [liar.frame(ask, usual(5, mask="255.0.255.0"))],
        lambda liar, ask: [liar.frame(ask, usual(5), address="255.255.255.255")],
        lambda liar, ask: [liar.frame(ask, usual(5), address="203.0.113.255")],  # its broadcast
        lambda liar, ask: [liar.frame(ask, usual(5), address="203.0.113.77")],   # the router's own
        lambda liar, ask: [liar.frame(ask, usual(6))],
        lambda liar, ask: [],
    ]
    router, evil, _, names = start(lab, len(cases))
    macs = [router.mac(name) for name in names]

    def answers(kind, ask):
        if ask.src not in macs:
            return []
        if kind == 2:
            return [liar.frame(ask, usual(2))]
        return cases[macs.index(ask.src)](liar, ask)

    liar = Liar(evil, answers)
    begin(router, names)
    rows = honest(router, names)
    assert len({row["address"] for row in rows.values()}) == len(names)
    # Each asked the liar before, so that nothing of this was luck.
    assert {source for source, said in liar.asked if said.get("server_id") == EVIL} == set(macs)
    assert [row["address"] for row in router.print("/ip/address")
            if row["dynamic"] == "false"] == ["203.0.113.77/24"]


def test_nonsense_beside_a_good_address_is_left_out(lab):
    """Gateways, name servers and classless routes of a server that gives an address all the same."""
    router, evil, server, names = start(lab, 1)
    server.stop()
    route = lambda length, to, gateway: bytes((length,)) + ip(to)[:(length + 7) // 8] + ip(gateway)
    sane = route(24, "198.51.100.0", EVIL) + route(0, "0.0.0.0", EVIL)
    routes = (sane + route(24, "192.0.2.0", "203.0.113.200") + route(24, "192.0.2.0", "255.255.255.255")
              + route(24, "192.0.2.0", "224.0.0.1") + route(8, "127.0.0.0", EVIL)
              + route(4, "224.0.0.0", EVIL) + route(32, "255.255.255.255", EVIL))
    routes += b"".join(route(32, f"10.9.{i // 250}.{i % 250}", EVIL) for i in range(60))
    parts = b"".join(option(121, routes[at:at + 255]) for at in range(0, len(routes), 255))
    more = (option(3, ip("203.0.113.200") + ip("0.0.0.0") + ip("203.0.113.255") + ip("224.0.0.1"))
            + option(6, ip("0.0.0.0") + ip("255.255.255.255") + ip("127.0.0.1") + ip("203.0.113.53"))
            + option(12, b"\n\xff\x00x") + option(42, b"\x01\x02\x03") + parts)
    liar = Liar(evil, lambda kind, ask: [liar.frame(ask, usual(kind, more=more))])
    begin(router, names)
    wait_until(lambda: router.row("/ip/dhcp-client")["status"] == "bound", LONG, router.log)
    row = router.row("/ip/dhcp-client")
    assert row["address"] == "203.0.113.200/24"
    assert row["primary-dns"] == "203.0.113.53" and "secondary-dns" not in row
    shown = {one["dst-address"]: one["gateway"] for one in router.print("/ip/route")
             if one.get("dhcp") == "true"}
    assert shown["0.0.0.0/0"] == shown["198.51.100.0/24"] == f"{EVIL}%wan1"
    assert len(shown) == 62 and not [one for one in shown if one.startswith(("192.0.2", "127", "224"))]
    # A list that is cut short is none at all (RFC 3442), and no other list takes its place.
    liar.answers = lambda kind, ask: [liar.frame(ask, usual(kind, more=option(3, ip(EVIL))
                                                            + option(121, sane + b"\x18\x0a")))]
    router.ctl("/ip/dhcp-client release 0")
    wait_until(lambda: (row := router.row("/ip/dhcp-client"))["status"] == "bound"
               and row.get("gateway") == EVIL, LONG, router.log)
    wait_until(lambda: [one["dst-address"] for one in router.print("/ip/route")
                        if one.get("dhcp") == "true"] == ["0.0.0.0/0"], LONG)
