"""ICMP redirects to the router (/ip/settings accept-redirects, secure-redirects): from a Linux gateway that knows a
nearer one, and from others who would like to be one."""

import pytest

from frames import ICMP, IP, UDP, Ether, mac, raw
from lab import Lab, dataplane
from process import wait_until
from scenes import LEFT_HOST, LEFT_MAC, LEFT_ROUTER, RIGHT_HOST, rows, two_port_rig, two_ports

FIRST, NEARER, SERVER, PC = "10.1.0.9", "10.1.0.20", "10.5.0.9", "10.2.0.10"


def redirected(router, destination=SERVER):
    return [row["gateway"] for row in router.print("/ip/route")
            if row["dst-address"] == f"{destination}/32" and row["dynamic"] == "true" and row["active"] == "true"]


def kernel(router, name):
    return router.ns.run("cat", f"/proc/sys/net/ipv4/{name}").stdout.strip()


def told_by(gateway):
    """How many redirects a gateway's kernel has sent."""
    names, values = [line.split() for line in gateway.run("cat", "/proc/net/snmp").stdout.splitlines()
                     if line.startswith("Icmp:")]
    return int(dict(zip(names, values))["OutRedirects"])


@pytest.fixture
def world():
    """A router whose gateway sends everything on to another one of the same network; the server is behind that."""
    with Lab() as lab:
        router = lab.router({
            "dataplane": dataplane(),
            "interface": {"ethernet": [{"name": "left", "device": "net_tap0,iface=mlleft"},
                                       {"name": "right", "device": "net_tap1,iface=mlright"}]},
            "ip": {"address": [{"address": "10.1.0.1/24", "interface": "left"},
                               {"address": "10.2.0.1/24", "interface": "right"}],
                   "route": [{"gateway": FIRST, "comment": "first"},
                             {"dst-address": "10.6.0.0/16", "gateway": NEARER, "comment": "other"}]},
        }).start()
        switch = lab.switch()
        lab.first = switch.host("first", f"{FIRST}/24")
        lab.nearer = switch.host("nearer", f"{NEARER}/24")
        lab.server = lab.namespace("server")
        lab.veth(lab.nearer, "eth1", lab.server, "eth0")
        lab.nearer.address("eth1", "10.5.0.1/24")
        lab.server.address("eth0", f"{SERVER}/24")
        lab.server.default_via("10.5.0.1")
        lab.first.ip("route", "add", "10.5.0.0/24", "via", NEARER)
        lab.nearer.ip("route", "add", "10.2.0.0/24", "via", "10.1.0.1")
        for gateway in (lab.first, lab.nearer):
            gateway.sysctl("net.ipv4.ip_forward", 1)
        switch.plug(router.move_wire("mlleft", switch.ns, up=False))
        lab.pc = lab.namespace("pc")
        router.move_wire("mlright", lab.pc)
        lab.pc.address("mlright", f"{PC}/24")
        lab.pc.default_via("10.2.0.1")
        yield lab, router


def test_a_nearer_gateway_is_used_where_redirects_are_accepted(world):
    lab, router = world

    def ask():
        return "received=1" in router.ctl(f"/ping {SERVER} count=1").stdout.replace(" ", "")

    # Not unless it is said, in the router as in the kernel of its programs.
    assert (kernel(router, "conf/all/accept_redirects"), kernel(router, "conf/all/secure_redirects")) == ("0", "1")
    wait_until(ask, what="the server")
    wait_until(lambda: told_by(lab.first) > 0 and ask(), what="a redirect")
    assert redirected(router) == []
    router.ctl("/ip/settings/set accept-redirects=yes")
    assert kernel(router, "conf/all/accept_redirects") == "1"
    wait_until(lambda: ask() and redirected(router), 60, router.log)
    assert redirected(router) == [f"{NEARER}%left"]
    assert f"{FIRST} redirects {SERVER} to {NEARER}%left" in router.log()
    # What is forwarded goes that way as well: the gateway that told of it is not needed.
    lab.first.ip("link", "set", "eth0", "down")
    lab.pc.ping(SERVER, count=3, check=True)
    assert ask()
    # It stands on the route below, and on the other gateway's being one.
    router.ctl("/ip/route/set [find comment=first] gateway=10.1.0.77")
    assert redirected(router) == []
    lab.first.ip("link", "set", "eth0", "up")
    lab.first.ip("route", "replace", "10.5.0.0/24", "via", NEARER)
    router.ctl(f"/ip/route/set [find comment=first] gateway={FIRST}")
    wait_until(lambda: ask() and redirected(router), 60, router.log)
    router.ctl("/ip/route/disable [find comment=other]")
    assert redirected(router) == []
    router.ctl("/ip/settings/set secure-redirects=no")
    assert kernel(router, "conf/all/secure_redirects") == "0"
    wait_until(lambda: ask() and redirected(router), 60, router.log)
    router.ctl("/ip/settings/set accept-redirects=no")
    assert redirected(router) == []
    assert ask()


