"""What the rows share: programs, namespaces on veths, the flooder, and waiting for a state.

    generator            router               sink
    g0 10.0.0.2 --veth-- r0 10.0.0.1
                         r1 10.2.0.1 --veth-- s0 10.2.0.2
    sources 10.1.0.0/16

Everything of the generator's frames happens on the flooder's CPU: veth runs its receiver in a softirq
of the sender, through the router and on to the sink, where an nft ingress counter drops it.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
_TICK = threading.Event()  # never set: its wait() is the pause between two looks
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1

MACS = {"g0": "02:00:00:00:00:01", "r0": "02:00:00:00:00:02",
        "r1": "02:00:00:00:01:01", "s0": "02:00:00:00:01:02"}
DEAD_RULES = 22


class Missing(Exception):
    """Why a row cannot be measured, as a sentence."""


def wait_until(predicate, timeout, what):
    end = monotonic() + timeout
    while not predicate():
        if monotonic() > end:
            raise Missing(f"waited {timeout:g} s for {what() if callable(what) else what}")
        _TICK.wait(0.01)


def pause(seconds):
    """The measuring interval of something that is measured from outside; nothing else waits so."""
    _TICK.wait(seconds)


def run(*words, stdin=None, check=True, timeout=300):
    words = [str(word) for word in words]
    # A session of its own: Ctrl-C is this program's, and does not reach what cleans up after it.
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=timeout,
                          check=False, start_new_session=True)
    if check and done.returncode != 0:
        raise Missing(f"{' '.join(words)}: exit {done.returncode}: "
                      f"{(done.stdout + done.stderr).strip()[-600:]}")
    return done.stdout


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(words, **options):
    """A program in the background that cannot outlive this one."""
    return subprocess.Popen([str(w) for w in words], preexec_fn=_die_with_parent, text=True,
                            start_new_session=True, **options)


@contextlib.contextmanager
def uninterrupted():
    """For cleaning up: a second Ctrl-C waits until it is done."""
    former = {sig: signal.signal(sig, signal.SIG_IGN) for sig in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sig, handler in former.items():
            signal.signal(sig, handler)


def end(process, timeout=20):
    """Ends a program; its exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def thread_seconds(process, name):
    """CPU time that the process's thread of this name has had."""
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    raise Missing(f"the process has no thread {name}")


def find_program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def install_missing(tools):
    """What cannot be installed makes the rows that need it missing, no more."""
    if all(find_program(tool) for tool in tools):
        return
    try:
        run(ROOT / "scripts/setup.sh", "--bench", timeout=1800)
    except Missing as why:
        print(f"{why}; rows that need it are missing", file=sys.stderr)


def program(name, package):
    path = find_program(name)
    if path is None:
        raise Missing(f"{name} is not installed; do: apt install {package} (scripts/setup.sh --bench)")
    return path


def rules(inside, outside):
    """25 rules as nft statements: replies first, as everybody writes them, 22 that match nothing,
    and what lets new connections out."""
    dead = [f"ip saddr 192.0.2.{i} tcp dport {1000 + i} counter drop"
            for i in range(1, DEAD_RULES + 1)]
    return ["ct state established,related counter accept", "ct state invalid counter drop", *dead,
            f"iifname {inside} oifname {outside} counter accept"]


class Settings:
    """What the command line chose."""

    def __init__(self, cpu, build, quick):
        self.cpu = cpu
        self.build = build
        self.quick = quick
        self.seconds = 0.5 if quick else 1.5
        self.tries = 2 if quick else 3
        self.flows = (50000,) if quick else (1, 10000, 50000)
        self._flood = None

    @property
    def flood(self):
        """The flooder, built when it is first needed."""
        if self._flood is None:
            target = "bench/peers/flood"
            if not (self.build / "build.ninja").exists():
                raise Missing(f"{self.build} is no build folder; do: meson setup {self.build}")
            run("ninja", "-j1", "-C", self.build, target, timeout=600)
            self._flood = self.build / target
        return self._flood


