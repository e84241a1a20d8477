"""What tools do at the doors, from their sources: Terraform's steps, exporters, Home Assistant (D-34 to D-40)."""

import json

import pytest

from doors import Http, basic, doors_config, logged_in, rest
from lab import Lab


@pytest.fixture(scope="module")
def router():
    with Lab() as lab:
        yield lab.router(doors_config()).start()


# path, what is created, what is changed of it; a row stays while later ones may refer to it.
RESOURCES = [
    ("/interface/list", {"name": "tf-list", "comment": "one"}, {"comment": "two"}),
    ("/interface/list/member", {"interface": "left", "list": "tf-list", "disabled": "no"}, {"disabled": "yes"}),
    ("/interface/vlan", {"name": "tf-vlan", "interface": "left", "vlan-id": "30", "mtu": "1500", "arp": "enabled",
                         "disabled": "no"}, {"vlan-id": "31", "mtu": "1400"}),
    ("/interface/macvlan", {"name": "tf-macvlan", "interface": "left", "mode": "bridge", "mtu": "1500",
                            "arp": "enabled", "arp-timeout": "auto", "disabled": "no", "comment": "made by tf",
                            "loop-protect": "default", "loop-protect-disable-time": "5m",
                            "loop-protect-send-interval": "5s"}, {"mode": "private", "loop-protect": "on"}),
    ("/interface/pppoe-client", {"name": "tf-pppoe", "interface": "right", "user": "u", "password": "p",
                                 "add-default-route": "no", "disabled": "yes"}, {"user": "v"}),
    ("/ip/address", {"address": "10.77.0.1/24", "interface": "tf-macvlan"}, {"comment": "seen"}),
    ("/ip/pool", {"name": "tf-pool", "ranges": "10.77.0.50-10.77.0.60"}, {"ranges": "10.77.0.50-10.77.0.99"}),
    ("/ip/dhcp-server", {"name": "tf-dhcp", "interface": "tf-macvlan", "address-pool": "tf-pool",
                         "lease-time": "10m", "disabled": "no"}, {"lease-time": "1h"}),
    ("/ip/dhcp-server/network", {"address": "10.77.0.0/24", "gateway": "10.77.0.1", "dns-server": "10.77.0.1"},
     {"domain": "lan"}),
    ("/ip/dhcp-server/lease", {"address": "10.77.0.9", "mac-address": "02:00:00:00:00:09", "server": "tf-dhcp"},
     {"comment": "printer"}),
    ("/ip/dhcp-client", {"interface": "tf-vlan", "add-default-route": "no", "use-peer-dns": "no",
                         "disabled": "yes"}, {"comment": "c"}),
    ("/ip/dns/static", {"name": "nas.lan", "address": "10.77.0.9", "ttl": "1d"}, {"address": "10.77.0.10"}),
    ("/ip/route", {"dst-address": "10.99.0.0/16", "gateway": "10.1.0.10", "distance": "1"}, {"distance": "5"}),
    ("/ip/firewall/address-list", {"list": "tf", "address": "192.0.2.1"}, {"comment": "c"}),
    ("/ip/firewall/filter", {"chain": "forward", "action": "drop", "in-interface": "tf-macvlan",
                             "connection-state": "invalid", "disabled": "no"}, {"log": "yes", "log-prefix": "tf"}),
    ("/ip/firewall/nat", {"chain": "srcnat", "action": "masquerade", "out-interface": "right"},
     {"src-address": "10.77.0.0/24"}),
    ("/system/script", {"name": "tf-script", "source": ":log info hello", "policy": "read,write"},
     {"source": ":log info again"}),
    ("/system/scheduler", {"name": "tf-timer", "on-event": "tf-script", "interval": "1h", "disabled": "yes"},
     {"interval": "2h"}),
    ("/user/group", {"name": "tf-group", "policy": "read,api,rest-api"}, {"comment": "c"}),
    ("/user", {"name": "tf-user", "group": "tf-group", "password": "Long-Enough-1"}, {"comment": "c"}),
]
SETTINGS = [
    ("/system/identity", {"name": "terraformed"}),
    ("/ip/dns", {"allow-remote-requests": "no", "cache-size": "4096", "servers": "192.0.2.53"}),
    ("/ip/firewall/connection/tracking", {"udp-timeout": "30s", "tcp-established-timeout": "1d"}),
    ("/system/clock", {"time-zone-name": "Etc/UTC"}),
]
WORDS = {("/ip/dhcp-client", "add-default-route")}  # "yes" is one of several there
NEVER_SHOWN = {"/user": {"password"}}


def said(path, wrote):
    """Values as they read back: RouterOS's booleans."""
    spelled = {"yes": "true", "no": "false"}
    return {name: value if (path, name) in WORDS else spelled.get(value, value)
            for name, value in wrote.items() if name not in NEVER_SHOWN.get(path, ())}


def same(path, row, wrote):
    """D-35: what was written reads back as it was written, or every plan is a change."""
    read = {name: row.get(name) for name in said(path, wrote)}
    if "policy" in read:  # a group shows what it does not have as well
        read["policy"] = ",".join(one for one in read["policy"].split(",") if not one.startswith("!"))
    assert read == said(path, wrote), path


