"""PPPoE clients (C4) against rp-pppoe's pppoe-server and pppd in a software-emulated guest."""

import os
import re
import signal
import socket

import pytest

from dhcp_servers import Dnsmasq
from doors import logged_in
from frames import IP, TCP, Wire
from guest import have_guest
from lab import Lab, flag, wait_until
from pppoe_scene import ALL, BEHIND, CONNECTED, Scene
from services import have, iperf3_report

MISSING = have_guest()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no guest: {MISSING}")


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield Scene(lab)


def test_eight_sessions_on_eight_macvlans_and_others_beside_them(scene):
    """PAGE: multiple PPPoE connections, each with its own MAC address (F-8, F-9, C-21, C-27, C-29); on
    ethernet and VLAN too; by MS-CHAPv2, CHAP and PAP."""
    scene.connected(*ALL)
    addresses = {name: scene.address(name) for name in ALL}
    assert len(set(addresses.values())) == len(ALL)
    nets = {name: address.split(".")[2] for name, address in addresses.items()}
    assert nets["pppoe-out1"] == nets["on-ether"] == "1"
    assert (nets["pppoe-out8"], nets["pppoe-out7"], nets["on-vlan"]) == ("2", "3", "4")
    for name in ALL:
        row = scene.router.row("/interface", name=name)
        assert row["type"] == "pppoe-out" and flag(row["running"]) and row["mtu"] == "1492"
    routes = {row["gateway"]: row for row in scene.router.print("/ip/route")
              if row["dst-address"] == "0.0.0.0/0"}
    assert len(routes) == 8 and flag(routes["pppoe-out1"]["active"])
    assert not flag(routes["pppoe-out2"]["active"]) and flag(routes["pppoe-out1"]["vpn"])
    # Each session clamps what SYNs offer, by dynamic rules.
    clamps = [row for row in scene.router.print("/ip/firewall/mangle")
              if flag(row["dynamic"]) and row["action"] == "change-mss"]
    assert {row.get("out-interface", row.get("in-interface")) for row in clamps} == set(ALL)
    assert len(clamps) == 2 * len(ALL) and all(row["new-mss"] == "1452" for row in clamps)
    # Each session came from its macvlan's own MAC address.
    # What the concentrator wrote comes over its serial line, behind the sessions.
    for name in ("line1", "line8", "line10"):
        wait_until(lambda name=name: re.search(f'(name = |user=)"{name}"', scene.guest.log()),
                   60, f"{name} in what the concentrator wrote")


def test_packets_go_through_the_session(scene):
    """The workers carry the data: whole frames of 1492 bytes, and not one byte more (C-25)."""
    scene.connected(*ALL)
    before = int(scene.router.row("/interface", name="pppoe-out1")["tx-packet"])
    assert scene.pc.ping("10.64.0.1", count=3, wait=10).ok
    assert scene.pc.ping("10.64.0.1", "-M", "do", "-s", 1464, wait=10).ok
    large = scene.pc.ping("10.64.0.1", "-M", "do", "-s", 1465, wait=3)
    assert not large.ok and "mtu" in (large.stdout + large.stderr).lower()
    sent = sum(int(scene.router.row("/interface", name=name)["tx-packet"]) for name in ALL)
    assert sent > before


def test_a_syn_through_the_session_is_told_of_its_mtu(scene):
    """The rules nobody wrote (C-25): what a host says of its MSS is lowered on the way."""
    scene.connected(*ALL)
    wire = Wire(scene.switch.ns, "mlwan")
    with pytest.raises(ConnectionRefusedError):
        scene.pc.connect("10.64.0.1", 9, timeout=30)
    syn = wire.wait(lambda p: TCP in p and p[TCP].dport == 9, what="the SYN in its session")
    assert dict(syn[TCP].options)["MSS"] == 1492 - 40
    wire.close()


