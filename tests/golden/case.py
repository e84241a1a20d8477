"""Reads and plays the cases: see README.md for what a case may say."""

import ast
import re
from dataclasses import dataclass

import scapy.all as scapy
from scapy.packet import NoPayload, Padding

from frames import ARP, Ether, Raw, Station, good_checksums, raw

_PROBE_MAC = "02:00:00:00:ff:fe"  # of the frames that say that everything has been through
_LAYERS = (
    "ARP", "Dot1AD", "Dot1Q", "Dot3", "Ether", "ICMP", "ICMPerror", "IP", "IPerror", "LLC", "Raw",
    "SNAP", "TCP", "TCPerror", "UDP", "UDPerror", "IPOption_NOP", "IPOption_RR",
)
_ALLOWED = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.Div, ast.Mult,
    ast.Add, ast.List, ast.Tuple, ast.keyword,
)


class CaseError(AssertionError):
    """The case itself is not well written, or the router did something else."""


class _Rest(Raw):
    """The end of an expected packet after which anything may follow."""


def part(packet, number, size):
    """The n-th fragment of a packet with its Ethernet header."""
    return scapy.fragment(packet, fragsize=size)[number]


def evaluate(text, names):
    """A packet expression; only layers, names, numbers, text and / * + are known."""
    tree = ast.parse(text.strip(), mode="eval")
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise CaseError(f"{type(node).__name__} has no place in: {text}")
        if isinstance(node, ast.Name) and node.id not in names:
            raise CaseError(f"unknown name {node.id} in: {text}")
    return eval(compile(tree, "case.txt", "eval"), {"__builtins__": {}}, names)  # noqa: S307


@dataclass
class Step:
    number: int
    verb: str
    wire: str
    text: str


_LINE = re.compile(
    r"(?P<let>let)\s+(?P<name>\w+)\s*=\s*(?P<value>.+)"
    r"|(?P<verb>send|expect)\s+(?P<wire>[\w.-]+)(?P<any>\s+any)?\s*:\s*(?P<packet>.+)"
    r"|(?P<nothing>expect)\s+(?P<quiet>[\w.-]+)\s+nothing"
    r"|drops\s+(?P<reason>\w+)\s+(?P<count>\d+)"
    r"|sessions\s+(?P<sessions>\d+)(?P<where>(\s+[\w-]+=\S+)*)",
    re.DOTALL,
)


def parse(text):
    """The steps of a case.txt."""
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if not line:
            continue
        if line[0].isspace() and lines:
            lines[-1] = (lines[-1][0], f"{lines[-1][1]} {line.strip()}")
        else:
            lines.append((number, line))
    steps = []
    for number, line in lines:
        found = _LINE.fullmatch(line)
        if not found:
            raise CaseError(f"line {number}: not a step: {line}")
        if found["let"]:
            steps.append(Step(number, "let", found["name"], found["value"]))
        elif found["verb"]:
            verb = "expect any" if found["any"] else found["verb"]
            steps.append(Step(number, verb, found["wire"], found["packet"]))
        elif found["nothing"]:
            steps.append(Step(number, "nothing", found["quiet"], ""))
        elif found["reason"]:
            steps.append(Step(number, "drops", found["reason"], found["count"]))
        else:
            steps.append(Step(number, "sessions", found["sessions"], found["where"]))
    return steps


def without_padding(packet):
    """What was sent, less what Ethernet filled up with."""
    packet = packet.copy()
    layer = packet
    while not isinstance(layer.payload, NoPayload):
        if isinstance(layer.payload, Padding):
            layer.remove_payload()
            break
        layer = layer.payload
    return packet


def difference(expected, got):
    """Why a packet is not the expected one, or nothing."""
    got = without_padding(got)
    want, have = expected, got
    while not isinstance(want, NoPayload):
        if isinstance(want, _Rest):
            return None
        if isinstance(want, Raw):
            body = raw(have)
            return None if body == want.load else f"payload {body!r} is not {want.load!r}"
        if type(want) is not type(have):
            return f"{want.name} expected where {have.name} is"
        for name, value in want.fields.items():
            found = have.getfieldval(name)
            same = want.get_field(name).i2m(want, value) == want.get_field(name).i2m(want, found)
            if not same:
                return f"{want.name}.{name} is {found!r} and not {value!r}"
        want, have = want.payload, have.payload
    if not isinstance(have, NoPayload):
        return f"{have!r} follows where nothing should"
    return None


class Player:
    """Plays the steps of a case against a running router."""

    def __init__(self, router, wires, settle_wire, settle_address, names):
        self.router = router
        self.wires = wires
        network, _, last = settle_address.rpartition(".")
        probe_ip = f"{network}.{253 if last != '253' else 252}"
        self.probe = Station(wires[settle_wire], _PROBE_MAC, probe_ip, "", settle_address)
        self.names = {layer: getattr(scapy, layer) for layer in _LAYERS}
        self.names.update({"part": part, "rest": _Rest(b"rest")})
        self.names.update(names)
        self.mentions_arp = False

    def ours(self, packet):
        """Whether a frame is one that a case speaks of."""
        if _PROBE_MAC in (packet.src, packet.dst):
            return False
        if ARP not in packet or self.mentions_arp:
            return True
        asks = packet[ARP].op == 1
        return not (asks and packet.src in self.names["own_macs"])

    def settle(self):
        self.probe.settle()

    def play(self, text):
        steps = parse(text)
        self.mentions_arp = any(
            step.verb.startswith("expect") and re.search(r"\bARP\(", step.text) for step in steps
        )
        self.settle()
        for wire in self.wires.values():
            wire.clear()
        for step in steps:
            try:
                self.step(step)
            except AssertionError as error:
                raise CaseError(f"line {step.number}: {step.verb} {step.wire}: {error}") from None
        self.settle()
        for name in self.wires:
            self.nothing(name)

    def step(self, step):
        if step.verb == "let":
            self.names[step.wire] = evaluate(step.text, self.names)
        elif step.verb == "drops":
            self.settle()
            assert self.router.drops(step.wire) == int(step.text), self.router.drops(step.wire)
        elif step.verb == "sessions":
            self.settle()
            where = dict(pair.split("=", 1) for pair in step.text.split())
            rows = [
                row
                for row in self.router.print("/ip/firewall/connection")
                if all(row.get(key) == value for key, value in where.items())
            ]
            assert len(rows) == int(step.wire), rows
        elif step.wire not in self.wires:
            raise CaseError(f"there is no wire {step.wire}, only {sorted(self.wires)}")
        elif step.verb == "send":
            self.wires[step.wire].send(evaluate(step.text, self.names))
        elif step.verb == "nothing":
            self.settle()
            self.nothing(step.wire)
        else:
            self.expect(step.wire, evaluate(step.text, self.names), step.verb == "expect any")

    def nothing(self, name):
        left = self.wires[name].take(self.ours)
        assert not left, f"nobody expected on {name}: " + "; ".join(repr(p) for p in left)

    def expect(self, name, packet, in_any_order):
        if not isinstance(packet, Ether):
            raise CaseError("an expected packet begins with Ether(...)")

        def fits(got):
            if not self.ours(got):
                return False
            why = difference(packet, got)
            if why is None and not good_checksums(got):
                why = "a checksum is wrong"
            assert why is None or in_any_order, f"{why} in {got!r}"
            return why is None

        self.wires[name].wait(fits, what=packet.summary())
