"""A configuration in which every property of the schema that can be set has a value of its own."""

import json
import re
from pathlib import Path

import yaml

from doors import doors_config
from lab import run
from router import build_dir, dataplane

TCP = {"protocol": "tcp"}
# Of rules in any menu of the firewall: a property, its value, what it needs beside it.
MATCHERS = [
    ("in-interface", "left", {}),
    ("in-interface-list", "!LAN", {}),
    ("src-address", "!10.9.0.0/16", {}),
    ("dst-address", "10.8.0.1-10.8.0.9", {}),
    ("src-address-list", "l", {}),
    ("dst-address-list", "!l", {}),
    ("protocol", "!udp", {}),
    ("src-port", "1-5,99", TCP),
    ("dst-port", "!80", TCP),
    ("port", "53,5353", {"protocol": "udp"}),
    ("icmp-options", "8:0-255", {"protocol": "icmp"}),
    ("src-address-type", "!unicast,local", {}),
    ("dst-address-type", "multicast", {}),
    ("src-mac-address", "!02:00:00:00:10:0A", {}),
    ("tcp-flags", "syn,!ack", TCP),
    ("tcp-mss", "!500-1400", TCP | {"tcp-flags": "syn"}),
    ("packet-size", "100-200", {}),
    ("limit", "10/1m,5:packet", {}),
    ("dst-limit", "10,5,dst-address/1m40s", {}),
    ("psd", "21,3s,3,1", TCP),
    ("nth", "2,1", {}),
    ("random", "50", {}),
    ("per-connection-classifier", "both-addresses:2/1", {}),
    ("ttl", "less-than:5", {}),
    ("dscp", "!46", {}),
    ("priority", "3", {}),
    ("ingress-priority", "4", {}),
    ("ipv4-options", "any", {}),
    ("fragment", "yes", {}),
    ("time", "8h-17h,mon,fri", {}),
    ("ipsec-policy", "in,none", {}),
    ("content", 'a "b" $c', {}),
    ("tls-host", "*.example.com", TCP),
    ("address-list-timeout", "1h", {"action": "add-src-to-address-list", "address-list": "seen"}),
    ("jump-target", "mine", {"action": "jump"}),
    ("log-prefix", "x: ", {"log": "yes"}),
    ("comment", 'c "d" \\ ü', {}),
    ("disabled", "yes", {}),
]
TRACKED = [
    ("connection-limit", "100,32", TCP),
    ("connection-bytes", "1000000-0", {}),
    ("connection-rate", "0-100k", TCP),
    ("connection-type", "ftp", {}),
    ("connection-mark", "!no-mark", {}),
    ("packet-mark", "pm", {}),
    ("routing-mark", "isp1", {}),
]
STATES = [("connection-state", "!established,related", {}), ("connection-nat-state", "srcnat", {})]
MENUS = {
    "filter": ({"chain": "forward", "action": "accept"}, MATCHERS + TRACKED + STATES + [
        ("out-interface", "m1", {}),
        ("out-interface-list", "MOST", {}),
        ("reject-with", "tcp-reset", TCP | {"action": "reject"}),
        ("hw-offload", "yes", {"action": "fasttrack-connection"}),
    ]),
    "nat": ({"chain": "dstnat", "action": "accept"}, MATCHERS + TRACKED + [
        ("out-interface", "left", {"chain": "srcnat"}),
        ("out-interface-list", "MOST", {"chain": "srcnat"}),
        ("to-addresses", "10.1.0.10-10.1.0.12", {"action": "dst-nat"}),
        ("to-ports", "8000-8010", TCP | {"action": "dst-nat", "to-addresses": "10.1.0.10"}),
        ("same-not-by-dst", "yes", {"chain": "srcnat", "action": "same", "to-addresses": "10.1.0.8/30"}),
        ("randomise-ports", "yes", {"chain": "srcnat", "action": "masquerade"}),
    ]),
    "mangle": ({"chain": "forward", "action": "accept"}, MATCHERS + TRACKED + STATES + [
        ("out-interface", "m1", {}),
        ("out-interface-list", "MOST", {}),
        ("new-connection-mark", "cm", {"action": "mark-connection"}),
        ("new-packet-mark", "pm", {"action": "mark-packet", "passthrough": "no"}),
        ("new-routing-mark", "isp1", {"chain": "prerouting", "action": "mark-routing"}),
        ("new-mss", "clamp-to-pmtu", TCP | {"tcp-flags": "syn", "action": "change-mss"}),
        ("new-ttl", "set:64", {"action": "change-ttl"}),
        ("new-dscp", "46", {"action": "change-dscp"}),
        ("new-priority", "from-dscp", {"action": "set-priority"}),
    ]),
    "raw": ({"chain": "prerouting", "action": "accept"}, MATCHERS + [
        ("out-interface", "left", {"chain": "output"}),
        ("out-interface-list", "MOST", {"chain": "output"}),
    ]),
}
# What has no other value than its default, or none that a file can give; and what is not seen.
ELSEWHERE = {
    "/ip/firewall/address-list": {"timeout"},  # of rows that are in no configuration: it counts down
    "/certificate": {"certificate-pem", "key-pem", "common-name", "country", "state", "locality",
                     "organization", "unit", "subject-alt-name", "days-valid", "key-size",
                     "name", "comment"},  # test_certificates.py
    "/dataplane": {"spread", "host-plane", "memory", "mbufs", "max-sleep-us"},  # test_workers.py
    "/user": {"old-login"},  # test_clients.py
    "/interface/pppoe-client": {"profile", "mrru"},  # of one value alone, or as good as that
    "/ip/dns": {"vrf"},
    "/ip/service": {"vrf"},
    "/ip/route": {"suppress-hw-offload"},
}


def every_property(lab):
    """For a router of this lab; `lab` gets the namespace of an attached macvlan."""
    text = (Path(__file__).with_name("every_property.yaml")).read_text()
    more = yaml.safe_load(text.replace("NETNS", lab.namespace("attached").name))
    for menu, (common, rules) in MENUS.items():
        more["ip"]["firewall"][menu] = [{**common, name: value, **needs} for name, value, needs in rules]
    config = doors_config()
    config["interface"]["ethernet"][1] |= {
        "mtu": 1400, "arp": "local-proxy-arp", "arp-timeout": "2m", "loop-protect": "on",
        "loop-protect-disable-time": "1m", "loop-protect-send-interval": "3s", "comment": "e", "disabled": "yes"}
    config["interface"] |= more.pop("interface")
    config["ip"] |= more.pop("ip")
    config["user"] += more.pop("user")
    config["dataplane"] = dataplane()
    return config | more


def refused():
    """Properties with values that only RouterOS can carry out: {menu: names}."""
    page = run(build_dir() / "maclane", "--reference").stdout
    out = {}
    for part in page.split("\n## ")[1:]:
        menu = part.split("\n", 1)[0]
        out[menu] = set(re.findall(r"^\| `(\S+)` .*Refused: ", part, re.M))
    return out


def unmet(router, menu):
    """Properties of the menu that could be set and have nothing but their default in all rows."""
    schema = json.loads(router.ctl(f"{menu}/schema", as_json=True).stdout)
    rows = router.print(menu)
    left_out = ELSEWHERE.get(menu, set()) | refused()[menu]
    return [one["name"] for one in schema
            if not {"read-only", "write-only", "not-yet"} & set(one.get("flags", "").split(","))
            and one["name"] not in left_out
            and all(row.get(one["name"], "") in ("", one.get("default", "")) for row in rows)]