@pytest.mark.skipif(not have("iperf3"), reason="no iperf3")
def test_iperf3_through_the_session_both_ways(scene):
    """Upstream and downstream through 1492 bytes (C-25, C-27): whole segments, none of them in fragments."""
    scene.connected(*ALL)
    wire = Wire(scene.pc, "mllan")
    for direction in ((), ("-R",)):
        report = iperf3_report(scene.pc, "10.64.0.1", "--connect-timeout", "30000", *direction,
                               size=500_000)
        assert report["end"]["sum_received"]["bytes"] > 100 * 1452
        for stream in report["end"]["streams"]:
            assert stream["receiver"]["bytes"] > 0
    lengths = [p[IP].len for p in wire.take(lambda p: TCP in p)]
    assert max(lengths) == 1492
    wire.close()
    udp = iperf3_report(scene.pc, "10.64.0.1", "-u", "-b", "1M", "-l", "1464", "-R",
                        size=100 * 1464)
    assert udp["end"]["sum"]["packets"] > udp["end"]["sum"]["lost_packets"]


def test_the_row_shows_the_session(scene):
    """C-22: flags, status, what is in effect."""
    scene.connected("pppoe-out8")
    row = scene.client("pppoe-out8")
    assert flag(row["running"]) and row["actual-mtu"] == "1492" and "last-error" not in row
    assert int(row["rx-packet"]) >= 0 and "secret8" not in scene.router.log()


def test_monitor_and_scan(scene):
    """C-22: a session from inside, and who answers on the wire, as the API's clients see them."""
    scene.connected("pppoe-out1", "pppoe-out8")
    with logged_in(scene.router) as api:
        (row,) = api.rows("/interface/pppoe-client/monitor", "=numbers=pppoe-out8", "=once=")
        assert (row["status"], row["active-links"]) == ("connected", "1") and row["uptime"]
        assert (row["service-name"], row["ac-name"]) == ("chap", "ac-chap")
        assert row["ac-mac"] == "02:00:5E:AC:00:01" and row["authentication"] == "chap"
        assert row["mtu"] == row["mru"] == "1492"
        assert f"{row['local-address']}/32" == scene.address("pppoe-out8")
        assert row["remote-address"] == "10.64.0.1"
        # Without once it goes on until it is cancelled, with a disabled one beside it.
        api.send("/interface/pppoe-client/monitor", "=numbers=pppoe-out1,wrong", "=interval=50ms",
                 ".tag=m")
        seen = [api.read()[1]["status"] for _ in range(4)]
        assert seen == ["connected", "disabled"] * 2
        api.send("/interface/pppoe-client/scan", "=interface=macvlan3", ".tag=s")
        offers = set()
        while len(offers) < 3:
            kind, words, tag = api.read()
            assert kind == "!re"
            if tag == "s":
                assert words["mac-address"] == "02:00:5E:AC:00:01"
                offers.add((words["service"], words["ac-name"]))
        assert offers == {(name, f"ac-{name}") for name in ("internet", "chap", "pap")}
        for tag in ("m", "s"):
            api.talk("/cancel", f"=tag={tag}")
    assert scene.client("pppoe-out3")["status"] == "connected"


def test_disable_says_good_bye_and_the_others_stay(scene):
    """C-26: LCP Terminate-Request and PADT; addresses and routes go; who is not concerned loses no
    packet by it."""
    scene.connected(*ALL)
    lan = scene.router.ns.popen("lan-ping", "ping", "-n", "-i", "0.05", "192.168.88.10")
    scene.router.ctl("/interface/pppoe-client disable pppoe-out1")
    # pppd hears of the one or of the other first.
    wait_until(lambda: "LCP terminated by peer" in scene.guest.log()
               or "Modem hangup" in scene.guest.log(), CONNECTED, scene.guest.log)
    rows = scene.router.print("/ip/address")
    assert not any(row["interface"] == "pppoe-out1" for row in rows)
    active = [row["gateway"] for row in scene.router.print("/ip/route")
              if row["dst-address"] == "0.0.0.0/0" and flag(row["active"])]
    assert active == ["pppoe-out2"]
    assert all(scene.client(name)["status"] == "connected" for name in ALL[1:])
    scene.router.ctl("/interface/pppoe-client enable pppoe-out1")
    scene.connected("pppoe-out1")
    lan.popen.send_signal(signal.SIGINT)
    wait_until(lambda: not lan.alive(), CONNECTED)
    sent, received = re.search(r"(\d+) packets transmitted, (\d+) received", lan.out()).groups()
    assert int(sent) - int(received) <= 1, lan.out()[-500:]  # one may be under way


