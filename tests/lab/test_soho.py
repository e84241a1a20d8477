"""The SOHO guide's network with real hosts, from conf/soho.yaml itself."""

import asyncio
import re
import socket

import pytest

from lab import Lab, wait_until
from scenes import IOT, IOT_ROUTER, ISP, LAN_ROUTER, PC, WAN, soho
from services import (
    WebServer, curl, iperf3, iperf3_report, iperf3_server, random_file, sha256_of,
)

WEB = {"web1": "192.168.77.11", "web2": "192.168.77.12"}
CAM = {"cam1": "192.168.77.21", "cam2": "192.168.77.22"}
WEB_ROUTER = "192.168.77.1"


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        made = soho(lab)
        for name, address in {**WEB, **CAM}.items():
            lab.namespaces[name].address(name, f"{address}/24")
            lab.namespaces[name].default_via(WEB_ROUTER)
        yield made


@pytest.fixture(scope="module")
def web(scene):
    return WebServer(scene.isp)


def refused(namespace, address, port):
    """What connect() says at once: True for a refusal, False for an answer, None for silence."""
    try:
        namespace.connect(address, port, timeout=2).close()
        return False
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        return None


@pytest.mark.parametrize("host", ["pc", "iot"])
def test_both_networks_reach_the_internet_masqueraded(scene, web, host):
    namespace = getattr(scene, host)
    assert namespace.ping(ISP, count=3).ok
    assert "hello from isp" in curl(namespace, f"http://{ISP}/").stdout
    assert web.peers() == {WAN}


def test_first_packet_is_not_lost_while_arp_resolves(scene):
    """Hold queue: the very first ping to a host the router has never spoken to is answered."""
    scene.isp.address("mlwan", "203.0.113.77/24")
    assert scene.pc.ping("203.0.113.77").ok


def test_iot_cannot_reach_the_lan_through_the_router(scene):
    before = scene.router.rule("forward: IoT not to the LAN")
    assert scene.iot.ping(PC, count=2, wait=1).received == 0
    with scene.pc.listener(8000):
        assert refused(scene.iot, PC, 8000) is None
    assert scene.router.rule("forward: IoT not to the LAN") >= before + 3


def test_lan_reaches_iot_and_replies_come_back(scene):
    assert scene.pc.ping(IOT, count=2).ok
    with scene.iot.listener(8000) as server, scene.pc.connect(IOT, 8000) as client:
        peer, address = server.accept()
        with peer:
            assert address[0] == PC  # not masqueraded: that is for ether1 only
            peer.sendall(b"reply")
            assert client.recv(16) == b"reply"


def test_router_answers_ping_from_the_lan(scene):
    assert scene.pc.ping(LAN_ROUTER, count=2).ok
    assert scene.pc.ping(WAN).ok
    assert scene.pc.ping(IOT_ROUTER).ok  # E-26d, A-62: another interface's, chain input


def test_new_connections_of_iot_to_the_router_are_dropped(scene):
    before = scene.router.rule("input: nothing new from IoT")
    assert scene.iot.ping(IOT_ROUTER, count=2, wait=1).received == 0
    assert scene.iot.ping(LAN_ROUTER, count=1, wait=1).received == 0
    assert refused(scene.iot, IOT_ROUTER, 22) is None
    assert scene.router.rule("input: nothing new from IoT") >= before + 4


def test_tcp_to_the_router_is_refused_from_the_lan(scene):
    """Nothing listens on the router: a reset, at once."""
    assert refused(scene.pc, LAN_ROUTER, 9999) is True


def test_udp_to_the_router_is_port_unreachable(scene):
    with scene.pc.udp() as sock:
        sock.connect((LAN_ROUTER, 9999))
        sock.send(b"anyone?")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(16)


def test_from_the_internet_only_ping_and_what_is_published(scene):
    assert scene.isp.ping(WAN).ok
    assert refused(scene.isp, WAN, 22) is None
    scene.isp.ip("route", "add", "192.168.88.0/24", "via", WAN)
    try:
        assert scene.isp.ping(PC, wait=1).received == 0
    finally:
        scene.isp.ip("route", "del", "192.168.88.0/24", "via", WAN)


def test_published_web_server_of_an_attached_host(scene):
    WebServer(scene.lab.namespaces["web1"])
    assert "hello from web1" in curl(scene.isp, f"http://{WAN}:8080/").stdout


def test_attached_bridge_hosts_reach_each_other_and_the_internet(scene, web):
    hosts = scene.lab.namespaces
    assert hosts["web1"].ping(WEB["web2"], count=2).ok
    assert hosts["web2"].ping(ISP).ok
    assert web.peers() <= {WAN}


