"""A running router: reload under traffic, refused reloads, signals, state."""

import hashlib
import os
import signal
import threading

import pytest
import yaml

from frames import IP, UDP
from lab import Lab, flag, wait_until
from scenes import (
    ISP,
    LAN_ROUTER,
    LEFT_HOST,
    RIGHT_HOST,
    plug_soho,
    rows,
    soho,
    two_port_rig,
    two_ports,
)

BLOCK = {"chain": "forward", "protocol": "tcp", "dst-port": "7100", "action": "drop",
         "comment": "blocked now"}


@pytest.fixture
def scene():
    with Lab() as lab:
        yield soho(lab)


def pump(sock, data, digest):
    """Sends everything, and a hash over it."""
    view = memoryview(data)
    while view:
        sent = sock.send(view[:65536])
        digest.update(view[:sent])
        view = view[sent:]


@pytest.mark.parametrize("how", ["signal", "console"])
def test_reload_keeps_an_established_connection(scene, how):
    """A transfer runs while the router reloads again and again; not a byte is lost."""
    size = 48 << 20
    data = os.urandom(1 << 20) * (size >> 20)
    got = hashlib.sha256()
    with scene.isp.listener(7200) as server, scene.pc.connect(ISP, 7200) as client:
        peer, _ = server.accept()
        peer.settimeout(30)

        def receive():
            left = size
            while left:
                block = peer.recv(262144)
                if not block:
                    return
                got.update(block)
                left -= len(block)

        receiver = threading.Thread(target=receive)
        receiver.start()
        sent = hashlib.sha256()
        config = scene.config
        chunks = 8
        for number in range(chunks):
            comment = f"version {number}"
            config["ip"]["firewall"]["filter"][-1]["comment"] = comment
            if how == "console":
                scene.router.reload(config)
            else:
                scene.router.hang_up(config)
            step = size // chunks
            pump(client, data[number * step : (number + 1) * step], sent)
            wait_until(
                lambda comment=comment: scene.router.print("/ip/firewall/filter")[-1]["comment"]
                == comment,
                10,
                "the reload to take effect",
            )
        receiver.join(60)
        assert not receiver.is_alive()
        peer.close()
    assert got.hexdigest() == sent.hexdigest()


def test_new_rule_judges_an_established_connection_again(scene):
    with scene.isp.listener(7100) as server, scene.pc.connect(ISP, 7100) as client:
        peer, _ = server.accept()
        client.sendall(b"before")
        assert peer.recv(16) == b"before"
        scene.config["ip"]["firewall"]["filter"].insert(0, BLOCK)
        scene.router.reload(scene.config)
        client.sendall(b"after")
        wait_until(
            lambda: scene.router.rule("blocked now") > 0, 10, "the new rule to drop the packet"
        )
        scene.config["ip"]["firewall"]["filter"].remove(BLOCK)
        scene.router.reload(scene.config)
        peer.settimeout(20)
        assert peer.recv(16) == b"after"  # TCP's own repeat, once the rule is gone
        peer.close()


