"""Routing daemons in the host plane (DESIGN 6): what they learn, the router forwards by."""

import shutil
import tempfile
from pathlib import Path

import pytest

from lab import Lab, wait_until
from scenes import ISP, LAN_ROUTER, PC, soho

LONG = 60
FRR = "/usr/lib/frr"
BEHIND = "10.77.0.0/24"  # what the PC announces
BEHIND_HOST = "10.77.0.1"
NETWORK = "192.168.88.0/24"


@pytest.fixture
def scene():
    with Lab() as lab:
        yield soho(lab)


def frr(namespace, router_id, device, *lines):
    """zebra and ospfd in a namespace, with a folder of their own for what they keep."""
    # FRR's daemons want to be its own user, who may not look into the lab's folder.
    folder = Path(tempfile.mkdtemp(prefix="frr-", dir="/run"))
    namespace.lab.cleanups.append(lambda: shutil.rmtree(folder))
    (folder / "zebra.conf").write_text("")
    # point-to-point: no minute of waiting who is to be the designated router
    (folder / "ospfd.conf").write_text("\n".join((
        f"interface {device}", " ip ospf hello-interval 1", " ip ospf dead-interval 20",
        " ip ospf network point-to-point", "router ospf", f" ospf router-id {router_id}",
        " timers throttle spf 0 50 500", f" network {NETWORK} area 0", *lines, "")))
    for one in (folder, *folder.iterdir()):
        shutil.chown(one, "frr", "frr")
    for daemon in ("zebra", "ospfd"):
        namespace.popen(daemon, f"{FRR}/{daemon}", "-u", "frr", "-g", "frr",
                        "-f", folder / f"{daemon}.conf", "-i", folder / f"{daemon}.pid",
                        "-z", folder / "zserv.sock", "--vty_socket", folder, "-P", "0",
                        "--log", "stdout")
        wait_until((folder / "zserv.sock").exists, LONG)


def ways_to(router, prefix):
    return [row for row in router.print("/ip/route") if row["dst-address"] == prefix]


def test_what_ospf_learns_is_forwarded(scene):
    """Two FRRs, one of them a program of the router: hellos are multicast, routes come and go."""
    router, pc = scene.router, scene.pc
    pc.address("lo", f"{BEHIND_HOST}/32")
    pc.ip("route", "add", BEHIND, "dev", "lo")
    router.ctl("/ip/firewall/filter/add", "chain=input", "protocol=ospf", "action=accept",
               "place-before=0")
    frr(router.ns, "1.1.1.1", "ether2")
    frr(pc, "2.2.2.2", "eth0", " redistribute kernel")
    (row,) = wait_until(lambda: [row for row in ways_to(router, BEHIND) if row["active"] == "true"],
                        LONG, router.log)
    assert row["ospf"] == row["dynamic"] == "true" and row["distance"] == "110", row
    assert row["immediate-gw"] == f"{PC}%ether2", row
    # packets of others go that way, and what is learned does not stand above what is configured
    assert scene.iot.ping(BEHIND_HOST).ok is False  # the example keeps the IoT network out
    router.ctl("/ip/firewall/filter/add", "chain=forward", f"dst-address={BEHIND}", "action=accept",
               "place-before=0")
    wait_until(lambda: scene.iot.ping(BEHIND_HOST).ok, LONG, router.log)
    router.ctl("/ip/route/add", f"dst-address={BEHIND}", f"gateway={ISP}")
    states = {row["gateway"]: row["active"] for row in ways_to(router, BEHIND)}
    assert states[ISP] == "true" and list(states.values()).count("true") == 1, states
    router.ctl(f"/ip/route/remove [find gateway={ISP}]")
    # the network goes, and so does the route
    pc.ip("route", "del", BEHIND)
    wait_until(lambda: not ways_to(router, BEHIND), LONG, router.log)


def test_a_route_that_somebody_puts_there(scene):
    """`ip route` in the namespace: followed while it stands, and again after a restart."""
    router = scene.router
    router.ns.ip("route", "add", "198.18.0.0/15", "via", PC, "proto", "static")
    router.ns.ip("route", "add", "blackhole", "198.51.100.0/24")
    (row,) = wait_until(lambda: ways_to(router, "198.18.0.0/15"), LONG, router.log)
    assert row["active"] == row["dynamic"] == "true" and row["immediate-gw"] == f"{PC}%ether2", row
    (row,) = wait_until(lambda: ways_to(router, "198.51.100.0/24"), LONG, router.log)
    assert row["type"] == "blackhole" and row["active"] == "true", row
    said = router.ctl("/ip/route/remove", f"numbers={row['.id']}", check=False)
    assert said.returncode != 0 and "dynamic" in said.stderr, said
    router.ns.ip("route", "del", "198.18.0.0/15")
    wait_until(lambda: not ways_to(router, "198.18.0.0/15"), LONG, router.log)
    # our own, in a table of theirs, are not taken for others'
    assert all(row["dst-address"] != "192.168.88.0/24" or row["connect"] == "true"
               for row in router.print("/ip/route"))


def test_sshd_in_the_host_plane(scene):
    """A user's sshd: reached from the LAN through the input chain, and not when that forbids it."""
    router, pc = scene.router, scene.pc
    folder = scene.lab.directory
    for name in ("host", "user"):
        pc.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / f"{name}.key")
    keys = folder / "authorized_keys"
    keys.write_text((folder / "user.key.pub").read_text())
    config = folder / "sshd_config"
    config.write_text(f"HostKey {folder}/host.key\nAuthorizedKeysFile {keys}\nStrictModes no\n"
                      "UsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n")
    router.ns.run("mkdir", "-p", "/run/sshd")
    sshd = router.ns.popen("sshd", "/usr/sbin/sshd", "-D", "-e", "-p", "2222", "-f", config)
    wait_until(lambda: "listening" in sshd.err() + sshd.out(), LONG)

    def ssh():
        return pc.run("ssh", "-p", "2222", "-i", folder / "user.key", "-o", "BatchMode=yes",
                      "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                      "-o", "ConnectTimeout=2", f"root@{LAN_ROUTER}", "echo", "came", "in",
                      check=False)

    done = ssh()
    assert done.returncode == 0 and done.stdout.strip() == "came in", done
    router.ctl("/ip/firewall/filter/add", "chain=input", "protocol=tcp", "dst-port=2222",
               f"src-address={PC}", "action=reject", "reject-with=tcp-reset", "place-before=0")
    assert "refused" in ssh().stderr
