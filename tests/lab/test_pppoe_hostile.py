"""PPPoE from the wire that nobody honest sends: a concentrator that lies, floods, agrees to nothing, and
strangers beside an honest one. Nothing crashes or hangs, other interfaces forward on, the row and the
log say what is wrong, and an honest concentrator is connected to afterwards (C-22..C-29)."""

import os
import random
import struct

import pytest

from concentrator import (
    ACK,
    ADDRESS,
    DISCOVERY,
    ECHO,
    IPCP,
    IPV4,
    LCP,
    NAK,
    PADI,
    PADO,
    PADR,
    PADS,
    PADT,
    PEER,
    REJECT,
    REQUEST,
    SESSION,
    TERMINATE,
    TERMINATE_ACK,
    Concentrator,
    ip,
    option,
    ppp,
    tags,
)
from frames import ICMP, IP, UDP, mac, raw
from lab import Lab, wait_until
from scenes import LEFT_HOST, LEFT_ROUTER, RIGHT_HOST, two_port_rig, two_ports

LONG = 120
STRANGER = mac(0xBAD)


class Scene:
    """Two wires between which the router forwards, and a third with the PPPoE client on a macvlan."""

    def __init__(self, lab):
        config = two_ports()
        config["interface"]["ethernet"].append({"name": "wan", "device": "net_tap2,iface=mlwan"})
        config["interface"]["macvlan"] = [{"name": "m1", "interface": "wan"}]
        config["interface"]["pppoe-client"] = [
            {"name": "dsl", "interface": "m1", "user": "user1", "password": "pass1",
             "add-default-route": True, "disabled": True}]
        self.rig = two_port_rig(lab, config)
        self.router = self.rig.router
        wire = lab.namespace("isp")
        self.router.move_wire("mlwan", wire)
        self.ac = Concentrator(wire, "mlwan")

    def row(self):
        return self.router.row("/interface/pppoe-client", name="dsl")

    def dial(self, instead=None):
        """From the start, with a concentrator that answers like this."""
        self.router.ctl("/interface/pppoe-client disable dsl")
        self.ac.asked.clear()
        self.ac.instead = instead
        self.router.ctl("/interface/pppoe-client enable dsl")

    def says(self, words):
        """Until the row says why it is not connected; the log has it, too."""
        wait_until(lambda: words in self.row().get("last-error", ""), LONG,
                   lambda: f"{words}: {self.row()}\n{self.router.log()[-3000:]}")
        assert f"dsl: disconnected - {words}" in self.router.log() or f"dsl: {words}" in self.router.log()

    def connected(self):
        wait_until(lambda: self.row()["status"] == "connected", LONG,
                   lambda: f"a connection: {self.row()}\n{self.router.log()[-3000:]}")

    def forwards(self):
        """Between the other two, and to the router itself."""
        rig = self.rig
        rig.clear()
        rig.left.send(IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=5, dport=9) / b"alive")
        rig.right.wire.wait(lambda p: UDP in p and b"alive" in bytes(p))
        rig.left.send(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / ICMP(id=5))
        rig.left.wire.wait(lambda p: ICMP in p and p[ICMP].type == 0)
        assert self.router.process.alive()

    def session_works(self):
        """An echo to the client's address through its session is answered through it."""
        ac = self.ac
        ac.asked.clear()
        ping = raw(IP(src=PEER, dst=ADDRESS) / ICMP(id=77))
        ac.wire.send(ac.ppp(IPV4, ping))
        wait_until(lambda: ac.count(lambda a: a.type == SESSION and a.protocol == IPV4
                                    and a.session == ac.session and a.body[22:23] == b"\0"), LONG,
                   "an echo reply in the session")

    def recovers(self):
        self.forwards()
        self.dial()
        self.connected()
        self.session_works()

    def flood(self, frames):
        """All of them, in turn with packets that the others forward: none of these is lost."""
        rig, inside = self.rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=5, dport=10)
        rig.clear()
        rounds = 0
        for start in range(0, len(frames), 100):
            self.ac.wire.send(*frames[start : start + 100])
            rig.left.send(inside)
            rounds += 1
        rig.settle()
        assert len(rig.right.wire.take(lambda p: UDP in p and p[UDP].dport == 10)) == rounds


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        made = Scene(lab)
        yield made
        made.ac.stop()  # before its wire goes


def is_padi(asked):
    return asked.type == DISCOVERY and asked.code == PADI


def is_padt(asked):
    return asked.type == DISCOVERY and asked.code == PADT


