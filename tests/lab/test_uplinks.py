"""Three uplinks, each a macvlan of its own, whose gateways all have the same address: real hosts behind each."""

import contextlib
import itertools
import select

import pytest

from frames import ARP, ICMP, IP, Wire
from lab import Lab, dataplane, wait_until
from scenes import PC
from services import WebServer, curl

FOUND = 90.0  # seconds: check-gateway finds out after 20 to 30
GATEWAY, SERVER, CLIENT = "10.64.0.1", "198.51.100.9", "198.51.100.77"
UPLINKS = (1, 2, 3)
SOURCES = range(20, 60)  # of the PC: equal routes are chosen by the addresses
PROOF = {1: "ping", 2: "arp", 3: "ping"}


def own(n):
    return f"10.64.0.{10 + n}"


def config():
    return {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "lan", "device": "net_tap0,iface=mllan"},
                         *({"name": f"wan{n}", "device": f"net_tap{n},iface=mlwan{n}"}
                           for n in UPLINKS)],
            "macvlan": [{"name": f"up{n}", "interface": f"wan{n}"} for n in UPLINKS],
        },
        "ip": {
            "address": [{"address": "192.168.88.1/24", "interface": "lan"},
                        *({"address": f"{own(n)}/24", "interface": f"up{n}"} for n in UPLINKS)],
            "route": [
                *({"gateway": f"{GATEWAY}%up{n}", "check-gateway": PROOF[n], "comment": f"main{n}"}
                  for n in UPLINKS),
                *({"gateway": f"{GATEWAY}%up{n}", "routing-table": f"isp{n}"} for n in UPLINKS),
            ],
            "firewall": {
                "mangle": [{"chain": "prerouting", "in-interface": "lan", "protocol": "tcp",
                            "dst-port": str(7000 + n), "action": "mark-routing",
                            "new-routing-mark": f"isp{n}"} for n in UPLINKS],
                "nat": [*({"chain": "srcnat", "out-interface": f"up{n}", "action": "masquerade"}
                          for n in UPLINKS),
                        {"chain": "dstnat", "in-interface": "!lan", "protocol": "tcp",
                         "dst-port": "8080", "action": "dst-nat", "to-addresses": PC,
                         "to-ports": "80"}],
            },
        },
        "routing": {"table": [{"name": f"isp{n}", "fib": True} for n in UPLINKS]},
    }


class Scene:
    """Each ISP has the same gateway, the same server and the same client behind it."""

    def __init__(self, lab):
        self.lab = lab
        self.router = lab.router(config()).start()
        self.isp, self.listeners = {}, {}
        for n in UPLINKS:
            isp = self.isp[n] = lab.namespace(f"isp{n}")
            self.router.move_wire(f"mlwan{n}", isp, "line")
            isp.address("line", f"{GATEWAY}/24")
            isp.address("lo", f"{SERVER}/32", f"{CLIENT}/32")
            for port in (9000, 7001, 7002, 7003):
                self.listeners[isp.listener(port)] = n
        self.pc = lab.namespace("pc")
        self.router.move_wire("mllan", self.pc)
        self.pc.address("mllan", f"{PC}/24", *(f"192.168.88.{n}/24" for n in SOURCES))
        self.pc.default_via("192.168.88.1")

    def open(self, port=9000, source=PC):
        """A connection of the PC's to the server; which ISP has it, and both ends."""
        near = self.pc.socket()
        near.settimeout(10)
        near.bind((source, 0))
        near.connect((SERVER, port))
        ready, _, _ = select.select(list(self.listeners), [], [], 10)
        (listener,) = ready
        far, peer = listener.accept()
        far.settimeout(10)
        n = self.listeners[listener]
        assert peer[0] == own(n)
        return n, near, far

    def active(self):
        return {n for n in UPLINKS
                if self.router.row("/ip/route", comment=f"main{n}")["active"] == "true"}

    def until_active(self, *wanted):
        wait_until(lambda: self.active() == set(wanted), FOUND,
                   lambda: f"{wanted} active: {self.active()}\n{self.router.log()}")


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        made = Scene(lab)
        made.web = WebServer(made.pc)
        yield made