def test_terraform_makes_reads_changes_and_destroys(router):
    """D-34, D-35: PUT, GET by ?.id and by name, PATCH, DELETE, and settings by POST; D-23: ids; D-33."""
    assert rest(router, "GET", "/system/resource")[1]["version"].startswith("7.")
    made = []
    for path, create, update in RESOURCES:
        status, row = rest(router, "PUT", path, create)
        assert status < 400, (path, row)
        same(path, row, create)
        assert row[".id"].startswith("*") and int(row[".id"][1:], 16) > 0
        made.append((path, row[".id"]))
        status, rows = rest(router, "GET", f"{path}?.id={row['.id']}")
        assert status == 200 and len(rows) == 1
        same(path, rows[0], create)
        if "name" in create:
            status, rows = rest(router, "GET", f"{path}?name={create['name']}")
            assert [one[".id"] for one in rows] == [row[".id"]]
        status, row = rest(router, "PATCH", f"{path}/{row['.id']}", update)
        assert status == 200, (path, row)
        same(path, row, {**create, **update})
    for path, settings in SETTINGS:
        assert rest(router, "POST", f"{path}/set", settings) == (200, []), path
        same(path, rest(router, "GET", path)[1], settings)
    for path, row in reversed(made):
        assert rest(router, "DELETE", f"{path}/{row}")[0] < 400, path
        assert rest(router, "GET", f"{path}?.id={row}") == (200, [])  # D-3


def test_terraform_orders_rules(router):
    """D-11, D-34: /move with numbers and destination."""
    path = "/ip/firewall/filter"
    ids = [rest(router, "PUT", path, {"chain": "forward", "comment": f"tf{i}"})[1][".id"] for i in range(3)]
    assert rest(router, "POST", f"{path}/move", {"numbers": ids[2], "destination": ids[0]}) == (200, [])
    order = [row[".id"] for row in rest(router, "GET", path)[1]]
    assert order == [ids[2], ids[0], ids[1]]
    for row in ids:
        rest(router, "DELETE", f"{path}/{row}")


# What exporters and Home Assistant ask for; each needs rows or a refusal that says that there is no such menu.
ASKED = [
    ("/system/identity/print",), ("/system/resource/print",), ("/system/routerboard/print",),
    ("/system/package/print",), ("/system/health/print",), ("/ip/dhcp-server/lease/print", "=active="),
    ("/ip/firewall/connection/print", "=count-only="), ("/ip/firewall/filter/print", "=stats="),
    ("/ip/firewall/nat/print", "=stats=", "=.proplist=bytes,packets"), ("/ip/firewall/raw/print", "=stats="),
    ("/ip/firewall/mangle/print", "=stats="), ("/interface/print", "=stats=detail"), ("/interface/ethernet/print",),
    ("/interface/ethernet/monitor", "=once=", "=numbers=0"), ("/ip/route/print", "=count-only=", "?bgp"),
    ("/ip/pool/print",), ("/ip/pool/used/print", "?pool=x", "=count-only="), ("/ip/neighbor/print",),
    ("/ipv6/neighbor/print",), ("/ip/dns/print",), ("/tool/netwatch/print",), ("/ip/cloud/print",),
    ("/user/active/print",), ("/queue/simple/print",), ("/queue/tree/print",), ("/certificate/print",),
    ("/container/print",), ("/caps-man/registration-table/print",), ("/interface/wireless/registration-table/print",),
    ("/interface/wifi/registration-table/print",), ("/ip/dhcp-server/lease/print", "?server=x", "=active="),
    ("/ip/dhcp-server/lease/print", "?status=bound", "=count-only="), ("/interface/ethernet/print", "=numbers=*1"),
    ("/ip/firewall/connection/tracking/print", "=.proplist=total-entries,max-entries"),
    ("/interface/bridge/host/print",), ("/interface/bonding/print",), ("/ip/arp/print",), ("/ip/dhcp-client/print",),
    ("/ip/dns/static/print",), ("/ip/hotspot/host/print",), ("/ip/accounting/print",), ("/ip/kid-control/print",),
    ("/ip/kid-control/device/print",), ("/ppp/secret/print",), ("/ppp/active/print",), ("/system/script/print",),
    ("/system/package/update/print",), ("/system/ups/print",), ("/system/gps/print",), ("/user/print",),
    ("/user/group/print",), ("/ipv6/address/print",), ("/log/print",), ("/snmp/print",), ("/system/logging/print",),
]


def test_what_is_polled_has_rows_or_is_no_menu(router):
    """D-36 to D-40: never a hang, an empty !re or another trap."""
    there = 0
    with logged_in(router) as api:
        for words in ASKED:
            replies = api.talk(*words)
            assert replies[-1][0] == "!done", (words, replies)
            for kind, attributes, _ in replies[:-1]:
                if kind == "!trap":
                    assert attributes["category"] == "0" and attributes["message"].startswith(
                        "no such command"), (words, attributes)
                    break
                assert kind == "!re" and attributes, (words, replies)
            else:
                there += 1
    assert there >= 30


