"""What doors changed outlives the process: restarts, kills, a changed file, plan and apply."""

import json
import os
import signal

import pytest
import yaml

from lab import Lab, dataplane, wait_until

BASE = {
    "dataplane": dataplane(),
    "interface": {
        "ethernet": [{"name": "ether1", "device": "net_null0"}],
        "macvlan": [{"name": "m1", "interface": "ether1"}],
    },
    "ip": {"address": [{"address": "192.0.2.1/24", "interface": "m1"}]},
}


@pytest.fixture
def router():
    with Lab() as lab:
        yield lab.router(BASE).start()


def ids(router, menu):
    return [row[".id"] for row in router.print(menu)]


def changed(**more):
    return {**BASE, **more}


def test_changes_and_identifiers_outlive_a_restart(router):
    router.ctl("/ip/address/add", "address=198.51.100.1/24", "interface=m1", "comment=door")
    router.ctl("/ip/address/add", "address=203.0.113.1/24", "interface=m1")
    router.ctl("/ip/address/remove", "*2")
    before, mac = router.print("/ip/address"), router.mac("m1")
    router.stop()
    router.start()
    assert router.print("/ip/address") == before
    assert router.mac("m1") == mac
    router.ctl("/ip/address/add", "address=198.51.100.9/24", "interface=m1")
    assert ids(router, "/ip/address") == ["*1", "*3", "*4"]
    assert yaml.safe_load(router.config_path.read_text()) == BASE, "the file is only read"


def test_identifiers_of_interfaces_are_one_rows_everywhere_and_stay(router):
    """D-23: a row of /interface is the same after a restart, and what find gives there names it in its own menu."""
    ctl = router.ctl

    def known():
        return {row["name"]: row[".id"] for row in router.print("/interface")}

    for name, tag in (("va", 77), ("vb", 78)):
        ctl("/interface/vlan/add", f"name={name}", f"vlan-id={tag}", "interface=ether1")
    ctl("/interface/vlan/remove", "va")
    before = known()
    router.stop()
    router.start()
    assert known() == before
    ctl("/interface/vlan set [/interface find name=vb] comment=mine")
    ctl("/interface set [find name=m1] comment=theirs")
    assert {row["name"]: row.get("comment") for row in router.print("/interface")} == {
        "ether1": None, "vb": "mine", "m1": "theirs"}
    wrong = ctl("/interface/vlan set [/interface find name=ether1] comment=no", check=False)
    assert wrong.returncode == 1 and "no such item" in wrong.stderr
    ctl("/ip/firewall/filter add chain=input in-interface=[/interface find name=vb]")
    ctl("/interface/list add name=some; /interface/list/member add list=[/interface/list find name=some] "
        "interface=[/interface find name=m1]")
    assert router.row("/ip/firewall/filter", in_interface="vb")["chain"] == "input"
    assert router.row("/interface/list/member", list="some")["interface"] == "m1"


def test_a_kill_leaves_what_was_answered(router):
    for number in range(3):
        router.ctl("/interface/list/add", f"name=l{number}")
        os.kill(router.process.pid, signal.SIGKILL)
        router.process.popen.wait()
        router.start()
        assert [row["name"] for row in router.print("/interface/list")] == [
            f"l{n}" for n in range(number + 1)]


def test_a_changed_file_goes_under_what_doors_changed(router):
    router.ctl("/interface/macvlan/set", "m1", "comment=door")
    router.stop()
    router.write(changed(system={"identity": {"name": "edge"}},
                         interface={**BASE["interface"], "list": [{"name": "lan"}]}))
    router.start()
    assert router.row("/interface/macvlan")["comment"] == "door"
    assert router.row("/system/identity")["name"] == "edge"
    assert router.row("/interface/list")["name"] == "lan"
    assert "comment=door" in router.ctl("changes").stdout
    router.reload(BASE)
    assert router.print("/interface/list") == []
    assert router.row("/interface/macvlan")["comment"] == "door"
    router.ctl("/system/reset-configuration")
    assert "comment" not in router.row("/interface/macvlan")
    assert "nothing was changed" in router.ctl("changes").stdout


