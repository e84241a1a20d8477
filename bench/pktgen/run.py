#!/usr/bin/python3
"""The daemon itself as the device under test: testpmd's flowgen sends 64-byte frames of many flows into
its first port over memif, and drops what comes out of its second.

    bench/pktgen/run.py                     forwarding, and 25 rules with masquerade, beside testpmd's mac
    bench/pktgen/run.py --quick --json rows.json

memif copies each frame twice, and the copies cost about as much as a router: these rows tell how versions
of the daemon compare, and that the whole of it works under load. For absolute figures see README.md.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

# pylint: disable=wrong-import-position
from lab import (ROOT, Missing, disturbance, end, install_missing, pause, program, run, start, thread_seconds,
                 wait_until)
from ours import filter_rules
from testpmd import FLOOR, WORKER, Testpmd, memory

# The device under test's; the first is where flowgen sends, whatever --eth-peer says.
MACS = ("00:01:02:03:04:01", "02:00:00:00:01:01")
PEERS = ("02:00:00:00:00:01", "02:00:00:00:01:02")


def vdev(number, role, folder, *more):
    words = [f"net_memif{number}", f"role={role}", f"id={number}", f"socket={folder}/memif{number}.sock",
             "socket-abstract=no", "rsize=10", *more]
    return ",".join(words)


class Generator:
    """testpmd flowgen, memif's server. Of its two streams only the one into the first port is wanted:
    the other's thread gets what nobody else wants of the CPU, under one percent."""

    def __init__(self, options, folder, flows):
        cpu = options.generator_cpu
        self.words = [program("dpdk-testpmd", "dpdk-dev"), "--lcores", f"0@{cpu},1@{cpu},2@{cpu}",
                      "--file-prefix", f"mlgen{os.getpid()}", "--no-pci", "--no-telemetry", *memory()]
        for number in (0, 1):
            self.words.append(f"--vdev={vdev(number, 'server', folder, f'mac={PEERS[number]}')}")
        self.words += ["--", "-i", "--forward-mode=flowgen", f"--flowgen-flows={flows}", "--txpkts=64",
                       "--nb-cores=2", "--total-num-mbufs=20000", "--disable-link-check",
                       "--no-flush-rx", "--record-core-cycles"]
        self.testpmd = Testpmd(self.words)
        self.testpmd.ready()

    def begin(self):
        for task in Path(f"/proc/{self.testpmd.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == WORKER:  # from the first port to the second
                run("chrt", "--idle", "-p", "0", task.name)
        self.testpmd.say("start")

    def stop(self):
        """Before the device under test ends: this testpmd falls over a client that leaves while it
        sends. Harmless a second time."""
        with contextlib.suppress(OSError, Missing):
            self.testpmd.say("stop")

    def close(self):
        """After the device under test: memif's server must outlive the client."""
        self.testpmd.close()


def configuration(options, folder, masquerade):
    """flowgen's frames go from 10.254.0.0 to as many addresses from 10.253.0.0 on as there are flows."""
    devices = [vdev(n, "client", folder, f"mac={MACS[n]}") for n in (0, 1)]
    tree = {
        "dataplane": {"workers": [options.cpu], "max-sleep-us": 0},
        "interface": {"ethernet": [{"name": f"ether{n + 1}", "device": devices[n]} for n in (0, 1)]},
        "ip": {
            "address": [{"address": "10.0.0.1/24", "interface": "ether1"},
                        {"address": "10.2.0.1/24", "interface": "ether2"}],
            "arp": [{"address": "10.0.0.2", "mac-address": PEERS[0], "interface": "ether1"},
                    {"address": "10.2.0.2", "mac-address": PEERS[1], "interface": "ether2"}],
            "route": [{"dst-address": "10.254.0.0/16", "gateway": "10.0.0.2"},
                      {"dst-address": "10.253.0.0/16", "gateway": "10.2.0.2"}],
        },
    }
    if masquerade:
        tree["ip"]["firewall"] = {
            "filter": filter_rules("ether1", "ether2"),
            "nat": [{"chain": "srcnat", "out-interface": "ether2", "action": "masquerade"}],
        }
    return tree


class Daemon:
    """The daemon and its console."""

    def __init__(self, options, folder, masquerade):
        self.build = options.build
        self.socket = folder / "maclane.sock"
        self.log = folder / "maclane.log"
        config = folder / "maclane.yaml"
        config.write_text(json.dumps(configuration(options, folder, masquerade), indent=1))
        (folder / "state").mkdir()
        if not (self.build / "maclane").exists():
            raise Missing(f"{self.build}/maclane is not built; do: meson compile -C {self.build}")
        words = [self.build / "maclane", config, "--state", folder / "state", "--socket", self.socket]
        self.command = " ".join(map(str, words))
        with open(self.log, "wb") as log:
            self.process = start(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: "forwarding" in self.said() or self.process.poll() is not None, 60,
                   lambda: f"the daemon to forward; its log: {self.said()}")
        if self.process.poll() is not None:
            raise Missing(f"the daemon does not start: {self.said().strip()}")
        wait_until(lambda: all(row["running"] in ("true", "yes")
                               for row in self.print("/interface/ethernet")), 20,
                   lambda: f"memif to connect; the daemon's log: {self.said()}")

    def said(self):
        return self.log.read_text(errors="replace")

    def print(self, *words):
        menu, *more = words
        return json.loads(run(self.build / "maclanectl", "--socket", self.socket, "--json",
                              f"{menu}/print", *more))

    def look(self):
        """Time, frames sent by the second port, packets handled, busy share since the last look."""
        worker = self.print("/dataplane/workers")[0]
        at = monotonic()
        ports = {row["name"]: row for row in self.print("/interface", "stats")}
        return {"at": at, "sent": int(ports["ether2"]["tx-packet"]), "packets": int(worker["packets"]),
                "busy": float(worker["busy"]) / 100, "sessions": int(worker["sessions"]),
                "cpu": thread_seconds(self.process, "worker0")}

    def drops(self):
        return ", ".join(f"{row['interface']} {row['reason']} {row['packets']}"
                         for row in self.print("/dataplane/drops"))

    def close(self):
        end(self.process)


def measure_daemon(options, masquerade, flows):
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlpktgen.")))
        generator = Generator(options, folder, flows)
        stack.callback(generator.close)
        daemon = Daemon(options, folder, masquerade)
        stack.callback(daemon.close)
        stack.callback(generator.stop)
        generator.begin()
        wait_until(lambda: daemon.look()["sent"] > 4 * flows, 30,
                   lambda: f"frames to come through; the daemon's drops: {daemon.drops()}")
        found = []
        for _ in range(options.tries):
            first = daemon.look()
            pause(options.seconds)
            then = daemon.look()
            found.append({key: then[key] - first[key] for key in ("at", "sent", "packets", "cpu")}
                         | {"busy": then["busy"], "sessions": then["sessions"]})
        drops = daemon.drops()
        stack.close()
        hz = clock(generator.testpmd.text)
        best = max(found, key=lambda one: one["sent"] / one["at"])
        if best["packets"] == 0:
            raise Missing("nothing was forwarded in the measuring interval")
        return {
            "ticks_per_packet": best["busy"] * best["at"] * hz / best["packets"],
            "mpps": best["sent"] / best["at"] / 1e6,
            "packets": best["sent"],
            "seconds": best["at"],
            "tsc_hz": hz,
            "sessions": best["sessions"],
            "note": f"busy {100 * best['busy']:.0f} %; the ticks include memif's two copies; "
                    f"best of {options.tries}{disturbance(best['cpu'], best['at'])}"
                    + (f"; drops: {drops}" if drops else ""),
            "command": " ".join(generator.words) + "   # start; " + daemon.command,
        }


def clock(text):
    """The TSC's frequency, as DPDK read it."""
    found = FLOOR.search(text)
    if found is None:
        raise Missing(f"testpmd printed no clock: {text.strip()[-300:]}")
    return float(found[4]) * 1e6


def measure_testpmd(options, flows):
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlpktgen.")))
        generator = Generator(options, folder, flows)
        stack.callback(generator.close)
        words = [program("dpdk-testpmd", "dpdk-dev"), "--lcores",
                 f"0@{options.generator_cpu},1@{options.cpu}", "--file-prefix", f"mldut{os.getpid()}",
                 "--no-pci", "--no-telemetry", *memory()]
        words += [f"--vdev={vdev(n, 'client', folder, f'mac={MACS[n]}')}" for n in (0, 1)]
        words += ["--", "-i", "--forward-mode=mac", "--nb-cores=1", "--record-core-cycles",
                  "--total-num-mbufs=20000", "--no-flush-rx", f"--eth-peer=1,{PEERS[1]}"]
        dut = Testpmd(words)
        stack.callback(dut.close)
        dut.ready()
        stack.callback(generator.stop)
        generator.begin()
        dut.say("start")
        cpu, began = thread_seconds(dut.process, WORKER), monotonic()
        pause(options.seconds)
        taken = disturbance(thread_seconds(dut.process, WORKER) - cpu, monotonic() - began)
        dut.say("stop")
        stack.close()
        text = dut.text
        found = FLOOR.search(text)
        if found is None:
            raise Missing(f"testpmd printed no cycles per packet: {text.strip()[-300:]}")
        ticks, packets, hz = float(found[1]), int(found[3]), float(found[4]) * 1e6
        return {"ticks_per_packet": ticks, "mpps": packets / options.seconds / 1e6, "packets": packets,
                "seconds": options.seconds, "tsc_hz": hz,
                "note": f"what memif and the loop cost without a router{taken}",
                "command": " ".join(words)}


def rows(options):
    many = 50000
    yield "testpmd-mac-memif", "testpmd mac", lambda: measure_testpmd(options, many)
    for flows in (many,) if options.quick else (1, many):
        yield (f"ours-forward-{flows}-memif", f"forwarding, {flows} flows",
               lambda flows=flows: measure_daemon(options, False, flows))
        yield (f"ours-masquerade-rules-{flows}-memif", f"25 stateful rules, masquerade, {flows} flows",
               lambda flows=flows: measure_daemon(options, True, flows))


def arguments():
    cpus = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--cpu", type=int, default=cpus[-1], help="the worker's core (default: the last)")
    parser.add_argument("--generator-cpu", type=int, default=cpus[0], help="the generator's core")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="the build folder")
    parser.add_argument("--json", type=Path, help="writes the rows to this file")
    parser.add_argument("--only", default="", help="only rows whose name holds this")
    parser.add_argument("--quick", action="store_true", help="fewer rows, shorter")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.seconds = 1 if options.quick else 3
    options.tries = 2 if options.quick else 3
    return options


def main():
    options = arguments()
    if options.cpu == options.generator_cpu:
        sys.exit("run.py: generator and worker need a core each")
    if os.geteuid() != 0:
        sys.exit("run.py: run it as root: it takes huge pages")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    install_missing(("dpdk-testpmd", "chrt"))
    print(f"{'':36} {'Mpps':>8} {'ticks/pkt':>10}")
    result = []
    for name, what, function in rows(options):
        if options.only not in name:
            continue
        row = {"name": name, "what": what}
        try:
            row.update(function())
            print(f"{name:36} {row['mpps']:8.3f} {row['ticks_per_packet']:10.1f}  {row['note']}", flush=True)
        except (Missing, OSError, ValueError, KeyError) as why:
            row["missing"] = str(why)
            print(f"{name:36} missing: {why}", flush=True)
        result.append(row)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nrun.py: interrupted")