def test_refused_reload_changes_nothing_and_says_so(scene):
    good = yaml.safe_dump(scene.config, sort_keys=False)
    bad = good.replace("interface: macvlan-iot", "interface: macvlan-typo", 1)
    assert bad != good
    before = scene.router.print("/ip/address")
    done = scene.router.reload(bad, check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "macvlan-typo" in said and f"{scene.router.config_path}:" in said
    assert scene.router.print("/ip/address") == before
    assert scene.pc.ping(ISP).ok

    scene.router.hang_up(bad)
    wait_until(lambda: "macvlan-typo" in scene.router.log(), 10, "the log to say what is wrong")
    assert scene.router.print("/ip/address") == before

    scene.router.config_path.unlink()
    done = scene.router.reload(check=False)
    assert done.returncode != 0 and "No such file" in done.stdout + done.stderr
    assert scene.pc.ping(ISP).ok


def test_reload_adds_and_removes_macvlans_live(scene):
    config = scene.config
    config["interface"]["macvlan"].append({"name": "extra", "interface": "ether2"})
    config["ip"]["address"].append({"address": "192.168.55.1/24", "interface": "extra"})
    scene.pc.address("eth0", "192.168.55.9/24")
    scene.router.reload(config)
    assert scene.pc.ping("192.168.55.1", "-I", "192.168.55.9").ok
    config["interface"]["macvlan"].pop()
    config["ip"]["address"].pop()
    scene.router.reload(config)
    assert scene.pc.ping("192.168.55.1", "-I", "192.168.55.9", wait=1).received == 0
    assert "extra" not in {row["name"] for row in scene.router.print("/interface")}
    assert scene.pc.ping(LAN_ROUTER).ok


def test_reload_without_a_change_loses_nothing():
    """Packets stream while the same file is loaded again; every one comes out."""
    with Lab() as lab:
        config = two_ports(filter=[{"chain": "forward", "action": "accept"}])
        rig = two_port_rig(lab, config)
        total = 0
        for number in range(10):
            burst = [
                IP(src=LEFT_HOST, dst=RIGHT_HOST, id=total + i) / UDP(sport=1000 + number, dport=9)
                for i in range(50)
            ]
            rig.router.hang_up()
            rig.left.send(*burst)
            total += len(burst)
        rig.settle()
        got = rig.right.wire.take(lambda p: UDP in p)
        assert sorted(p[IP].id for p in got) == list(range(total))


def test_removed_nat_address_and_new_session(scene):
    """Sessions live on under their translation; new ones take the new rule."""
    with scene.isp.udp(7300) as server, scene.pc.udp(41000) as old, scene.pc.udp(41001) as new:
        old.sendto(b"1", (ISP, 7300))
        assert server.recvfrom(8)[1] == ("203.0.113.2", 41000)
        nat = rows(scene.config, "ip", "firewall", "nat")
        nat.insert(0, {"chain": "srcnat", "out-interface": "ether1",
                       "src-address": "192.168.88.0/24", "action": "src-nat",
                       "to-addresses": "203.0.113.3"})
        scene.config["ip"]["address"].append(
            {"address": "203.0.113.3/24", "interface": "ether1"}
        )
        scene.router.reload(scene.config)
        old.sendto(b"2", (ISP, 7300))
        assert server.recvfrom(8)[1] == ("203.0.113.2", 41000)
        new.sendto(b"3", (ISP, 7300))
        assert server.recvfrom(8)[1] == ("203.0.113.3", 41001)


def test_sigterm_ends_cleanly_and_devices_are_gone(scene):
    process = scene.router.process
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert scene.isp.ip("link", "show", "mlwan", check=False).returncode != 0
    web1 = scene.lab.namespaces["web1"]
    assert web1.ip("link", "show", "web1", check=False).returncode != 0
    assert not scene.router.socket_path.exists()


def test_restart_after_kill_needs_no_help(scene):
    """Nothing of a killed router stands in the way of the next."""
    scene.router.process.stop(signal.SIGKILL)
    scene.router.start()
    plug_soho(scene)
    assert scene.pc.ping(ISP).ok


def test_second_router_on_the_same_socket_is_refused(scene):
    other = scene.lab.directory / "other.yaml"
    other.write_text(yaml.safe_dump(two_ports()))
    command = [other if word == scene.router.config_path else word for word in
               scene.router.command()]
    done = scene.router.ns.run(*command, check=False, timeout=60)
    assert done.returncode != 0
    assert str(scene.router.socket_path) in done.stderr
    assert scene.pc.ping(ISP).ok
    assert scene.router.print("/system/identity")[0]["name"] == "soho"


def test_second_router_on_the_same_state_folder_is_refused(scene):
    command = [scene.lab.directory / "elsewhere.sock" if word == scene.router.socket_path else word
               for word in scene.router.command()]
    done = scene.router.ns.run(*command, check=False, timeout=60)
    assert done.returncode != 0
    assert str(scene.router.state) in done.stderr


def test_running_flags(scene):
    for row in scene.router.print("/interface"):
        assert flag(row["running"]), row
