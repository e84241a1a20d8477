"""The API and REST of a running router: who comes in, what is answered, what changes live (D-1 to D-40)."""

import hashlib
import re

import pytest

from doors import ADDRESS, PASSWORD, USER, Api, Http, doors_config, logged_in, rest
from lab import Lab, wait_until


@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        config = doors_config(www_ssl={"disabled": "no"})
        config["user"] += [
            {"name": "nobody", "group": "full"},
            {"name": "old", "group": "full", "password": "Seven-Locks-2", "old-login": "yes"},
            {"name": "reader", "group": "read", "password": "Only-Looking-3"},
        ]
        yield lab.router(config).start()


def test_plain_login_and_rows_of_a_menu(router):
    """D-16, D-17, D-19: untagged in, untagged out; two '=' in every attribute."""
    with logged_in(router) as api:
        rows = api.rows("/interface/print", "=.proplist=name,type,running")
        assert {"left", "right"} <= {row["name"] for row in rows}
        assert all(set(row) <= {"name", "type", "running"} for row in rows)
        replies = api.talk("/ip/address/print", ".tag=a=b c")
        assert all(tag == "a=b c" for _, _, tag in replies)


def test_a_wrong_password_is_a_trap_and_a_line_of_the_log(router):
    with Api(router) as api:
        trap, done = api.login(password="wrong")
        assert trap[0] == "!trap" and done[0] == "!done"
        assert trap[1]["message"].startswith("invalid user name or password (6)")
        assert set(trap[1]) == {"category", "message"}  # D-26
        (fatal,) = api.talk("/interface/print")
        assert fatal[0] == "!fatal"
    wait_until(lambda: "login failure for user admin from 127.0.0.1 via api" in router.log())


def test_nobody_comes_in_without_a_password(router):
    """C-48: neither over the API nor over REST."""
    with Api(router) as api:
        assert api.login("nobody", "")[0][0] == "!trap"
    assert rest(router, "GET", "/system/identity", user="nobody", password="")[0] == 401
    assert rest(router, "GET", "/system/identity", user="", password="")[0] == 401


def test_the_login_from_before_6_43(router):
    """D-19: challenge, and the sum over it, for those who keep it."""
    with Api(router) as api:
        ((_, challenge, _),) = api.talk("/login")
        digest = hashlib.md5(b"\0" + b"Seven-Locks-2" + bytes.fromhex(challenge["ret"])).hexdigest()
        assert api.talk("/login", "=name=old", f"=response=00{digest}") == [("!done", {}, None)]
        assert api.rows("/system/identity/print")


def test_queries_and_what_is_not_there(router):
    """D-21, D-25, D-40."""
    with logged_in(router) as api:
        rows = api.rows("/interface/print", "?name=left", "?name=right", "?#|", "=.proplist=name")
        assert [row["name"] for row in rows] == ["left", "right"]
        (done,) = api.talk("/interface/print", "?type=ether", "=count-only=")
        assert done[1]["ret"] == "2"
        for menu in ("/queue/simple", "/caps-man/registration-table", "/nonsense"):
            trap = api.talk(f"{menu}/print")[0]
            assert trap[1]["category"] == "0"
            assert trap[1]["message"].startswith("no such command"), trap
        trap = api.talk("/ip/address/add", "=colour=red")[0]
        assert trap[1]["message"].startswith("unknown parameter colour"), trap


def test_listen_and_cancel(router):
    """D-22: a client hears what another one does, until it cancels."""
    with logged_in(router) as ears, logged_in(router) as hands:
        ears.send("/interface/list/listen", ".tag=ears")
        ears.send("/system/identity/print", ".tag=there")  # the listening has begun when this is answered
        while ears.read() != ("!done", {}, "there"):
            pass
        ((_, ret, _),) = hands.talk("/interface/list/add", "=name=heard")
        kind, row, tag = ears.read()
        assert (kind, row["name"], tag) == ("!re", "heard", "ears")
        hands.talk("/interface/list/remove", f"=.id={ret['ret']}")
        kind, row, tag = ears.read()
        assert (row[".dead"], row[".id"]) == ("yes", ret["ret"]) or row[".dead"] == "true"
        ears.send("/cancel", "=tag=ears", ".tag=stop")
        replies = [ears.read() for _ in range(3)]
        assert ("!done", {}, "stop") in replies and ("!done", {}, "ears") in replies
        (trap,) = (r for r in replies if r[0] == "!trap")
        assert trap[1] == {"category": "2", "message": "interrupted"} and trap[2] == "ears"