def test_traceroute_and_the_tools_that_are_not_there(router):
    """C-35: RouterOS's columns at both doors; D-40: a refusal says what shows the same."""
    columns = {"address", "loss", "sent", "last", "avg", "best", "worst", "std-dev", "status"}
    asked = {"address": "10.1.0.1", "count": "2"}
    status, rows = rest(router, "POST", "/tool/traceroute", asked)
    assert status == 200 and [row[".section"] for row in rows] == ["0", "1"]
    assert all(set(row) == columns | {".section"} for row in rows), rows
    assert (rows[1]["address"], rows[1]["sent"], rows[1]["loss"]) == ("10.1.0.1", "2", "0")
    with logged_in(router) as api:
        (row,) = api.rows("/tool/traceroute", "=address=10.1.0.1", "=count=1")
        assert columns <= set(row) and row["loss"] == "0"
        for tool, words in (("torch", "/ip/firewall/connection/print"), ("sniffer", "log=yes")):
            status, said = rest(router, "POST", f"/tool/{tool}", {"interface": "left"})
            assert status == 400 and words in json.dumps(said), said
            replies = api.talk(f"/tool/{tool}", "=interface=left")
            assert replies[0][0] == "!trap" and words in replies[0][1]["message"], replies


def test_queries_have_no_regular_expressions_and_prefixes_have_their_length(router):
    """D-30: '~' is a letter of a name in a query; a log-prefix has 31 letters at most here too."""
    with logged_in(router) as api:
        assert api.rows("/interface/print", "?name~left") == []
        trap = api.talk("/ip/firewall/filter/add", "=chain=forward", f"=log-prefix={'x' * 32}")[0]
        assert trap[0] == "!trap" and trap[1]["category"] == "1", trap


def test_scripts_through_both_doors(router):
    """D-12: ret is the job; as-string gives the output; a script that fails is an answer all the same."""
    status, done = rest(router, "POST", "/execute", {"script": ":put (2 + 3)", "as-string": ""})
    assert status == 200 and done["ret"].strip() == "5"
    status, done = rest(router, "POST", "/execute", {"script": "/interface/list add name=by-script"})
    assert status == 200 and done["ret"].startswith("*")
    status, done = rest(router, "POST", "/execute", {"script": ":error \"it went wrong\"", "as-string": "yes"})
    assert status == 200 and "it went wrong" in done["ret"]
    with logged_in(router) as api:
        (done,) = api.talk("/execute", "=script=:put [:len \"abc\"]", "=as-string=")
        assert done[0] == "!done" and done[1]["ret"].strip() == "3"
        api.talk("/system/script/add", "=name=adds", "=source=/interface/list add name=by-number")
        assert api.talk("/system/script/run", "=number=adds") == [("!done", {}, None)]
        (row,) = api.rows("/interface/list/print", "?name=by-number")
        api.talk("/interface/list/remove", f"=.id={row['.id']}")
        (row,) = api.rows("/interface/list/print", "?name=by-script")
        api.talk("/interface/list/remove", f"=.id={row['.id']}")


def test_a_thousand_rows_in_one_script_are_one_change(router):
    """Through each door: one script, one apply, one step back."""
    def script(list_name):
        lines = (f"add list={list_name} address=10.{i // 250}.{i % 250}.0/24 comment=\"row number {i}\""
                 for i in range(1000))
        return "/ip/firewall/address-list\n" + "\n".join(lines)

    def rows():
        return len(router.print("/ip/firewall/address-list"))

    before = rows()
    status, done = rest(router, "POST", "/execute", {"script": script("by-rest"), "as-string": ""})
    assert status == 200 and rows() == before + 1000, done
    with logged_in(router) as api:
        (done,) = api.talk("/execute", f"=script={script('by-api')}", "=as-string=")
        assert done[0] == "!done" and rows() == before + 2000, done
    router.ctl("/undo")
    assert rows() == before + 1000
    router.ctl("/undo")
    assert rows() == before


@pytest.mark.parametrize("path, body", [
    ("/interface/monitor-traffic", {"interface": "left", "duration": "1s"}),
    ("/interface/print", {"interval": "500ms", "duration": "1s", ".proplist": "name"}),
])
def test_rows_over_time_have_a_section_each(router, path, body):
    """D-13: and an object names each of its values once."""
    connection = Http(router)
    connection.request("POST", "/rest" + path, json.dumps(body), {"Authorization": basic()})
    reply = connection.getresponse()

    def once(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)

    rows = json.loads(reply.read(), object_pairs_hook=once)
    connection.close()
    assert reply.status == 200 and rows and {row[".section"] for row in rows} >= {"0"}, rows


def test_rest_holds_no_safe_mode(router):
    """C-50: there is no session whose end could undo it, nor others' changes with it."""
    status, said = rest(router, "POST", "/safe-mode/take", {})
    assert status == 400 and "session that stays open" in said["detail"], said
    assert rest(router, "GET", "/safe-mode") == (200, [])