class Numbered:
    """Numbered echoes from the PC to an address, fifty a second, until they are looked at."""

    def __init__(self, scene, name, target):
        self.process = scene.pc.popen(name, "ping", "-n", "-i", "0.02", "-W", "30", target)
        wait_until(lambda: self.seen(), CONNECTED, self.process.out)

    def seen(self):
        return [int(number) for number in re.findall(r"bytes from .*icmp_seq=(\d+)",
                                                     self.process.out())]

    def end(self):
        """The numbers of those that came back."""
        self.process.popen.send_signal(signal.SIGINT)
        wait_until(lambda: not self.process.alive(), CONNECTED)
        return set(self.seen())


def in_session(wire, address):
    """The numbers of the echoes to or from an address that a wire saw in a PPPoE session."""
    numbers = set()
    for frame in wire.collect():
        data = frame.data
        if data[12:14] == b"\x88\x64" and data[20:22] == b"\0\x21" and data[31] == 1 \
                and socket.inet_aton(address) in (data[34:38], data[38:42]):
            numbers.add(int.from_bytes(data[48:50], "big"))
    return numbers


def test_who_is_not_concerned_loses_nothing(scene):
    """Redials, renewals and crashes of helpers cause no loss on other interfaces: numbered packets through
    one session and to the router's own LAN address, while sessions beside it end and dial again, others
    fail at their password again and again, a DHCP client renews, and dnsmasq is killed. All that the PC
    sends is on the ISP's wire, and all that comes from there is at the PC: what the emulated guest itself
    loses in between is not the router's."""
    router = scene.router
    scene.connected(*ALL)
    router.ctl(f"/ip/route/add dst-address={BEHIND}/32 gateway=pppoe-out2 comment=behind")
    isp = scene.switch.host("isp-dhcp", "192.0.2.1/24")
    Dnsmasq(isp, "eth0", "192.0.2.50", "192.0.2.90", gateway="192.0.2.1")
    router.ctl("/interface/macvlan/add name=leased interface=ether1")
    router.ctl("/ip/dhcp-client/add interface=leased add-default-route=no use-peer-dns=no")
    router.ctl("/ip/dns/set allow-remote-requests=yes")

    def leased(status="bound"):
        return router.row("/ip/dhcp-client", interface="leased")["status"] == status

    wait_until(leased, CONNECTED, router.log)
    wait_until(lambda: (router.state / "dnsmasq.pid").exists(), CONNECTED)
    to_isp, from_isp = (Wire(scene.switch.ns, device) for device in ("mlwan", "ac0"))
    through, local_ones = (Numbered(scene, name, target) for name, target in
                           (("numbered", BEHIND), ("numbered-lan", "192.168.88.1")))
    router.ctl("/interface/pppoe-client/enable wrong")
    for name in ("pppoe-out1", "pppoe-out3", "on-ether"):
        router.ctl(f"/interface/pppoe-client/disable {name}")
        router.ctl(f"/interface/pppoe-client/enable {name}")
    router.ctl("/ip/dhcp-client/renew [find interface=leased]")
    first = (router.state / "dnsmasq.pid").read_text()
    os.kill(int(first.split()[0]), signal.SIGKILL)
    wait_until(lambda: (router.state / "dnsmasq.pid").exists()
               and (router.state / "dnsmasq.pid").read_text() not in ("", first), CONNECTED, router.log)
    router.ctl("/ip/dhcp-client/release [find interface=leased]")
    wait_until(leased, CONNECTED, router.log)
    scene.connected("pppoe-out1", "pppoe-out3", "on-ether")
    wait_until(lambda: router.log().count("wrong: disconnected - authentication failed") >= 2, CONNECTED)
    assert len(through.seen()) > 100
    seen, seen_local = through.end(), local_ones.end()
    last = max(seen)
    answered = {number for number in in_session(from_isp, BEHIND) if number <= last}
    assert set(range(1, last + 1)) - in_session(to_isp, BEHIND) == set()
    assert len(answered) > 100 and answered - seen == set()
    assert set(range(1, max(seen_local) + 1)) - seen_local == set()
    for wire in (to_isp, from_isp):
        wire.close()
    router.ctl("/interface/pppoe-client/disable wrong")
    router.ctl("/ip/route/remove [find comment=behind]")
    router.ctl("/ip/dns/set allow-remote-requests=no")
    router.ctl("/ip/dhcp-client/remove [find interface=leased]")
    router.ctl("/interface/macvlan/remove leased")


