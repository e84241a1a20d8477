"""Several uplinks: macvlans of one port with one gateway, tables, rules, marks, the way back."""

import pytest

from frames import ARP, ICMP, IP, TCP, UDP, good_checksums
from lab import Lab
from scenes import (
    LEFT_HOST, RIGHT_HOST, RIGHT_HOST_MAC, RIGHT_MAC, out, rows, two_port_rig, two_ports,
)

FAR = "198.51.100.9"
SECOND_MAC, SECOND = "02:00:00:00:20:02", "10.2.0.2"


@pytest.fixture(scope="module")
def rig():
    config = two_ports(
        mangle=[
            {"chain": "prerouting", "in-interface": "left", "protocol": "udp", "dst-port": "7000",
             "action": "mark-routing", "new-routing-mark": "second", "comment": "by mark"},
        ],
        filter=[
            {"chain": "forward", "routing-mark": "second", "action": "passthrough",
             "comment": "saw the mark"},
        ],
        nat=[
            {"chain": "srcnat", "src-address": "10.1.0.0/24", "action": "masquerade"},
            {"chain": "dstnat", "in-interface": "second", "protocol": "tcp", "dst-port": "8080",
             "action": "dst-nat", "to-addresses": LEFT_HOST, "to-ports": "80"},
        ],
    )
    config["interface"]["macvlan"] = [
        {"name": "second", "interface": "right", "mac-address": SECOND_MAC}
    ]
    rows(config, "ip", "address").append({"address": f"{SECOND}/24", "interface": "second"})
    rows(config, "ip", "arp").append(
        {"address": RIGHT_HOST, "mac-address": RIGHT_HOST_MAC, "interface": "second"}
    )
    rows(config, "ip", "route").extend(
        [
            {"gateway": f"{RIGHT_HOST}%right"},
            {"gateway": f"{RIGHT_HOST}%second", "distance": 2},
            {"gateway": f"{RIGHT_HOST}%second", "routing-table": "second"},
        ]
    )
    config["routing"] = {
        "table": [{"name": "second", "fib": True}],
        "rule": [
            {"src-address": "10.1.0.64/26", "interface": "left", "action": "lookup",
             "table": "second"},
            {"dst-address": "198.51.100.66", "action": "unreachable"},
        ],
    }
    rows(config, "ip", "arp").append(
        {"address": "10.1.0.70", "mac-address": "02:00:00:00:10:46", "interface": "left"}
    )
    rows(config, "ip", "arp").append(
        {"address": "10.2.0.77", "mac-address": "02:00:00:00:20:4d", "interface": "right"}
    )
    with Lab() as lab:
        yield two_port_rig(lab, config)


@pytest.fixture(autouse=True)
def quiet(rig):
    rig.clear()


def by(packet):
    """The interface a packet left by, and its source."""
    name = {RIGHT_MAC: "right", SECOND_MAC: "second"}[packet.src]
    return name, packet[IP].src


def test_what_nobody_asks_for_goes_by_main(rig):
    (got,) = out(rig, IP(src=LEFT_HOST, dst=FAR) / UDP(sport=1, dport=6000))
    assert by(got) == ("right", "10.2.0.1")


def test_a_mark_leads_to_its_table(rig):
    for _ in range(3):
        (got,) = out(rig, IP(src=LEFT_HOST, dst=FAR) / UDP(sport=1, dport=7000))
        assert by(got) == ("second", SECOND)
        assert good_checksums(got)
    assert rig.router.rule("by mark", "/ip/firewall/mangle") == 3
    assert rig.router.rule("saw the mark") == 3


def test_rules_lead_by_source_and_refuse(rig):
    (got,) = out(rig, IP(src="10.1.0.70", dst=FAR) / UDP(sport=1, dport=6001))
    assert by(got) == ("second", SECOND)
    assert out(rig, IP(src=LEFT_HOST, dst="198.51.100.66") / UDP(sport=1, dport=6002)) == []
    (error,) = rig.left.wire.take(lambda p: ICMP in p)
    assert (error[ICMP].type, error[ICMP].code) == (3, 1)


