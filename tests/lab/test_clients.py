"""Clients that know RouterOS, unmodified: librouteros, curl, Ansible, and three of Node.js (D-26, D-31 to D-33).

Each runs as its users run it, in a namespace of its own on the LAN; their programs are in clients/.
"""

import json
import re
import shutil
from pathlib import Path

import npm
import pytest

from lab import Lab
from scenes import IOT, ISP, LAN_ROUTER, PC, WAN, soho
from services import WebServer, curl

CLIENTS = Path(__file__).resolve().parent / "clients"
USER, PASSWORD = "admin", "tall-Order-7"
OLD_USER, OLD_PASSWORD = "legacy", "old-Times-9"


def bare(config):
    """The guide's router before the guide: the LAN works, and there is no IoT network."""
    config["user"] = [
        {"name": USER, "password": PASSWORD},
        {"name": OLD_USER, "group": "full", "old-login": True, "password": OLD_PASSWORD},
    ]
    config["interface"]["macvlan"] = [{"name": "other", "interface": "ether2", "mode": "private"}]
    ip = config["ip"]
    ip["address"] = [row for row in ip["address"] if row["interface"] in ("ether1", "ether2")]
    ip["service"] = [{"name": "www-ssl", "disabled": False}]
    ip.pop("firewall")


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        yield soho(lab, bare)


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory):
    return npm.fetch(tmp_path_factory.mktemp("npm"))


def client(scene, *command, user=USER, password=PASSWORD, **env):
    """What a program in the router's namespace prints."""
    known = {"ROUTER": "127.0.0.1", "USERNAME": user, "PASSWORD": password, **env}
    words = [f"{name}={value}" for name, value in known.items()]
    return scene.router.ns.run("env", *words, *command, timeout=300).stdout


def printed(*arguments, **options):
    """The JSON a program of clients/ prints."""
    return json.loads(client(*arguments, **options))


# The SOHO guide ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["librouteros", "rest"])
def test_the_guides_python_makes_its_network(way):
    """E-4 to E-6: its steps, over the API and over REST, and what the router then does to packets."""
    with Lab() as lab:
        scene = soho(lab, bare)
        assert not scene.iot.ping(ISP, wait=1).ok
        told = printed(scene, "/usr/bin/python3", CLIENTS / f"guide_{way}.py")
        check_told[way](told)
        (iot,) = (r for r in scene.router.print("/interface/macvlan") if r["name"] == "macvlan-iot")
        assert re.fullmatch("([0-9A-F]{2}:){5}[0-9A-F]{2}", iot["mac-address"])  # E-2: not "auto"

        scene.iot.ip("neigh", "flush", "all")
        web = WebServer(scene.isp)
        assert "hello from isp" in curl(scene.iot, f"http://{ISP}/").stdout
        assert web.peers() == {WAN}
        assert scene.iot.ping(PC, count=2, wait=1).received == 0
        assert scene.router.rule("Block IoT to Main LAN") >= 2
        assert scene.iot.ping(LAN_ROUTER, wait=1).received == 0
        assert scene.router.rule("Drop new input from IoT (optional)") >= 1
        assert scene.pc.ping(IOT, count=2).ok  # E-15: the isolation is one-way


def librouteros_told(told):
    for step, rows in {"macvlan": 1, "address": 1, "filter": 5, "nat": 1}.items():
        ids = told[step].get("added", [])
        assert len(ids) == rows and all(re.fullmatch(r"\*[0-9A-F]+", id) for id in ids), told
    assert len(told["dhcp"]["added"]) == 3, told
    assert len(told["underscore"]["added"]) == 1  # E-5


def rest_told(told):
    assert [row.get("error") for row in told["made"]] == [None] * 8, told
    assert all(row[".id"].startswith("*") for row in told["made"])  # D-5: the whole row
    assert told["made"][2]["connection-state"] == "established,related"
    assert told["refused"]["error"] == 400
    assert told["refused"]["detail"].startswith("unknown parameter colour")
    assert re.fullmatch("([0-9A-F]{2}:){5}[0-9A-F]{2}", told["written"]["mac-address"])  # E-5
    assert told["removed"] is None  # D-7: no body
    assert told["again"]["error"] == 404 and told["again"]["message"] == "Not Found"


