"""The host plane: Linux programs of the router's namespace at its addresses (DESIGN 6)."""

import json
import socket

import pytest

from lab import Lab, wait_until
from scenes import IOT, IOT_ROUTER, LAN_ROUTER, PC, rows, soho


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def device(router, name):
    found = json.loads(router.ns.ip("-j", "addr", "show", "dev", name, check=False).stdout or "[]")
    return found[0] if found else None


def test_devices_follow_the_interfaces(lab):
    scene = soho(lab)
    router = scene.router
    ether2 = wait_until(lambda: device(router, "ether2"), 20, "a device of the interface's name")
    assert ether2["address"] == router.mac("ether2") and ether2["mtu"] == 1500
    assert [a["local"] for a in ether2["addr_info"]] == [LAN_ROUTER]
    router.ctl("/ip/address add address=192.168.66.1/24 interface=ether2")
    wait_until(lambda: len(device(router, "ether2")["addr_info"]) == 2, 20, "the new address")
    router.ctl("/interface/ethernet set ether2 mtu=1400")
    wait_until(lambda: device(router, "ether2")["mtu"] == 1400, 20, "the new MTU")
    router.ctl("/interface/ethernet disable ether2")
    wait_until(lambda: "NO-CARRIER" in device(router, "ether2")["flags"], 20, "no carrier")
    router.ctl("/interface/ethernet enable ether2")
    wait_until(lambda: "LOWER_UP" in device(router, "ether2")["flags"], 20, "a carrier")
    for row in router.print("/ip/address"):
        if row["interface"] == "ether2":
            router.ctl(f"/ip/address remove {row['.id']}")
    wait_until(lambda: device(router, "ether2") is None, 20, "no device without an address")
    assert "by somebody else" not in router.log()  # all of this is the router's own doing


def said(router, device, words):
    """The lines of the log about a device that was changed by somebody."""
    return [line for line in router.log().splitlines()
            if f"its device {device} for programs {words}" in line]


# Somebody with `ip` in the router's namespace: what was changed comes back by itself, said once.
def test_what_somebody_does_to_a_device_is_put_right(lab):
    scene = soho(lab)
    router = scene.router
    server = router.ns.listener(8022)
    elsewhere = lab.namespace("elsewhere")

    def number():
        found = device(router, "ether2")
        return found and found["ifindex"]

    def works():
        found = device(router, "ether2")
        if not found or found["mtu"] != 1500 or "LOWER_UP" not in found["flags"]:
            return False
        return [a["local"] for a in found["addr_info"]] == [LAN_ROUTER] and PC in router.ns.ip(
            "route", "get", PC).stdout and "dev ether2" in router.ns.ip("route", "get", PC).stdout

    wait_until(works, 20, "the device")
    for anew, words, *commands in (
        (True, "was removed", "link del ether2"),
        (False, f"had lost {LAN_ROUTER}/24", "addr flush dev ether2"),
        (False, "was down", "link set ether2 down"),
        (False, "had an MTU of 1300", "link set ether2 mtu 1300"),
        (False, "was renamed", "link set ether2 down", "link set ether2 name another"),
        (True, "was removed", f"link set ether2 netns {elsewhere.name}"),
    ):
        before, lines = number(), len(said(router, "ether2", ""))
        for command in commands:
            router.ns.ip(*command.split())
        wait_until(lambda: len(said(router, "ether2", "")) > lines, 20,
                   lambda: f"a line about {commands}\n{router.log()}")
        wait_until(works, 20, lambda: f"what it was before {commands}\n{router.log()}")
        assert (number() != before) == anew, commands
        # Two commands may be two troubles, if the first is seen before the second.
        new = said(router, "ether2", "")[lines:]
        assert words in new[-1] and len(new) <= len(commands)
        with scene.pc.connect(LAN_ROUTER, 8022):
            server.accept()[0].close()
        assert router.ns.ping("192.168.88.10").ok
    (row,) = [row for row in router.print("/dataplane/host-plane") if row["interface"] == "ether2"]
    assert row["device"] == "ether2" and row["state"] == "running"
    # Down and up again before anybody looks: the kernel has dropped the routes without a word.
    router.ns.run("sh", "-c", "ip link set ether2 down; ip link set ether2 up")
    wait_until(lambda: router.ns.ping("192.168.88.10", wait=1).ok, 20, "the routes")


def test_programs_serve_behind_the_firewall(lab):
    scene = soho(lab)
    router = scene.router
    server = router.ns.listener(8022)
    with scene.pc.connect(LAN_ROUTER, 8022) as client:
        peer, seen = server.accept()
        assert seen[0] == "192.168.88.10"
        client.sendall(b"x" * 100000)
        got = 0
        while got < 100000:
            got += len(peer.recv(65536))
        peer.close()
    # Programs of the router reach what is behind its interfaces, the ISP as well.
    assert router.ns.ping("192.168.88.10").ok
    assert router.ns.ping("203.0.113.1").ok
    # A port nobody serves is refused as any host does.
    with pytest.raises(ConnectionRefusedError):
        scene.pc.connect(LAN_ROUTER, 8023)
    # The input chain stands before them, the output chain behind them.
    router.ctl("/ip/firewall/filter add chain=input protocol=tcp dst-port=8022 action=reject "
               "reject-with=tcp-reset place-before=0")
    with pytest.raises(ConnectionRefusedError):
        scene.pc.connect(LAN_ROUTER, 8022)
    router.ctl("/ip/firewall/filter add chain=output dst-address=192.168.88.10 action=drop")
    assert not router.ns.ping("192.168.88.10", wait=1).ok


