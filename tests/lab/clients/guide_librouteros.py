"""The SOHO guide's Python, with its mistakes put right, over librouteros.

E-4: `.path()` is librouteros's, not routeros_api's. E-5: names have hyphens, which keyword arguments cannot have. What differs from the guide beyond that: each step says what became of it, as JSON, for the test to read.
"""

import json
import os

import librouteros
from librouteros.exceptions import TrapError

api = librouteros.connect(
    host=os.environ["ROUTER"], username=os.environ["USERNAME"], password=os.environ["PASSWORD"]
)
outcome = {}


def step(name, *rows):
    """Adds (menu, properties) rows; the step is right, or has the first trap's message."""
    try:
        outcome[name] = {"added": [api.path(menu).add(**row) for menu, row in rows]}
    except TrapError as error:
        outcome[name] = {"trap": error.message}


step(
    "macvlan",
    ("/interface/macvlan", {"interface": "ether2", "name": "macvlan-iot", "mac-address": "auto"}),
)
step(
    "address",
    (
        "/ip/address",
        {"address": "192.168.99.1/24", "interface": "macvlan-iot", "network": "192.168.99.0"},
    ),
)
step(
    "dhcp",
    ("/ip/pool", {"name": "dhcp_pool_iot", "ranges": "192.168.99.10-192.168.99.254"}),
    (
        "/ip/dhcp-server",
        {
            "name": "dhcp_server_iot",
            "interface": "macvlan-iot",
            "address-pool": "dhcp_pool_iot",
            "lease-time": "1d",
        },
    ),
    (
        "/ip/dhcp-server/network",
        {"address": "192.168.99.0/24", "gateway": "192.168.99.1", "dns-server": "192.168.99.1"},
    ),
)
IOT = {"in-interface": "macvlan-iot"}
REPLIES = {"connection-state": "established,related", "action": "accept"}
FILTER = "/ip/firewall/filter"
step(
    "filter",
    (FILTER, {"chain": "input", **IOT, **REPLIES, "comment": "Accept IoT established/related input"}),
    (
        FILTER,
        {"chain": "forward", **IOT, **REPLIES, "comment": "Accept IoT established/related forward"},
    ),
    (
        FILTER,
        {
            "chain": "forward",
            **IOT,
            "out-interface": "ether1",
            "action": "accept",
            "comment": "Allow IoT to internet",
        },
    ),
    (
        FILTER,
        {
            "chain": "forward",
            **IOT,
            "out-interface": "ether2",
            "action": "drop",
            "comment": "Block IoT to Main LAN",
        },
    ),
    (
        FILTER,
        {
            "chain": "input",
            **IOT,
            "connection-state": "new",
            "action": "drop",
            "comment": "Drop new input from IoT (optional)",
        },
    ),
)
step(
    "nat",
    (
        "/ip/firewall/nat",
        {
            "chain": "srcnat",
            "out-interface": "ether1",
            "src-address": "192.168.99.0/24",
            "action": "masquerade",
            "comment": "NAT for IoT network",
        },
    ),
)
# As the guide wrote it (E-5): with underscores, as keyword arguments must.
try:
    written = api.path("/interface/macvlan").add(
        interface="ether2", name="macvlan2", mac_address="auto"
    )
    outcome["underscore"] = {"added": [written]}
except TrapError as error:
    outcome["underscore"] = {"trap": error.message}
api.close()
print(json.dumps(outcome))
