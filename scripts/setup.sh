#!/usr/bin/env bash
# Installs what Maclane needs from Debian 12's own packages. Packages that are there are passed
# over, so that a second run is done at once.
#
#   scripts/setup.sh            everything: building, running and testing (--test says the same)
#   scripts/setup.sh --run      what scripts/run.sh needs: building and the demo's hosts
#   scripts/setup.sh --build    what meson compile needs
#   scripts/setup.sh --bench    what the measurements need: building, and the peers of bench/
set -euo pipefail

BUILD=(
  git meson ninja-build pkg-config g++ ccache
  libdpdk-dev dpdk libbpf-dev libyaml-cpp-dev libgtest-dev libgmock-dev libbenchmark-dev
  libspdlog-dev libfmt-dev libcli11-dev nlohmann-json3-dev libexpected-dev libedit-dev libpcap-dev libre2-dev libmnl-dev
  libssl-dev libcrypt-dev libcpp-httplib-dev libsqlite3-dev libc-ares-dev
)
RUN=(iproute2 iputils-ping curl nginx-light iperf3 ethtool jq procps util-linux dnsmasq-base dnsdist unbound)
TEST=(
  clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev lld-14
  python3 python3-pytest python3-scapy python3-yaml
  iputils-arping nftables netcat-openbsd tcpdump shellcheck
  dnsmasq-base isc-dhcp-server udhcpc isc-dhcp-client dhcpcd-base bind9-dnsutils
  ppp pppoe qemu-system-x86 busybox-static
  python3-pyftpdlib sip-tester
  frr openssh-server openssh-client
  python3-librouteros python3-requests ansible
)
# The labs' clients of Node.js. Whoever has them from elsewhere keeps those: the packages exclude each other.
command -v node >/dev/null && command -v npm >/dev/null || TEST+=(nodejs npm)
BENCH=(dpdk-dev nftables iproute2 util-linux procps python3 kea-admin)

say() { printf 'setup: %s\n' "$*"; }

fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

# The packages of its arguments that are not installed, one a line.
missing() {
  local installed
  # shellcheck disable=SC2016 # dpkg-query's own variables
  installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) \
    <(sed -n 's/^ii *//p' <<<"$installed" | sort -u)
}

# apt-get, which waits while another program holds dpkg's locks.
apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# apt-get update takes a lock that the option above does not wait for, and mirrors have bad moments.
update() {
  local try
  for try in 1 2 3 4 5 6; do
    if apt update; then return; fi
    say "apt-get update did not succeed (try $try of 6)"
    read -rt $((try * 5)) <> <(:) || true
  done
  fail "the package lists could not be read: check the network and /etc/apt/sources.list"
}

main() {
  local wanted=("${BUILD[@]}" "${RUN[@]}" "${TEST[@]}")
  case "${1-}" in
    '' | --test) ;;
    --run) wanted=("${BUILD[@]}" "${RUN[@]}") ;;
    --build) wanted=("${BUILD[@]}") ;;
    --bench) wanted=("${BUILD[@]}" "${BENCH[@]}") ;;
    *) fail "unknown option $1: it is --run, --build, --test, --bench or nothing" ;;
  esac
  command -v apt-get >/dev/null ||
    fail "this is not a Debian system: it takes Debian 12, or these packages: ${wanted[*]}"

  local need
  mapfile -t need < <(missing "${wanted[@]}")
  if ((${#need[@]} == 0)); then
    say "all ${#wanted[@]} packages are there"
    return
  fi
  ((EUID == 0)) || fail "run as root to install: ${need[*]}"
  say "installing ${#need[@]} packages: ${need[*]}"
  local new=() one
  for one in dnsdist unbound frr openssh-server; do
    if [[ " ${need[*]} " == *" $one "* ]]; then new+=("${one/openssh-server/ssh}"); fi
  done
  update
  # A service that comes with a package (nginx) must not start: the demo runs its own.
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  apt install -y --no-install-recommends "${need[@]}" ||
    fail "apt-get could not install the packages above; its own words say why"
  mapfile -t need < <(missing "${wanted[@]}")
  # Those that were not here before serve maclane and its tests alone: the host's ports are not theirs.
  if ((${#new[@]} > 0)) && command -v systemctl >/dev/null; then
    systemctl disable "${new[@]}" >/dev/null 2>&1 || true
  fi
  ((${#need[@]} == 0)) || fail "still missing after the installation: ${need[*]}"
  say "done"
}

main "$@"