def test_tls_without_and_with_a_certificate(router):
    """D-14, /certificate: anonymous DH first; a certificate made by API, in effect at once."""
    with logged_in(router, port=8729, tls="anonymous") as api:
        assert api.rows("/system/identity/print")
        assert api.talk("/certificate/add", "=name=door", "=common-name=router.test")[-1][0] == "!done"
        assert not any(r[0] == "!trap" for r in api.talk("/certificate/sign", "=numbers=door"))
        assert api.talk("/ip/service/set", "=.id=api-ssl", "=certificate=door")[0] == ("!done", {}, None)
        with logged_in(router, port=8729, tls=True) as sure:
            assert sure.rows("/certificate/print", "?name=door", "=.proplist=name,common-name") == [
                {"name": "door", "common-name": "router.test"}
            ]
        api.talk("/ip/service/set", "=.id=api-ssl", "=certificate=none")


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_rest_creates_changes_and_removes(router, tls):
    """D-1, D-2, D-5 to D-10, over HTTP and over HTTPS with the router's own certificate."""
    port = 443 if tls else 80

    def ask(*words, **more):
        return rest(router, *words, port=port, tls=tls, **more)

    assert ask("GET", "/system/identity") == (200, {"name": router.print("/system/identity")[0]["name"]})
    status, row = ask("PUT", "/ip/address", {"address": "10.77.0.1/24", "interface": "left"})
    assert status == 201 and row["address"] == "10.77.0.1/24" and re.fullmatch(r"\*[0-9A-F]+", row[".id"])
    path = f"/ip/address/{row['.id']}"
    assert ask("PATCH", path, {"comment": "seen", "disabled": True})[1]["disabled"] == "true"
    status, rows = ask("GET", "/ip/address?comment=seen&.proplist=address")
    assert (status, rows) == (200, [{"address": "10.77.0.1/24"}])
    assert ask("POST", "/ip/address/print", {".query": ["comment=seen"], ".proplist": ["comment"]})[1] == [
        {"comment": "seen"}
    ]
    assert ask("DELETE", path) == (204, None)
    status, error = ask("DELETE", path)
    assert (status, error["error"], error["message"]) == (404, 404, "Not Found")
    assert ask("GET", "/ip/address?.id=*FFFF") == (200, [])  # D-3
    assert ask("GET", "/queue/simple")[0] in (400, 404)  # D-40
    status, error = ask("DELETE", "/ip/service/www")
    assert (status, error["message"]) == (406, "Not Acceptable")
    assert error["detail"] == "no such command or directory (remove)"
    status, error = ask("PUT", "/ip/address", {"address": "10.77.0.1/24", "interface": "left", "colour": "red"})
    assert (status, error["message"]) == (400, "Bad Request")
    assert error["detail"].startswith("unknown parameter colour")
    status, error = ask("PUT", "/interface/macvlan", {"name": "m"})
    assert status == 400 and error["detail"].startswith("missing =interface="), error
    status, rows = ask("POST", "/interface/ethernet/monitor", {"numbers": "left,1", "once": ""})
    assert (status, rows) == (200, [{"name": "left", "status": "link-ok"},  # D-36, D-37
                                    {"name": "right", "status": "link-ok"}])


