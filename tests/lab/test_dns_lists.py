"""Address lists that fill by themselves: with what names turned out to be (C-32), and with who has a lease (C2)."""

import pytest

from dhcp_clients import udhcpc
from lab import Lab, dataplane, flag, wait_until
from test_dns import LONG, answered, data, dig, start, upstream

ROWS = "/ip/firewall/address-list"


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def listed(router, name):
    return {row["address"]: row for row in router.print(ROWS) if row["list"] == name}


def test_whoever_asks_for_a_name_puts_its_addresses_into_the_list(lab):
    """C-32: address-list, with subdomains, expressions and aliases, for as long as the answer counts and
    address-list-extra-time longer; the first packet to such an address finds it there."""
    router, isp, pc = start(lab)
    upstream(isp, "203.0.113.54", "host-record=a.video.example,198.51.100.91,300",
             "host-record=edge.cdn.example,198.51.100.92,300", "cname=b.video.example,edge.cdn.example,300",
             "host-record=img1.shop.example,198.51.100.93,300", "host-record=short.example,198.51.100.94,1")
    isp.address("mlwan", "198.51.100.91/32", "198.51.100.92/32")
    for line in (
        "name=video.example type=FWD forward-to=203.0.113.54 match-subdomain=yes address-list=video",
        "regexp=\"^img[0-9]+[.]shop[.]example\\$\" type=FWD forward-to=203.0.113.54 address-list=shop",
        "name=short.example type=FWD forward-to=203.0.113.54 address-list=short",
        "name=nas.lan address=192.168.88.5 ttl=2h address-list=own",
        "name=off.lan address=192.168.88.6 address-list=off disabled=yes",
    ):
        router.ctl(f"/ip/dns/static add {line}")
    router.ctl("/ip/dns set address-list-extra-time=10m")
    router.ctl("/ip/firewall/filter add chain=forward dst-address-list=video action=drop")
    wait_until(lambda: dig(pc, "a.video.example")[0] == "NOERROR", LONG, router.log)
    assert not pc.ping("198.51.100.91", wait=1).ok
    # No packet comes too soon: it is there before whoever asked knows it.
    assert pc.ping("198.51.100.92").ok
    done = pc.run("sh", "-c", "dig +short @192.168.88.1 b.video.example | tail -1; ping -nc1 -W1 198.51.100.92",
                  check=False)
    assert done.stdout.startswith("198.51.100.92\n") and "0 received" in done.stdout
    found = listed(router, "video")
    assert set(found) == {"198.51.100.91", "198.51.100.92"}
    assert {row["comment"] for row in found.values()} == {"a.video.example", "b.video.example"}
    assert all(flag(row["dynamic"]) for row in found.values())
    # Five minutes, and ten more.
    wait_until(lambda: all(row["timeout"].startswith("14m") or row["timeout"] == "15m"
                           for row in listed(router, "video").values()), LONG,
               lambda: f"{listed(router, 'video')}")
    assert data(answered(pc, "IMG1.shop.example")) == ["198.51.100.93"]
    assert set(listed(router, "shop")) == {"198.51.100.93"}
    assert data(answered(pc, "nas.lan")) == ["192.168.88.5"]
    wait_until(lambda: listed(router, "own")["192.168.88.5"]["timeout"].startswith(("2h10m", "2h9m")), LONG)
    assert not listed(router, "off")
    # Of two names with one address the one that counts for longer says how long it stays.
    router.ctl("/ip/dns/static add name=twin.lan address=192.168.88.5 ttl=4h address-list=own")
    wait_until(lambda: data(dig(pc, "twin.lan")) == ["192.168.88.5"], LONG)
    wait_until(lambda: listed(router, "own")["192.168.88.5"]["timeout"].startswith(("4h10m", "4h9m")), LONG)
    assert data(dig(pc, "nas.lan")) == ["192.168.88.5"]
    assert listed(router, "own")["192.168.88.5"]["timeout"].startswith("4h")
    # Others' names do not come in, and what was added is in no export.
    answered(pc, "www.example")
    assert "198.51.100.80" not in {row["address"] for row in router.print(ROWS)}
    assert "198.51.100.91" not in router.ctl(f"{ROWS} export").stdout
    # It goes when its time is over, and comes back with the next question.
    router.ctl("/ip/dns set address-list-extra-time=0s")
    wait_until(lambda: data(dig(pc, "short.example")) == ["198.51.100.94"], LONG)
    assert set(listed(router, "short")) == {"198.51.100.94"}
    wait_until(lambda: not listed(router, "short"), LONG)
    assert data(dig(pc, "short.example")) == ["198.51.100.94"]
    assert set(listed(router, "short")) == {"198.51.100.94"}


