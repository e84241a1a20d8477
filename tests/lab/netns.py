"""Network namespaces, and a switch made of one."""

import contextlib
import ctypes
import json
import os
import re
import socket
from pathlib import Path

from process import LIBC, LabError, Process, run

_CLONE_NEWNET = 0x40000000


class Namespace:
    """A network namespace known to `ip netns`, without IPv6 noise unless asked for."""

    def __init__(self, lab, label, ipv6=False):
        self.lab = lab
        self.label = label
        self.name = f"{lab.prefix}-{label}"
        run("ip", "netns", "add", self.name)
        if not ipv6:
            self.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
            self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words, check=True):
        return run("ip", "-n", self.name, *words, check=check)

    def run(self, *command, **options):
        return run("ip", "netns", "exec", self.name, *command, **options)

    def popen(self, name, *command, env=None):
        process = Process(
            ("ip", "netns", "exec", self.name, *command),
            self.lab.directory,
            f"{self.label}-{name}",
            env,
        )
        self.lab.processes.append(process)
        return process

    @contextlib.contextmanager
    def entered(self):
        """The calling thread works in this namespace; sockets made meanwhile stay in it."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(
            f"/run/netns/{self.name}", "rb"
        ) as there:
            if LIBC.setns(there.fileno(), _CLONE_NEWNET) != 0:
                raise LabError(f"setns {self.name}: {os.strerror(ctypes.get_errno())}")
            try:
                yield self
            finally:
                LIBC.setns(home.fileno(), _CLONE_NEWNET)

    def sysctl(self, name, value):
        with self.entered():
            Path("/proc/sys", *name.split(".")).write_text(f"{value}\n")

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, proto=0):
        with self.entered():
            return socket.socket(family, kind, proto)

    def mac(self, device):
        return json.loads(self.ip("-j", "link", "show", device).stdout)[0]["address"]

    def address(self, device, *prefixes):
        for prefix in prefixes:
            self.ip("addr", "add", prefix, "dev", device)

    def default_via(self, gateway):
        self.ip("route", "add", "default", "via", gateway)

    def ping(self, target, *options, count=1, check=False, wait=5):
        """The ping program; ok, received and text in the result."""
        done = self.run(
            "ping", "-n", "-c", count, "-W", wait, "-i", "0.2", *options, target, check=False
        )
        found = re.search(r"(\d+) received", done.stdout)
        done.received = int(found.group(1)) if found else 0
        done.ok = done.returncode == 0 and done.received == count
        if check and not done.ok:
            raise AssertionError(f"{self.label} cannot ping {target}:\n{done.stdout}{done.stderr}")
        return done

    def listener(self, port, address="0.0.0.0"):
        server = self.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.listen(1024)
        return server

    def udp(self, port=0, address="0.0.0.0", timeout=10.0):
        sock = self.socket(kind=socket.SOCK_DGRAM)
        sock.bind((address, port))
        sock.settimeout(timeout)
        return sock

    def connect(self, address, port, timeout=10.0, source_port=0):
        sock = self.socket()
        sock.settimeout(timeout)
        if source_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("0.0.0.0", source_port))
        try:
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise
        return sock


class Switch:
    """An unmanaged switch: a Linux bridge in a namespace of its own."""

    def __init__(self, lab, label="switch"):
        self.lab = lab
        self.ns = lab.namespace(label)
        self.ns.ip("link", "add", "br0", "type", "bridge", "stp_state", 0, "forward_delay", 0,
                   "mcast_snooping", 0)
        self.ns.ip("link", "set", "br0", "up")
        self.count = 0

    def plug(self, device):
        self.ns.ip("link", "set", device, "master", "br0")
        self.ns.ip("link", "set", device, "up")

    def host(self, label, prefix, gateway=None, device="eth0"):
        """A host in a namespace, its cable in this switch."""
        host = self.lab.namespace(label)
        self.count += 1
        port = f"p{self.count}"
        self.lab.veth(host, device, self.ns, port)
        self.plug(port)
        if prefix:
            host.address(device, prefix)
        if gateway:
            host.default_via(gateway)
        return host
