"""ARP as a strong host, neighbours and what happens while they are unknown."""

import pytest
import yaml

from frames import ARP, BROADCAST, ICMP, IP, UDP, Ether, Station, Wire, mac
from lab import Lab, wait_until
from scenes import (
    LEFT_HOST,
    LEFT_HOST_MAC,
    LEFT_MAC,
    LEFT_ROUTER,
    RIGHT_HOST,
    conf,
    local,
    raw_rig,
    rows,
    two_ports,
)

SEGMENT = "203.0.113"
HOST_MAC = mac(0x5001)
NEIGHBOURS = 6


@pytest.fixture(scope="module")
def segment():
    """conf/same-subnet.yaml and some macvlans more: one subnet on one wire, many owners."""
    with Lab() as lab:
        config = local(lab, conf("same-subnet.yaml"))
        for number in range(2, NEIGHBOURS):
            name = f"more{number}"
            mode = "private" if number % 2 else "bridge"
            config["interface"]["macvlan"].append(
                {"name": name, "interface": "ether1", "mode": mode}
            )
            config["ip"]["address"].append(
                {"address": f"{SEGMENT}.{number + 1}/24", "interface": name}
            )
        rig = raw_rig(lab, config, ["mlwan"])
        owners = {
            f"{SEGMENT}.1": rig.router.mac("ether1"),
            f"{SEGMENT}.2": rig.router.mac("macvlan1"),
        }
        for number in range(2, NEIGHBOURS):
            owners[f"{SEGMENT}.{number + 1}"] = rig.router.mac(f"more{number}")
        yield rig, rig.wires["mlwan"], owners


def who_has(target, sender, dst=BROADCAST):
    return Ether(src=HOST_MAC, dst=dst) / ARP(op=1, hwsrc=HOST_MAC, psrc=sender, pdst=target)


def replies(wire):
    return wire.take(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].hwdst == HOST_MAC)


def settle(wire, owner_ip, sender):
    """One more question, whose answer comes after all others."""
    wire.send(who_has(owner_ip, sender))
    wire.wait(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].pdst == sender)


@pytest.mark.parametrize("last", range(1, NEIGHBOURS + 1))
def test_one_question_one_answer_from_the_owner(segment, last):
    """A-17: stock Linux gives one answer per interface."""
    _, wire, owners = segment
    target = f"{SEGMENT}.{last}"
    wire.clear()
    wire.send(who_has(target, f"{SEGMENT}.100"))
    settle(wire, f"{SEGMENT}.1", f"{SEGMENT}.101")
    got = [p for p in replies(wire) if p[ARP].pdst == f"{SEGMENT}.100"]
    assert len(got) == 1, got
    assert got[0].src == got[0][ARP].hwsrc == owners[target]
    assert got[0].dst == HOST_MAC
    assert len(set(owners.values())) == NEIGHBOURS


def test_unicast_question_to_the_owner_is_answered_to_another_is_not(segment):
    _, wire, owners = segment
    wire.clear()
    target = f"{SEGMENT}.2"
    wire.send(who_has(target, f"{SEGMENT}.102", dst=owners[f"{SEGMENT}.1"]))
    wire.send(who_has(target, f"{SEGMENT}.103", dst=owners[target]))
    settle(wire, f"{SEGMENT}.1", f"{SEGMENT}.104")
    assert [p[ARP].pdst for p in replies(wire)] == [f"{SEGMENT}.103"]


def test_nobody_answers_for_others(segment):
    _, wire, _ = segment
    wire.clear()
    wire.send(who_has(f"{SEGMENT}.200", f"{SEGMENT}.105"))
    settle(wire, f"{SEGMENT}.1", f"{SEGMENT}.106")
    assert replies(wire) == []


def test_address_probe_is_answered(segment):
    """RFC 5227: a probe with sender 0.0.0.0 for our address finds out that it is taken."""
    _, wire, owners = segment
    wire.clear()
    wire.send(who_has(f"{SEGMENT}.2", "0.0.0.0"))
    got = wire.wait(lambda p: ARP in p and p[ARP].op == 2)
    assert got[ARP].hwsrc == owners[f"{SEGMENT}.2"]


def test_ping_of_each_owner_is_answered_from_its_mac(segment):
    """E-27: replies leave by the interface that owns the local address."""
    _, wire, owners = segment
    for target, owner in owners.items():
        wire.clear()
        wire.send(
            Ether(src=HOST_MAC, dst=owner) / IP(src=f"{SEGMENT}.100", dst=target) / ICMP(id=5)
        )
        asked = []

        def answer(packet):
            if ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst == f"{SEGMENT}.100":
                asked.append(packet)
                wire.send(
                    Ether(src=HOST_MAC, dst=packet.src)
                    / ARP(op=2, hwsrc=HOST_MAC, psrc=f"{SEGMENT}.100", hwdst=packet.src,
                          pdst=packet[ARP].psrc)
                )
            return ICMP in packet

        reply = wire.wait(answer, what=f"the echo reply of {target}")
        assert (reply[IP].src, reply.src) == (target, owner)
        for packet in asked:
            assert packet[ARP].psrc == target and packet[ARP].hwsrc == owner


