"""Our rows, like for like: the daemon on the router ends of the same veths, by af_packet."""

import json
import subprocess
from time import monotonic

from lab import (DEAD_RULES, MACS, Missing, Wires, best, disturbance, end, figures, program, run, start,
                 thread_seconds, wait_until)
from testpmd import FLOOR, Testpmd, memory

# Frames that fit the driver's ring. The flooder makes way for the worker after half of it: both share
# the CPU, and without back-pressure a flooder fills the ring and then throws the rest of its time away.
RING = 1024
YIELDING = ("--yield-every", RING // 2)
NOTE = ("connections warmed in both directions; the daemon by net_af_packet on the same veths, flooder "
        f"and worker take turns on one core (the flooder yields after {RING // 2} frames); router part = "
        "all-in minus ceiling, it includes the copy into the packet ring, a system call a burst to send, "
        "the veth to the sink and the sink's drop; the kernel's own stack drops the frames at ingress")


def rows(settings):
    yield "testpmd-mac-af_packet", "testpmd mac on the same veths: what af_packet costs", measure_testpmd
    flows = settings.flows[-1]
    for name, words, macvlan in (("ours", "", False), ("ours-macvlan", "macvlan both sides, ", True)):
        yield (f"{name}-masquerade-rules-{flows // 1000}k",
               f"{words}masquerade, 25 stateful rules, {flows} flows, af_packet",
               lambda s, macvlan=macvlan: measure(s, macvlan))


def filter_rules(inside, outside):
    dead = [{"chain": "forward", "src-address": f"192.0.2.{i}", "protocol": "tcp",
             "dst-port": str(1000 + i), "action": "drop"} for i in range(1, DEAD_RULES + 1)]
    return [{"chain": "forward", "connection-state": ["established", "related"], "action": "accept"},
            {"chain": "forward", "connection-state": "invalid", "action": "drop"}, *dead,
            {"chain": "forward", "in-interface": inside, "out-interface": outside,
             "action": "accept"}]


def device(number):
    return f"net_af_packet{number},iface=r{number},qdisc_bypass=1,framecnt={RING}"


def configuration(cpu, macvlan):
    """The same router as the kernel's; YAML reads JSON."""
    inside, outside = ("m1", "m2") if macvlan else ("ether1", "ether2")
    interface = {"ethernet": [
        {"name": f"ether{i + 1}", "device": device(i)} for i in (0, 1)]}
    if macvlan:
        interface["macvlan"] = [
            {"name": f"m{i}", "interface": f"ether{i}", "mode": "bridge"} for i in (1, 2)]
    return {
        "dataplane": {"workers": [cpu], "max-sessions": 262144},
        "interface": interface,
        "ip": {
            "address": [{"address": "10.0.0.1/24", "interface": inside},
                        {"address": "10.2.0.1/24", "interface": outside}],
            "arp": [{"address": "10.0.0.2", "mac-address": MACS["g0"], "interface": inside},
                    {"address": "10.2.0.2", "mac-address": MACS["s0"], "interface": outside}],
            "route": [{"dst-address": "10.1.0.0/16", "gateway": "10.0.0.2"}],
            "firewall": {
                "filter": filter_rules(inside, outside),
                "nat": [{"chain": "srcnat", "out-interface": outside, "action": "masquerade"}],
            },
        },
    }


class Daemon:
    """The daemon in the router's namespace."""

    def __init__(self, wires, config):
        self.wires = wires
        build, folder = wires.settings.build, wires.folder
        if not (build / "maclane").exists():
            raise Missing(f"{build}/maclane is not built; do: meson compile -C {build}")
        (folder / "state").mkdir()
        self.file = folder / "maclane.yaml"
        self.file.write_text(json.dumps(config, indent=1))
        self.socket = folder / "maclane.sock"
        self.log_path = folder / "maclane.log"
        self.words = wires.inside("router", build / "maclane", self.file, "--state",
                                  folder / "state", "--socket", self.socket)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def __enter__(self):
        with open(self.log_path, "wb") as log:
            self.process = start(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(lambda: "forwarding" in self.log() or self.process.poll() is not None, 60,
                       lambda: f"the daemon to forward; its log: {self.log()}")
            if self.process.poll() is not None:
                raise Missing(f"the daemon does not start: {self.log().strip()}")
        except BaseException:
            end(self.process)
            raise
        return self

    def __exit__(self, *_):
        end(self.process)

    def print(self, menu):
        return json.loads(run(self.wires.settings.build / "maclanectl", "--socket", self.socket,
                              "--json", f"{menu}/print"))

    def load(self):
        """Time, packets, and the busy share since the last look."""
        row = self.print("/dataplane/workers")[0]
        return monotonic(), int(row["packets"]), float(row["busy"]) / 100

    def mac(self, interface):
        return next(row["mac-address"] for row in self.print("/interface")
                    if row["name"] == interface)

    def drops(self):
        return ", ".join(f"{row['reason']} {row['packets']}"
                         for row in self.print("/dataplane/drops"))


def quieten(wires):
    """The kernel of the router's namespace shall not look at the frames as well; packet sockets see
    them before this."""
    for device in ("r0", "r1"):
        wires.nft("router", f"""
            table netdev quiet {{
              chain {device} {{
                type filter hook ingress device {device} priority 0;
                drop
              }}
            }}""")


def measure_testpmd(settings):
    flows = settings.flows[-1]
    cpu = settings.cpu
    with Wires(settings) as wires:
        quieten(wires)
        words = wires.inside("router", program("dpdk-testpmd", "dpdk-dev"), "--lcores", f"0@{cpu},1@{cpu}",
                             "--no-pci", "--no-telemetry", *memory(), f"--vdev={device(0)}",
                             f"--vdev={device(1)}", "--", "-i", "--forward-mode=mac", "--nb-cores=1",
                             "--record-core-cycles", f"--eth-peer=1,{MACS['s0']}",
                             "--total-num-mbufs=20000", "--no-flush-rx")
        testpmd = Testpmd(words)
        try:
            testpmd.ready()
            testpmd.say("start")
            said = best([wires.measure(MACS["r0"], flows, *YIELDING) for _ in range(settings.tries)])
            testpmd.say("stop")
        finally:
            text = testpmd.close()
        floor = FLOOR.search(text)
        if floor is None:
            raise Missing(f"testpmd printed no cycles per packet: {text.strip()[-400:]}")
        row = figures(said, None, "testpmd's own ticks in rounds that found frames: copy from the packet "
                      "ring, a system call a burst to send, the veth to the sink and the sink's drop; it "
                      "polls through its whole turns, so that its Mpps are not to be compared")
        row["ticks_per_packet"] = float(floor[1])
        row["command"] = " ".join(map(str, words))
        return row


def measure(settings, macvlan):
    flows = settings.flows[-1]
    with Wires(settings) as wires:
        quieten(wires)
        ceilings = [wires.ceiling(MACS["r0"], flows) for _ in range(settings.tries)]
        alone = max(ceilings, key=lambda said: said["sent"] / said["seconds"])
        with Daemon(wires, configuration(settings.cpu, macvlan)) as daemon:
            mac = daemon.mac("m1" if macvlan else "ether1")
            wires.warm(mac, flows)
            runs = []
            for _ in range(settings.tries):
                began, packets, _ = daemon.load()
                cpu = thread_seconds(daemon.process, "worker0")
                said = wires.measure(mac, flows, *YIELDING)
                said["cpu_seconds"] += thread_seconds(daemon.process, "worker0") - cpu
                ended, packets_then, busy = daemon.load()
                said["worker_seconds"] = busy * (ended - began) / (packets_then - packets)
                runs.append(said)
            said = best(runs)
            row = figures(said, alone, NOTE)
            lost = 100 - 100 * said["delivered"] / said["sent"]
            worker = row["worker_ticks_per_packet"] = said["worker_seconds"] * row["tsc_hz"]
            row["note"] += (f"; {lost:.1f} % of the offered frames lost; /dataplane/workers says {worker:.0f} "
                            "busy ticks a packet, with the flooder's turns that fell into its rounds")
            row["note"] += disturbance(said["cpu_seconds"], said["seconds"])
            if drops := daemon.drops():
                row["note"] += f"; its drops: {drops}"
            words = wires.flood_command(mac, flows, "--seconds", settings.seconds, *YIELDING)
            row["command"] = " ".join(map(str, (*daemon.words, "&", *words)))
            return row
