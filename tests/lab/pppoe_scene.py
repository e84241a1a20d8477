"""What the labs of PPPoE share (C4): rp-pppoe's pppoe-server and pppd in a software-emulated guest, whose card
is in one switch with the port of a router, and a PC behind that."""

from doors import PASSWORD, USER
from guest import VLAN, access_concentrator
from lab import dataplane, wait_until

CONNECTED = 120  # seconds, generous: the guest is emulated
LINES = range(1, 9)
BEHIND = "203.0.113.53"  # the ISP's name server, which every session leads to
ALL = [f"pppoe-out{i}" for i in LINES] + ["on-ether", "on-vlan"]


def config():
    """Eight macvlans of one port with a PPPoE client each, as on the MACVLAN page; one on the port
    itself, one in a VLAN, and one with a wrong password that is disabled."""
    service = {7: "pap", 8: "chap"}
    return {
        "dataplane": dataplane(),
        "user": [{"name": USER, "password": PASSWORD}],
        "interface": {
            "ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"},
                         {"name": "ether2", "device": "net_tap1,iface=mllan"}],
            "macvlan": [{"name": f"macvlan{i}", "interface": "ether1"} for i in LINES],
            "vlan": [{"name": "vlan30", "interface": "ether1", "vlan-id": VLAN}],
            "pppoe-client": [
                *({"name": f"pppoe-out{i}", "interface": f"macvlan{i}", "user": f"line{i}",
                   "password": f"secret{i}", "service-name": service.get(i, "internet"),
                   "add-default-route": True, "default-route-distance": i,
                   "use-peer-dns": True} for i in LINES),
                {"name": "on-ether", "interface": "ether1", "user": "line9",
                 "password": "secret9", "ac-name": "ac-internet", "keepalive-timeout": 1},
                {"name": "on-vlan", "interface": "vlan30", "user": "line10",
                 "password": "secret10"},
                {"name": "wrong", "interface": "ether1", "user": "line1", "password": "nonsense",
                 "service-name": "chap", "disabled": True},
                {"name": "no-service", "interface": "ether1", "user": "line1",
                 "password": "secret1", "service-name": "television", "disabled": True},
                {"name": "no-ac", "interface": "ether1", "user": "line1", "password": "secret1",
                 "ac-name": "ac-of-others", "disabled": True},
            ],
        },
        "ip": {
            "address": [{"address": "192.168.88.1/24", "interface": "ether2"}],
            "firewall": {"nat": [{"chain": "srcnat", "src-address": "192.168.88.0/24",
                                  "action": "masquerade"}]},
        },
    }


class Isp:
    """The guest's card in a switch, up."""

    def __init__(self, lab):
        self.lab = lab
        self.switch = lab.switch("isp")
        self.guest = access_concentrator(self.switch.ns)
        self.switch.plug("ac0")
        self.guest.wait_up()


class Scene(Isp):
    """Beside it the port of a router, and a PC behind that."""

    def __init__(self, lab):
        super().__init__(lab)
        self.router = lab.router(config()).start()
        self.switch.plug(self.router.move_wire("mlwan", self.switch.ns, up=False))
        self.pc = lab.namespace("pc")
        self.router.move_wire("mllan", self.pc)
        self.pc.address("mllan", "192.168.88.10/24")
        self.pc.default_via("192.168.88.1")

    def client(self, name):
        return self.router.row("/interface/pppoe-client", name=name)

    def connected(self, *names):
        def up():
            rows = {row["name"]: row for row in self.router.print("/interface/pppoe-client")}
            return all(rows[name]["status"] == "connected" for name in names)

        wait_until(up, CONNECTED, lambda: f"{names} to be connected: "
                   f"{self.router.print('/interface/pppoe-client')}\n{self.router.log()}\n"
                   f"{self.guest.log()[-4000:]}")

    def address(self, name):
        return self.router.row("/ip/address", interface=name)["address"]
