"""The documents' troubleshooting lists, item by item: each symptom is provoked, and what the router shows
names its cause. GUIDE 5 and the end of PAGE; GUIDE's tools are in test_debugging_tools.py, and what
concerns clients of DHCP and PPPoE stands in their labs."""

import pytest

from dhcp_clients import udhcpc
from frames import ARP, BROADCAST, IP, UDP, Dot1Q, Ether, Wire, mac
from lab import Lab, dataplane, flag, wait_until
from scenes import IOT_ROUTER, ISP, PC, WAN

LONG = 60
HOST = mac(0x7501)

# GUIDE 3, as it stands there, after what it takes for granted: a WAN, a LAN, and a name server (E-10).
GUIDE = (
    "/ip/address add address=203.0.113.2/24 interface=ether1",
    "/ip/address add address=192.168.88.1/24 interface=ether2",
    "/ip/route add gateway=203.0.113.1",
    "/interface macvlan add interface=ether2 name=macvlan-iot mac-address=auto",
    "/ip address add address=192.168.99.1/24 interface=macvlan-iot network=192.168.99.0",
    "/ip pool add name=dhcp_pool_iot ranges=192.168.99.10-192.168.99.254",
    "/ip dhcp-server add name=dhcp_server_iot interface=macvlan-iot address-pool=dhcp_pool_iot "
    "lease-time=1d",
    "/ip dhcp-server network add address=192.168.99.0/24 gateway=192.168.99.1 "
    "dns-server=192.168.99.1",
    '/ip firewall filter add chain=input in-interface=macvlan-iot '
    'connection-state=established,related action=accept '
    'comment="Accept IoT established/related input"',
    '/ip firewall filter add chain=forward in-interface=macvlan-iot '
    'connection-state=established,related action=accept '
    'comment="Accept IoT established/related forward"',
    '/ip firewall filter add chain=forward in-interface=macvlan-iot out-interface=ether1 '
    'action=accept comment="Allow IoT to internet"',
    '/ip firewall filter add chain=forward in-interface=macvlan-iot out-interface=ether2 '
    'action=drop comment="Block IoT to Main LAN"',
    '/ip firewall filter add chain=input in-interface=macvlan-iot connection-state=new '
    'action=drop comment="Drop new input from IoT (optional)"',
    '/ip firewall nat add chain=srcnat out-interface=ether1 src-address=192.168.99.0/24 '
    'action=masquerade comment="NAT for IoT network"',
)


class Scene:
    def __init__(self, lab):
        self.router = lab.router({
            "dataplane": dataplane(),
            "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"},
                                       {"name": "ether2", "device": "net_tap1,iface=mllan"}]},
        }).start()
        self.lab = lab
        self.isp = lab.namespace("isp")
        self.switch = lab.switch()
        self.router.move_wire("mlwan", self.isp)
        self.isp.address("mlwan", f"{ISP}/24")
        self.switch.plug(self.router.move_wire("mllan", self.switch.ns, up=False))
        self.pc = self.switch.host("pc", f"{PC}/24", "192.168.88.1")
        self.iot = self.switch.host("iot", None)
        for line in GUIDE:
            self.router.ctl(line)
        self.lease()

    def lease(self):
        """The IoT device's address and way out, by DHCP."""
        told = udhcpc(self.iot)
        self.iot.ip("route", "replace", "default", "via", told["routers"])
        self.address = told["address"]
        return told

    def rule(self, comment, change=None, menu="/ip/firewall/filter"):
        """The rule with this comment; changed if told so."""
        row = self.router.row(menu, comment=comment)
        if change:
            self.router.ctl(f"{menu} {change} {row['.id']}")
        return row

    def source(self):
        """Whose address the ISP sees behind the IoT device."""
        with self.isp.udp(7500) as seen, self.iot.udp() as asker:
            asker.sendto(b"who am I", (ISP, 7500))
            return seen.recvfrom(16)[1][0]


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield Scene(lab)


def test_the_guides_commands_do_what_it_says(scene):
    """GUIDE 3: a lease of its pool, the internet by NAT, nothing of the LAN, nothing new of the router; and
    its verification prints (E-9..E-15)."""
    assert scene.address.startswith("192.168.99.")
    assert scene.source() == WAN
    before = int(scene.rule("Block IoT to Main LAN")["packets"])
    assert scene.iot.ping(PC, wait=1).received == 0
    assert int(scene.rule("Block IoT to Main LAN")["packets"]) > before
    assert scene.iot.ping(IOT_ROUTER, wait=1).received == 0
    assert scene.pc.ping(scene.address).ok  # the LAN may open connections to it (E-15)
    for menu, name in (("/interface/macvlan", "macvlan-iot"), ("/ip/dhcp-server", "dhcp_server_iot")):
        assert scene.router.row(menu, name=name)
    shown = scene.router.ctl("/interface macvlan print").stdout
    assert "Flags: R - RUNNING" in shown and " R macvlan-iot" in shown


