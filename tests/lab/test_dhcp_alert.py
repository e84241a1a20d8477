"""/ip/dhcp-server/alert (C-13): a dnsmasq that nobody knows of hands out addresses on our LAN."""

import pytest

from dhcp_clients import udhcpc
from dhcp_servers import Dnsmasq
from lab import Lab, dataplane, wait_until

LONG = 60


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def start(lab, *hosts):
    """A LAN on ether2, without DHCP of our own."""
    router = lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "ether2", "device": "net_tap0,iface=mllan"}],
                      "macvlan": [{"name": "iot", "interface": "ether2"}]},
        "ip": {"address": [{"address": "192.168.88.1/24", "interface": "ether2"}]},
    }).start()
    switch = lab.switch()
    switch.plug(router.move_wire("mllan", switch.ns, up=False))
    return router, *[switch.host(name, prefix) for name, prefix in hosts]


def row(router):
    return router.row("/ip/dhcp-server/alert", interface="ether2")


def mac(host):
    return host.mac("eth0").upper()


def alerts(router, host):
    return router.log().count(f"dhcp alert on ether2: discovered unknown dhcp server, mac {mac(host)}")


def runs(router):
    return int(router.row("/system/script", name="tell").get("run-count", "0"))


def test_a_server_that_nobody_knows_of_is_told_of(lab):
    """The watch asks by itself; unknown-server, the log, on-alert once for each alert, reset-alert,
    valid-server and the flags."""
    router, rogue, good, pc = start(lab, ("rogue", "192.168.88.66/24"), ("good", "192.168.88.2/24"),
                                    ("pc", None))
    Dnsmasq(good, "eth0", "192.168.88.50", "192.168.88.60")
    Dnsmasq(rogue, "eth0", "192.168.88.150", "192.168.88.160")
    router.ctl('/system/script add name=tell source=":log info \\"told of it\\""')
    router.ctl(f"/ip/dhcp-server/alert add interface=ether2 valid-server={mac(good)} on-alert=tell")
    assert row(router)["disabled"] == "true" and row(router)["alert-timeout"] == "1h"
    pc.ip("link", "set", "eth0", "up")
    assert udhcpc(pc, "-B")["address"] and alerts(router, rogue) == 0  # it is not enabled yet
    router.ctl("/ip/dhcp-server/alert enable 0")
    wait_until(lambda: row(router).get("unknown-server") == mac(rogue), LONG, router.log)
    assert (alerts(router, rogue), alerts(router, good)) == (1, 0)
    (line,) = [one for one in router.log().splitlines() if "discovered unknown" in one]
    assert "dhcp,critical,error" in line and line.endswith("ip 192.168.88.66")
    wait_until(lambda: runs(router) == 1, LONG, router.log)
    # Heard again and again, by what it says to others as well: one alert.
    for _ in range(3):
        udhcpc(pc, "-B")
    assert alerts(router, rogue) == 1 and runs(router) == 1
    assert "told of it" in router.log()
    # reset-alert forgets it: the next word of it is an alert.
    router.ctl("/ip/dhcp-server/alert reset-alert 0")
    assert "unknown-server" not in row(router)

    def again():
        udhcpc(pc, "-B")
        return alerts(router, rogue) == 2 and runs(router) == 2

    wait_until(again, LONG, router.log)
    # So does the time.
    router.ctl("/ip/dhcp-server/alert set 0 alert-timeout=2s")
    router.ctl("/ip/dhcp-server/alert reset-alert 0")

    def third():
        udhcpc(pc, "-B")
        return alerts(router, rogue) == 4

    wait_until(third, LONG, router.log)
    wait_until(lambda: runs(router) == 4, LONG, router.log)
    wait_until(lambda: "unknown-server" not in row(router), LONG)
    # Who is valid is none, at once.
    router.ctl("/ip/dhcp-server/alert set 0 alert-timeout=none")
    wait_until(lambda: udhcpc(pc, "-B") and row(router).get("unknown-server"), LONG)
    router.ctl(f"/ip/dhcp-server/alert set 0 valid-server={mac(good)},{mac(rogue)}")
    assert "unknown-server" not in row(router)
    assert row(router)["valid-server"] == f"{mac(good)},{mac(rogue)}"
    # Flags: its interface is down; and no client of ours has taken what was offered.
    assert row(router)["invalid"] == "false"
    router.ctl("/interface/ethernet disable ether2")
    assert row(router)["invalid"] == "true"
    router.ctl("/interface/ethernet enable ether2")
    wait_until(lambda: row(router)["invalid"] == "false", LONG)
    assert [one["address"] for one in router.print("/ip/address")] == ["192.168.88.1/24"]


def test_our_own_servers_and_clients_are_no_alert(lab):
    """A server of ours on the watched interface, and a client beside the watch that gets its address."""
    router, rogue = start(lab, ("rogue", "192.168.88.66/24"))
    router.ctl("/ip/pool add name=lan ranges=192.168.88.10-192.168.88.20")
    router.ctl("/ip/dhcp-server add name=lan interface=ether2 address-pool=lan")
    for interface in ("ether2", "iot"):
        router.ctl(f"/ip/dhcp-server/alert add interface={interface} disabled=no")
    router.ctl("/ip/dhcp-client add interface=iot add-default-route=no")
    Dnsmasq(rogue, "eth0", "192.168.88.150", "192.168.88.160")
    wait_until(lambda: router.row("/ip/dhcp-client")["status"] == "bound", LONG, router.log)
    assert router.row("/ip/dhcp-client")["dhcp-server"] == "192.168.88.66"

    def told():
        rows = router.print("/ip/dhcp-server/alert")
        return [one.get("unknown-server") for one in rows] == [mac(rogue)] * 2

    router.ctl("/interface/ethernet disable ether2")
    router.ctl("/interface/ethernet enable ether2")
    wait_until(told, LONG, router.log)
    assert router.log().count("discovered unknown") == 2
    # One watch an interface, on interfaces with frames that are ours.
    for words, why in (("add interface=ether2", "already exists"),
                       ("add interface=none-such", "none-such"),
                       ("set 0 alert-timeout=0s", "neither none nor a time"),
                       ("set 0 valid-server=1.2.3.4", "is no MAC address")):
        refused = router.ctl(f"/ip/dhcp-server/alert {words}", check=False)
        assert refused.returncode == 1 and why in refused.stdout + refused.stderr, words
    assert "/ip dhcp-server alert\nadd disabled=no interface=ether2\n" in router.ctl("export").stdout
