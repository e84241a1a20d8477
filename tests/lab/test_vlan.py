"""802.1Q and 802.1ad interfaces, the documents' alternative to a macvlan: tags, states, ARP, MTU, counters."""

import pytest

from frames import ARP, BROADCAST, ICMP, IP, UDP, Dot1AD, Dot1Q, Ether, Raw, mac
from lab import Lab, dataplane, flag, wait_until
from scenes import raw_rig

HOST = mac(0x7A01)
LONG = 30
# Each interface, the tags its frames have, and its network.
TAGS = {
    "v10": [Dot1Q(vlan=10)],
    "v20": [Dot1Q(vlan=20)],
    "s30": [Dot1AD(vlan=30)],
    "q40": [Dot1AD(vlan=30), Dot1Q(vlan=40)],
    "m10": [Dot1Q(vlan=10)],
    "mq": [Dot1AD(vlan=30), Dot1Q(vlan=40)],
}
NET = {"ether1": "10.1.0", "v10": "10.10.0", "v20": "10.20.0", "s30": "10.30.0", "q40": "10.40.0",
       "m10": "10.11.0", "mq": "10.41.0", "m1": "10.2.0"}


def config():
    return {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlport"}],
            "vlan": [
                {"name": "v10", "interface": "ether1", "vlan-id": 10},
                {"name": "v20", "interface": "ether1", "vlan-id": 20},
                {"name": "s30", "interface": "ether1", "vlan-id": 30, "use-service-tag": True},
                {"name": "q40", "interface": "s30", "vlan-id": 40},
            ],
            "macvlan": [
                {"name": "m1", "interface": "ether1"},
                {"name": "m10", "interface": "v10", "mode": "private"},
                {"name": "mq", "interface": "q40"},
            ],
        },
        "ip": {
            "settings": {"icmp-rate-limit": 0},
            "address": [{"address": f"{net}.1/24", "interface": name} for name, net in NET.items()],
        },
    }


@pytest.fixture(scope="module")
def rig():
    with Lab() as lab:
        yield raw_rig(lab, config(), ["mlport"])


@pytest.fixture
def wire(rig):
    found = rig.wires["mlport"]
    settle(found)
    found.clear()
    return found


def tagged(tags, payload, dst=BROADCAST):
    frame = Ether(src=HOST, dst=dst)
    for tag in tags:
        frame /= tag.copy()
    return frame / payload


def ask(wire, target, sender, tags=(), timeout=10.0):
    wire.send(tagged(tags, ARP(op=1, hwsrc=HOST, psrc=sender, pdst=target)))
    return wire.wait(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].psrc == target
                     and p[ARP].pdst == sender, timeout, f"an answer for {target}")


def settle(wire):
    ask(wire, "10.1.0.1", "10.1.0.250")


def unanswered(wire, target, sender, tags=()):
    wire.send(tagged(tags, ARP(op=1, hwsrc=HOST, psrc=sender, pdst=target)))
    settle(wire)
    return not wire.take(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].pdst == sender)


def tags_of(packet):
    """(type, VLAN) of each tag, outer first."""
    out, layer, kind = [], packet, packet.type
    while kind in (0x8100, 0x88A8):
        layer = layer.payload
        out.append((kind, layer.vlan))
        kind = layer.type
    return out


def wanted(name):
    return [(0x88A8 if isinstance(tag, Dot1AD) else 0x8100, tag.vlan) for tag in TAGS[name]]


def running(rig, name):
    return flag(rig.router.row("/interface", name=name)["running"])


@pytest.mark.parametrize("name", TAGS)
def test_each_speaks_with_its_own_tags(rig, wire, name):
    """vlan-id, use-service-tag, tags in tags, and macvlans on them (E-43, F-11)."""
    got = ask(wire, f"{NET[name]}.1", f"{NET[name]}.9", TAGS[name])
    assert tags_of(got) == wanted(name)
    assert got.src == rig.router.mac(name) and got.dst == HOST


