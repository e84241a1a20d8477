"""maclanectl as a person and a script use it."""

import json
import os

import pytest

from lab import Lab
from scenes import IOT_ROUTER, ISP, PC, soho

MENUS = [
    "/interface", "/interface/ethernet", "/interface/macvlan", "/interface/vlan",
    "/interface/list", "/interface/list/member", "/ip/address", "/ip/route", "/ip/arp",
    "/ip/settings", "/ip/firewall/filter", "/ip/firewall/nat", "/ip/firewall/address-list",
    "/ip/firewall/connection", "/ip/firewall/connection/tracking", "/system/identity",
    "/dataplane", "/dataplane/drops", "/dataplane/workers", "/dataplane/memory",
]


SETTINGS = ["/ip/settings", "/ip/firewall/connection/tracking", "/system/identity", "/dataplane"]


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        made = soho(lab)
        made.pc.ping(ISP)
        yield made


@pytest.mark.parametrize("menu", MENUS)
def test_every_menu_in_both_spellings_and_as_json(scene, menu):
    slashes = scene.router.ctl(f"{menu}/print").stdout
    spaces = scene.router.ctl(*menu.strip("/").split("/"), "print").stdout
    digits = str.maketrans("0123456789", "##########")  # counters go on between the two
    assert slashes.splitlines()[:1] == spaces.splitlines()[:1] or (
        slashes.translate(digits).split()[:3] == spaces.translate(digits).split()[:3]
    )
    rows = json.loads(scene.router.ctl(f"{menu}/print", as_json=True).stdout)
    if menu in SETTINGS:
        rows = [rows]  # one object and no list (D-2)
    assert isinstance(rows, list)
    for row in rows:
        assert all(isinstance(value, str) for value in row.values()), row


def test_macvlan_table_looks_like_the_manuals(scene):
    """E-41: Flags, Columns, then the rows."""
    lines = scene.router.ctl("/interface/macvlan/print").stdout.splitlines()
    assert lines[0].startswith("Flags: ") and "R - RUNNING" in lines[0]
    assert lines[1].startswith("Columns: ") and "MAC-ADDRESS" in lines[1]
    assert lines[2].split()[0] == "#"
    row = next(line for line in lines if "macvlan-iot" in line)
    assert row.split()[:2] == ["0", "R"]
    assert "auto" not in row and "ether2" in row and "bridge" in row


def test_where(scene):
    rows = scene.router.print("/interface/macvlan", "where", "mode=private")
    assert {row["name"] for row in rows} == {"cam1", "cam2"}
    rows = scene.router.print("/ip/address", "where", "interface=macvlan-iot")
    assert [row["address"] for row in rows] == [f"{IOT_ROUTER}/24"]


def test_detail_and_stats(scene):
    detail = scene.router.ctl("/interface/macvlan/print", "detail").stdout
    assert 'name="macvlan-iot"' in detail and "mode=bridge" in detail
    stats = scene.router.ctl("/interface/print", "stats").stdout
    assert "RX-BYTE" in stats
    stats = scene.router.ctl("/ip/firewall/filter/print", "stats").stdout
    assert "PACKETS" in stats


def test_routes_are_flagged(scene):
    default = scene.router.row("/ip/route", **{"dst-address": "0.0.0.0/0"})
    assert default["gateway"] == ISP and default["active"] == "true"
    connected = scene.router.row("/ip/route", **{"dst-address": "192.168.99.0/24"})
    assert connected["connect"] == "true" and connected["dynamic"] == "true"
    assert connected["gateway"] == "macvlan-iot"


def test_neighbours(scene):
    row = scene.router.row("/ip/arp", address=ISP)
    assert row["interface"] == "ether1" and row["complete"] == "true"
    assert row["mac-address"].lower() == scene.isp.mac("mlwan")


def test_workers_show_their_busy_share(scene):
    (worker,) = scene.router.print("/dataplane/workers")
    assert float(worker["busy"].rstrip("%")) <= 100
    assert int(worker["packets"]) > 0 and int(worker["loops"]) >= int(worker["bursts"])


def test_memory_is_accounted_for(scene):
    items = {row["item"]: int(row["bytes"]) for row in scene.router.print("/dataplane/memory")}
    assert items and all(value >= 0 for value in items.values())
    assert any("session" in name for name in items)


def test_mistyped_commands_get_a_sentence(scene):
    done = scene.router.ctl("/interface/macvlam/print", check=False)
    assert done.returncode == 2 and "macvlam" in done.stderr
    done = scene.router.ctl("/interface/macvlan/print", "where", "colour=red", check=False)
    assert done.returncode != 0 and "colour" in done.stderr


def test_no_router_is_said(scene):
    done = scene.router.ns.run(
        scene.router.command()[0].with_name("maclanectl"), "--socket",
        scene.lab.directory / "nobody.sock", "/interface/print", check=False,
    )
    assert done.returncode == 3 and "nobody.sock" in done.stderr


def complaint(done, code):
    """What --json says on stderr of a command that failed: one object, and nothing else anywhere."""
    assert done.returncode == code and done.stdout == "", done.stdout + done.stderr
    said = json.loads(done.stderr)
    assert said["code"] == code
    return said


