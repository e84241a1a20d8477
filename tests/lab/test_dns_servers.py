"""What the router's name server does about others (C-30, C-31): name servers that fall silent, who asks by TCP, and a
router that is killed."""

import os
from pathlib import Path

import pytest

from lab import Lab, wait_until
from test_dns import LONG, answered, data, dig, pids, start, upstream


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def test_a_server_that_falls_silent_is_left_for_another(lab):
    """C-31: the one that answered is asked until it does not; then all are, and whoever asks again has an answer.
    dnsmasq by itself stays with it as long as somebody asks."""
    router, isp, pc = start(lab)
    assert data(answered(pc, "www.example")) == ["198.51.100.80"]
    upstream(isp, "203.0.113.54", "host-record=late.example,198.51.100.95,300", "host-record=more.example,198.51.100.96")
    before = pids(router)["dnsmasq"]
    router.ctl("/ip/dns set servers=203.0.113.53,203.0.113.54 query-server-timeout=500ms")
    wait_until(lambda: before != pids(router)["dnsmasq"] and not os.path.exists(f"/proc/{before}"), LONG)
    assert data(answered(pc, "long.example")) == ["198.51.100.81"]
    # The first is asked alone now, and is there, but says nothing: its answers are lost on the way.
    isp.run("nft", "add table ip lost; add chain ip lost out { type filter hook output priority 0; }; "
            "add rule ip lost out ip saddr 203.0.113.53 udp sport 53 drop")
    done = pc.run("dig", "+short", "+tries=2", "+time=5", "@192.168.88.1", "late.example", check=False)
    assert "198.51.100.95" in done.stdout, f"{done.stdout}{router.log()}"
    assert "name server 203.0.113.53 does not answer: the others are asked" in router.log()
    # Nobody waits for it any more.
    assert data(dig(pc, "more.example")) == ["198.51.100.96"]
    # When it is the only one that answers it is asked again.
    isp.run("nft", "delete table ip lost")
    isp.run("nft", "add table ip lost; add chain ip lost out { type filter hook output priority 0; }; "
            "add rule ip lost out ip saddr 203.0.113.54 udp sport 53 drop")
    wait_until(lambda: data(dig(pc, "www.example", "TXT")) == ['"up"'], LONG, router.log)


def test_what_routeros_writes_in_full_is_taken(lab):
    """Each property of `/ip dns export verbose` with its default, and what this version cannot do with a sentence."""
    router, _, pc = start(lab)
    router.ctl("/ip dns set address-list-extra-time=0s allow-remote-requests=yes cache-max-ttl=1w cache-size=2048KiB "
               "doh-max-concurrent-queries=50 doh-max-server-connections=5 doh-timeout=5s max-concurrent-queries=100 "
               "max-concurrent-tcp-sessions=20 max-udp-packet-size=4096 mdns-repeat-ifaces=\"\" "
               "query-server-timeout=2s query-total-timeout=10s servers=203.0.113.53 use-doh-server=\"\" "
               "verify-doh-cert=no vrf=main")
    router.ctl("/ip dns static add address=192.168.88.5 address-list=\"\" disabled=no match-subdomain=no "
               "name=nas.lan ttl=1d type=A")
    router.ctl("/ip dns set max-concurrent-tcp-sessions=60 query-server-timeout=3s query-total-timeout=15s")
    assert data(answered(pc, "nas.lan")) == ["192.168.88.5"]
    assert data(dig(pc, "www.example", tcp=True)) == ["198.51.100.80"]
    words = Path(f"/proc/{pids(router)['dnsmasq']}/cmdline").read_text().split("\0")
    config = Path(next(word for word in words if word.startswith("--conf-file=")).split("=")[1]).read_text()
    assert "max-tcp-connections=60\n" in config and "fast-dns-retry=3000,15000\n" in config
    for line, why in (("mdns-repeat-ifaces=ether2", "mdns-repeat-ifaces is not yet working"),
                      ("doh-max-server-connections=9", "opens as many connections as it needs"),
                      ("query-server-timeout=10ms", "query-server-timeout"),
                      ("max-concurrent-tcp-sessions=0", "max-concurrent-tcp-sessions")):
        refused = router.ctl(f"/ip dns set {line}", check=False)
        assert refused.returncode != 0 and why in refused.stderr, refused.stderr


def test_a_router_that_is_killed_takes_its_servers_along(lab):
    """Neither dnsmasq nor dnsdist nor unbound is left to answer with what was."""
    router, _, pc = start(lab)
    router.ctl("/ip/dns/static add name=www.example type=NXDOMAIN")
    router.ctl("/ip/dns/static add name=far.lan type=CNAME cname=long.example")
    wait_until(lambda: dig(pc, "www.example")[0] == "NXDOMAIN", LONG, router.log)
    assert data(answered(pc, "far.lan"))[0] == "long.example."
    running = pids(router)
    assert {"dnsmasq", "unbound"} < set(running)  # and dnsdist, of which there may be two for a while
    router.process.popen.kill()
    router.process.popen.wait()
    router.process = None
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in running.values()), LONG,
               lambda: f"{running}")
    router.start()
    wait_until(lambda: router.row("/ip/dns")["status"] == "running" and set(pids(router).values()).isdisjoint(
        running.values()), LONG, router.log)
