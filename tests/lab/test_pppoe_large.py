"""RFC 4638 (C-25): whole packets of 1500 bytes through PPPoE, by a wire that takes 1508. rp-pppoe's
pppoe-server and pppd in the emulated guest; our port is AF_XDP on a veth, as net_tap takes no more
than 1500."""

import pytest

from frames import IP, TCP, Wire
from guest import access_concentrator, have_guest
from lab import Lab, LabError, dataplane, wait_until
from scapy.layers.ppp import PPPoE, PPPoED, PPPoED_Tags
from services import have, iperf3_report

CONNECTED = 120  # seconds, generous: the guest is emulated
WIRE_MTU = 1508
CONCENTRATOR = "10.64.0.1"
PPP_MAX_PAYLOAD = 0x0120

MISSING = have_guest()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no guest: {MISSING}")


def config():
    """A subscriber with whole packets and one as everywhere else, each a macvlan with its own MAC."""
    return {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "ether1", "device": "net_af_xdp0,iface=wan", "mtu": WIRE_MTU},
                         {"name": "ether2", "device": "net_tap1,iface=mllan"}],
            "macvlan": [{"name": "macvlan1", "interface": "ether1", "mtu": WIRE_MTU},
                        {"name": "macvlan2", "interface": "ether1", "mtu": WIRE_MTU}],
            "pppoe-client": [
                {"name": "large", "interface": "macvlan1", "user": "line1", "password": "secret1",
                 "max-mtu": 1500, "max-mru": 1500, "add-default-route": True},
                {"name": "usual", "interface": "macvlan2", "user": "line2", "password": "secret2"},
            ],
        },
        "ip": {
            "address": [{"address": "192.168.88.1/24", "interface": "ether2"}],
            "firewall": {"nat": [{"chain": "srcnat", "src-address": "192.168.88.0/24",
                                  "action": "masquerade"}]},
        },
    }


class Scene:
    def __init__(self, lab):
        self.switch = lab.switch("isp")
        self.guest = access_concentrator(self.switch.ns, mtu=WIRE_MTU)
        self.switch.plug("ac0")
        self.router = lab.router(config())
        lab.veth(self.router.ns, "wan", self.switch.ns, "p0")
        self.router.ns.ip("link", "set", "wan", "mtu", WIRE_MTU, "up")
        self.switch.ns.ip("link", "set", "p0", "mtu", WIRE_MTU)
        self.switch.plug("p0")
        self.wire = Wire(self.switch.ns, "br0")
        self.guest.wait_up()
        try:
            self.router.start()
        except LabError as error:
            if "net_af_xdp0" in str(error):
                pytest.skip(f"no AF_XDP here: {error}")
            raise
        self.pc = lab.namespace("pc")
        self.router.move_wire("mllan", self.pc)
        self.pc.address("mllan", "192.168.88.10/24")
        self.pc.default_via("192.168.88.1")

    def rows(self):
        return {row["name"]: row for row in self.router.print("/interface/pppoe-client")}

    def connected(self):
        wait_until(lambda: all(row["status"] == "connected" for row in self.rows().values()),
                   CONNECTED, lambda: f"{self.rows()}\n{self.router.log()}\n{self.guest.log()}")


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield Scene(lab)


def payload(packet):
    """What a discovery frame says of PPP-Max-Payload; None: nothing."""
    for tag in packet[PPPoED_Tags].tag_list:
        if tag.tag_type == PPP_MAX_PAYLOAD:
            return int.from_bytes(bytes(tag.tag_value), "big")
    return None


def test_both_ends_agree_to_1500_bytes(scene):
    """The tag in PADI and PADR, the peer's answer, and the MTU: pppd says nothing of an MRU of 1500,
    as that is what PPP takes anyway. Who did not ask has 1492."""
    scene.connected()
    rows = scene.rows()
    assert (rows["large"]["actual-mtu"], rows["usual"]["actual-mtu"]) == ("1500", "1492")
    large = scene.router.mac("macvlan1")
    discovery = scene.wire.take(lambda p: PPPoED in p and PPPoED_Tags in p)
    for code in (0x09, 0x19):
        mine = [payload(p) for p in discovery if p.src == large and p[PPPoED].code == code]
        others = [payload(p) for p in discovery if p.src == scene.router.mac("macvlan2")
                  and p[PPPoED].code == code]
        assert mine and set(mine) == {1500} and others and set(others) == {None}
    answers = {p[PPPoED].code: payload(p) for p in discovery if p.dst == large}
    assert answers[0x07] == 1500


def test_whole_packets_go_both_ways_and_no_byte_more(scene):
    scene.connected()
    scene.wire.clear()
    assert scene.pc.ping(CONCENTRATOR, "-M", "do", "-s", 1472, count=3, wait=10).ok
    carried = [p for p in scene.wire.take(lambda p: PPPoE in p and IP in p)
               if p[IP].proto == 1 and p[IP].len == 1500]
    assert {p.src == scene.router.mac("macvlan1") for p in carried} == {True, False}
    assert all(p[PPPoE].len == 1502 and p[IP].flags == "DF" and p[IP].frag == 0 for p in carried
               if p.src == scene.router.mac("macvlan1"))
    # What is larger is cut by the host, not by us: two fragments of a session each.
    assert scene.pc.ping(CONCENTRATOR, "-M", "dont", "-s", 1473, wait=10).ok


@pytest.mark.skipif(not have("iperf3"), reason="no iperf3")
def test_tcp_is_as_on_ethernet(scene):
    """Nobody's MSS is lowered, and segments of 1460 bytes cross whole (C-27)."""
    scene.connected()
    for direction in ((), ("-R",)):
        scene.wire.clear()
        report = iperf3_report(scene.pc, CONCENTRATOR, "--connect-timeout", "30000", *direction,
                               size=500_000)
        assert report["end"]["sum_received"]["bytes"] > 100 * 1460
        seen = scene.wire.take(lambda p: PPPoE in p and TCP in p)
        assert {dict(p[TCP].options)["MSS"] for p in seen if p[TCP].flags.S} == {1460}
        assert max(p[IP].len for p in seen) == 1500 and not any(p[IP].flags.MF for p in seen)


def test_a_wire_that_cannot_carry_it_is_refused(scene):
    """1500 bytes of IP are 1508 of the wire's: neither is given alone (D-26: with a sentence)."""
    for line, words in (("/interface/macvlan set macvlan1 mtu=1500", "max-mtu"),
                        ("/interface/pppoe-client set usual max-mru=1501", "max-mru")):
        done = scene.router.ctl(line, check=False)
        assert done.returncode == 1 and words in done.stderr and "1508" in done.stderr, done.stderr
    assert scene.rows()["large"]["actual-mtu"] == "1500"