def test_attached_private_hosts_reach_nobody_on_the_port(scene):
    hosts = scene.lab.namespaces
    assert hosts["cam1"].ping(CAM["cam2"], wait=1).received == 0
    assert hosts["cam1"].ping(WEB["web1"], wait=1).received == 0
    assert hosts["web1"].ping(CAM["cam1"], wait=1).received == 0


def test_attached_hosts_are_reached_from_the_switch(scene):
    """The wire is shared: a device in the switch reaches bridge and private hosts alike."""
    scene.pc.address("eth0", "192.168.77.99/24")
    try:
        for name, address in {**WEB, **CAM}.items():
            assert scene.pc.ping(address).ok, name
    finally:
        scene.pc.ip("addr", "del", "192.168.77.99/24", "dev", "eth0")


def test_iot_on_the_same_switch_can_bypass_the_router(scene):
    """E-7: no router can prevent this; the guide's isolation ends at the switch."""
    scene.iot.address("eth0", "192.168.88.66/24")
    try:
        assert scene.iot.ping(PC, "-I", "192.168.88.66").ok
    finally:
        scene.iot.ip("addr", "del", "192.168.88.66/24", "dev", "eth0")


def test_broadcast_ping_is_not_answered_by_the_router(scene):
    done = scene.pc.ping("192.168.88.255", "-b", wait=1)
    assert LAN_ROUTER not in re.findall(r"from ([\d.]+)", done.stdout)


def test_hundred_megabytes_arrive_unchanged(scene, web):
    digest = random_file(web.root / "big.bin", 100)
    target = scene.lab.directory / "big.bin"
    curl(scene.pc, f"http://{ISP}/big.bin", "-o", str(target))
    assert sha256_of(target) == digest
    target.unlink()
    (web.root / "big.bin").unlink()


@pytest.mark.parametrize("target", [LAN_ROUTER, IOT, ISP])
def test_ping_in_fragments(scene, target):
    """To the router, through it, and through it translated."""
    assert scene.pc.ping(target, "-s", 3000, count=3).ok
    assert scene.pc.ping(target, "-s", 20000).ok


def test_arping_gets_one_answer_per_question(scene):
    for target, owner in ((LAN_ROUTER, "ether2"), (IOT_ROUTER, "macvlan-iot"),
                          (WEB_ROUTER, "macvlan-web")):
        done = scene.pc.run("arping", "-c", 2, "-w", 5, "-I", "eth0", target)
        answers = re.findall(r"reply from \S+ \[([0-9A-F:]{17})\]", done.stdout)
        assert answers == [scene.router.mac(owner).upper()] * 2, done.stdout


@pytest.mark.parametrize("direction", ["up", "down"])
def test_iperf3_through_masquerade(scene, direction):
    server = iperf3_server(scene.isp)
    try:
        end = iperf3(scene.pc, ISP, *(["-R"] if direction == "down" else []))
        assert end["sum_received"]["bytes"] > 1_000_000
    finally:
        server.stop()


def test_a_client_of_a_busy_iperf3_server_waits(scene):
    """The server takes one at a time, and -J ends with 0 when it refuses."""
    server = iperf3_server(scene.isp)
    try:
        first = scene.pc.popen("iperf3-first", "iperf3", "-c", ISP, "-n", "600K", "-b", "4M", "-l", "8K",
                                "--forceflush")
        wait_until(lambda: "connected" in first.out() + first.err(), what="the first client's connection")
        assert iperf3(scene.pc, ISP, size=1_000_000)["sum_received"]["bytes"] > 100_000
    finally:
        server.stop()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_iperf3_with_an_upstream_of_1492_bytes(scene, direction):
    """What PPPoE leaves of a frame: each end is told of it (change-mss, clamp-to-pmtu)."""
    ctl = scene.router.ctl
    wan = scene.router.row("/interface/ethernet", name="ether1")["mtu"]
    ctl("/ip/firewall/mangle/add chain=forward protocol=tcp tcp-flags=syn action=change-mss "
        "new-mss=clamp-to-pmtu comment=clamp")
    ctl("/interface/ethernet/set ether1 mtu=1492")
    server = iperf3_server(scene.isp)
    try:
        report = iperf3_report(scene.pc, ISP, *(["-R"] if direction == "down" else []))
        timestamps = 12
        assert report["start"]["tcp_mss_default"] == 1492 - 40 - timestamps
        assert report["end"]["sum_received"]["bytes"] > 1_000_000
    finally:
        server.stop()
        ctl(f"/interface/ethernet/set ether1 mtu={wan}")
        ctl("/ip/firewall/mangle/remove [find comment=clamp]")