check_told = {"librouteros": librouteros_told, "rest": rest_told}


# librouteros -------------------------------------------------------------------------------------


def test_librouteros_reads_and_writes_as_it_documents(scene):
    """D-20, D-21, D-26: keys and queries, unset, lists of ids, and errors with their category."""
    said = printed(scene, "/usr/bin/python3", CLIENTS / "use_librouteros.py")
    assert said["identity"] == "soho"
    assert said["version"] >= [7, 15]
    assert said["queried"] == ["ether1", "ether2"]
    assert said["or"] == ["ether1", "other"]
    assert said["comment"] == ["kept", None]
    assert said["left"] == []
    assert said["unknown"].startswith("unknown parameter colour")
    assert said["missing"] == [0, "no such item"]
    assert said["wrong"].startswith("invalid user name or password (6)")
    assert said["absent"].startswith("no such command prefix")
    assert said["old"] == "soho"  # D-19: the challenge, for the user who is allowed it


# Ansible -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ansible(scene, tmp_path_factory):
    if shutil.which("ansible-playbook") is None:
        pytest.skip("ansible is not installed")
    home = tmp_path_factory.mktemp("ansible")

    def play(name):
        """The results of a playbook's tasks by their names."""
        out = client(scene, "ansible-playbook", "-i", "localhost,", "-c", "local",
                     CLIENTS / name, HOME=home, ANSIBLE_STDOUT_CALLBACK="json",
                     ANSIBLE_LOCALHOST_WARNING="False", ANSIBLE_HOME=home,
                     ANSIBLE_PYTHON_INTERPRETER="/usr/bin/python3")
        (done,) = json.loads(out[out.index("{"):])["plays"]
        return {task["task"]["name"]: task["hosts"]["localhost"] for task in done["tasks"]}

    return play


def test_ansible_gathers_facts(ansible):
    """D-32: the facts that api_facts makes of what the menus say; D-14: TLS without a certificate."""
    tasks = ansible("facts.yml")
    assert tasks["encrypted"]["result"][0]["name"] == "soho"
    facts = tasks["facts"]["ansible_facts"]
    assert facts["ansible_net_hostname"] == "soho"
    assert facts["ansible_net_version"].startswith("7.")
    assert facts["ansible_net_arch"]
    assert facts["ansible_net_interfaces"]["ether2"]["type"] == "ether"
    assert "192.168.88.1" in facts["ansible_net_all_ipv4_addresses"]
    assert facts["ansible_net_memtotal_mb"] > facts["ansible_net_memfree_mb"] > 0


def test_ansible_makes_a_site_and_changes_nothing_the_second_time(scene, ansible):
    """D-31: info, modify, find_and_modify and plain commands; defaults are no differences."""
    first = ansible("site.yml")
    assert {name for name, task in first.items() if not task["changed"]} == {"privates", "read"}
    assert [row["name"] for row in first["privates"]["msg"]] == ["other"]
    read = first["read"]["result"]
    assert [row["comment"] for row in read if "comment" in row] == ["replies", "not to the LAN"]
    assert scene.router.row("/interface/macvlan", name="other")["comment"] == "found and changed"
    chains = [row["chain"] for row in scene.router.print("/ip/firewall/filter")]
    assert chains == ["forward", "forward", "input"]
    before = {menu: scene.router.print(menu) for menu in
              ("/ip/firewall/filter", "/ip/firewall/nat", "/ip/route", "/ip/address", "/ip/dns/static",
               "/ip/dhcp-server/network")}
    second = ansible("site.yml")
    assert [name for name, task in second.items() if task["changed"]] == []
    for menu, rows in before.items():  # nothing was made anew either
        assert [r.get(".id") for r in scene.router.print(menu)] == [r.get(".id") for r in rows]


# Node.js -----------------------------------------------------------------------------------------


def node(scene, modules, name, **options):
    return printed(scene, "node", CLIENTS / f"{name}.js", NODE_PATH=modules, **options)


