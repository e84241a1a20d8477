"""Ports, macvlans and VLANs: who receives what, addresses that stay, bounds that hold."""

import re

import pytest

from frames import ARP, BROADCAST, ICMP, IP, UDP, Dot1AD, Dot1Q, Ether, Raw, Wire, mac
from lab import Lab, dataplane, flag, wait_until
from scenes import conf, local, raw_rig

HOST = mac(0x7001)
MARK = 0x88B5


def vlan_config(lab):
    """conf/vlan.yaml with a host attached to the port."""
    config = local(lab, conf("vlan.yaml"))
    config["interface"]["macvlan"].append(
        {"name": "guest", "interface": "ether1", "attach": "tap",
         "netns": lab.namespace("guest").name}
    )
    return config


@pytest.fixture(scope="module")
def rig():
    with Lab() as lab:
        made = raw_rig(lab, vlan_config(lab), ["mlport"])
        made.wires["guest"] = Wire(lab.namespaces["guest"], "guest")
        yield made


@pytest.fixture
def wire(rig):
    wire = rig.wires["mlport"]
    settle(wire)
    wire.clear()
    rig.wires["guest"].clear()
    return wire


def settle(wire):
    ask(wire, "192.168.88.1", "192.168.88.250")


def question(target, sender, tags=(), dst=BROADCAST):
    frame = Ether(src=HOST, dst=dst)
    for tag in tags:
        frame = frame / tag
    return frame / ARP(op=1, hwsrc=HOST, psrc=sender, pdst=target)


def ask(wire, target, sender, tags=(), dst=BROADCAST):
    """Who-has, and the answer."""
    wire.send(question(target, sender, tags, dst))
    return wire.wait(
        lambda p: ARP in p and p[ARP].op == 2 and p[ARP].psrc == target and p[ARP].pdst == sender,
        what=f"an answer for {target}",
    )


def unanswered(wire, target, sender, tags=(), dst=BROADCAST):
    wire.send(question(target, sender, tags, dst))
    settle(wire)
    return not wire.take(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].pdst == sender)


# VLANs (behaviour.md) ---------------------------------------------------------------


def test_vlan_interface_answers_tagged(rig, wire):
    got = ask(wire, "192.168.30.1", "192.168.30.9", [Dot1Q(vlan=30)])
    assert got[Dot1Q].vlan == 30
    assert got.src == rig.router.mac("ether1") == rig.router.mac("voice")


def test_vlan_interface_does_not_answer_untagged_nor_other_tags(wire):
    assert unanswered(wire, "192.168.30.1", "192.168.30.10")
    assert unanswered(wire, "192.168.30.1", "192.168.30.11", [Dot1Q(vlan=31)])


def test_configured_vlan_never_reaches_the_macvlan(rig, wire):
    """A-50: not even with the macvlan's own MAC address as destination."""
    own = rig.router.mac("macvlan1")
    assert unanswered(wire, "192.168.99.1", "192.168.99.20", [Dot1Q(vlan=30)], dst=own)
    assert unanswered(wire, "192.168.99.1", "192.168.99.21", [Dot1Q(vlan=30)])


def test_attached_macvlan_does_not_hear_the_configured_vlan(rig, wire):
    guest = rig.wires["guest"]
    body = Raw(b"tagged 30" + b"." * 50)
    wire.send(Ether(src=HOST, dst=BROADCAST) / Dot1Q(vlan=30, type=MARK) / body)
    wire.send(Ether(src=HOST, dst=BROADCAST, type=MARK) / Raw(b"plain" + b"." * 50))
    guest.wait(lambda p: b"plain" in bytes(p))
    assert guest.take(lambda p: b"tagged 30" in bytes(p)) == []


def test_unconfigured_vlan_is_nobodys(rig, wire):
    """A-51"""
    before = rig.router.drops("vlan_unknown")
    own = rig.router.mac("macvlan1")
    assert unanswered(wire, "192.168.99.1", "192.168.99.22", [Dot1Q(vlan=10)], dst=own)
    assert unanswered(wire, "192.168.88.1", "192.168.88.22", [Dot1Q(vlan=10)])
    assert rig.router.drops("vlan_unknown") >= before + 2


@pytest.mark.parametrize("tags", [[Dot1Q(vlan=0, prio=5)], [Dot1AD(vlan=0)]])
def test_priority_tag_counts_as_untagged(wire, tags):
    """A-52"""
    ask(wire, "192.168.99.1", "192.168.99.23", tags)
    ask(wire, "192.168.88.1", "192.168.88.23", tags)