@pytest.fixture(scope="module")
def rig():
    config = two_ports()
    config["ip"]["settings"] |= {"accept-redirects": True}
    config["ip"]["firewall"] = {"connection": {"tracking": {"enabled": True}}}  # though there are no rules
    rows(config, "ip", "route").extend([{"dst-address": "10.5.0.0/16", "gateway": LEFT_HOST},
                                        {"dst-address": "10.6.0.0/16", "gateway": NEARER}])
    with Lab() as lab:
        yield two_port_rig(lab, config)


def test_only_the_gateway_in_use_is_believed(rig):
    programs = rig.router.ns.udp()
    programs.sendto(b"question", (SERVER, 9))
    asked = rig.left.wire.wait(lambda p: UDP in p and p[IP].dst == SERVER)[IP]
    assert asked.src == LEFT_ROUTER

    def redirect(quoted=asked, src=LEFT_HOST, gateway=NEARER, dst=LEFT_ROUTER, code=1):
        return IP(src=src, dst=dst) / ICMP(type=5, code=code, gw=gateway) / raw(quoted)[:28]

    unasked = asked.copy()
    unasked[UDP].sport = 1
    del unasked[UDP].chksum
    other = mac(0x1066)
    rig.left.wire.send(Ether(src=other, dst=LEFT_MAC) / redirect(src="10.1.0.66"))
    rig.left.send(redirect(gateway="10.9.0.1"), redirect(gateway="10.1.0.66"), redirect(gateway=LEFT_ROUTER),
                  redirect(gateway=LEFT_HOST), redirect(gateway="10.1.0.255"), redirect(gateway="224.0.0.1"),
                  redirect(code=5), redirect(quoted=unasked),
                  redirect(quoted=IP(src=RIGHT_HOST, dst=SERVER) / UDP(sport=5, dport=9)))
    rig.right.send(redirect())
    rig.settle()
    assert " redirects " not in rig.router.log()
    rig.left.send(redirect())
    wait_until(lambda: redirected(rig.router) == [f"{NEARER}%left"], what="the one that counts")
    assert rig.router.log().count(" redirects ") == 1


def test_what_is_translated_is_not_told_of_the_gateway_s_network(rig):
    rig.router.ctl("/ip/firewall/nat/add chain=srcnat out-interface=left action=masquerade")
    rig.right.send(IP(src=RIGHT_HOST, dst="10.5.0.77") / UDP(sport=5, dport=9))
    (asked,) = [rig.left.wire.wait(lambda p: UDP in p and p[IP].dst == "10.5.0.77")[IP]]
    assert asked.src == LEFT_ROUTER
    before = rig.router.drops("nat_filtered")
    rig.left.send(IP(src=LEFT_HOST, dst=LEFT_ROUTER) / ICMP(type=5, code=1, gw=NEARER) / raw(asked)[:28])
    rig.settle()
    assert rig.right.wire.take(lambda p: ICMP in p) == []
    assert rig.router.drops("nat_filtered") == before + 1
    assert redirected(rig.router, "10.5.0.77") == []
