"""The kernel's rows: forwarding, macvlan, nftables masquerade, each in fresh namespaces."""

from dataclasses import dataclass
from pathlib import Path

from lab import MACS, Missing, Wires, best, disturbance, figures, rules

CONNTRACK = Path("/proc/sys/net/netfilter")
INCLUDES = ("router part = all-in minus ceiling (drop at the router's ingress); it includes the veth to "
            "the sink and the sink's drop")


@dataclass
class Row:
    name: str
    what: str
    flows: int
    inside: str = "r0"  # r0m: a macvlan child of r0
    outside: str = "r1"
    nat: bool = False
    filtered: bool = False


def rows(settings):
    yield "kernel-ceiling", "flooder and veth alone: dropped at the router's ingress", ceiling
    for row in _rows(settings.flows):
        yield row.name, row.what, lambda s, row=row: measure(s, row)


def _rows(all_flows):
    most = all_flows[-1]
    yield Row("kernel-forward", "ip_forward", most)
    yield Row("kernel-macvlan-forward", "ip_forward, received by a macvlan (bridge)", most, "r0m")
    for prefix, words, inside, outside in (("kernel", "", "r0", "r1"),
                                           ("kernel-macvlan", "macvlan both sides, ", "r0m", "r1m")):
        for filtered in (False, True):
            for flows in all_flows:
                yield Row(f"{prefix}-masquerade{'-rules' if filtered else ''}-{short(flows)}",
                          f"{words}nft masquerade{', 25 stateful rules' if filtered else ''}, "
                          f"{flows} flows", flows, inside, outside, True, filtered)


def short(flows):
    return f"{flows // 1000}k" if flows >= 1000 else str(flows)


def ceiling(settings):
    flows = settings.flows[-1]
    with Wires(settings) as wires:
        wires.drop_at_router(True)
        said = max((wires.ceiling(MACS["r0"], flows) for _ in range(settings.tries)),
                   key=lambda said: said["sent"] / said["seconds"])
        said["delivered"] = said["sent"]
        row = figures(said, None, "AF_PACKET, PACKET_QDISC_BYPASS, sendmmsg of 64, 60-byte frames "
                                  "(64 with FCS); ticks are all-in")
        row["note"] += core_taken(said)
        row["command"] = command(wires, MACS["r0"], flows)
        return row


def core_taken(said):
    return disturbance(said["cpu_seconds"], said["seconds"])


def command(wires, to_mac, flows):
    words = wires.flood_command(to_mac, flows, "--seconds", wires.settings.seconds)
    return " ".join(str(word) for word in words)


def conntrack_room(flows):
    """Says what the connection table has room for; too little would measure its garbage collection."""
    most = int((CONNTRACK / "nf_conntrack_max").read_text())
    buckets = int((CONNTRACK / "nf_conntrack_buckets").read_text())
    if most < 2 * flows or buckets < flows:
        raise Missing(f"conntrack has room for {most} connections in {buckets} buckets; do: sysctl -w "
                      f"net.netfilter.nf_conntrack_max=262144 net.netfilter.nf_conntrack_buckets=262144")
    return f"nf_conntrack_max {most}, {buckets} buckets"


def set_up(wires, row):
    wires.sysctl("router", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0",
                 "net.ipv4.conf.default.rp_filter=0")
    for device in {row.inside, row.outside} & {"r0m", "r1m"}:
        wires.ip("router", "link", "add", device, "link", device[:-1], "type", "macvlan", "mode",
                 "bridge")
        wires.ip("router", "link", "set", device, "up")
    wires.ip("router", "addr", "add", "10.0.0.1/24", "dev", row.inside)
    wires.ip("router", "addr", "add", "10.2.0.1/24", "dev", row.outside)
    wires.ip("router", "route", "add", "10.1.0.0/16", "via", "10.0.0.2")
    wires.ip("router", "neigh", "add", "10.0.0.2", "lladdr", MACS["g0"], "dev", row.inside)
    wires.ip("router", "neigh", "add", "10.2.0.2", "lladdr", MACS["s0"], "dev", row.outside)
    chains = []
    if row.nat:
        chains.append("chain post { type nat hook postrouting priority srcnat; "
                      f"oifname {row.outside} counter masquerade; }}\n")
    if row.filtered:
        statements = "\n".join(rules(row.inside, row.outside))
        chains.append("chain forward { type filter hook forward priority 0; policy drop;\n"
                      f"{statements}\n}}\n")
    if chains:
        wires.nft("router", f"table ip peers {{\n{''.join(chains)}}}\n")


def mac_of(wires, device):
    text = wires.ip("router", "-br", "link", "show", device)
    return text.split()[2]


def measure(settings, row):
    note = [INCLUDES]
    if row.nat:
        note.insert(0, f"connections warmed in both directions; {conntrack_room(row.flows)}")
    with Wires(settings) as wires:
        set_up(wires, row)
        mac = mac_of(wires, row.inside)
        if row.nat:
            wires.warm(mac, row.flows)
        ceilings, runs = [], []
        for _ in range(settings.tries):
            wires.drop_at_router(True)
            ceilings.append(wires.ceiling(mac, row.flows))
            wires.drop_at_router(False)
            runs.append(wires.measure(mac, row.flows))
        alone = max(ceilings, key=lambda said: said["sent"] / said["seconds"])
        said = best(runs)
        result = figures(said, alone, "; ".join(note))
        result["command"] = command(wires, mac, row.flows)
        if said["delivered"] < said["sent"] * 0.99:
            result["note"] += f"; {100 - 100 * said['delivered'] / said['sent']:.1f} % lost"
        result["note"] += core_taken(said) or core_taken(alone)
        return result