def test_a_wrong_file_does_not_keep_the_router_down(router):
    router.ctl("/interface/list/add", "name=kept")
    router.stop()
    router.write("interface:\n  macvlon: []\n")
    router.start()
    assert router.row("/interface/list")["name"] == "kept"
    assert "macvlon" in router.log() and "is refused" in router.log()


def test_plan_apply_and_going_back(router):
    file = router.lab.directory / "next.yaml"
    file.write_text(yaml.dump(changed(ip={"address": [
        {"address": "192.0.2.77/24", "interface": "m1", "comment": "with \"quotes\" and $x"}]})))
    plan = router.ctl("plan", file).stdout
    assert "- /ip/address remove *1 (address=192.0.2.1/24" in plan
    assert "+ /ip/address add address=192.0.2.77/24" in plan
    assert router.row("/ip/address")["address"] == "192.0.2.1/24"

    assert router.ctl("apply", file, "confirm", "60s").stdout.startswith(plan.strip())
    assert router.row("/ip/address")["address"] == "192.0.2.77/24"
    os.kill(router.process.pid, signal.SIGKILL)
    router.process.popen.wait()
    router.start()
    assert "was not confirmed" in router.log()
    assert router.row("/ip/address")["address"] == "192.0.2.1/24"

    router.ctl("apply", file, "confirm=1s")
    wait_until(lambda: router.row("/ip/address")["address"] == "192.0.2.1/24", 30,
               "the router to go back")
    router.ctl("apply", file, "confirm", "60s")
    router.ctl("confirm")
    router.stop()
    router.start()
    assert router.row("/ip/address")["address"] == "192.0.2.77/24"

    file.write_text("interface: {macvlon: []}\n")
    refused = router.ctl("plan", file, check=False)
    assert refused.returncode != 0
    assert "next.yaml:1:" in refused.stdout + refused.stderr
    assert "content=" not in refused.stdout + refused.stderr
    gone = router.ctl("plan", file.with_name("none.yaml"), check=False)
    assert gone.returncode == 2 and "cannot read" in gone.stderr


def test_a_default_that_is_written_is_no_change(router):
    """Rows keep their ids, and with them their counters."""
    router.ctl("/ip/firewall/filter/add", "chain=forward", "protocol=tcp")
    router.ctl("/ip/firewall/filter/add", "chain=forward", "protocol=udp", "action=accept")
    before = [row[".id"] for row in router.print("/ip/firewall/filter")]
    file = router.lab.directory / "next.yaml"
    written = changed(
        ip={**BASE["ip"], "settings": {"send-redirects": True}, "firewall": {"filter": [
            {"chain": "forward", "protocol": "tcp", "action": "accept"},
            {"chain": "forward", "protocol": "udp"}]}},
        interface={**BASE["interface"],
                   "macvlan": [{**one, "mode": "bridge"} for one in BASE["interface"]["macvlan"]]})
    file.write_text(yaml.dump(written))
    assert router.ctl("plan", file).stdout == "nothing would change\n"
    written["ip"]["firewall"]["filter"][1]["comment"] = "more"
    file.write_text(yaml.dump(written))
    router.ctl("apply", file)
    assert router.print("/ip/firewall/filter")[0][".id"] == before[0]


def test_changes_and_exports_are_lists_for_programs(router):
    def said(*words):
        return json.loads(router.ctl(*words, as_json=True).stdout)

    assert said("changes") == []
    router.ctl("/ip/address/set", "*1", "address=192.0.2.9/24", "comment=door")
    router.ctl("/interface/list/add", "name=lan")
    changed_address = {
        "menu": "/ip/address", "action": "set", "id": "*1",
        "properties": {"address": "192.0.2.9/24", "comment": "door"},
        "was": {"address": "192.0.2.1/24", "comment": None}}
    assert said("changes") == [
        {"menu": "/interface/list", "action": "add", "id": "*1", "name": "lan",
         "properties": {"name": "lan"}}, changed_address]
    file = router.lab.directory / "next.yaml"
    file.write_text(yaml.dump(BASE))
    undone = said("plan", file)
    assert {"menu": "/interface/list", "action": "remove", "id": "*1", "name": "lan",
            "properties": {"name": "lan"}} in undone
    assert [one["action"] for one in undone if one["menu"] == "/ip/address"] == ["remove", "add"]
    router.ctl("/ip/service/set api disabled=yes")
    exported = said("export")
    assert {"menu": "/ip/address", "action": "add", "id": "*1", "properties": {
        "address": "192.0.2.9/24", "interface": "m1", "comment": "door"}} in exported
    (api,) = (one for one in exported if one["menu"] == "/ip/service")
    assert (api["action"], api["name"], api["properties"]) == ("set", "api", {"disabled": "true"})
    assert said("/ip/address/export") == [one for one in exported if one["menu"] == "/ip/address"]


