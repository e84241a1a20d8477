"""Programs of the host plane that know routes (DESIGN 6): FRR speaks OSPF with a neighbour, and
people write `ip route`; the router forwards by them, and sshd answers at its address."""

import os
from pathlib import Path

import pytest

from lab import Lab, dataplane, run, wait_until
from routing_daemons import Frr

BEHIND = "10.77.0.1"  # what the neighbour announces


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


class Scene:
    """A PC on the left, a router of others on the right with a network behind it."""

    def __init__(self, lab):
        self.router = lab.router({
            "dataplane": dataplane(),
            "interface": {"ethernet": [
                {"name": "left", "device": "net_tap0,iface=mlleft"},
                {"name": "right", "device": "net_tap1,iface=mlright"},
            ]},
            "ip": {"address": [{"address": "10.1.0.1/24", "interface": "left"},
                               {"address": "10.2.0.1/24", "interface": "right"}]},
        }).start()
        self.pc, self.neighbour = lab.namespace("pc"), lab.namespace("neighbour")
        self.router.move_wire("mlleft", self.pc, "eth0")
        self.router.move_wire("mlright", self.neighbour, "eth0")
        self.pc.address("eth0", "10.1.0.10/24")
        self.pc.default_via("10.1.0.1")
        self.neighbour.address("eth0", "10.2.0.10/24")
        self.neighbour.ip("link", "add", "inside", "type", "bridge")
        self.neighbour.ip("link", "set", "inside", "up")
        self.neighbour.address("inside", f"{BEHIND}/24")
        self.neighbour.sysctl("net.ipv4.ip_forward", 1)
        wait_until(lambda: "right" in self.router.ns.ip("link").stdout, 20, "the host plane")

    def route(self, dst="10.77.0.0/24"):
        found = [row for row in self.router.print("/ip/route") if row["dst-address"] == dst]
        return found[0] if len(found) == 1 else None


def test_ospf_of_frr_is_the_routers(lab):
    scene = Scene(lab)
    Frr(scene.router.ns, "10.2.0.1", ["right"], ["10.1.0.0/24", "10.2.0.0/24"])
    theirs = Frr(scene.neighbour, "10.2.0.10", ["eth0"], ["10.2.0.0/24", "10.77.0.0/24"])
    row = wait_until(scene.route, 60, lambda: "OSPF's route: "
                     f"{scene.router.ns.ip('route').stdout}{theirs.ospfd.out()}")
    assert row["gateway"] == "10.2.0.10%right" and row["distance"] == "110"
    assert row["dynamic"] == row["active"] == row["ospf"] == "true"
    assert "o - OSPF" in scene.router.ctl("/ip/route/print").stdout
    # Forwarded; and the neighbour knows the way back by OSPF, too.
    wait_until(lambda: scene.pc.ping(BEHIND, wait=1).ok, 30, "forwarding by OSPF's routes")
    assert scene.router.ns.ping(BEHIND).ok
    # Withdrawn when the neighbour stops speaking of it.
    theirs.ospfd.stop()
    wait_until(lambda: scene.route() is None, 60, "the route to be withdrawn")
    assert not scene.pc.ping(BEHIND, wait=1).ok


def test_routes_that_people_write_into_the_namespace(lab):
    scene = Scene(lab)
    router = scene.router
    scene.neighbour.ip("route", "add", "10.1.0.0/24", "via", "10.2.0.1")
    router.ns.ip("route", "add", "10.77.0.0/24", "via", "10.2.0.10")
    row = wait_until(scene.route, 20, "the route")
    assert row["gateway"] == "10.2.0.10%right" and row["distance"] == "10"
    assert row["dynamic"] == row["active"] == "true" and row["ospf"] == "false"
    assert scene.pc.ping(BEHIND).ok
    # One that is configured goes before it, and it comes back when that goes.
    router.ctl("/ip/route/add dst-address=10.77.0.0/24 type=blackhole")
    assert not scene.pc.ping(BEHIND, wait=1).ok
    router.ctl("/ip/route/remove [find type=blackhole]")
    wait_until(lambda: scene.pc.ping(BEHIND, wait=1).ok, 20, "the route of the kernel")
    # Refusing ones are taken as well, and those that are none of ours are not.
    router.ns.ip("route", "add", "unreachable", "10.78.0.0/16")
    wait_until(lambda: (scene.route("10.78.0.0/16") or {}).get("type") == "unreachable", 20,
               "an unreachable route")
    router.ns.ip("link", "add", "elsewhere", "type", "bridge")
    router.ns.ip("link", "set", "elsewhere", "up")
    router.ns.ip("route", "add", "10.79.0.0/16", "dev", "elsewhere")
    # The kernel says nothing of routes that go with an address of their device.
    router.ns.ip("route", "replace", "10.77.0.0/24", "via", "10.2.0.10", "src", "10.2.0.1")
    wait_until(lambda: (scene.route() or {}).get("pref-src") == "10.2.0.1", 20, "its source")
    assert scene.route("10.79.0.0/16") is None
    router.ctl("/ip/address/add address=10.2.0.2/24 interface=right")
    router.ctl('/ip/address/remove [find address="10.2.0.1/24"]')
    wait_until(lambda: scene.route() is None, 20, "the route to go with its source")
    # The second address of the network stands, and the way there is by it.
    assert "10.2.0.2/24" in router.ns.ip("addr", "show", "dev", "right").stdout
    assert router.ns.ping("10.2.0.10").ok
    router.ns.ip("route", "add", "10.77.0.0/24", "via", "10.2.0.10")
    wait_until(scene.route, 20, "the route")
    router.ns.ip("route", "del", "10.77.0.0/24")
    wait_until(lambda: scene.route() is None, 20, "no route")


def test_sshd_answers_at_the_routers_address(lab):
    scene = Scene(lab)
    key, host_key = lab.directory / "key", lab.directory / "host_key"
    for path in (key, host_key):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    config = lab.directory / "sshd_config"
    config.write_text(f"HostKey {host_key}\nAuthorizedKeysFile {key}.pub\nStrictModes no\n"
                      "UsePAM no\nPermitRootLogin prohibit-password\nPidFile none\n"
                      "PasswordAuthentication no\n")
    sshd = scene.router.ns.popen("sshd", "/usr/sbin/sshd", "-D", "-e", "-f", config)
    wait_until(lambda: "listening" in sshd.err() or not sshd.alive(), 20, sshd.err)

    def log_in():
        return scene.pc.run("ssh", "-i", key, "-F", "/dev/null", "-o", "StrictHostKeyChecking=no",
                            "-o", f"UserKnownHostsFile={lab.directory}/known", "-o",
                            "BatchMode=yes", "-o", "ConnectTimeout=5", "root@10.1.0.1",
                            "readlink /proc/self/ns/net", check=False)

    done = log_in()
    assert done.returncode == 0, done.stderr + sshd.err()
    with scene.router.ns.entered():
        assert done.stdout.strip() == os.readlink("/proc/thread-self/ns/net")
    # The input chain stands before it.
    scene.router.ctl("/ip/firewall/filter/add chain=input protocol=tcp dst-port=22 action=reject "
                     "reject-with=tcp-reset")
    refused = log_in()
    assert refused.returncode != 0 and "refused" in refused.stderr
    assert Path(f"/proc/{sshd.pid}").exists()
