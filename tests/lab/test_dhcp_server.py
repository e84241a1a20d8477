"""Our DHCP servers (C2) with udhcpc, dhclient and dhcpcd as clients, and the guide's commands."""

import pytest
from scapy.layers.dhcp import BOOTP, DHCP

from dhcp_clients import dhclient, dhcpcd, udhcpc
from frames import BROADCAST, IP, UDP, Dot1Q, Ether, Wire, mac
from lab import Lab, dataplane


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def config():
    """ether2 with a LAN, and macvlan-iot on it: the guide's two networks, without DHCP."""
    return {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "ether2", "device": "net_tap0,iface=mllan"}],
            "macvlan": [{"name": "macvlan-iot", "interface": "ether2"}],
        },
        "ip": {"address": [{"address": "192.168.88.1/24", "interface": "ether2"},
                           {"address": "192.168.99.1/24", "interface": "macvlan-iot"}]},
    }


GUIDE = (
    "/ip/pool add name=iot-pool ranges=192.168.99.10-192.168.99.254",
    "/ip/dhcp-server network add address=192.168.99.0/24 gateway=192.168.99.1 "
    "dns-server=192.168.99.1 domain=iot.example",
    "/ip/dhcp-server add address-pool=iot-pool interface=macvlan-iot name=iot lease-time=1d "
    "disabled=no",
)


def guide():
    """The same with what GUIDE says."""
    made = config()
    made["ip"]["pool"] = [{"name": "iot-pool", "ranges": "192.168.99.10-192.168.99.254"}]
    made["ip"]["dhcp-server/network"] = [{"address": "192.168.99.0/24",
                                          "gateway": "192.168.99.1"}]
    made["ip"]["dhcp-server"] = [{"name": "iot", "interface": "macvlan-iot",
                                  "address-pool": "iot-pool", "lease-time": "1d"}]
    return made


def start(lab, *lines, hosts=("pc",), tree=None):
    router = lab.router(tree or config()).start()
    switch = lab.switch()
    switch.plug(router.move_wire("mllan", switch.ns, up=False))
    made = [switch.host(name, None) for name in hosts]
    for line in lines:
        router.ctl(line)
    return (router, *made)


def lease(router, host):
    return router.row("/ip/dhcp-server/lease", mac_address=host.mac("eth0").upper())


def test_the_guides_iot_network_with_three_clients(lab):
    """GUIDE: pool, network and server on the macvlan (E-9, E-26c); C-3, C-7, C-11b, C-13."""
    router, one, two, three = start(lab, *GUIDE, hosts=("one", "two", "three"))
    told = udhcpc(one)
    assert told["address"].startswith("192.168.99.") and told["mask"] == "255.255.255.0"
    assert told["routers"] == told["dns"] == told["server"] == "192.168.99.1"
    assert told["domain"] == "iot.example" and told["lease"] == "86400"
    assert one.ping("192.168.99.1").ok
    again = dhclient(two)
    assert again["address"] != told["address"] and again["routers"] == "192.168.99.1"
    assert two.ping("192.168.99.1").ok
    third = dhcpcd(three)
    assert third["domain"] == "iot.example" and third["address"].startswith("192.168.99.")
    row = lease(router, one)
    assert row["status"] == "bound" and row["dynamic"] == "true" and row["server"] == "iot"
    assert row["address"] == told["address"] and row["expires-after"].startswith("23h59m")
    assert row["age"].endswith("s") and row["src-mac-address"] == one.mac("eth0").upper()
    assert f"iot assigned {told['address']} for {one.mac('eth0').upper()}" in router.log()
    pool = router.row("/ip/pool", name="iot-pool")
    assert pool["total"] == "245" and int(pool["used"]) == 3 and int(pool["available"]) == 242
    used = router.row("/ip/pool/used", address=told["address"])
    assert used["pool"] == "iot-pool" and used["info"] == one.mac("eth0").upper()