def test_mistakes_are_json_for_who_asked_for_json(scene):
    def run(*words, **options):
        return scene.router.ctl(*words, check=False, as_json=True, **options)

    wrong = complaint(run("/ip/address/print", "where", "address=foo"), 2)
    assert "is no IPv4 prefix" in wrong["error"] and (wrong["line"], wrong["column"]) == (1, 33)
    refused = complaint(run("/interface/set", "nobody", "mtu=1400"), 1)
    assert "no such item" in refused["error"]
    assert "bad command name nope" in complaint(run("/nope/print"), 2)["error"]
    assert complaint(run("/ip"), 2)["error"] == "A command was expected after /ip."
    assert "--bogus" in complaint(run("--bogus", "/ip/address/print"), 2)["error"]
    assert "none.rsc" in complaint(run("--file", "none.rsc"), 2)["error"]
    assert "none.yaml" in complaint(run("plan", "none.yaml"), 2)["error"]
    script = scene.lab.directory / "half.rsc"
    script.write_text("/ip address\nadd address=10.0.0.x/8 interface=ether1\n")
    wrong = complaint(run("--file", script), 1)
    assert wrong["file"] == str(script) and (wrong["line"], wrong["column"]) == (2, 13)
    program = scene.router.command()[0].with_name("maclanectl")
    gone = scene.router.ns.run(program, "--json", "--socket", scene.lab.directory / "nobody.sock",
                               "/interface/print", check=False)
    assert "nobody.sock" in complaint(gone, 3)["error"]
    config = scene.lab.directory / "warned.yaml"
    config.write_text(scene.router.config_path.read_text().replace("out-interface", "out_interface"))
    warned = run("plan", config)
    assert warned.returncode == 0 and json.loads(warned.stdout) == []
    assert all("out_interface" in json.loads(line)["warning"] for line in warned.stderr.splitlines())
    assert warned.stderr != ""


def test_lines_from_a_pipe(scene):
    done = scene.router.ns.run(
        scene.router.command()[0].with_name("maclanectl"), "--socket", scene.router.socket_path,
        stdin="/interface macvlan print\n/system/identity/print\n",
    )
    assert "macvlan-iot" in done.stdout and "soho" in done.stdout


def test_many_clients_at_once(scene):
    processes = [
        scene.router.ns.popen(
            f"ctl{number}", scene.router.command()[0].with_name("maclanectl"),
            "--socket", scene.router.socket_path, "--json", "/interface/print",
        )
        for number in range(16)
    ]
    for process in processes:
        assert process.wait(30) == 0, process.err()
        assert json.loads(process.out())


def test_ping_asks_through_the_router(scene):
    """C-34: who answers, who is no route, and what the sums are."""
    said = scene.router.ctl("/ping", ISP, "count=2", "interval=100ms").stdout
    assert said.splitlines()[0].split() == ["SEQ", "HOST", "SIZE", "TTL", "TIME", "STATUS"]
    assert "sent=2 received=2 packet-loss=0% min-rtt=" in said
    rows = json.loads(scene.router.ctl("/tool/ping", PC, "count=1", "size=1000", as_json=True).stdout)
    assert [(row["host"], row["size"], row["received"]) for row in rows] == [(PC, "1000", "1")]
    assert ".id" not in rows[0]
    asked = f":put [/ping {ISP} count=2 interval=100ms]; :put ([/ping 192.168.88.77 count=1] = 0)"
    assert scene.router.ctl(asked).stdout.split() == ["2", "true"]
    wrong = scene.router.ctl("/ping", "300.1.1.1", check=False).stderr
    assert wrong.count("300.1.1.1\" is no IPv4 address") == 1 and "resolving" not in wrong
    lost = scene.router.ctl("/ping", "192.168.88.77", "count=1").stdout
    assert "received=0 packet-loss=100%" in lost
    done = scene.router.ctl("/ping", ISP, "src-address=192.0.2.1", check=False)
    assert done.returncode == 1 and "none of the router's addresses" in done.stderr


def test_what_is_in_use_is_not_removed(scene):
    done = scene.router.ctl("/interface/macvlan/remove", "macvlan-iot", check=False)
    assert done.returncode == 1 and "macvlan-iot is in use by /ip/address *" in done.stderr


def test_apply_takes_its_time_before_the_file(scene):
    done = scene.router.ctl("apply", "--confirm", "60s", scene.router.config_path)
    assert "goes back to what it was by itself at " in done.stdout
    scene.router.ctl("confirm")


def test_text_that_is_no_utf_8_changes_nothing(scene):
    """As at the other doors (D-25): refused, and not turned into something else."""
    before = scene.router.row("/system/identity")["name"]
    for wrong in (b"caf\xe9", b"\xff\xfe"):
        done = scene.router.ctl("/system/identity/set", "name=" + os.fsdecode(wrong), check=False)
        assert done.returncode == 2 and "not clean text" in done.stderr, done
    script = scene.lab.directory / "wrong.rsc"
    script.write_bytes(b":put 1\n/system/identity/set name=ca\xc3f\xe9\n")
    done = scene.router.ctl("--file", script, check=False)
    assert done.returncode == 2 and f"{script}:2:29: This is not clean" in done.stderr, done
    assert done.stdout == ""
    done = scene.router.ctl("--file", script, check=False, as_json=True)
    error = json.loads(done.stderr)
    assert (error["code"], error["line"], error["column"]) == (2, 2, 29), error
    assert scene.router.row("/system/identity")["name"] == before


def test_a_verbose_export_of_rules_goes_in_again(scene):
    """C-45: `export verbose` writes defaults too, those of other actions among them."""
    router = scene.router
    rules = [{**row, ".id": ""} for row in router.print("/ip/firewall/filter")]
    router.ctl("/ip/firewall/filter/export verbose file=rules")
    router.ctl("/ip/firewall/filter/remove [find dynamic=no]")
    try:
        router.ctl("/import rules.rsc")
    finally:
        after = [{**row, ".id": ""} for row in router.print("/ip/firewall/filter")]
    counters = ("bytes", "packets")
    assert [{k: v for k, v in row.items() if k not in counters and not (
        k == "reject-with" and row["action"] != "reject")} for row in after] == [
        {k: v for k, v in row.items() if k not in counters} for row in rules]
