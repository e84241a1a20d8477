"""As many interfaces, rules and addresses as the router promises."""

import pytest

from frames import ARP, BROADCAST, ICMP, IP, UDP, Ether, mac
from lab import Lab, dataplane
from scenes import LEFT_HOST, RIGHT_HOST, raw_rig, two_port_rig, two_ports

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
