"""The name server as the router itself uses it (C5): whoever else may ask, whoever told of its servers."""

import pytest

from dhcp_servers import Dnsmasq
from lab import Lab, dataplane, wait_until
from test_dns import LONG, answered, data, dig, start, upstream


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def resolve(router, name):
    return router.ctl(f":put [:resolve {name}]", check=False).stdout.strip()


def test_not_for_others_unless_told(lab):
    """C-30, E-13: without allow-remote-requests silence; with an input drop silence too."""
    router, isp, pc = start(lab, remote=False)
    assert dig(pc, "www.example")[0] == "TIMEOUT"
    assert data(dig(router.ns, "www.example", server="127.0.0.1")) == ["198.51.100.80"]
    router.ctl("/ip/dns set allow-remote-requests=yes")
    answered(pc, "www.example")
    router.ctl("/ip/firewall/filter add chain=input in-interface=ether2 action=drop")
    assert dig(pc, "www.example")[0] == "TIMEOUT"
    # The recipe: accept DNS before the drop.
    router.ctl("/ip/firewall/filter add chain=input protocol=udp dst-port=53 action=accept "
               "place-before=0")
    answered(pc, "www.example")
    assert isp.ping("203.0.113.2").ok


def test_the_last_of_many_names_is_there(lab):
    """C-31: names added in a row are told to the name server some at a time; the last is not left out, and
    the router itself knows each at once."""
    router, _, _ = start(lab, remote=False)
    router.ctl("; ".join(f"/ip/dns/static/add name=n{n}.lan address=10.9.0.{n}" for n in range(1, 100)))
    for n in range(100, 120):
        router.ctl(f"/ip/dns/static/add name=n{n}.lan address=10.9.0.{n}")
    wait_until(lambda: data(dig(router.ns, "n119.lan", server="127.0.0.1")) == ["10.9.0.119"], LONG,
               router.log)
    for n in range(120, 140):
        said = router.ctl(f"/ip/dns/static/add name=n{n}.lan address=10.9.0.{n}; :put [:resolve n{n}.lan]")
        assert said.stdout.split()[-1] == f"10.9.0.{n}"


def test_the_router_asks_for_names_itself(lab):
    """/ping NAME, :resolve: by the name server that runs here, whoever else may ask it."""
    router, isp, _ = start(lab, remote=False)
    isp.run("ip", "address", "add", "198.51.100.80/32", "dev", "lo")
    router.ctl("/ip/dns/static/add", "name=own.lan", "address=203.0.113.53")
    for name, address in (("www.example", "198.51.100.80"), ("own.lan", "203.0.113.53")):
        wait_until(lambda: router.ctl(f":put [:resolve {name}]",
                                      check=False).stdout.strip() == address, LONG, router.log)
        rows = router.ctl(f"/ping {name} count=2 interval=20ms").stdout
        assert rows.count(address) == 2 and "received=2" in rows, rows
    for line, words in (
            ("/ping none.example count=1", "while resolving ip-address: name does not exist"),
            ("/ping 10.0.0.256", '"10.0.0.256" is no IPv4 address'),
            ("/ping a..b", "is no name of DNS"),
            (":put [:resolve none.example]", "failure: dns name does not exist"),
            (":put [:resolve www.example server=203.0.113.54]", "failure: dns no DNS server answers"),
            ("/ping www.example src-address=1.2.3.4", "none of the router's addresses")):
        failed = router.ctl(line, check=False)
        assert failed.returncode != 0 and words in failed.stdout + failed.stderr, (line, failed)
    # Without anybody to ask, names of one's own are known all the same; without those nothing runs.
    router.ctl("/ip/dns/set", "servers=")
    wait_until(lambda: router.row("/ip/dns")["status"] == "running, but there is no server to ask",
               LONG, router.log)
    assert resolve(router, "own.lan") == "203.0.113.53"
    assert "no DNS server answers" in router.ctl("/ping other.example", check=False).stderr
    router.ctl("/ip/dns/static/remove", "0")
    wait_until(lambda: router.row("/ip/dns")["status"] == "stopped", LONG, router.log)
    assert "no DNS server is known" in router.ctl("/ping www.example", check=False).stderr


