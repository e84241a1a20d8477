"""A SYN flood against a service of the router itself: who is real still gets through, and so do the others."""

import itertools
import threading

import pytest

from doors import PASSWORD, USER
from frames import IP, TCP, Ether, Wire, mac, raw
from lab import wait_until
from scenes import ISP, LAN_ROUTER, WAN, soho_with
from services import WebServer, curl


@pytest.fixture(scope="module")
def scene():
    def change(config):
        config["ip"]["settings"] = {"tcp-syncookies": True}
        config["user"] = [{"name": USER, "password": PASSWORD}]
        config["ip"]["firewall"]["filter"].insert(
            0, {"chain": "input", "protocol": "tcp", "dst-port": "80", "action": "accept"})

    with soho_with(1, change) as made:
        made.web = WebServer(made.isp)
        yield made


class Flood:
    """SYNs from ever other addresses, from the provider's side, until it is left."""

    def __init__(self, scene):
        self.wire = Wire(scene.isp, "mlwan", promiscuous=False)
        frame = (Ether(src=mac(0x666), dst=scene.router.mac("ether1"))
                 / IP(src="198.18.0.0", dst=WAN) / TCP(sport=1024, dport=80, flags="S", seq=7))
        self.frames = []
        for n in range(4000):
            frame[IP].src = f"198.18.{n // 250}.{n % 250 + 1}"
            frame[TCP].sport = 1024 + n
            self.frames.append(raw(frame))
        self.sent = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        for frame in itertools.cycle(self.frames):
            if self.over.is_set():
                return
            self.wire.send(frame)
            self.sent += 1
            if self.sent % 200 == 0:
                self.wire.clear()
                self.over.wait(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.wire.close()


def cookies(scene):
    """SYN cookies that the router's own stack has sent, and those that came back."""
    names, values = [line.split() for line in
                     scene.router.ns.run("cat", "/proc/net/netstat").stdout.splitlines()
                     if line.startswith("TcpExt:")]
    counts = dict(zip(names, values))
    return int(counts["SyncookiesSent"]), int(counts["SyncookiesRecv"])


def test_a_service_of_the_router_answers_under_a_syn_flood(scene):
    """B-3: /ip/settings tcp-syncookies=yes; REST by curl meanwhile, and the internet for the LAN."""
    url = f"http://{WAN}/rest/system/identity"
    login = ("-u", f"{USER}:{PASSWORD}")
    assert "soho" in curl(scene.isp, url, *login).stdout
    with Flood(scene) as flood:
        wait_until(lambda: cookies(scene)[0] > 500, 30,
                   lambda: f"cookies after {flood.sent} SYNs: {cookies(scene)}")
        for _ in range(5):
            assert "soho" in curl(scene.isp, url, *login).stdout
            assert "soho" in curl(scene.pc, f"http://{LAN_ROUTER}/rest/system/identity",
                                  *login).stdout
            assert curl(scene.pc, f"http://{ISP}/").stdout == "hello from isp\n"
        assert scene.pc.ping(ISP, count=5).received >= 4
        assert flood.thread.is_alive()
    assert cookies(scene)[1] >= 1, "some of those connections came in by a cookie"
    assert "soho" in curl(scene.isp, url, *login).stdout
