"""As many interfaces, rules and addresses as the router promises."""

import re
import signal

import pytest

from frames import ARP, BROADCAST, ICMP, IP, TCP, UDP, Ether, mac
from lab import Lab, dataplane, wait_until
from scenes import ISP, LEFT_HOST, RIGHT_HOST, back, out, raw_rig, soho, two_port_rig, two_ports

HOST = mac(0x9001)


def network(number):
    return f"10.{100 + number // 256}.{number % 256}"


@pytest.mark.parametrize("count", [1000, 4096])
def test_many_macvlans_on_one_parent(count):
    config = {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlport"}],
            "macvlan": [{"name": f"m{n}", "interface": "ether1"} for n in range(count)],
        },
        "ip": {
            "address": [{"address": f"{network(n)}.1/24", "interface": f"m{n}"}
                        for n in range(count)]
        },
    }
    with Lab() as lab:
        rig = raw_rig(lab, config, ["mlport"])
        wire = rig.wires["mlport"]
        macs = {row["name"]: row["mac-address"].lower() for row in rig.router.print("/interface")}
        assert len(set(macs.values())) == count + 1
        for n in (0, 1, count // 2, count - 1):
            sender, target = f"{network(n)}.9", f"{network(n)}.1"
            wire.send(Ether(src=HOST, dst=BROADCAST)
                      / ARP(op=1, hwsrc=HOST, psrc=sender, pdst=target))
            reply = wire.wait(lambda p, s=sender: ARP in p and p[ARP].op == 2 and p[ARP].pdst == s)
            assert reply[ARP].hwsrc == macs[f"m{n}"]
            wire.send(Ether(src=HOST, dst=macs[f"m{n}"]) / IP(src=sender, dst=target) / ICMP(id=n))
            assert wire.wait(lambda p: ICMP in p)[IP].src == target
        # Between two of them the router routes.
        near, far = f"{network(0)}.9", f"{network(count - 1)}.9"
        wire.send(Ether(src=HOST, dst=macs["m0"]) / IP(src=near, dst=far) / UDP(dport=9))
        got = wire.wait(lambda p: UDP in p and p.src == macs[f"m{count - 1}"])
        assert (got[IP].dst, got[IP].ttl) == (far, 63)


def test_ten_thousand_rules_and_a_hundred_thousand_addresses():
    rules = [
        {"chain": "forward", "src-address": f"172.{16 + n // 4096}.{n // 16 % 256}.{n % 16}",
         "protocol": "udp", "dst-port": str(1000 + n % 5000), "action": "drop"}
        for n in range(9997)
    ]
    rules.insert(0, {"chain": "forward", "dst-address-list": "listed", "protocol": "udp",
                     "dst-port": "7", "action": "drop", "comment": "listed"})
    rules.append({"chain": "forward", "src-address-list": "listed", "action": "drop",
                  "comment": "source listed"})
    rules.append({"chain": "forward", "protocol": "udp", "dst-port": "8", "action": "drop",
                  "comment": "the last"})
    entries = [
        {"list": "listed", "address": f"{20 + n // 65536}.{n // 256 % 256}.{n % 256}.0/24"}
        for n in range(99_999)
    ]
    entries.append({"list": "listed", "address": RIGHT_HOST})
    with Lab() as lab:
        rig = two_port_rig(lab, two_ports(filter=rules, address_list=entries))

        def out(port):
            rig.left.send(IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=1, dport=port))
            rig.settle()
            return len(rig.right.wire.take(lambda p: UDP in p))

        assert (out(7), out(8), out(9)) == (0, 0, 1)
        rows = rig.router.print("/ip/firewall/filter")
        counted = {row["comment"]: row["packets"] for row in rows if row.get("comment")}
        assert counted == {"listed": "1", "source listed": "0", "the last": "1"}
        assert len(rows) == 10_000


# B-19
def test_a_million_sessions_by_configuration():
    config = two_ports(filter=[{"chain": "forward", "action": "accept"}])
    config["dataplane"] = dataplane(max_sessions=1_000_000)
    with Lab() as lab:
        rig = two_port_rig(lab, config)
        tracking = rig.router.print("/ip/firewall/connection/tracking")[0]
        assert int(tracking["max-entries"]) >= 1_000_000
        packets = [
            IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=sport, dport=9)
            for sport in range(1, 2001)
        ]
        rig.left.flood([rig.left.frame(packet) for packet in packets])
        tracking = rig.router.print("/ip/firewall/connection/tracking")[0]
        assert int(tracking["total-entries"]) >= 2000


def test_full_session_table_gives_up_what_nobody_answered():  # B-22
    config = two_ports(filter=[{"chain": "forward", "action": "accept"}])
    config["dataplane"] = dataplane(max_sessions=1024)
    with Lab() as lab:
        rig = two_port_rig(lab, config)
        flood = [
            IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=1 + n % 60000, dport=10 + n // 60000)
            for n in range(4000)
        ]
        rig.left.flood([rig.left.frame(packet) for packet in flood])
        rig.settle()
        assert len(rig.right.wire.take(lambda p: UDP in p)) == 4000
        assert rig.router.drops("session_table_full") == 0
        tracking = rig.router.print("/ip/firewall/connection/tracking")[0]
        assert 900 <= int(tracking["total-entries"]) <= 1024
        assert int(tracking["evicted-entries"]) + int(tracking["total-entries"]) >= 4000


