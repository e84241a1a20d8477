#!/usr/bin/python3
"""How fast our DHCP server hands out leases: perfdhcp (Debian's kea-admin) on the router's port.

    sudo bench/services/dhcp_leases.py [--rate 400] [--clients 1000] [--build build]

perfdhcp speaks as a relay does, so the server has relay=255.255.255.255. It asks for `clients` leases at
`rate` a second; printed are what was answered, what was lost, and the delays. Exits 1 if any exchange was
lost, 2 where there is no perfdhcp. The goal is 200 a second for 1,000 clients with none lost.
"""

import argparse
import os
import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "lab"))

from lab import Lab, dataplane  # noqa: E402


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=int, default=400)
    options.add_argument("--clients", type=int, default=1000)
    options.add_argument("--build", default=os.environ.get("MACLANE_BUILD", "build"))
    chosen = options.parse_args()
    if shutil.which("perfdhcp") is None:
        print("perfdhcp is not there: it is in Debian's kea-admin, which scripts/setup.sh --bench installs",
              file=sys.stderr)
        return 2
    os.environ["MACLANE_BUILD"] = chosen.build
    with Lab() as lab:
        router = lab.router({
            "dataplane": dataplane(),
            "interface": {"ethernet": [{"name": "lan", "device": "net_tap0,iface=mllan"}]},
            "ip": {
                "address": [{"address": "10.0.0.1/16", "interface": "lan"}],
                "pool": [{"name": "all", "ranges": "10.0.1.0-10.0.100.255"}],
                "dhcp-server/network": [{"address": "10.0.0.0/16", "gateway": "10.0.0.1"}],
                "dhcp-server": [{"name": "dhcp1", "interface": "lan", "address-pool": "all",
                                 "relay": "255.255.255.255", "lease-time": "1h"}],
            },
        }).start()
        clients = lab.namespace("clients")
        router.move_wire("mllan", clients)
        clients.address("mllan", "10.0.0.2/16")
        assert clients.ping("10.0.0.1").ok
        done = clients.run("perfdhcp", "-4", "-r", chosen.rate, "-R", chosen.clients, "-n",
                           chosen.clients, "-l", "mllan", "-W", "200000", "-B", check=False,
                           timeout=300)
        print(done.stdout)
        if done.stderr.strip():
            print(f"perfdhcp says: {done.stderr.strip()}", file=sys.stderr)
        leases = len([row for row in router.print("/ip/dhcp-server/lease")
                      if row["status"] == "bound"])
        drops = [int(number) for number in re.findall(r"drops: (\d+)", done.stdout)]
        lost = sum(drops) if drops else "not known: perfdhcp counted none"
        print(f"bound: {leases} of {chosen.clients}; lost exchanges: {lost}")
        return 0 if leases == chosen.clients and drops and sum(drops) == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
