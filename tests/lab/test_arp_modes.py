"""The ARP modes (A2), standing in for others, and what a flood of questions does."""

import pytest

from frames import ARP, BROADCAST, ICMP, IP, UDP, Ether, mac
from lab import Lab, dataplane, wait_until
from scenes import raw_rig, rows

PEER, PEER_MAC = "10.1.0.50", mac(0x6050)
OTHER_MAC = mac(0x6051)
ROUTER = "10.1.0.1"
FAR = "10.2.0.9"  # behind the other port


def config(mode, **more):
    made = {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [
                {"name": "left", "device": "net_tap0,iface=mlleft", "arp": mode},
                {"name": "right", "device": "net_tap1,iface=mlright"},
            ]
        },
        "ip": {
            "settings": {"icmp-rate-limit": 0},
            "address": [
                {"address": f"{ROUTER}/24", "interface": "left"},
                {"address": "10.2.0.1/24", "interface": "right"},
            ],
            "arp": [],
        },
    }
    made["ip"].update(more)
    return made


@pytest.fixture(scope="module")
def rig():
    with Lab() as lab:
        yield raw_rig(lab, config("enabled"))


def answers(rig, target, sender=PEER, sender_mac=PEER_MAC):
    """The MACs that answer one question; the last word has a question nobody refuses."""
    wire = rig.wires["mlleft"]
    wire.clear()
    ask = Ether(src=sender_mac, dst=BROADCAST) / ARP(op=1, hwsrc=sender_mac, psrc=sender,
                                                     pdst=target)
    wire.send(ask)
    settle(rig)
    return [p[ARP].hwsrc for p in wire.take(lambda p: ARP in p and p[ARP].op == 2
                                            and p[ARP].psrc == target)]


def settle(rig):
    """A question at the other port, whose answer comes after all that were asked before."""
    wire = rig.wires["mlright"]
    wire.send(Ether(src=OTHER_MAC, dst=BROADCAST)
              / ARP(op=1, hwsrc=OTHER_MAC, psrc="10.2.0.77", pdst="10.2.0.1"))
    wire.wait(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].pdst == "10.2.0.77")


@pytest.mark.parametrize("mode, own, far, near", [
    ("enabled", 1, 0, 0),
    ("disabled", 0, 0, 0),
    ("reply-only", 0, 0, 0),
    ("proxy-arp", 1, 1, 0),
    ("local-proxy-arp", 1, 1, 1),
])
def test_who_is_answered_for(rig, mode, own, far, near):
    """The table of A2, live: the mode changes by reload and counts at once."""
    rig.router.reload(config(mode))
    mine = rig.router.mac("left")
    assert answers(rig, ROUTER) == [mine] * own
    assert answers(rig, FAR) == [mine] * far
    assert answers(rig, "10.1.0.60") == [mine] * near
    assert answers(rig, "172.16.9.9") == [], "no route, no answer"
    # neither a probe nor the asker's own address finds the router there.
    assert answers(rig, "10.1.0.60", sender="0.0.0.0") == []
    assert answers(rig, PEER) == []
    assert rig.router.row("/interface/ethernet", name="left")["arp"] == mode


def test_reply_only_knows_its_own(rig):
    """A-12: who has a row is answered and reached, nobody else."""
    row = {"address": PEER, "mac-address": PEER_MAC, "interface": "left"}
    rig.router.reload(config("reply-only", arp=[row]))
    assert answers(rig, ROUTER) == [rig.router.mac("left")]
    assert answers(rig, ROUTER, sender="10.1.0.51", sender_mac=OTHER_MAC) == []
    assert answers(rig, ROUTER, sender_mac=OTHER_MAC) == [], "the pair must be right"
    assert [r["address"] for r in rig.router.print("/ip/arp") if r["interface"] == "left"] == [PEER]
    shown = rig.router.row("/ip/arp", address=PEER)
    assert (shown["status"], shown["complete"], shown["dynamic"]) == ("permanent", "true", "false")

    left, right = rig.wires["mlleft"], rig.wires["mlright"]
    for number, target in enumerate((PEER, "10.1.0.51")):
        right.send(Ether(src=OTHER_MAC, dst=rig.router.mac("right"))
                   / IP(src="10.2.0.77", dst=target) / UDP(dport=number))
    settle(rig)
    assert left.wait(lambda p: UDP in p).dst == PEER_MAC
    assert left.take(lambda p: ARP in p and p[ARP].op == 1) == [], "it asks nobody"


def test_published_row(rig):
    """A-13: one address more is answered for, while there is a route to it."""
    published = [{"address": FAR, "interface": "left", "published": True},
                 {"address": "172.16.9.9", "interface": "left", "published": True}]
    rig.router.reload(config("enabled", arp=published))
    assert answers(rig, FAR) == [rig.router.mac("left")]
    assert answers(rig, "10.2.0.10") == []
    assert answers(rig, "172.16.9.9") == []
    # By hand: the flag P.
    shown = rig.router.ctl("/ip/arp/print", "where", "published=yes").stdout
    assert "P" in shown and FAR in shown


