#!/usr/bin/python3
"""How soon uplinks are there: from the start of the router until its DHCP clients are bound, or its PPPoE sessions are up.

    sudo bench/services/uplinks.py dhcp  [--count 64] [--build build]     macvlans of one port, dnsmasq as the ISP
    sudo bench/services/uplinks.py pppoe [--count 8]  [--build build]     the same, pppoe-server and pppd in the
                                                                          emulated guest of tests/lab/guest.py

Printed are the seconds from when the program was started and from when it forwards; the wire is plugged in
between. Exits 1 if they are not all there within the goal: 10 s for 64 clients, and for 8 sessions.
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "lab"))

from dhcp_servers import Dnsmasq  # noqa: E402
from guest import access_concentrator, have_guest  # noqa: E402
from lab import Lab, dataplane, wait_until  # noqa: E402

GOAL = 10.0


def config(count):
    return {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"}],
            "macvlan": [{"name": f"wan{i + 1}", "interface": "ether1"} for i in range(count)],
        },
    }


def seconds_until(router, plug, there):
    """From the start of the program, and from when it forwards."""
    began = time.monotonic()
    router.start()
    forwards = time.monotonic()
    plug()
    wait_until(there, 120, "all to be there", tick=0.05)
    done = time.monotonic()
    return done - began, done - forwards


def dhcp(lab, count):
    tree = config(count)
    tree["ip"] = {"dhcp-client": [{"interface": f"wan{i + 1}", "default-route-distance": i + 1}
                                  for i in range(count)]}
    router = lab.router(tree)
    switch = lab.switch("isp")
    switch.ns.address("br0", "203.0.113.1/24")
    Dnsmasq(switch.ns, "br0", "203.0.113.10", "203.0.113.250", gateway="203.0.113.1")

    def plug():
        switch.plug(router.move_wire("mlwan", switch.ns, up=False))

    def there():
        return all(row["status"] == "bound" for row in router.print("/ip/dhcp-client"))

    return seconds_until(router, plug, there)


def pppoe(lab, count):
    tree = config(count)
    tree["interface"]["pppoe-client"] = [
        {"name": f"pppoe-out{i + 1}", "interface": f"wan{i + 1}", "user": f"line{i % 8 + 1}",
         "password": f"secret{i % 8 + 1}", "service-name": "internet"} for i in range(count)]
    router = lab.router(tree)
    switch = lab.switch("isp")
    guest = access_concentrator(switch.ns)
    switch.plug("ac0")
    guest.wait_up()

    def plug():
        switch.plug(router.move_wire("mlwan", switch.ns, up=False))

    def there():
        return all(row["status"] == "connected" for row in router.print("/interface/pppoe-client"))

    return seconds_until(router, plug, there)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("kind", choices=("dhcp", "pppoe"))
    options.add_argument("--count", type=int)
    options.add_argument("--build", default=os.environ.get("MACLANE_BUILD", "build"))
    chosen = options.parse_args()
    os.environ["MACLANE_BUILD"] = chosen.build
    missing = have_guest() if chosen.kind == "pppoe" else ""
    if missing:
        print(f"no guest: {missing}", file=sys.stderr)
        return 2
    count = chosen.count or (64 if chosen.kind == "dhcp" else 8)
    with Lab() as lab:
        of_all, since = (dhcp if chosen.kind == "dhcp" else pppoe)(lab, count)
    what = "DHCP clients bound" if chosen.kind == "dhcp" else "PPPoE sessions up"
    print(f"{count} {what} {of_all:.1f} s after the program was started, {since:.1f} s after it "
          f"forwards (goal: {GOAL:.0f} s)")
    return 0 if of_all <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
