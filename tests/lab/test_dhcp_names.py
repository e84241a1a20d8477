"""Names of DHCP clients in our DNS (C2 add-dns-entries): udhcpc calls itself so, dig asks."""

import pytest

from dhcp_clients import dhclient, dhclient_release, udhcpc
from lab import Lab, dataplane, wait_until
from test_dns import LONG, data, dig, upstream

DNS = "192.168.88.1"


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def start(lab, *hosts, server=None, **more):
    """A LAN with a DHCP server that names its clients, and an ISP whose name server denies .lan."""
    router = lab.router({
        "system": {"identity": {"name": "edge1"}},
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"},
                                   {"name": "ether2", "device": "net_tap1,iface=mllan"}]},
        "ip": {"address": [{"address": "203.0.113.2/24", "interface": "ether1"},
                           {"address": "192.168.88.1/24", "interface": "ether2"}],
               "dns": {"servers": ["203.0.113.53"], "allow-remote-requests": True},
               "pool": [{"name": "lan", "ranges": "192.168.88.10-192.168.88.99"}],
               "dhcp-server": [{"name": "lan", "interface": "ether2", "address-pool": "lan",
                                "add-dns-entries": True, **(server or {})}],
               "dhcp-server/network": [{"address": "192.168.88.0/24", "gateway": DNS,
                                        "dns-server": DNS}], **more},
    }).start()
    isp = lab.namespace("isp")
    router.move_wire("mlwan", isp)
    isp.address("mlwan", "203.0.113.53/24")
    upstream(isp, "203.0.113.53", "local=/lan/", "host-record=up.lan,198.51.100.9,3600",
             "host-record=www.example,198.51.100.80,3600", "neg-ttl=3600")
    switch = lab.switch()
    switch.plug(router.move_wire("mllan", switch.ns, up=False))
    made = [switch.host(name, None) for name in hosts]
    wait_until(lambda: router.row("/ip/dns")["status"] == "running", LONG, router.log)
    return router, *made


def lease(host, name, *more):
    """The address of a client that calls itself so."""
    return udhcpc(host, "-x", f"0x0c:{name.encode().hex()}", *more)


def names(router):
    return {row["name"]: row["address"] for row in router.print("/ip/dns/static")
            if row["dynamic"] == "true"}


def gone(router, host, name):
    wait_until(lambda: name not in names(router) and dig(host, name)[0] == "NXDOMAIN", LONG,
               lambda: f"{name}: {names(router)} {dig(host, name)}\n{router.log()}")


def known(router, host, name, address):
    wait_until(lambda: data(dig(host, name)) == [address], LONG,
               lambda: f"{name}: {names(router)} {dig(host, name)}\n{router.log()}")


def ended(router, host):
    row = router.row("/ip/dhcp-server/lease", mac_address=host.mac("eth0").upper())
    router.ctl(f"/ip/dhcp-server/lease remove {row['.id']}")