def test_host_plane_off_and_state(lab):
    scene = soho(lab)
    shown = {row["interface"]: row for row in scene.router.print("/dataplane/host-plane")}
    assert shown["ether2"]["device"] == "ether2" and shown["ether2"]["state"] == "running"
    scene.router.stop()

    with Lab() as other:
        def off(config):
            config["dataplane"]["host-plane"] = "no"
        plain = soho(other, off)
        assert device(plain.router, "ether2") is None
        assert plain.pc.ping(LAN_ROUTER).ok
        assert rows(plain.config, "ip", "address")


MDNS, OSPF_ROUTERS = "224.0.0.251", "224.0.0.5"
OSPF = 89


def join(sock, group, address):
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                    socket.inet_aton(group) + socket.inet_aton(address))


def hears(listener, sender, to, text):
    """What is said, as it is heard; said again until it is, as the first may come before IGMP.

    What a program says its own host hears as well, and is passed over.
    """
    listener.settimeout(0.2)

    def once():
        sender.sendto(text, to)
        try:
            heard = listener.recvfrom(2048)
            return heard if heard[0].endswith(text) else None
        except TimeoutError:
            return None
    return wait_until(once, 20, f"{text} at {to}")


def speaker(namespace, address, ttl=1, kind=socket.SOCK_DGRAM, proto=0):
    sock = namespace.socket(kind=kind, proto=proto)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return sock


# A-38, RFC 1112: programs speak to groups as those of any host do, out of the interface they chose,
# and hear them.
def test_programs_speak_and_listen_to_groups(lab):
    scene = soho(lab)
    router = scene.router.ns
    scene.router.ctl("/ip/firewall/filter add chain=input protocol=udp dst-port=5353 action=accept "
                     "place-before=0")  # the example hears nothing of IoT devices
    # the PC is on ether2's wire and the IoT device on macvlan-iot's, which is the same
    for host, ours in ((scene.pc, LAN_ROUTER), (scene.iot, IOT_ROUTER)):
        theirs = PC if host is scene.pc else IOT
        outside, inside = host.udp(5353), router.udp(5353)
        join(outside, MDNS, theirs)
        join(inside, MDNS, ours)
        text, (source, _) = hears(outside, speaker(router, ours), (MDNS, 5353), b"router")
        assert (text, source) == (b"router", ours)
        text, (source, _) = hears(inside, speaker(host, theirs), (MDNS, 5353), b"host")
        assert (text, source) == (b"host", theirs)
        outside.close()
        inside.close()
    # OSPF: a protocol of its own, and a TTL of 1 that arrives as 1
    outside = scene.pc.socket(kind=socket.SOCK_RAW, proto=OSPF)
    inside = router.socket(kind=socket.SOCK_RAW, proto=OSPF)
    join(outside, OSPF_ROUTERS, PC)
    join(inside, OSPF_ROUTERS, LAN_ROUTER)
    packet, _ = hears(outside, speaker(router, LAN_ROUTER, 1, socket.SOCK_RAW, OSPF),
                      (OSPF_ROUTERS, 0), b"hello")
    assert packet[8] == 1 and packet[20:] == b"hello"
    packet, _ = hears(inside, speaker(scene.pc, PC, 1, socket.SOCK_RAW, OSPF), (OSPF_ROUTERS, 0),
                      b"hello back")
    assert packet[20:] == b"hello back"
    assert scene.router.drops("no_route") == 0


def test_programs_speak_and_listen_to_all(lab):
    scene = soho(lab)
    router = scene.router
    outside, inside = scene.pc.udp(9), router.ns.udp(9)
    inside.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for address in ("192.168.88.255", "255.255.255.255"):
        said = router.ns.udp(address=LAN_ROUTER)
        said.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        said.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"ether2")
        text, (source, _) = hears(outside, said, (address, 9), b"router")
        assert (text, source) == (b"router", LAN_ROUTER)
        text, (source, _) = hears(inside, speaker(scene.pc, PC), (address, 9), b"host")
        assert (text, source) == (b"host", PC)
    # The output chain stands before these, too.
    router.ctl("/ip/firewall/filter add chain=output dst-address=192.168.88.255 action=drop "
               "comment=quiet")
    speaker(router.ns, LAN_ROUTER).sendto(b"unheard", ("192.168.88.255", 9))
    wait_until(lambda: router.rule("quiet") == 1, 20, "the output chain")
