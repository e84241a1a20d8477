"""Networks for tests, made of namespaces.

A Lab owns everything it makes and takes it away again, whatever happened. Names carry the test
process's id, so that labs of several processes stand beside each other, and what a killed process
left behind is found and removed. The router runs in a namespace of its own: its net_tap devices
are made there and their kernel side, "the wire", is moved to where the lab wants it.
"""

import atexit
import os
import re
import shutil
import signal
import tempfile
from pathlib import Path

from netns import Namespace, Switch
from process import LabError, Process, readable, run, wait_until
from router import ROOT, ROUTERS, Router, build_dir, dataplane, flag

__all__ = [
    "ROOT", "ROUTERS", "Lab", "LabError", "Namespace", "Process", "Router", "Switch", "build_dir",
    "dataplane", "flag", "readable", "remove_leftovers", "run", "wait_until",
]

_PREFIX = "mlt"


class Lab:
    """Use as a context manager: everything made in it is gone afterwards."""

    _serial = 0

    def __init__(self):
        Lab._serial += 1
        self.prefix = f"{_PREFIX}{os.getpid()}x{Lab._serial}"
        self.directory = Path(tempfile.mkdtemp(prefix="maclane-lab-"))
        self.namespaces = {}
        self.processes = []
        self.routers = []
        self.cleanups = []
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        problems = self.close()
        if problems and kind is None:
            raise AssertionError("\n".join(problems))

    def namespace(self, label, ipv6=False):
        made = Namespace(self, label, ipv6)
        self.namespaces[label] = made
        return made

    def switch(self, label="switch"):
        return Switch(self, label)

    def veth(self, left, left_device, right, right_device):
        """A cable between two namespaces; checksums are computed, not left to a card."""
        left.ip("link", "add", left_device, "type", "veth", "peer", "name", right_device, "netns",
                right.name)
        for side, device in ((left, left_device), (right, right_device)):
            side.run("ethtool", "-K", device, "tx", "off", check=False)
            side.ip("link", "set", device, "up")

    def router(self, config, **options):
        made = Router(self, config, **options)
        self.routers.append(made)
        return made

    def close(self):
        """Ends processes, removes namespaces; returns what did not end well."""
        atexit.unregister(self.close)
        problems = []
        for router in self.routers:
            try:
                router.stop()
            except AssertionError as error:
                problems.append(str(error))
        for process in reversed(self.processes):
            process.stop(signal.SIGKILL)
        for cleanup in reversed(self.cleanups):
            cleanup()
        for namespace in self.namespaces.values():
            run("ip", "netns", "del", namespace.name, check=False)
        self.namespaces, self.processes, self.routers, self.cleanups = {}, [], [], []
        shutil.rmtree(self.directory, ignore_errors=True)
        return problems


def remove_leftovers():
    """Namespaces of labs whose process is gone."""
    for line in run("ip", "netns", "list", check=False).stdout.splitlines():
        name = line.split()[0]
        found = re.match(rf"{_PREFIX}(\d+)x\d+-", name)
        if found and not Path(f"/proc/{found.group(1)}").exists():
            run("ip", "netns", "del", name, check=False)
