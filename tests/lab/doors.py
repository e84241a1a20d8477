"""The router's doors to the network, by hand: API words and HTTP requests as bytes.

For what unmodified clients do not do: half sentences, many connections at once, requests that are none.
"""

import base64
import http.client
import json
import ssl

from scenes import two_ports

USER, PASSWORD = "admin", "tall-Order-7"
ADDRESS = "127.0.0.1"  # in the router's own namespace


def doors_config(**services):
    """Two ports, a user with a password, and services as said: name={property: value}."""
    config = two_ports()
    config["user"] = [{"name": USER, "password": PASSWORD}]
    rows = [{"name": name.replace("_", "-"), **more} for name, more in services.items()]
    if rows:
        config["ip"]["service"] = rows
    return config


def word(text):
    """A word of the API with its length (D-15)."""
    data = text if isinstance(text, bytes) else text.encode()
    size = len(data)
    if size < 0x80:
        return bytes([size]) + data
    if size < 0x4000:
        return (size | 0x8000).to_bytes(2, "big") + data
    if size < 0x200000:
        return (size | 0xC00000).to_bytes(3, "big") + data
    return (size | 0xE0000000).to_bytes(4, "big") + data


def sentence(*words):
    return b"".join(word(w) for w in words) + b"\0"


class Api:
    """A connection of the API; replies are (type, {attribute: value}, tag)."""

    def __init__(self, router, port=8728, tls=False, timeout=60.0):
        self.sock = router.ns.connect(ADDRESS, port, timeout=timeout)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            # As Ansible and mktxp do: without a certificate there is anonymous DH only (D-14).
            context.set_ciphers("ADH:@SECLEVEL=0" if tls == "anonymous" else "DEFAULT")
            self.sock = context.wrap_socket(self.sock)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, *words):
        self.sock.sendall(sentence(*words))

    def _take(self, count):
        while len(self.buffer) < count:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("the router closed the connection")
            self.buffer += data
        out, self.buffer = self.buffer[:count], self.buffer[count:]
        return out

    def _word(self):
        first = self._take(1)[0]
        for mark, more in ((0x80, 0), (0xC0, 1), (0xE0, 2), (0xF0, 3)):
            if first < mark:
                size = int.from_bytes(bytes([first]) + self._take(more), "big")
                size &= (1 << (7 * (more + 1))) - 1
                return self._take(size).decode("utf-8", "surrogateescape")
        return self._take(int.from_bytes(self._take(4), "big")).decode()

    def read(self):
        words = []
        while True:
            text = self._word()
            if not text:
                if words:
                    break
                continue
            words.append(text)
        attributes, tag = {}, None
        for text in words[1:]:
            if text.startswith("=") and "=" in text[1:]:
                name, value = text[1:].split("=", 1)
                attributes[name] = value
            elif text.startswith(".tag="):
                tag = text[5:]
            else:
                attributes[""] = text  # the reason of !fatal
        return words[0], attributes, tag

    def talk(self, *words):
        """Everything up to !done or !fatal."""
        self.send(*words)
        replies = [self.read()]
        while replies[-1][0] not in ("!done", "!fatal"):
            replies.append(self.read())
        return replies

    def login(self, user=USER, password=PASSWORD):
        return self.talk("/login", f"=name={user}", f"=password={password}")

    def rows(self, *words):
        replies = self.talk(*words)
        assert replies[-1][0] == "!done" and all(r[0] in ("!re", "!done") for r in replies), replies
        return [r[1] for r in replies if r[0] == "!re"]


def logged_in(router, **options):
    api = Api(router, **options)
    (reply,) = api.login()
    assert reply == ("!done", {}, None), reply
    return api


class Http(http.client.HTTPConnection):
    """HTTP over a socket made in the router's namespace."""

    def __init__(self, router, port=80, tls=False, timeout=60.0):
        super().__init__(ADDRESS, port, timeout=timeout)
        self.router, self.tls = router, tls

    def connect(self):
        self.sock = self.router.ns.connect(self.host, self.port, timeout=self.timeout)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)


def basic(user=USER, password=PASSWORD):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def rest(router, method, path, body=None, *, user=USER, password=PASSWORD, port=80, tls=False,
         connection=None):
    """(status, what the body says) of one request."""
    http_ = connection or Http(router, port, tls)
    try:
        http_.request(method, "/rest" + path, None if body is None else json.dumps(body),
                      {"Authorization": basic(user, password), "Content-Type": "application/json"})
        reply = http_.getresponse()
        text = reply.read().decode()
    finally:
        if connection is None:
            http_.close()
    return reply.status, json.loads(text) if text else None


def raw(router, data, port=80, timeout=60.0):
    """Bytes out, everything that comes back until the router closes."""
    sock = router.ns.connect(ADDRESS, port, timeout=timeout)
    got = b""
    try:
        sock.sendall(data)
        while True:
            more = sock.recv(65536)
            if not more:
                break
            got += more
    except ConnectionError:
        pass
    finally:
        sock.close()
    return got
