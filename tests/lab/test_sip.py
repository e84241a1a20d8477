"""SIP with sipp through masquerade: registration, calls in both directions, and their media (B-24)."""

import re
import shutil

import pytest

from lab import wait_until
from scenes import IOT, ISP, ONE_OR_TWO_WORKERS, PC, WAN, soho_with

PORTS = "/ip/firewall/service-port"
FLOWS = "/ip/firewall/connection"
TALK_MS = 3500  # how long a phone keeps its media port open

pytestmark = pytest.mark.skipif(not shutil.which("sipp"), reason="no sipp")

REGISTER = """<?xml version="1.0"?><scenario name="phone"><send retrans="500"><![CDATA[
REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:al@[local_ip]>;tag=[call_number]
To: <sip:al@[local_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:al@[local_ip]:5070>
Max-Forwards: 5
Content-Length: 0

]]></send><recv response="200"/></scenario>
"""
REGISTRAR = """<?xml version="1.0"?><scenario name="registrar"><recv request="REGISTER"/><send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=1
[last_Call-ID:]
[last_CSeq:]
[last_Contact:];expires=600
Content-Length: 0

]]></send></scenario>
"""
LONG_CALL = """<?xml version="1.0"?><scenario name="long"><send retrans="500"><![CDATA[
INVITE sip:service@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:al@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:service@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:al@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=al 1 1 IN IP[local_ip_type] [local_ip]
s=-
CODECSc=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
]]></send><recv response="100" optional="true"/><recv response="180" optional="true"/>
<recv response="200" rrs="true"/><send><![CDATA[
ACK sip:service@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:al@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:service@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send><pause/><send retrans="500"><![CDATA[
BYE sip:service@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:al@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:service@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send><recv response="200"/></scenario>
""".replace("CODECS", "".join(f"i=codec number {n} of many\n" for n in range(45)))


@pytest.fixture(scope="module", **ONE_OR_TWO_WORKERS)
def scene(request):
    with soho_with(request.param) as made:
        yield made


class Sipp:
    """A sipp in a namespace: what it sent and received is in its log."""

    count = 0

    def __init__(self, host, address, port, *words, media=0, transport="u1"):
        Sipp.count += 1
        directory = host.lab.directory
        self.log_path = directory / f"sipp-{Sipp.count}.log"
        media_words = ("-mi", address, "-mp", media, "-rtp_echo") if media else ()
        self.process = host.popen(
            f"sipp-{Sipp.count}", "sipp", *words, "-i", address, "-p", port, *media_words, "-t",
            transport, "-m", 1, "-nostdin", "-trace_msg", "-message_file", self.log_path,
            "-timeout", 60, "-timeout_error",
        )
        option = "-t" if transport.startswith("t") else "-u"
        if "-sn" in words and "uas" in words or "registrar" in str(words):
            wait_until(lambda: f":{port} " in host.run("ss", "-Han", option).stdout, 20,
                       what="sipp's port")

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def says(self, address):
        """Whether that stands in any line but Call-ID, which nobody reads as an address."""
        return any(address in line for line in self.log().splitlines()
                   if not line.startswith(("Call-ID", "-")))

    def media_port(self):
        """The one of the description that it received."""
        received = self.log().split("message received", 1)
        found = re.search(r"m=audio (\d+)", received[1]) if len(received) == 2 else None
        return int(found.group(1)) if found else None

    def ends_well(self):
        """Of who calls. Who is called waits for repetitions behind the end: nobody waits for it."""
        assert self.process.wait(90) == 0, self.log() + self.process.out()

    def was_called(self):
        wait_until(lambda: "BYE sip" in self.log(), 20, what="the end of the call")
        self.process.stop()


def flows(scene, **wanted):
    return [row for row in scene.router.print(FLOWS)
            if row.get("connection-type") == "sip"
            and all(row.get(key.replace("_", "-")) == value for key, value in wanted.items())]


def echoed(sock, address, port):
    """Something that comes back from there."""
    sock.settimeout(1)

    def once():
        sock.sendto(b"media", (address, port))
        try:
            return sock.recvfrom(100) == (b"media", (address, port))
        except TimeoutError:
            return False

    wait_until(once, 20, what=f"an echo of {address}:{port}")


def test_sip_is_on_by_default(scene):
    row = scene.router.row(PORTS, name="sip")
    assert (row["disabled"], row["ports"]) == ("false", "5060,5061")
    assert (row["sip-direct-media"], row["sip-timeout"]) == ("true", "1h")


