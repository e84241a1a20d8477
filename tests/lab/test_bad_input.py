"""Configurations that are wrong: every mistake in one go, with its place, and nothing happens."""

import re

import pytest
import yaml

from lab import ROOT, Lab
from scenes import conf, local, two_ports

EXAMPLES = sorted(path.name for path in (ROOT / "conf").glob("*.yaml"))


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        yield made


@pytest.fixture(scope="module")
def router(lab):
    return lab.router("{}")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_valid(router, name):
    code, said = router.check((ROOT / "conf" / name).read_text())
    assert code == 0, said
    assert "warning" not in said.lower()


BASE = """\
interface:
  ethernet:
    - {name: ether1, device: "net_tap0,iface=mlport"}
  macvlan:
    - {name: m1, interface: ether1}
"""

# What is appended to or replaced in BASE, where the mistake is, and what the sentence must hold.
MISTAKES = {
    "unknown menu": ("interfaces: []\n", (6, 1), ["interfaces", "interface"]),
    "unknown property": (BASE.replace("interface: ether1}", "interface: ether1, colour: red}"),
                         (5, 37), ["colour"]),
    "misspelt property": (BASE.replace("interface: ether1}", "interface: ether1, mdoe: private}"),
                          (5, 37), ["mdoe", "mode"]),
    "wrong mode": (BASE.replace("interface: ether1}", "interface: ether1, mode: vepa}"),
                   (5, 43), ["vepa", "bridge", "private"]),
    "parent is nobody": (BASE.replace("interface: ether1", "interface: ether7"),
                         (5, None), ["ether7"]),
    "macvlan on macvlan": (BASE + "    - {name: m2, interface: m1}\n", (6, None), ["m1"]),
    "vlan on macvlan": (BASE + "  vlan:\n    - {name: v, interface: m1, vlan-id: 5}\n",
                        (7, None), ["VLAN on a macvlan"]),
    "name twice": (BASE + "    - {name: ether1, interface: ether1}\n", (6, None), ["ether1"]),
    "mac twice": (
        BASE
        + "    - {name: m2, interface: ether1, mac-address: 02:00:00:00:00:05}\n"
        + "    - {name: m3, interface: ether1, mac-address: 02-00-00-00-00-05}\n",
        (7, None), ["02:00:00:00:00:05", "m2"],
    ),
    "multicast mac": (
        BASE.replace("interface: ether1}", "interface: ether1, mac-address: f1:00:00:00:00:05}"),
        (5, None), ["multicast"],
    ),
    "mac is no mac": (
        BASE.replace("interface: ether1}", "interface: ether1, mac-address: 02:00:00}"),
        (5, None), ["02:00:00"],
    ),
    "mtu above the parent's": (
        BASE.replace("interface: ether1}", "interface: ether1, mtu: 1501}"),
        (5, None), ["1501", "1500"],
    ),
    "mtu is text": (BASE.replace("interface: ether1}", "interface: ether1, mtu: big}"),
                    (5, None), ["big"]),
    "address twice": (
        BASE
        + "ip:\n  address:\n"
        + "    - {address: 10.0.0.1/24, interface: ether1}\n"
        + "    - {address: 10.0.0.1/24, interface: m1}\n",
        (9, None), ["10.0.0.1"],
    ),
    "bad address": (BASE + "ip:\n  address:\n    - {address: 10.0.0.256/24, interface: m1}\n",
                    (8, None), ["10.0.0.256"]),
    "bad prefix": (BASE + "ip:\n  address:\n    - {address: 10.0.0.1/33, interface: m1}\n",
                   (8, None), ["33"]),
    "address of nobody": (BASE + "ip:\n  address:\n    - {address: 10.0.0.1/24, interface: m9}\n",
                          (8, None), ["m9"]),
    "jump in a circle": (
        BASE + "ip:\n  firewall:\n    filter:\n"
        + "      - {chain: forward, action: jump, jump-target: a}\n"
        + "      - {chain: a, action: jump, jump-target: b}\n"
        + "      - {chain: b, action: jump, jump-target: a}\n",
        (None, None), ["jump"],
    ),
    "ports without a protocol": (
        BASE + "ip:\n  firewall:\n    filter:\n      - {chain: input, dst-port: 22}\n",
        (9, None), ["protocol"],
    ),
    "port out of range": (
        BASE + "ip:\n  firewall:\n    filter:\n"
        + "      - {chain: input, protocol: tcp, dst-port: 70000}\n",
        (9, None), ["70000"],
    ),
    "reset for udp": (
        BASE + "ip:\n  firewall:\n    filter:\n"
        + "      - {chain: input, protocol: udp, action: reject, reject-with: tcp-reset}\n",
        (9, None), ["tcp"],
    ),
    "masquerade in dstnat": (
        BASE + "ip:\n  firewall:\n    nat:\n      - {chain: dstnat, action: masquerade}\n",
        (9, None), ["masquerade", "srcnat"],
    ),
    "not yet": (
        BASE + "ip:\n  settings: {ipv4-multipath-hash-policy: l3-inner}\n",
        (None, None), ["ipv4-multipath-hash-policy"],
    ),
    "loop protect on an attached macvlan": (
        BASE.replace("interface: ether1}", "interface: ether1, attach: tap, loop-protect: on}"),
        (5, None), ["loop-protect"],
    ),
    "neighbour without a MAC": (
        BASE + "ip:\n  arp:\n    - {address: 10.0.0.9, interface: ether1}\n",
        (8, None), ["mac-address", "published"],
    ),
    "unreachable gateway type": (
        BASE + "ip:\n  route:\n    - {dst-address: 10.0.0.0/8, gateway: 10.0.0.300}\n",
        (8, None), ["10.0.0.300"],
    ),
    "not yaml": ("interface: [\n", (None, None), []),
    "a list": ("- interface\n", (None, None), []),
    "key twice": (
        BASE.replace("interface: ether1}", "interface: ether1, mode: bridge, mode: private}"),
        (5, None), ["mode"],
    ),
    "netns without attach": (
        BASE.replace("interface: ether1}", "interface: ether1, netns: web1}"),
        (5, None), ["attach"],
    ),
    "attach with a name too long": (
        BASE.replace("name: m1", "name: a-name-that-is-much-too-long").replace(
            "interface: ether1}", "interface: ether1, attach: tap}"),
        (5, None), ["15"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_said_with_its_place(router, name):
    text, (line, column), words = MISTAKES[name]
    if "interface:" not in text.split("\n")[0] and not text.startswith("- "):
        text = BASE + text
    code, said = router.check(text)
    assert code != 0, said
    place = rf"{re.escape(str(router.config_path))}"
    if line:
        place += rf":{line}:" + (f"{column}:" if column else r"\d+:")
    assert re.search(place, said), f"no {place} in:\n{said}"
    for word in words:
        assert word in said, f"no {word!r} in:\n{said}"


def test_all_mistakes_at_once(router):
    text = """\
interface:
  ethernet:
    - {name: ether1, device: "net_tap0,iface=mlport"}
  macvlan:
    - {name: m1, interface: ether9}
    - {name: m2, interface: ether1, mode: vepa}
    - {name: m3, interface: ether1, mtu: 9000}
    - {name: m3, interface: ether1, mac-address: 01:00:00:00:00:01}
ip:
  address:
    - {address: 10.0.0.1/40, interface: m1}
  firewall:
    filter:
      - {chain: input, protocol: tpc, action: dropp}
"""
    code, said = router.check(text)
    assert code != 0
    # Mistakes of spelling come first; those of sense need a file whose words are understood.
    for line in (6, 11, 14):
        assert re.search(rf":{line}:\d+:", said), f"line {line} missing in:\n{said}"
    again = text.replace("vepa", "private").replace("/40", "/24")
    again = again.replace("tpc", "tcp").replace("dropp", "drop")
    code, said = router.check(again)
    assert code != 0
    for line in (5, 7, 8):
        assert re.search(rf":{line}:\d+:", said), f"line {line} missing in:\n{said}"


def test_underscores_are_taken_with_a_warning(router):
    text = BASE.replace("interface: ether1}", "interface: ether1, mac_address: auto}")
    code, said = router.check(text)
    assert code == 0
    assert "mac_address" in said and "mac-address" in said


def test_missing_and_unreadable_files(lab, router):
    done = router.ns.run(*router.command()[:1], "/nonexistent/file.yaml", check=False)
    assert done.returncode != 0
    assert "/nonexistent/file.yaml" in done.stderr and "No such file" in done.stderr
    done = router.ns.run(*router.command()[:1], lab.directory, "--check", check=False)
    assert done.returncode != 0 and str(lab.directory) in done.stderr
    # root reads every file: as another user
    secret = lab.directory / "secret.yaml"
    secret.write_text(BASE)
    secret.chmod(0)
    lab.directory.chmod(0o755)
    done = router.ns.run(
        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
        router.command()[0], secret, "--check", check=False,
    )
    if "failed to execute" not in done.stderr:  # a checkout that nobody else may read
        assert done.returncode != 0
        assert "Permission denied" in done.stderr and str(secret) in done.stderr


def test_unknown_option_is_refused(router):
    done = router.ns.run(*router.command("--chekc"), check=False)
    assert done.returncode != 0 and "--chekc" in done.stderr


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("net_nosuch0", ["net_nosuch0"]),
        ("0000:ff:1f.7", ["0000:ff:1f.7"]),
        ("net_tap0,iface=a-name-that-is-too-long", []),
    ],
)
def test_device_that_is_not_there(lab, router, device, words):
    config = local(lab, yaml.safe_load(BASE))
    config["interface"]["ethernet"][0]["device"] = device
    router.write(config)
    done = router.ns.run(*router.command(), check=False, timeout=60)
    assert done.returncode != 0
    for word in ["ether1", *words]:
        assert word in done.stderr, done.stderr


def test_namespace_that_is_not_there(lab, router):
    config = local(lab, yaml.safe_load(BASE))
    config["interface"]["macvlan"][0].update(attach="tap", netns="no-such-namespace")
    router.write(config)
    done = router.ns.run(*router.command(), check=False, timeout=60)
    assert done.returncode != 0
    assert "no-such-namespace" in done.stderr and "m1" in done.stderr


def test_more_attachments_than_devices(lab, router):
    """Debian's DPDK knows 32 ethdevs; the sentence says so."""
    config = local(lab, yaml.safe_load(BASE))
    config["interface"]["macvlan"] = [
        {"name": f"m{number}", "interface": "ether1", "attach": "tap"} for number in range(40)
    ]
    router.write(config)
    done = router.ns.run(*router.command(), check=False, timeout=120)
    assert done.returncode != 0 and "32" in done.stderr


def test_empty_file_is_a_valid_router_of_nothing(router):
    code, said = router.check("{}\n")
    assert code == 0, said


def test_check_starts_nothing(router):
    code, _ = router.check(two_ports())
    assert code == 0
    assert "mlleft" not in router.ns.ip("link").stdout
    assert not router.socket_path.exists()
    assert conf("soho.yaml")


def test_an_emptied_file_is_refused(router):
    code, said = router.check("\n")
    assert code == 1
    assert "is empty" in said


def test_a_namespace_is_a_name_or_a_path(router):
    code, said = router.check(BASE.replace("interface: ether1}",
                                           "interface: ether1, attach: tap, netns: ../x}"))
    assert code == 1
    assert "netns" in said and "../x" in said
