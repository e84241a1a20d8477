"""Changes of /ip/dns while questions are asked (C5): none is lost."""

import pytest

from lab import Lab, wait_until
from test_dns import LONG, answered, data, dig, start, upstream


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


def test_changes_drop_nothing_that_runs(lab):
    """Name servers, names and domains change while a question is under way: the same process
    answers it, and what is remembered stays where only servers or names changed."""
    router, isp, pc = start(lab)
    isp.address("mlwan", "203.0.113.55/24")
    slow = isp.udp(53, address="203.0.113.55", timeout=LONG)
    upstream(isp, "203.0.113.54", "host-record=a.corp.example,10.7.7.7,60")
    long_name = "a-name-that-is-longer-than-thirty-characters.slow.example"

    def pid():
        return int((router.state / "dnsmasq.pid").read_text().splitlines()[0])

    def remembered():
        return {row["name"]: row["data"] for row in router.print("/ip/dns/cache")
                if row["static"] == "false"}

    first = pid()
    router.ctl("/ip/dns/static add name=slow.example type=FWD forward-to=203.0.113.55 "
               "match-subdomain=yes")
    asked = pc.popen("dig-slow", "dig", "+short", "+tries=1", f"+time={LONG}", "@192.168.88.1",
                     long_name)
    question, asker = slow.recvfrom(512)
    answered(pc, "www.example")
    router.ctl("/ip/dns set servers=203.0.113.54,203.0.113.53")
    router.ctl("/ip/dns/static add name=nas.lan address=192.168.88.5")
    router.ctl("/ip/dns/static add name=gone.lan address=192.168.88.6")
    answered(pc, "gone.lan")
    router.ctl("/ip/dns/static remove 2")
    wait_until(lambda: not dig(pc, "gone.lan")[1], LONG)
    assert data(dig(pc, "nas.lan")) == ["192.168.88.5"]
    assert remembered()["www.example"] == "198.51.100.80"
    # Domains are read anew: that empties the cache, and nothing else.
    router.ctl("/ip/dns/static add name=corp.example type=FWD forward-to=203.0.113.54 "
               "match-subdomain=yes")
    assert data(answered(pc, "a.corp.example")) == ["10.7.7.7"]
    assert "www.example" not in remembered()
    header = question[:2] + bytes.fromhex("8180 0001 0001 0000 0000")
    end = question.index(0, 12) + 5
    slow.sendto(header + question[12:end] + bytes.fromhex("c00c 0001 0001 0000012c 0004 c6336409"),
                asker)
    wait_until(lambda: not asked.alive(), LONG)
    assert asked.out().split() == ["198.51.100.9"]
    assert remembered().get(long_name) == "198.51.100.9", router.print("/ip/dns/cache/all")
    assert pid() == first
    # Without a server the row says so, and names of one's own are answered all the same.
    router.ctl("/ip/dns set servers=\"\"")
    assert router.row("/ip/dns")["status"] == "running, but there is no server to ask"
    wait_until(lambda: dig(pc, "other.example")[0] == "REFUSED", LONG)
    assert data(dig(pc, "nas.lan")) == ["192.168.88.5"]
    # What it takes at its start only needs another one in its place.
    router.ctl("/ip/dns set cache-size=64")
    wait_until(lambda: pid() != first, LONG)
    assert data(answered(pc, "nas.lan")) == ["192.168.88.5"]
