"""A small Linux guest for what this machine's kernel lacks: Debian's kernel and busybox in a
software-emulated qemu, its network card a tap device of a namespace.

The kernel and its modules come out of Debian's own package, unpacked once into a cache folder and
never installed. have_guest() says what is missing.
"""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from lab import LabError, run, wait_until

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "maclane-guest"
MODULES = ("slhc", "ppp_generic", "pppox", "pppoe", "ppp_async", "e1000", "llc", "stp", "garp",
           "mrp", "8021q")
BOOT = 600  # seconds, generous: software emulation on a machine that others use


def kernel_package():
    """The name of the package with the kernel; "" if apt does not know it."""
    done = run("apt-cache", "depends", "linux-image-amd64", check=False)
    found = re.search(r"Depends: (linux-image-\S+)", done.stdout)
    return found.group(1) if found else ""


def kernel():
    """The folder with the unpacked kernel package; fetched and unpacked when it is not there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = sorted(CACHE.glob("kernel-*/boot/vmlinuz-*"))
        if there:
            return there[-1].parents[1]
        package = kernel_package()
        if not package:
            run("apt-get", "-q", "update", check=False, timeout=300)
            package = kernel_package()
        if not package:
            raise LabError("apt knows no linux-image-amd64")
        part = CACHE / "part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        done = subprocess.run(["apt-get", "download", package], cwd=part, capture_output=True,
                              text=True, check=False, timeout=300)
        archives = list(part.glob("*.deb"))
        if not archives:
            raise LabError(f"the kernel cannot be fetched: {done.stderr.strip()}")
        run("dpkg-deb", "-x", archives[0], part / "root", timeout=300)
        kept = CACHE / f"kernel-{package}"
        (part / "root").rename(kept)
        shutil.rmtree(part)
        return kept


def have_guest():
    """"" if a guest with an access concentrator can be run here, else what is missing."""
    for program in ("qemu-system-x86_64", "busybox"):
        if not shutil.which(program):
            return f"{program} is not installed"
    for program in ("/usr/sbin/pppd", "/usr/sbin/pppoe-server", "/usr/sbin/pppoe"):
        if not Path(program).exists():
            return f"{program} is not installed"
    try:
        kernel()
    except (LabError, OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""


def libraries(program):
    """The shared libraries a program needs, and its loader."""
    done = run("ldd", program, check=False)
    return {Path(path) for path in re.findall(r"(/\S+\.so\S*)", done.stdout)}


class Initramfs:
    """A root file system in memory: busybox, what add() puts in, and an init script."""

    def __init__(self, folder):
        self.root = folder
        for name in ("bin", "sbin", "dev", "proc", "sys", "tmp", "etc", "var/run", "run"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/busybox", self.root / "bin/busybox")
        for name in ("sh", "mount", "insmod", "ip", "sleep", "cat", "mkdir", "mknod", "echo",
                     "poweroff", "ifconfig", "tail", "grep"):
            (self.root / "bin" / name).symlink_to("busybox")

    def add(self, source, target=None):
        place = self.root / str(target or source).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)

    def add_program(self, program):
        self.add(program)
        for library in libraries(program):
            self.add(library.resolve(), library)

    def text(self, target, text, mode=0o644):
        place = self.root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def pack(self, archive):
        names = sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))
        with open(archive, "wb") as out:
            subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=self.root,
                           input="\n".join(names).encode(), stdout=out, check=True,
                           stderr=subprocess.DEVNULL)


class Guest:
    """A running guest whose card is the tap `device` in `namespace`, both of this MTU; its console
    is a file."""

    def __init__(self, namespace, device, init, build, mtu=1500):
        directory = namespace.lab.directory / f"guest-{namespace.label}"
        directory.mkdir()
        root = Initramfs(directory / "root")
        boot = kernel()
        image = next((boot / "boot").glob("vmlinuz-*"))
        loads = []
        for name in MODULES:
            module = next((boot / "lib/modules").rglob(f"{name}.ko"))
            root.add(module, f"/lib/{name}.ko")
            loads.append(f"insmod /lib/{name}.ko")
        build(root)
        root.text("/init", "\n".join([
            "#!/bin/sh", "mount -t proc proc /proc", "mount -t sysfs sys /sys",
            "mount -t devtmpfs dev /dev", "mkdir -p /dev/pts", "mount -t devpts pts /dev/pts",
            *loads, "ip link set lo up", f"ip link set eth0 mtu {mtu} up", init, "echo guest-is-up",
            "tail -f /dev/null", ""]), 0o755)
        archive = directory / "initramfs"
        root.pack(archive)
        namespace.ip("tuntap", "add", device, "mode", "tap")
        namespace.ip("link", "set", device, "mtu", mtu, "up")
        self.console = directory / "console"
        self.process = namespace.popen(
            f"guest-{device}", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max",
            "-m", "256", "-display", "none", "-nodefaults", "-no-reboot", "-kernel", image,
            "-initrd", archive, "-append", "console=ttyS0 quiet panic=-1 no_timer_check",
            "-serial", f"file:{self.console}",
            "-netdev", f"tap,id=n0,ifname={device},script=no,downscript=no",
            "-device", "e1000,netdev=n0,mac=02:00:5e:ac:00:01")

    def log(self):
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def wait_up(self):
        wait_until(lambda: "guest-is-up" in self.log() or not self.process.alive(), BOOT,
                   lambda: f"the guest to start: {self.log()}{self.process.err()}")
        if not self.process.alive():
            raise LabError(f"the guest ended: {self.log()}{self.process.err()}")
        return self


OPTIONS = """
{auth}
mtu 1492
mru 1492
lcp-echo-interval 10
lcp-echo-failure 3
noipdefault
nodefaultroute
ms-dns 203.0.113.53
ms-dns 203.0.113.54
debug
logfile /tmp/ppp.log
noccp
novj
"""

# service: how it wants the password; its clients get 10.64.N.1 and up
SERVICES = {"internet": "require-mschap-v2", "chap": "require-chap", "pap": "require-pap"}
SECRETS = "".join(f'"line{i}" * "secret{i}" *\n' for i in range(1, 11)) + (
    '"user1" * "pass1" *\n"user2" * "pass2" *\n"isp_user" * "isp_password" *\n')
VLAN = 30  # of the guest's card; there stands a concentrator with the service internet


def access_concentrator(namespace, device="ac0", mtu=1500):
    """A guest, its card with this MTU, with a pppoe-server for each of SERVICES, all of them 10.64.0.1, and one in a VLAN;
    accounts line1 .. line10 with secret1 .. secret10, user1 and user2 with pass1 and pass2, isp_user
    with isp_password; a name server at the address that clients are told of, which knows
    www.isp.example; and an iperf3 server, if this machine has iperf3."""
    more = [program for program in (shutil.which("iperf3"),) if program]
    servers = [(name, "eth0", number) for number, name in enumerate(SERVICES, 1)]
    servers.append(("internet", f"eth0.{VLAN}", 4))

    def build(root):
        for program in ("/usr/sbin/pppd", "/usr/sbin/pppoe-server", "/usr/sbin/pppoe",
                        "/usr/sbin/dnsmasq", *more):
            root.add_program(program)
        for file in Path("/usr/lib/pppd").rglob("*"):
            if file.name == "VERSION":
                root.add(file)
        root.text("/etc/ppp/options", "")
        for name, auth in SERVICES.items():
            root.text(f"/etc/ppp/{name}", OPTIONS.format(auth=auth))
        root.text("/etc/ppp/pap-secrets", SECRETS, 0o600)
        root.text("/etc/ppp/chap-secrets", SECRETS, 0o600)
        root.text("/etc/passwd", "root:x:0:0:root:/:/bin/sh\n")
        root.text("/etc/group", "root:x:0:\n")

    init = "\n".join([
        f"ip link add link eth0 name eth0.{VLAN} type vlan id {VLAN}",
        f"ip link set eth0.{VLAN} up", "echo > /tmp/ppp.log", "tail -f /tmp/ppp.log &",
        *(f"/usr/sbin/pppoe-server -I {card} -C ac-{name} -S {name} -L 10.64.0.1 "
          f"-R 10.64.{number}.1 -N 32 -o {100 * number} -O /etc/ppp/{name} || echo no {name}"
          for name, card, number in servers),
        "ip addr add 203.0.113.53/32 dev lo",
        "/usr/sbin/dnsmasq --conf-file=/dev/null --user=root --group=root --pid-file --no-resolv "
        "--no-hosts --listen-address=203.0.113.53 --bind-interfaces "
        "--host-record=www.isp.example,198.51.100.80,300 || echo no dnsmasq",
        *(f"{program} -s -D" for program in more),
    ])
    return Guest(namespace, device, init, build, mtu)
