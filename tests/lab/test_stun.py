"""Mapping and filtering as a STUN client sees them (RFC 5780), in both profiles of NAT, switched live."""

import itertools

import pytest

import stun
from lab import Lab
from process import wait_until
from scenes import ISP, WAN, soho

SECOND = "203.0.113.7"  # the server's other address
PC2 = "192.168.88.11"


def without_attached(config):
    """The SOHO network without the hosts that stand on macvlans: PCs and the ISP are enough."""
    macvlans = config["interface"]["macvlan"]
    config["interface"]["macvlan"] = [row for row in macvlans if "netns" not in row]


class Scene:
    def __init__(self, lab):
        self.soho = soho(lab, without_attached)
        self.router = self.soho.router
        self.soho.isp.address("mlwan", f"{SECOND}/24")
        self.pc = self.soho.pc
        self.pc2 = self.soho.switch.host("pc2", f"{PC2}/24", "192.168.88.1")
        self.server = stun.Server.at(self.soho.isp, (ISP, SECOND))
        self.ports = itertools.count(20000, 2)
        self.pc.ping(WAN, check=True)
        self.pc2.ping(WAN, check=True)

    def set(self, **values):
        words = [f"{key.replace('_', '-')}={value}" for key, value in values.items()]
        self.router.ctl("/ip/firewall/connection/tracking/set", *words)

    def tracking(self, name):
        return self.router.print("/ip/firewall/connection/tracking")[0][name]

    def clients(self):
        """Two sockets with the same port, each in its host."""
        port = next(self.ports)
        return self.pc.udp(port), self.pc2.udp(port)


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield Scene(lab)


@pytest.fixture(params=["routeros", "rfc"])
def profile(request, scene):
    scene.set(nat_profile=request.param, nat_filtering="address-dependent")
    return request.param


# B-33, B-34, N-1, N-3: of two hosts with one port, the second's outer port depends on the destination in
# routeros, and does not in rfc.
def test_mapping(scene, profile):
    first, second = scene.clients()
    assert stun.mapping(scene.server, first) == "endpoint-independent"
    assert stun.mapped(scene.server, first, ISP, 3478)[1] == first.getsockname()[1]
    expected = {"routeros": "address-and-port-dependent", "rfc": "endpoint-independent"}[profile]
    # The first host's port stands in the way of the second's, towards those that the first has asked.
    assert stun.mapped(scene.server, second, ISP, 3478) != (WAN, second.getsockname()[1])
    assert stun.mapping(scene.server, second) == expected


# B-34, N-8: filtering by address and port, by address, or not at all.
def test_filtering(scene, profile):
    client, _ = scene.clients()
    expected = {"routeros": "address-and-port-dependent", "rfc": "address-dependent"}[profile]
    assert stun.filtering(scene.server, client) == expected
    if profile == "rfc":
        scene.set(nat_filtering="endpoint-independent")
        client, _ = scene.clients()
        assert stun.filtering(scene.server, client) == "endpoint-independent"


# B-32: RouterOS's own way to one outer port for all, in the profile of routeros: a rule out, and one in.
def test_endpoint_independent_nat(scene):
    scene.set(nat_profile="routeros")
    nat, rules = "/ip/firewall/nat", ("chain=srcnat out-interface=ether1", "chain=dstnat in-interface=ether1")
    for rule in rules:
        scene.router.ctl(f"{nat} add {rule} protocol=udp action=endpoint-independent-nat place-before=0 comment=ein")
    first, second = scene.clients()
    outer = stun.mapped(scene.server, first, ISP, 3478)
    assert outer == (WAN, first.getsockname()[1])
    assert stun.mapping(scene.server, second) == "endpoint-independent"
    assert stun.mapped(scene.server, second, ISP, 3478) != outer
    assert stun.filtering(scene.server, first) == "endpoint-independent"
    assert int(scene.tracking("nat-mappings")) >= 2
    # Without the rule in, who was not asked stays outside.
    scene.router.ctl(f"{nat} disable [find comment=ein chain=dstnat]")
    third, _ = scene.clients()
    assert stun.filtering(scene.server, third) != "endpoint-independent"
    scene.router.ctl(f"{nat} remove [find comment=ein]")


# N-9: hosts inside that know each other's outer ends only; routeros needs a rule for it (B-35).
def test_hairpin(scene, profile):
    one, other = scene.clients()
    at_one = stun.mapped(scene.server, one, ISP, 3478)
    at_other = stun.mapped(scene.server, other, ISP, 3478)
    assert at_one != at_other
    if profile == "rfc":
        assert stun.hairpins(one, at_other, other) == at_one
        assert stun.hairpins(other, at_one, one) == at_other
    else:
        other.settimeout(0.2)
        assert stun.hairpins(one, at_other, other) is None


# B-36: what stands goes on with the ports it has when the profile is switched, both ways.
def test_connections_survive_a_switch(scene):
    scene.set(nat_profile="routeros")
    first, second = scene.clients()
    stun.mapped(scene.server, first, ISP, 3478)
    held = stun.mapped(scene.server, second, ISP, 3478)
    for profile in ("rfc", "routeros", "rfc"):
        scene.set(nat_profile=profile)
        assert stun.mapped(scene.server, second, ISP, 3478) == held
        scene.server.sockets[ISP, 3478].sendto(b"still there", held)
        assert second.recvfrom(2048)[0] == b"still there"


# N-5, N-19, N-26, B-18: the timeouts that hold are the ones shown; what is set wins.
def test_the_profile_shows_its_timeouts(scene):
    scene.set(nat_profile="rfc")
    shown = [scene.tracking(f"{name}-timeout") for name in ("udp", "icmp", "tcp-syn-sent")]
    assert shown == ["5m", "1m", "4m"]
    assert scene.tracking("tcp-established-timeout") == "1d"
    scene.set(udp_timeout="90s")
    assert scene.tracking("udp-timeout") == "1m30s"
    scene.set(nat_profile="routeros")
    assert scene.tracking("udp-timeout") == "1m30s"
    assert scene.tracking("icmp-timeout") == "10s"


# N-5: mappings are counted, and gone with their connections.
def test_mappings_come_to_nothing(scene):
    scene.set(nat_profile="rfc")
    client, _ = scene.clients()
    stun.mapping(scene.server, client)
    assert int(scene.tracking("nat-mappings")) > 0
    scene.router.ctl("/ip/firewall/connection/remove [find]")
    wait_until(lambda: scene.tracking("nat-mappings") == "0", what="no mappings")


# N-15, N-17: TCP as well.
def test_tcp_has_one_outer_port(scene):
    scene.set(nat_profile="rfc", nat_filtering="address-dependent")
    servers = {address: scene.soho.isp.listener(80, address) for address in (ISP, SECOND)}
    port = next(scene.ports)
    seen = {}
    for host in (scene.pc, scene.pc2):
        for address, server in servers.items():
            with host.connect(address, 80, source_port=port):
                connection, peer = server.accept()
                connection.close()
                seen.setdefault(host.label, set()).add(peer)
    assert seen["pc"] == {(WAN, port)}
    assert len(seen["pc2"]) == 1 and seen["pc2"] != seen["pc"]