def test_tags_in_tags(wire):
    assert unanswered(
        wire, "192.168.99.1", "192.168.99.24", [Dot1Q(vlan=0), Dot1Q(vlan=10)]
    )
    assert unanswered(wire, "192.168.99.1", "192.168.99.25", [Dot1AD(vlan=30)])


def test_macvlan_on_a_vlan_speaks_tagged(rig, wire):
    got = ask(wire, "192.168.31.1", "192.168.31.9", [Dot1Q(vlan=30)])
    assert got[Dot1Q].vlan == 30
    assert got.src == rig.router.mac("voice-guest") != rig.router.mac("voice")
    assert unanswered(wire, "192.168.31.1", "192.168.31.10")


def test_routing_between_vlan_and_macvlan(rig, wire):
    own = mac(0x7030)
    wire.send(Ether(src=own, dst=BROADCAST) / Dot1Q(vlan=30)
              / ARP(op=1, hwsrc=own, psrc="192.168.30.50", pdst="192.168.30.1"))
    wire.wait(lambda p: ARP in p and p[ARP].pdst == "192.168.30.50")
    wire.send(
        Ether(src=HOST, dst=rig.router.mac("macvlan1"))
        / IP(src="192.168.99.50", dst="192.168.30.50") / UDP(sport=1, dport=2) / b"through"
    )
    got = wire.wait(lambda p: UDP in p and p[IP].dst == "192.168.30.50")
    assert got[Dot1Q].vlan == 30 and got.dst == own and got[IP].ttl == 63


# Addresses and state -----------------------------------------------------------------------------


def test_generated_mac_addresses(rig):
    """A-8: random, locally administered, unicast, printed upper case."""
    macs = [row["mac-address"] for row in rig.router.print("/interface/macvlan")]
    assert len(set(macs)) == len(macs)
    for value in macs:
        assert re.fullmatch(r"([0-9A-F]{2}:){5}[0-9A-F]{2}", value)
        assert int(value[:2], 16) & 3 == 2


def test_attached_device_carries_name_mac_and_mtu(rig):
    guest = rig.lab.namespaces["guest"]
    assert guest.mac("guest") == rig.router.mac("guest")
    link = guest.ip("-o", "link", "show", "guest").stdout
    assert "mtu 1500" in link and "UP" in link


def test_macs_stay_over_restart_and_reload_and_parents_never_changes():
    with Lab() as lab:
        config = {
            "dataplane": dataplane(),
            "interface": {
                "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlport",
                              "mac-address": mac(0x7100)}],
                "macvlan": [{"name": f"m{n}", "interface": "ether1", "mac-address": "auto"}
                            for n in range(3)],
            },
        }
        router = lab.router(config).start()
        first = {row["name"]: row["mac-address"] for row in router.print("/interface")}
        assert first["ether1"].lower() == mac(0x7100)
        config["interface"]["macvlan"].append({"name": "m3", "interface": "ether1"})
        router.reload(config)
        second = {row["name"]: row["mac-address"] for row in router.print("/interface")}
        assert {name: second[name] for name in first} == first
        router.stop()
        router.start()
        third = {row["name"]: row["mac-address"] for row in router.print("/interface")}
        assert third == second


def test_mtu_is_bounded_by_the_parent_and_shown():
    with Lab() as lab:
        config = {
            "dataplane": dataplane(),
            "interface": {
                "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlport", "mtu": 1400}],
                "macvlan": [{"name": "m1", "interface": "ether1"},
                            {"name": "m2", "interface": "ether1", "mtu": 1300}],
            },
        }
        router = lab.router(config).start()
        assert router.row("/interface", name="m1")["actual-mtu"] == "1400"
        assert router.row("/interface", name="m2")["actual-mtu"] == "1300"
        config["interface"]["macvlan"][1]["mtu"] = 1450
        refused = router.reload(config, check=False)
        assert refused.returncode != 0
        assert "1400" in refused.stdout + refused.stderr
        assert router.row("/interface", name="m2")["actual-mtu"] == "1300"