def test_static_leases_make_static_and_a_restart(lab):
    """C-6, C-7, C-12: rows of one's own, a dynamic lease made one, and leases after SIGKILL."""
    router, one, two = start(lab, hosts=("one", "two"), tree=guide())
    router.ctl(f"/ip/dhcp-server/lease add address=192.168.99.5 mac-address={two.mac('eth0')} "
               "server=iot comment=printer")
    assert lease(router, two)["status"] == "waiting"
    assert udhcpc(two)["address"] == "192.168.99.5"
    assert lease(router, two)["status"] == "bound" and lease(router, two)["dynamic"] == "false"
    first = udhcpc(one)["address"]
    router.process.popen.kill()
    router.process.popen.wait()
    router.process = None
    router.start()
    switch = lab.namespaces["switch"]
    router.move_wire("mllan", switch, up=False)
    switch.ip("link", "set", "mllan", "master", "br0")
    switch.ip("link", "set", "mllan", "up")
    row = lease(router, one)
    assert row["address"] == first and row["status"] == "bound" and row["age"] != "0s"
    assert udhcpc(one)["address"] == first
    router.ctl(f"/ip/dhcp-server/lease make-static {row['.id']}")
    row = lease(router, one)
    assert row["dynamic"] == "false" and row["status"] == "bound" and row["address"] == first
    # block-access: it is not answered any more.
    router.ctl(f"/ip/dhcp-server/lease set {row['.id']} block-access=yes")
    with pytest.raises(AssertionError, match="no lease"):
        udhcpc(one, "-t", "2", "-T", "1")


def test_leases_outlive_what_happens_to_their_server(lab):
    """C-6, C-8, C-12: a name, a pause, another pool and a restart end no lease; another interface does."""
    router, one, two = start(lab, hosts=("one", "two"), tree=guide())
    first, second = udhcpc(one)["address"], udhcpc(two)["address"]
    router.ctl("/ip/dhcp-server set iot name=things")
    assert lease(router, one)["server"] == "things" and lease(router, one)["status"] == "bound"
    router.ctl("/ip/dhcp-server disable things")
    assert lease(router, one)["address"] == first
    router.ctl("/ip/dhcp-server enable things")
    router.ctl("/ip/pool set iot-pool ranges=192.168.99.200-192.168.99.210")
    router.process.popen.kill()
    router.process.popen.wait()
    router.process = None
    router.start()
    switch = lab.namespaces["switch"]
    router.move_wire("mllan", switch, up=False)
    switch.ip("link", "set", "mllan", "master", "br0")
    switch.ip("link", "set", "mllan", "up")
    row = lease(router, one)
    assert (row["address"], row["server"], row["status"]) == (first, "things", "bound")
    assert row["last-seen"] not in ("never", "0s")
    assert udhcpc(one, "-r", first)["address"] == first
    # A row for somebody's address: it is said, and who has it is told so when it asks again.
    router.ctl(f"/ip/dhcp-server/lease add address={second} mac-address={one.mac('eth0')}")
    assert f"{second} is another client's by a row of lease now" in router.log()
    assert udhcpc(one, "-r", first)["address"] == second
    assert udhcpc(two, "-r", second)["address"].startswith("192.168.99.2")
    refused = router.ctl("/ip/dhcp-server/lease add address=192.168.99.1 "
                         f"mac-address={one.mac('eth0')}", check=False)
    assert "192.168.99.1 is the router's own address" in refused.stdout + refused.stderr
    # On the other interface its clients' addresses are of the wrong network.
    router.ctl("/ip/pool add name=lan ranges=192.168.88.100-192.168.88.200")
    router.ctl("/ip/dhcp-server set things interface=ether2 address-pool=lan")
    assert udhcpc(two, "-r", "192.168.99.210")["address"].startswith("192.168.88.")


def test_two_servers_on_one_segment(lab):
    """C-10, E-9: both offer; with static-only, or a delay, exactly one does."""
    router, one = start(
        lab, *GUIDE, "/ip/pool add name=lan ranges=192.168.88.100-192.168.88.200",
        "/ip/dhcp-server/network add address=192.168.88.0/24 gateway=192.168.88.1",
        "/ip/dhcp-server add name=lan interface=ether2 address-pool=lan")
    assert udhcpc(one)["address"].startswith(("192.168.88.", "192.168.99."))
    router.ctl("/ip/dhcp-server set iot address-pool=static-only")
    for row in router.print("/ip/dhcp-server/lease"):
        router.ctl(f"/ip/dhcp-server/lease remove {row['.id']}")
    assert udhcpc(one)["address"].startswith("192.168.88.")
    router.ctl("/ip/dhcp-server set iot address-pool=iot-pool")
    router.ctl("/ip/dhcp-server set lan delay-threshold=20s")
    for row in router.print("/ip/dhcp-server/lease"):
        router.ctl(f"/ip/dhcp-server/lease remove {row['.id']}")
    assert udhcpc(one)["address"].startswith("192.168.99.")


