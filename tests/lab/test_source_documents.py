"""Every line of RouterOS commands of both source documents, as written there, through maclanectl.

What is expected to be refused stands with the fact that says so (behaviour.md part E), or because
this version has no such menu yet: then RouterOS's own words come back and nothing is changed.
"""

import json

import pytest

from dhcp_clients import udhcpc
from lab import Lab, dataplane
from scenes import local

BASE = {
    "interface": {
        "ethernet": [
            {"name": "ether1", "device": "net_tap0,iface=mlone"},
            {"name": "ether2", "device": "net_tap1,iface=mltwo"},
        ]
    }
}

NO_MENU = "bad command name"  # D-40

# E-30: disabled=no is the default.
PPPOE_OF_THE_PAGE = (
    "/interface macvlan\nadd interface=ether1 name=macvlan1\n"
    "/interface pppoe-client\n"
    "add interface=macvlan1 name=pppoe-out1 user=isp_user password=isp_password\n")
ISOLATED_OF_THE_PAGE = (
    "# Create MACVLAN in private mode (no inter-communication)\n"
    "/interface macvlan add interface=ether1 name=macvlan-guest mode=private\n"
    "/interface macvlan add interface=ether1 name=macvlan-iot mode=private\n"
    "# Assign addresses\n"
    "/ip address add address=192.168.100.1/24 interface=macvlan-guest\n"
    "/ip address add address=192.168.200.1/24 interface=macvlan-iot\n"
    # E-33: rows of networks alone serve nobody.
    "# Configure DHCP servers for each network\n"
    "/ip dhcp-server network add address=192.168.100.0/24 gateway=192.168.100.1\n"
    "/ip dhcp-server network add address=192.168.200.0/24 gateway=192.168.200.1\n")

# Blocks of commands: (text, None) does as written; (text, words) is refused with these words.
PAGE = [
    [("/interface macvlan\nadd interface=ether1 name=macvlan1\n", None),
     ("/interface macvlan print\n", None)],
    [("/interface macvlan\nadd interface=ether1 name=macvlan1\n", None),
     ("/ip dhcp-client\nadd interface=ether1\nadd interface=macvlan1\n", None)],
    [("/interface macvlan\nadd interface=ether1 name=macvlan1\n", None),
     # E-27: one subnet on two interfaces is accepted.
     ("/ip address\nadd address=203.0.113.1/24 interface=ether1\n"
      "add address=203.0.113.2/24 interface=macvlan1\n", None)],
    [("/interface macvlan\nadd interface=ether1 name=macvlan1 mode=bridge\n"
      "add interface=ether1 name=macvlan2 mode=bridge\n", None)],
    [("/interface macvlan\nadd interface=ether1 name=macvlan1 mode=private\n"
      "add interface=ether1 name=macvlan2 mode=private\n", None)],
    [(PPPOE_OF_THE_PAGE, None)],
    [("# Create virtual interfaces\n"
      "/interface macvlan add interface=ether1 name=macvlan1\n"
      "/interface macvlan add interface=ether1 name=macvlan2\n"
      "# Create PPPoE clients\n"
      "/interface pppoe-client add interface=macvlan1 name=pppoe-out1 user=user1 password=pass1\n"
      "/interface pppoe-client add interface=macvlan2 name=pppoe-out2 user=user2 password=pass2\n"
      "# Verify\n"
      "/interface pppoe-client print\n", None)],
    # The example of several public addresses.
    [("# Create MACVLAN interfaces on the WAN port\n"
      "/interface macvlan add interface=ether1 name=macvlan1\n"
      "/interface macvlan add interface=ether1 name=macvlan2\n"
      "/interface macvlan add interface=ether1 name=macvlan3\n"
      "# Assign IP addresses to each virtual interface\n"
      "/ip address add address=203.0.113.10/30 interface=ether1\n"
      "/ip address add address=203.0.113.14/30 interface=macvlan1\n"
      "/ip address add address=203.0.113.18/30 interface=macvlan2\n"
      "/ip address add address=203.0.113.22/30 interface=macvlan3\n", None)],
    # Isolated interfaces.
    [(ISOLATED_OF_THE_PAGE, None)],
]