def test_clients_of_dhcp_are_in_lists_while_they_have_their_lease(lab):
    """C2, C-7: address-lists of a server and of a row of lease."""
    router = lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "lan", "device": "net_tap0,iface=mllan"}]},
        "ip": {
            "address": [{"address": "192.168.88.1/24", "interface": "lan"}],
            "pool": [{"name": "p", "ranges": "192.168.88.100-192.168.88.150"}],
            "dhcp-server/network": [{"address": "192.168.88.0/24", "gateway": "192.168.88.1"}],
            "dhcp-server": [{"name": "dhcp1", "interface": "lan", "address-pool": "p", "conflict-detection": False,
                             "address-lists": ["clients", "all"]}],
            "dhcp-server/lease": [{"address": "192.168.88.9", "mac-address": "02:cc:00:00:00:01",
                                   "address-lists": "printers"}],
            "firewall/filter": [{"chain": "input", "src-address-list": "printers", "action": "drop"}],
        },
    }).start()
    switch = lab.switch()
    switch.plug(router.move_wire("mllan", switch.ns, up=False))
    printer, laptop = switch.host("printer", None), switch.host("laptop", None)
    printer.ip("link", "set", "eth0", "address", "02:cc:00:00:00:01")
    assert udhcpc(printer)["address"] == "192.168.88.9"
    other = udhcpc(laptop)["address"]
    wait_until(lambda: set(listed(router, "clients")) == {"192.168.88.9", other}, LONG, router.log)
    assert set(listed(router, "all")) == {"192.168.88.9", other}
    assert set(listed(router, "printers")) == {"192.168.88.9"}
    row = listed(router, "clients")[other]
    assert flag(row["dynamic"]) and row["comment"] == "dhcp1" and "timeout" not in row
    assert laptop.ping("192.168.88.1").ok and not printer.ping("192.168.88.1", wait=1).ok
    # A restart keeps the leases, and with them the lists.
    router.stop()
    router.start()
    switch.plug(router.move_wire("mllan", switch.ns, up=False))
    wait_until(lambda: set(listed(router, "printers")) == {"192.168.88.9"}, LONG, router.log)
    # Without its lists, and without its lease, nothing is left; a row of one's own is not touched.
    router.ctl("/ip/dhcp-server set dhcp1 address-lists=clients")
    wait_until(lambda: not listed(router, "all"), LONG)
    router.ctl("/ip/dhcp-server/lease remove [find dynamic=yes]")
    wait_until(lambda: set(listed(router, "clients")) == {"192.168.88.9"}, LONG)
    router.ctl("/ip/dhcp-server/lease set [find address=192.168.88.9] address-lists=\"\"")
    wait_until(lambda: not listed(router, "printers"), LONG)
    assert printer.ping("192.168.88.1").ok
    router.ctl(f"{ROWS} add list=printers address=192.168.88.9")
    router.ctl("/ip/dhcp-server/lease set [find address=192.168.88.9] address-lists=printers")
    router.ctl("/ip/dhcp-server disable dhcp1")
    wait_until(lambda: not listed(router, "clients"), LONG)
    assert not flag(listed(router, "printers")["192.168.88.9"].get("dynamic", "false"))
