"""Bad input at the doors to the network: a trap, a status or a closed connection, bounded memory, nothing changed."""

import errno
import json
import random
import socket
import ssl
import threading

import pytest

from doors import ADDRESS, Api, Http, basic, doors_config, logged_in, raw, rest, sentence, word
from lab import Lab, wait_until
from scenes import rows as config_rows

CLIENTS = 200


@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        config = doors_config(
            api={"max-sessions": 400}, api_ssl={"max-sessions": 400}, www={"max-sessions": 400},
            www_ssl={"max-sessions": 400, "disabled": "no"},
        )
        config_rows(config, "interface", "list").append({"name": "as-it-was"})
        yield lab.router(config).start()


@pytest.fixture(autouse=True)
def nothing_changed(router):
    """Whatever a test does, afterwards the configuration is as before and memory is bounded."""
    before, megabytes = everything(router), router.rss_mb()
    yield
    assert everything(router) == before
    assert router.rss_mb() < megabytes + 96
    assert router.process.alive()


def everything(router):
    """Every stored row of the menus that tests write to."""
    menus = ("/interface/list", "/ip/address", "/ip/firewall/filter", "/user", "/system/identity")
    return [router.print(menu) if menu != "/user" else
            [(row["name"], row["group"]) for row in router.print(menu)] for menu in menus]


def serves(router):
    with logged_in(router) as api:
        assert api.rows("/system/identity/print")
    assert rest(router, "GET", "/system/identity")[0] == 200


# The API -------------------------------------------------------------------------------------------

NO_SENTENCES = {
    "http": b"GET /rest/interface HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": bytes.fromhex("16030100a5010000a10303") + b"\0" * 154,
    "reserved length": b"\xf8\0\0\0\0",
    "four gigabytes": b"\xf0\xff\xff\xff\xff" + b"A" * 64,
    "a long word before login": word("=name=" + "A" * 8000),
    "many words before login": b"".join(word("=a=b") for _ in range(500)) + b"\0",
    "zeros": b"\0" * 4096,
    "not a command": sentence("print", "=x=y"),
}


@pytest.mark.parametrize("name", NO_SENTENCES)
def test_what_is_no_sentence(router, name):
    """D-15: the limits before login hold; the connection ends by itself or once we are gone."""
    sock = router.ns.connect(ADDRESS, 8728)
    try:
        sock.sendall(NO_SENTENCES[name])
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    except ConnectionError:
        pass
    finally:
        sock.close()
    serves(router)


AFTER_LOGIN = {
    "a word of five megabytes": [word("/interface/list/add"), word("=comment=" + "A" * (5 << 20)), b"\0"],
    "ten thousand words": [b"".join(word(f"=a{i}=b") for i in range(10_000)) + b"\0"],
    "half a sentence": [word("/interface/list/add"), word("=name=half")],
    "half a word": [word("/interface/list/add"), b"\x20=name="],
}


@pytest.mark.parametrize("name", AFTER_LOGIN)
def test_what_is_no_sentence_after_login(router, name):
    with logged_in(router) as api:
        try:
            for data in AFTER_LOGIN[name]:
                api.sock.sendall(data)
            api.sock.shutdown(socket.SHUT_WR)
            while api.sock.recv(65536):
                pass
        except ConnectionError:
            pass
    serves(router)


WRONG_WORDS = [
    ["/interface/list/add"],
    ["/interface/list/add", "=name="],
    ["/interface/list/add", "=name=" + "x" * 70_000],
    ["/interface/list/add", "=name=x", "=colour=red"],
    ["/interface/list/set", "=.id=*FFFFFFFFFFFFFFFFFFFF", "=comment=x"],
    ["/interface/list/set", "=comment=x"],
    ["/interface/list/remove", "=.id=*0,*0,*99"],
    ["/ip/address/add", "=address=999.1.1.1/24", "=interface=left"],
    ["/ip/address/add", "=address=10.0.0.1/99", "=interface=left"],
    ["/ip/address/add", "=address=10.0.0.1/24", "=interface=nobody"],
    ["/ip/firewall/filter/add", "=chain=forward", "=action=explode"],
    ["/ip/firewall/filter/add", "=chain=forward", "=dst-port=80"],
    ["/ip/firewall/filter/move", "=numbers=*1", "=destination=*2"],
    ["/interface/list/add", "word without a mark"],
    ["/" * 1000],
    ["/interface/list/print", "?#"],
    ["/interface/list/print", "?#||||"],
    ["/interface/list/print", "?#9"],
    ["/interface/list/print", "=.proplist=" + "a," * 3000],
    ["/cancel", "=tag=nobody"],
    ["/login", "=name=again", "=password=again"],
    ["/certificate/import", "=file-name=../../../etc/passwd"],
    ["/system/backup/load", "=name=/etc/passwd", "=password="],
    ["/user/remove", "=numbers=nobody-here"],
    ["/user/add", "=name=x", "=group=emperors"],
]


