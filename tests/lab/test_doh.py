"""DNS over HTTPS upstream (C-30): use-doh-server, its certificate, and dnsdist supervised."""

import os
import signal

import pytest

from doh import DohServer
from lab import Lab, wait_until
from test_dns import LONG, answered, data, dig, pids, start, upstream

NAME, URL = "dns.example", "https://dns.example/dns-query"


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def status(router):
    return router.row("/ip/dns")["status"]


def running(router):
    wait_until(lambda: status(router) == "running", LONG,
               lambda: f"{status(router)}\n{router.log()}")


def forwarder(router):
    """The process id of dnsdist, once one has taken the other's place."""
    return wait_until(lambda: (found := [pid for name, pid in pids(router).items()
                                         if name.startswith("dnsdist")])
                      and len(found) == 1 and found[0], LONG)


def test_names_by_https(lab):
    """The server's own name is asked of the others, everything else of it; a certificate nobody signed is
    taken, or is not; a crash of dnsdist is mended; and the way back."""
    router, isp, pc = start(lab)
    isp.address("mlwan", "203.0.113.60/24")
    server = DohServer(isp, NAME, "203.0.113.60", "198.51.100.7")
    plain = upstream(isp, "203.0.113.54", f"host-record={NAME},203.0.113.60,300")
    router.ctl("/ip/dns set servers=203.0.113.54 use-doh-server=" + URL)
    running(router)
    assert "compile time" not in router.log()  # chatter of either
    assert data(answered(pc, "www.example")) == ["198.51.100.7"]
    assert "www.example" in server.asked()
    assert "www.example" not in plain.out() + plain.err() and NAME in plain.out() + plain.err()
    # Remembered, and its own names answered, as with any server.
    (row,) = [row for row in router.print("/ip/dns/cache") if row["name"] == "www.example"]
    assert row["data"] == "198.51.100.7"
    router.ctl("/ip/dns/static add name=nas.lan address=192.168.88.5")
    assert data(answered(pc, "nas.lan")) == ["192.168.88.5"]

    # It signed its certificate itself: that is not trusted until it is told to be.
    router.ctl("/ip/dns set verify-doh-cert=yes")
    wait_until(lambda: "has no certificate that is trusted" in status(router), LONG)
    wait_until(lambda: dig(pc, "other.example")[0] == "SERVFAIL", LONG)
    assert "dns,warning" in router.log() and f"{URL} does not answer" in router.log()
    (router.state / "files").mkdir(exist_ok=True)
    (router.state / "files" / "doh.crt").write_text(server.certificate)
    router.ctl('/certificate import file-name=doh.crt passphrase=""')
    running(router)
    assert data(answered(pc, "other.example")) == ["198.51.100.7"]

    # A crash: it is started again, the log says so, dnsmasq and forwarding go on.
    pid = forwarder(router)
    names = (router.state / "dnsmasq.pid").read_text()
    os.kill(pid, signal.SIGKILL)
    assert pc.ping("203.0.113.53", count=2).ok
    wait_until(lambda: "dnsdist was ended by signal 9; it is started again" in router.log(), LONG)
    assert data(answered(pc, "third.example")) == ["198.51.100.7"]
    assert (router.state / "dnsmasq.pid").read_text() == names

    # Without it the servers are asked again, and dnsdist is gone.
    second = forwarder(router)
    router.ctl('/ip/dns set use-doh-server="" servers=203.0.113.53')
    assert data(answered(pc, "www.example")) == ["198.51.100.80"]
    assert not os.path.exists(f"/proc/{second}")


def test_where_the_server_is(lab):
    """By number, by a row of one's own, and by nobody: then the row says what is missing."""
    router, isp, pc = start(lab)
    isp.address("mlwan", "203.0.113.60/24")
    DohServer(isp, NAME, "203.0.113.60", "198.51.100.7")
    router.ctl('/ip/dns set servers="" use-doh-server=' + URL)
    assert status(router).startswith(f"running, but the address of {NAME} is not known")
    router.ctl(f"/ip/dns/static add name=DNS.example address=203.0.113.60")
    running(router)
    assert data(answered(pc, "www.example")) == ["198.51.100.7"]
    router.ctl("/ip/dns/static remove 0")
    assert "is not known" in status(router)
    router.ctl("/ip/dns set use-doh-server=https://203.0.113.60")
    running(router)
    assert data(answered(pc, "again.example")) == ["198.51.100.7"]
    refused = router.ctl("/ip/dns set use-doh-server=http://203.0.113.60/dns-query", check=False)
    assert refused.returncode != 0 and "no https:// URL" in refused.stdout + refused.stderr