def test_no_address_because_the_parent_is_down(scene):
    """GUIDE "No IP Address": the parent, the macvlan itself, and the server's flag; PAGE: running."""
    router = scene.router
    for down, up in (("/interface/ethernet disable ether2", "/interface/ethernet enable ether2"),
                     ("/interface/macvlan disable macvlan-iot",
                      "/interface/macvlan enable macvlan-iot")):
        router.ctl(down)
        assert not flag(router.row("/interface/macvlan", name="macvlan-iot")["running"])
        assert flag(router.row("/ip/dhcp-server", name="dhcp_server_iot")["invalid"])
        with pytest.raises(AssertionError, match="no lease"):
            udhcpc(scene.iot, "-t", "1", "-T", "1")
        router.ctl(up)
        assert flag(router.row("/interface/macvlan", name="macvlan-iot")["running"])
        assert not flag(router.row("/ip/dhcp-server", name="dhcp_server_iot")["invalid"])
    scene.lease()


def test_no_address_because_of_the_server(scene):
    """GUIDE "No IP Address": the DHCP server's own state, and its lines of the log (C-42)."""
    router = scene.router
    router.ctl("/ip/dhcp-server disable dhcp_server_iot")
    assert flag(router.row("/ip/dhcp-server", name="dhcp_server_iot")["disabled"])
    with pytest.raises(AssertionError, match="no lease"):
        udhcpc(scene.iot, "-t", "1", "-T", "1")
    router.ctl("/ip/dhcp-server enable dhcp_server_iot")
    scene.lease()
    said = [row["message"] for row in router.print("/log", "where", "topics~\"dhcp\"")]
    assert any(f"dhcp_server_iot assigned {scene.address}" in line for line in said)


def test_an_address_of_another_interface(scene):
    """GUIDE "Conflicting IP Addresses": no other interface uses the subnet."""
    refused = scene.router.ctl("/ip/address add address=192.168.99.1/24 interface=ether2", check=False)
    assert refused.returncode != 0 and "macvlan-iot" in refused.stdout + refused.stderr


def test_an_address_that_somebody_else_has(scene):
    """GUIDE "Conflicting IP Addresses", PAGE "MAC address conflicts": both are said in the log, with whose
    they are."""
    wire = Wire(scene.pc, "eth0")
    wire.send(Ether(src=HOST, dst=BROADCAST)
              / ARP(op=1, hwsrc=HOST, psrc=IOT_ROUTER, pdst=IOT_ROUTER))
    own = scene.router.mac("macvlan-iot")
    wire.send(Ether(src=own, dst=BROADCAST)
              / ARP(op=1, hwsrc=own, psrc="192.168.99.200", pdst="192.168.99.1"))
    for line in (f"macvlan-iot: {IOT_ROUTER} is also used by {HOST.upper()}",
                 f"the router's MAC address {own.upper()} is also used by the host with the address "
                 "192.168.99.200"):
        wait_until(lambda text=line: text in scene.router.log(), LONG, line)


def test_no_internet_because_of_nat(scene):
    """GUIDE "IoT Devices Cannot Access Internet": without its rule the device's own address goes out, and
    connections show that nothing translates them."""
    assert scene.source() == WAN
    (row,) = scene.router.sessions(dst_port=7500, reply_dst_address=WAN)[:1]
    assert flag(row["srcnat"])
    scene.rule("NAT for IoT network", "disable", "/ip/firewall/nat")
    assert scene.source() == scene.address
    rows = scene.router.sessions(dst_port=7500, reply_dst_address=scene.address)
    assert rows and not any(flag(row["srcnat"]) for row in rows)  # it may have asked twice
    scene.rule("NAT for IoT network", "enable", "/ip/firewall/nat")
    before = int(scene.rule("NAT for IoT network", menu="/ip/firewall/nat")["packets"])
    assert scene.source() == WAN
    assert int(scene.rule("NAT for IoT network", menu="/ip/firewall/nat")["packets"]) == before + 1


def test_no_internet_because_of_a_rule_or_a_route(scene):
    """The same list, and PAGE: "check firewall rules", "verify routing configuration"."""
    router = scene.router
    router.ctl("/ip/firewall/filter add chain=forward in-interface=macvlan-iot action=drop "
               "log=yes log-prefix=stray comment=stray place-before=0")
    dropped = router.drops("filter_drop")
    assert scene.iot.ping(ISP, wait=1).received == 0
    assert int(scene.rule("stray")["packets"]) == 1 and router.drops("filter_drop") > dropped
    wait_until(lambda: "stray forward: in:macvlan-iot out:ether1" in router.log(), LONG)
    scene.rule("stray", "remove")
    assert scene.iot.ping(ISP).ok
    (route,) = [row for row in router.print("/ip/route") if row["dst-address"] == "0.0.0.0/0"]
    router.ctl(f"/ip/route disable {route['.id']}")
    lost = scene.iot.ping("198.51.100.1", wait=1)
    assert "Unreachable" in lost.stdout and router.drops("no_route") > 0
    router.ctl(f"/ip/route enable {route['.id']}")
    assert not flag(router.row("/ip/route", dst_address="0.0.0.0/0")["disabled"])