def test_offers_that_are_none(scene):
    """PADOs with another Host-Uniq, with tags that are cut or longer than the frame, from a group
    address, of another version: none is asked for a session, and the row says what answers."""
    ac, generator = scene.ac, random.Random(7)
    malformed = scene.router.drops("pppoe_malformed")

    def instead(asked):
        if not is_padi(asked):
            return []
        whole = ac.discovery(asked, PADO)
        uniq = asked.tags[0x0103]
        return [
            ac.discovery(asked, PADO, uniq=b"not yours"), ac.discovery(asked, PADO, uniq=uniq[:-1]),
            ac.discovery(asked, PADO, tail=b"\x01"), ac.discovery(asked, PADO, tail=b"\x01\x04\xff\xff"),
            ac.frame(DISCOVERY, PADO, 0, tags((0x0103, uniq)), asked.client, length=900),
            *(whole[:n] for n in range(14, len(whole))),
            whole[:14] + b"\x21" + whole[15:],  # of version 2
            ac.discovery(asked, PADO, src="ff:ff:ff:ff:ff:ff"),
            ac.discovery(asked, PADO, src="00:00:00:00:00:00"),
            *(ac.frame(DISCOVERY, generator.choice((PADO, PADS, PADR, 0)), generator.randrange(65536),
                       generator.randbytes(generator.randrange(200)), asked.client) for _ in range(300)),
        ]

    scene.dial(instead)
    scene.says("the access concentrator \"ac\" answers, but not with our Host-Uniq")
    assert ac.count(lambda a: a.type == DISCOVERY and a.code == PADR) == 0
    wait_until(lambda: scene.router.drops("pppoe_malformed") >= malformed + 10, LONG)
    assert scene.row()["status"] == "dialing..."
    scene.recovers()


def test_a_flood_of_offers(scene):
    """Thousands of PADOs that answer the PADI: one is taken, others cost nothing else."""
    ac, told = scene.ac, []

    def instead(asked):
        if is_padi(asked):
            told.append(asked)
            return []
        return None if asked.tags.get(0x0104) == b"9" or asked.type == SESSION else []

    scene.dial(instead)
    wait_until(lambda: told, LONG, "a PADI")
    offers = [ac.discovery(told[-1], PADO, (0x0104, b"%d" % (n % 10)), src=ac.mac if n % 10 == 9
                           else mac(0xAC00 + n)) for n in range(3000)]
    scene.flood(offers[9:] + offers[:9])
    assert ac.count(lambda a: a.type == DISCOVERY and a.code == PADR) <= 4
    scene.connected()
    scene.recovers()


@pytest.mark.parametrize(("session", "more", "said"), [
    (0, (), "the access concentrator gave no session"),
    (0xFFFF, (), "the access concentrator gave no session"),
    (5, ((0x0201, b"no such service"),), "service name error: no such service"),
    (5, ((0x0202, b"full\x1b[31m\0 up"),), "system error of the access concentrator: full[31m up"),
    (0, ((0x0203, b"x" * 900),), "error: " + "x" * 200),
])
def test_a_session_that_is_refused(scene, session, more, said):
    """PADS without a session, and with each of the error tags (RFC 2516 5.4); its text is cleaned."""
    ac = scene.ac
    scene.dial(lambda asked: [ac.discovery(asked, PADS, *more, session=session)]
               if asked.type == DISCOVERY and asked.code == PADR else None)
    scene.says(said)
    assert "\x1b" not in scene.router.log()
    assert ac.count(lambda a: a.type == SESSION) == 0
    scene.forwards()


@pytest.mark.parametrize(("protocol", "code", "options", "said"), [
    (LCP, NAK, option(1, struct.pack(">H", 1400)) + option(5, b"abcd"), "no LCP could be agreed on"),
    (LCP, REJECT, option(1, struct.pack(">H", 1492)), "no LCP could be agreed on"),
    (IPCP, NAK, option(3, ip("0.0.0.0")), "the peer gives no address"),
    (IPCP, NAK, option(3, ip("127.0.0.1")), "the peer gives no address"),
    (IPCP, REJECT, option(3, ip("0.0.0.0")), "the peer gives no address"),
])
def test_a_peer_that_never_agrees(scene, protocol, code, options, said):
    """Configure-Nak and -Reject for ever: it ends, after a few tens of packets, and says so."""
    ac = scene.ac
    scene.dial(lambda asked: [ac.ppp(protocol, ppp(code, asked.number, options))]
               if asked.is_ppp(protocol, REQUEST) else None)
    scene.says(said)
    sessions = ac.count(lambda a: a.type == DISCOVERY and a.code == PADR)
    assert ac.count(lambda a: a.is_ppp(protocol, REQUEST)) <= 30 * sessions
    scene.recovers()


@pytest.mark.parametrize(("local", "said"), [("0.0.0.0", "the peer gave no usable address"),
                                             ("224.0.0.9", "the peer gives no address")])
def test_an_address_that_is_none(scene, local, said):
    """IPCP that acknowledges 0.0.0.0, and one that gives a group's address."""
    ac = scene.ac

    def instead(asked):
        if not asked.is_ppp(IPCP, REQUEST):
            return None
        if local == "0.0.0.0" or asked.options[2:6] == ip(local):
            answer = ACK if local == "0.0.0.0" else NAK
            return [ac.request(IPCP, option(3, ip(PEER))),
                    ac.ppp(IPCP, ppp(answer, asked.number, asked.options if answer == ACK
                                     else option(3, ip(local))))]
        return [ac.ppp(IPCP, ppp(NAK, asked.number, option(3, ip(local))))]

    scene.dial(instead)
    scene.says(said)
    scene.recovers()


