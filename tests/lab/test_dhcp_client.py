"""DHCP clients (C3) against dnsmasq and isc-dhcp-server: many identities on one wire."""

import re
import signal

import pytest
from scapy.layers.dhcp import BOOTP, DHCP

from dhcp_servers import Dnsmasq, Isc
from frames import ICMP, IP, UDP, Dot1Q, Ether, Wire, mac
from lab import Lab, dataplane, wait_until
from scenes import ISP, conf, local

BOUND = 60  # seconds, generous: a test never measures time


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def config(macvlans=2, clients=None, **client):
    """A port with macvlans wan1.., each with a DHCP client of its own distance."""
    names = [f"wan{i + 1}" for i in range(macvlans)]
    client = {key.replace("_", "-"): value for key, value in client.items()}
    return {
        "system": {"identity": {"name": "edge1"}},
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"}],
            "macvlan": [{"name": name, "interface": "ether1"} for name in names],
        },
        "ip": {
            "dhcp-client": [
                {"interface": name, "default-route-distance": i + 1, **client}
                for i, name in enumerate(clients if clients is not None else names)
            ]
        },
    }


def isp_wire(lab, router, address=f"{ISP}/24"):
    isp = lab.namespaces.get("isp") or lab.namespace("isp")
    router.move_wire("mlwan", isp)
    isp.address("mlwan", address)
    return isp


def client(router, interface):
    return router.row("/ip/dhcp-client", interface=interface)


def bound(router, *interfaces):
    def all_bound():
        rows = {row["interface"]: row for row in router.print("/ip/dhcp-client")}
        return all(rows[name]["status"] == "bound" for name in interfaces) and rows

    return wait_until(all_bound, BOUND, lambda: f"{interfaces} to be bound: "
                      f"{router.print('/ip/dhcp-client')}\n{router.log()}")


def test_each_macvlan_gets_an_address_of_its_own_from_dnsmasq(lab):
    """PAGE: obtaining multiple IP addresses (C-15..C-20, F-5, F-6, F-10, F-13)."""
    router = lab.router(config(3)).start()
    isp = isp_wire(lab, router)
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", "--dhcp-option=6,203.0.113.53",
                     "--dhcp-option=42,203.0.113.12", gateway=ISP)
    rows = bound(router, "wan1", "wan2", "wan3")
    addresses = {row["address"] for row in rows.values()}
    assert len(addresses) == 3
    for name, row in rows.items():
        assert row["gateway"] == ISP and row["dhcp-server"] == ISP, name
        assert row["netmask"] == "255.255.255.0" and row["primary-dns"] == "203.0.113.53"
        assert row["primary-ntp"] == "203.0.113.12" and row["expires-after"]
        shown = router.row("/ip/address", interface=name)
        assert shown["address"] == row["address"] and shown["dynamic"] == "true"
    # The server saw the macvlans' own MAC addresses and the router's name.
    leases = {line.split()[1]: line.split() for line in server.leases.read_text().splitlines()}
    for name, row in rows.items():
        lease = leases[router.mac(name)]
        assert lease[2] == row["address"].removesuffix("/24") and lease[3] in ("edge1", "*")
        assert lease[4] == "01:" + router.mac(name)
    # One gateway for all three: by distance one default route is in use, the others stand by.
    routes = [row for row in router.print("/ip/route") if row["dst-address"] == "0.0.0.0/0"]
    assert {row["gateway"]: row["active"] for row in routes} == {
        f"{ISP}%wan1": "true", f"{ISP}%wan2": "false", f"{ISP}%wan3": "false"}
    assert all(row["dhcp"] == "true" and row["dynamic"] == "true" for row in routes)
    # Each reply leaves by the interface that has the address, with that interface's MAC.
    for name, row in rows.items():
        address = row["address"].removesuffix("/24")
        assert isp.ping(address, count=2).ok
        assert isp.ip("neigh", "show", address).stdout.split()[4] == router.mac(name)
    # Also to who is behind the gateway, where the best default route is another's (E-27, F-7).
    isp.address("lo", "198.51.100.9/32")
    wire = Wire(isp, "mlwan")
    for name, row in rows.items():
        address = row["address"].removesuffix("/24")
        assert isp.ping(address, "-I", "198.51.100.9").ok
        reply = wire.wait(lambda p, a=address: ICMP in p and p[IP].src == a
                          and p[IP].dst == "198.51.100.9")
        assert reply.src == router.mac(name), name
    # One renews, gives its address back and gets one again: the others lose no packet by it.
    steady = isp.popen("steady-ping", "ping", "-n", "-i", "0.05",
                       rows["wan2"]["address"].removesuffix("/24"))
    acks = server.log().count("DHCPACK")
    router.ctl("/ip/dhcp-client renew 0")
    wait_until(lambda: server.log().count("DHCPACK") > acks, BOUND, server.log)
    router.ctl("/ip/dhcp-client release 0")
    wait_until(lambda: "DHCPRELEASE" in server.log(), BOUND, server.log)
    bound(router, "wan1")
    steady.popen.send_signal(signal.SIGINT)
    wait_until(lambda: not steady.alive(), BOUND)
    sent, received = re.search(r"(\d+) packets transmitted, (\d+) received", steady.out()).groups()
    assert int(sent) - int(received) <= 1, steady.out()[-500:]  # one may be under way


