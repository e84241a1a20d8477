"""GUIDE 5, "Tools for Debugging", in the network of its commands: each tool lets a user find a cause, or is refused
with what does so in its place."""

import json

import pytest

from frames import BROADCAST, IP, UDP, Ether, Raw, Wire
from lab import Lab, wait_until
from scenes import ISP, PC
from test_troubleshooting import LONG, Scene


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield Scene(lab)


def traced(router, *words):
    """The rows of a traceroute: address, loss and status of each hop."""
    rows = json.loads(router.ctl("/tool/traceroute", *words, "count=1", as_json=True).stdout)
    return [(row.get("address", ""), row["loss"], row.get("status", "")) for row in rows]


def test_ping_tells_how_far_it_gets(scene):
    """`ping`: an answer, nobody there, no way, and a TTL that ends on the way (C-34)."""
    router = scene.router

    def ping(target, *more):
        said = json.loads(router.ctl("/ping", target, "count=1", *more, as_json=True).stdout)
        return said[-1].get("status", "answered")

    assert ping(PC) == ping(scene.address) == "answered"
    assert ping("192.168.88.99") in ("timeout", "host unreachable")
    (route,) = [row for row in router.print("/ip/route") if row["dst-address"] == "0.0.0.0/0"]
    router.ctl(f"/ip/route disable {route['.id']}")
    assert ping("198.51.100.7") == "no route to host"
    router.ctl(f"/ip/route enable {route['.id']}")
    assert router.row("/ip/arp", address=PC)["status"] in ("reachable", "stale", "delay")


def test_traceroute_tells_where_a_way_ends(scene):
    """`traceroute` (C-35): all the way; a router that knows no further, one that is silent, a rule of the
    router itself, and no route at all."""
    router, isp = scene.router, scene.isp
    far = scene.lab.namespace("far")
    scene.lab.veth(isp, "behind", far, "eth0")
    isp.address("behind", "198.51.100.1/24")
    far.address("eth0", "198.51.100.7/24")
    far.default_via("198.51.100.1")
    isp.sysctl("net.ipv4.ip_forward", 1)
    isp.sysctl("net.ipv4.icmp_ratelimit", 0)
    assert traced(router, "198.51.100.7") == [(ISP, "0", ""), ("198.51.100.7", "0", "")]
    shown = router.ctl("/tool/traceroute 198.51.100.7 count=1").stdout.splitlines()
    assert shown[0].split() == ["#", "ADDRESS", "LOSS", "SENT", "LAST", "AVG", "BEST", "WORST", "STD-DEV",
                                "STATUS"]
    assert shown[1].split()[:4] == ["1", ISP, "0%", "1"] and "ms" in shown[1]
    # The host is off: who looked for it says so. (Linux waits three seconds for ARP.)
    far.ip("link", "set", "eth0", "down")
    assert traced(router, "198.51.100.7", "timeout=5s")[-1] == (ISP, "0", "host unreachable")
    # A router that passes nothing on and says nothing.
    isp.sysctl("net.ipv4.ip_forward", 0)
    assert traced(router, "198.51.100.7", "timeout=100ms") == [("", "100", "")] * 5
    # The router's own rule: its counter, and nothing leaves.
    isp.sysctl("net.ipv4.ip_forward", 1)
    far.ip("link", "set", "eth0", "up")
    far.default_via("198.51.100.1")
    router.ctl("/ip/firewall/filter add chain=output dst-address=198.51.100.0/24 action=drop "
               "comment=outwards log=yes log-prefix=mine")
    assert traced(router, "198.51.100.7", "timeout=100ms") == [("", "100", "")] * 5
    assert int(scene.rule("outwards")["packets"]) == 5
    wait_until(lambda: "mine output:" in router.log(), LONG)
    scene.rule("outwards", "remove")
    assert traced(router, "198.51.100.7")[-1] == ("198.51.100.7", "0", "")
    (route,) = [row for row in router.print("/ip/route") if row["dst-address"] == "0.0.0.0/0"]
    router.ctl(f"/ip/route disable {route['.id']}")
    refused = router.ctl("/tool/traceroute 198.51.100.7 count=1", check=False)
    assert refused.returncode != 0 and "no route to host 198.51.100.7" in refused.stdout + refused.stderr
    router.ctl(f"/ip/route enable {route['.id']}")