def test_gratuitous_arp_when_an_address_is_added(segment):
    """A-18, on reload; the owner of the address speaks, nobody else."""
    rig, wire, owners = segment
    config = yaml.safe_load(rig.router.config_path.read_text())
    config["ip"]["address"].append({"address": f"{SEGMENT}.150/24", "interface": "more3"})
    wire.clear()
    rig.router.reload(config)
    got = wire.wait(lambda p: ARP in p and p[ARP].psrc == p[ARP].pdst == f"{SEGMENT}.150")
    assert got.src == got[ARP].hwsrc == owners[f"{SEGMENT}.4"]
    assert got.dst == BROADCAST


def test_duplicate_address_is_logged(segment):
    rig, wire, _ = segment
    wire.send(
        Ether(src=HOST_MAC, dst=BROADCAST)
        / ARP(op=1, hwsrc=HOST_MAC, psrc=f"{SEGMENT}.2", pdst=f"{SEGMENT}.2")
    )
    wait_until(
        lambda: HOST_MAC in rig.router.log().lower() and f"{SEGMENT}.2" in rig.router.log(),
        10,
        "the log to name the other owner of the address",
    )


def test_malformed_arp_is_dropped_by_name(segment):
    rig, wire, _ = segment
    before = rig.router.drops("arp_malformed")
    good = who_has(f"{SEGMENT}.1", f"{SEGMENT}.107")
    for change in ({"hwlen": 4}, {"plen": 16}, {"ptype": 0x86DD}, {"hwtype": 6}):
        bad = good.copy()
        for name, value in change.items():
            setattr(bad[ARP], name, value)
        wire.send(bad)
    wire.send(bytes(good)[:30])
    settle(wire, f"{SEGMENT}.1", f"{SEGMENT}.108")
    assert rig.router.drops("arp_malformed") >= before + 4


# Neighbours that must be asked for ---------------------------------------------------------------


@pytest.fixture(scope="module")
def rig():
    config = two_ports()
    config["ip"]["arp"] = [
        {"address": LEFT_HOST, "mac-address": LEFT_HOST_MAC, "interface": "left"}
    ]
    rows(config, "interface", "macvlan").append(
        {"name": "deaf", "interface": "right", "arp": "disabled", "mac-address": mac(0x5005)}
    )
    rows(config, "ip", "address").append({"address": "10.5.0.1/24", "interface": "deaf"})
    with Lab() as lab:
        made = raw_rig(lab, config)
        left = made.wires["mlleft"]
        made.left = Station(left, LEFT_HOST_MAC, LEFT_HOST, LEFT_MAC, LEFT_ROUTER)
        made.clear()
        yield made


def asked_for(packet, target):
    return ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst == target


def answer(wire, question, own_mac):
    wire.send(
        Ether(src=own_mac, dst=question.src)
        / ARP(op=2, hwsrc=own_mac, psrc=question[ARP].pdst, hwdst=question[ARP].hwsrc,
              pdst=question[ARP].psrc)
    )


def test_hold_queue_sends_what_waited_in_order(rig):
    wire = rig.wires["mlright"]
    target = "10.2.0.21"
    for number in range(3):
        rig.left.send(IP(src=LEFT_HOST, dst=target, id=100 + number) / UDP(dport=number))
    question = wire.wait(lambda p: asked_for(p, target), what="a who-has")
    assert question.dst == BROADCAST and question[ARP].psrc == "10.2.0.1"
    assert wire.take(lambda p: IP in p) == []
    answer(wire, question, mac(0x2021))
    got = [wire.wait(lambda p: IP in p and p[IP].dst == target) for _ in range(3)]
    assert [p[IP].id for p in got] == [100, 101, 102]
    assert {p.dst for p in got} == {mac(0x2021)}
    row = rig.router.row("/ip/arp", address=target)
    assert row["mac-address"] == mac(0x2021).upper()
    assert row["status"] == "reachable"
    assert row["interface"] == "right"


def test_neighbour_that_does_not_answer_is_host_unreachable(rig):
    target = "10.2.0.22"
    before = rig.router.drops("neigh_failed")
    rig.left.send(IP(src=LEFT_HOST, dst=target) / UDP(sport=1, dport=2))
    error = rig.left.wire.wait(lambda p: ICMP in p, timeout=20, what="host unreachable")
    assert (error[ICMP].type, error[ICMP].code, error[IP].src) == (3, 1, LEFT_ROUTER)
    assert len(rig.wires["mlright"].take(lambda p: asked_for(p, target))) >= 2  # it asked again
    assert rig.router.drops("neigh_failed") >= before + 1
    assert rig.router.row("/ip/arp", address=target)["status"] == "failed"


