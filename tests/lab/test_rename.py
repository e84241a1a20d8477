"""A new name loses nothing: ports, addresses, leases, sessions (C-18, D-15)."""

import json

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


def with_names(config, names):
    """The same file with other names."""
    text = json.dumps(config)
    for old, new in names.items():
        for before in '"!%':
            text = text.replace(f'{before}{old}"', f'{before}{new}"')
    return json.loads(text)


def test_names_that_a_file_changes(lab):
    """As by a command: what is renamed in the file is known by its device, or by its parent and MAC,
    and what goes through it goes on; so does what a door had said of it."""
    def own_mac(config):
        for row in config["interface"]["macvlan"]:
            if row["name"] == "macvlan-iot":
                row["mac-address"] = "02:00:00:00:33:01"

    scene = soho(lab, own_mac)
    router = scene.router
    router.ctl("/ip/address add address=192.168.70.1/24 interface=macvlan-iot")
    macs = {name: router.mac(name) for name in ("ether1", "ether2", "macvlan-iot")}
    names = {"ether1": "wan", "ether2": "lan", "macvlan-iot": "things"}
    web, ssh = scene.isp.listener(8080), router.ns.listener(8022)
    with scene.pc.connect(ISP, 8080) as client, scene.pc.connect(LAN_ROUTER, 8022) as admin, \
            scene.iot.connect(ISP, 8080) as thing:
        ends = dict(reversed(web.accept()) for _ in range(2))
        into, _ = ssh.accept()
        before = {row[".id"]: row["interface"] for row in router.print("/ip/address")}
        new = with_names(scene.config, names)
        router.write(new)
        plan = router.ctl("plan", router.config_path).stdout
        assert "name=wan (was ether1)" in plan and "- /interface" not in plan, plan
        router.reload()
        echo(admin, into, b"at the router")
        for host, text in ((client, b"from the PC"), (thing, b"from the IoT device")):
            host.sendall(text)
        assert {end.recv(100) for end in ends.values()} == {b"from the PC", b"from the IoT device"}
        for end in (*ends.values(), into, web, ssh):
            end.close()
    assert {row[".id"]: row["interface"] for row in router.print("/ip/address")} == {
        key: names.get(name, name) for key, name in before.items()}
    assert {name: router.mac(names[name]) for name in names} == macs
    for host in (scene.pc, scene.iot):
        assert host.ping(ISP).ok
    router.stop()
    router.start()
    assert router.mac("things") == macs["macvlan-iot"]


def test_leases_of_names_that_a_file_changes(lab):
    """By parent and MAC: nothing is asked of the DHCP server."""
    before = config(3)
    for number, row in enumerate(before["interface"]["macvlan"]):
        row["mac-address"] = f"02:00:00:00:33:0{number}"
    router = lab.router(before).start()
    isp = isp_wire(lab, router)
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP)
    rows = bound(router, "wan1", "wan2", "wan3")
    asked, said = server.log().count("DHCPREQUEST"), router.log()
    router.reload(with_names(before, {"ether1": "isp", "wan2": "uplink"}))
    after = bound(router, "wan1", "uplink", "wan3")
    assert after["uplink"]["address"] == rows["wan2"]["address"]
    assert "IP address" not in router.log()[len(said):], "neither lost nor got"
    assert "DHCPRELEASE" not in server.log() and server.log().count("DHCPREQUEST") == asked
    assert isp.ping(after["uplink"]["address"].split("/")[0]).ok


def test_a_generated_mac_goes_along_in_a_file(lab):
    """A-8, F-12: what the file says no MAC of is known by all else it says; nothing is asked of the DHCP
    server, and the MAC is the new name's over a restart. One that is really new gets another."""
    before = config(3)
    before["interface"]["macvlan"][1]["mode"] = "private"
    router = lab.router(before).start()
    isp = isp_wire(lab, router)
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP)
    rows = bound(router, "wan1", "wan2", "wan3")
    macs = {name: router.mac(name) for name in ("wan1", "wan2", "wan3")}
    asked, said = server.log().count("DHCPREQUEST"), router.log()
    names = {"ether1": "isp", "wan2": "uplink", "wan3": "spare"}
    renamed = with_names(before, names)
    router.write(renamed)
    plan = router.ctl("plan", router.config_path).stdout
    assert "name=uplink (was wan2)" in plan and "- /interface" not in plan, plan
    router.reload()
    after = bound(router, "wan1", "uplink", "spare")
    for old, mac in macs.items():
        assert router.mac(names.get(old, old)) == mac
        assert after[names.get(old, old)]["address"] == rows[old]["address"]
    assert "IP address" not in router.log()[len(said):], "neither lost nor got"
    assert "DHCPRELEASE" not in server.log() and server.log().count("DHCPREQUEST") == asked
    # The file changes while the router is away.
    router.stop()
    router.write(with_names(renamed, {"uplink": "fibre"}))
    router.start()
    assert router.mac("fibre") == macs["wan2"]
    # Another mode: another macvlan.
    wanted = with_names(renamed, {"uplink": "other"})
    wanted["interface"]["macvlan"][1]["mode"] = "bridge"
    router.reload(wanted)
    assert router.mac("other") not in macs.values()


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
