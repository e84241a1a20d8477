"""FRR in a namespace: zebra and ospfd, as Debian's package frr has them."""

import os
import shutil

from lab import wait_until

PROGRAMS = "/usr/lib/frr"

OSPF = """
{interfaces}
router ospf
 ospf router-id {router_id}
{networks}
"""
FAST = """
interface {device}
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
"""


class Frr:
    """OSPF on some devices; what is in `networks` is spoken of."""

    def __init__(self, namespace, router_id, devices, networks):
        self.namespace = namespace
        self.directory = f"/run/frr/{namespace.name}"  # where frr's own user may write
        os.makedirs(self.directory)
        namespace.lab.cleanups.append(lambda: shutil.rmtree(self.directory, ignore_errors=True))
        self.write("zebra", f"hostname {namespace.label}\n")
        self.write("ospfd", OSPF.format(
            interfaces="".join(FAST.format(device=device) for device in devices),
            router_id=router_id,
            networks="\n".join(f" network {network} area 0" for network in networks)))
        shutil.chown(self.directory, "frr", "frr")
        self.zebra = self.start("zebra", "zserv.api")
        self.ospfd = self.start("ospfd", "ospfd.vty")

    def write(self, name, text):
        path = f"{self.directory}/{name}.conf"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        shutil.chown(path, "frr", "frr")

    def start(self, name, socket):
        process = self.namespace.popen(
            f"{name}-frr", f"{PROGRAMS}/{name}", "-N", self.namespace.name, "-f",
            f"{self.directory}/{name}.conf", "-A", "127.0.0.1", "-P", "0", "--log", "stdout")
        wait_until(lambda: os.path.exists(f"{self.directory}/{socket}") or not process.alive(), 20,
                   lambda: f"{name}: {process.out()}{process.err()}")
        assert process.alive(), process.out() + process.err()
        return process