def test_wrong_words_get_a_trap_and_the_connection_goes_on(router):
    """D-18, D-25, D-26: category and message, always both, and nothing else."""
    with logged_in(router) as api:
        for words in WRONG_WORDS:
            replies = api.talk(*words)
            # A query over an empty menu has nothing to say no to.
            assert replies[-1][0] == "!done", (words, replies)
            for kind, attributes, _ in replies:
                if kind == "!trap":
                    assert set(attributes) == {"category", "message"} and attributes["message"], words
            if "print" not in words[0]:
                assert replies[0][0] == "!trap", (words[:3], replies)


def test_text_that_is_no_utf_8(router):
    """It is refused or comes back as it went in; over REST it is valid JSON all the same (D-27)."""
    with logged_in(router) as api:
        replies = api.talk("/interface/list/add", "=name=latin", b"=comment=caf\xe9 \xff\xfe\xc0\x80")
        assert rest(router, "GET", "/interface/list")[0] == 200
        if replies[0][0] == "!done":
            (row,) = api.rows("/interface/list/print", "?name=latin")
            assert row["comment"].encode("utf-8", "surrogateescape") == b"caf\xe9 \xff\xfe\xc0\x80"
            api.talk("/interface/list/remove", "=numbers=latin")


def test_random_sentences(router):
    """Words of the protocol in any order: every sentence is answered, in order, by its tag."""
    pieces = ["/interface/list", "/add", "/print", "=.id=*1", "=name=", "=", "==", "?", "?-", "?#|&!.",
              "?name=x", ".tag", ".tag=", ".proplist=", "=.proplist=", "=count-only=", "\u00e9", "*", "!", "=!x="]
    dice = random.Random(7)
    with logged_in(router) as api:
        for i in range(400):
            words = [dice.choice(["/interface/list/print", "/ip/address/get", "/user/find", "/x"])]
            words += ["".join(dice.choices(pieces[3:], k=dice.randint(1, 3))) for _ in range(dice.randint(0, 6))]
            words = [w for w in words if w and not w.startswith(".tag")] + [f".tag=t{i}"]
            replies = api.talk(*words)
            assert replies[-1] == ("!done", replies[-1][1], f"t{i}"), (words, replies)


# HTTP ----------------------------------------------------------------------------------------------

AUTH = f"Authorization: {basic()}\r\n"
NO_REQUESTS = {
    "nothing": b"\r\n\r\n\r\n",
    "no version": b"GET /rest\r\n\r\n",
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a long target": b"GET /rest/" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": b"GET /rest HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": b"GET /rest HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(10_000)) + b"\r\n",
    "no host, no end": b"GET /rest HTTP/1.1\r\nX: y",
    "negative length": f"POST /rest/ip/address/add HTTP/1.1\r\nHost: x\r\n{AUTH}Content-Length: -1\r\n\r\n{{}}".encode(),
    "length and chunks": (f"POST /rest/interface/list/add HTTP/1.1\r\nHost: x\r\n{AUTH}Content-Length: 4\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /rest HTTP/1.1\r\n\r\n").encode(),
    "two lengths": (f"POST /rest/interface/list/add HTTP/1.1\r\nHost: x\r\n{AUTH}Content-Length: 2\r\n"
                    "Content-Length: 20\r\n\r\n{}").encode(),
    "broken chunks": (f"POST /rest/interface/list/add HTTP/1.1\r\nHost: x\r\n{AUTH}"
                      "Transfer-Encoding: chunked\r\n\r\nZZZ\r\n{}").encode(),
    "ten gigabytes": (f"PUT /rest/interface/list HTTP/1.1\r\nHost: x\r\n{AUTH}"
                      "Content-Length: 10000000000\r\n\r\n{}").encode(),
    "an unknown method": f"BREW /rest HTTP/1.1\r\nHost: x\r\n{AUTH}Connection: close\r\n\r\n".encode(),
    "a proxy's request": f"CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: x\r\n{AUTH}\r\n".encode(),
    "zero in the target": f"GET /rest/\0 HTTP/1.1\r\nHost: x\r\n{AUTH}Connection: close\r\n\r\n".encode(),
}


