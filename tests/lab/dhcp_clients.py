"""DHCP clients of our server: udhcpc, dhclient and dhcpcd on a device of a host's namespace."""

import json

_SCRIPT = """#!/bin/sh
case "$1$reason" in
  bound*|renew*|*BOUND|*REBOOT|*RENEW)
    address="${ip:-$new_ip_address}"
    echo "{\\"address\\": \\"$address\\", \\"mask\\": \\"${subnet:-$new_subnet_mask}\\"," \\
         "\\"routers\\": \\"${router:-$new_routers}\\"," \\
         "\\"dns\\": \\"${dns:-$new_domain_name_servers}\\"," \\
         "\\"domain\\": \\"${domain:-$new_domain_name}\\"," \\
         "\\"tz\\": \\"$tzdbstr\\"," \\
         "\\"lease\\": \\"${lease:-$new_dhcp_lease_time}\\"," \\
         "\\"server\\": \\"${serverid:-$new_dhcp_server_identifier}\\"}" > RESULT
    ip addr flush dev "$interface"
    ip addr add "$address/24" dev "$interface"
    ;;
esac
exit 0
"""


def _script(host):
    result = host.lab.directory / f"{host.label}.lease"
    script = host.lab.directory / f"{host.label}-dhcp.sh"
    script.write_text(_SCRIPT.replace("RESULT", str(result)))
    script.chmod(0o755)
    result.unlink(missing_ok=True)
    return script, result


def _got(result, done):
    assert result.exists(), f"no lease: {done.stdout}{done.stderr}"
    return json.loads(result.read_text())


def udhcpc(host, *more, device="eth0"):
    """One lease, then it ends; what it was told."""
    script, result = _script(host)
    host.ip("link", "set", device, "up")
    done = host.run("busybox" if not _has(host, "udhcpc") else "udhcpc",
                    *(() if _has(host, "udhcpc") else ("udhcpc",)), "-f", "-n", "-q", "-t", "10",
                    "-T", "2", "-i", device, "-s", script, *more, check=False)
    return _got(result, done)


def _has(host, program):
    return host.run("sh", "-c", f"command -v {program}", check=False).returncode == 0


def dhclient(host, *more, device="eth0", name=None):
    script, result = _script(host)
    leases = host.lab.directory / f"{host.label}-dhclient.leases"
    leases.touch()
    config = host.lab.directory / f"{host.label}-dhclient.conf"
    config.write_text("request subnet-mask, routers, domain-name-servers, domain-name;\n"
                      + (f'send host-name "{name}";\n' if name else ""))
    done = host.run("dhclient", "-4", "-1", "-v", "-sf", script, "-lf", leases, "-pf",
                    host.lab.directory / f"{host.label}-dhclient.pid", "-cf", config, *more,
                    device, check=False)
    host.lab.cleanups.append(lambda: host.run("dhclient", "-x", "-pf", host.lab.directory /
                                              f"{host.label}-dhclient.pid", check=False))
    return _got(result, done)


def dhclient_release(host, device="eth0"):
    """The client that dhclient() left running gives its lease back and ends."""
    made = host.lab.directory
    host.run("dhclient", "-4", "-r", "-sf", made / f"{host.label}-dhcp.sh", "-lf",
             made / f"{host.label}-dhclient.leases", "-pf", made / f"{host.label}-dhclient.pid",
             "-cf", made / f"{host.label}-dhclient.conf", device)


def dhcpcd(host, device="eth0"):
    script, result = _script(host)
    done = host.run("timeout", "-s", "INT", "50", "dhcpcd", "-4", "-1", "-B", "-t", "40", "-c",
                    script, device, check=False)
    return _got(result, done)