def test_renew_release_disable_and_restart(lab):
    """C-16, C-18: the commands, and INIT-REBOOT with the old address after a restart."""
    router = lab.router(config(1)).start()
    isp = isp_wire(lab, router)
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP)
    first = bound(router, "wan1")["wan1"]["address"]
    asked = server.log().count("DHCPREQUEST")
    router.ctl("/ip/dhcp-client renew 0")
    wait_until(lambda: server.log().count("DHCPACK") > 1, BOUND, server.log)
    assert server.log().count("DHCPREQUEST") == asked + 1
    assert bound(router, "wan1")["wan1"]["address"] == first

    # A restart keeps what it had: no DISCOVER, a REQUEST for the old address.
    discovered = server.log().count("DHCPDISCOVER")
    own = router.mac("wan1")
    router.stop()
    isp.ip("link", "show", "mlwan", check=False)
    router.start()
    isp_wire(lab, router)
    again = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP, serial=2)
    assert bound(router, "wan1")["wan1"]["address"] == first and router.mac("wan1") == own
    assert discovered == 1 and again.log().count("DHCPDISCOVER") == 0, again.log()

    router.ctl("/ip/dhcp-client release 0")
    wait_until(lambda: "DHCPRELEASE" in again.log(), BOUND, again.log)
    bound(router, "wan1")
    router.ctl("/ip/dhcp-client disable 0")
    wait_until(lambda: again.log().count("DHCPRELEASE") == 2, BOUND, again.log)
    assert client(router, "wan1")["status"] == "stopped"
    assert router.print("/ip/address") == [] and router.print("/ip/route") == []
    refused = router.ctl("/ip/dhcp-client renew 0", check=False)
    assert refused.returncode != 0 and "disabled" in refused.stdout + refused.stderr
    router.ctl("/ip/dhcp-client enable 0")
    bound(router, "wan1")


def test_waits_for_a_running_interface_and_a_server(lab):
    """F-29, the PAGE's troubleshooting list: what is shown while there is no link or no server."""
    router = lab.router(config(1)).start()
    router.ctl("/interface/ethernet disable ether1")
    wait_until(lambda: client(router, "wan1")["status"] == "stopped", BOUND)
    router.ctl("/interface/ethernet enable ether1")
    wait_until(lambda: client(router, "wan1")["status"] == "searching...", BOUND)
    isp = isp_wire(lab, router)
    Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP)
    bound(router, "wan1")


