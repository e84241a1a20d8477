"""NAT of what the router itself sends and gets (B-28: the chains output and input), with real programs."""

import pytest

from lab import Lab
from scenes import ISP, LAN_ROUTER, PC, soho
from services import WebServer, curl

NAT = "/ip/firewall/nat"
ELSEWHERE = "198.51.100.80"  # nobody has it
KNOWN_AS = "192.168.88.250"


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        made = soho(lab)
        made.web = WebServer(made.pc)
        yield made


def test_what_the_router_sends_is_led_elsewhere(scene):  # B-28, B-1
    """A program of the router's asks a server that is not there, and the PC answers."""
    ctl, own = scene.router.ctl, scene.router.ns
    ctl(f"{NAT} add chain=output protocol=tcp dst-address={ELSEWHERE} dst-port=8000 "
        f"action=dst-nat to-addresses={PC} to-ports=80 comment=elsewhere")
    for _ in range(2):
        assert curl(own, f"http://{ELSEWHERE}:8000/").stdout == "hello from pc\n"
    assert scene.router.rule("elsewhere", NAT) == 2
    rows = [row for row in scene.router.sessions(dst_address=ELSEWHERE)]
    assert rows and {(row["dstnat"], row["reply-src-address"]) for row in rows} == {("true", PC)}
    # Not what others send through it.
    assert scene.pc.ping(ISP).ok
    ctl(f"{NAT} disable [find comment=elsewhere]")
    assert curl(own, f"http://{ELSEWHERE}:8000/", "--max-time", "2", check=False).returncode != 0


def test_what_is_for_the_router_has_another_source(scene):  # B-28, B-1
    """A program of the router's sees its client under another address, and its answers come back."""
    ctl = scene.router.ctl
    service = WebServer(scene.router.ns, port=8088)
    ctl(f"/ip/firewall/filter add chain=input protocol=tcp dst-port=8088 action=accept "
        "place-before=0 comment=service")
    assert curl(scene.pc, f"http://{LAN_ROUTER}:8088/").stdout == "hello from router\n"
    assert service.peers() == {PC}
    ctl(f"{NAT} add chain=input protocol=tcp dst-port=8088 src-address={PC} action=src-nat "
        f"to-addresses={KNOWN_AS} comment=known-as")
    assert curl(scene.pc, f"http://{LAN_ROUTER}:8088/").stdout == "hello from router\n"
    assert service.peers() == {PC, KNOWN_AS}
    assert scene.router.rule("known-as", NAT) == 1


def test_actions_that_cannot_be_there_say_where_they_can(scene):
    refused = {
        "chain=input action=masquerade": "works only in srcnat",
        "chain=output action=redirect to-ports=53": "works only in dstnat",
        f"chain=output action=src-nat to-addresses={PC}": "works only in srcnat and input",
        f"chain=input action=dst-nat to-addresses={PC}": "works only in dstnat and output",
    }
    for words, why in refused.items():
        done = scene.router.ctl(f"{NAT} add {words}", check=False)
        assert done.returncode == 1 and why in done.stderr, words
