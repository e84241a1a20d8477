"""testpmd's rows: DPDK's own forwarding loops, the floor for anybody's."""

import os
import re
import subprocess
import threading
from time import monotonic

from lab import Missing, disturbance, end, pause, program, start, thread_seconds

HUGE = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
MEMORY_MB = 192
WORKER = "rte-worker-1"
PORTS = {
    "ring": ("net_ring", "two net_ring ports, each its own loop: 256 frames of 64 bytes go round for ever; "
             "includes rx and tx of the ring, no mbuf allocation, headers in L1/L2"),
    "null": ("net_null", "two net_null ports: includes taking an mbuf from the pool and giving it back; "
             "the frames are empty"),
}
FLOOR = re.compile(r"CPU cycles/packet=([0-9.]+) \(total cycles=([0-9]+) / total \S+ "
                   r"packets=([0-9]+)\) at ([0-9]+) MHz")


def rows(settings):
    for kind, modes in (("ring", ("io", "mac", "5tswap")), ("null", ("io", "mac"))):
        if kind == "null" and settings.quick:
            continue
        for mode in modes:
            yield (f"testpmd-{mode}-{kind}", f"testpmd {mode} on {PORTS[kind][0]}",
                   lambda s, kind=kind, mode=mode: measure(s, kind, mode))


def memory():
    """Huge pages if there are enough."""
    try:
        with open(HUGE, encoding="ascii") as file:
            enough = int(file.read()) * 2 >= MEMORY_MB
    except OSError:
        enough = False
    return (["--in-memory"] if enough else ["--no-huge", "--no-shconf"]) + ["-m", str(MEMORY_MB)]


class Testpmd:
    """testpmd at its prompt."""

    PROMPT = "testpmd>"

    def __init__(self, words):
        self.text = ""
        self.prompts = 0
        # By lines: what it printed is there even if it falls over in the end.
        self.process = start(("stdbuf", "-oL", *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while piece := os.read(self.process.stdout.fileno(), 65536):
            with self.changed:
                self.text += piece.decode(errors="replace")
                self.changed.notify_all()
        with self.changed:
            self.prompts = -1  # it ended
            self.changed.notify_all()

    def ready(self, timeout=60):
        """Waits for the next prompt."""
        with self.changed:
            wanted = self.prompts + 1
            self.changed.wait_for(
                lambda: self.prompts < 0 or self.text.count(self.PROMPT) >= wanted, timeout)
            if self.prompts < 0 or self.text.count(self.PROMPT) < wanted:
                raise Missing(f"testpmd shows no prompt: {self.text.strip()[-500:]}")
            self.prompts = wanted

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.ready()

    def close(self):
        """Ends it; all that it printed."""
        if self.process.poll() is None:
            try:
                self.process.stdin.write("quit\n")
                self.process.stdin.close()
                self.process.wait(20)
            except (OSError, subprocess.TimeoutExpired):
                pass
        end(self.process)
        self.reader.join()
        return self.text


def measure(settings, kind, mode):
    driver, port_note = PORTS[kind]
    path = program("dpdk-testpmd", "dpdk-dev")
    cpu = settings.cpu
    words = [path, "--lcores", f"0@{cpu},1@{cpu}", "--no-pci", "--no-telemetry", *memory(),
             f"--vdev={driver}0", f"--vdev={driver}1", "--", "-i", f"--forward-mode={mode}",
             "--nb-cores=1", "--record-core-cycles", "--burst=32", "--total-num-mbufs=20000",
             "--no-flush-rx"]
    begin = "start tx_first 4" if kind == "ring" else "start"
    found = []
    for _ in range(settings.tries):
        testpmd = Testpmd(words)
        try:
            testpmd.ready()
            testpmd.say(begin)
            # stdbuf became testpmd
            cpu = thread_seconds(testpmd.process, WORKER)
            began = monotonic()
            pause(settings.seconds)
            taken = disturbance(thread_seconds(testpmd.process, WORKER) - cpu, monotonic() - began)
            testpmd.say("stop")
        finally:
            text = testpmd.close()
        figures = FLOOR.search(text)
        if figures is None:
            raise Missing(f"testpmd printed no cycles per packet: {text.strip()[-400:]}")
        found.append((float(figures[1]), int(figures[3]), float(figures[4]) * 1e6, taken))
    ticks, packets, hz, taken = min(found)
    return {
        "ticks_per_packet": ticks,
        "mpps": hz / ticks / 1e6,
        "packets": packets,
        "seconds": settings.seconds,
        "tsc_hz": hz,
        "note": f"{port_note}; burst 32; best of {settings.tries}{taken}",
        "command": " ".join(words) + f"   # {begin}, stop",
    }
