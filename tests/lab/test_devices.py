"""Devices as the configuration changes: what a refused change leaves behind, and what moves.

The ports are DPDK's net_null, which needs no wire: each hears an endless row of empty frames.
"""

import copy

import pytest

from frames import mac
from lab import Lab, dataplane, wait_until

OWN = mac(0x5001)


@pytest.fixture
def router():
    with Lab() as lab:
        yield lab.router(config()).start()


def config(*ethernets, macvlans=()):
    ethernets = ethernets or ({"name": "ether1", "device": "net_null0"},
                              {"name": "ether2", "device": "net_null1"})
    return {
        "dataplane": dataplane(),
        "interface": {"ethernet": copy.deepcopy(list(ethernets)), "macvlan": list(macvlans)},
    }


def received(router, name):
    return int(router.row("/interface", name=name)["rx-packet"])


def hears(router, name):
    before = received(router, name)
    wait_until(lambda: received(router, name) > before, 10, f"{name} to receive")


def refused(router, new):
    done = router.reload(new, check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def test_port_lives_on_when_its_new_device_is_refused(router):
    for name in ("ether1", "ether2"):
        hears(router, name)
    said = refused(router, config({"name": "ether1", "device": "net_null0,bogus=1"},
                                  {"name": "ether2", "device": "net_null1"}))
    assert "net_null0,bogus=1" in said
    for name in ("ether1", "ether2"):
        hears(router, name)
    # And the next change finds it where it was.
    router.reload(config({"name": "ether1", "device": "net_null0,size=128"},
                         {"name": "ether2", "device": "net_null1"}))
    hears(router, "ether1")


def test_refused_change_gives_the_old_mac_address_back(router):
    before = router.mac("ether2")
    assert before != OWN
    lost = {"name": "lost", "interface": "ether1", "attach": "tap", "netns": "no-such-namespace"}
    said = refused(router, config({"name": "ether1", "device": "net_null0"},
                                  {"name": "ether2", "device": "net_null1", "mac-address": OWN},
                                  macvlans=[lost]))
    assert "no-such-namespace" in said
    assert router.mac("ether2") == before
    router.reload(config({"name": "ether1", "device": "net_null0"},
                         {"name": "ether2", "device": "net_null1", "mac-address": OWN}))
    assert router.mac("ether2") == OWN


def test_ethernet_gets_another_name(router):
    router.reload(config({"name": "wan", "device": "net_null0"},
                         {"name": "ether2", "device": "net_null1"}))
    hears(router, "wan")
    assert {row["name"] for row in router.print("/interface/ethernet")} == {"wan", "ether2"}


def test_ethernets_swap_devices(router):
    router.reload(config({"name": "ether1", "device": "net_null1"},
                         {"name": "ether2", "device": "net_null0"}))
    for name in ("ether1", "ether2"):
        hears(router, name)
