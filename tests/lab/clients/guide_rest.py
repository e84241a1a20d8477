"""The SOHO guide's network over REST, with the helper of its API cheat sheet.

E-6: the names the helper uses are imported and set, it returns lists where RouterOS answers with lists, and takes an empty
body for what it is. Prints what each call gave as JSON.
"""

import json
import os

import requests
import urllib3
from requests.auth import HTTPBasicAuth

ROUTER_IP = os.environ["ROUTER"]
API_USER = os.environ["USERNAME"]
API_PASS = os.environ["PASSWORD"]
SSL_VERIFY = False  # the router's certificate is one it signed itself
urllib3.disable_warnings()


def mikrotik_api_call(method, endpoint, data=None, timeout=60):
    """Universal MikroTik API handler with error checking."""
    try:
        response = requests.request(
            method,
            f"https://{ROUTER_IP}/rest{endpoint}",
            auth=HTTPBasicAuth(API_USER, API_PASS),
            json=data,
            verify=SSL_VERIFY,
            timeout=timeout,
        )
        response.raise_for_status()
        return response.json() if response.content else None
    except requests.exceptions.HTTPError as error:
        return {"error": error.response.status_code, **error.response.json()}


IOT = {"in-interface": "macvlan-iot"}
REPLIES = {"connection-state": "established,related", "action": "accept"}
FILTER = "/ip/firewall/filter"
calls = [
    ("/interface/macvlan", {"interface": "ether2", "name": "macvlan-iot", "mac-address": "auto"}),
    ("/ip/address", {"address": "192.168.99.1/24", "interface": "macvlan-iot"}),
    (FILTER, {"chain": "input", **IOT, **REPLIES, "comment": "Accept IoT established/related input"}),
    (FILTER, {"chain": "forward", **IOT, **REPLIES,
              "comment": "Accept IoT established/related forward"}),
    (FILTER, {"chain": "forward", **IOT, "out-interface": "ether1", "action": "accept",
              "comment": "Allow IoT to internet"}),
    (FILTER, {"chain": "forward", **IOT, "out-interface": "ether2", "action": "drop",
              "comment": "Block IoT to Main LAN"}),
    (FILTER, {"chain": "input", **IOT, "connection-state": "new", "action": "drop",
              "comment": "Drop new input from IoT (optional)"}),
    ("/ip/firewall/nat", {"chain": "srcnat", "out-interface": "ether1", "action": "masquerade",
                          "src-address": "192.168.99.0/24", "comment": "NAT for IoT network"}),
]
made = [mikrotik_api_call("PUT", menu, row) for menu, row in calls]
# With a name as the guide writes it (E-5), with one that is none, and what the helper makes of no body.
written = mikrotik_api_call("PUT", "/interface/macvlan", {"interface": "ether2", "mac_address": "auto"})
refused = mikrotik_api_call("PUT", "/interface/macvlan", {"interface": "ether2", "colour": "red"})
spare = mikrotik_api_call("PUT", "/interface/macvlan", {"interface": "ether2", "name": "spare"})
removed = mikrotik_api_call("DELETE", f"/interface/macvlan/{spare['.id']}")
again = mikrotik_api_call("DELETE", f"/interface/macvlan/{spare['.id']}")
print(json.dumps({"made": made, "written": written, "refused": refused, "removed": removed, "again": again}))
