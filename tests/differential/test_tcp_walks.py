"""TCP tracking beside the kernel's (B-20, B-21): random walks, the same packets through both.

After each step both must have let the same packets through, under a rule that drops what is
invalid, and must say the same of each connection: its state, whether it was answered, whether it
is assured. MACLANE_WALK_SEED and MACLANE_WALKS choose others, or more.
"""

import os
import re

import pytest

from frames import IP, TCP
from lab import Lab
from nat_cases import DROP_INVALID, NFT_DROP_INVALID, Case
from scenes import LEFT_HOST, RIGHT_HOST
from tcp_walks import Walk
from test_filter_nat import SIDES, TRACKING, Kernel, Ours

SEED = int(os.environ.get("MACLANE_WALK_SEED", "1"))
WALKS = int(os.environ.get("MACLANE_WALKS", "150"))
STEPS = 14
PORT = 20000
LONG = "1h"
TIMEOUTS = ("syn-sent", "syn-received", "established", "fin-wait", "close-wait", "last-ack",
            "time-wait", "close", "max-retrans", "unacked")
CASE = Case("walks", [], filter=DROP_INVALID, nft=NFT_DROP_INVALID)
STATES = {"SYN_SENT": "syn-sent", "SYN_RECV": "syn-received", "SYN_SENT2": "syn-sent",
          "ESTABLISHED": "established", "FIN_WAIT": "fin-wait", "CLOSE_WAIT": "close-wait",
          "LAST_ACK": "last-ack", "TIME_WAIT": "time-wait", "CLOSE": "close", "NONE": "none"}
ENTRY = re.compile(r"tcp +6 \d+ (\w+) src=(\S+) dst=\S+ sport=(\d+) dport=(\d+)")


class KernelTracking(Kernel):
    def start(self, switches):
        for name in ("established", "syn_sent", "syn_recv", "fin_wait", "close_wait", "last_ack",
                     "time_wait", "close", "max_retrans", "unacknowledged"):
            self.router.sysctl(f"net.netfilter.nf_conntrack_tcp_timeout_{name}", 3600)
        self.router.sysctl("net.netfilter.nf_conntrack_tcp_loose", switches["loose"])
        self.router.sysctl("net.netfilter.nf_conntrack_tcp_be_liberal", switches["liberal"])
        self.router.run("nft", "-f", "-", stdin=f"{TRACKING}table ip lab {{\n{CASE.nft}\n}}\n")

    def connections(self):
        """{port: what is known of it}."""
        found = {}
        for line in self.router.run("cat", "/proc/net/nf_conntrack").stdout.splitlines():
            match = ENTRY.search(line)
            if match:
                state, src, sport, dport = match.groups()
                port = int(sport) if src == LEFT_HOST else int(dport)
                found[port] = (src, STATES[state], "[UNREPLIED]" not in line, "[ASSURED]" in line)
        return found


class OurTracking(Ours):
    def start(self, switches):
        config = self.config(CASE)
        config["ip"]["firewall"]["connection/tracking"] = {
            "enabled": "yes",
            "loose-tcp-tracking": bool(switches["loose"]),
            "liberal-tcp-tracking": bool(switches["liberal"]),
            **{f"tcp-{name}-timeout": LONG for name in TIMEOUTS},
        }
        self.router.reload(config)

    def connections(self):
        return {
            int(row["src-port"] if row["src-address"] == LEFT_HOST else row["dst-port"]): (
                row["src-address"], row["tcp-state"], row["seen-reply"] == "true",
                row["assured"] == "true",
            )
            for row in self.router.print("/ip/firewall/connection")
            if row["protocol"] == "tcp"
        }


def passed(world):
    """What came out since the last time, by port."""
    out = {}
    for side in SIDES:
        for packet in world.sides[side].wire.take(lambda p: IP in p and TCP in p):
            tcp = packet[TCP]
            port = tcp.sport if packet[IP].src == LEFT_HOST else tcp.dport
            out.setdefault(port, []).append((side, str(tcp.flags), tcp.seq, tcp.ack))
        world.sides[side].wire.clear()
    return out


def play(world, walks):
    """[after each step: {port: (what passed, what is known)}]"""
    for side in SIDES:
        world.sides[side].probe.settle()
        world.sides[side].wire.clear()
    story = []
    for step in range(STEPS):
        for port, walk in walks.items():
            side, packet = walk.steps[step]
            world.sides[side].send(packet)
            if port % 50 == 0:
                world.sides[side].probe.settle(rounds=1)
        for _ in range(2):
            for side in SIDES:
                world.sides[side].probe.settle()
        out, known = passed(world), world.connections()
        story.append({port: (out.get(port, []), known.get(port)) for port in walks})
    return story


def told(walk, port, step, theirs, mine):
    lines = [f"walk {port - PORT} of seed {walk.seed} differs at step {step}:"]
    for number in range(step + 1):
        side, packet = walk.steps[number]
        tcp = packet[TCP]
        lines.append(
            f"  {number:2} {side:5} {tcp.flags!s:3} seq {tcp.seq} ack {tcp.ack} win {tcp.window} "
            f"len {len(tcp.payload)} {tcp.options}"
        )
        lines.append(f"     kernel {theirs[number][port]}")
        lines.append(f"     ours   {mine[number][port]}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def worlds():
    with Lab() as lab:
        made = lab.namespace("probe").run("nft", "-f", "-", stdin=TRACKING, check=False)
        if made.returncode != 0:
            pytest.skip(f"no nftables with connection tracking here: {made.stderr.strip()}")
        yield KernelTracking(lab).build(), OurTracking(lab).build()


@pytest.mark.parametrize("loose", (1, 0), ids=("loose", "strict"))
@pytest.mark.parametrize("liberal", (0, 1), ids=("judged", "liberal"))
def test_walks_as_in_the_kernel(worlds, loose, liberal):
    base = PORT + 1000 * (2 * loose + liberal)
    walks = {
        base + n: Walk(SEED * 100_000 + n, base + n, 80, LEFT_HOST, RIGHT_HOST, STEPS)
        for n in range(WALKS)
    }
    theirs, mine = [], []
    for world, story in ((worlds[0], theirs), (worlds[1], mine)):
        world.start({"loose": loose, "liberal": liberal})
        story += play(world, walks)
    differences = []
    for port, walk in walks.items():
        for step in range(STEPS):
            if theirs[step][port] != mine[step][port]:
                differences.append(told(walk, port, step, theirs, mine))
                break
    assert not differences, (
        f"{len(differences)} of {len(walks)} walks differ\n" + "\n".join(differences[:4])
    )
