"""What an upstream name server says that is no answer: remembered as such, or malformed (C5)."""

import contextlib
import struct
import threading

import pytest

from lab import Lab, wait_until
from test_dns import LONG, answered, data, dig, start

ADDRESS = "203.0.113.54"  # stands on the ISP's host, where no dnsmasq has it


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def name_of(query):
    """The name a query asks for, and where its question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower(), at + 5


def head(query, rcode=0, answers=0, authority=0, flags=0x8580):
    return query[:2] + struct.pack("!5H", flags | rcode, 1, answers, authority, 0)


def record(kind, content, ttl=300, name=b"\xc0\x0c", length=None):
    return name + struct.pack("!HHIH", kind, 1, ttl, len(content) if length is None else length
                              ) + content


A = b"\xc6\x33\x64\x07"
SOA = b"\x02ns\0\x01a\0" + struct.pack("!5I", 1, 3600, 600, 86400, 300)

# Each makes a reply of a query and its question.
MALFORMED = (
    lambda query, asked: b"",
    lambda query, asked: query[:2] + b"\x85",
    lambda query, asked: head(query, answers=1),
    lambda query, asked: head(query, answers=1) + asked,
    lambda query, asked: head(query, answers=65535) + asked + record(1, A),
    lambda query, asked: head(query, answers=1) + asked + record(1, A[:2]),
    lambda query, asked: head(query, answers=1) + asked + record(1, A, length=65535),
    lambda query, asked: head(query, answers=1) + asked + record(1, A, name=b"\xff\xff"),
    lambda query, asked: head(query, answers=1) + asked + record(
        1, A, name=struct.pack("!H", 0xc000 | (12 + len(asked)))),
    lambda query, asked: head(query, answers=1) + b"\x3f" + b"x" * 40,
    lambda query, asked: bytes([query[0] ^ 0xff]) + head(query, answers=1)[1:] + asked
    + record(1, A),
    lambda query, asked: head(query, answers=1) + b"\x05other\0\0\x01\0\x01" + record(1, A),
    lambda query, asked: head(query, answers=1, flags=0x0100) + asked + record(1, A),
)


def reply(query):
    name, end = name_of(query)
    asked = query[12:end]
    if name.startswith("bad"):
        return MALFORMED[int(name.split(".")[0][3:])](query, asked)
    if name.startswith("none"):
        zone = struct.pack("!H", 0xc000 | (13 + query[12]))  # the name above
        return head(query, rcode=3, authority=1) + asked + record(6, SOA, name=zone)
    return head(query, answers=1) + asked + record(1, A)


@contextlib.contextmanager
def served(namespace):
    done = threading.Event()
    with namespace.udp(53, ADDRESS, timeout=0.2) as sock:
        def serve():
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    query, peer = sock.recvfrom(4096)
                    sock.sendto(reply(query), peer)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def test_a_name_that_is_not_is_remembered_as_such(lab):
    """C-33: /ip/dns/cache/all shows what is known not to be with N, /ip/dns/cache leaves it out."""
    router, isp, pc = start(lab)
    router.ctl(f"/ip/dns set servers={ADDRESS}")
    with served(isp):
        answered(pc, "there.example")
        assert dig(pc, "none.example")[0] == "NXDOMAIN"
        rows = {row["name"]: row for row in router.print("/ip/dns/cache/all")}
        assert rows["none.example"]["negative"] == "true", rows
        assert rows["there.example"]["negative"] == "false", rows
        names = {row["name"] for row in router.print("/ip/dns/cache")}
        assert "there.example" in names and "none.example" not in names, names
        (line,) = [line for line in router.ctl("/ip/dns/cache/all print").stdout.splitlines()
                   if "none.example" in line]
        assert "N" in line.split("none.example")[0], line


def test_malformed_replies_harm_nobody(lab):
    """C-31: none becomes an answer, ends the name server or harms the names asked after it."""
    router, isp, pc = start(lab)
    router.ctl(f"/ip/dns set servers={ADDRESS}")
    with served(isp):
        answered(pc, "before.example")
        process = (router.state / "dnsmasq.pid").read_text()
        for number in range(len(MALFORMED)):
            assert data(dig(pc, f"bad{number}.example")) == [], number
            assert data(answered(pc, f"good{number}.example")) == ["198.51.100.7"], number
    wait_until(lambda: router.row("/ip/dns")["status"] == "running", LONG, router.log)
    assert not [row for row in router.print("/ip/dns/cache/all")
                if row["name"].startswith("bad") and row["negative"] == "false"]
    assert (router.state / "dnsmasq.pid").read_text() == process
    assert isp.ping("203.0.113.2").ok