def test_many_hosts_with_equal_source_ports(scene):
    """Each is seen with a port of its own, and gets what is meant for it (B-33)."""
    hosts = [f"192.168.88.{last}" for last in range(100, 140)]
    scene.pc.address("eth0", *(f"{host}/24" for host in hosts))
    server = scene.isp.udp(9100)
    socks = {host: scene.pc.udp(5060, address=host) for host in hosts}
    try:
        for host, sock in socks.items():
            sock.sendto(host.encode(), (ISP, 9100))
        seen = dict(reversed(server.recvfrom(100)) for _ in hosts)
        assert {address for address, _ in seen} == {WAN} and len(seen) == len(hosts)
        for peer, said in seen.items():
            server.sendto(b"to " + said, peer)
        for host, sock in socks.items():
            assert sock.recvfrom(100) == (f"to {host}".encode(), (ISP, 9100))
    finally:
        for sock in (server, *socks.values()):
            sock.close()
        for host in hosts:
            scene.pc.ip("addr", "del", f"{host}/24", "dev", "eth0")


def test_five_hundred_connections_at_once(scene):
    count = 500
    peers = []

    async def serve(reader, writer):
        peers.append(writer.get_extra_info("peername"))
        writer.write(await reader.readexactly(8))
        await writer.drain()
        writer.close()

    async def ask(number):
        sock = scene.pc.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (ISP, 7000))
        reader, writer = await asyncio.open_connection(sock=sock)
        word = f"{number:08d}".encode()
        writer.write(word)
        got = await reader.readexactly(8)
        writer.close()
        return got == word

    async def everything():
        server = await asyncio.start_server(serve, sock=scene.isp.listener(7000), backlog=1024)
        async with server:
            return await asyncio.wait_for(
                asyncio.gather(*(ask(number) for number in range(count))), 60
            )

    assert asyncio.run(everything()) == [True] * count
    assert {peer[0] for peer in peers} == {WAN}
    assert len({peer[1] for peer in peers}) == count  # every connection has its own port


def test_udp_echo_with_nc(scene):
    with scene.isp.udp(7008) as echo:
        done = scene.pc.popen("nc-client", "sh", "-c", f"echo ahoy | nc -u -w 3 {ISP} 7008")
        word, peer = echo.recvfrom(64)
        assert (word, peer[0]) == (b"ahoy\n", WAN)
        echo.sendto(b"ahoy back\n", peer)
        wait_until(lambda: "ahoy back" in done.out(), 10, "nc to print the echo")


def test_mapping_keeps_the_port(scene):
    with scene.isp.udp(7010) as server, scene.pc.udp(43210) as client:
        client.sendto(b"x", (ISP, 7010))
        assert server.recvfrom(8)[1] == (WAN, 43210)


def test_same_port_of_two_hosts_gets_two_mappings(scene):
    with scene.isp.udp(7011) as server, scene.pc.udp(43211) as a, scene.iot.udp(43211) as b:
        a.sendto(b"a", (ISP, 7011))
        first = server.recvfrom(8)
        b.sendto(b"b", (ISP, 7011))
        second = server.recvfrom(8)
        assert first[1] != second[1]
        server.sendto(b"to b", second[1])
        server.sendto(b"to a", first[1])
        assert a.recv(16) == b"to a"
        assert b.recv(16) == b"to b"


def test_connection_print_shows_the_session(scene):
    with scene.isp.listener(7012) as server, scene.pc.connect(ISP, 7012) as client:
        peer, _ = server.accept()
        with peer:
            client.sendall(b"hello")
            assert peer.recv(16) == b"hello"
            port = client.getsockname()[1]
            (row,) = scene.router.sessions(dst_port=7012, src_port=port)
            assert row["protocol"] == "tcp"
            assert (row["src-address"], row["dst-address"]) == (PC, ISP)
            assert row["reply-dst-address"] == WAN
            assert row["tcp-state"] == "established"
            assert row["srcnat"] == "true" and row["assured"] == "true"
            assert int(row["orig-packets"]) >= 3 and int(row["repl-packets"]) >= 1
    where = scene.router.print(
        "/ip/firewall/connection", "where", "protocol=tcp", "dst-port=7012"
    )
    assert where and all(row["dst-port"] == "7012" for row in where)


def test_memory_of_the_demo(scene):
    assert scene.router.rss_mb() < 400


def test_half_close_and_reset_end_the_session(scene):
    with scene.isp.listener(7013) as server:
        client = scene.pc.connect(ISP, 7013)
        peer, _ = server.accept()
        port = client.getsockname()[1]
        client.shutdown(socket.SHUT_WR)
        assert peer.recv(1) == b""
        (row,) = scene.router.sessions(src_port=port, dst_port=7013)
        assert row["tcp-state"] in ("fin-wait", "close-wait")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()  # a reset
        wait_until(
            lambda: all(
                row["tcp-state"] == "close"
                for row in scene.router.sessions(src_port=port, dst_port=7013)
            ),
            5,
            "the session to close",
        )
        client.close()
