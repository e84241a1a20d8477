"""conf/edge-protection.yaml: what comes from the internet all day is stopped, who is let in goes on."""

import pytest

from frames import IP, TCP, UDP, Station, Wire, mac
from lab import Lab
from process import wait_until
from scenes import WAN, Rig, conf, local, rows

GATEWAY, SERVER = "203.0.113.1", "192.168.88.10"
GATEWAY_MAC, SERVER_MAC = mac(0xE101), mac(0xE102)
CLIENT = "198.51.100.7"


@pytest.fixture(scope="module")
def edge():
    config = conf("edge-protection.yaml")
    rows(config, "ip", "arp").extend([
        {"address": GATEWAY, "mac-address": GATEWAY_MAC, "interface": "ether1"},
        {"address": SERVER, "mac-address": SERVER_MAC, "interface": "ether2"},
    ])
    with Lab() as lab:
        router = lab.router(local(lab, config)).start()
        rig = Rig(lab, router)
        for name, device, own_mac, own, port, address in (
            ("left", "mlwan", GATEWAY_MAC, GATEWAY, "ether1", WAN),
            ("right", "mllan", SERVER_MAC, SERVER, "ether2", "192.168.88.1"),
        ):
            namespace = lab.namespace(f"wire-{device}")
            router.move_wire(device, namespace)
            rig.wires[device] = Wire(namespace, device)
            setattr(rig, name, Station(rig.wires[device], own_mac, own, router.mac(port), address))
        rig.clear()
        establish(rig)
        yield rig


def inward(rig, *packets):
    """From the internet: what came out on the LAN."""
    rig.left.flood([rig.left.frame(packet) for packet in packets])
    return rig.right.wire.take(lambda p: IP in p)


def syn(source, port=443, sport=1024):
    return IP(src=source, dst=WAN) / TCP(sport=sport, dport=port, flags="S", seq=sport)


def establish(rig):
    """A client's session with the published server."""
    (got,) = inward(rig, syn(CLIENT, sport=5000))
    assert got[IP].dst == SERVER
    rig.right.send(IP(src=SERVER, dst=CLIENT) / TCP(sport=443, dport=5000, flags="SA", seq=9,
                                                    ack=5001))
    rig.settle()
    (answer,) = rig.left.wire.take(lambda p: TCP in p)
    assert answer[IP].src == WAN
    assert goes_on(rig)


def goes_on(rig):
    got = inward(rig, IP(src=CLIENT, dst=WAN) / TCP(sport=5000, dport=443, flags="A", seq=5001,
                                                    ack=10))
    return [p[IP].dst for p in got] == [SERVER]


def listed(rig, name):
    return [r["address"] for r in rig.router.print("/ip/firewall/address-list")
            if r["list"] == name]


def test_a_syn_flood_of_one_source_is_stopped(edge):
    attacker = "198.51.100.66"
    passed = inward(edge, *(syn(attacker, sport=2000 + n) for n in range(1000)))
    assert 60 <= len(passed) <= 100, "the burst, and what the rate gives until the limit"
    assert len(edge.router.sessions(src_address=attacker)) <= 101
    stopped = (edge.router.rule("syn: one source too fast")
               + edge.router.rule("syn: too many of one source"))
    assert stopped >= 900
    assert goes_on(edge)
    assert len(inward(edge, syn("198.51.100.8"))) == 1, "another source still comes in"


def test_a_port_scan_is_caught(edge):
    scanner = "198.51.100.99"
    inward(edge, *(syn(scanner, port=port, sport=7000 + port) for port in range(1, 40)))
    assert listed(edge, "scanners") == [scanner]
    assert edge.router.rule("scans: caught") >= 1
    before = edge.router.rule("scanned before", "/ip/firewall/raw")
    assert inward(edge, syn(scanner)) == [], "not to what is published either"
    assert edge.router.rule("scanned before", "/ip/firewall/raw") == before + 1
    wait_until(lambda: "port scan" in edge.router.log(), what="the log line")
    assert goes_on(edge)
    edge.router.ctl(f"/ip/firewall/address-list remove [find address={scanner}]")
    assert listed(edge, "scanners") == []
    assert len(inward(edge, syn(scanner, sport=8001))) == 1, "it was let in again"


def test_password_guesses_are_caught(edge):
    guesser = "198.51.100.44"
    inward(edge, *(syn(guesser, port=22, sport=3000 + n) for n in range(8)))
    assert listed(edge, "guessers") == [guesser]
    assert edge.router.rule("guesses: few enough") == 5
    assert goes_on(edge)


def test_what_cannot_be_is_dropped_before_tracking(edge):
    raw = "/ip/firewall/raw"
    before = len(edge.router.sessions())
    inward(edge, syn("10.9.9.9"), syn("127.0.0.5"))
    assert edge.router.rule("sources that cannot be", raw) >= 1
    inward(edge, IP(src="198.51.100.12", dst=WAN) / TCP(sport=9, dport=443, flags="SF"),
           IP(src="198.51.100.12", dst=WAN) / TCP(sport=9, dport=443, flags=""))
    assert edge.router.rule("flags that no program sends: SYN with FIN", raw) == 1
    assert edge.router.rule("flags that no program sends: none", raw) == 1
    inward(edge, IP(src="198.51.100.12", dst=WAN) / UDP(sport=9, dport=9))
    assert edge.router.rule("input: closed") >= 1
    assert len(edge.router.sessions()) <= before