def tcp(src, dst, sport, dport, flags, seq, ack=0):
    return IP(src=src, dst=dst) / TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack)


def establish(rig, ports):
    """TCP connections from left to right, or as many as there is room for."""
    for start in range(0, len(ports), 100):
        some = ports[start : start + 100]
        out(rig, *(tcp(LEFT_HOST, RIGHT_HOST, p, 80, "S", 1) for p in some))
        answered = [packet[TCP].dport for packet in back(
            rig, *(tcp(RIGHT_HOST, LEFT_HOST, 80, p, "SA", 1, 2) for p in some))]
        out(rig, *(tcp(LEFT_HOST, RIGHT_HOST, p, 80, "A", 2, 2) for p in answered))


def test_full_session_table_keeps_what_is_assured_and_recovers():  # B-22
    config = two_ports(filter=[
        {"chain": "forward", "connection-state": "invalid", "action": "drop"},
        {"chain": "forward", "action": "accept"},
    ])
    config["dataplane"] = dataplane(max_sessions=1024)
    with Lab() as lab:
        rig = two_port_rig(lab, config)
        tracking = "/ip/firewall/connection/tracking"
        establish(rig, range(10_000, 11_500))
        refused = rig.router.drops("session_table_full")
        rows = rig.router.sessions()
        assert 900 <= len(rows) <= 1024 and refused > 300
        assert {(row["assured"], row["tcp-state"]) for row in rows} == {("true", "established")}
        assert int(rig.router.print(tracking)[0]["total-entries"]) == len(rows)
        # Who is in goes on, who comes is refused.
        port = int(rows[0]["src-port"])
        assert len(out(rig, tcp(LEFT_HOST, RIGHT_HOST, port, 80, "A", 2, 2))) == 1
        assert out(rig, IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=9, dport=10)) == []
        assert rig.router.drops("session_table_full") > refused
        words = "the connection table is full"
        wait_until(lambda: words in rig.router.log(), 30, "the line in the log")
        out(rig, *(IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=p, dport=11) for p in range(50)))
        assert rig.router.log().count(words) == 1
        # They end by themselves, and there is room again.
        rig.router.ctl(f"{tracking}/set tcp-established-timeout=1s tcp-unacked-timeout=1s")
        wait_until(lambda: not rig.router.sessions(), 60,
                   lambda: f"the connections to end: {rig.router.sessions()[:3]}")
        refused = rig.router.drops("session_table_full")
        assert len(out(rig, *(IP(src=LEFT_HOST, dst=RIGHT_HOST) / UDP(sport=p, dport=12)
                              for p in range(1, 101)))) == 100
        assert rig.router.drops("session_table_full") == refused
        assert int(rig.router.print(tracking)[0]["total-entries"]) == 100


def test_a_hundred_thousand_addresses_come_and_go_on_a_running_router():  # B-13
    lists = "/ip/firewall/address-list"
    with Lab() as lab:
        scene = soho(lab)
        router = scene.router
        router.ctl("/ip/firewall/raw/add chain=prerouting dst-address-list=banned action=drop "
                   "comment=banned")
        scene.isp.address("lo", "20.1.0.0/32", "21.134.159.0/32", "30.0.0.1/32")
        assert all(scene.pc.ping(host).ok for host in ("20.1.0.0", "21.134.159.0", "30.0.0.1"))
        script = lab.directory / "banned.rsc"
        script.write_text(lists + "\n" + "".join(
            f"add list=banned address={20 + n // 65536}.{n // 256 % 256}.{n % 256}.0/24\n"
            for n in range(100_000)))
        pings = scene.pc.popen("ping", "ping", "-n", "-i", "0.02", ISP)
        router.ctl("--file", script)
        assert scene.pc.ping("30.0.0.1").ok, "what is not listed"
        for host in ("20.1.0.0", "21.134.159.0"):  # the first ones and the last
            before = router.rule("banned", "/ip/firewall/raw")
            assert scene.pc.ping(host, wait=1).received == 0
            assert router.rule("banned", "/ip/firewall/raw") == before + 1
        assert router.ctl(f":put [:len [{lists} find list=banned]]").stdout.strip() == "100000"
        router.ctl(f"{lists}/remove [find list=banned]")
        assert all(scene.pc.ping(host).ok for host in ("20.1.0.0", "21.134.159.0"))
        pings.popen.send_signal(signal.SIGINT)
        pings.wait()
        sent, received = re.search(r"(\d+) packets transmitted, (\d+) received",
                                   pings.out()).groups()
        assert int(sent) - int(received) <= 1, pings.out()[-500:]  # one may be under way
        assert router.ctl(f":put [:len [{lists} find list=banned]]").stdout.strip() == "0"