@pytest.mark.parametrize("name, tags", [
    ("v10", []), ("v10", [Dot1Q(vlan=20)]), ("v10", [Dot1AD(vlan=10)]), ("s30", [Dot1Q(vlan=30)]),
    ("q40", [Dot1Q(vlan=40)]), ("q40", [Dot1Q(vlan=30), Dot1Q(vlan=40)]),
    ("q40", [Dot1AD(vlan=40), Dot1Q(vlan=30)]), ("v10", [Dot1Q(vlan=0), Dot1Q(vlan=20)]),
])
def test_and_with_no_others(wire, name, tags):
    """A-51, A-52: another tag, another kind of tag, the other order."""
    assert unanswered(wire, f"{NET[name]}.1", f"{NET[name]}.19", tags)


def test_priority_tags(rig, wire):
    """A-52: VLAN 0 counts as untagged, whatever its priority; a priority in a VLAN's own tag too."""
    assert tags_of(ask(wire, "10.1.0.1", "10.1.0.9", [Dot1Q(vlan=0, prio=7)])) == []
    got = ask(wire, "10.10.0.1", "10.10.0.29", [Dot1Q(vlan=10, prio=5)])
    assert got[Dot1Q].vlan == 10


def test_an_unknown_tag_is_dropped_and_counted(rig, wire):
    """A-51, and where a user sees it."""
    before = rig.router.drops("vlan_unknown", "ether1")
    inner = rig.router.drops("vlan_unknown", "s30")
    assert unanswered(wire, "10.1.0.1", "10.1.0.39", [Dot1Q(vlan=77)])
    assert unanswered(wire, "10.30.0.1", "10.30.0.39", [Dot1AD(vlan=30), Dot1Q(vlan=77)])
    assert rig.router.drops("vlan_unknown", "ether1") == before + 1
    assert rig.router.drops("vlan_unknown", "s30") == inner + 1


def test_routes_from_tag_to_tag_and_counts(rig, wire):
    """Packets change their tags on the way; each interface counts what was its own, its parent all of it."""
    ask(wire, "10.20.0.1", "10.20.0.8", TAGS["v20"])  # so that the host there is known

    def counts():
        return {row["name"]: (int(row["rx-packet"]), int(row["tx-packet"]), int(row["rx-byte"]))
                for row in rig.router.print("/interface", "stats")}

    before = counts()
    for number in range(5):
        wire.send(tagged(TAGS["v10"], IP(src="10.10.0.8", dst="10.20.0.8", id=number)
                         / UDP(sport=1, dport=9) / Raw(bytes(100)), rig.router.mac("v10")))
    for number in range(5):
        got = wire.wait(lambda p, n=number: UDP in p and p[IP].id == n and p[IP].ttl == 63)
        assert tags_of(got) == wanted("v20") and got.dst == HOST
    settle(wire)
    after = counts()
    assert after["v10"][0] - before["v10"][0] >= 5 and after["v20"][1] - before["v20"][1] >= 5
    assert after["v10"][2] - before["v10"][2] >= 5 * 128
    assert after["ether1"][0] - before["ether1"][0] >= 5
    assert after["ether1"][1] - before["ether1"][1] >= 5
    assert after["m10"] == before["m10"] and after["q40"] == before["q40"]