def test_an_address_that_is_the_routers_own(scene):
    """IPCP that gives the router's own address of another interface, and says that it is the peer's as
    well: that interface answers and forwards on."""
    ac = scene.ac

    def instead(asked):
        if not asked.is_ppp(IPCP, REQUEST):
            return None
        if asked.options[2:6] == ip(LEFT_ROUTER):
            return [ac.ppp(IPCP, ppp(ACK, asked.number, asked.options))]
        return [ac.request(IPCP, option(3, ip(LEFT_ROUTER))),
                ac.ppp(IPCP, ppp(NAK, asked.number, option(3, ip(LEFT_ROUTER))))]

    scene.dial(instead)
    wait_until(lambda: scene.row()["status"] == "connected" or "last-error" in scene.row(), LONG)
    scene.forwards()
    scene.recovers()


def test_who_begins_again_and_again(scene):
    """LCP anew as soon as it is up: after a few rounds the session is given up."""
    ac = scene.ac

    def instead(asked):
        if asked.is_ppp(IPCP, REQUEST) and asked.options[2:6] == ip(ADDRESS):
            return [*ac.usual(asked), ac.request(LCP, option(5, os.urandom(4)))]
        return None

    scene.dial(instead)
    scene.says("the peer negotiates again and again")
    scene.recovers()


def test_strangers_beside_a_session(scene):
    """PADT and Terminate-Request from another MAC address or for another session, packets of other
    sessions, LCP that is too short, too long or of no known code, and what is cut: it stands."""
    scene.recovers()
    ac, generator = scene.ac, random.Random(9)
    drops = scene.router.drops("pppoe_session")
    bye = ppp(TERMINATE, 1, b"bye")
    packet = raw(IP(src=PEER, dst=ADDRESS) / ICMP(id=78))
    frames = [ac.padt(src=STRANGER), ac.padt(session=ac.session + 1), ac.padt(session=0),
              ac.padt(session=0xFFFF), ac.ppp(LCP, bye, src=STRANGER), ac.ppp(LCP, bye, session=9),
              ac.ppp(IPCP, bye, src=STRANGER), ac.ppp(IPV4, packet, session=ac.session + 1),
              ac.ppp(IPV4, packet, src=STRANGER), ac.ppp(IPV4, packet, session=0),
              ac.ppp(IPV4, b""), ac.ppp(IPV4, packet[:19]), ac.ppp(LCP, b""), ac.ppp(LCP, b"\x01\x01"),
              ac.ppp(LCP, struct.pack(">BBH", REQUEST, 1, 900)), ac.ppp(0x8057, ppp(REQUEST, 1)),
              ac.ppp(0xC025, b"lqr")]
    frames += [ac.ppp(LCP, ppp(code, 1, generator.randbytes(20))) for code in range(12, 256)]
    frames += [ac.ppp(LCP, ppp(ECHO, n % 256, b"good" + bytes(n % 400))) for n in range(2000)]
    whole = ac.ppp(IPV4, packet)
    frames += [whole[:n] for n in range(14, len(whole))]
    ac.asked.clear()
    scene.flood(frames)
    wait_until(lambda: scene.router.drops("pppoe_session") >= drops + 3, LONG)
    assert scene.row()["status"] == "connected" and "last-error" not in scene.row()
    scene.session_works()
    assert ac.count(lambda a: is_padi(a) or a.is_ppp(LCP, REQUEST)) == 0


def test_a_storm_of_good_byes(scene):
    """Thousands of Terminate-Requests and PADTs: the session ends once, and dialling waits longer from
    one time to the next."""
    scene.recovers()
    ac = scene.ac
    lines = scene.router.log().count("dsl: disconnected")
    scene.flood([ac.ppp(LCP, ppp(TERMINATE, n % 256, b"closed for today")) for n in range(1500)]
                + [ac.padt() for _ in range(1500)]
                + [ac.ppp(LCP, ppp(TERMINATE_ACK, n % 256)) for n in range(500)])
    wait_until(lambda: "dsl: disconnected - the peer hung up: closed for today" in scene.router.log(),
               LONG)
    assert scene.router.log().count("dsl: disconnected") <= lines + 3
    scene.connected()
    scene.recovers()


def test_what_is_heard_without_a_session(scene):
    """Discovery and session frames to a client that is not dialling yet, and to interfaces that have
    none: they are counted, and nothing answers but one PADT a second."""
    scene.dial(lambda asked: [])
    ac = scene.ac
    wait_until(lambda: ac.asked, LONG, "a PADI")
    client = ac.asked[0].client
    wan = scene.router.mac("wan")
    ac.asked.clear()
    unknown = scene.router.drops("unknown_ethertype")
    frames = [ac.ppp(LCP, ppp(REQUEST, n % 256), session=n, to=client) for n in range(1, 1000)]
    frames += [ac.ppp(LCP, ppp(REQUEST, 1), to=wan), ac.frame(DISCOVERY, PADO, 0, b"", wan)]
    scene.flood(frames)
    wait_until(lambda: scene.router.drops("unknown_ethertype") >= unknown + 2, LONG)
    wait_until(lambda: ac.count(is_padt) >= 1, LONG)
    assert ac.count(is_padt) <= 30
    scene.recovers()