def test_another_program_has_the_port(lab):
    """The namespace may be the host's own: the row and the log say who is in the way, the router asks
    its servers itself, and its own server is there once the port is free."""
    router, isp, pc = start(lab, remote=False)
    router.ctl("/ip/dns/static/add", "name=own.lan", "address=203.0.113.77")
    router.ctl("/ip/dns/set", "servers=")
    router.ctl("/ip/dns/static/set", "0", "disabled=yes")
    wait_until(lambda: router.row("/ip/dns")["status"] == "stopped", LONG, router.log)
    other = upstream(router.ns, "127.0.0.1", "address=/#/192.0.2.99")
    router.ctl("/ip/dns/static/set", "0", "disabled=no")
    router.ctl("/ip/dns/set", "servers=203.0.113.53")
    taken = "another program has port 53 of 127.0.0.1 in the host plane's namespace"
    wait_until(lambda: router.row("/ip/dns")["status"] == f"not running: {taken}; it is tried again",
               LONG, router.log)
    assert router.log().count(f"dnsmasq cannot serve names: {taken}") == 1
    assert resolve(router, "www.example") == "198.51.100.80"
    assert pc.ping("203.0.113.53").ok
    other.stop()
    wait_until(lambda: router.row("/ip/dns")["status"] == "running", LONG, router.log)
    assert resolve(router, "own.lan") == "203.0.113.77"


def test_a_server_that_a_lease_told_of(lab):
    """C-19, C-31: clients and the router itself ask it, for as long as there is the lease."""
    router = lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"},
                                   {"name": "ether2", "device": "net_tap1,iface=mllan"}]},
        "ip": {"address": [{"address": "192.168.88.1/24", "interface": "ether2"}],
               "dhcp-client": [{"interface": "ether1"}],
               "dns/static": [{"name": "own.lan", "address": "192.168.88.5"}]},
    }).start()
    isp, pc = lab.namespace("isp"), lab.namespace("pc")
    router.move_wire("mlwan", isp)
    router.move_wire("mllan", pc)
    isp.address("mlwan", "203.0.113.1/24", "203.0.113.53/24")
    pc.address("mllan", "192.168.88.10/24")
    upstream(isp, "203.0.113.53", "host-record=www.example,198.51.100.80,300",
             "host-record=more.example,198.51.100.81,300")

    def status():
        return router.row("/ip/dns")["status"]

    # Before the lease: names of one's own.
    wait_until(lambda: status() == "running, but there is no server to ask", LONG, router.log)
    assert router.row("/ip/dns").get("dynamic-servers", "") == ""
    assert resolve(router, "own.lan") == "192.168.88.5"
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.51", "--dhcp-option=6,203.0.113.53",
                     gateway="203.0.113.1")
    wait_until(lambda: router.row("/ip/dns")["dynamic-servers"] == "203.0.113.53", LONG, router.log)
    assert status() == "running"
    # dnsmasq looks at its file of servers itself.
    wait_until(lambda: resolve(router, "www.example") == "198.51.100.80", LONG, router.log)
    assert "198.51.100.80" in router.ctl("/ping www.example count=1", check=False).stdout
    # It is a cache: what was asked is answered without the server. Nobody else may ask.
    assert [row["data"] for row in router.print("/ip/dns/cache") if row["name"] == "www.example"]
    assert dig(pc, "www.example")[0] == "TIMEOUT"
    router.ctl("/ip/dns set allow-remote-requests=yes")
    assert data(answered(pc, "more.example")) == ["198.51.100.81"]
    assert data(dig(pc, "own.lan")) == ["192.168.88.5"]
    # The lease goes, and its server with it.
    server.stop()
    router.ctl("/ip/dhcp-client release 0")
    wait_until(lambda: router.row("/ip/dns").get("dynamic-servers", "") == "", LONG, router.log)
    assert status() == "running, but there is no server to ask"
    wait_until(lambda: dig(pc, "other.example")[0] == "REFUSED", LONG, router.log)
    assert data(dig(pc, "own.lan")) == ["192.168.88.5"]
    # Without peer DNS it is not asked (C-19).
    router.ctl("/ip/dhcp-client set 0 use-peer-dns=no")
    server = Dnsmasq(isp, "mlwan", "203.0.113.50", "203.0.113.51", "--dhcp-option=6,203.0.113.53",
                     gateway="203.0.113.1", serial=2)
    wait_until(lambda: router.row("/ip/dhcp-client")["status"] == "bound", LONG, router.log)
    assert router.row("/ip/dns").get("dynamic-servers", "") == ""
    router.ctl("/ip/dhcp-client set 0 use-peer-dns=yes")
    wait_until(lambda: router.row("/ip/dns")["dynamic-servers"] == "203.0.113.53", LONG, router.log)
    wait_until(lambda: dig(pc, "www.example")[0] == "NOERROR", LONG, router.log)