def test_a_matcher_tells_whose_a_client_is(lab):
    """C-14, E-9: two servers on one wire, and what a client says decides which of them it has."""
    router, one = start(
        lab, *GUIDE, "/ip/pool add name=lan ranges=192.168.88.100-192.168.88.200",
        "/ip/dhcp-server/network add address=192.168.88.0/24 gateway=192.168.88.1",
        "/ip/dhcp-server add name=lan interface=ether2 address-pool=lan",
        "/ip/dhcp-server/matcher add name=things server=lan code=60 value=\"'iot'\" "
        "matching-type=substring address-pool=static-only",
        "/ip/dhcp-server set iot address-pool=static-only",
        "/ip/dhcp-server/matcher add name=things-here server=iot code=60 value=\"'iot'\" "
        "matching-type=substring address-pool=iot-pool")
    assert udhcpc(one, "-V", "iot lamp")["address"].startswith("192.168.99.")
    for row in router.print("/ip/dhcp-server/lease"):
        router.ctl(f"/ip/dhcp-server/lease remove {row['.id']}")
    assert udhcpc(one, "-V", "a pc")["address"].startswith("192.168.88.")
    shown = router.row("/ip/dhcp-server/matcher", name="things")
    assert shown["matching-type"] == "substring" and shown["address-pool"] == "static-only"
    refused = router.ctl("/ip/dhcp-server/matcher add name=x code=60 value=\"\\$(HOSTNAME)\"",
                         check=False)
    assert refused.returncode != 0 and "cannot stand in it" in refused.stdout + refused.stderr


def test_input_drop_does_not_stop_leases_and_a_conflict_is_seen(lab):
    """E-14: the server hears frames before the input chain; C-6: an address in use is not given."""
    router, one, other = start(
        lab, *GUIDE, "/ip/firewall/filter add chain=input action=drop",
        "/ip/pool set iot-pool ranges=192.168.99.10-192.168.99.11", hosts=("one", "other"))
    other.ip("link", "set", "eth0", "up")
    other.address("eth0", "192.168.99.11/24")
    assert udhcpc(one)["address"] == "192.168.99.10"
    conflict = router.row("/ip/dhcp-server/lease", address="192.168.99.11")
    assert conflict["status"] == "conflict"
    assert conflict["active-mac-address"] == other.mac("eth0").upper()
    assert "192.168.99.11 is in use by" in router.log()
    router.ctl(f"/ip/dhcp-server/lease check-status {conflict['.id']}")
    assert len(router.print("/ip/dhcp-server/lease")) == 1


def test_reply_only_with_add_arp(lab):
    """A-12: only clients with a lease are reached."""
    router, one, other = start(
        lab, *GUIDE, "/ip/dhcp-server set iot add-arp=yes",
        "/interface/macvlan set macvlan-iot arp=reply-only", hosts=("one", "other"))
    udhcpc(one)
    assert one.ping("192.168.99.1").ok
    other.ip("link", "set", "eth0", "up")
    other.address("eth0", "192.168.99.77/24")
    assert not other.ping("192.168.99.1", wait=1).ok
    assert router.row("/ip/arp", interface="macvlan-iot")["DHCP"] == "true"


def test_options_of_ones_own(lab):
    """C-5: an option of a network, forced."""
    router, one = start(
        lab, *GUIDE, "/ip/dhcp-server/option add name=tz code=101 value=\"'Europe/Riga'\" force=yes",
        "/ip/dhcp-server/network set 0 dhcp-option=tz")
    assert router.row("/ip/dhcp-server/option", name="tz")["raw-value"] == b"Europe/Riga".hex()
    assert udhcpc(one, "-O", "tzdbstr")["tz"] == "Europe/Riga"


def test_on_a_vlan_and_a_macvlan_of_it(lab):
    """802.1Q sub-interfaces, the documents' alternative: each VLAN has the clients of its own wire."""
    tree = config()
    tree["interface"]["vlan"] = [
        {"name": f"vlan{vid}", "interface": "ether2", "vlan-id": vid} for vid in (10, 20)]
    tree["interface"]["macvlan"] = [{"name": "on-vlan", "interface": "vlan20"}]
    tree["ip"] = {
        "address": [{"address": "10.10.0.1/24", "interface": "vlan10"},
                    {"address": "10.20.0.1/24", "interface": "on-vlan"}],
        "pool": [{"name": "p10", "ranges": "10.10.0.10-10.10.0.20"},
                 {"name": "p20", "ranges": "10.20.0.10-10.20.0.20"}],
        "dhcp-server/network": [{"address": "10.10.0.0/24", "gateway": "10.10.0.1"},
                                {"address": "10.20.0.0/24", "gateway": "10.20.0.1"}],
        "dhcp-server": [{"name": "d10", "interface": "vlan10", "address-pool": "p10"},
                        {"name": "d20", "interface": "on-vlan", "address-pool": "p20"}],
    }
    tree["ip"]["dhcp-server"][0]["conflict-detection"] = False
    router = lab.router(tree).start()
    one = lab.namespace("one")
    wire = Wire(one, router.move_wire("mllan", one))
    client = mac(0xD4C9)
    for vid in (10, 20):  # this kernel may have no VLAN devices: frames made here
        wire.send(Ether(src=client, dst=BROADCAST) / Dot1Q(vlan=vid)
                  / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
                  / BOOTP(chaddr=bytes.fromhex(client.replace(":", "")), xid=vid)
                  / DHCP(options=[("message-type", "discover"), "end"]))
        offer = wire.wait(lambda p, v=vid: BOOTP in p and p[BOOTP].xid == v and p[BOOTP].op == 2)
        assert offer[Dot1Q].vlan == vid and offer.dst == client
        assert offer[BOOTP].yiaddr.startswith(f"10.{vid}.0.")
        assert offer.src == router.mac("vlan10" if vid == 10 else "on-vlan")
    assert {row["server"] for row in router.print("/ip/dhcp-server/lease")} == {"d10", "d20"}


