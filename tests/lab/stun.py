"""What NAT does to a host's port, found out as RFC 5780 does: from a server with two addresses and two ports.

The server's four sockets and the clients' are the test's own, so that an answer may come from another
socket than the one that was asked, and nothing has to be waited for in vain: behind an answer that may be
filtered goes one that may not, on the same way.
"""

import itertools
from dataclasses import dataclass

PORTS = (3478, 3479)


@dataclass
class Server:
    """Two addresses, two ports; sockets by (address, port)."""

    sockets: dict
    addresses: tuple

    @classmethod
    def at(cls, namespace, addresses):
        sockets = {
            (address, port): namespace.udp(port, address)
            for address, port in itertools.product(addresses, PORTS)
        }
        return cls(sockets, tuple(addresses))


def mapped(server, client, address, port):
    """The outer end by which a server's socket sees the client's."""
    client.sendto(b"who am I", (address, port))
    return server.sockets[address, port].recvfrom(2048)[1]


def mapping(server, client):
    """RFC 5780 4.3: by what of the server the outer port depends."""
    (first, second), (port, other) = server.addresses, PORTS
    seen = mapped(server, client, first, port)
    if mapped(server, client, second, port) == seen:
        return "endpoint-independent"
    at_second = mapped(server, client, second, port)
    if mapped(server, client, second, other) == at_second:
        return "address-dependent"
    return "address-and-port-dependent"


def comes_through(server, client, outer, source):
    """Whether a packet from a socket of the server reaches the client, of which the first has been asked."""
    asked = server.addresses[0], PORTS[0]
    server.sockets[source].sendto(b"unasked", outer)
    server.sockets[asked].sendto(b"asked", outer)
    got = [client.recvfrom(2048)]
    while got[-1][0] != b"asked":
        got.append(client.recvfrom(2048))
    return (b"unasked", source) in got


def filtering(server, client):
    """RFC 5780 4.4: who may send to the outer port of a client that has asked one socket."""
    (first, second), (port, other) = server.addresses, PORTS
    outer = mapped(server, client, first, port)
    if comes_through(server, client, outer, (second, other)):
        return "endpoint-independent"
    if comes_through(server, client, outer, (first, other)):
        return "address-dependent"
    return "address-and-port-dependent"


def hairpins(one, one_outer, other):
    """What source the other sees if one sends to its outer end; None: it does not arrive."""
    one.sendto(b"over there", one_outer)
    try:
        return other.recvfrom(2048)[1]
    except TimeoutError:
        return None