def test_clients_have_names_until_they_leave(lab):
    """A name, its address, PTR and ttl; renamed, released, removed, switched off; what was denied or
    known of elsewhere before is not remembered against it."""
    router, one, two = start(lab, "one", "two")
    first = lease(one, "laptop")
    assert first["domain"] == "lan"
    known(router, one, "laptop.lan", first["address"])
    ttl, kind, answer = dig(one, "laptop.lan")[1][0]
    assert (ttl, kind) == (1800, "A")  # the lease-time
    back = ".".join(reversed(first["address"].split("."))) + ".in-addr.arpa"
    assert data(dig(one, back, "PTR")) == ["laptop.lan."]
    row = router.row("/ip/dns/static", name="laptop.lan")
    assert (row["type"], row["address"], row["ttl"]) == ("A", first["address"], "30m")
    refused = router.ctl(f"/ip/dns/static set {row['.id']} address=1.1.1.1", check=False)
    assert refused.returncode == 1 and "can not change a dynamic item" in refused.stderr
    # Before there is such a client: nobody knows it, whatever is asked for. And one of elsewhere.
    for kind in ("A", "AAAA", "TXT"):
        assert dig(one, "phone.lan", kind)[0] == "NXDOMAIN"
    assert data(dig(one, "UP.lan")) == ["198.51.100.9"]
    second = lease(two, "Phone.lan")  # as clients that know their domain send it
    known(router, one, "phone.lan", second["address"])
    for kind in ("AAAA", "TXT"):
        assert dig(one, "phone.lan", kind) == ("NOERROR", []), kind
    # Another name in place of the one it had, in its next request.
    assert lease(two, "up", "-r", second["address"])["address"] == second["address"]
    known(router, one, "up.lan", second["address"])
    gone(router, one, "phone.lan")
    # Released by its client, removed by a person: what others say counts again.
    known(router, one, "tablet.lan", dhclient(two, name="tablet")["address"])
    dhclient_release(two)
    gone(router, one, "tablet.lan")
    ended(router, two)
    wait_until(lambda: data(dig(one, "up.lan")) == ["198.51.100.9"], LONG, lambda: names(router))
    ended(router, one)
    gone(router, one, "laptop.lan")
    assert names(router) == {}
    # Another suffix, and none of it.
    again = lease(one, "laptop")["address"]
    known(router, one, "laptop.lan", again)
    router.ctl("/ip/dhcp-server set lan add-dns-entries-suffix=home.arpa")
    known(router, one, "laptop.home.arpa", again)
    gone(router, one, "laptop.lan")
    assert lease(one, "laptop")["domain"] == "home.arpa"
    assert "add-dns-entries-suffix=home.arpa" in router.ctl("export").stdout
    router.ctl("/ip/dhcp-server set lan add-dns-entries=no")
    wait_until(lambda: not names(router) and not dig(one, "laptop.home.arpa")[1], LONG)


def test_rows_lead_to_clients(lab):
    """CNAME rows (C-32), one behind another and with a ttl of its own, to the name a client has now."""
    rows = [{"name": "nas.lan", "type": "CNAME", "cname": "laptop.lan"},
            {"name": "brief.lan", "type": "CNAME", "cname": "laptop.lan", "ttl": "5m"},
            {"name": "files.home", "type": "CNAME", "cname": "nas.lan"}]
    router, one, two = start(lab, "one", "two", **{"dns/static": rows})

    def lead(host, address):
        for name, ttl in (("nas.lan", 86400), ("brief.lan", 300), ("files.home", 86400)):
            wait_until(lambda n=name: data(dig(host, n))[-1:] == [address], LONG,
                       lambda n=name: f"{n}: {dig(host, n)}\n{router.log()}")
            first, *more, last = dig(host, name)[1]
            assert ttl - 60 < first[0] <= ttl and (first[1], last[1]) == ("CNAME", "A")
            assert len(more) == (name == "files.home")

    first = lease(one, "laptop")["address"]
    known(router, one, "laptop.lan", first)
    lead(one, first)
    # The client leaves, and another calls itself so.
    second = lease(two, "laptop")["address"]
    ended(router, one)
    known(router, two, "laptop.lan", second)
    lead(two, second)
    ended(router, two)
    for name in ("nas.lan", "brief.lan", "files.home"):
        wait_until(lambda n=name: second not in data(dig(two, n)), LONG,
                   lambda n=name: f"{n}: {dig(two, n)}")


def test_a_lease_that_ends_by_itself_and_one_that_outlives_the_router(lab):
    """C-12: the lease-time passes, and the name with it; a kill keeps both, and who was first."""
    router, one, two = start(lab, "one", "two", server={"lease-time": "1h"})
    nas = lease(one, "nas")["address"]
    assert lease(two, "nas")["address"] != nas
    known(router, one, "nas.lan", nas)
    router.process.popen.kill()
    router.process.popen.wait()
    router.process = None
    router.start()
    switch = lab.namespaces["switch"]
    router.move_wire("mllan", switch, up=False)
    switch.ip("link", "set", "mllan", "master", "br0")
    switch.ip("link", "set", "mllan", "up")
    isp = lab.namespaces["isp"]
    router.move_wire("mlwan", isp)
    isp.address("mlwan", "203.0.113.53/24")
    known(router, one, "nas.lan", nas)
    assert dig(one, "nas.lan")[1][0][0] == 3600
    # The shortest lease there is, for a client that takes no longer one.
    router.ctl("/ip/dhcp-server set lan lease-time=3s")
    short = lease(one, "brief")["address"]
    known(router, two, "brief.lan", short)
    known(router, two, "nas.lan", router.row("/ip/dhcp-server/lease",
                                            mac_address=two.mac("eth0").upper())["address"])
    gone(router, two, "brief.lan")