GUIDE = [
    [("# --- Step 1: Create MACVLAN Interface ---\n"
      "/interface macvlan\n"
      # E-2: mac-address=auto is taken as unset.
      "add interface=ether2 name=macvlan-iot mac-address=auto # Create macvlan interface on "
      "ether2, auto-generate MAC\n"
      "\n"
      "# --- Step 2: Assign IP Address to MACVLAN Interface ---\n"
      "/ip address\n"
      # E-26b: network= is redundant and legal.
      "add address=192.168.99.1/24 interface=macvlan-iot network=192.168.99.0 # IoT network IP\n"
      "\n"
      "# --- Step 3: Configure DHCP Server for IoT Network ---\n"
      "/ip pool\n"
      "add name=dhcp_pool_iot ranges=192.168.99.10-192.168.99.254 # DHCP pool for IoT devices\n"
      "\n"
      "/ip dhcp-server\n"
      "add name=dhcp_server_iot interface=macvlan-iot address-pool=dhcp_pool_iot lease-time=1d "
      "# DHCP server on macvlan-iot\n"
      "\n"
      "/ip dhcp-server network\n"
      "add address=192.168.99.0/24 gateway=192.168.99.1 dns-server=192.168.99.1 "
      "# DHCP network settings for IoT\n",
      None),
     ("/ip firewall filter\n"
      "# Allow established/related connections for IoT network (input and forward chains)\n"
      "add chain=input in-interface=macvlan-iot connection-state=established,related "
      "action=accept comment=\"Accept IoT established/related input\"\n"
      "add chain=forward in-interface=macvlan-iot connection-state=established,related "
      "action=accept comment=\"Accept IoT established/related forward\"\n"
      "\n"
      "# Allow IoT network to access internet (forward chain)\n"
      "add chain=forward in-interface=macvlan-iot out-interface=ether1 action=accept "
      "comment=\"Allow IoT to internet\"\n"
      "\n"
      "# Deny IoT network access to main LAN (forward chain) - IMPORTANT for isolation\n"
      "add chain=forward in-interface=macvlan-iot out-interface=ether2 action=drop "
      "comment=\"Block IoT to Main LAN\"\n"
      "\n"
      "# Optionally, drop new input connections from IoT network to router (for tighter security - "
      "router management isolation)\n"
      "add chain=input in-interface=macvlan-iot connection-state=new action=drop "
      "comment=\"Drop new input from IoT (optional)\"\n"
      "\n\n"
      "# --- Step 5: NAT for IoT Network ---\n"
      "/ip firewall nat\n"
      "add chain=srcnat out-interface=ether1 src-address=192.168.99.0/24 action=masquerade "
      "comment=\"NAT for IoT network\"\n", None),
     ("/interface macvlan print\n", None),
     ("/ip address print\n", None),
     ("/ip dhcp-server print\n/ip dhcp-server network print\n", None),
     ("/ip firewall filter print\n", None),
     ("/ip firewall nat print\n", None),
     ("/log print\n", None),
     ("/system resource print\n", None),
     ("/log print topics=dhcp-server\n", "expected end of command"),  # E-16
     ("/snmp\nset enabled=yes community=public contact=admin@example.com\n", NO_MENU),  # E-20
     # E-17: a name with _ stands in quotes, and :system date is no command; the script stops there.
     (":local backup_filename (\"macvlan_config_backup_\" . "
      "[:system date format=%Y-%m-%d_%H-%M-%S])\n", "expected end of command"),
     (":put [:system date format=%Y-%m-%d_%H-%M-%S]\n", NO_MENU),
     # The corrected one: /system clock has the date.
     (":local filename (\"macvlan_config_backup_\" . [/system clock get date])\n"
      ":local path ($filename . \".backup\")\n"
      "/system backup save name=$path\n"
      ":log info (\"Backup created: \" . $path)\n", None)],
]

