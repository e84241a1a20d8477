"""DNS for others (C5): a forwarder with a cache, names of one's own, and dnsmasq supervised."""

import os
import signal

import pytest

from lab import Lab, dataplane, wait_until

LONG = 60


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def dig(host, name, kind="A", server="192.168.88.1", tcp=False):
    """The answer's lines as (ttl, type, data), and the status."""
    done = host.run("dig", "+noall", "+answer", "+comments", "+tries=1", "+time=2",
                    *(("+tcp",) if tcp else ()), f"@{server}", name, kind, check=False)
    lines = [line.split(None, 4) for line in done.stdout.splitlines()
             if line and not line.startswith(";")]
    status = "TIMEOUT"
    if "status: " in done.stdout:
        status = done.stdout.split("status: ")[1].split(",")[0]
    return status, [(int(line[1]), line[3], line[4]) for line in lines]


def data(answer):
    return [line[2] for line in answer[1]]


def start(lab, remote=True):
    """A LAN with a PC, an ISP with two name servers: .53 knows everything, .54 nothing."""
    router = lab.router({
        "dataplane": dataplane(),
        "interface": {"ethernet": [{"name": "ether1", "device": "net_tap0,iface=mlwan"},
                                   {"name": "ether2", "device": "net_tap1,iface=mllan"}]},
        "ip": {"address": [{"address": "203.0.113.2/24", "interface": "ether1"},
                           {"address": "192.168.88.1/24", "interface": "ether2"}],
               "route": [{"dst-address": "0.0.0.0/0", "gateway": "203.0.113.53"}],
               "dns": {"servers": ["203.0.113.53"], "allow-remote-requests": remote}},
    }).start()
    isp = lab.namespace("isp")
    pc = lab.namespace("pc")
    router.move_wire("mlwan", isp)
    isp.address("mlwan", "203.0.113.53/24", "203.0.113.54/24")
    isp.default_via("203.0.113.2")
    router.move_wire("mllan", pc)
    pc.address("mllan", "192.168.88.10/24")
    pc.default_via("192.168.88.1")
    upstream(isp, "203.0.113.53", "host-record=www.example,198.51.100.80,2001:db8::80,300",
             "host-record=long.example,198.51.100.81,864000", "txt-record=www.example,up",
             "address=/none.example/", "local=/lan/")
    wait_until(lambda: router.row("/ip/dns")["status"] == ("running"), LONG, router.log)
    return router, isp, pc


def upstream(namespace, address, *lines):
    config = namespace.lab.directory / f"upstream-{address}.conf"
    config.write_text("\n".join((*lines, f"listen-address={address}", "bind-interfaces",
                                 "no-resolv", "no-hosts", "user=root", "log-queries")) + "\n")
    process = namespace.popen(f"dns-{address}", "dnsmasq", "--keep-in-foreground",
                              "--log-facility=-", "--pid-file", f"--conf-file={config}")
    wait_until(lambda: "started" in process.err() + process.out(), LONG)
    return process


def answered(host, name, kind="A", server="192.168.88.1"):
    return wait_until(lambda: (found := dig(host, name, kind, server))[0] == "NOERROR" and found[1]
                      and found, LONG, lambda: f"{name}: {dig(host, name, kind, server)}")


