"""The networks that several labs stand on."""

import copy
import os
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import yaml

from frames import IP, Station, Wire, mac
from lab import ROOT, Lab, dataplane

ISP = "203.0.113.1"
WAN = "203.0.113.2"
LAN_ROUTER = "192.168.88.1"
IOT_ROUTER = "192.168.99.1"
PC = "192.168.88.10"
IOT = "192.168.99.10"


def conf(name):
    """A file of conf/ as a dict."""
    return yaml.safe_load((ROOT / "conf" / name).read_text())


def rows(config, *keys):
    """The list at a path of menus, made if it is not there."""
    node = config
    for key in keys[:-1]:
        node = node.setdefault(key, {})
    return node.setdefault(keys[-1], [])


def settings(config, *keys):
    node = config
    for key in keys:
        node = node.setdefault(key, {})
    return node


def local(lab, config):
    """The configuration for this lab: its namespaces' names, its CPU, no huge pages.

    Every namespace that an attached macvlan names is made.
    """
    config = copy.deepcopy(config)
    config["dataplane"] = {**config.get("dataplane", {}), **dataplane()}
    for row in config["interface"].get("macvlan", []):
        if "netns" in row:
            label = row["netns"].removeprefix("ml-")
            if label not in lab.namespaces:
                lab.namespace(label)
            row["netns"] = lab.namespaces[label].name
    return config


@dataclass
class Soho:
    lab: object
    config: dict
    router: object
    switch: object
    isp: object
    pc: object
    iot: object


def soho(lab, change=None, start=True):
    """The SOHO guide's network, from conf/soho.yaml: ISP, PC and IoT device as real hosts."""
    config = local(lab, conf("soho.yaml"))
    if change:
        change(config)
    router = lab.router(config)
    isp = lab.namespace("isp")
    switch = lab.switch()
    pc = switch.host("pc", f"{PC}/24", LAN_ROUTER)
    iot = switch.host("iot", f"{IOT}/24", IOT_ROUTER)
    scene = Soho(lab, config, router, switch, isp, pc, iot)
    if start:
        router.start()
        plug_soho(scene)
    return scene


# How a fixture of soho_with() says that its tests run once with each.
ONE_OR_TWO_WORKERS = {"params": [1, 2], "ids": ["one-worker", "two-workers"]}


@contextmanager
def soho_with(workers, change=None):
    """A lab with soho(). With two workers, a connection and what it announces are often on different ones."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < workers:
        pytest.skip("two workers need two CPUs")

    def change_all(config):
        if change:
            change(config)
        if workers > 1:
            config["dataplane"]["workers"] = cpus[:workers]

    with Lab() as lab:
        yield soho(lab, change_all)


def plug_soho(scene):
    """The cables of the router's two ports: one to the ISP, one into the switch."""
    wan = scene.router.move_wire("mlwan", scene.isp)
    scene.isp.address(wan, f"{ISP}/24")
    scene.switch.plug(scene.router.move_wire("mllan", scene.switch.ns, up=False))
    for host in (scene.pc, scene.iot):
        host.ip("neigh", "flush", "all")


# Two raw wires -----------------------------------------------------------------------------------

LEFT_NET = "10.1.0.0/24"
RIGHT_NET = "10.2.0.0/24"
LEFT_ROUTER, RIGHT_ROUTER = "10.1.0.1", "10.2.0.1"
LEFT_HOST, RIGHT_HOST = "10.1.0.10", "10.2.0.10"
LEFT_MAC, RIGHT_MAC = mac(0x1001), mac(0x2001)  # the router's
LEFT_HOST_MAC, RIGHT_HOST_MAC = mac(0x100A), mac(0x200A)


def two_ports(**firewall):
    """Two ports with a network each, hosts known by static ARP rows, no rules unless given."""
    config = {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [
                {"name": "left", "device": "net_tap0,iface=mlleft", "mac-address": LEFT_MAC},
                {"name": "right", "device": "net_tap1,iface=mlright", "mac-address": RIGHT_MAC},
            ]
        },
        "ip": {
            "settings": {"icmp-rate-limit": 0},
            "address": [
                {"address": f"{LEFT_ROUTER}/24", "interface": "left"},
                {"address": f"{RIGHT_ROUTER}/24", "interface": "right"},
            ],
            "arp": [
                {"address": LEFT_HOST, "mac-address": LEFT_HOST_MAC, "interface": "left"},
                {"address": RIGHT_HOST, "mac-address": RIGHT_HOST_MAC, "interface": "right"},
            ],
        },
    }
    if firewall:
        config["ip"]["firewall"] = {key.replace("_", "-"): value for key, value in firewall.items()}
    return config


@dataclass
class Rig:
    """A router between wires that the test itself reads and writes."""

    lab: object
    router: object
    wires: dict = field(default_factory=dict)
    left: Station = None
    right: Station = None

    def settle(self):
        """Everything sent so far has been through the router, in both directions."""
        for station in (self.left, self.right):
            if station is not None:
                station.settle()

    def clear(self):
        self.settle()
        for wire in self.wires.values():
            wire.clear()


def out(rig, *packets):
    """Left to right: what came out."""
    rig.left.send(*packets)
    rig.settle()
    return rig.right.wire.take(lambda p: IP in p)


def back(rig, *packets):
    """Right to left: what came out."""
    rig.right.send(*packets)
    rig.settle()
    return rig.left.wire.take(lambda p: IP in p)


def raw_rig(lab, config, devices=None):
    """Starts a router and holds the wires of its ports: {"mlleft": Wire, ...}."""
    devices = devices or ["mlleft", "mlright"]
    router = lab.router(config).start()
    rig = Rig(lab, router)
    for device in devices:
        namespace = lab.namespace(f"wire-{device}")
        router.move_wire(device, namespace)
        rig.wires[device] = Wire(namespace, device)
    return rig


def two_port_rig(lab, config):
    rig = raw_rig(lab, config)
    left, right = rig.wires["mlleft"], rig.wires["mlright"]
    rig.left = Station(left, LEFT_HOST_MAC, LEFT_HOST, LEFT_MAC, LEFT_ROUTER)
    rig.right = Station(right, RIGHT_HOST_MAC, RIGHT_HOST, RIGHT_MAC, RIGHT_ROUTER)
    rig.clear()
    return rig