def test_an_address_in_use_is_declined(lab):
    """C-18: ARP probe, DECLINE, and another address after that."""
    router = lab.router(config(1)).start()
    isp = isp_wire(lab, router)
    isp.address("mlwan", "203.0.113.50/32")  # somebody has the only address that is offered first
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.51", gateway=ISP)
    wait_until(lambda: "203.0.113.51/24" == client(router, "wan1").get("address")
               or "DHCPDECLINE" in server.log(), BOUND, server.log)
    row = bound(router, "wan1")["wan1"]
    assert row["address"] == "203.0.113.51/24"
    if "DHCPDECLINE" in server.log():
        assert "dhcp-client on wan1: declined 203.0.113.50" in router.log()


def test_a_lease_in_the_way_of_a_network_of_ours_is_said(lab):
    """A router in front that has the LAN's network: in the log, and at the address for as long."""
    router = lab.router(config(1)).start()
    router.ctl("/interface/vlan add name=lan interface=ether1 vlan-id=88")
    router.ctl("/ip/address add address=192.168.88.1/24 interface=lan")
    isp = isp_wire(lab, router, "192.168.88.254/24")
    Dnsmasq(isp, "mlwan", "192.168.88.50", "192.168.88.60", gateway="192.168.88.254")
    bound(router, "wan1")

    def comment():
        return router.row("/ip/address", interface="wan1").get("comment", "")

    wait_until(lambda: "overlaps 192.168.88.0/24 of lan" in comment(), BOUND, comment)
    (line,) = [row for row in router.print("/log", "where", "topics~\"dhcp,warning\"")
               if "overlaps" in row["message"]]
    assert line["message"] == f"wan1: {comment()}"
    router.ctl("/ip/address set [find interface=lan] address=192.168.89.1/24")
    assert comment() == ""
    router.ctl("/ip/address set [find interface=lan] address=192.168.0.1/16")
    assert "overlaps 192.168.0.0/16 of lan" in comment()


def test_isc_server_with_reservations_by_mac_and_classless_routes(lab):
    """F-5: the ISP knows each MAC address; C-17: option 121 goes before option 3."""
    wanted = config(2)
    for i, row in enumerate(wanted["interface"]["macvlan"]):
        row["mac-address"] = f"02:00:5E:10:00:0{i + 1}"
    wanted["ip"]["dhcp-client"][1]["add-default-route"] = "special-classless"
    router = lab.router(wanted).start()
    isp = isp_wire(lab, router)
    hosts = "".join(
        f"host w{i} {{ hardware ethernet 02:00:5e:10:00:0{i}; fixed-address 203.0.113.{100 + i}; "
        "option rfc3442 24, 198,51,100, 203,0,113,9; }\n" for i in (1, 2))
    Isc(isp, "mlwan", "", hosts)
    rows = bound(router, "wan1", "wan2")
    assert rows["wan1"]["address"] == "203.0.113.101/24"
    assert rows["wan2"]["address"] == "203.0.113.102/24"
    assert rows["wan1"]["secondary-dns"] == "203.0.113.54"
    learned = {(row["dst-address"], row["gateway"]) for row in router.print("/ip/route")
               if row["dhcp"] == "true"}
    assert learned == {("198.51.100.0/24", "203.0.113.9%wan1"),
                       ("198.51.100.0/24", "203.0.113.9%wan2"),
                       ("0.0.0.0/0", f"{ISP}%wan2")}