def test_forwards_remembers_and_forgets(lab):
    """C-30, C-31, C-33: cache, its ttl limit, print and flush; UDP and TCP."""
    router, isp, pc = start(lab)
    assert data(answered(pc, "www.example")) == ["198.51.100.80"]
    assert data(dig(pc, "www.example", "AAAA", tcp=True)) == ["2001:db8::80"]
    assert dig(pc, "none.example")[0] == "NXDOMAIN"
    router.ctl("/ip/dns set cache-max-ttl=1m")
    # Until the server that knows the new limit is the one that answers.
    found = []

    def limited():
        ttl = answered(pc, "long.example")[1][0][0]
        found[:] = [row for row in router.print("/ip/dns/cache")
                    if (row["name"], row["type"]) == ("long.example", "A")]
        return ttl <= 60 and found

    wait_until(limited, LONG)
    (row,) = found
    assert row["data"] == "198.51.100.81" and row["ttl"] != "0s"
    router.ctl("/ip/dns/cache flush")
    wait_until(lambda: not [row for row in router.print("/ip/dns/cache")
                            if row["static"] == "false"], LONG)
    # The first server is asked; another goes in its place when it is gone (C-31).
    router.ctl("/ip/dns set servers=203.0.113.54,203.0.113.53")
    assert data(answered(pc, "www.example")) == ["198.51.100.80"]
    # Nor has anybody to ask twice because the first is dead.
    router.ctl("/ip/dns set servers=203.0.113.99,203.0.113.53")
    router.ctl("/ip/dns/cache flush")
    assert data(dig(pc, "long.example")) == ["198.51.100.81"]
    assert isp.ping("203.0.113.2").ok


def test_what_is_over_is_no_longer_listed(lab):
    router, isp, pc = start(lab)
    upstream(isp, "203.0.113.54", "host-record=brief.example,198.51.100.9,2",
             "host-record=lasting.example,198.51.100.10,600")
    router.ctl("/ip/dns set servers=203.0.113.54")
    wait_until(lambda: data(dig(pc, "lasting.example")) == ["198.51.100.10"], LONG)

    def listed(name):
        return [row["ttl"] for row in router.print("/ip/dns/cache/all") if row["name"] == name]

    def remembered():
        assert data(dig(pc, "brief.example")) == ["198.51.100.9"]
        return listed("brief.example")

    assert wait_until(remembered, LONG)[0] in ("1s", "2s")
    # dnsmasq itself has it in its table until it needs the room.
    wait_until(lambda: not listed("brief.example"), 10, lambda: listed("brief.example"))
    assert listed("lasting.example")


def test_names_of_ones_own(lab):
    """C-32: every type, its ttl, subdomains; and what dnsmasq cannot do is refused."""
    router, isp, pc = start(lab)
    upstream(isp, "203.0.113.54", "host-record=a.corp.example,10.7.7.7,60")
    for line in (
        "name=nas.lan address=192.168.88.5 ttl=5m",
        "name=nas.lan type=AAAA address=fd00::5",
        "name=www.example address=192.168.88.6",
        "name=files.lan type=CNAME cname=nas.lan ttl=1h",
        "name=corp.example type=FWD forward-to=203.0.113.54 match-subdomain=yes",
        "name=lan type=MX mx-exchange=nas.lan mx-preference=5",
        "name=zone.lan type=NS ns=nas.lan",
        "name=ads.example type=NXDOMAIN match-subdomain=yes",
        "name=_sip._udp.lan type=SRV srv-target=nas.lan srv-port=5060 srv-weight=2 srv-priority=1",
        "name=lan type=TXT text=\"hello world\"",
        "name=apps.lan address=192.168.88.7 match-subdomain=yes",
    ):
        router.ctl(f"/ip/dns/static add {line}")
    assert answered(pc, "nas.lan")[1] == [(300, "A", "192.168.88.5")]
    assert data(dig(pc, "nas.lan", "AAAA")) == ["fd00::5"]
    assert data(dig(pc, "NAS.LAN")) == ["192.168.88.5"]
    assert data(dig(pc, "files.lan")) == ["nas.lan.", "192.168.88.5"]
    # The cache has them with the ttl that they are answered with.
    times = {(row["name"], row["type"]): row["ttl"] for row in router.print("/ip/dns/cache")
             if row["static"] == "true"}
    assert times["nas.lan", "A"] == "5m" and times["files.lan", "CNAME"] == "1h"
    assert times["nas.lan", "AAAA"] == times["www.example", "A"] == "1d"
    assert data(dig(pc, "a.corp.example")) == ["10.7.7.7"]
    assert data(dig(pc, "lan", "MX")) == ["5 nas.lan."]
    assert data(dig(pc, "zone.lan", "NS")) == ["nas.lan."]
    assert dig(pc, "x.ads.example")[0] == "NXDOMAIN"
    assert data(dig(pc, "_sip._udp.lan", "SRV")) == ["1 2 5060 nas.lan."]
    assert data(dig(pc, "lan", "TXT")) == ['"hello world"']
    assert data(dig(pc, "x.apps.lan")) == ["192.168.88.7"]
    # What is asked is not logged, be it of a type that dnsmasq has no name for.
    dig(pc, "nas.lan", "TYPE0")
    wait_until(lambda: [row for row in router.print("/ip/dns/cache")
                        if row["name"] == "a.corp.example"], LONG)
    assert not [row for row in router.print("/log") if "nas.lan" in row["message"]]
    # Only an A row: AAAA is asked for upstream.
    assert data(dig(pc, "www.example")) == ["192.168.88.6"]
    assert data(dig(pc, "www.example", "AAAA")) == ["2001:db8::80"]
    for line, why in (("regexp=\"a(\" address=1.2.3.4", "no extended regular expression"),
                      ("name=x.lan regexp=x address=1.2.3.4", "a name or a regexp"),
                      ("regexp=ring type=CNAME cname=ring.lan", "would lead back"),
                      ("name=x.lan type=AAAA address=1:2:3", "cannot be of type=AAAA")):
        refused = router.ctl(f"/ip/dns/static add {line}", check=False)
        assert refused.returncode != 0 and why in refused.stdout + refused.stderr
    shown = router.ctl("/ip/dns/static print").stdout
    for column in ("MX-EXCHANGE", "NS", "SRV-TARGET", "TEXT", "FORWARD-TO"):
        assert column in shown