def works(connection):
    _, near, far = connection
    near.sendall(b"there")
    assert far.recv(5) == b"there"
    far.sendall(b"back!")
    assert near.recv(5) == b"back!"


def test_an_answer_leaves_where_the_request_came_in(scene):  # B-1
    """The same client asks by each uplink, the published server and the router itself."""
    for n in UPLINKS:
        page = curl(scene.isp[n], f"http://{own(n)}:8080/", "--interface", CLIENT)
        assert page.stdout == "hello from pc\n"
        assert scene.isp[n].ping(own(n), "-I", CLIENT, count=2).ok
    assert scene.web.peers() == {CLIENT}


def test_a_mark_chooses_among_gateways_of_one_address(scene):  # B-1
    for n in UPLINKS:
        connection = scene.open(7000 + n)
        assert connection[0] == n
        works(connection)


def test_gateways_are_asked_and_two_unanswered_questions_are_the_end(scene):
    """check-gateway=ping and =arp: one that is mute is left after two questions, the others stay; and back."""
    scene.until_active(*UPLINKS)
    wires = {n: Wire(scene.isp[n], "line") for n in (1, 2)}
    scene.isp[1].sysctl("net.ipv4.icmp_echo_ignore_all", 1)
    scene.isp[2].sysctl("net.ipv4.conf.line.arp_ignore", 8)
    questions = {
        1: lambda p: ICMP in p and p[ICMP].type == 8 and p[IP].dst == GATEWAY,
        2: lambda p: ARP in p and p[ARP].op == 1 and p[ARP].pdst == GATEWAY,
    }
    for wire in wires.values():
        wire.clear()
    scene.until_active(3)
    log = scene.router.log()
    assert f"gateway {GATEWAY}%up1 does not answer ping" in log
    assert f"gateway {GATEWAY}%up2 does not answer ARP" in log
    assert f"{GATEWAY}%up3 does not" not in log
    asked = wires[1].take(questions[1])
    assert 2 <= len(asked) <= 4 and {p[IP].src for p in asked} == {own(1)}
    assert len(wires[2].take(questions[2])) >= 2
    assert {scene.open(source=f"192.168.88.{n}")[0] for n in SOURCES} == {3}
    scene.isp[1].sysctl("net.ipv4.icmp_echo_ignore_all", 0)
    scene.isp[2].sysctl("net.ipv4.conf.line.arp_ignore", 0)
    scene.until_active(*UPLINKS)
    assert f"gateway {GATEWAY}%up1 answers ping" in scene.router.log()
    assert f"gateway {GATEWAY}%up2 answers ARP" in scene.router.log()
    for wire in wires.values():
        wire.close()


def test_connections_stay_on_their_path_while_another_uplink_flaps(scene):
    """Three equal routes share; what one of them carries is not moved when another goes and comes."""
    scene.until_active(*UPLINKS)
    with contextlib.ExitStack() as ends:
        connections = [scene.open(source=f"192.168.88.{n}") for n in SOURCES]
        for end in itertools.chain(*(one[1:] for one in connections)):
            ends.enter_context(end)
        assert {one[0] for one in connections} == set(UPLINKS)
        for one in connections:
            works(one)
        stay = [one for one in connections if one[0] != 2]
        for _ in range(2):
            scene.isp[2].ip("link", "set", "line", "down")
            scene.until_active(1, 3)
            for one in stay:
                works(one)
            assert {scene.open(source=f"192.168.88.{n}")[0] for n in SOURCES} == {1, 3}
            scene.isp[2].ip("link", "set", "line", "up")
            scene.until_active(*UPLINKS)
            for one in connections:  # those that had to wait, too
                works(one)


