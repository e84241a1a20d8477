"""PPTP through masquerade: two clients that number their calls alike, at one server (B-24, B-33).

The control connections and GRE packets are this test's own (RFC 2637): PPP needs the kernel's.
"""

import socket
import struct

import pytest

from lab import wait_until
from scenes import IOT, ISP, ONE_OR_TWO_WORKERS, PC, WAN, soho_with

FLOWS = "/ip/firewall/connection"
COOKIE = 0x1A2B3C4D
CALL = 7  # both clients' number


def message(kind, size, *words):
    """A control message with its first words behind the header."""
    head = struct.pack("!HHIHH", size, 1, COOKIE, kind, 0)
    return (head + struct.pack(f"!{len(words)}H", *words)).ljust(size, b"\0")


def read(sock):
    """The words behind the header of the next message."""
    data = b""
    while len(data) < 2 or len(data) < struct.unpack("!H", data[:2])[0]:
        more = sock.recv(1024)
        assert more, "the connection ended"
        data += more
    return struct.unpack("!10H", data[12:].ljust(20, b"\0")[:20])


def gre(call, payload):
    return struct.pack("!HHHH", 0x2001, 0x880B, len(payload), call) + payload


class Peer:
    """A host's raw GRE socket."""

    def __init__(self, host):
        self.sock = host.socket(kind=socket.SOCK_RAW, proto=socket.IPPROTO_GRE)
        self.sock.settimeout(0.5)

    def hears(self, sender, call, payload):
        """Whether this comes from there before anything is quiet; others' packets pass by."""
        try:
            while True:
                data, (source, _) = self.sock.recvfrom(2048)
                header = data[(data[0] & 15) * 4:]
                if (source, struct.unpack("!H", header[6:8])[0], header[8:]) == (
                        sender, call, payload):
                    return True
        except TimeoutError:
            return False


def carried(sender, receiver, to, call, seen_as, seen_call, payload):
    """A packet that is sent until it comes."""

    def once():
        sender.sock.sendto(gre(call, payload), (to, 0))
        return receiver.hears(seen_as, seen_call, payload)

    wait_until(once, 20, what=f"{payload} from {seen_as}")


@pytest.fixture(scope="module", **ONE_OR_TWO_WORKERS)
def scene(request):
    with soho_with(request.param) as made:
        yield made


def calls(scene):
    return [row for row in scene.router.print(FLOWS)
            if row["protocol"] == "gre" and row.get("connection-type") == "pptp"]


def test_two_clients_with_equal_numbers(scene):
    listener = scene.isp.listener(1723, ISP)
    server = Peer(scene.isp)
    clients = []
    for host, address, number in ((scene.pc, PC, 100), (scene.iot, IOT, 101)):
        control = host.connect(ISP, 1723)
        at_server, _ = listener.accept()
        control.sendall(message(7, 168, CALL, 1))
        shown = read(at_server)[0]
        at_server.sendall(message(8, 32, number, shown, 0x100))
        assert read(control)[:2] == (number, CALL)
        clients.append((Peer(host), address, number, shown, control, at_server))
    assert clients[0][3] == CALL != clients[1][3]
    for peer, address, number, shown, _, _ in clients:
        carried(server, peer, WAN, shown, ISP, CALL, f"to {address}".encode())
        carried(peer, server, ISP, number, WAN, number, f"from {address}".encode())
    rows = calls(scene)
    assert {row["expected"] for row in rows} == {"true"} and len(rows) == 2
    assert {row["gre-key"] for row in rows} <= {str(n) for c in clients for n in (c[2], c[3], CALL)}
    # One ends by word, the other with its control connection.
    _, _, number, _, control, at_server = clients[0]
    at_server.sendall(message(13, 148, number, 1))
    assert read(control)[0] == number
    wait_until(lambda: len(calls(scene)) == 1, 20, what="the end of the first call")
    (tracked,) = [row for row in scene.router.print(FLOWS)
                  if row["src-address"] == IOT and row.get("dst-port") == "1723"]
    scene.router.ctl(f"{FLOWS} remove {tracked['.id']}")
    wait_until(lambda: not calls(scene), 20, what="the end of the second call")
    for sock in (listener, *(sock for client in clients for sock in client[4:])):
        sock.close()


def test_pptp_is_on_by_default_and_has_no_ports(scene):
    ports = "/ip/firewall/service-port"
    assert scene.router.row(ports, name="pptp")["disabled"] == "false"
    done = scene.router.ctl(f"{ports} set pptp ports=1724", check=False)
    assert "pptp has no ports to be set" in done.stdout + done.stderr
    scene.router.ctl(f"{ports} set pptp disabled=yes")
    scene.router.ctl(f"{ports} set pptp disabled=no")
