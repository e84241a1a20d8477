"""The host plane: Linux programs of the router's namespace at its addresses (DESIGN 6)."""

import json

import pytest

from lab import Lab, wait_until
from scenes import LAN_ROUTER, rows, soho


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
