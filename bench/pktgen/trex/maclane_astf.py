"""TRex ASTF profile: sessions through the router, for RFC 9693.

    start -f maclane_astf.py -m 200000 -t --sessions 1000000                   phase 1: N new sessions at -m
    start -f maclane_astf.py -m 200000 -t --sessions 1000000 --rounds 1000     phase 2: they go on exchanging
    start -f maclane_astf.py -m 50000 -t --protocol tcp                        connections a second, TCP

-m is new sessions a second. Each exchange is a message and its answer; TRex's server answers the
translated address, so that both directions of each session are checked from end to end.
"""

import argparse

from trex.astf.api import (ASTFAssociationRule, ASTFIPGen, ASTFIPGenDist, ASTFIPGenGlobal, ASTFProfile,
                           ASTFProgram, ASTFTCPClientTemplate, ASTFTCPServerTemplate, ASTFTemplate)

MESSAGE = b"x" * 18  # a frame of 64 bytes
FOREVER_MS = 3_600_000


def udp(rounds, gap):
    client = ASTFProgram(stream=False)
    server = ASTFProgram(stream=False)
    for program in (client, server):
        program.set_keepalive_msg(FOREVER_MS)
    client.send_msg(MESSAGE)
    client.recv_msg(1, clear=True)
    if rounds > 0:
        client.set_var("rounds", rounds)
        client.set_label("again:")
        client.delay(gap)
        client.send_msg(MESSAGE)
        client.recv_msg(1, clear=True)
        client.jmp_nz("rounds", "again:")
    server.set_var("answers", rounds + 1)
    server.set_label("next:")
    server.recv_msg(1, clear=True)
    server.send_msg(MESSAGE)
    server.jmp_nz("answers", "next:")
    return client, server


def tcp():
    """Seven packets: handshake, a message, its answer, the end."""
    client = ASTFProgram(stream=True)
    client.send(MESSAGE)
    client.recv(len(MESSAGE))
    server = ASTFProgram(stream=True)
    server.recv(len(MESSAGE))
    server.send(MESSAGE)
    return client, server


class Maclane:
    """What the console and the NDR tool load."""

    def get_profile(self, tunables=(), **_):
        parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
        parser.add_argument("--protocol", choices=("udp", "tcp"), default="udp")
        parser.add_argument("--sessions", type=int, default=0, help="stop after so many; 0: never")
        parser.add_argument("--rounds", type=int, default=0, help="exchanges of a session after its first")
        parser.add_argument("--gap", type=int, default=100000, help="microseconds between exchanges")
        args = parser.parse_args(tunables)
        client, server = udp(args.rounds, args.gap) if args.protocol == "udp" else tcp()
        addresses = ASTFIPGen(
            glob=ASTFIPGenGlobal(ip_offset="0.0.0.0"),
            dist_client=ASTFIPGenDist(ip_range=["198.18.0.1", "198.18.0.250"], distribution="rand"),
            dist_server=ASTFIPGenDist(ip_range=["198.19.0.1", "198.19.0.250"], distribution="rand"))
        template = ASTFTemplate(
            client_template=ASTFTCPClientTemplate(program=client, ip_gen=addresses, port=9, cps=1,
                                                  limit=args.sessions or None),
            server_template=ASTFTCPServerTemplate(program=server, assoc=ASTFAssociationRule(port=9)))
        return ASTFProfile(default_ip_gen=addresses, templates=template)


def register():
    return Maclane()
