"""The SOHO network with two workers: every connection works, and both carry some."""

import os

import pytest

from lab import Lab, wait_until
from scenes import IOT_ROUTER, ISP, LAN_ROUTER, WAN, soho
from services import WebServer, curl, iperf3, iperf3_server

CPUS = sorted(os.sched_getaffinity(0))[-2:]
WEB = "192.168.77.11"
WEB_ROUTER = "192.168.77.1"
CONNECTIONS = 24

pytestmark = pytest.mark.skipif(len(CPUS) < 2, reason="two workers need two CPUs")


def two_workers(config):
    config["dataplane"]["workers"] = CPUS


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        made = soho(lab, change=two_workers)
        made.web1 = lab.namespaces["web1"]
        made.web1.address("web1", f"{WEB}/24")
        made.web1.default_via(WEB_ROUTER)
        yield made


@pytest.fixture(scope="module")
def isp_web(scene):
    return WebServer(scene.isp)


def used(scene, column):
    """A column of each worker, as numbers."""
    return [int(row[column]) for row in scene.router.print("/dataplane/workers")]


def test_both_workers_run(scene):
    rows = scene.router.print("/dataplane/workers")
    assert [int(row["lcore"]) for row in rows] == CPUS
    wait_until(lambda: min(used(scene, "loops")) > 0, 10, "both workers to poll")


def test_ping_everything(scene):
    """Echo ids differ from run to run, so that replies need the other worker half of the time."""
    for target in (LAN_ROUTER, IOT_ROUTER, WAN, ISP):
        for _ in range(4):
            assert scene.pc.ping(target, count=2).ok
    assert scene.isp.ping(WAN, count=3).ok


def test_masqueraded_connections_are_on_both_workers(scene, isp_web):
    for _ in range(CONNECTIONS):
        assert "hello from isp" in curl(scene.pc, f"http://{ISP}/").stdout
    assert isp_web.peers() == {WAN}
    connections = scene.router.sessions(protocol="tcp", dst_address=ISP)
    assert len(connections) >= CONNECTIONS
    # Ports are kept, and the number in an id says whose the connection is.
    assert all(row["reply-dst-port"] == row["src-port"] for row in connections)
    owners = {int(row[".id"].lstrip("*"), 16) >> 26 & 15 for row in connections}
    assert owners == {0, 1}
    assert min(used(scene, "sessions")) > 0
    wait_until(
        lambda: sum(used(scene, "sessions")) == len(scene.router.sessions()),
        10,
        "as many connections in the list as the workers count",
    )


def test_two_hosts_may_use_the_same_port(scene):
    port = 33333
    with scene.isp.listener(7000) as server:
        with scene.pc.connect(ISP, 7000, source_port=port) as first:
            with scene.web1.connect(ISP, 7000, source_port=port) as second:
                peers = set()
                for client in (first, second):
                    accepted, peer = server.accept()
                    with accepted:
                        peers.add(peer)
                        accepted.sendall(b"hello")
                        assert client.recv(5) == b"hello"
                assert {address for address, _ in peers} == {WAN}
                assert len({number for _, number in peers}) == 2


def test_published_server_on_another_port(scene):
    """The reply's ports are not the request's: half of the replies have another home."""
    WebServer(scene.web1)
    for _ in range(CONNECTIONS):
        assert "hello from web1" in curl(scene.isp, f"http://{WAN}:8080/").stdout
    assert len(scene.router.sessions(protocol="tcp", dst_port="8080")) >= CONNECTIONS
    for reason in ("reply_clash", "claim_full", "handoff_full"):
        assert scene.router.drops(reason) == 0


def test_fragments_cross(scene):
    assert scene.pc.ping(ISP, "-s", 4000, count=4).ok
    assert scene.isp.ping(WAN, "-s", 4000, count=2).ok


def test_many_streams(scene):
    iperf3_server(scene.isp)
    end = iperf3(scene.pc, ISP, "-P", 4)
    assert end["sum_received"]["bytes"] > 1_000_000
    back = iperf3(scene.pc, ISP, "-P", 4, "-R")
    assert back["sum_received"]["bytes"] > 1_000_000
    # What one queue took and the other worker has went over.
    assert sum(used(scene, "handed-over")) > 0
    assert scene.router.row("/ip/firewall/connection/tracking")["total-entries"]


def test_reload_keeps_connections(scene):
    with scene.isp.listener(7001) as server, scene.pc.connect(ISP, 7001) as client:
        peer, _ = server.accept()
        with peer:
            scene.router.reload()
            peer.sendall(b"still here")
            assert client.recv(16) == b"still here"