def test_a_wrong_password_is_named(scene):
    """PAGE: the troubleshooting list; what the row shows lets a user find the cause."""
    scene.router.ctl("/interface/pppoe-client enable wrong")
    wait_until(lambda: "authentication failed" in scene.client("wrong").get("last-error", ""),
               CONNECTED, lambda: f"{scene.client('wrong')}\n{scene.guest.log()[-3000:]}")
    assert "wrong: disconnected - authentication failed" in scene.router.log()
    scene.router.ctl("/interface/pppoe-client disable wrong")


def test_an_address_in_the_way_of_a_network_of_ours_is_said(scene):
    """A LAN whose network is the concentrator's, or the one that it gives: in the log, and at the address."""
    scene.connected("on-ether")
    router = scene.router
    row = router.row("/ip/address", interface="on-ether")
    address, remote = row["address"].split("/")[0], row["network"]
    router.ctl("/interface/vlan add name=own interface=ether2 vlan-id=9")

    def comment():
        return router.row("/ip/address", interface="on-ether").get("comment", "")

    for what, text in ((address, f"the address {address} that its access concentrator gave it"),
                       (remote, f"the address {remote} of its access concentrator")):
        net = what.rsplit(".", 1)[0]
        text += f" is in the network {net}.0/24 of own: a host of that address is not reached there"
        router.ctl(f"/ip/address add address={net}.200/24 interface=own comment=own")
        assert comment() == text and f"on-ether: {text}" in router.log()
        router.ctl("/ip/address remove [find comment=own]")
        assert comment() == ""
    router.ctl("/interface/vlan remove own")


def test_a_service_or_concentrator_that_is_not_there_is_named(scene):
    """PAGE: the troubleshooting list; C-21: service-name and ac-name."""
    said = {"no-service": "television", "no-ac": "which is not ac-name"}
    for name in said:
        scene.router.ctl(f"/interface/pppoe-client enable {name}")
    for name, words in said.items():
        wait_until(lambda n=name, w=words: w in scene.client(n).get("last-error", ""), CONNECTED,
                   lambda n=name: f"{scene.client(n)}")
        assert f"{name}: " in scene.router.log()
        scene.router.ctl(f"/interface/pppoe-client disable {name}")


def test_a_cable_that_goes_is_noticed_and_dialled_again(scene):
    """C-26: keepalive-timeout, redial."""
    scene.connected("on-ether")
    scene.switch.ns.ip("link", "set", "ac0", "nomaster")
    wait_until(lambda: scene.client("on-ether")["status"] != "connected", CONNECTED)
    assert scene.client("on-ether")["last-error"] == "the peer does not answer any more"
    scene.switch.plug("ac0")
    scene.connected("on-ether")
