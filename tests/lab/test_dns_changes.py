"""Changes of /ip/dns while questions are asked (C5): none is lost."""

import contextlib
import json
import signal
import socket
import threading

import pytest

from lab import Lab, wait_until
from test_dns import LONG, answered, data, dig, start, upstream


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def test_whoever_looks_harms_no_name_server(lab):
    """C-31: what is asked of one that just starts, and does not heed signals yet, does not end it."""
    router, _, pc = start(lab)
    answered(pc, "www.example")
    for size in range(100, 120):
        router.ctl(f"/ip/dns/set cache-size={size}; :for i from=1 to=5 do={{/ip/dns/print; "
                   "/ip/dns/cache/flush; :delay 3ms}")
    answered(pc, "www.example")
    assert "was ended" not in router.log()


def test_changes_drop_nothing_that_runs(lab):
    """Name servers, names and domains change while a question is under way: the same process
    answers it, and what is remembered stays where only servers or names changed."""
    router, isp, pc = start(lab)
    isp.address("mlwan", "203.0.113.55/24")
    slow = isp.udp(53, address="203.0.113.55", timeout=LONG)
    upstream(isp, "203.0.113.54", "host-record=a.corp.example,10.7.7.7,60")
    long_name = "a-name-that-is-longer-than-thirty-characters.slow.example"

    def pid():
        return int((router.state / "dnsmasq.pid").read_text().splitlines()[0])

    def remembered():
        return {row["name"]: row["data"] for row in router.print("/ip/dns/cache")
                if row["static"] == "false"}

    first = pid()
    router.ctl("/ip/dns/static add name=slow.example type=FWD forward-to=203.0.113.55 "
               "match-subdomain=yes")
    asked = pc.popen("dig-slow", "dig", "+short", "+tries=1", f"+time={LONG}", "@192.168.88.1",
                     long_name)
    question, asker = slow.recvfrom(512)
    answered(pc, "www.example")
    router.ctl("/ip/dns set servers=203.0.113.54,203.0.113.53")
    router.ctl("/ip/dns/static add name=nas.lan address=192.168.88.5")
    router.ctl("/ip/dns/static add name=gone.lan address=192.168.88.6")
    answered(pc, "gone.lan")
    router.ctl("/ip/dns/static remove 2")
    wait_until(lambda: not dig(pc, "gone.lan")[1], LONG)
    assert data(dig(pc, "nas.lan")) == ["192.168.88.5"]
    assert remembered()["www.example"] == "198.51.100.80"
    # Domains are read anew: that empties the cache, and nothing else.
    router.ctl("/ip/dns/static add name=corp.example type=FWD forward-to=203.0.113.54 "
               "match-subdomain=yes")
    assert data(answered(pc, "a.corp.example")) == ["10.7.7.7"]
    assert "www.example" not in remembered()
    header = question[:2] + bytes.fromhex("8180 0001 0001 0000 0000")
    end = question.index(0, 12) + 5
    slow.sendto(header + question[12:end] + bytes.fromhex("c00c 0001 0001 0000012c 0004 c6336409"),
                asker)
    wait_until(lambda: not asked.alive(), LONG)
    assert asked.out().split() == ["198.51.100.9"]
    assert remembered().get(long_name) == "198.51.100.9", router.print("/ip/dns/cache/all")
    assert pid() == first
    # Without a server the row says so, and names of one's own are answered all the same.
    router.ctl("/ip/dns set servers=\"\"")
    assert router.row("/ip/dns")["status"] == "running, but there is no server to ask"
    wait_until(lambda: dig(pc, "other.example")[0] == "REFUSED", LONG)
    assert data(dig(pc, "nas.lan")) == ["192.168.88.5"]
    # What it takes at its start only needs another one in its place.
    router.ctl("/ip/dns set cache-size=64")
    wait_until(lambda: pid() != first, LONG)
    assert data(answered(pc, "nas.lan")) == ["192.168.88.5"]


# Asks for a name of its own each time, so that every question goes to the slow server; many at once,
# by UDP and by TCP, each of them once. It ends at SIGTERM, says how many it asked and which were lost.
ASKER = """
import json, os, signal, socket, struct, sys, threading

server, stop, lock, asked, lost = sys.argv[1], threading.Event(), threading.Lock(), [0, 0], []
signal.signal(signal.SIGTERM, lambda *_: stop.set())

def question(name, number):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + labels + bytes(1) + struct.pack("!2H", 1, 1)

def by_udp(query):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.connect((server, 53))
        sock.send(query)
        return sock.recv(4096)

def by_tcp(query):
    with socket.create_connection((server, 53), 20) as sock:
        sock.sendall(struct.pack("!H", len(query)) + query)
        got = b""
        while len(got) < 2 or len(got) < 2 + struct.unpack("!H", got[:2])[0]:
            more = sock.recv(4096)
            if not more:
                raise OSError("closed before the answer")
            got += more
        return got[2:]

def ask(worker):
    number = 0
    kind = worker % 2
    while not stop.is_set():
        number = (number + 1) % 65536
        name = f"n{os.getpid()}-{worker}-{number}.slow.example"
        try:
            answer = (by_tcp if kind else by_udp)(question(name, number))
            if answer[:2] != struct.pack("!H", number) or answer[3] & 15 or answer[6:8] != bytes([0, 1]):
                raise OSError(f"answered {answer.hex()}")
        except OSError as why:
            with lock:
                lost.append(f"{name} by {'tcp' if kind else 'udp'}: {why}")
        with lock:
            asked[kind] += 1

workers = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
for one in workers:
    one.start()
for one in workers:
    one.join()
print(json.dumps({"udp": asked[0], "tcp": asked[1], "lost": lost}))
"""


