"""The ISP's side of DHCP: dnsmasq and isc-dhcp-server on a device of a namespace."""

from lab import wait_until


class Dnsmasq:
    """dnsmasq as a DHCP server; `more` are further options of its command line."""

    def __init__(self, namespace, device, first, last, *more, gateway=None, lease="10m", serial=1):
        self.leases = namespace.lab.directory / f"dnsmasq-{namespace.label}-{device}.leases"
        words = [
            "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null",
            "--port=0", f"--interface={device}", "--bind-interfaces", "--except-interface=lo",
            f"--dhcp-range={first},{last},255.255.255.0,{lease}", "--dhcp-authoritative",
            f"--dhcp-leasefile={self.leases}", "--no-ping", "--log-dhcp", "--user=root",
            "--pid-file",
        ]
        if gateway:
            words.append(f"--dhcp-option=3,{gateway}")
        self.process = namespace.popen(f"dnsmasq-{device}-{serial}", *words, *more)
        wait_until(lambda: "DHCP, IP range" in self.log() or not self.process.alive(), 20,
                   lambda: f"dnsmasq: {self.log()}")
        assert self.process.alive(), self.log()

    def log(self):
        return self.process.err() + self.process.out()

    def stop(self):
        self.process.stop()


ISC = """
authoritative;
ddns-update-style none;
default-lease-time 600;
max-lease-time 600;
option rfc3442 code 121 = array of unsigned integer 8;
{settings}
subnet 203.0.113.0 netmask 255.255.255.0 {{
  option routers 203.0.113.1;
  option domain-name-servers 203.0.113.53, 203.0.113.54;
  {subnet}
}}
"""


class Isc:
    """isc-dhcp-server for 203.0.113.0/24."""

    def __init__(self, namespace, device, subnet, settings=""):
        directory = namespace.lab.directory
        config = directory / f"dhcpd-{device}.conf"
        leases = directory / f"dhcpd-{device}.leases"
        config.write_text(ISC.format(subnet=subnet, settings=settings))
        leases.touch()
        self.process = namespace.popen(f"dhcpd-{device}", "dhcpd", "-4", "-f", "-d", "--no-pid",
                                       "-user", "root", "-group", "root", "-cf", config, "-lf",
                                       leases, device)
        wait_until(lambda: "Server starting service" in self.log() or not self.process.alive(), 20,
                   lambda: f"dhcpd: {self.log()}")
        assert self.process.alive(), self.log()

    def log(self):
        return self.process.err() + self.process.out()
