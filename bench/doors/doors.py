#!/usr/bin/python3
"""What the doors take, and what they take from forwarding.

    bench/doors/doors.py                 as root, with a build in build-bench (or MACLANE_BUILD=build)
    bench/doors/doors.py rows            rows a second by API, 10,000 rows through each door, of each menu
    bench/doors/doors.py clients         200 clients of the API and 200 of REST, connected at once
    bench/doors/doors.py forwarding      a stream through the router, with and without work at the doors

A daemon of its own runs in namespaces of the labs. The clients are Python's: what they do with a row is in
the figures of adding. Of printing it is the time until the last byte is here, unparsed. Rates are the best of
the tries.
"""

import argparse
import os
import sys
import threading
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("MACLANE_BUILD", str(ROOT / "build-bench"))
sys.path.insert(0, str(ROOT / "tests" / "lab"))

# pylint: disable=wrong-import-position
from doors import PASSWORD, USER, Api, Http, basic, doors_config, logged_in, sentence
from lab import Lab
from router import worker_cpu
from scenes import ISP, soho
from services import iperf3, iperf3_server

DONE = b"\x05!done\x00"


def address(i):
    return f"=address=10.{i >> 16}.{i >> 8 & 255}.{i & 255}"


def mac(i):
    return f"=mac-address=02:00:00:{i >> 16:02X}:{i >> 8 & 255:02X}:{i & 255:02X}"


MENUS = {
    "/ip/firewall/address-list": lambda i: ("=list=bench", address(i)),
    "/ip/firewall/filter": lambda i: ("=chain=forward", "=action=drop", "=src-" + address(i)[1:]),
    "/ip/firewall/nat": lambda i: ("=chain=srcnat", "=action=masquerade", "=src-" + address(i)[1:]),
    "/ip/dhcp-server/lease": lambda i: (address(i), mac(i)),
    "/ip/dns/static": lambda i: (f"=name=h{i}.lan", address(i)),
    "/interface/list": lambda i: (f"=name=list{i}",),
    "/ip/route": lambda i: (f"=dst-{address(i)[1:]}/32", "=gateway=10.1.0.9"),
}


def timed(work):
    began = perf_counter()
    work()
    return perf_counter() - began


def add_rows(api, menu, first, count, pipelined):
    """Rows of a menu, all sent before the first answer is read, or one after the other."""
    words = [(f"{menu}/add", *MENUS[menu](i)) for i in range(first, first + count)]
    if not pipelined:
        for one in words:
            assert api.talk(*one)[-1][0] == "!done"
        return
    api.sock.sendall(b"".join(sentence(*one) for one in words))
    for _ in words:
        kind, attributes, _ = api.read()
        assert kind == "!done", attributes


def print_by_api(api, menu):
    api.send(f"{menu}/print")
    data = b""
    while not data.endswith(DONE):
        data = data[-len(DONE):] + api.sock.recv(1 << 20)


def print_by_rest(connection, menu):
    connection.request("GET", "/rest" + menu, headers={"Authorization": basic()})
    connection.getresponse().read()


def rows(options):
    print("rows/s by API, a thousand rows (one after the other, pipelined); ms for the print of "
          f"{options.rows} rows (API, REST, maclanectl, maclanectl --json)")
    for menu in options.menu or MENUS:
        with Lab() as lab:
            router = lab.router(doors_config()).start()
            with logged_in(router, timeout=300) as api:
                made, rates = 0, []
                for pipelined in (False, True):
                    best = 0.0
                    for _ in range(options.tries):
                        best = max(best, 1000 / timed(lambda: add_rows(api, menu, made, 1000, pipelined)))
                        made += 1000
                    rates.append(best)
                add_rows(api, menu, made, max(0, options.rows - made), True)
                connection = Http(router, timeout=300)
                ways = (lambda: print_by_api(api, menu), lambda: print_by_rest(connection, menu),
                        lambda: router.ctl(f"{menu}/print"),
                        lambda: router.ctl(f"{menu}/print", as_json=True))
                times = [min(timed(way) for _ in range(options.tries)) for way in ways]
                connection.close()
            print(f"{menu:28}" + "".join(f"{rate:9.0f}" for rate in rates) + "   " +
                  "".join(f"{1000 * seconds:6.0f}" for seconds in times), flush=True)


