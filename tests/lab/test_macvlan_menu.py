"""/interface/macvlan as people and programs use it, and what private mode is not."""

import pytest

from lab import Lab, dataplane


@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        yield lab.router({"dataplane": dataplane(), "interface": {"ethernet": [
            {"name": "ether1", "device": "net_tap0,iface=mlport"}]}}).start()


def test_its_commands(router):
    """A-2"""
    menu = "/interface/macvlan"
    router.ctl(f"{menu} add name=m1 interface=ether1")
    router.ctl(f"{menu} set m1 mtu=1400 mode=private")
    assert router.ctl(f":put [{menu} get m1 mtu]").stdout.strip() == "1400"
    assert router.ctl(f":put [{menu} find name=m1]").stdout.strip().startswith("*")
    router.ctl(f'{menu} comment m1 comment="of mine"')
    router.ctl(f"{menu} disable m1")
    row = router.row(menu, name="m1")
    assert row["comment"] == "of mine" and row["disabled"] == "true" and row["running"] == "false"
    router.ctl(f"{menu} enable m1")
    assert router.row(menu, name="m1")["running"] == "true"
    text = router.ctl(f"{menu} export").stdout
    assert "name=m1" in text and "mode=private" in text
    router.ctl(f"{menu} remove m1")
    assert router.print(menu) == []


def test_its_row_among_all_interfaces(router):
    """A-10"""
    router.ctl("/interface/macvlan add name=m2 interface=ether1 comment=mine")
    row = router.row("/interface", name="m2")
    assert row["type"] == "macvlan" and row["mtu"] == row["actual-mtu"] == "1500"
    assert row["comment"] == "mine" and row["running"] == "true" and row["slave"] == "false"
    assert {"l2mtu", "mac-address", "link-downs", "rx-byte", "tx-byte", "rx-packet", "tx-packet",
            "rx-drop", "tx-drop", "rx-error", "tx-error", "tx-queue-drop"} <= set(row)
    router.ctl("/interface/macvlan remove m2")


def test_nothing_goes_with_a_removed_one(router):
    """A-9"""
    router.ctl("/interface/macvlan add name=m3 interface=ether1")
    router.ctl("/ip/address add address=10.3.0.1/24 interface=m3")
    refused = router.ctl("/interface/macvlan remove m3", check=False)
    assert refused.returncode != 0 and "10.3.0.1/24" in refused.stdout + refused.stderr
    assert router.row("/ip/address", address="10.3.0.1/24")["interface"] == "m3"
    router.ctl("/ip/address remove 0")
    router.ctl("/interface/macvlan remove m3")


def test_private_networks_are_routed_until_rules_say_no(router):
    """A-36, E-28, E-46: the page's guest and IoT networks."""
    lab = router.lab
    switch = lab.switch()
    switch.plug(router.move_wire("mlport", switch.ns, up=False))
    for name, net in (("macvlan-guest", 100), ("macvlan-iot", 200)):
        router.ctl(f"/interface macvlan add interface=ether1 name={name} mode=private")
        router.ctl(f"/ip address add address=192.168.{net}.1/24 interface={name}")
    guest = switch.host("guest", "192.168.100.10/24", "192.168.100.1")
    switch.host("iot", "192.168.200.10/24", "192.168.200.1")
    assert guest.ping("192.168.200.10").ok
    for one, other in (("guest", "iot"), ("iot", "guest")):
        router.ctl(f"/ip firewall filter add chain=forward in-interface=macvlan-{one} "
                   f"out-interface=macvlan-{other} action=drop")
    assert not guest.ping("192.168.200.10", wait=1).ok