def test_neighbour_is_learned_from_its_question(rig):
    wire = rig.wires["mlright"]
    own = mac(0x2023)
    wire.send(
        Ether(src=own, dst=BROADCAST)
        / ARP(op=1, hwsrc=own, psrc="10.2.0.23", pdst="10.2.0.1")
    )
    wire.wait(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].hwdst == own)
    rig.left.send(IP(src=LEFT_HOST, dst="10.2.0.23") / UDP(dport=9))
    assert wire.wait(lambda p: UDP in p).dst == own


def test_what_was_learned_can_be_removed(rig):
    """A removed dynamic row is asked for anew, and may be somebody else then (A-15)."""
    wire, target = rig.wires["mlright"], "10.2.0.26"
    for own in (mac(0x2026), mac(0x2027)):
        rig.left.send(IP(src=LEFT_HOST, dst=target) / UDP(dport=9))
        answer(wire, wire.wait(lambda p: asked_for(p, target), what="a who-has"), own)
        assert wire.wait(lambda p: UDP in p and p[IP].dst == target).dst == own
        rig.router.ctl(f"/ip/arp/remove [find address={target}]")
        assert target not in {row["address"] for row in rig.router.print("/ip/arp")}


def test_a_full_table_is_said_once(rig):
    """A scan of a network finds no room for most of it, and the log says so once (A-16)."""
    rig.router.ctl("/ip/settings set max-neighbor-entries=32")
    for last in range(100, 180):
        rig.left.send(IP(src=LEFT_HOST, dst=f"10.2.0.{last}") / UDP(dport=9))
    wait_until(lambda: "the neighbour table is full" in rig.router.log(), 20, "a line in the log")
    rig.router.ctl("/ip/settings set max-neighbor-entries=16384")
    assert rig.router.log().count("the neighbour table is full") == 1


def test_stranger_does_not_fill_the_table(rig):
    """A reply nobody asked for and a foreign subnet's question make no entry."""
    wire = rig.wires["mlright"]
    own = mac(0x2024)
    wire.send(
        Ether(src=own, dst=BROADCAST) / ARP(op=2, hwsrc=own, psrc="10.2.0.24", pdst="10.2.0.24"),
        Ether(src=own, dst=BROADCAST) / ARP(op=1, hwsrc=own, psrc="172.16.5.5", pdst="10.2.0.1"),
    )
    rig.settle()
    known = {row["address"] for row in rig.router.print("/ip/arp")}
    assert not {"10.2.0.24", "172.16.5.5"} & known


def test_arp_disabled_neither_answers_nor_asks(rig):
    wire = rig.wires["mlright"]
    wire.clear()
    own = mac(0x2025)
    before = rig.router.drops("arp_disabled")
    wire.send(
        Ether(src=own, dst=BROADCAST) / ARP(op=1, hwsrc=own, psrc="10.5.0.9", pdst="10.5.0.1")
    )
    rig.left.send(IP(src=LEFT_HOST, dst="10.5.0.9") / UDP(dport=9))
    rig.settle()
    assert wire.take(lambda p: ARP in p and "10.5.0" in p[ARP].psrc) == []
    assert rig.router.drops("arp_disabled") >= before + 1


def test_static_row_needs_no_question(rig):
    row = rig.router.row("/ip/arp", address=LEFT_HOST)
    assert row["status"] == "permanent"
    wire = rig.wires["mlright"]
    wire.send(
        Ether(src=mac(0x2026), dst=rig.router.mac("right"))
        / IP(src=RIGHT_HOST, dst=LEFT_HOST)
        / UDP(dport=9)
    )
    got = rig.left.wire.wait(lambda p: UDP in p)
    assert got.dst == LEFT_HOST_MAC
    assert rig.left.wire.take(lambda p: asked_for(p, LEFT_HOST)) == []


def test_gratuitous_arp_at_start():
    """Switches learn every MAC of the router as soon as it is there."""
    with Lab() as lab:
        router = lab.router(local(lab, conf("same-subnet.yaml")))
        everything = Wire(router.ns, "")  # from before there is a device
        router.start()
        for name, address in (("ether1", f"{SEGMENT}.1"), ("macvlan1", f"{SEGMENT}.2")):
            got = everything.wait(
                lambda p, own=address: ARP in p and p[ARP].psrc == p[ARP].pdst == own,
                what=f"{name} to announce {address}",
            )
            assert got[ARP].hwsrc == got.src == router.mac(name)
