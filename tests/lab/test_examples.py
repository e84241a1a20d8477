"""Each file of conf/ does what its head comment says (soho.yaml has its own tests)."""

import pytest

from dhcp_clients import udhcpc
from frames import ARP, BROADCAST, Ether, Wire, mac
from lab import Lab, wait_until
from scenes import ISP, WAN, conf, local

HOST = mac(0xE001)


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def test_bridge_siblings_meet_without_the_wire(lab):
    router = lab.router(local(lab, conf("bridge.yaml"))).start()
    wire_end = lab.namespace("wire")
    wire = Wire(wire_end, router.move_wire("mlport", wire_end))
    m1, m2 = lab.namespaces["m1"], lab.namespaces["m2"]
    m1.address("m1", "10.0.0.1/24")
    m2.address("m2", "10.0.0.2/24")
    assert m1.ping("10.0.0.2", count=3).ok
    kinds = {packet.type for packet in wire.take(lambda p: p.src == m1.mac("m1"))}
    assert kinds == {0x0806}  # the broadcast question went out, the echo packets did not


def test_private_siblings_do_not_meet(lab):
    router = lab.router(local(lab, conf("private.yaml"))).start()
    switch = lab.switch()
    switch.plug(router.move_wire("mlport", switch.ns, up=False))
    outside = switch.host("outside", "10.0.0.9/24")
    p1, p2 = lab.namespaces["p1"], lab.namespaces["p2"]
    p1.address("p1", "10.0.0.1/24")
    p2.address("p2", "10.0.0.2/24")
    assert p1.ping("10.0.0.2", wait=1).received == 0
    assert outside.ping("10.0.0.1").ok and outside.ping("10.0.0.2").ok

    # A switch that sends frames back where they came from connects them again, once they
    # know each other: the broadcast question comes back to the one who asked only.
    switch.ns.ip("link", "set", "mlport", "type", "bridge_slave", "hairpin", "on")
    for one, other, address in ((p1, p2, "10.0.0.2"), (p2, p1, "10.0.0.1")):
        peer = other.mac("p2" if other is p2 else "p1")
        one.ip("neigh", "replace", address, "lladdr", peer, "dev", "p1" if one is p1 else "p2")
    assert p1.ping("10.0.0.2").ok


def test_guests_and_iot_have_the_internet_and_nothing_else(lab):
    router = lab.router(local(lab, conf("guest-iot.yaml"))).start()
    isp = lab.namespace("isp")
    isp.address(router.move_wire("mlwan", isp), f"{ISP}/24")
    switch = lab.switch()
    switch.plug(router.move_wire("mllan", switch.ns, up=False))
    pc = switch.host("pc", "192.168.88.10/24", "192.168.88.1")
    guest = switch.host("guest", "192.168.100.10/24", "192.168.100.1")
    iot = switch.host("iot", "192.168.200.10/24", "192.168.200.1")
    for host in (pc, guest, iot):
        assert host.ping(ISP).ok, host.label
    others = {
        guest: ("192.168.200.10", "192.168.88.10", "192.168.100.1", "192.168.88.1"),
        iot: ("192.168.100.10", "192.168.88.10", "192.168.200.1"),
    }
    for host, targets in others.items():
        for target in targets:
            assert host.ping(target, wait=1).received == 0, (host.label, target)
    assert router.rule("neither to each other nor to the LAN") >= 4
    assert pc.ping("192.168.100.10").ok  # the LAN may reach them (E-15)
    assert isp.ping(WAN, wait=1).received == 0


def test_guests_and_iot_get_addresses_and_names(lab):
    """E-9, E-13, E-14: whose client a device is, names through the input chain, and isolation."""
    router = lab.router(local(lab, conf("guest-iot-dhcp.yaml"))).start()
    isp = lab.namespace("isp")
    isp.address(router.move_wire("mlwan", isp), f"{ISP}/24")
    switch = lab.switch()
    switch.plug(router.move_wire("mllan", switch.ns, up=False))
    guest, thermostat = switch.host("guest", None), switch.host("thermostat", None)
    thermostat.ip("link", "set", "eth0", "address", "02:00:5E:20:00:10")
    told = udhcpc(thermostat)
    assert told["address"] == "192.168.200.10" and told["domain"] == "iot.lan"
    told = udhcpc(guest)
    assert told["address"].startswith("192.168.100.") and told["dns"] == "192.168.100.1"
    for host in (guest, thermostat):
        host.default_via("192.168.100.1" if host is guest else "192.168.200.1")
        assert host.ping(ISP).ok, host.label
    found = wait_until(lambda: guest.run("dig", "+short", "+tries=1", "+time=1", "@192.168.100.1",
                                         "thermostat.iot.lan", check=False).stdout, 60)
    assert found.strip() == "192.168.200.10"
    assert guest.ping("192.168.200.10", wait=1).received == 0
    assert guest.ping("192.168.100.1", wait=1).received == 0
    assert len({row["server"] for row in router.print("/ip/dhcp-server/lease")
                if row["status"] == "bound"}) == 2


def test_each_of_several_addresses_answers_from_its_own_mac(lab):
    router = lab.router(local(lab, conf("several-addresses.yaml"))).start()
    isp = lab.namespace("isp")
    wire = Wire(isp, router.move_wire("mlwan", isp))
    owners = {10: "ether1", 14: "macvlan1", 18: "macvlan2", 22: "macvlan3"}
    for last, owner in owners.items():
        sender, target = f"203.0.113.{last - 1}", f"203.0.113.{last}"
        wire.clear()
        wire.send(
            Ether(src=HOST, dst=BROADCAST) / ARP(op=1, hwsrc=HOST, psrc=sender, pdst=target)
        )
        reply = wire.wait(lambda p, s=sender: ARP in p and p[ARP].op == 2 and p[ARP].pdst == s)
        assert reply[ARP].hwsrc == reply.src == router.mac(owner)
    assert len({router.mac(owner) for owner in owners.values()}) == 4
    default = [row for row in router.print("/ip/route") if row["dst-address"] == "0.0.0.0/0"]
    assert [row["gateway"] for row in default if row["active"] == "true"] == ["203.0.113.9"]
    assert len(default) == 4
