#!/usr/bin/python3
"""Measures the peers on one core, in one run: testpmd's loops, the kernel's forwarding, macvlan and
masquerade, and ourselves on the kernel's own veths. Prints a table.

    bench/peers/peers.py                       all rows, a few minutes
    bench/peers/peers.py --quick               the ones to compare with, shorter
    bench/peers/peers.py --only macvlan --json rows.json

Run it as root on a quiet machine. A row that cannot be measured is printed as missing, with the reason.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import kernel
import ours
import testpmd
from lab import ROOT, Missing, Settings, install_missing

ATTEMPTS = 3  # at a row whose core somebody else used meanwhile
TOOLS = ("dpdk-testpmd", "nft", "ip", "taskset")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)),
                        help="the one core (default: the last)")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="the build folder")
    parser.add_argument("--json", type=Path, help="writes the rows to this file")
    parser.add_argument("--only", default="", help="only rows whose name holds this")
    parser.add_argument("--quick", action="store_true", help="fewer rows, shorter")
    return parser.parse_args()


def stolen():
    """Ticks that the hypervisor gave to others, of all."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(word) for word in file.readline().split()[1:]]
    return fields[7], sum(fields[:8])


def show(row):
    if "missing" in row:
        print(f"{row['name']:38} missing: {row['missing']}", flush=True)
        return
    def figure(key, width, digits):
        return f"{row[key]:{width}.{digits}f}" if key in row else " " * (width - 1) + "-"
    mark = " *" if row["disturbed"] else ""
    print(f"{row['name']:38} {figure('mpps', 8, 3)} {figure('all_in_ns', 10, 0)} "
          f"{figure('router_ns', 10, 0)} {figure('ticks_per_packet', 10, 1)}{mark}", flush=True)


def attempt(settings, name, what, function):
    row = {"name": name, "what": what}
    try:
        row.update(function(settings))
        row["disturbed"] = "DISTURBED" in row["note"]
    except Missing as why:
        row["missing"] = str(why)
    except (OSError, ValueError, LookupError, subprocess.SubprocessError) as why:
        row["missing"] = f"{type(why).__name__}: {why}"
    return row


def measure(settings, only):
    result = []
    for module in (testpmd, kernel, ours):
        for name, what, function in module.rows(settings):
            if only not in name:
                continue
            for _ in range(ATTEMPTS):
                row = attempt(settings, name, what, function)
                if not row.get("disturbed"):
                    break
            result.append(row)
            show(row)
    return result


def main():
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("peers: run it as root: it makes network namespaces")
    if options.cpu not in os.sched_getaffinity(0):
        sys.exit(f"peers: CPU {options.cpu} may not be used by this process")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the namespaces go on the way out
    install_missing(TOOLS)
    print(f"kernel {os.uname().release}, CPU {options.cpu}; 64-byte frames (60 without FCS)\n")
    print(f"{'':38} {'Mpps':>8} {'all-in ns':>10} {'router ns':>10} {'ticks/pkt':>10}")
    before = stolen()
    try:
        rows = measure(Settings(options.cpu, options.build.resolve(), options.quick), options.only)
    except KeyboardInterrupt:
        sys.exit("\npeers: interrupted; the namespaces are gone")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    after = stolen()
    share = 100 * (after[0] - before[0]) / max(1, after[1] - before[1])
    hz = [row["tsc_hz"] for row in rows if "tsc_hz" in row]
    if any(row.get("disturbed") for row in rows):
        print("* something else used the core meanwhile: measure again on a quiet machine")
    if hz:
        print(f"\nTSC {hz[-1] / 1e6:.0f} MHz; {share:.1f} % of the CPUs' time went to the "
              "hypervisor's others meanwhile")
    for note in dict.fromkeys(row["note"] for row in rows if "note" in row):
        names = ", ".join(row["name"] for row in rows if row.get("note") == note)
        print(textwrap.fill(f"- {names}: {note}", 110, subsequent_indent="  "))
    return 0


if __name__ == "__main__":
    sys.exit(main())