def test_no_internet_because_of_names(scene):
    """The same list, "DNS Resolution", and E-13: addresses answer and names do not."""
    router = scene.router

    def name():
        return scene.iot.run("dig", "+short", "+tries=1", "+time=1", f"@{IOT_ROUTER}", "nas.lan",
                             check=False).stdout.strip()

    assert scene.iot.ping(ISP).ok
    drop = "Drop new input from IoT (optional)"
    before = int(scene.rule(drop)["packets"])
    assert name().startswith(";;") and int(scene.rule(drop)["packets"]) > before
    router.ctl("/ip/firewall/filter add chain=input in-interface=macvlan-iot protocol=udp "
               "dst-port=53 action=accept comment=names place-before=0")
    # Let in, and nobody serves: the counter of the drop stands still, and the row says stopped.
    before = int(scene.rule(drop)["packets"])
    assert name().startswith(";;") and int(scene.rule(drop)["packets"]) == before
    assert router.row("/ip/dns")["status"] == "stopped"
    router.ctl("/ip/dns/static add name=nas.lan address=192.168.88.5")
    router.ctl("/ip/dns set allow-remote-requests=yes")
    wait_until(lambda: name() == "192.168.88.5", LONG)
    assert router.row("/ip/dns")["status"] == "running, but there is no server to ask"
    scene.rule("names", "remove")
    router.ctl("/ip/dns set allow-remote-requests=no")


def test_iot_reaches_the_lan(scene):
    """GUIDE "IoT Devices Can Access Main LAN": the rule that is missing, and the one that comes too late."""
    block = "Block IoT to Main LAN"
    scene.rule(block, "disable")
    assert scene.iot.ping(PC).ok
    assert flag(scene.rule(block)["disabled"])
    scene.rule(block, "enable")
    assert scene.iot.ping(PC, wait=1).received == 0
    scene.router.ctl("/ip/firewall/filter add chain=forward in-interface=macvlan-iot "
                     "action=accept comment=everything place-before=0")
    before = int(scene.rule(block)["packets"])
    assert scene.iot.ping(PC).ok
    assert int(scene.rule("everything")["packets"]) > 0
    assert int(scene.rule(block)["packets"]) == before
    scene.rule("everything", "remove")
    assert scene.iot.ping(PC, wait=1).received == 0


def test_frames_a_macvlan_does_not_get(scene):
    """PAGE "not receiving expected traffic": a VLAN of the parent, one that nobody has, and a MAC address
    that is not the macvlan's: each is counted where it went (A-50, A-51, A-26)."""
    router = scene.router
    wire = Wire(scene.pc, "eth0")
    own = router.mac("macvlan-iot")

    def send(dst, *tags):
        frame = Ether(src=HOST, dst=dst)
        for tag in tags:
            frame /= tag
        wire.send(frame / IP(src="192.168.99.77", dst=IOT_ROUTER) / UDP(dport=9))

    before = router.drops("vlan_unknown")
    send(own, Dot1Q(vlan=30))
    wait_until(lambda: router.drops("vlan_unknown") == before + 1, LONG)
    router.ctl("/interface/vlan add name=vlan30 interface=ether2 vlan-id=30")
    seen = int(router.row("/interface", name="macvlan-iot")["rx-packet"])
    send(own, Dot1Q(vlan=30))
    wait_until(lambda: router.drops("not_for_us", "vlan30") == 1, LONG,
               lambda: str(router.print("/dataplane/drops")))
    assert int(router.row("/interface", name="macvlan-iot")["rx-packet"]) == seen
    router.ctl("/interface/vlan remove vlan30")
    before = router.drops("not_for_us")
    send(mac(0x7777))
    wait_until(lambda: router.drops("not_for_us") == before + 1, LONG)


def test_instances_that_do_not_hear_each_other(scene):
    """PAGE "communication issues between MACVLAN instances": both must be bridge, not merely equal
    (E-29), as hosts on them see it (E-44)."""
    router = scene.router
    hosts = []
    for number in (1, 2):
        host = scene.lab.namespace(f"box{number}")
        router.ctl(f"/interface/macvlan add name=box{number} interface=ether2 mode=private "
                   f"attach=tap netns={host.name}")
        host.address(f"box{number}", f"10.77.0.{number}/24")
        hosts.append(host)
    one, two = hosts
    assert {router.row("/interface/macvlan", name=f"box{n}")["mode"] for n in (1, 2)} == {"private"}
    assert not one.ping("10.77.0.2", wait=1).ok
    router.ctl("/interface/macvlan set box1 mode=bridge")
    assert not one.ping("10.77.0.2", wait=1).ok
    router.ctl("/interface/macvlan set box2 mode=bridge")
    one.ip("neigh", "flush", "all")
    assert one.ping("10.77.0.2").ok and two.ping("10.77.0.1").ok