def pids(router):
    found = {}
    for name in ("dnsmasq", "dnsdist", "dnsdist-2", "unbound"):
        try:
            found[name] = int((router.state / f"{name}.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError):
            pass  # it does not run, or begins
    return found


def test_names_that_dnsmasq_has_no_words_for(lab):
    """C-32: whole names without those below them, aliases of elsewhere, any text, any ttl, and any type for
    the names below one: dnsdist and unbound answer them, behind dnsmasq's cache."""
    router, isp, pc = start(lab)
    upstream(isp, "203.0.113.54", "host-record=corp.example,10.7.7.7,60",
             "host-record=a.corp.example,10.7.7.8,60", "host-record=in.dept.example,10.7.7.9,60")
    assert set(pids(router)) == {"dnsmasq"}  # nothing beside it while it can do all
    for line in (
        "name=www.example type=NXDOMAIN",
        "name=corp.example type=FWD forward-to=203.0.113.54",
        "name=far.lan type=CNAME cname=long.example ttl=7m",
        "name=further.lan type=CNAME cname=far.lan",
        "name=all.lan type=CNAME cname=www2.example match-subdomain=yes",
        "name=www2.example address=198.51.100.82",
        "name=text.lan type=TXT text=\"say \\\"hi\\\" to C:\\\\\" ttl=5m",
        "name=quoted.lan type=TXT text=\"a \\\"b\\\"\"",
        "name=mail.lan type=MX mx-exchange=nas.lan mx-preference=7 match-subdomain=yes ttl=2m",
        "name=apps.lan address=192.168.88.7 match-subdomain=yes ttl=3m",
        "name=apps.lan address=192.168.88.8 match-subdomain=yes ttl=3m",
        "name=ns.dept.example address=203.0.113.54",
        "name=dept.example type=FWD forward-to=ns.dept.example match-subdomain=yes",
    ):
        router.ctl(f"/ip/dns/static add {line}")
    wait_until(lambda: dig(pc, "www.example")[0] == "NXDOMAIN", LONG, router.log)
    assert data(answered(pc, "corp.example")) == ["10.7.7.7"]
    assert not data(dig(pc, "a.corp.example"))  # not of the row: the usual server knows none
    assert answered(pc, "far.lan")[1] == [(420, "CNAME", "long.example."),
                                          (604800, "A", "198.51.100.81")]
    assert data(answered(pc, "further.lan")) == ["far.lan.", "long.example.", "198.51.100.81"]
    assert data(answered(pc, "x.all.lan")) == ["www2.example.", "198.51.100.82"]
    assert answered(pc, "text.lan", "TXT")[1] == [(300, "TXT", '"say \\"hi\\" to C:\\\\"')]
    assert data(answered(pc, "quoted.lan", "TXT")) == ['"a \\"b\\""']
    assert answered(pc, "x.mail.lan", "MX")[1] == [(120, "MX", "7 nas.lan.")]
    assert sorted(data(answered(pc, "y.apps.lan"))) == ["192.168.88.7", "192.168.88.8"]
    assert dig(pc, "y.apps.lan", "AAAA")[0] == "NOERROR"  # C-32: there is such a name
    assert data(answered(pc, "in.dept.example")) == ["10.7.7.9"]
    assert data(dig(pc, "far.lan", tcp=True))[0] == "long.example."
    assert router.row("/ip/dns")["status"] == "running"
    # Another name is answered by another dnsdist, once that is there; the one before answers until then.
    before = pids(router)
    assert {"dnsmasq", "unbound"} < set(before)
    router.ctl("/ip/dns/static add name=gone.example type=NXDOMAIN")
    while dig(pc, "gone.example")[0] != "NXDOMAIN" or dig(pc, "long.example")[0] != "NOERROR":
        assert dig(pc, "www.example")[0] == "NXDOMAIN"
    assert pids(router)["dnsmasq"] == before["dnsmasq"]
    wait_until(lambda: len([name for name in pids(router) if "dnsdist" in name]) == 1, LONG)
    # A crash of either is mended.
    running = pids(router)
    for name in ("unbound", next(name for name in running if "dnsdist" in name)):
        os.kill(running[name], signal.SIGKILL)
        wait_until(lambda n=name: pids(router).get(n, running[n]) != running[n], LONG)
    router.ctl("/ip/dns/cache flush")
    assert data(answered(pc, "far.lan"))[0] == "long.example."
    assert dig(pc, "www.example")[0] == "NXDOMAIN"
    # Without such rows they are gone.
    for row in router.print("/ip/dns/static"):
        router.ctl(f"/ip/dns/static remove {row['.id']}")
    wait_until(lambda: set(pids(router)) == {"dnsmasq"}, LONG)
    assert data(answered(pc, "www.example")) == ["198.51.100.80"]


def test_expressions_go_first(lab):
    """C-32: rows with a regexp from the top, then names; every type of them."""
    router, isp, pc = start(lab)
    upstream(isp, "203.0.113.54", "address=/example/10.7.7.7")
    for line in (
        "regexp=\"^ad[0-9]+[.]\" type=NXDOMAIN",
        "regexp=\"^(pc|host)[0-9]+[.]lan\\$\" address=10.0.0.1 ttl=9m",
        "regexp=\"^host[0-9]+[.]lan\\$\" address=10.0.0.2",
        "regexp=\"[.]corp[.]example\\$\" type=FWD forward-to=203.0.113.54",
        "regexp=\"^alias[0-9][.]\" type=CNAME cname=long.example",
        "name=pc1.lan address=10.0.0.9",
        "name=plain.lan address=10.0.0.10",
        "name=pc1.lan type=TXT text=here",
    ):
        router.ctl(f"/ip/dns/static add {line}")
    wait_until(lambda: dig(pc, "ad7.other.example")[0] == "NXDOMAIN", LONG, router.log)
    assert answered(pc, "pc1.lan")[1] == [(540, "A", "10.0.0.1")]
    assert data(answered(pc, "HOST5.LAN")) == ["10.0.0.1"]
    assert data(answered(pc, "pc1.lan", "TXT")) == ['"here"']
    assert data(answered(pc, "x.corp.example")) == ["10.7.7.7"]
    assert data(answered(pc, "alias3.lan")) == ["long.example.", "198.51.100.81"]
    assert data(answered(pc, "plain.lan")) == ["10.0.0.10"]
    assert data(answered(pc, "www.example")) == ["198.51.100.80"]
    assert data(answered(pc, "www.example", "TXT")) == ['"up"']
    assert dig(pc, "pc1.lan", "AAAA")[0] == "NOERROR"
    # Who may ask is dnsmasq's, and its cache: what was asked is remembered.
    kinds = {(row["name"], row["type"]) for row in router.print("/ip/dns/cache")}
    assert {("www.example", "A"), ("pc1.lan", "TXT")} <= kinds
    assert int(router.row("/ip/dns")["cache-used"]) >= 1
    # Name servers: the first that answers.
    router.ctl("/ip/dns set servers=203.0.113.99,203.0.113.53")
    wait_until(lambda: "name server 203.0.113.99 does not answer" in router.log(), LONG)
    wait_until(lambda: dig(pc, "x.none.example")[0] == "NXDOMAIN", LONG)
    router.ctl("/ip/dns set allow-remote-requests=no")
    wait_until(lambda: dig(pc, "plain.lan")[0] == "TIMEOUT", LONG)


# B-13: a name in an address list stands for its addresses, now and when they change.
def test_a_name_in_an_address_list_is_resolved_and_asked_again(lab):
    router, _, _ = start(lab, remote=False)
    ctl = router.ctl
    rows = "/ip/firewall/address-list"

    def listed(name):
        return {r["address"]: r for r in router.print(rows) if r["list"] == name}

    ctl(f"{rows} add list=web address=WWW.example")
    found = wait_until(lambda: len(now := listed("web")) == 2 and now, LONG, router.log)
    assert found["www.example"].get("dynamic") in (False, "false", None)
    made = found["198.51.100.80"]
    assert made["dynamic"] in (True, "true") and made["comment"] == "www.example"
    assert made["timeout"].startswith(("5m", "4m"))
    assert "address=www.example" in ctl(f"{rows} export").stdout
    assert "198.51.100.80" not in ctl(f"{rows} export").stdout
    assert "TIMEOUT" in ctl(f"{rows} print").stdout

    ctl("/ip/dns/static add name=moves.example address=198.51.100.1 ttl=1s")
    ctl(f"{rows} add list=moving address=moves.example")
    wait_until(lambda: "198.51.100.1" in listed("moving"), LONG, router.log)
    ctl("/ip/dns/static set [find name=moves.example] address=198.51.100.2")
    wait_until(lambda: set(listed("moving")) == {"moves.example", "198.51.100.2"}, LONG, router.log)
    ctl(f"{rows} set [find address=moves.example] disabled=yes")
    wait_until(lambda: set(listed("moving")) == {"moves.example"}, LONG, router.log)
    ctl(f"{rows} remove [find list=web dynamic=no]")
    wait_until(lambda: not listed("web"), LONG, router.log)

    ctl(f"{rows} add list=none address=none.example")
    for wrong in ("a..b", "under/way", "-", "sp ace.example"):
        assert ctl(f'{rows} add list=x address="{wrong}"', check=False).returncode != 0, wrong
    assert "leave timeout out" in ctl(
        f"{rows} add list=x address=www.example timeout=1h", check=False).stderr
    assert set(listed("none")) == {"none.example"}


def test_a_crash_is_mended_and_forwarding_goes_on(lab):
    """The server is killed: it comes back, the log says so, and no packet is lost by it."""
    router, isp, pc = start(lab)
    answered(pc, "www.example")
    first = int((router.state / "dnsmasq.pid").read_text().splitlines()[0])
    os.kill(first, signal.SIGKILL)
    assert pc.ping("203.0.113.53", count=5).ok
    wait_until(lambda: "was ended by signal 9; it is started again" in router.log(), LONG)
    answered(pc, "www.example")
    second = int((router.state / "dnsmasq.pid").read_text().splitlines()[0])
    assert second != first
    # One that hangs is seen, ended and started again.
    os.kill(second, signal.SIGSTOP)
    wait_until(lambda: router.row("/ip/dns")["status"] == "running, but it does not answer", LONG)
    wait_until(lambda: "dnsmasq runs, but does not answer: it is ended" in router.log(), LONG)
    answered(pc, "www.example")