def test_an_answer_leaves_where_the_question_came_in(rig):
    syn = IP(src=FAR, dst=SECOND) / TCP(sport=5000, dport=8080, flags="S", seq=1)
    frame = rig.right.frame(syn)
    frame.dst = SECOND_MAC
    rig.right.wire.send(frame)
    got = rig.left.wire.wait(lambda p: TCP in p, what="the published port's SYN")
    assert (got[IP].dst, got[TCP].dport) == (LEFT_HOST, 80)
    (back,) = out(rig, IP(src=LEFT_HOST, dst=FAR) / TCP(
        sport=80, dport=5000, flags="SA", seq=9, ack=2))
    assert by(back) == ("second", SECOND)
    assert back[TCP].sport == 8080


def test_routes_show_their_table(rig):
    table = {(r["gateway"], r["routing-table"]): r["active"] for r in rig.router.print("/ip/route")}
    assert table[(f"{RIGHT_HOST}%second", "second")] == "true"
    assert table[(f"{RIGHT_HOST}%second", "main")] == "false"
    rig.router.ctl("/routing/table/add disabled=no fib name=third")  # as RouterOS exports it
    assert {r["name"] for r in rig.router.print("/routing/table")} == {"main", "second", "third"}
    rig.router.ctl("/routing/table/remove third")
    refused = rig.router.ctl("/routing/table/remove", "second", check=False)
    assert refused.returncode != 0 and "second" in refused.stdout + refused.stderr


def test_a_blackhole_is_written_as_routeros_exports_it(rig):
    ctl = rig.router.ctl
    ctl('/ip/route/add blackhole disabled=no distance=1 dst-address=198.51.77.0/24 gateway="" '
        "routing-table=main scope=30 target-scope=10")
    row = rig.router.row("/ip/route", **{"dst-address": "198.51.77.0/24"})
    assert (row["blackhole"], row["active"]) == ("true", "true")
    assert "add blackhole dst-address=198.51.77.0/24" in ctl("/ip/route/export terse").stdout
    ctl("/ip/route/remove [find dst-address=198.51.77.0/24]")


def test_rp_filter_drops_what_could_not_be_answered(rig):
    packet = IP(src="10.1.0.99", dst=LEFT_HOST) / UDP(sport=1, dport=2)
    rig.router.ctl("/ip/settings/set", "rp-filter=strict")
    before = rig.router.drops("rp_filter")
    rig.right.send(packet)
    rig.settle()
    assert rig.router.drops("rp_filter") == before + 1
    assert rig.left.wire.take(lambda p: UDP in p) == []
    rig.router.ctl("/ip/settings/set", "rp-filter=no")
    rig.right.send(packet)
    rig.settle()
    assert len(rig.left.wire.take(lambda p: UDP in p)) == 1


def test_a_host_is_told_of_the_nearer_gateway(rig):
    """RFC 1812 5.2.7.2; and the packet is forwarded for all that."""
    rig.right.send(IP(src="10.2.0.77", dst=FAR) / UDP(sport=1, dport=2))
    rig.settle()
    got = rig.right.wire.take(lambda p: IP in p)
    (forwarded,) = [p for p in got if UDP in p and ICMP not in p]
    assert forwarded[IP].src == "10.2.0.77"
    (told,) = [p for p in got if ICMP in p]
    assert (told[ICMP].type, told[ICMP].code, told[ICMP].gw) == (5, 1, RIGHT_HOST)
    assert told[IP].dst == "10.2.0.77"


@pytest.mark.parametrize("how", ["arp", "ping"])
def test_a_gateway_is_asked(rig, how):
    rig.router.ctl("/ip/route/add", "dst-address=203.0.113.0/24", f"gateway={RIGHT_HOST}%right",
                   f"check-gateway={how}", "comment=checked")
    if how == "arp":
        rig.right.wire.wait(lambda p: ARP in p and p[ARP].pdst == RIGHT_HOST, what="a who-has")
    else:
        asked = rig.right.wire.wait(lambda p: ICMP in p and p[ICMP].type == 8, what="a ping")
        assert (asked[IP].src, asked[IP].dst) == ("10.2.0.1", RIGHT_HOST)
    assert rig.router.row("/ip/route", comment="checked")["active"] == "true"
    rig.router.ctl("/ip/route/remove", "[find", "comment=checked]")