class Wires:
    """Three namespaces and the veths between them; gone when the `with` ends, however it ends."""

    def __init__(self, settings):
        self.settings = settings
        self.stack = contextlib.ExitStack()
        self.names = {role: f"mlpeers{os.getpid()}-{role}" for role in ("gen", "router", "sink")}
        self.folder = None

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with uninterrupted():
            self.stack.close()

    def _build(self):
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="mlpeers.")))
        for name in self.names.values():
            # Before it is made: a Ctrl-C between the two must not leave it behind.
            self.stack.callback(run, "ip", "netns", "del", name, check=False)
            run("ip", "netns", "add", name)
        for role in self.names:
            self.sysctl(role, "net.ipv6.conf.all.disable_ipv6=1",
                        "net.ipv6.conf.default.disable_ipv6=1")
        self.veth("gen", "g0", "router", "r0")
        self.veth("sink", "s0", "router", "r1")
        self.ip("gen", "addr", "add", "10.0.0.2/24", "dev", "g0")
        self.ip("sink", "addr", "add", "10.2.0.2/24", "dev", "s0")
        for role, device in (("gen", "g0"), ("sink", "s0")):
            self.nft(role, f"""
                table netdev count {{
                  counter frames {{ }}
                  chain in {{
                    type filter hook ingress device {device} priority 0;
                    ip protocol udp counter name frames drop
                  }}
                }}""")

    def veth(self, role, device, other_role, other):
        run("ip", "-n", self.names[role], "link", "add", device, "address", MACS[device], "type",
            "veth", "peer", "name", other, "address", MACS[other], "netns", self.names[other_role])
        self.ip(role, "link", "set", device, "up")
        self.ip(other_role, "link", "set", other, "up")

    def ip(self, role, *words):
        return run("ip", "-n", self.names[role], *words)

    def inside(self, role, *words):
        return ("ip", "netns", "exec", self.names[role], *words)

    def sysctl(self, role, *settings):
        run(*self.inside(role, "sysctl", "-qw", *settings))

    def nft(self, role, text):
        return run(*self.inside(role, program("nft", "nftables"), "-f", "-"), stdin=text)

    def counted(self, role):
        """UDP frames that reached this end."""
        text = run(*self.inside(role, program("nft", "nftables"), "-j", "list", "counter", "netdev",
                                "count", "frames"))
        for item in json.loads(text)["nftables"]:
            if "counter" in item:
                return item["counter"]["packets"]
        raise Missing("nft shows no counter")

    def flood_command(self, to_mac, flows, *more):
        return self.inside("gen", "taskset", "-c", self.settings.cpu, self.settings.flood,
                           "--interface", "g0", "--to-mac", to_mac, "--flows", flows, *more)

    def flood(self, to_mac, flows, *more):
        """Runs the flooder; what it says, and what arrived at the sink by then."""
        before = self.counted("sink")
        said = json.loads(run(*self.flood_command(to_mac, flows, *more)))
        said["delivered"] = self.counted("sink") - before
        return said

    def drop_at_router(self, on):
        """The ceiling: what the flooder and the veth cost with nothing behind them."""
        if not on:
            return self.nft("router", "delete table netdev ceiling")
        return self.nft("router", """
            table netdev ceiling {
              chain in { type filter hook ingress device r0 priority 0; ip protocol udp drop; }
            }""")

    def measure(self, to_mac, flows, *more):
        return self.flood(to_mac, flows, "--seconds", self.settings.seconds, *more)

    def ceiling(self, to_mac, flows, *more):
        """Seconds for a frame that is dropped at the router's ingress."""
        said = self.measure(to_mac, flows, *more)
        if said["delivered"] > said["sent"] / 1000:
            raise Missing("frames pass a router that should drop them")
        return said

    def warm(self, to_mac, flows, rate=100000):
        """Sends each flow and has the sink answer, until all are answered: the router then has
        every connection, and has seen both its directions."""
        answerer = start(self.inside("sink", "taskset", "-c", self.settings.cpu,
                                     self.settings.flood, "--interface", "s0", "--answer"),
                         stdout=subprocess.PIPE)
        try:
            answerer.stdout.readline()  # ready
            for _ in range(20):
                before = self.counted("gen")
                self.flood(to_mac, flows, "--count", flows, "--rate", rate)
                with contextlib.suppress(Missing):
                    wait_until(lambda b=before: self.counted("gen") - b >= flows, 0.5, "answers")
                answered = self.counted("gen") - before
                if answered >= flows:
                    return
            raise Missing(f"of {flows} flows only {answered} are answered through the router")
        finally:
            end(answerer)
            answerer.stdout.close()


def figures(said, ceiling, note):
    """A row's numbers from the best run and its ceiling."""
    if said["delivered"] == 0:
        raise Missing("nothing was delivered through the router")
    tick_rate = said["ticks"] / said["seconds"]
    all_in = said["seconds"] / said["delivered"]
    row = {
        "mpps": said["delivered"] / said["seconds"] / 1e6,
        "packets": said["delivered"],
        "seconds": said["seconds"],
        "offered": said["sent"],
        "all_in_ns": all_in * 1e9,
        "all_in_ticks": all_in * tick_rate,
        "tsc_hz": tick_rate,
        "note": note,
    }
    if ceiling is not None:
        alone = ceiling["seconds"] / ceiling["sent"]
        row["ceiling_ns"] = alone * 1e9
        row["router_ns"] = (all_in - alone) * 1e9
        row["ticks_per_packet"] = (all_in - alone) * tick_rate
    else:
        row["ticks_per_packet"] = row["all_in_ticks"]
    return row


def disturbance(cpu_seconds, seconds):
    """A warning for the note, if the core was somebody else's for a while."""
    share = cpu_seconds / seconds
    if share >= 0.97:
        return ""
    return f"; DISTURBED: {100 - 100 * share:.0f} % of the core went elsewhere, measure again"


def best(runs):
    """The run that delivered most per second: what a neighbour took is not the router's."""
    return max(runs, key=lambda said: said["delivered"] / said["seconds"])
