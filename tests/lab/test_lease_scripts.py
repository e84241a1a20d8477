"""What DHCP tells scripts (C2 lease-script, C-19), and where a client's routes go (C-15, F-7)."""

import pytest

from dhcp_clients import dhclient, udhcpc
from dhcp_servers import Dnsmasq
from lab import Lab, dataplane, wait_until
from scenes import ISP

BOUND = 60


@pytest.fixture(scope="module")
def scene():
    """A client on wan1 and wan2 of ether1, a server on ether2."""
    tree = {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"},
                         {"name": "ether2", "device": "net_tap1,iface=mllan"}],
            "macvlan": [{"name": "wan1", "interface": "ether1"},
                        {"name": "wan2", "interface": "ether1"}],
        },
        "routing": {"table": [{"name": "second", "fib": True}]},
        "ip": {
            "address": [{"address": "192.168.88.1/24", "interface": "ether2"}],
            "pool": [{"name": "lan", "ranges": "192.168.88.10-192.168.88.99"}],
            "dhcp-server": [{"name": "lan", "interface": "ether2", "address-pool": "lan"}],
            "dhcp-server/network": [{"address": "192.168.88.0/24", "gateway": "192.168.88.1"}],
        },
    }
    with Lab() as lab:
        lab.of = lab.router(tree).start()
        lab.isp, lab.pc = lab.namespace("isp"), lab.namespace("pc")
        lab.of.move_wire("mlwan", lab.isp)
        lab.isp.address("mlwan", f"{ISP}/24")
        lab.of.move_wire("mllan", lab.pc)
        yield lab


def said(router, text):
    wait_until(lambda: text in router.log(), BOUND, lambda: f"{text} in\n{router.log()}")


LEASE = (
    ":log info (\\\"lease \\\" . \\$leaseBound . \\\" of \\\" . \\$leaseServerName . \\\": \\\" . "
    "\\$leaseActIP . \\\" \\\" . \\$leaseActMAC . \\\" \\\" . \\$\\\"lease-hostname\\\" . \\\" \\\" . "
    "(\\$\\\"lease-options\\\"->\\\"60\\\"));"
)


def test_a_lease_script_hears_of_beginnings_and_ends(scene):
    """leaseBound, leaseServerName, leaseActMAC, leaseActIP, lease-hostname, lease-options; and the thing
    people use it for: a name for each client."""
    router = scene.of
    names = (
        ":if (\\$leaseBound = 1) do={ /ip dns static add name=(\\$\\\"lease-hostname\\\" . \\\".lan\\\") "
        "address=\\$leaseActIP comment=\\$leaseActMAC } else={ "
        "/ip dns static remove [find comment=\\$leaseActMAC] }"
    )
    router.ctl(f'/ip/dhcp-server set lan lease-script="{LEASE} {names}"')
    mac = scene.pc.mac("mllan").upper()
    told = udhcpc(scene.pc, "-x", "hostname:printer", "-V", "acme", device="mllan")
    said(router, f"lease 1 of lan: {told['address']} {mac} printer acme")
    wait_until(lambda: router.print("/ip/dns/static"), BOUND)
    assert router.row("/ip/dns/static", name="printer.lan")["address"] == told["address"]
    # Renewed: nothing began.
    udhcpc(scene.pc, "-x", "hostname:printer", "-V", "acme", device="mllan")
    lease = router.row("/ip/dhcp-server/lease", address=told["address"])
    router.ctl(f"/ip/dhcp-server/lease remove {lease['.id']}")
    said(router, f"lease 0 of lan: {told['address']} {mac} printer")
    wait_until(lambda: not router.print("/ip/dns/static"), BOUND)
    assert router.log().count("lease 1 of lan") == 1


def test_a_lease_script_may_be_the_name_of_one_and_fail(scene):
    router = scene.of
    router.ctl('/system/script add name=on-lease source=":log info (\\"by name \\" . \\$leaseActIP); '
               ':error \\"and wrong\\""')
    router.ctl("/ip/dhcp-server set lan lease-script=on-lease")
    told = dhclient(scene.pc, device="mllan")
    said(router, f"by name {told['address']}")
    said(router, "script on-lease failed: and wrong")
    assert router.row("/system/script", name="on-lease")["run-count"] == "1"


def test_a_clients_script_and_its_tables(scene):
    """C-19: bound, server-address, lease-address, interface, gateway-address, vendor-specific,
    lease-options. default-route-tables: a table of its own for the second uplink (F-7)."""
    router = scene.of
    Dnsmasq(scene.isp, "mlwan", "203.0.113.50", "203.0.113.90", "--dhcp-option-force=43,acme-vendor",
            gateway=ISP)
    script = (
        ":log info (\\\"client \\\" . \\$bound . \\\" \\\" . \\$interface . \\\" \\\" . "
        "\\$\\\"lease-address\\\" . \\\" \\\" . \\$\\\"server-address\\\" . \\\" \\\" . "
        "\\$\\\"gateway-address\\\" . \\\" \\\" . \\$\\\"vendor-specific\\\" . \\\" \\\" . "
        "(\\$\\\"lease-options\\\"->\\\"51\\\"))"
    )
    router.ctl(f'/ip/dhcp-client add interface=wan1 check-gateway=arp script="{script}"')
    router.ctl(f"/ip/dhcp-client add interface=wan2 default-route-tables=second script=\"{script}\"")
    rows = {}
    for name in ("wan1", "wan2"):
        wait_until(lambda one=name: router.row("/ip/dhcp-client", interface=one)["status"] == "bound",
                   BOUND, router.log)
        rows[name] = router.row("/ip/dhcp-client", interface=name)["address"].removesuffix("/24")
        said(router, f"client 1 {name} {rows[name]} {ISP} {ISP} acme-vendor 0x00000258")
    routes = [row for row in router.print("/ip/route") if row["dst-address"] == "0.0.0.0/0"]
    one, two = sorted(routes, key=lambda row: row["gateway"])  # and no third: in no table but its own
    assert [one["gateway"], two["gateway"]] == [f"{ISP}%wan1", f"{ISP}%wan2"]
    assert one["routing-table"] == "main" and one["check-gateway"] == "arp"
    assert two["routing-table"] == "second" and "check-gateway" not in two
    assert one["active"] == two["active"] == "true"  # each alone in its table
    router.ctl("/ip/dhcp-client disable [find interface=wan1]")
    said(router, f"client 0 wan1 {rows['wan1']} {ISP}")
    refused = router.ctl("/ip/dhcp-client set [find interface=wan2] default-route-tables=none-such",
                         check=False)
    assert refused.returncode != 0 and "none-such" in refused.stdout + refused.stderr