def test_runs_as_its_parent_runs(rig, wire):
    """A-58 for VLANs and what stands on them, and on coming up they announce themselves (A-18)."""
    assert all(running(rig, name) for name in ("ether1", "v10", "m10", "s30", "q40", "mq"))
    rig.router.ctl("/interface/vlan disable s30")
    assert not any(running(rig, name) for name in ("s30", "q40", "mq"))
    assert running(rig, "ether1") and running(rig, "v10")
    assert unanswered(wire, "10.41.0.1", "10.41.0.49", TAGS["mq"])
    # Its frames are still its own, not the macvlan's of the parent.
    seen = int(rig.router.row("/interface", name="m1")["rx-packet"])
    wire.send(tagged(TAGS["s30"], IP(src="10.2.0.9", dst="10.2.0.1") / UDP(dport=9),
                     rig.router.mac("m1")))
    settle(wire)
    assert int(rig.router.row("/interface", name="m1")["rx-packet"]) == seen + 1  # the who-has alone
    rig.router.ctl("/interface/ethernet disable ether1")
    assert not any(running(rig, name) for name in ("ether1", "v10", "m10", "m1"))
    wire.clear()
    rig.router.ctl("/interface/vlan enable s30")
    rig.router.ctl("/interface/ethernet enable ether1")
    for name in ("v10", "q40", "mq"):
        got = wire.wait(lambda p, a=f"{NET[name]}.1": ARP in p and p[ARP].psrc == p[ARP].pdst == a,
                        LONG, f"{name} to announce itself")
        assert tags_of(got) == wanted(name)
    assert all(running(rig, name) for name in ("ether1", "v10", "m10", "s30", "q40", "mq"))


def test_arp_modes_on_a_vlan(rig, wire):
    """A2 on a VLAN and a macvlan of it, live."""
    for name, menu in (("v10", "/interface/vlan"), ("m10", "/interface/macvlan")):
        def mode(value, menu=menu, name=name):
            rig.router.ctl(f"{menu} set {name} arp={value}")

        own, far = f"{NET[name]}.1", "10.20.0.77"
        mode("disabled")
        assert unanswered(wire, own, f"{NET[name]}.59", TAGS[name])
        mode("reply-only")
        assert unanswered(wire, own, f"{NET[name]}.59", TAGS[name])
        rig.router.ctl(f"/ip/arp add address={NET[name]}.59 mac-address={HOST} interface={name}")
        assert tags_of(ask(wire, own, f"{NET[name]}.59", TAGS[name])) == wanted(name)
        rig.router.ctl("/ip/arp remove [find dynamic=no]")
        mode("enabled")
        assert unanswered(wire, far, f"{NET[name]}.58", TAGS[name])
        mode("proxy-arp")
        assert ask(wire, far, f"{NET[name]}.58", TAGS[name]).src == rig.router.mac(name)
        assert unanswered(wire, f"{NET[name]}.77", f"{NET[name]}.58", TAGS[name])
        mode("local-proxy-arp")
        assert ask(wire, f"{NET[name]}.77", f"{NET[name]}.58", TAGS[name]).src == rig.router.mac(name)
        mode("enabled")


def test_the_life_of_a_neighbour(rig, wire):
    """A-14, A-15: incomplete, reachable, stale, delay and probe as /ip/arp shows them, with the interface's
    own arp-timeout; a probe goes to the neighbour alone. Here on a macvlan of a VLAN."""
    name, menu = "m10", "/interface/macvlan"
    tags, target = TAGS[name], f"{NET[name]}.66"
    rig.router.ctl(f"{menu} set {name} arp-timeout=1s")

    def row():
        rows = [r for r in rig.router.print("/ip/arp") if r["address"] == target]
        return rows[0] if rows else {"status": "gone", "complete": "false"}

    def until(*states):
        wait_until(lambda: row()["status"] in states, LONG, lambda: f"{target} {states}: {row()}")
        return row()

    def use():
        wire.send(Ether(src=HOST, dst=rig.router.mac("ether1"))
                  / IP(src="10.1.0.8", dst=target) / UDP(sport=1, dport=9))

    def question(dst):
        return wire.wait(lambda p: ARP in p and p[ARP].op == 1 and p[ARP].pdst == target
                         and p.dst == dst, LONG, f"who has {target}")

    def answer(to):
        wire.send(tagged(tags, ARP(op=2, hwsrc=HOST, psrc=target, hwdst=to[ARP].hwsrc,
                                   pdst=to[ARP].psrc), to.src))

    use()
    asked = question(BROADCAST)
    assert tags_of(asked) == wanted(name)
    assert asked[ARP].psrc == f"{NET[name]}.1" and asked.src == rig.router.mac(name)
    assert row()["status"] == "incomplete" and not flag(row()["complete"])
    answer(asked)
    shown = until("reachable")
    assert flag(shown["complete"]) and flag(shown["dynamic"]) and shown["interface"] == name
    assert shown["mac-address"] == HOST.upper()
    until("stale")
    use()
    assert until("delay", "probe")["complete"] == "true"
    asked = question(HOST)
    assert tags_of(asked) == wanted(name)
    until("probe")
    answer(asked)
    until("reachable")
    rig.router.ctl(f"{menu} set {name} arp-timeout=auto")


