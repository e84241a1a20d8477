"""The MACVLAN page's PPPoE commands and its example (C4), as they stand there, against rp-pppoe's pppoe-server
and pppd in a software-emulated guest."""

import itertools

import pytest

from guest import have_guest
from lab import Lab, dataplane, flag, wait_until
from pppoe_scene import CONNECTED, Isp
from scenes import conf, local
from test_dns import answered, data, dig
from test_source_documents import PPPOE_OF_THE_PAGE, run as commands

MISSING = have_guest()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no guest: {MISSING}")
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def isp():
    with Lab() as lab:
        yield Isp(lab)


def plug(isp, router):
    """A router's port into the switch, under a name that is not there yet."""
    name = f"wan{next(NUMBERS)}"
    router.ns.ip("link", "set", "dev", "mlwan", "netns", isp.switch.ns.name, "name", name)
    isp.switch.plug(name)


def test_the_pages_pppoe_commands(isp):
    """PAGE: macvlans and PPPoE clients made in the console dial at once (E-30); what is shown
    without an access concentrator says so."""
    router = isp.lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"}]},
    }, name="page").start()
    for number in (1, 2):
        router.ctl(f"/interface macvlan add interface=ether1 name=macvlan{number}")
        router.ctl(f"/interface pppoe-client add interface=macvlan{number} "
                   f"name=pppoe-out{number} user=user{number} password=pass{number}")
    wait_until(lambda: all("no access concentrator answers" == row.get("last-error")
                           for row in router.print("/interface/pppoe-client")), CONNECTED)
    plug(isp, router)
    wait_until(lambda: all(row["status"] == "connected"
                           for row in router.print("/interface/pppoe-client")), CONNECTED,
               lambda: f"{router.print('/interface/pppoe-client')}\n{router.log()}")
    # add-default-route is no unless it is said (C-21).
    assert not any(row["dst-address"] == "0.0.0.0/0" for row in router.print("/ip/route"))
    router.stop()


def test_the_pages_one_session_and_the_servers_it_tells_of(isp):
    """PAGE: "Create a PPPoE client on a MACVLAN interface for internet access", as it stands there; and
    with use-peer-dns=yes names are asked of the ISP's servers while there is the session (C-19, C-31)."""
    router = isp.lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"},
                                   {"name": "ether2", "device": "net_tap1,iface=mllan"}]},
        "ip": {"address": [{"address": "192.168.77.1/24", "interface": "ether2"}],
               "dns": {"allow-remote-requests": True}},
    }, name="single").start()
    plug(isp, router)
    pc = isp.lab.namespace("single-pc")
    router.move_wire("mllan", pc)
    pc.address("mllan", "192.168.77.10/24")
    pc.default_via("192.168.77.1")
    commands(router, PPPOE_OF_THE_PAGE)

    def row():
        return router.row("/interface/pppoe-client", name="pppoe-out1")

    wait_until(lambda: row()["status"] == "connected", CONNECTED, lambda: f"{row()}\n{router.log()}")
    assert (row()["interface"], row()["user"]) == ("macvlan1", "isp_user")
    # RouterOS takes neither a default route nor name servers from it unless it is told to (C-21).
    assert router.row("/ip/dns").get("dynamic-servers", "") == ""
    router.ctl("/interface pppoe-client set pppoe-out1 add-default-route=yes use-peer-dns=yes")
    router.ctl("/ip firewall nat add chain=srcnat out-interface=pppoe-out1 action=masquerade")
    wait_until(lambda: router.row("/ip/dns").get("dynamic-servers") == "203.0.113.53,203.0.113.54",
               CONNECTED, lambda: f"{row()}\n{router.log()}")
    wait_until(lambda: pc.ping("10.64.0.1", wait=5).ok, CONNECTED)
    # Of the two servers the ISP tells of one is dead: nobody has to ask twice for it.
    wait_until(lambda: router.ctl(":put [:resolve www.isp.example]",
                                  check=False).stdout.strip() == "198.51.100.80",
               CONNECTED, lambda: f"{router.row('/ip/dns')}\n{router.log()}")
    router.ctl("/ip/dns/cache flush")
    assert data(answered(pc, "www.isp.example", server="192.168.77.1")) == ["198.51.100.80"]
    # The session goes, and with it its servers.
    router.ctl("/interface pppoe-client disable pppoe-out1")
    wait_until(lambda: router.row("/ip/dns").get("dynamic-servers", "") == "", CONNECTED)
    assert router.row("/ip/dns")["status"] == "running, but there is no server to ask"
    wait_until(lambda: dig(pc, "other.example", server="192.168.77.1")[0] == "REFUSED", CONNECTED)
    router.stop()


def test_the_example_of_many_sessions(isp):
    """conf/many-pppoe.yaml: the MACVLAN page's two accounts; the second stands by (E-32)."""
    router = isp.lab.router(local(isp.lab, conf("many-pppoe.yaml")), name="example").start()
    plug(isp, router)
    wait_until(lambda: all(row["status"] == "connected"
                           for row in router.print("/interface/pppoe-client")), CONNECTED,
               lambda: f"{router.print('/interface/pppoe-client')}\n{router.log()}")
    routes = {row["gateway"]: flag(row["active"]) for row in router.print("/ip/route")
              if row["dst-address"] == "0.0.0.0/0"}
    assert routes == {"pppoe-out1": True, "pppoe-out2": False}
    router.ctl("/interface/pppoe-client disable pppoe-out1")
    wait_until(lambda: flag(router.row("/ip/route", gateway="pppoe-out2",
                                       dst_address="0.0.0.0/0")["active"]), CONNECTED)
    router.stop()