def test_a_bootp_client(lab):
    """C2, RFC 951: bootp-support; one question, one answer, and the address is its own for ever."""
    tree = guide()
    tree["ip"]["dhcp-server"][0]["bootp-support"] = "dynamic"
    router = lab.router(tree).start()
    one = lab.namespace("one")
    wire = Wire(one, router.move_wire("mllan", one))
    client = mac(0xB007)
    ask = (Ether(src=client, dst=BROADCAST) / IP(src="0.0.0.0", dst="255.255.255.255")
           / UDP(sport=68, dport=67)
           / BOOTP(chaddr=bytes.fromhex(client.replace(":", "")), xid=7) / (b"\0" * 64))
    wire.send(ask)
    told = wire.wait(lambda p: BOOTP in p and p[BOOTP].xid == 7 and p[BOOTP].op == 2)
    assert told[BOOTP].yiaddr.startswith("192.168.99.") and told.dst == client
    row = router.row("/ip/dhcp-server/lease", mac_address=client.upper())
    assert row["status"] == "bound" and "expires-after" not in row
    router.ctl("/ip/dhcp-server set iot bootp-lease-time=10m")
    wire.send(ask)
    wire.wait(lambda p: BOOTP in p and p[BOOTP].op == 2)
    assert router.row("/ip/dhcp-server/lease", mac_address=client.upper())["expires-after"]


def test_what_a_user_sees_when_there_is_no_lease(lab):
    """The troubleshooting lists, E-33: each symptom of a client without an address has its sign."""
    router, one = start(
        lab, "/ip/dhcp-server/network add address=192.168.99.0/24 gateway=192.168.99.1",
        "/ip/dhcp-server/network add address=192.168.98.0/24 gateway=192.168.98.1")
    few = ("-t", "2", "-T", "1")
    # Network rows alone give nothing, and there is no server to see.
    with pytest.raises(AssertionError, match="no lease"):
        udhcpc(one, *few)
    assert router.print("/ip/dhcp-server") == []
    # A server without a pool knows its rows only.
    router.ctl("/ip/dhcp-server add name=iot interface=macvlan-iot")
    assert router.row("/ip/dhcp-server", name="iot")["address-pool"] == "static-only"
    with pytest.raises(AssertionError, match="no lease"):
        udhcpc(one, *few)
    # A pool that is used up is said.
    router.ctl("/ip/pool add name=tiny ranges=192.168.99.10")
    router.ctl("/ip/dhcp-server/lease add address=192.168.99.10 mac-address=02:00:00:00:00:01")
    router.ctl("/ip/dhcp-server set iot address-pool=tiny")
    with pytest.raises(AssertionError, match="no lease"):
        udhcpc(one, *few)
    assert "iot: no address is left in its pool for" in router.log()
    # An interface that is down, or has no address, makes its server invalid.
    router.ctl("/ip/pool set tiny ranges=192.168.99.10-192.168.99.11")
    router.ctl("/interface/macvlan disable macvlan-iot")
    assert router.row("/ip/dhcp-server", name="iot")["invalid"] == "true"
    router.ctl("/interface/macvlan enable macvlan-iot")
    assert router.row("/ip/dhcp-server", name="iot")["invalid"] == "false"
    assert udhcpc(one)["address"] == "192.168.99.11"
    refused = router.ctl("/ip/dhcp-server add name=other interface=macvlan-iot", check=False)
    assert "dhcp-server on that interface already exists" in refused.stdout + refused.stderr