def test_policies_hold_at_both_doors(router):
    """C-48, D-25: a reader reads."""
    with Api(router) as api:
        api.login("reader", "Only-Looking-3")
        assert api.rows("/interface/print")
        trap = api.talk("/interface/list/add", "=name=mine")[0]
        assert trap[0] == "!trap" and "not enough permissions" in trap[1]["message"]
        for words in (("/export", "=file=read"), ("/execute", "=script=/ip/address/print file=read")):
            answers = api.talk(*words)
            assert any("needs the policy write" in str(one) for one in answers), answers
    assert not [row for row in router.print("/file") if row["name"].startswith("read")]
    as_reader = {"user": "reader", "password": "Only-Looking-3"}
    assert rest(router, "GET", "/interface", **as_reader)[0] == 200
    assert rest(router, "PUT", "/interface/list", {"name": "mine"}, **as_reader)[0] in (401, 403)
    assert not [row for row in router.print("/interface/list") if row["name"] == "mine"]


def test_the_last_who_may_change_users_stays(router):
    """Nobody locks everybody out by a slip."""
    with logged_in(router) as api:
        for name in ("nobody", "old"):
            api.talk("/user/disable", f"=.id={name}")
        for words in (("remove",), ("disable",), ("set", "=group=read")):
            trap = api.talk(f"/user/{words[0]}", "=.id=admin", *words[1:])[0]
            assert trap[0] == "!trap" and "no enabled user" in trap[1]["message"], trap
        assert api.talk("/user/enable", "=.id=old")[-1] == ("!done", {}, None)
        assert api.talk("/user/disable", "=.id=nobody")[-1] == ("!done", {}, None)
        api.talk("/user/enable", "=.id=nobody")


def test_when_somebody_logged_in_last_outlives_a_restart():
    """C-48."""
    def last(router):
        return router.row("/user", name=USER).get("last-logged-in", "")

    with Lab() as lab:
        router = lab.router(doors_config()).start()
        assert last(router) == ""
        with logged_in(router):
            before = wait_until(lambda: last(router))
        router.stop()
        router.start()
        assert last(router) == before


def test_who_is_in_and_who_did_what(router):
    """C-43, C-48: /user/active, and the log names user, address and door."""
    with logged_in(router) as api:
        active = api.rows("/user/active/print", "?via=api")
        assert any(row["name"] == USER and row["address"] == "127.0.0.1" for row in active)
        consoles = [row for row in router.print("/user/active") if row["via"] == "console"]
        assert [(row["name"], row["group"]) for row in consoles] == [("admin", "full")]
        api.talk("/interface/list/add", "=name=noted", "=comment=n")
        api.talk("/interface/list/remove", "=numbers=noted")
        lines = [row["message"] for row in api.rows("/log/print", "=.proplist=message")]
    assert any(re.match(r"user admin logged in from 127\.0\.0\.1 via api", line) for line in lines)
    assert any("added by" in line and "admin" in line and "127.0.0.1" in line for line in lines), lines
    wait_until(lambda: "user admin logged out from 127.0.0.1 via api" in router.log())
    for line in lines:
        assert PASSWORD not in line


def test_services_move_and_close_live(router):
    """C-47: a port is moved, closed and opened again while others go on."""
    def answer(port):
        try:
            return rest(router, "GET", "/system/identity", port=port)[0]
        except ConnectionRefusedError:
            return "refused"
        except (ConnectionError, EOFError):
            return "closed"

    with logged_in(router) as api:
        api.talk("/ip/service/set", "=.id=www", "=port=8080")
        assert (answer(8080), answer(80)) == (200, "refused")  # before the client hears "!done"
        api.talk("/ip/service/disable", "=.id=www")
        assert answer(8080) == "refused"
        api.talk("/ip/service/set", "=.id=www", "=port=80", "=disabled=no", "=address=10.9.9.0/24")
        assert answer(80) == "closed"
        api.talk("/ip/service/set", "=.id=www", "=address=")
        assert answer(80) == 200
        # Who closes his own door still has the answer.
        assert rest(router, "PATCH", "/ip/service/www", {"disabled": "yes"})[0] == 200
        assert answer(80) == "refused"
        api.talk("/ip/service/enable", "=.id=www")
        assert answer(80) == 200