@pytest.mark.parametrize("transport, media", [("u1", 8000), ("t1", 8300)])
def test_sip_call_out_with_media_both_ways(scene, transport, media):
    """B-16, B-24: addresses of the description are the router's, and its streams are expected."""
    rules = "/ip/firewall/filter"
    scene.router.ctl(f"{rules} add chain=forward connection-type=sip action=passthrough "
                     f"place-before=0 comment={transport}")
    server = Sipp(scene.isp, ISP, 5060, "-sn", "uas", media=media + 1000,
                  transport=transport)
    phone = Sipp(scene.pc, PC, 5060, "-sn", "uac", f"{ISP}:5060", "-d", TALK_MS, media=media,
                 transport=transport)
    port = wait_until(server.media_port, 20, what="the description")
    assert f"c=IN IP4 {WAN}" in server.log()
    wait_until(lambda: "ACK sip" in server.log(), 20, what="the call")
    echoed(scene.isp.udp(), WAN, port)
    (came,) = flows(scene, protocol="udp", src_address=ISP, dst_port=str(port))
    assert (came["expected"], came["dstnat"], came["reply-src-address"]) == ("true", "true", PC)
    echoed(scene.pc.udp(), ISP, media + 1000)
    (went,) = flows(scene, src_address=PC, dst_port=str(media + 1000))
    assert (went["expected"], went["srcnat"]) == ("true", "true")
    phone.ends_well()
    server.was_called()
    assert int(scene.router.row(rules, comment=transport)["packets"]) > 6
    if transport == "u1":
        assert not server.says(PC) and not phone.says(WAN)
        (call, *_) = flows(scene, src_address=PC, dst_port="5060", protocol="udp")
        assert call["uses-helper"] == "true" and call["timeout"].startswith("59m")


def test_a_call_longer_than_a_packet(scene):
    """B-24: what the phone's host sends in fragments is read as a whole, and its media are expected."""
    scenario = scene.lab.directory / "long.xml"
    scenario.write_text(LONG_CALL)
    server = Sipp(scene.isp, ISP, 5060, "-sn", "uas", media=9500)
    phone = Sipp(scene.pc, PC, 5064, "-sf", scenario, f"{ISP}:5060", "-d", TALK_MS, media=8500)
    port = wait_until(server.media_port, 20, what="the description")
    (invite,) = re.findall(r"message received \[(\d+)\] bytes[^-]*INVITE sip", server.log())[:1]
    assert int(invite) > 1480, "in fragments"
    assert f"c=IN IP4 {WAN}" in server.log() and f"IN IP4 {PC}" not in server.log()
    wait_until(lambda: "ACK sip" in server.log(), 20, what="the call")
    echoed(scene.isp.udp(), WAN, port)
    phone.ends_well()
    server.was_called()


def test_sip_phones_with_the_same_ports(scene):
    """Each is told of with ports of its own."""
    servers = [Sipp(scene.isp, ISP, port, "-sn", "uas", media=media)
               for port, media in ((5060, 9100), (5061, 9200))]
    phones = [Sipp(host, address, 5060, "-sn", "uac", f"{ISP}:{port}", "-d", TALK_MS, media=8100)
              for host, address, port in ((scene.pc, PC, 5060), (scene.iot, IOT, 5061))]
    for server, address in zip(servers, (PC, IOT)):
        port = wait_until(server.media_port, 20, what="the description")
        wait_until(lambda log=server.log: "ACK sip" in log(), 20, what="the call")
        echoed(scene.isp.udp(), WAN, port)
        assert address in {row["reply-src-address"] for row in flows(
            scene, src_address=ISP, dst_port=str(port), expected="true")}
    for phone, server in zip(phones, servers):
        phone.ends_well()
        server.was_called()


def test_sip_registered_phone_is_called(scene):
    """The contact has another port than the registration; the registrar alone reaches it."""
    for name, text in (("phone", REGISTER), ("registrar", REGISTRAR)):
        (scene.lab.directory / f"{name}.xml").write_text(text)
    registrar = Sipp(scene.isp, ISP, 5060, "-sf", scene.lab.directory / "registrar.xml")
    phone = Sipp(scene.pc, PC, 5060, "-sf", scene.lab.directory / "phone.xml", f"{ISP}:5060")
    registrar.ends_well()
    phone.ends_well()
    assert f"Contact: <sip:al@{WAN}:5070>" in registrar.log()
    assert f"Contact: <sip:al@{PC}:5070>;expires=600" in phone.log()
    called = Sipp(scene.pc, PC, 5070, "-sn", "uas", media=8200)
    caller = Sipp(scene.isp, ISP, 5060, "-sn", "uac", f"{WAN}:5070", "-d", TALK_MS, media=9300)
    wait_until(caller.media_port, 20, what="the description")
    echoed(scene.isp.udp(), WAN, caller.media_port())
    caller.ends_well()
    called.was_called()
    (call,) = flows(scene, src_address=ISP, dst_port="5070")
    assert (call["expected"], call["uses-helper"]) == ("true", "true")


def test_sip_is_switched_live(scene):
    """Without the helper the server is told the phone's own address."""
    scene.router.ctl(f"{PORTS} set sip disabled=yes")
    try:
        server = Sipp(scene.isp, ISP, 5060, "-sn", "uas", media=9400)
        phone = Sipp(scene.pc, PC, 5062, "-sn", "uac", f"{ISP}:5060", "-d", 10, media=8400)
        wait_until(server.media_port, 20, what="the description")
        assert f"c=IN IP4 {PC}" in server.log()
        phone.ends_well()
        server.was_called()
    finally:
        scene.router.ctl(f"{PORTS} set sip disabled=no")