def test_mtu_of_a_vlan(rig, wire):
    """A-55, E-37: never above the parent's, shown as it counts, and kept to."""
    row = rig.router.row("/interface/vlan", name="v20")
    assert row["mtu"] == row["actual-mtu"] == "1500"
    l2 = {name: int(rig.router.row("/interface", name=name)["l2mtu"])
          for name in ("ether1", "v10", "q40", "m10")}
    assert l2["ether1"] - l2["v10"] == 4 and l2["ether1"] - l2["q40"] == 8 and l2["m10"] == l2["v10"]
    refused = rig.router.ctl("/interface/vlan set v20 mtu=1501", check=False)
    assert refused.returncode != 0 and "at most 1500" in refused.stdout + refused.stderr
    ask(wire, "10.20.0.1", "10.20.0.8", TAGS["v20"])
    rig.router.ctl("/interface/vlan set v20 mtu=1400")
    wire.send(Ether(src=HOST, dst=rig.router.mac("ether1"))
              / IP(src="10.1.0.8", dst="10.20.0.8", flags="DF") / UDP(dport=9) / Raw(bytes(1400)))
    ask(wire, "10.1.0.1", "10.1.0.8")
    error = wire.wait(lambda p: ICMP in p and p[ICMP].type == 3)
    assert error[ICMP].code == 4 and error[ICMP].nexthopmtu == 1400
    rig.router.ctl("/interface/ethernet set ether1 mtu=1300")
    assert rig.router.row("/interface/vlan", name="v20")["actual-mtu"] == "1300"
    assert rig.router.row("/interface/vlan", name="v20")["mtu"] == "1400"
    rig.router.ctl("/interface/ethernet set ether1 mtu=1500")
    rig.router.ctl("/interface/vlan unset v20 mtu")


def test_another_id_while_it_runs(rig, wire):
    rig.router.ctl("/interface/vlan set v20 vlan-id=21")
    assert tags_of(ask(wire, "10.20.0.1", "10.20.0.9", [Dot1Q(vlan=21)])) == [(0x8100, 21)]
    assert unanswered(wire, "10.20.0.1", "10.20.0.19", [Dot1Q(vlan=20)])
    rig.router.ctl("/interface/vlan set v20 vlan-id=20")
    ask(wire, "10.20.0.1", "10.20.0.29", [Dot1Q(vlan=20)])


@pytest.mark.parametrize("row, why", [
    ("name=x interface=m1 vlan-id=5", "a VLAN on a macvlan is not supported"),
    ("name=x interface=ether1 vlan-id=10", "is v10 already"),
    ("name=x interface=ether1 vlan-id=0", "vlan-id"),
    ("name=x interface=ether1 vlan-id=4095", "vlan-id"),
    ("name=x interface=q40 vlan-id=5", "at most 2 VLAN tags"),
    ("name=v10 interface=ether1 vlan-id=11", "already have interface with such name"),
])
def test_what_is_refused(rig, row, why):
    refused = rig.router.ctl(f"/interface/vlan add {row}", check=False)
    assert refused.returncode != 0 and why in refused.stdout + refused.stderr, refused.stderr
