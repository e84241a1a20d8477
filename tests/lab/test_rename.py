"""A new name loses nothing: ports, addresses, leases, sessions (C-18, D-15)."""

import pytest

from dhcp_servers import Dnsmasq
from lab import Lab, dataplane, wait_until
from scenes import ISP, LAN_ROUTER, PC, WAN, soho
from test_dhcp_client import bound, config, isp_wire


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def echo(client, peer, text):
    client.sendall(text)
    got = b""
    while len(got) < len(text):
        got += peer.recv(4096)
    assert got == text


def test_ports_and_what_goes_through_them(lab):
    scene = soho(lab)
    router = scene.router
    web, ssh = scene.isp.listener(8080), router.ns.listener(8022)
    with scene.pc.connect(ISP, 8080) as client, scene.pc.connect(LAN_ROUTER, 8022) as admin:
        through, seen = web.accept()
        assert seen[0] == WAN  # masqueraded
        into, _ = ssh.accept()
        echo(client, through, b"before")
        before = {row[".id"]: row["interface"] for row in router.print("/ip/address")}
        device = scene.isp.ip("-j", "link", "show", "mlwan").stdout
        router.ctl("/interface/ethernet set ether1 name=wan")
        router.ctl("/interface/ethernet set ether2 name=lan")
        router.ctl("/interface/macvlan set macvlan-iot name=things")
        echo(client, through, b"after")
        echo(admin, into, b"at the router")
        through.close()
        into.close()
    assert scene.isp.ip("-j", "link", "show", "mlwan").stdout == device, "the same wire"
    names = {"ether1": "wan", "ether2": "lan", "macvlan-iot": "things"}
    assert {row[".id"]: row["interface"] for row in router.print("/ip/address")} == {
        key: names.get(name, name) for key, name in before.items()}
    assert router.ns.ip("link", "show", "lan").stdout  # what programs see has the new name
    assert router.ns.ip("link", "show", "ether2", check=False).returncode != 0
    assert router.row("/interface/ethernet", name="wan")["running"] == "true"
    for namespace in (scene.iot, scene.pc):  # the rules that name interfaces as well
        assert namespace.ping(ISP).ok
    assert router.ns.ping(PC).ok
    # Two may change their names with each other in one change.
    router.ctl("/interface/ethernet { set wan name=x; set lan name=wan; set x name=lan }")
    assert scene.pc.ping(ISP).ok
    # And a restart finds what there is.
    router.stop()


def test_leases(lab):
    router = lab.router(config(2)).start()
    isp = isp_wire(lab, router)
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP)
    rows = bound(router, "wan1", "wan2")
    asked = server.log().count("DHCPREQUEST")
    said = router.log()
    router.ctl("/interface/macvlan set wan1 name=uplink")
    router.ctl("/interface/ethernet set ether1 name=isp")
    after = bound(router, "uplink", "wan2")
    assert after["uplink"]["address"] == rows["wan1"]["address"]
    assert router.log()[len(said):].count("IP address") == 0, "neither lost nor got"
    assert "DHCPRELEASE" not in server.log() and server.log().count("DHCPREQUEST") == asked
    address = after["uplink"]["address"].split("/")[0]
    assert isp.ping(address).ok
    ways = {row["gateway"] for row in router.print("/ip/route") if row.get("dhcp") == "true"}
    assert ways == {f"{ISP}%uplink", f"{ISP}%wan2"}
    # It is the lease of that name after a restart.
    router.stop()
    router.start()
    isp_wire(lab, router)
    wait_until(lambda: bound(router, "uplink")["uplink"]["address"] == after["uplink"]["address"],
               60, "the same address")


def test_the_address_of_a_disabled_interface_is_invalid(lab):
    router = lab.router(config(1)).start()
    isp = isp_wire(lab, router)
    Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP)
    bound(router, "wan1")
    assert router.row("/ip/address", interface="wan1")["invalid"] == "false"
    router.ctl("/interface/macvlan disable wan1")
    for row in router.print("/ip/address"):
        assert row["interface"] != "wan1" or row["invalid"] == "true"


def test_a_tap_keeps_its_mac_over_a_restart(lab):
    router = lab.router(config(1)).start()
    mac = router.mac("ether1")
    assert int(mac[:2], 16) & 3 == 2  # locally administered, of one
    router.stop()
    router.start()
    assert router.mac("ether1") == mac
    router.ctl("/interface/ethernet set ether1 mac-address=02:00:00:00:77:77")
    assert router.mac("ether1") == "02:00:00:00:77:77"
    router.ctl("/interface/ethernet unset ether1 mac-address")
    assert router.mac("ether1") == mac