def test_a_backup_of_what_is_there_changes_nothing(router):
    """Keys are sealed, with other bytes each time: no certificate has changed for that."""
    router.ctl("/certificate/add name=c key-size=2048")
    router.ctl("/certificate/sign c")
    assert router.row("/certificate")["key-size"] == "2048"
    router.ctl("/system/backup/save", "name=same")
    history = router.print("/system/history")
    router.ctl("/system/backup/load", "name=same")
    assert router.print("/system/history") == history


def test_undo_redo_and_the_history(router):
    router.ctl("/interface/list/add", "name=one")
    router.ctl("undo")
    assert router.print("/interface/list") == []
    router.ctl("redo")
    assert router.row("/interface/list")["name"] == "one"
    assert router.row("/system/history")["action"] == "list added"
    assert "list added by console:" in router.log()


def exported(router):
    return router.ctl("export").stdout.splitlines()[1:]  # below the time


def test_an_export_run_after_a_reset_gives_the_same(router):
    for line in ("/interface ethernet set ether1 name=wan comment=\"the \\\"uplink\\\"\"",
                 "/interface macvlan add name=m2 interface=wan mode=private mtu=1400",
                 "/interface vlan add name=v30 interface=wan vlan-id=30",
                 "/interface list add name=lan",
                 "/interface list member add list=lan interface=m2",
                 "/ip address add address=198.51.100.1/24 interface=m2",
                 "/ip pool add name=p ranges=198.51.100.10-198.51.100.20",
                 "/ip dhcp-server add name=d interface=m2 address-pool=p",
                 "/ip firewall filter add chain=own action=drop",
                 "/ip firewall filter add chain=forward in-interface=m2 action=jump "
                 "jump-target=own place-before=0",
                 "/ip firewall nat add chain=srcnat action=masquerade out-interface=wan",
                 "/routing table add name=other fib",
                 "/ip service set api disabled=yes",
                 "/user add name=op group=full password=Sesame-9 old-login=yes",
                 "/system identity set name=edge"):
        router.ctl(line)
    before = exported(router)
    router.ctl("export", "file=x")
    missing = router.ctl("/system/reset-configuration", "run-after-reset=none", check=False)
    assert "nothing was reset" in missing.stderr and exported(router) == before
    router.ctl('/file/add name=bad.rsc contents="/interface list add name=new\\n:put (1"')
    wrong = router.ctl("/system/reset-configuration", "run-after-reset=bad.rsc", check=False)
    assert "nothing was reset: run-after-reset=bad.rsc: " in wrong.stderr
    assert exported(router) == before
    router.ctl("/system/reset-configuration no-defaults=yes keep-users=yes")
    bare = exported(router)
    assert not any(word in line for line in bare for word in ("m1", "=wan", "198.51", "=lan", "=edge"))
    assert "ether1" in " ".join(bare)
    assert sorted(row["name"] for row in router.print("/user")) == ["admin", "op"]
    router.ctl("/system/reset-configuration no-defaults=yes run-after-reset=x.rsc")
    assert exported(router) == before
    assert "configuration reset by console:" in router.log()
    assert "x.rsc was run after the reset" in router.log()
    router.stop()
    router.start()
    assert exported(router) == before
    router.ctl("/system/backup/load", "name=auto-before-reset")
    assert exported(router) == bare
