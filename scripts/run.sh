#!/usr/bin/env bash
# Brings up the SOHO network of conf/soho.yaml: the router, an ISP with a web server, a PC, an IoT
# device and four attached hosts, all in network namespaces. Shows with real traffic that it works,
# then stays up with the console at hand until Ctrl-C.
#
#   scripts/run.sh              the demo
#   scripts/run.sh --check      the demo's checks only; exits non-zero if one failed
#   scripts/run.sh FILE         starts the router with a configuration of your own
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/scene.sh
source "$ROOT/scripts/lib/scene.sh"

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "$0"
  exit "$1"
}

conf='' only_check=no
for word in "$@"; do
  case $word in
    --check) only_check=yes ;;
    -h | --help) usage 0 ;;
    -*) usage 2 >&2 ;;
    *) [[ -z $conf ]] || usage 2 >&2; conf=$word ;;
  esac
done
need_root
[[ -z $conf || -r $conf ]] || fail "cannot read $conf"
[[ -z $conf ]] || conf=$(realpath "$conf")
cd "$ROOT"

head1 "Set-up and build"
scripts/setup.sh --run
# shellcheck disable=SC2034 # for build_in
BUILD_TARGETS=(maclane maclanectl)
build_in build || fail "the build failed, see above"
say "build/maclane and build/maclanectl are ready"

if [[ -n $conf ]]; then
  if [[ $only_check == yes ]]; then exec build/maclane "$conf" --check; fi
  run_own "$conf"
  exit
fi

scene_begin
trap scene_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

head1 "The network"
scene_up
cat <<TEXT
                    ml-isp 203.0.113.1 (nginx, iperf3)
                       |
                    ether1 203.0.113.2
                 [ the router ]
     ether2 192.168.88.1   macvlan-iot 192.168.99.1   macvlan-web 192.168.77.1
                       |  one port, three MAC addresses
                 [ ml-switch ]
        ml-pc 192.168.88.10      ml-iot 192.168.99.10
     attached to the same port: ml-web1, ml-web2 (bridge), ml-cam1, ml-cam2 (private)
TEXT

head1 "Checks, each with a command to try yourself"
scene_checks

head1 "Inside the router"
ctl /interface/macvlan/print
ctl /ip/firewall/filter/print stats

head1 "Result"
say "$PASSED checks passed, $FAILED failed"
if [[ $only_check == yes ]]; then exit "$((FAILED > 0))"; fi

cat <<TEXT

The router stays up until Ctrl-C. From another terminal:

  export MACLANE_SOCKET=$SOCKET PATH=\$PATH:$ROOT/build
  maclanectl                                       a prompt
  maclanectl /ip/firewall/connection/print
  ip netns exec ml-pc curl http://203.0.113.1/

Its configuration is $CONFIG, its log $LOG.
Edit the one, and "maclanectl reload" puts it into effect.
TEXT
while kill -0 "$ROUTER" 2>/dev/null; do
  wait "$ROUTER" || true
done
fail "the router ended by itself; the end of its log: $(tail -n 5 "$LOG")"