def test_on_a_vlan_and_a_macvlan_of_it(lab):
    """802.1Q: the clients of a VLAN speak tagged, each with its MAC address; the server here is frames, as
    this kernel has no VLAN devices."""
    made = config(0, clients=["vlan30", "on-vlan"])
    made["interface"] = {
        "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"}],
        "vlan": [{"name": "vlan30", "interface": "ether1", "vlan-id": 30}],
        "macvlan": [{"name": "on-vlan", "interface": "vlan30"}],
    }
    router = lab.router(made).start()
    isp = lab.namespace("isp")
    wire = Wire(isp, router.move_wire("mlwan", isp))
    server = mac(0xAC01)
    leases = {router.mac("vlan30"): "10.30.0.11", router.mac("on-vlan"): "10.30.0.12"}
    assert len(leases) == 2
    acked = set()
    while len(acked) < 2:
        asked = wire.wait(lambda p: BOOTP in p and p[BOOTP].op == 1)
        assert asked[Dot1Q].vlan == 30 and bytes(asked[BOOTP].chaddr[:6]).hex(":") == asked.src
        said = dict(o for o in asked[DHCP].options if isinstance(o, tuple) and len(o) == 2)
        kind = {1: "offer", 3: "ack"}[said["message-type"]]
        wire.send(Ether(src=server, dst=asked.src) / Dot1Q(vlan=30)
                  / IP(src="10.30.0.1", dst=leases[asked.src]) / UDP(sport=67, dport=68)
                  / BOOTP(op=2, xid=asked[BOOTP].xid, yiaddr=leases[asked.src],
                          chaddr=asked[BOOTP].chaddr)
                  / DHCP(options=[("message-type", kind), ("server_id", "10.30.0.1"),
                                  ("lease_time", 600), ("subnet_mask", "255.255.255.0"), "end"]))
        if kind == "ack":
            acked.add(asked.src)
    rows = bound(router, "vlan30", "on-vlan")
    assert {name: row["address"] for name, row in rows.items()} == {
        "vlan30": "10.30.0.11/24", "on-vlan": "10.30.0.12/24"}


def test_64_clients_on_one_port(lab):
    """All are bound, each with an address of its own (the time it takes is said by the bench)."""
    router = lab.router(config(64)).start()
    isp = isp_wire(lab, router)
    Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.200", gateway=ISP)
    rows = bound(router, *(f"wan{i + 1}" for i in range(64)))
    assert len({row["address"] for row in rows.values()}) == 64


# The examples of conf/ -----------------------------------------------------------------------------


def example(lab, name):
    return lab.router(local(lab, conf(name))).start()


def test_the_example_of_many_identities(lab):
    """conf/many-dhcp.yaml: three addresses, the registered MAC address among them."""
    router = example(lab, "many-dhcp.yaml")
    isp = isp_wire(lab, router)
    Isc(isp, "mlwan", "range 203.0.113.50 203.0.113.90;",
        "host w1 { hardware ethernet 02:00:5e:10:00:01; fixed-address 203.0.113.200; }")
    rows = bound(router, "wan1", "wan2", "wan3")
    assert rows["wan1"]["address"] == "203.0.113.200/24"
    assert len({row["address"] for row in rows.values()}) == 3


def test_the_example_of_failover(lab):
    """conf/failover.yaml: the spare uplink takes over, and gives back (E-32)."""
    router = example(lab, "failover.yaml")
    isp = isp_wire(lab, router)
    Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP)
    pc = lab.namespace("pc")
    router.move_wire("mllan", pc)
    pc.address("mllan", "192.168.88.10/24")
    pc.default_via("192.168.88.1")
    rows = bound(router, "main", "spare")
    seen = isp.udp(9000)
    isp.address("lo", "198.51.100.9/32")  # behind the gateway

    def source():
        pc.udp().sendto(b"who am I", ("198.51.100.9", 9000))
        return seen.recvfrom(100)[1][0]

    assert source() + "/24" in (rows["main"]["address"], rows["spare"]["address"])

    def in_use():
        return [row["gateway"] for row in router.print("/ip/route")
                if row["dst-address"] == "0.0.0.0/0" and row["active"] == "true"]

    assert in_use() == [f"{ISP}%main"]
    # The one that stands by can be tried, with its own address and by its own MAC.
    wire = Wire(isp, "mlwan")
    said = router.ctl("/ping 198.51.100.9 interface=spare count=2 interval=200ms").stdout
    assert "received=2" in said, said
    asked = wire.take(lambda p: ICMP in p and p[ICMP].type == 8)
    assert {(p[Ether].src, p[IP].src + "/24") for p in asked} == {
        (router.mac("spare"), rows["spare"]["address"])}
    router.ctl("/ip/dhcp-client disable 0")
    wait_until(lambda: in_use() == [f"{ISP}%spare"], BOUND, lambda: str(router.print("/ip/route")))
    assert source() + "/24" == rows["spare"]["address"]
    router.ctl("/ip/dhcp-client enable 0")
    main = bound(router, "main")["main"]["address"].removesuffix("/24")
    wait_until(lambda: in_use() == [f"{ISP}%main"], BOUND, lambda: str(router.print("/ip/route")))
    # The lease stands and the gateway does not answer: its replies go to nobody (check-gateway).
    isp.ip("neigh", "replace", main, "lladdr", "02:00:00:00:00:99", "dev", "mlwan", "nud", "permanent")
    wait_until(lambda: in_use() == [f"{ISP}%spare"], BOUND, lambda: str(router.print("/ip/route")))
    assert f"gateway {ISP}%main does not answer ping" in router.log()
    assert client(router, "main")["status"] == "bound"
    assert source() + "/24" == rows["spare"]["address"]


