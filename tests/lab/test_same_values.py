"""One tree: the console, REST and the API read the same values in every menu that has rows."""

import json
import re

import pytest

from doors import logged_in, rest
from every_property import every_property, unmet
from lab import Lab, run
from router import build_dir

# What goes on by itself, or is another one for each who asks, of what is shown and never set.
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
        made = lab.router(every_property(lab)).start()
        made.ctl("/certificate/add name=web common-name=web.example; /certificate/sign web; "
                 "/ip/service/set www-ssl certificate=web")
        yield made


def settable(router, menu):
    """The properties that somebody sets: they stand still."""
    rows = json.loads(router.ctl(f"{menu}/schema", as_json=True).stdout)
    return {row["name"] for row in rows if not re.search("read-only|not-yet", row.get("flags", ""))}


def still(row, kept):
    """Without what moves."""
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
    kept = settable(router, menu)
    console, over_rest = ([still(row, kept) for row in rows] for rows in as_rows)
    assert over_rest == [still(row, kept) for row in replied]
    assert console == over_rest


@pytest.mark.parametrize("menu", menus())
def test_every_property_is_among_them(router, menu):
    if by_console(router, menu) is not None:
        assert unmet(router, menu) == []


def test_yaml_goes_out_and_in(router):
    """All of it, of a router that has everything: nothing would change, and nothing does."""
    file = router.lab.directory / "out.yaml"
    before = router.ctl("export", "--yaml").stdout
    file.write_text(before)
    assert router.ctl("plan", file).stdout == "nothing would change\n"
    router.ctl("apply", file)
    assert router.ctl("export", "--yaml").stdout == before


def in_effect(router):
    """Every value, a default or not, without the date."""
    return router.ctl("/export verbose terse show-sensitive").stdout.splitlines()[1:]


@pytest.mark.parametrize("how", ["compact", "verbose", "terse"])
def test_an_export_makes_the_router_again(router, how):
    before = in_effect(router)
    router.ctl(f"/export file={how} show-sensitive {'' if how == 'compact' else how}".strip())
    router.ctl(f"/system/reset-configuration no-defaults=yes run-after-reset={how}.rsc")
    assert in_effect(router) == before
