"""Routes whose gateways other routes lead to (scope, target-scope): an uplink counts as gone when a
host far behind it is, though its own gateway answers."""

import pytest

from lab import Lab, dataplane
from process import wait_until

LOST = 60.0  # check-gateway finds it after 20 s
PROBE1, PROBE2, SERVER = "198.51.100.1", "198.51.100.2", "198.51.100.9"

FAILOVER = """\
dst-address=198.51.100.1/32 gateway=192.0.2.1 scope=10
dst-address=198.51.100.2/32 gateway=203.0.113.1 scope=10
gateway=198.51.100.1 target-scope=11 check-gateway=ping distance=1
gateway=198.51.100.2 target-scope=11 check-gateway=ping distance=2
"""


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def ways(router):
    return [row["immediate-gw"] for row in router.print("/ip/route")
            if row["dst-address"] == "0.0.0.0/0" and row["active"] == "true"]


def test_an_uplink_is_as_good_as_what_is_behind_it(lab):
    router = lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [
            {"name": "isp1", "device": "net_tap0,iface=mlisp1"},
            {"name": "isp2", "device": "net_tap1,iface=mlisp2"},
            {"name": "lan", "device": "net_tap2,iface=mllan"}]},
        "ip": {
            "address": [{"address": "192.0.2.2/24", "interface": "isp1"},
                        {"address": "203.0.113.2/24", "interface": "isp2"},
                        {"address": "192.168.88.1/24", "interface": "lan"}],
            "firewall": {"nat": [
                {"chain": "srcnat", "out-interface": "isp1", "action": "masquerade"},
                {"chain": "srcnat", "out-interface": "isp2", "action": "masquerade"}]}},
    }).start()
    seen = {}
    for name, gateway, probe in (("isp1", "192.0.2.1", PROBE1), ("isp2", "203.0.113.1", PROBE2)):
        isp = lab.namespace(name)
        router.move_wire(f"ml{name}", isp)
        isp.address(f"ml{name}", f"{gateway}/24")
        isp.address("lo", f"{probe}/32", f"{SERVER}/32")
        seen[name] = isp.udp(9000)
    pc = lab.namespace("pc")
    router.move_wire("mllan", pc)
    pc.address("mllan", "192.168.88.10/24")
    pc.default_via("192.168.88.1")
    for row in FAILOVER.splitlines():
        router.ctl(f"/ip/route/add {row}")

    def heard_by(name):
        pc.udp().sendto(b"who am I", (SERVER, 9000))
        return seen[name].recvfrom(100)[1][0]

    assert ways(router) == ["192.0.2.1%isp1"]
    assert heard_by("isp1") == "192.0.2.2"
    lab.namespaces["isp1"].ip("addr", "del", f"{PROBE1}/32", "dev", "lo")
    wait_until(lambda: ways(router) == ["203.0.113.1%isp2"], LOST, router.log)
    assert f"gateway {PROBE1}%isp1 does not answer ping" in router.log()
    assert heard_by("isp2") == "203.0.113.2"
    lab.namespaces["isp1"].address("lo", f"{PROBE1}/32")
    wait_until(lambda: ways(router) == ["192.0.2.1%isp1"], LOST, router.log)
    assert heard_by("isp1") == "192.0.2.2"
    # What an export says makes the same routes again.
    exported = router.ctl("/ip/route/export terse").stdout
    assert exported.count("scope=10") == 2 and exported.count("target-scope=11") == 2
