"""PPPoE clients that dial when there is something to send (C-28), with a concentrator made of frames."""

from concentrator import ADDRESS, DISCOVERY, IPV4, PADI, SESSION, Concentrator
from frames import ICMP, IP, raw
from lab import Lab, dataplane, flag, wait_until

LONG = 120
FAR = "198.51.100.1"


def config():
    return {
        "dataplane": dataplane(),
        "interface": {
            "ethernet": [{"name": "wan", "device": "net_tap0,iface=mlwan"},
                         {"name": "lan", "device": "net_tap1,iface=mllan"}],
            "pppoe-client": [{"name": "dsl", "interface": "wan", "user": "user1", "password": "pass1",
                              "add-default-route": True, "dial-on-demand": True}],
        },
        "ip": {"address": [{"address": "192.168.88.1/24", "interface": "lan"}],
               "firewall": {"nat": [{"chain": "srcnat", "out-interface": "dsl", "action": "masquerade"}]}},
    }


def echo(ac):
    """What a concentrator does that knows FAR: everything is as usual, and echoes are answered."""
    def instead(asked):
        if asked.type != SESSION or asked.protocol != IPV4:
            return None
        packet = IP(asked.body[2:])
        if ICMP not in packet or packet[ICMP].type != 8 or packet.src != ADDRESS:
            return []
        reply = ICMP(type=0, id=packet[ICMP].id, seq=packet[ICMP].seq) / bytes(packet[ICMP].payload)
        return [ac.ppp(IPV4, raw(IP(src=FAR, dst=ADDRESS) / reply))]
    return instead


def test_the_first_packet_dials_and_none_is_lost():
    """C-28, C-21: until then the client has an address of 10.112.112.0/24, which the default route leads to; a session
    that ends is not dialled again before somebody wants it."""
    with Lab() as lab:
        router = lab.router(config()).start()
        isp, pc = lab.namespace("isp"), lab.namespace("pc")
        router.move_wire("mlwan", isp)
        router.move_wire("mllan", pc)
        pc.address("mllan", "192.168.88.10/24")
        pc.default_via("192.168.88.1")
        ac = Concentrator(isp, "mlwan")
        try:
            ac.instead = echo(ac)
            run(router, pc, ac)
        finally:
            ac.stop()


def run(router, pc, ac):
    def row():
        return router.row("/interface/pppoe-client", name="dsl")

    def dials():
        return ac.count(lambda asked: asked.type == DISCOVERY and asked.code == PADI)

    def address():
        return router.row("/ip/address", interface="dsl")["address"]

    wait_until(lambda: any(one["interface"] == "dsl" for one in router.print("/ip/address")), LONG, router.log)
    assert address().startswith("10.112.112.") and address().endswith("/32")
    route = router.row("/ip/route", dst_address="0.0.0.0/0")
    assert flag(route["active"]) and route["gateway"] == "dsl"
    assert row()["status"] == "disconnected" and not flag(row()["running"]) and dials() == 0
    assert not flag(router.row("/interface", name="dsl")["running"])
    for _ in range(2):
        before = dials()
        done = pc.ping(FAR, count=3, wait=20)
        assert done.ok, f"{done.stdout}{row()}{router.log()}"
        assert dials() == before + 1 and row()["status"] == "connected" and flag(row()["running"])
        assert address() == f"{ADDRESS}/32"
        ac.wire.send(ac.padt())
        wait_until(lambda: row()["status"] == "disconnected", LONG)
        wait_until(lambda: address().startswith("10.112.112."), LONG)
    # The router's own packets dial too.
    before = dials()
    wait_until(lambda: "received=1" in router.ctl(f"/ping {FAR} count=1", check=False).stdout, LONG,
               lambda: f"{row()}{router.log()}")
    assert dials() == before + 1
    router.ctl("/interface pppoe-client set dsl dial-on-demand=no")
    wait_until(lambda: row()["status"] == "connected" and address() == f"{ADDRESS}/32", LONG, router.log)