def test_flood_of_questions_fills_nothing_that_matters(rig):
    """A-16: who answered us stays reachable while 3,000 strangers ask, and the table keeps to its
    limit."""
    made = config("enabled", settings={"max-neighbor-entries": 256, "icmp-rate-limit": 0})
    rig.router.reload(made)
    left, right = rig.wires["mlleft"], rig.wires["mlright"]
    here = Ether(src=PEER_MAC, dst=rig.router.mac("left")) / IP(src=PEER, dst=ROUTER) / ICMP(id=7)

    def answer(packet):
        if ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst == PEER:
            left.send(Ether(src=PEER_MAC, dst=packet.src)
                      / ARP(op=2, hwsrc=PEER_MAC, psrc=PEER, hwdst=packet.src, pdst=ROUTER))
        return ICMP in packet and packet[ICMP].type == 0

    left.clear()
    left.send(here)
    left.wait(answer)
    assert rig.router.row("/ip/arp", address=PEER)["mac-address"] == PEER_MAC.upper()
    for number in range(3000):
        stranger = mac(0x700000 + number)
        right.send(Ether(src=stranger, dst=BROADCAST)
                   / ARP(op=1, hwsrc=stranger, psrc=f"10.2.0.{2 + number % 200}", pdst="10.2.0.1"))
        stranger_left = f"10.1.{number // 250}.{2 + number % 250}"
        left.send(Ether(src=stranger, dst=BROADCAST)
                  / ARP(op=1, hwsrc=stranger, psrc=stranger_left, pdst=ROUTER))
        if number % 100 == 0:  # a flood may last longer than a host may be silent that is asked
            left.send(here)
            left.wait(answer)
    settle(rig)
    left.clear()
    left.send(here)
    left.wait(answer)
    table = rig.router.print("/ip/arp")
    assert len(table) <= 256
    assert PEER in {row["address"] for row in table}


def test_conflict_and_foreign_twin_are_logged(rig):
    """A conflict is said and defended; so is a MAC of ours in use elsewhere (F-14, E-45)."""
    rig.router.reload(config("enabled"))
    left = rig.wires["mlleft"]
    left.clear()
    own = rig.router.mac("left")
    left.send(Ether(src=OTHER_MAC, dst=BROADCAST)
              / ARP(op=1, hwsrc=OTHER_MAC, psrc=ROUTER, pdst=ROUTER))
    defence = left.wait(lambda p: ARP in p and p[ARP].psrc == p[ARP].pdst == ROUTER)
    assert defence[ARP].hwsrc == own
    left.send(Ether(src=own, dst=BROADCAST) / ARP(op=1, hwsrc=own, psrc="10.1.0.99", pdst=ROUTER))
    for line in (f"left: {ROUTER} is also used by {OTHER_MAC.upper()}",
                 f"the router's MAC address {own.upper()} is also used by the host with the address "
                 "10.1.0.99"):
        wait_until(lambda text=line: text in rig.router.log(), 10, line)


def test_isolated_clients_talk_through_the_router():
    """A-11 with real hosts: ports of a switch that are kept apart, local-proxy-arp, and all their
    traffic in chain=forward."""
    made = config("local-proxy-arp")
    rows(made, "ip", "firewall", "filter").extend([
        {"chain": "forward", "in-interface": "left", "out-interface": "left",
         "action": "accept", "comment": "between clients"},
    ])
    with Lab() as lab:
        router = lab.router(made).start()
        switch = lab.switch()
        one = switch.host("one", "10.1.0.11/24", ROUTER)
        two = switch.host("two", "10.1.0.12/24", ROUTER)
        switch.plug(router.move_wire("mlleft", switch.ns, up=False))
        for port in ("p1", "p2"):
            switch.ns.run("bridge", "link", "set", "dev", port, "isolated", "on")
        wait_until(lambda: one.ping("10.1.0.12").ok, 20, "one to reach two through the router")
        seen = one.ip("-j", "neigh", "show", "10.1.0.12").stdout
        assert router.mac("left") in seen
        assert router.rule("between clients") > 0
        # RFC 5227: whether an address is free can still be found out; 0 replies, exit 0.
        probe = two.run("arping", "-D", "-c", 1, "-w", 2, "-I", "eth0", "10.1.0.77", check=False)
        assert probe.returncode == 0, probe.stdout
        found = two.run("arping", "-c", 1, "-w", 5, "-I", "eth0", "10.1.0.11", check=False)
        assert found.returncode == 0 and router.mac("left").upper() in found.stdout.upper()
