"""Loop protect (A3): wires that make a loop are found, the interface goes down and comes back."""

import pytest

from frames import ARP, BROADCAST, Ether, Raw, mac
from lab import Lab, dataplane, flag, wait_until
from scenes import raw_rig, rows

LOOP_PROTECT = 0x9003
STRANGER = mac(0x8001)


def config(ether=None, m1=None, m2=None, vlan=None):
    """A port with two macvlans and a VLAN, each with loop protect as said."""
    def row(name, more, **base):
        return {"name": name, **base, **(more or {})}

    return {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [row("ether1", ether, device="net_tap0,iface=mlport")],
            "macvlan": [row("m1", m1, interface="ether1"),
                        row("m2", m2, interface="ether1", mode="private")],
            "vlan": [row("v10", vlan, interface="ether1", **{"vlan-id": 10})],
        },
        "ip": {"address": [{"address": "10.9.9.1/24", "interface": "ether1"}]},
    }


ON = {"loop-protect": "on", "loop-protect-send-interval": "1s"}
FOR_EVER = {**ON, "loop-protect-disable-time": 0}


@pytest.fixture(scope="module")
def rig():
    with Lab() as lab:
        yield raw_rig(lab, config(), ["mlport"])


def status(rig, name):
    row = next(r for menu in ("ethernet", "macvlan", "vlan")
               for r in rig.router.print(f"/interface/{menu}") if r["name"] == name)
    return row["loop-protect-status"], flag(row["running"])


def loop(rig, source, dst=BROADCAST):
    rig.wires["mlport"].send(Ether(src=source, dst=dst, type=LOOP_PROTECT) / Raw(b"anything" * 6))


def settle(rig):
    """A question whose answer comes after everything sent before it was looked at."""
    wire = rig.wires["mlport"]
    wire.send(Ether(src=STRANGER, dst=BROADCAST)
              / ARP(op=1, hwsrc=STRANGER, psrc="10.9.9.9", pdst="10.9.9.1"))
    wire.wait(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].pdst == "10.9.9.9")


def until(rig, name, state):
    wait_until(lambda: status(rig, name) == state, 20,
               lambda: f"{name} to be {state}, it is {status(rig, name)}")


def test_off_unless_asked_for(rig):
    """E-39: default is off."""
    rig.router.reload(config(ether={"loop-protect": "default"}))
    assert status(rig, "ether1") == ("off", True)
    loop(rig, rig.router.mac("ether1"))
    loop(rig, STRANGER)
    settle(rig)
    assert status(rig, "ether1") == ("off", True)


@pytest.mark.parametrize("kind, name", [("ether", "ether1"), ("m1", "m1"), ("m2", "m2"),
                                        ("vlan", "v10")])
def test_frames_are_sent_and_one_that_comes_back_disables(rig, kind, name):
    """A-19, A-20, on ethernet, macvlans of both modes, and a VLAN: the frame that was sent is sent
    back as it is."""
    wire = rig.wires["mlport"]
    wire.clear()
    rig.router.reload(config(**{kind: FOR_EVER}))
    own = rig.router.mac(name)
    frame = wire.wait(lambda p: p.src == own and bytes(p)[12:18].find(b"\x90\x03") >= 0,
                      what=f"a loop protect frame of {name}")
    assert frame.dst == BROADCAST
    assert status(rig, name) == ("on", True)
    wire.send(frame)
    until(rig, name, ("disabled", False))
    line = f"{name} received loop protect packet originated from {own.upper()} ({name})"
    assert line in rig.router.log()
    assert "loop protect" in rig.router.row("/interface", name=name)["comment"]
    others = {"ether1", "m1", "m2", "v10"} - {name}
    if name != "ether1":
        assert all(status(rig, other) == ("off", True) for other in others)
    # A-21, E-39: 0 is for ever, a change elsewhere does not bring it back, one of its own does.
    changed = config(**{kind: FOR_EVER})
    rows(changed, "ip", "address").append({"address": "10.9.8.1/24", "interface": "ether1"})
    rig.router.reload(changed)
    assert status(rig, name)[0] == "disabled"
    rig.router.reload(config(**{kind: {**FOR_EVER, "comment": "looked at"}}))
    until(rig, name, ("on", True))


def test_comes_back_when_its_time_is_over(rig):
    rig.router.reload(config(ether={**ON, "loop-protect-disable-time": "1s"}))
    until(rig, "ether1", ("on", True))
    loop(rig, rig.router.mac("ether1"))
    until(rig, "ether1", ("disabled", False))
    until(rig, "ether1", ("on", True))
    assert "ether1 is enabled again by loop protect" in rig.router.log()


def test_siblings_and_strangers_are_no_loop(rig):
    """A-23: what bridge siblings hear of each other does not count; nor does a frame of nobody."""
    wire = rig.wires["mlport"]
    rig.router.reload(config(m1=ON, m2=ON))
    loop(rig, STRANGER)
    settle(rig)
    for _ in range(2):
        wire.clear()
        wire.wait(lambda p: p.type == LOOP_PROTECT and p.src == rig.router.mac("m1"))
    assert status(rig, "m1") == status(rig, "m2") == ("on", True)


def test_cut_frames_do_nothing(rig):
    """A-22: the source counts, whatever follows."""
    rig.router.reload(config(ether=ON))
    own = bytes.fromhex(rig.router.mac("ether1").replace(":", ""))
    wire = rig.wires["mlport"]
    wire.send(b"\xff" * 6 + own + b"\x90\x03")
    until(rig, "ether1", ("disabled", False))  # the header is all that counts
    rig.router.reload(config(ether={**ON, "comment": "again"}))
    until(rig, "ether1", ("on", True))


def test_a_cable_between_two_ports():
    """The loop people make: two ports in one switch. One of them goes down, the LAN lives on."""
    made = {
        "dataplane": dataplane(),
        "interface": {"ethernet": [
            {"name": "ether1", "device": "net_tap0,iface=mlone", **ON},
            {"name": "ether2", "device": "net_tap1,iface=mltwo", **ON},
        ]},
        "ip": {"address": [{"address": "10.1.0.1/24", "interface": "ether1"}]},
    }
    with Lab() as lab:
        router = lab.router(made).start()
        switch = lab.switch()
        for device in ("mlone", "mltwo"):
            switch.plug(router.move_wire(device, switch.ns, up=False))
        wait_until(
            lambda: "disabled" in [r["loop-protect-status"]
                                   for r in router.print("/interface/ethernet")],
            20, "one of the two ports to be disabled",
        )
        assert "received loop protect packet originated from" in router.log()