def test_doors_stand_in_the_programs_namespace_and_devices_where_the_router_is():
    """An interface that a client adds has its device where those of the configuration are."""
    with Lab() as lab:
        config = doors_config()
        programs = lab.namespace("programs")
        config["dataplane"]["host-plane"] = programs.name
        router = lab.router(config).start()
        router.ctl("/ip/service/set", "www", "port=8080")
        body = {"name": "late", "device": "net_tap7,iface=mllate"}
        connection = Http(router, port=8080)
        connection.sock = programs.connect(ADDRESS, 8080, timeout=60)
        code, row = rest(router, "PUT", "/interface/ethernet", body, connection=connection)
        assert (code, row["name"]) == (201, "late")
        assert router.ns.ip("link", "show", "mllate").returncode == 0


def test_backup_with_a_password(router):
    """C-44: encrypted, listed by /file, and loaded only with its password."""
    with logged_in(router) as api:
        api.talk("/interface/list/add", "=name=kept")
        assert api.talk("/system/backup/save", "=name=night", "=password=Sesame-9")[-1][0] == "!done"
        assert api.talk("/system/backup/save", "=name=plain", "=dont-encrypt=yes")[-1][0] == "!done"
        assert all("contents" not in row for row in api.rows("/file/print", "?type=backup"))
        (file,) = api.rows("/file/print", "?name=night.backup")
        assert file["type"] == "backup" and int(file["size"]) > 0
        bytes_ = (router.state / "files" / "night.backup").read_bytes()
        assert b"kept" not in bytes_ and b"interface" not in bytes_
        api.talk("/interface/list/remove", "=numbers=kept")
        assert api.talk("/system/backup/load", "=name=night.backup", "=password=no")[0][0] == "!trap"
        assert not api.rows("/interface/list/print", "?name=kept")
        line = "/system/backup/load name=night.backup password=no"
        said = router.ctl(line, check=False).stderr
        assert said.startswith("password:") and "\n" + " " * (line.rindex("no") + 2) + "^" in said, said
        replies = api.talk("/system/backup/load", "=name=night.backup", "=password=Sesame-9")
        assert not any(r[0] == "!trap" for r in replies), replies
        assert api.rows("/interface/list/print", "?name=kept")
        api.talk("/interface/list/remove", "=numbers=kept")


POLLED = [
    "/system/resource", "/system/identity", "/system/clock", "/system/package", "/system/routerboard",
    "/system/health", "/system/license", "/log", "/ip/neighbor", "/ip/service", "/user", "/user/group",
    "/user/active", "/interface", "/interface/ethernet", "/ip/address", "/ip/route", "/ip/arp",
    "/ip/firewall/filter", "/ip/firewall/nat", "/ip/firewall/connection", "/certificate", "/file",
]


@pytest.mark.parametrize("menu", POLLED)
def test_polled_menus_read_the_same_through_every_door(router, menu):
    """C-51, D-32, D-36: console, API and REST show the same names and, where they stand still, values."""
    moving = {"uptime", "cpu-load", "free-memory", "free-hdd-space", "time", "last-seen", "timeout", "sessions"}
    with logged_in(router) as api:
        by_api = api.rows(f"{menu}/print")
    status, by_rest = rest(router, "GET", menu)
    assert status == 200
    by_rest = by_rest if isinstance(by_rest, list) else [by_rest]
    if menu in ("/log", "/user/active"):
        assert by_api and by_rest  # each login adds to them
        return
    settled = [[{k: v for k, v in row.items() if k not in moving and "byte" not in k and "packet" not in k}
                for row in rows] for rows in (by_api, by_rest)]
    assert settled[0] == settled[1]


def test_the_version_is_one_that_clients_compare(router):
    """C-49, D-31: begins with 7.15 or later, and says Maclane."""
    _, resource = rest(router, "GET", "/system/resource")
    major, minor = resource["version"].split(" ")[0].split(".")[:2]
    assert (int(major), int(minor)) >= (7, 15) and "Maclane" in resource["version"]
