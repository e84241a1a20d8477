"""What librouteros's own manual shows, against a router; prints what came of it as JSON."""

import json
import os

import librouteros
from librouteros.exceptions import TrapError
from librouteros.login import plain, token
from librouteros.query import Key, Or


def connect(name, password, method=plain):
    return librouteros.connect(
        host=os.environ["ROUTER"], username=name, password=password, login_method=method
    )


def message(call):
    try:
        call()
    except TrapError as error:
        return error.message
    return "no trap"


api = connect(os.environ["USERNAME"], os.environ["PASSWORD"])
out = {}
(resource,) = api("/system/resource/print")
out["version"] = [int(part) for part in resource["version"].split(" ")[0].split(".")[:2]]
(out["identity"],) = (row["name"] for row in api("/system/identity/print"))

interfaces = api.path("/interface")
name, kind = Key("name"), Key("type")
out["queried"] = [row["name"] for row in interfaces.select(name, kind).where(kind == "ether")]
out["or"] = sorted(
    row["name"] for row in interfaces.select(name).where(Or(name == "ether1", name == "other"))
)

lists = api.path("ip", "firewall", "address-list")
ids = [lists.add(list="books", address=f"10.20.0.{last}", comment="kept") for last in (1, 2, 3)]
comment = Key("comment")
before = [row["comment"] for row in lists if row[".id"] == ids[0]]
lists.update(**{".id": ids[0], "!comment": ""})
out["comment"] = before + [row.get("comment") for row in lists if row[".id"] == ids[0]]
lists.remove(*ids)
out["left"] = [row for row in lists if row["list"] == "books"]

out["unknown"] = message(lambda: lists.add(list="books", address="10.20.0.9", colour="red"))
try:
    lists.remove("*FFFF")
except TrapError as error:
    out["missing"] = [error.category, error.message[:12]]
out["absent"] = message(lambda: list(api.path("/caps-man/interface")))
out["wrong"] = message(lambda: connect(os.environ["USERNAME"], "guessed"))
api.close()

old = connect("legacy", "old-Times-9", token)
(out["old"],) = (row["name"] for row in old("/system/identity/print"))
old.close()
print(json.dumps(out))
