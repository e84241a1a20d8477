"""Clients that send a byte now and then: ended at their time, while others are served and memory stays."""

import socket

import pytest

from doors import ADDRESS, basic, doors_config, logged_in, rest
from lab import Lab, wait_until

SLOW = 30  # of them at each door: more than there are threads


@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        yield lab.router(doors_config(www={"max-sessions": 200})).start()


def trickle(sock, data):
    """One byte more; False once the router has closed the connection."""
    try:
        sock.setblocking(False)
        if not sock.recv(65536):
            return False
    except BlockingIOError:
        pass
    except ConnectionError:
        return False
    try:
        sock.send(data)
    except (BlockingIOError, ConnectionError):
        pass
    return True


def test_bytes_now_and_then_hold_nothing_up_and_are_ended(router):
    """REST: 15 s for a request from its first byte, 3 s while others wait. Console, API: a minute (unit tests)."""
    head = (f"POST /rest/interface/list/add HTTP/1.1\r\nHost: x\r\nAuthorization: {basic()}\r\n"
            "Content-Length: 100000\r\n\r\n{").encode()
    megabytes = router.rss_mb()
    web = [router.ns.connect(ADDRESS, 80) for _ in range(SLOW)]
    api = [logged_in(router) for _ in range(SLOW // 3)]
    console = []
    try:
        for _ in range(SLOW):
            console.append(socket.socket(socket.AF_UNIX))
            console[-1].connect(str(router.socket_path))
        for i, sock in enumerate(web):
            sock.sendall(head if i % 2 else head[:40])
        for one in api:
            one.sock.sendall(b"\xcf\x42\x40")  # a word of a million letters comes

        def all_ended():
            going = [sock for sock in web if trickle(sock, b" ")]
            assert all([trickle(one.sock, b"x") for one in api])  # they have their minute
            assert all([trickle(sock, b" ") for sock in console])
            assert rest(router, "GET", "/system/identity")[0] == 200
            assert router.print("/system/identity")
            web[:] = going
            return not going

        wait_until(all_ended, 60, "slow requests ended")
        with logged_in(router) as other:
            assert other.rows("/system/identity/print")
        assert router.rss_mb() < megabytes + 48
    finally:
        for sock in [*web, *console, *api]:
            sock.close()