# The MACVLAN page's own commands and troubleshooting list -------------------------------------------


def bare(lab):
    """A router with a port and nothing else: everything comes from the console."""
    return lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"}]},
    }).start()


def test_the_pages_dhcp_commands(lab):
    """PAGE: /ip dhcp-client add on the port and on a macvlan; both get an address (E-31)."""
    router = bare(lab)
    isp = isp_wire(lab, router)
    Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP)
    router.ctl("/interface macvlan add interface=ether1 name=macvlan1")
    router.ctl("/ip dhcp-client add interface=ether1")
    router.ctl("/ip dhcp-client add interface=macvlan1")
    rows = bound(router, "ether1", "macvlan1")
    assert rows["ether1"]["address"] != rows["macvlan1"]["address"]
    for row in rows.values():
        assert isp.ping(row["address"].removesuffix("/24"), count=2).ok


def test_the_pages_troubleshooting_of_dhcp(lab):
    """PAGE: link of the parent, MAC conflicts, a server that does not accept the MAC address: what
    is shown tells them apart."""
    router = bare(lab)
    router.ctl("/interface macvlan add interface=ether1 name=macvlan1 mac-address=02:00:5E:10:00:01")
    router.ctl("/ip dhcp-client add interface=macvlan1")
    # 1. The parent has no link: not running, stopped.
    router.ctl("/interface ethernet disable ether1")
    wait_until(lambda: client(router, "macvlan1")["status"] == "stopped", BOUND)
    assert router.row("/interface", name="macvlan1")["running"] == "false"
    router.ctl("/interface ethernet enable ether1")
    # 2. The same MAC address a second time is refused with its owner's name.
    twin = router.ctl("/interface macvlan add interface=ether1 name=macvlan2 "
                      "mac-address=02:00:5E:10:00:01", check=False)
    assert twin.returncode != 0 and "macvlan1" in twin.stdout + twin.stderr
    # 3. A server that knows other MAC addresses only: it is asked and says nothing.
    isp = isp_wire(lab, router)
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90",
                     "--dhcp-ignore=tag:!known", "--dhcp-host=02:00:5e:10:00:02", gateway=ISP)
    wait_until(lambda: "DHCPDISCOVER(mlwan) 02:00:5e:10:00:01 ignored" in server.log(), BOUND,
               server.log)
    assert client(router, "macvlan1")["status"] == "searching..."
    assert router.row("/interface", name="macvlan1")["running"] == "true"
    # 4. The log says after a few questions what nobody answered, and for which MAC address.
    line = ("dhcp-client on macvlan1: no server answers; is there one on this wire, and does it serve "
            "02:00:5E:10:00:01?")
    wait_until(lambda: [row for row in router.print("/log", "where", "topics~\"dhcp,warning\"")
                        if row["message"] == line], 2 * BOUND, router.log)
    server.stop()
    Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.90", gateway=ISP, serial=2)
    bound(router, "macvlan1")
