"""Helpers with real programs: FTP and TFTP through masquerade and dst-nat (B-16, B-24)."""

import shutil

import pytest

from lab import wait_until
from scenes import ISP, ONE_OR_TWO_WORKERS, PC, WAN, soho_with
from services import answers, random_file, sha256_of

PORTS = "/ip/firewall/service-port"


def publish_pc(config):
    """The PC's FTP server at another port of the WAN, and nothing else in from there."""
    firewall = config["ip"]["firewall"]
    firewall["nat"].append({"chain": "dstnat", "in-interface": "ether1", "protocol": "tcp",
                            "dst-port": "2121", "action": "dst-nat", "to-addresses": PC,
                            "to-ports": "21"})
    firewall["filter"].append({"chain": "forward", "in-interface": "ether1",
                               "connection-state": "new", "connection-nat-state": "!dstnat",
                               "action": "drop"})
    firewall["filter"].append({"chain": "forward", "in-interface": "ether1", "protocol": "tcp",
                               "dst-port": "!21", "connection-state": "new", "action": "drop"})


@pytest.fixture(scope="module", **ONE_OR_TWO_WORKERS)
def scene(request):
    with soho_with(request.param, publish_pc) as made:
        yield made


class Files:
    """A folder with a file that nobody can guess."""

    def __init__(self, lab, label):
        self.root = lab.directory / label
        self.root.mkdir()
        self.root.chmod(0o755)
        lab.directory.chmod(0o755)
        self.sha256 = random_file(self.root / "file", 1)
        (self.root / "file").chmod(0o644)


def ftp_server(namespace):
    files = Files(namespace.lab, f"ftp-{namespace.label}")
    namespace.popen(f"ftpd-{namespace.label}", "/usr/bin/python3", "-m", "pyftpdlib", "-p", "21",
                    "-d", files.root)
    wait_until(lambda: answers(namespace, 21), what="the FTP server")
    return files


@pytest.fixture(scope="module")
def outside(scene):
    return ftp_server(scene.isp)


@pytest.fixture(scope="module")
def inside(scene):
    return ftp_server(scene.pc)


def fetch(scene, client, url, *options):
    """Fetches it; its digest, or curl's own words."""
    target = scene.lab.directory / "fetched"
    done = client.run("curl", "-sS", "--max-time", "60", "-o", target, *options, url, check=False)
    return sha256_of(target) if done.returncode == 0 else done.stderr


MODES = {
    "epsv": [],
    "pasv": ["--disable-epsv", "--no-ftp-skip-pasv-ip"],
    "eprt": ["--ftp-port", "-"],
    "port": ["--ftp-port", "-", "--disable-eprt"],
}


@pytest.mark.parametrize("mode", MODES)
def test_ftp_client_behind_masquerade(scene, outside, mode):
    assert fetch(scene, scene.pc, f"ftp://{ISP}/file", *MODES[mode]) == outside.sha256


@pytest.mark.parametrize("mode", MODES)
def test_ftp_server_behind_dst_nat(scene, inside, mode):
    assert fetch(scene, scene.isp, f"ftp://{WAN}:2121/file", *MODES[mode]) == inside.sha256


def test_data_connections_are_shown(scene, outside):
    """B-23: the control connection uses a helper, the data connection was expected."""
    scene.pc.popen("slow-ftp", "curl", "-sS", "--limit-rate", "100k", "--ftp-port", "-", "-o",
                   "/dev/null", f"ftp://{ISP}/file")

    def flow(*wanted):
        rows = scene.router.print("/ip/firewall/connection")
        return [row for row in rows if row.get("connection-type") == "ftp"
                and row["tcp-state"] == "established" and wanted == (row["expected"], row["dstnat"],
                                                                    row["uses-helper"])]

    (data, *_) = wait_until(lambda: flow("true", "true", "false"), what="the data connection")
    assert (data["src-address"], data["reply-src-address"]) == (ISP, PC)
    (control, *_) = wait_until(lambda: flow("false", "false", "true"), what="its control connection")
    assert (control["src-address"], control["dst-port"]) == (PC, "21")


def test_helpers_are_switched_and_moved_live(scene, outside):
    scene.router.ctl(f"{PORTS} set ftp disabled=yes")
    assert fetch(scene, scene.pc, f"ftp://{ISP}/file", "--ftp-port", "-", "-m", "2") != (
        outside.sha256
    )
    scene.router.ctl(f"{PORTS} set ftp disabled=no ports=21,2121")
    assert scene.router.row(PORTS, name="ftp")["ports"] == "21,2121"
    assert fetch(scene, scene.pc, f"ftp://{ISP}/file", "--ftp-port", "-") == outside.sha256


def test_a_transfer_goes_on_when_its_helper_is_switched_off(scene, outside):
    """B-24: what was announced before stays related; what is announced after is nobody's."""
    target = scene.lab.directory / "slow"
    slow = scene.pc.popen("running-ftp", "curl", "-sS", "--limit-rate", "250k", "--ftp-port", "-",
                          "-o", target, f"ftp://{ISP}/file")
    wait_until(lambda: target.exists() and target.stat().st_size > 0, what="the first bytes")
    scene.router.ctl(f"{PORTS} set ftp disabled=yes")
    assert slow.alive(), "it must be under way, or this shows nothing"
    had = target.stat().st_size
    refused = fetch(scene, scene.pc, f"ftp://{ISP}/file", "--ftp-port", "-", "-m", "2")
    assert refused != outside.sha256
    assert slow.wait() == 0, slow.err()
    assert target.stat().st_size > had and sha256_of(target) == outside.sha256
    scene.router.ctl(f"{PORTS} set ftp disabled=no")
    assert fetch(scene, scene.pc, f"ftp://{ISP}/file", "--ftp-port", "-") == outside.sha256


def test_helpers_that_are_not_there_are_refused(scene):
    rows = [row["name"] for row in scene.router.print(PORTS)]
    assert rows == ["ftp", "tftp", "irc", "h323", "sip", "pptp", "rtsp", "udplite", "dccp", "sctp"]
    for name in ("irc", "h323", "rtsp"):
        done = scene.router.ctl(f"{PORTS} set {name} disabled=no", check=False)
        assert done.returncode == 1
        assert f"{name} is not yet working" in done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("dnsmasq"), reason="no dnsmasq")
def test_tftp_client_behind_masquerade(scene):
    files = Files(scene.lab, "tftp")
    server = scene.isp.popen("tftpd", "dnsmasq", "-k", "-p", "0", "--enable-tftp", "--user=root",
                             f"--tftp-root={files.root}", f"--listen-address={ISP}",
                             "--bind-interfaces", f"--pid-file={scene.lab.directory}/tftpd.pid")
    wait_until(lambda: "69" in scene.isp.run("ss", "-Huln").stdout, what="the TFTP server")
    assert fetch(scene, scene.pc, f"tftp://{ISP}/file") == files.sha256
    assert server.alive()
    flows = [row for row in scene.router.print("/ip/firewall/connection")
             if row.get("connection-type") == "tftp"]
    assert {(row["src-address"], row["expected"]) for row in flows} == {(PC, "false"),
                                                                        (ISP, "true")}