@pytest.mark.parametrize("name", NO_REQUESTS)
def test_what_is_no_request(router, name):
    """A status of 4xx or 5xx, or no answer, and then the connection is closed."""
    sock = router.ns.connect(ADDRESS, 80, timeout=60)
    got = b""
    try:
        sock.sendall(NO_REQUESTS[name])
        sock.shutdown(socket.SHUT_WR)
        while data := sock.recv(65536):
            got += data
    except OSError as error:
        # The router may have closed before all was sent.
        if error.errno not in (errno.ENOTCONN, errno.ECONNRESET, errno.EPIPE):
            raise
    finally:
        sock.close()
    for reply in got.split(b"HTTP/1.1 ")[1:]:
        assert reply[:1] in b"45", got[:300]
    serves(router)


BODIES = {
    "no json": b"name=x",
    "half of it": b'{"name": "x"',
    "a list": b"[1, 2]",
    "a text": b'"name"',
    "deep": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an object as value": b'{"name": {"a": 1}}',
    "an exponent": b'{"name": 1e9}',
    "no utf-8": b'{"name": "\xff\xfe"}',
    "half a surrogate": b'{"name": "\\ud800"}',
    "zero": b'{"name": "a\\u0000b"}',
    "five megabytes": b'{"name": "' + b"x" * (5 << 20) + b'"}',
    "many keys": json.dumps({f"k{i}": "v" for i in range(50_000)}).encode(),
    "an unknown key": b'{"name": "x", "colour": "red"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_what_is_no_body(router, name):
    """D-10, D-27: 4xx with error, message and detail."""
    connection = Http(router)
    try:
        connection.request("PUT", "/rest/interface/list", BODIES[name], {"Authorization": basic()})
        reply = connection.getresponse()
        assert 400 <= reply.status < 500
        error = json.loads(reply.read())
        assert error["error"] == reply.status and error["message"]
    except (BrokenPipeError, ConnectionResetError):
        assert name == "five megabytes"  # closed while we still send
    finally:
        connection.close()


def test_paths_that_lead_nowhere(router):
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/interface/%00", "/interface/%zz",
                 "/" + "/".join("a" * 200), "/ip/address/*1/*2", "/ip", "/", "/interface/list/?" + "a=b&" * 3000,
                 "/file/..%2F..%2Fetc%2Fpasswd"):
        status, error = rest(router, "GET", path)
        assert 400 <= status < 500 and error["error"] == status, (path, status)


def test_a_pipeline_of_requests_is_answered_in_order(router):
    request = f"GET /rest/system/identity HTTP/1.1\r\nHost: x\r\n{AUTH}"
    data = (request + "\r\n") * 99 + request + "Connection: close\r\n\r\n"
    assert raw(router, data.encode()).count(b"HTTP/1.1 200") == 100


# Slow, silent and many -----------------------------------------------------------------------------


def test_slow_and_silent_clients_hold_nobody_up(router):
    """More of them than there are threads, and others are served meanwhile."""
    held = []
    try:
        for port, begin in ((80, b"GET /rest/system/identity HTTP/1.1\r\nHo"), (80, b""), (443, b"\x16\x03"),
                            (8728, b"\x06/lo"), (8728, b""), (8729, b"\x16")):
            for _ in range(40):
                sock = router.ns.connect(ADDRESS, port)
                sock.sendall(begin)
                held.append(sock)
        with logged_in(router) as api:
            assert api.rows("/interface/print")
        assert rest(router, "GET", "/system/identity")[0] == 200
    finally:
        for sock in held:
            sock.close()


def test_a_client_that_does_not_read_holds_a_bounded_answer(router):
    with logged_in(router) as lazy:
        for _ in range(2000):
            lazy.sock.setblocking(False)
            try:
                lazy.send("/interface/print")
            except BlockingIOError:
                break  # the router reads no further: that is its bound
        serves(router)