def test_who_uses_the_line_without_torch(scene):
    """`torch`: it is refused with what shows the same, and that does: connections with what they carry,
    and what interfaces carry."""
    router = scene.router
    refused = router.ctl("/tool torch interface=macvlan-iot", check=False)
    said = refused.stdout + refused.stderr
    assert "/ip/firewall/connection/print" in said and "/interface/monitor-traffic" in said
    with scene.isp.udp(7501) as sink, scene.iot.udp() as busy:
        for _ in range(50):
            busy.sendto(bytes(1000), (ISP, 7501))
        sink.recvfrom(2000)
        wait_until(lambda: int(router.sessions(dst_port=7501)[0]["orig-packets"]) == 50, LONG,
                   lambda: str(router.sessions(dst_port=7501)))
    (row,) = router.sessions(dst_port=7501)
    assert row["src-address"].startswith(scene.address) and int(row["orig-bytes"]) == 50 * 1028
    rates = json.loads(router.ctl("/interface/monitor-traffic macvlan-iot once", as_json=True).stdout)
    assert rates[0]["name"] == "macvlan-iot" and "rx-bits-per-second" in rates[0]


def test_what_is_in_packets_without_sniffer(scene):
    """`packet sniffer`: it is refused with what shows the same, and that does: a rule that logs, and
    tcpdump where the router's own packets go."""
    router = scene.router
    refused = router.ctl("/tool sniffer quick interface=macvlan-iot", check=False)
    said = refused.stdout + refused.stderr
    assert "action=passthrough and log=yes" in said and "tcpdump" in said
    router.ctl("/ip/firewall/filter add chain=forward in-interface=macvlan-iot protocol=icmp "
               "action=passthrough log=yes log-prefix=seen comment=look place-before=0")
    assert scene.iot.ping(ISP).ok
    wait_until(lambda: any("seen forward: in:macvlan-iot out:ether1" in row["message"]
                           and f"{scene.address}->{ISP}" in row["message"]
                           for row in router.print("/log", "where", "topics~\"firewall\"")), LONG, router.log)
    scene.rule("look", "remove")
    # What Linux programs of the router get and send is on devices of the interfaces' names.
    device = Wire(router.ns, "ether2")
    with scene.pc.udp() as asker:
        asker.sendto(b"hello", ("192.168.88.1", 7502))
        device.wait(lambda p: UDP in p and p[UDP].dport == 7502 and p[IP].src == PC)


def test_logs_by_topic(scene):
    """`logs`: DHCP, firewall and interfaces each by their topic (E-16: the guide's own spelling is a
    mistake whose message shows the right one)."""
    router = scene.router
    scene.lease()
    router.ctl("/interface/macvlan set macvlan-iot loop-protect=on")
    own = router.mac("macvlan-iot")
    Wire(scene.pc, "eth0").send(Ether(src=own, dst=BROADCAST, type=0x9003) / Raw(bytes(46)))
    wait_until(lambda: "macvlan-iot received loop protect packet originated from" in router.log(), LONG,
               router.log)
    router.ctl("/interface/macvlan set macvlan-iot loop-protect=default")
    for topic in ("dhcp", "interface", "firewall"):
        rows = router.print("/log", "where", f'topics~"{topic}"')
        assert rows and all(topic in row["topics"] for row in rows), topic
    wrong = router.ctl("/log print topics=dhcp-server", check=False)
    assert wrong.returncode != 0 and "where" in wrong.stdout + wrong.stderr
