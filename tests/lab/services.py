"""Real programs for the hosts of a lab: a web server, iperf3, a file to carry."""

import hashlib
import json
import os
import shutil

from lab import run, wait_until

NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
  log_format peer '$remote_addr $request';
  access_log {directory}/nginx-access.log peer;
  client_body_temp_path {directory};
  proxy_temp_path {directory};
  fastcgi_temp_path {directory};
  uwsgi_temp_path {directory};
  scgi_temp_path {directory};
  sendfile on;
  server {{
    listen {port};
    root {root};
  }}
}}
"""


def answers(namespace, port, address="127.0.0.1"):
    """Whether something listens there."""
    try:
        namespace.connect(address, port, timeout=1).close()
        return True
    except OSError:
        return False


def random_file(path, megabytes):
    """Writes a file nobody can guess and returns its SHA-256."""
    digest = hashlib.sha256()
    with open(path, "wb") as out:
        for _ in range(megabytes):
            block = os.urandom(1 << 20)
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class WebServer:
    """nginx, or Python's http.server where there is none."""

    def __init__(self, namespace, port=80):
        self.root = namespace.lab.directory / f"www-{namespace.label}-{port}"
        self.root.mkdir()
        self.root.chmod(0o755)
        namespace.lab.directory.chmod(0o755)
        (self.root / "index.html").write_text(f"hello from {namespace.label}\n")
        directory = namespace.lab.directory / f"nginx-{namespace.label}-{port}"
        directory.mkdir()
        directory.chmod(0o777)
        self.access_log = directory / "nginx-access.log"
        if shutil.which("nginx"):
            config = directory / "nginx.conf"
            config.write_text(NGINX.format(directory=directory, port=port, root=self.root))
            self.process = namespace.popen(
                f"nginx{port}", "nginx", "-c", config, "-e", directory / "nginx-error.log"
            )
        else:
            self.process = namespace.popen(
                f"http{port}", "python3", "-m", "http.server", "--directory", self.root, port
            )
        wait_until(
            lambda: answers(namespace, port),
            20,
            lambda: f"the web server of {namespace.label}: {self.process.err()}",
        )

    def peers(self):
        """The addresses that asked, as the server saw them."""
        text = self.access_log.read_text() if self.access_log.exists() else self.process.err()
        return {line.split()[0] for line in text.splitlines() if line} - {"127.0.0.1"}


def curl(namespace, url, *options, check=True):
    return namespace.run("curl", "-sS", "--fail", "--max-time", "60", *options, url, check=check)


def iperf3_server(namespace, port=5201):
    server = namespace.popen(f"iperf3-{port}", "iperf3", "-s", "-p", port)
    wait_until(
        lambda: f" {port}" in listening(namespace), 20, lambda: f"iperf3: {server.err()}"
    )
    return server


def listening(namespace):
    return namespace.run("ss", "-Hltn").stdout.replace(":", " ")


def iperf3(namespace, server, *options, port=5201, size=4_000_000, seconds=0):
    """Runs a client; the sums of its JSON report."""
    return iperf3_report(namespace, server, *options, port=port, size=size, seconds=seconds)["end"]


def iperf3_report(namespace, server, *options, port=5201, size=4_000_000, seconds=0):
    """Runs a client that sends (-R: is sent) so many bytes, however long it takes, or for so many
    seconds, which is for those who measure; its JSON report.
    What is under way when all is sent is not counted as received: little, with small buffers."""
    amount = ("-t", seconds) if seconds else ("-n", size)
    window = () if "-u" in options else ("-w", "64K")

    # With -J it ends with 0 whatever went wrong. A server takes one client at a time, and none while it
    # makes its listening socket anew after each: on a slow machine that is long. Until it took this
    # one no stream is connected.
    told = {}

    def done():
        ran = namespace.run("iperf3", "-c", server, "-p", port, *amount, "-J", *window, *options,
                            check=False, timeout=300)
        told.clear()
        told.update(json.loads(ran.stdout))
        return "error" not in told or told["start"].get("connected")

    wait_until(done, 60, lambda: f"iperf3's server at {server} to take this client: {told['error']}")
    assert "error" not in told, told["error"]
    return told


def have(program):
    return shutil.which(program) is not None


__all__ = [
    "WebServer", "answers", "curl", "have", "iperf3", "iperf3_report", "iperf3_server", "listening", "random_file",
    "run", "sha256_of",
]
