#!/usr/bin/python3
"""What the doors take: rows a second by API, and how long 10,000 rows take through each door.

    bench/doors/doors.py                 as root, with a build in build-bench (or MACLANE_BUILD=build)

A daemon of its own runs on net_tap devices in a namespace of the labs. The client is Python's and reads
every row it is given; its own time is in the figures. Rates are the best of the tries.
"""

import argparse
import os
import sys
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("MACLANE_BUILD", str(ROOT / "build-bench"))
sys.path.insert(0, str(ROOT / "tests" / "lab"))

# pylint: disable=wrong-import-position
from doors import Http, doors_config, logged_in, rest, sentence
from lab import Lab

LIST = "/ip/firewall/address-list"


def timed(work):
    began = perf_counter()
    result = work()
    return perf_counter() - began, result


def add_rows(api, first, count, pipelined):
    """Rows of an address list, all sent before the first answer is read, or one after the other."""
    words = [(f"{LIST}/add", "=list=bench", f"=address=10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
             for i in range(first, first + count)]
    if not pipelined:
        for one in words:
            assert api.talk(*one)[-1][0] == "!done"
        return
    api.sock.sendall(b"".join(sentence(*one) for one in words))
    for _ in words:
        kind, attributes, _ = api.read()
        assert kind == "!done", attributes


def read_all(api):
    """Bytes until the last !done: what a client in C would wait for."""
    api.send(f"{LIST}/print", "=.proplist=.id,list,address")
    count = 0
    while api.read()[0] == "!re":
        count += 1
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--tries", type=int, default=3)
    options = parser.parse_args()
    with Lab() as lab:
        router = lab.router(doors_config()).start()
        with logged_in(router, timeout=300) as api:
            made = 0
            for name, pipelined in (("one after the other", False), ("pipelined", True)):
                best = 0.0
                for _ in range(options.tries):
                    seconds, _ = timed(lambda p=pipelined, m=made: add_rows(api, m, 1000, p))
                    made += 1000
                    best = max(best, 1000 / seconds)
                print(f"add by API, 1000 rows {name:20} {best:10.0f} rows/s (with {made} rows there)")
            add_rows(api, made, max(0, options.rows - made), True)

            def best_of(work):
                return min((timed(work) for _ in range(options.tries)), key=lambda one: one[0])

            seconds, count = best_of(lambda: read_all(api))
            print(f"print by API, {count} rows            {1000 * seconds:10.0f} ms")
            connection = Http(router, timeout=300)
            seconds, (_, rows) = best_of(lambda: rest(router, "GET", LIST, connection=connection))
            print(f"print by REST, {len(rows)} rows           {1000 * seconds:10.0f} ms")
            connection.close()
            seconds, done = best_of(lambda: router.ctl(f"{LIST}/print", as_json=True))
            print(f"print by maclanectl --json, {len(done.stdout) // 1000} kB  {1000 * seconds:8.0f} ms")


if __name__ == "__main__":
    main()