def clients(options):
    with Lab() as lab:
        many = {"max-sessions": options.clients + 10}
        router = lab.router(doors_config(api=many, www=many)).start()
        began = perf_counter()
        guests = [Api(router) for _ in range(options.clients)]
        for guest in guests:
            guest.send("/login", f"=name={USER}", f"=password={PASSWORD}")
        for guest in guests:
            assert guest.read()[0] == "!done"
        print(f"{options.clients} API clients: connected and logged in within "
              f"{perf_counter() - began:.2f} s", end=", ")

        def ask_all():
            for guest in guests:
                guest.send("/system/identity/print")
            for guest in guests:
                assert guest.read()[0] == "!re" and guest.read()[0] == "!done"

        print(f"all answered within {1000 * min(timed(ask_all) for _ in range(options.tries)):.0f} ms")
        connections = [Http(router) for _ in range(options.clients)]
        for connection in connections:
            connection.connect()

        def ask_rest():
            for connection in connections:
                connection.request("GET", "/rest/system/identity", headers={"Authorization": basic()})
            for connection in connections:
                reply = connection.getresponse()
                assert reply.status == 200, reply.status
                reply.read()

        print(f"{options.clients} REST clients beside them: all answered within "
              f"{1000 * min(timed(ask_rest) for _ in range(options.tries)):.0f} ms")
        print(f"the router uses {router.rss_mb():.0f} MB")


def full_sockets(host):
    """Datagrams that reached a host and found no room at the socket of who should have read them."""
    names, counts = (line.split() for line in host.run("cat", "/proc/net/snmp").stdout.splitlines()
                     if line.startswith("Udp:"))
    return int(counts[names.index("RcvbufErrors")])


def forwarding(options):
    """The stream's loss, and the worker's own count of what a packet costs it."""
    def prepare(config):
        config["user"] = [{"name": USER, "password": PASSWORD}]

    with Lab() as lab:
        scene = soho(lab, prepare)
        router = scene.router
        # The clients of this measurement stay off the worker's core.
        os.sched_setaffinity(0, os.sched_getaffinity(0) - {worker_cpu()})
        iperf3_server(scene.isp)
        menu = "/ip/firewall/address-list"
        with logged_in(router, timeout=300) as api:
            add_rows(api, menu, 0, options.rows, True)
        stop = threading.Event()
        done = [0, 0]
        next_row = [options.rows]

        def adds():
            with logged_in(router, timeout=300) as api:
                while not stop.is_set():
                    add_rows(api, menu, next_row[0], 200, True)
                    next_row[0] += 200
                    done[0] += 200

        def prints():
            connection = Http(router, timeout=300)
            while not stop.is_set():
                print_by_rest(connection, menu)
                done[1] += 1

        def stream():
            before = full_sockets(scene.isp)
            sums = iperf3(scene.pc, ISP, "-u", "-b", options.rate, "-l", 1000,
                          seconds=options.seconds)["sum"]
            (worker,) = router.print("/dataplane/worker")
            behind = full_sockets(scene.isp) - before
            return (f"{sums['packets']} packets, {sums['lost_packets'] - behind} lost on their way, "
                    f"{behind} at the reader's full socket, jitter {sums['jitter_ms']:.3f} ms, "
                    f"{worker['ticks-per-packet']} ticks a packet")

        for _ in range(options.tries):
            print(f"doors at rest:  {stream()}", flush=True)
            stop.clear()
            done[:] = [0, 0]
            began = perf_counter()
            work = [threading.Thread(target=one) for one in (adds, prints, prints)]
            for one in work:
                one.start()
            said = stream()
            stop.set()
            for one in work:
                one.join()
            seconds = perf_counter() - began
            print(f"doors at work:  {said}; meanwhile {done[0] / seconds:.0f} rows/s added by API and "
                  f"{done[1] / seconds:.1f} prints/s of {options.rows} rows and more by REST", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=[], help="rows, clients, forwarding; all of them")
    parser.add_argument("--menu", action="append", help="of rows: only this one")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--rate", default="100M", help="of the stream")
    parser.add_argument("--seconds", type=int, default=5, help="of the stream")
    options = parser.parse_args()
    parts = {"rows": rows, "clients": clients, "forwarding": forwarding}
    for name in options.what or parts:
        if name not in parts:
            parser.error(f"{name} is none of {', '.join(parts)}")
        parts[name](options)


if __name__ == "__main__":
    main()