def test_two_hundred_clients_at_once(router):
    """Half by API, half by REST, all connected before any of them asks, each answered rightly."""
    failures = []
    gate = threading.Barrier(CLIENTS)

    def by_api():
        try:
            with Api(router, timeout=120) as api:
                gate.wait(60)
                assert api.login() == [("!done", {}, None)]
                for _ in range(5):
                    assert len(api.rows("/interface/print", "?type=ether")) == 2
        except Exception as error:  # noqa: BLE001
            failures.append(repr(error))

    def by_rest():
        connection = Http(router, timeout=120)
        try:
            connection.connect()
            gate.wait(60)
            for _ in range(5):
                status, found = rest(router, "GET", "/interface?type=ether", connection=connection)
                assert status == 200 and len(found) == 2
        except Exception as error:  # noqa: BLE001
            failures.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=by_api if i % 2 else by_rest) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:5]
    wait_until(lambda: not [r for r in router.print("/user/active") if r["via"] == "api"])


def test_max_sessions_is_kept(router):
    """C-47: one more is closed at once, and the others go on."""
    with logged_in(router) as api:
        api.talk("/ip/service/set", "=.id=api-ssl", "=max-sessions=2")
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with Api(router, 8729, tls="anonymous") as one, Api(router, 8729, tls="anonymous") as two:
                assert one.login() == two.login() == [("!done", {}, None)]
                with pytest.raises((ssl.SSLError, OSError)):
                    Api(router, 8729, tls="anonymous")
                assert one.rows("/system/identity/print") and two.rows("/system/identity/print")
        finally:
            api.talk("/ip/service/set", "=.id=api-ssl", "=max-sessions=400")


def is_closed(sock):
    try:
        return sock.recv(4096) == b""
    except ConnectionError:
        return True


def test_who_says_nothing_keeps_nobody_out(router):
    """C-47: the first of those that have not logged in is ended for one more."""
    router.ctl("/ip/service set [find name~\"^(api|www)\\$\"] max-sessions=3")
    silent = []
    try:
        for port, serves_one in ((8728, lambda: logged_in(router).close()),
                                 (80, lambda: rest(router, "GET", "/system/identity"))):
            mine = [router.ns.connect(ADDRESS, port, timeout=30) for _ in range(3)]
            silent += mine
            serves_one()
            assert is_closed(mine[0])
            serves_one()
        wait_until(lambda: router.log().count("that have not logged in is ended for") == 2)
    finally:
        for sock in silent:
            sock.close()
        router.ctl("/ip/service set [find name~\"^(api|www)\\$\"] max-sessions=400")


@pytest.mark.parametrize("tls", (False, True))
@pytest.mark.parametrize("size", (9_000, 17_000, 2_000_000))
def test_an_address_that_is_too_long_is_answered(router, size, tls):
    connection = Http(router, 443 if tls else 80, tls)
    status, error = rest(router, "GET", "/interface?name=" + "x" * size, connection=connection)
    connection.close()
    assert status == error["error"] == 414 and "8 KiB" in error["detail"]


@pytest.mark.parametrize("tls", (False, True))
def test_headers_that_are_too_long_are_answered(router, tls):
    for headers in ({"X-Long": "x" * 7_000, "X-More": "x" * 7_000, "X-Most": "x" * 7_000},
                    {f"X-{i}": "x" * 1_000 for i in range(90)}):
        connection = Http(router, 443 if tls else 80, tls)
        connection.request("GET", "/rest/interface", None, {"Authorization": basic(), **headers})
        reply = connection.getresponse()
        error = json.loads(reply.read())
        connection.close()
        assert reply.status == error["error"] == 431 and "16 KiB" in error["detail"]


def test_guessing_is_slowed_down(router):
    """A guesser waits longer and longer, whichever door it takes; the answer says so."""
    with Api(router) as api:
        for i in range(8):
            trap = api.login("guessed", f"guess{i}")[0]
            assert trap[0] == "!trap"
        assert "too many failures, try again in" in trap[1]["message"]
    status, error = rest(router, "GET", "/interface", user="guessed", password="guess9")
    assert status == 401 and "try again in" in error.get("detail", "")
    assert router.log().count("login failure for user guessed from 127.0.0.1") >= 4

    def in_again():
        with Api(router) as api:
            return api.login()[0][0] == "!done"

    wait_until(in_again, 90, "the wait to be over for somebody who knows the password", tick=0.5)