@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        yield lab.router(local(lab, BASE)).start()


def run(router, text):
    return router.ns.run(
        router.command()[0].with_name("maclanectl"), "--socket", router.socket_path,
        stdin=text, check=False,
    )


def carry_out(router, block):
    for text, words in block:
        done = run(router, text)
        if words is None:
            assert done.returncode == 0, f"{text}: {done.stdout}{done.stderr}"
        else:
            assert done.returncode != 0 and words in done.stderr, f"{text}: {done.stderr}"


@pytest.mark.parametrize("block", PAGE, ids=lambda block: block[-1][0].split("\n")[0])
def test_page(router, block):
    router.reload()
    carry_out(router, block)
    undo = run(router, "/interface pppoe-client remove [find]\n"
                       "/ip dhcp-server network remove [find]\n/ip dhcp-client remove [find]\n/ip address remove [find dynamic=no]\n"
                       "/interface macvlan remove [find]\n")
    assert undo.returncode == 0, undo.stderr


def test_guide(router):
    """E-1 to E-26: the guide as it stands, its mistakes refused in RouterOS's words."""
    (block,) = GUIDE
    carry_out(router, block)
    row = router.row("/interface/macvlan", name="macvlan-iot")
    assert row["mac-address"] != "auto" and row["interface"] == "ether2"
    comments = [row["comment"] for row in router.print("/ip/firewall/filter")]
    assert comments[-1] == "Drop new input from IoT (optional)" and len(comments) == 5
    assert router.row("/ip/firewall/nat", action="masquerade")["src-address"] == "192.168.99.0/24"
    assert any(row["name"].startswith("macvlan_config_backup_")
               for row in router.print("/file"))


def test_export_makes_the_guide_again(router):
    # C-45
    """Round trip: what is exported, imported after a reset, is what was there."""
    before = router.ctl("/export", "verbose", "show-sensitive").stdout.splitlines()[1:]
    files = router.ctl("/export", "file=guide", "show-sensitive")
    assert files.returncode == 0
    run(router, "/ip firewall filter remove [find]\n/ip firewall nat remove [find]\n"
                "/ip dhcp-server remove [find]\n/ip dhcp-server network remove [find]\n"
                "/ip pool remove [find]\n/ip address remove [find dynamic=no]\n/interface macvlan remove [find]\n")
    text = router.ctl("/export", "terse").stdout
    assert "macvlan-iot" not in text
    rsc = (router.state / "files" / "guide.rsc").read_text()
    kept = rsc[rsc.index("/interface macvlan"):]
    done = run(router, kept)
    assert done.returncode == 0, done.stderr
    after = router.ctl("/export", "verbose", "show-sensitive").stdout.splitlines()[1:]
    assert after == before


def test_scripts_and_the_scheduler(router):
    done = run(router, """\
/system script add name=hello source={ :global count; :set count ($count + 1); :log info "hello $count" }
/system script run hello
:global count; :put "count $count"
/system scheduler add name=often interval=1s on-event=hello
:while ([/system scheduler get often run-count] < 2) do={ :delay 100ms }
/system scheduler remove often
:put [:len [/log find where message~"hello"]]
""")
    assert done.returncode == 0, done.stderr
    assert "count 1" in done.stdout
    assert int(done.stdout.split()[-1]) >= 3


def test_json_and_exit_codes(router):
    assert json.loads(router.ctl("/ip/address/print", "count-only", as_json=True).stdout)["count"]
    assert router.ctl("/interface/macvlan/add", "interface=nobody", "name=x",
                      check=False).returncode == 1
    assert router.ctl("/interface/macvlan/ad", "x=y", check=False).returncode == 2