def test_node_routeros(scene, node_modules):
    """Tags on every sentence, commands side by side, a stream ended by /cancel (D-16, D-22)."""
    identity = scene.router.row("/system/identity")["name"]
    said = node(scene, node_modules, "node_routeros")
    assert said["identity"] == said["after"] == [{"name": identity}]
    assert said["none"] == said["removed"] == []
    assert [row["address"] for row in said["found"]] == ["10.77.0.1/24"]
    assert said["unknown"].startswith("unknown parameter nonsense")
    assert "UTF-8" in said["text"]  # broken UTF-8 is refused in words
    assert said["together"] == [[{"name": "ether1"}], [{"name": "ether2"}], [{"ret": "8"}]]
    assert (said["heard"]["name"], said["heard"]["comment"]) == ("ether2", "heard")
    looks = [row for rows in said["looks"] for row in (rows if isinstance(rows, list) else [rows])]
    assert [row["name"] for row in looks[:4]] == ["ether1", "ether2"] * 2  # C-38
    assert all(row["rx-bits-per-second"].isdigit() for row in looks)


def test_routeros_client(scene, node_modules):
    said = node(scene, node_modules, "routeros_client")
    assert said["ethernets"] == ["ether1", "ether2"]
    assert said["added"]["srcAddress"] == said["changed"]["srcAddress"] == "10.0.0.5"
    assert said["changed"]["disabled"] is True
    assert "srcAddress" not in said["unset"]
    assert said["first"] == said["added"]["id"]
    assert said["left"] == []


def test_mikronode_with_the_old_login(scene, node_modules):
    said = node(scene, node_modules, "mikronode", user=OLD_USER, password=OLD_PASSWORD)
    name = scene.router.row("/system/identity")["name"]
    assert said["identity"] == said["after"] == [[{"field": "name", "value": name}]]
    assert "10.78.0.1/24" in json.dumps(said["addresses"])
    assert scene.router.row("/ip/address", address="10.78.0.1/24")["interface"] == "ether1"


# curl --------------------------------------------------------------------------------------------


def rest(scene, method, path, body=None, user=f"{USER}:{PASSWORD}", scheme="https"):
    """(status, body) as curl has them."""
    words = ["-sk", "-u", user, "-X", method, "-w", "\n%{http_code}"]
    if body is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    done = scene.router.ns.run("curl", *words, f"{scheme}://127.0.0.1/rest{path}")
    text, code = done.stdout.rsplit("\n", 1)
    return int(code), json.loads(text) if text else None


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_curl_takes_a_row_through_its_life(scene, scheme):
    """D-2 to D-11 with curl, plain and with the certificate the router made itself."""
    def ask(*words, **more):
        return rest(scene, *words, scheme=scheme, **more)

    code, row = ask("PUT", "/ip/firewall/address-list", {"list": "seen", "address": "10.9.9.9"})
    assert code == 201 and row["address"] == "10.9.9.9"
    at = f"/ip/firewall/address-list/{row['.id']}"
    assert ask("GET", at) == (200, row)
    assert ask("GET", f"/ip/firewall/address-list?.id={row['.id']}&.proplist=list") == (
        200, [{"list": "seen"}])
    code, changed = ask("PATCH", at, {"comment": "by curl", "disabled": True})
    assert code == 200 and (changed["comment"], changed["disabled"]) == ("by curl", "true")
    assert ask("POST", "/ip/firewall/address-list/set", {".id": row[".id"], "!comment": ""}) == (
        200, [])
    assert "comment" not in ask("GET", at)[1]
    assert ask("DELETE", at) == (204, None)
    assert ask("DELETE", at)[0] == 404
    assert ask("GET", "/system/identity", user=f"{USER}:wrong") == (
        401, {"error": 401, "message": "Unauthorized"})


def test_monitor_traffic_over_rest_once(scene):
    """C-38, E-22, D-13: one row an interface; RouterOS's sentence for a name that is none."""
    def ask(body):
        return rest(scene, "POST", "/interface/monitor-traffic", body)

    code, found = ask({"interface": "ether1,other,aggregate", "once": "", "interval": "100ms"})
    assert code == 200 and [row["name"] for row in found] == ["ether1", "other", "aggregate"]
    assert {"rx-packets-per-second", "tx-queue-drops-per-second"} < set(found[0])
    code, refused = ask({"interface": "nowhere", "once": ""})
    assert code == 400
    assert refused["detail"].startswith("input does not match any value of interface")
    assert ask({"once": ""})[1]["detail"].startswith("missing =interface=")