def slow_server(isp, address, delay):
    """Answers each question with an address, so long after it, by UDP and by TCP."""
    isp.address("mlwan", f"{address}/24")
    udp, listener = isp.udp(53, address=address, timeout=1), isp.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, 53))
    listener.listen(64)
    listener.settimeout(1)
    over = threading.Event()

    def answer(query):
        over.wait(delay)
        end = query.index(0, 12) + 5
        return (query[:2] + bytes.fromhex("8180 0001 0001 0000 0000") + query[12:end]
                + bytes.fromhex("c00c 0001 0001 0000012c 0004 c6336409"))

    def by_udp(query, asker):
        with contextlib.suppress(OSError):
            udp.sendto(answer(query), asker)

    def by_tcp(sock, _):
        with sock, contextlib.suppress(OSError):
            sock.settimeout(20)
            while (query := sock.recv(4096)):  # a question comes in one piece
                reply = answer(query[2:])
                sock.sendall(len(reply).to_bytes(2, "big") + reply)

    def serve(take, then):
        while not over.is_set():
            with contextlib.suppress(socket.timeout):
                threading.Thread(target=then, args=take(), daemon=True).start()

    threads = [threading.Thread(target=serve, args=(lambda: udp.recvfrom(4096), by_udp)),
               threading.Thread(target=serve, args=(listener.accept, by_tcp))]
    for one in threads:
        one.start()

    def end():
        over.set()
        for one in threads:
            one.join()
        udp.close()
        listener.close()

    isp.lab.cleanups.append(end)


def test_no_change_loses_a_question(lab):
    """Clients ask all the time, by UDP and TCP, also the router's programs at 127.0.0.1: another cache,
    other limits, names of every type and who may ask change meanwhile, and every question is answered."""
    router, isp, pc = start(lab)
    slow_server(isp, "203.0.113.55", 0.3)
    script = lab.directory / "asker.py"
    script.write_text(ASKER)
    router.ctl("/ip/dns set servers=203.0.113.55 max-concurrent-queries=1000")
    wait_until(lambda: data(dig(pc, "first.slow.example")) == ["198.51.100.9"], LONG, router.log)
    askers = [pc.popen("asker", "python3", script, "192.168.88.1"),
              router.ns.popen("asker", "python3", script, "127.0.0.1")]

    def remembered():
        return sum(row["name"].endswith("slow.example") for row in router.print("/ip/dns/cache"))

    def pid():
        return (router.state / "dnsmasq.pid").read_text().split()[0]

    for change in ("/ip/dns set cache-size=64", "/ip/dns set cache-max-ttl=1m",
                   "/ip/dns/static add name=mail.lan type=MX mx-exchange=nas.lan",
                   "/ip/dns/static add name=nas.lan address=192.168.88.5 ttl=5m",
                   "/ip/dns/static add name=files.lan type=CNAME cname=nas.lan",
                   "/ip/dns set max-udp-packet-size=1400", "/ip/dns set cache-size=2048"):
        wait_until(lambda: remembered() > 5, LONG, router.log)  # it is asked
        before = pid()
        router.ctl(change)
        wait_until(lambda b=before: pid() != b, LONG, router.log)
    wait_until(lambda: data(dig(pc, "files.lan")) == ["nas.lan.", "192.168.88.5"], LONG)
    wait_until(lambda: remembered() > 5, LONG, router.log)
    for asker in askers:
        asker.popen.send_signal(signal.SIGTERM)
    for asker in askers:
        wait_until(lambda a=asker: not a.alive(), LONG)
        told = json.loads(asker.out())
        assert told["lost"] == [] and min(told["udp"], told["tcp"]) > 30, told
    # The one before each is gone.
    wait_until(lambda: not (router.state / "dnsmasq-former.pid").exists(), LONG)
    # Who may ask is one more of these: those who may go on, go on.
    router.ctl("/ip/dns set allow-remote-requests=no")
    wait_until(lambda: dig(pc, "nas.lan")[0] == "TIMEOUT", LONG)
    assert data(dig(router.ns, "nas.lan", server="127.0.0.1")) == ["192.168.88.5"]