def test_what_the_guide_does_to_packets():
    """The guide's commands on a router with hosts around it (E-7, E-10, E-13, E-14)."""
    with Lab() as lab:
        router = lab.router({
            "dataplane": dataplane(),
            "interface": {"ethernet": [
                {"name": "ether1", "device": "net_tap0,iface=mlwan"},
                {"name": "ether2", "device": "net_tap1,iface=mllan"}]},
            # E-10: what the guide leaves out.
            "ip": {"address": [{"address": "203.0.113.2/24", "interface": "ether1"},
                               {"address": "192.168.88.1/24", "interface": "ether2"}]},
        }).start()
        isp, switch = lab.namespace("isp"), lab.switch()
        isp.address(router.move_wire("mlwan", isp), "203.0.113.1/24")
        switch.plug(router.move_wire("mllan", switch.ns, up=False))
        pc = switch.host("pc", "192.168.88.10/24", "192.168.88.1")
        iot = switch.host("iot", None)
        for text, _ in GUIDE[0][:2]:
            done = run(router, text)
            assert done.returncode == 0, done.stderr
        told = udhcpc(iot)
        assert told["address"].startswith("192.168.99.") and told["lease"] == "86400"
        iot.ip("route", "replace", "default", "via", told["routers"])
        # The internet, behind the router's address: the ISP has no route to the IoT network.
        assert iot.ping("203.0.113.1").ok
        assert router.row("/ip/firewall/nat", action="masquerade")["packets"] != "0"
        # The LAN not, by the router; the other way round it is open (E-15).
        assert not iot.ping("192.168.88.10", wait=1).ok
        assert router.row("/ip/firewall/filter", comment="Block IoT to Main LAN")["packets"] != "0"
        assert pc.ping(told["address"]).ok
        # The router itself not; a lease is had all the same (E-14).
        assert not iot.ping("192.168.99.1", wait=1).ok
        assert udhcpc(iot)["address"] == told["address"]


def test_the_pages_two_dhcp_networks():
    """PAGE: "DHCP servers for each network": rows of networks alone serve nobody (E-33); with pools and
    servers beside them each network's clients are told its gateway, on one port and one wire (C-10)."""
    with Lab() as lab:
        router = lab.router({
            "dataplane": dataplane(),
            "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mllan"}]},
        }).start()
        switch = lab.switch()
        switch.plug(router.move_wire("mllan", switch.ns, up=False))
        clients = [switch.host(name, None) for name in ("phone", "lamp")]
        done = run(router, ISOLATED_OF_THE_PAGE)
        assert done.returncode == 0, done.stderr
        with pytest.raises(AssertionError, match="no lease"):
            udhcpc(clients[0], "-t", "2", "-T", "1")
        assert not router.print("/ip/dhcp-server/lease")
        nets = {"macvlan-guest": "192.168.100", "macvlan-iot": "192.168.200"}
        for number, (name, net) in enumerate(nets.items()):
            done = run(router, f"/ip pool add name={name} ranges={net}.10-{net}.99\n"
                               f"/ip dhcp-server add name={name} interface={name} "
                               f"address-pool={name}\n")
            assert done.returncode == 0, done.stderr
            told = udhcpc(clients[number])
            assert told["address"].startswith(net) and told["routers"] == f"{net}.1", told
            clients[number].ip("route", "replace", "default", "via", told["routers"])
            assert clients[number].ping(told["routers"]).ok
            lease = router.row("/ip/dhcp-server/lease", address=told["address"])
            assert (lease["status"], lease["server"]) == ("bound", name)
            router.ctl(f"/ip/dhcp-server disable {name}")
        # Each by its own gateway to the other: the router routes between them.
        assert clients[0].ping("192.168.200.1").ok and clients[1].ping("192.168.100.1").ok
        # Both at once hear the same clients; whoever is first has said all of its own network.
        router.ctl("/ip/dhcp-server enable [find]")
        told = udhcpc(switch.host("third", None))
        (net,) = (net for net in nets.values() if told["address"].startswith(net + "."))
        assert told["routers"] == f"{net}.1"