def test_names_take_nothing_from_anybody(lab):
    """Rows of /ip/dns/static win, whatever they are; so do the router, whoever has a name already and
    who has a row in lease; and what is no name is none."""
    rows = [{"name": "nas.lan", "address": "192.168.88.5", "ttl": "1d"},
            {"name": "short.lan", "address": "192.168.88.6", "ttl": "5m"},
            {"name": "ads.lan", "type": "NXDOMAIN"},
            {"name": "zone.lan", "address": "192.168.88.7", "match-subdomain": True},
            {"regexp": "^secret-.*", "address": "192.168.88.8"},
            {"name": "mail.lan", "type": "MX", "mx-exchange": "nas.lan", "ttl": "1d"}]
    router, one, two, three = start(lab, "one", "two", "three", **{"dns/static": rows})
    first = lease(one, "printer")["address"]
    known(router, one, "printer.lan", first)
    for bad in ("nas", "NAS", "nas.lan", "short", "ads", "zone", "secret-1", "mail", "printer",
                "localhost", "wpad", "edge1", "*", "a b", "x" * 64, "-x", "www.example", "..", ".lan",
                "lan", "a\nb 203.0.113.9 evil.lan"):
        lease(two, bad)
        if bad in ("lan", "a\nb 203.0.113.9 evil.lan"):
            continue
        wait_until(lambda: f'calls itself "{bad}"' in router.log(), LONG, router.log)
        assert names(router) == {"printer.lan": first}, bad
    wait_until(lambda: "evil" not in str(names(router)), LONG)
    assert data(dig(one, "nas.lan")) == ["192.168.88.5"]
    assert dig(one, "nas.lan")[1][0][0] == 86400 and dig(one, "short.lan")[1][0][0] == 300
    assert data(dig(one, "ads.lan")) == [] and data(dig(one, "x.zone.lan")) == ["192.168.88.7"]
    assert data(dig(one, "secret-1.lan")) == ["192.168.88.8"]
    assert dig(one, "mail.lan", "MX")[1] == [(86400, "MX", "10 nas.lan.")]
    assert data(dig(one, "www.example")) == ["198.51.100.80"] and not dig(one, "evil.lan")[1]
    # A row that is written later takes the name, and gives it back.
    router.ctl("/ip/dns/static add name=printer.lan address=192.168.88.9")
    known(router, one, "printer.lan", "192.168.88.9")
    assert "printer.lan" not in names(router)
    router.ctl("/ip/dns/static remove [find name=printer.lan]")
    known(router, one, "printer.lan", first)
    # Who was first goes before others; who has a row in lease before all; the name passes on.
    second = lease(two, "printer")["address"]
    third = lease(three, "printer")["address"]
    known(router, one, "printer.lan", first)
    row = router.row("/ip/dhcp-server/lease", address=third)
    router.ctl(f"/ip/dhcp-server/lease make-static {row['.id']}")
    known(router, one, "printer.lan", third)
    router.ctl("/ip/dhcp-server/lease remove [find address=" + third + "]")
    known(router, one, "printer.lan", first)
    ended(router, one)
    known(router, two, "printer.lan", second)
    # A suffix that is none is refused.
    wrong = router.ctl('/ip/dhcp-server set lan add-dns-entries-suffix="a b"', check=False)
    assert wrong.returncode == 1 and "is no domain" in wrong.stderr