def test_a_gateway_of_another_table_is_asked_by_that_table(scene):
    """check-gateway with gateway=ADDRESS@table: a host behind each ISP, of one address; main leads elsewhere."""
    scene.until_active(*UPLINKS)
    ctl = scene.router.ctl
    for n in UPLINKS:
        ctl(f"/ip/route/disable [find comment=main{n}]")
    ctl(f"/ip/route/add gateway={GATEWAY}%up3 distance=9 comment=elsewhere")
    for n, how in ((1, "ping"), (2, "ping")):
        ctl(f"/ip/route/add dst-address={SERVER}/32 gateway={GATEWAY}%up{n} routing-table=isp{n} "
            "scope=10 comment=probe")
        ctl(f"/ip/route/add gateway={SERVER}@isp{n} target-scope=11 check-gateway={how} "
            f"distance={n} comment=far")

    def ways():
        return [row["immediate-gw"] for row in scene.router.print("/ip/route")
                if row["dst-address"] == "0.0.0.0/0" and row["routing-table"] == "main"
                and row["active"] == "true"]

    def until(n):
        wait_until(lambda: ways() == [f"{GATEWAY}%up{n}"], FOUND, lambda: f"{ways()}")

    wires = {n: Wire(scene.isp[n], "line") for n in (1, 2)}
    try:
        until(1)
        for n, wire in wires.items():
            asked = wire.wait(lambda p: ICMP in p and p[ICMP].type == 8 and p[IP].dst == SERVER,
                              30, "a question to the host behind")
            assert asked[IP].src == own(n)
        scene.isp[1].ip("addr", "del", f"{SERVER}/32", "dev", "lo")
        until(2)
        assert f"gateway {SERVER}%up1 does not answer ping" in scene.router.log()
        assert scene.open()[0] == 2
        scene.isp[1].address("lo", f"{SERVER}/32")
        until(1)
        assert scene.open()[0] == 1
    finally:
        ctl("/ip/route/remove [find comment=far]; /ip/route/remove [find comment=probe]; "
            "/ip/route/remove [find comment=elsewhere]")
        for n in UPLINKS:
            ctl(f"/ip/route/enable [find comment=main{n}]")
        for wire in wires.values():
            wire.close()


def test_a_rule_hides_the_default_route_of_main(scene):
    """/routing/rule min-prefix=0: main for what it knows, the uplink's table for the rest."""
    scene.until_active(*UPLINKS)
    ctl = scene.router.ctl
    ctl("/routing/rule/add interface=lan action=lookup table=main min-prefix=0 comment=known")
    ctl("/routing/rule/add interface=lan action=lookup-only-in-table table=isp2 comment=rest")
    try:
        used = {scene.open(source=f"192.168.88.{n}")[0] for n in SOURCES}
        assert used == {2}, "main's default routes would share"
        ctl(f"/ip/route/add dst-address={SERVER}/32 gateway={GATEWAY}%up3 comment=known")
        assert scene.open()[0] == 3
        ctl("/routing/rule/set [find comment=known] min-prefix=32")
        assert scene.open()[0] == 2
        assert "min-prefix=32" in ctl("/routing/rule/export").stdout
        # What another action takes stays where it is, as in RouterOS.
        ctl("/routing/rule/set [find comment=rest] action=unreachable")
        assert "table=isp2" in ctl("/routing/rule/export").stdout
        ctl("/ip/route/remove [find comment=known]")
        with pytest.raises(OSError):
            scene.open()
    finally:
        ctl("/routing/rule/remove [find]; /ip/route/remove [find comment=known]")


def test_rp_filter_strict_and_loose_between_uplinks(scene):
    """Strict takes a source from the interface alone that leads to it, loose from any."""
    ctl = scene.router.ctl
    scene.until_active(*UPLINKS)
    for n in (2, 3):
        ctl(f"/ip/route/set [find comment=main{n}] distance={n}")

    def asked_by():
        return [n for n in UPLINKS if curl(
            scene.isp[n], f"http://{own(n)}:8080/", "--interface", CLIENT, "--max-time", "3",
            check=False).returncode == 0]

    try:
        ctl("/ip/settings/set rp-filter=strict")
        before = scene.router.drops("rp_filter")
        assert asked_by() == [1]
        assert scene.router.drops("rp_filter") > before
        scene.open()  # from the LAN out, and the answers
        ctl("/ip/settings/set rp-filter=loose")
        assert asked_by() == [1, 2, 3]
        # Without a default route nothing leads to the client.
        for n in UPLINKS:
            ctl(f"/ip/route/disable [find comment=main{n}]")
        before = scene.router.drops("rp_filter")
        assert asked_by() == []
        assert scene.router.drops("rp_filter") > before
        assert scene.isp[1].ping(own(1)).ok, "its own network is known"
    finally:
        ctl("/ip/settings/set rp-filter=no")
