"""One tree: the console, REST and the API read the same values in every menu that has rows."""

import json
import re

import pytest

from doors import doors_config, logged_in, rest
from lab import Lab, run
from router import build_dir

# What goes on by itself, or is another one for each who asks.
MOVES = re.compile(r"byte|packet|drop|uptime|cpu|memory|time|rate|load|hdd|cycles|calls|expires|"
                   r"age|last-logged|ticks|loops|bursts|^sessions$|count|seen|started|used|when|via|address$|hits|idle|busy")
OTHERS_EACH_TIME = {"/log", "/user/active", "/dataplane/loop-times", "/dataplane/stages",
                    "/ip/firewall/connection", "/system/script/job", "/dataplane/drops",
                    "/ip/dns/cache", "/ip/dns/cache/all"}


def menus():
    """Those of the reference page, which is made from the schema."""
    page = run(build_dir() / "maclane", "--reference").stdout
    return [m for m in re.findall(r"^## (/\S+)$", page, re.MULTILINE)
            if m not in OTHERS_EACH_TIME]


@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        config = doors_config()
        config["interface"]["macvlan"] = [
            {"name": "m1", "interface": "left", "comment": 'a "b" \\ ü'},
            {"name": "m2", "interface": "right", "mode": "private", "disabled": "yes"}]
        config["ip"]["firewall"] = {
            "filter": [{"chain": "forward", "action": "drop", "src-address": "!10.9.0.0/16",
                        "protocol": "tcp", "dst-port": "1-5,99", "log": "yes"}],
            "address-list": [{"list": "l", "address": "10.0.0.0/8"}]}
        config["ip"]["route"] = [{"dst-address": "10.8.0.0/16", "gateway": "10.1.0.10"}]
        config["ip"]["pool"] = [{"name": "p", "ranges": "10.1.0.100-10.1.0.200"}]
        config["ip"]["dhcp-server"] = [{"name": "d", "interface": "left", "address-pool": "p"}]
        config["ip"]["dns"] = {"servers": "192.0.2.1,192.0.2.2"}
        config["ip"]["dns/static"] = [{"name": "a.example", "address": "192.0.2.7"}]
        config["system"] = {"scheduler": [{"name": "s", "interval": "1w", "on-event": ":put 1"}],
                            "script": [{"name": "x", "source": ":put \"a\nb\""}]}
        yield lab.router(config).start()


def still(menu, row):
    """Without what moves; an address of a configured row does not."""
    kept = {"address"} if menu in ("/ip/address", "/ip/arp", "/ip/firewall/address-list") else set()
    return {key: value for key, value in row.items() if key in kept or not MOVES.search(key)}


def by_console(router, menu):
    done = router.ctl(f"{menu}/print", check=False, as_json=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


@pytest.mark.parametrize("menu", menus())
def test_the_same_rows(router, menu):
    printed = by_console(router, menu)
    status, answer = rest(router, "GET", menu)[:2]
    if printed is None:  # a menu of commands alone
        assert status in (400, 404), answer
        return
    assert status == 200, answer
    with logged_in(router) as api:
        replied = api.rows(f"{menu}/print")
    as_rows = [rows if isinstance(rows, list) else [rows] for rows in (printed, answer)]
    console, over_rest = ([still(menu, row) for row in rows] for rows in as_rows)
    assert over_rest == [still(menu, row) for row in replied]
    assert console == over_rest
