"""Plays every folder of cases/ against the daemon."""

from pathlib import Path

import pytest
import yaml

from case import Player, evaluate, parse
from frames import Wire
from lab import Lab
from scenes import local

CASES = sorted(path.parent.name for path in Path(__file__).parent.glob("cases/*/case.txt"))


def devices(config):
    """The kernel side of each ethernet's net_tap, and the attached macvlans."""
    taps = {
        row["name"]: dict(part.split("=") for part in row["device"].split(",")[1:])["iface"]
        for row in config["interface"]["ethernet"]
    }
    attached = [row["name"] for row in config["interface"].get("macvlan", []) if "attach" in row]
    return taps, attached


def settle_point(config):
    """An ethernet with an address: its answers say that everything has been through."""
    names = [row["name"] for row in config["interface"]["ethernet"]]
    for row in config["ip"]["address"]:
        if row["interface"] in names:
            return row["interface"], row["address"].split("/")[0]
    raise AssertionError("a case needs an ethernet interface with an address")


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    folder = Path(__file__).parent / "cases" / name
    with Lab() as lab:
        config = local(lab, yaml.safe_load((folder / "config.yaml").read_text()))
        taps, attached = devices(config)
        router = lab.router(config).start()
        wires = {}
        for interface, device in taps.items():
            namespace = lab.namespace(f"w-{interface}")
            router.move_wire(device, namespace)
            wires[interface] = Wire(namespace, device)
        for interface in attached:
            row = next(r for r in config["interface"]["macvlan"] if r["name"] == interface)
            label = next(k for k, v in lab.namespaces.items() if v.name == row["netns"])
            wires[interface] = Wire(lab.namespaces[label], interface)
        macs = {row["name"]: row["mac-address"].lower() for row in router.print("/interface")}
        names = {f"mac_{key.replace('-', '_')}": value for key, value in macs.items()}
        names["own_macs"] = set(macs.values())
        Player(router, wires, *settle_point(config), names).play((folder / "case.txt").read_text())


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "Ether().fields", "[x for x in (1,)]", "open('x')", "lambda: 1"],
)
def test_packet_text_is_no_program(text):
    with pytest.raises(AssertionError):
        evaluate(text, {"Ether": object})


def test_a_step_that_is_none_is_refused():
    with pytest.raises(AssertionError):
        parse("sned ether1: Ether()")