def test_disabled_macvlan_and_parent_are_silent():
    with Lab() as lab:
        config = {
            "dataplane": dataplane(),
            "interface": {
                "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlport"},
                             {"name": "ether2", "device": "net_tap1,iface=mlother"}],
                "macvlan": [{"name": "m1", "interface": "ether1"},
                            {"name": "m2", "interface": "ether1"}],
            },
            "ip": {"address": [{"address": "192.168.88.1/24", "interface": "ether1"},
                               {"address": "192.168.99.1/24", "interface": "m1"},
                               {"address": "192.168.77.1/24", "interface": "m2"},
                               {"address": "192.168.66.1/24", "interface": "ether2"}]},
        }
        rig = raw_rig(lab, config, ["mlport", "mlother"])
        wire = rig.wires["mlport"]
        own = rig.router.mac("m1")
        ask(wire, "192.168.99.1", "192.168.99.9")
        config["interface"]["macvlan"][0]["disabled"] = True
        rig.router.reload(config)
        before = rig.router.drops("vport_down") + rig.router.drops("not_for_us")
        assert unanswered(wire, "192.168.99.1", "192.168.99.9")
        assert unanswered(wire, "192.168.99.1", "192.168.99.9", dst=own)
        assert rig.router.drops("vport_down") + rig.router.drops("not_for_us") > before
        assert not flag(rig.router.row("/interface", name="m1")["running"])
        ask(wire, "192.168.77.1", "192.168.77.9")  # its sibling goes on

        config["interface"]["macvlan"][0]["disabled"] = False
        config["interface"]["ethernet"][0]["disabled"] = True
        rig.router.reload(config)
        for target in ("192.168.88.1", "192.168.99.1", "192.168.77.1"):
            wire.send(question(target, target[:-1] + "9"))
        other = rig.wires["mlother"]
        ask(other, "192.168.66.1", "192.168.66.9")
        assert wire.take(lambda p: ARP in p and p[ARP].op == 2) == []
        for name in ("m1", "m2", "ether1"):
            assert not flag(rig.router.row("/interface", name=name)["running"]), name

        config["interface"]["ethernet"][0]["disabled"] = False
        rig.router.reload(config)
        assert ask(wire, "192.168.99.1", "192.168.99.9")[ARP].hwsrc == own


def test_multicast_follows_igmp_of_the_attached_host(rig, wire):
    """A-38: a group arrives once the host joined it, and no longer once it left."""
    import socket

    group, group_mac = "239.1.2.3", "01:00:5e:01:02:03"
    namespace = rig.lab.namespaces["guest"]
    namespace.address("guest", "192.168.88.40/24")
    guest = rig.wires["guest"]
    frame = Ether(src=HOST, dst=group_mac) / IP(src="192.168.88.9", dst=group) / UDP(dport=5) / b"g"
    marker = Ether(src=HOST, dst=BROADCAST, type=MARK) / Raw(b"marker" + b"." * 50)

    def arrives():
        guest.clear()
        wire.send(frame, marker)
        guest.wait(lambda p: b"marker" in bytes(p))
        return bool(guest.take(lambda p: UDP in p and p[IP].dst == group))

    assert not arrives()
    with namespace.udp() as sock:
        member = socket.inet_aton(group) + socket.inet_aton("192.168.88.40")
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        wait_until(arrives, 10, "the group to arrive after the join")
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, member)
        wait_until(lambda: not arrives(), 10, "the group to stay away after the leave")
    namespace.ip("addr", "flush", "dev", "guest")


def test_pause_frames_go_nowhere(rig, wire):
    before = rig.router.drops("pause_frame")
    guest = rig.wires["guest"]
    wire.send(Ether(src=HOST, dst=BROADCAST, type=0x8808) / Raw(b"\0\1\0\0" + b"\0" * 42))
    wire.send(Ether(src=HOST, dst=BROADCAST, type=MARK) / Raw(b"after" + b"." * 50))
    guest.wait(lambda p: b"after" in bytes(p))
    assert guest.take(lambda p: p.type == 0x8808) == []
    assert rig.router.drops("pause_frame") == before + 1


def test_drops_of_unknown_unicast_are_named(rig, wire):
    before = rig.router.drops("not_for_us", "ether1")
    for _ in range(25):
        wire.send(Ether(src=HOST, dst=mac(0xDEAD), type=MARK) / Raw(b"." * 50))
    settle(wire)
    assert rig.router.drops("not_for_us", "ether1") == before + 25


def test_attached_host_reaches_a_sibling_the_router_owns(rig, wire):
    """An attached bridge host and a routed bridge macvlan of one parent meet inside."""
    namespace = rig.lab.namespaces["guest"]
    namespace.address("guest", "192.168.99.77/24")
    try:
        assert namespace.ping("192.168.99.1", count=2).ok
        assert wire.take(lambda p: ICMP in p) == []  # nothing of it on the wire
    finally:
        namespace.ip("addr", "flush", "dev", "guest")


def test_attached_host_does_not_reach_the_parent(rig, wire):
    """A-31, F-1: parent and macvlan do not meet at layer 2, in no mode."""
    namespace = rig.lab.namespaces["guest"]
    namespace.address("guest", "192.168.88.77/24")
    try:
        assert namespace.ping("192.168.88.1", wait=1).received == 0
        assert wire.take(lambda p: ARP in p and p[ARP].pdst == "192.168.88.1")  # it went out
    finally:
        namespace.ip("addr", "flush", "dev", "guest")
