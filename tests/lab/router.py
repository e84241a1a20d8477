"""The daemon under test, and its console."""

import json
import os
import re
import signal
from pathlib import Path

import yaml

from process import LabError, wait_until

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 60.0  # generous: a test never measures time
ROUTERS = []  # those running now, for reports
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # C's is ten times as fast


def build_dir():
    path = Path(os.environ.get("MACLANE_BUILD", "build"))
    return path if path.is_absolute() else ROOT / path


class Router:
    """The daemon under test, in its own namespace."""

    def __init__(self, lab, config, name="router", state=None):
        self.lab = lab
        self.name = name
        self.ns = lab.namespace(name)
        self.config_path = lab.directory / f"{name}.yaml"
        self.state = Path(state) if state else lab.directory / f"{name}-state"
        self.state.mkdir(exist_ok=True)
        self.socket_path = lab.directory / f"{name}.sock"
        self.process = None
        self.starts = 0
        self.write(config)

    def write(self, config):
        """A dict becomes YAML; text is taken as it is."""
        if not isinstance(config, str):
            config = yaml.dump(config, Dumper=_DUMPER, sort_keys=False)
        self.config_path.write_text(config)

    def command(self, *more):
        program = build_dir() / "maclane"
        if not program.exists():
            raise LabError(f"{program} is not there: build it first (meson compile -C build)")
        return (
            program,
            self.config_path,
            "--state",
            self.state,
            "--socket",
            self.socket_path,
            *more,
        )

    def start(self, *more, timeout=START_TIMEOUT):
        """Starts it and returns once it forwards."""
        self.starts += 1
        self.process = self.ns.popen(f"maclane{self.starts}", *self.command("--log-level", "info"),
                                     *more)
        ROUTERS.append(self)
        wait_until(
            lambda: "forwarding" in self.log() or not self.process.alive(),
            timeout,
            lambda: f"the router to say that it is forwarding; its log:\n{self.log()}",
        )
        if not self.process.alive():
            raise LabError(f"the router ended with {self.process.popen.returncode}:\n{self.log()}")
        return self

    def check(self, config=None):
        """maclane --check: exit code and everything it said."""
        if config is not None:
            self.write(config)
        done = self.ns.run(*self.command("--check"), check=False)
        return done.returncode, done.stdout + done.stderr

    def log(self):
        return self.process.err() if self.process else ""

    def stop(self):
        """Ends it with SIGTERM; anything but a clean end is a failure."""
        if self.process is None:
            return
        code = self.process.stop()
        if self in ROUTERS:
            ROUTERS.remove(self)
        log = self.log()
        self.process = None
        if code != 0 or re.search(r"runtime error:|ERROR: AddressSanitizer", log):
            raise AssertionError(f"the router ended with {code}:\n{log}")

    def hang_up(self, config=None):
        """SIGHUP, with a new file if one is given."""
        if config is not None:
            self.write(config)
        self.process.popen.send_signal(signal.SIGHUP)

    def ctl(self, *words, check=True, as_json=False):
        """One command line of the console."""
        options = ("--json",) if as_json else ()
        return self.ns.run(
            build_dir() / "maclanectl", "--socket", self.socket_path, *options, *words, check=check
        )

    def print(self, menu, *where):
        """The rows of a menu as dicts of text."""
        rows = json.loads(self.ctl(f"{menu}/print", *where, as_json=True).stdout)
        return rows if isinstance(rows, list) else [rows]

    def row(self, menu, **wanted):
        """The one row with these values; underscores stand for hyphens."""
        wanted = {key.replace("_", "-"): value for key, value in wanted.items()}
        rows = [
            row
            for row in self.print(menu)
            if all(row.get(key) == value for key, value in wanted.items())
        ]
        assert len(rows) == 1, f"{menu} where {wanted}: {len(rows)} rows in {self.print(menu)}"
        return rows[0]

    def reload(self, config=None, check=True):
        """maclanectl reload; returns when the new configuration is in effect or refused."""
        if config is not None:
            self.write(config)
        return self.ctl("reload", check=check)

    def mac(self, interface):
        return self.row("/interface", name=interface)["mac-address"].lower()

    def drops(self, reason, interface=None):
        return sum(
            int(row["packets"])
            for row in self.print("/dataplane/drops")
            if row["reason"] == reason and interface in (None, row["interface"])
        )

    def sessions(self, **wanted):
        wanted = {key.replace("_", "-"): str(value) for key, value in wanted.items()}
        return [
            row
            for row in self.print("/ip/firewall/connection")
            if all(row.get(key) == value for key, value in wanted.items())
        ]

    def rule(self, comment, menu="/ip/firewall/filter"):
        """Packets counted by the rule with this comment."""
        return int(self.row(menu, comment=comment)["packets"])

    def move_wire(self, device, namespace, name=None, up=True):
        """Puts the kernel side of a net_tap where the lab wants it."""
        self.ns.ip("link", "set", device, "netns", namespace.name)
        if name:
            namespace.ip("link", "set", device, "name", name)
        if up:
            namespace.ip("link", "set", name or device, "up")
        return name or device

    def rss_mb(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise LabError("no VmRSS")


def worker_cpu():
    """The CPU for the worker: the last one this process may use."""
    return max(os.sched_getaffinity(0))


def dataplane(**more):
    """The dataplane settings of every lab."""
    settings = {"workers": [worker_cpu()], "huge-pages": "no", "max-sessions": 65536}
    settings.update({key.replace("_", "-"): value for key, value in more.items()})
    return settings


def flag(value):
    """A yes/no of the console's JSON as a bool."""
    return value in ("true", "yes")
