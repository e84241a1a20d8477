"""TRex STL profile: UDP frames of one size, or IMIX 7:4:1, of N flows in random order (RFC 4814).

    start -f maclane_stl.py -m 100% -t --size 64 --flows 50000        forwarding, both directions
    start -f maclane_stl.py -m 100% -t --size imix --masquerade      from inside to outside only

Sizes count the FCS. Flows are hosts times source ports, each drawn at random for each frame.
"""

import argparse

from trex.stl.api import IP, UDP, Ether, STLPktBuilder, STLStream, STLTXCont, STLVM

IMIX = ((64, 7), (570, 4), (1518, 1))  # bytes, share
INSIDE, OUTSIDE = "198.18", "198.19"
HOSTS = 250
FIRST_PORT = 1024


class Maclane:
    """What the console and the NDR tool load."""

    @staticmethod
    def streams(size, share, flows, source, destination):
        hosts = min(HOSTS, flows)
        ports = max(1, flows // hosts)
        if FIRST_PORT + ports > 65536:
            raise ValueError(f"at most {HOSTS * (65536 - FIRST_PORT)} flows")
        vm = STLVM()
        vm.var(name="host", min_value=f"{source}.0.1", max_value=f"{source}.0.{hosts}", size=4,
               op="random")
        vm.write(fv_name="host", pkt_offset="IP.src")
        vm.var(name="port", min_value=FIRST_PORT, max_value=FIRST_PORT + ports - 1, size=2, op="random")
        vm.write(fv_name="port", pkt_offset="UDP.sport")
        vm.fix_chksum()
        # A checksum of 0 says that there is none: the field engine would have to make one in software.
        frame = Ether() / IP(src=f"{source}.0.1", dst=f"{destination}.0.1") / UDP(
            sport=FIRST_PORT, dport=9, chksum=0)
        padding = max(0, size - 4 - len(frame)) * "x"
        return STLStream(packet=STLPktBuilder(pkt=frame / padding, vm=vm), mode=STLTXCont(pps=share))

    def get_streams(self, direction=0, tunables=(), **_):
        parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
        parser.add_argument("--size", default="64", help="64 to 1518, or imix")
        parser.add_argument("--flows", type=int, default=50000)
        # The NDR tool gives each argument a value.
        parser.add_argument("--masquerade", nargs="?", const="yes", choices=("yes", "no"), default="no",
                            help="nothing from outside: those flows do not exist there")
        args = parser.parse_args(tunables)
        if args.masquerade == "yes" and direction == 1:
            return []
        ends = (INSIDE, OUTSIDE) if direction == 0 else (OUTSIDE, INSIDE)
        sizes = IMIX if args.size == "imix" else ((int(args.size), 1),)
        return [self.streams(size, share, args.flows, *ends) for size, share in sizes]


def register():
    return Maclane()
