#!/usr/bin/env bash
# Installs what is missing, builds with optimisation, measures, and prints one table: a few minutes.
# It says what something costs and never fails because that is much. See bench/README.md.
#
#   scripts/bench.sh                   everything, on a quiet machine, as root
#   scripts/bench.sh --quick           about one minute after building
#   scripts/bench.sh --against FILE    and compares with an earlier JSON
#   scripts/bench.sh --json FILE       where the figures go; default build-bench/bench.json
#   scripts/bench.sh --only path       one part: path, micro, filter, peers or pktgen
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname "$0")/lib/common.sh"
CALLER=$PWD
cd "$ROOT"

PYTHON=/usr/bin/python3
BUILD=build-bench
TARGETS=(maclane maclanectl bench/path_bench bench/micro/micro_bench bench/micro/core_clock
  bench/filter/filter_bench bench/peers/flood)
HUGE=/proc/sys/vm/nr_hugepages
HUGE_PAGES=1200 # 2 MB each: DPDK's memory, and the tables of 4 million sessions
CONNTRACK=/proc/sys/net/netfilter
CONNECTIONS=262144 # that the kernel's own rows have room for

# What was changed for the time of the measurements: "FILE VALUE" as it was.
borrowed=()
give_back() {
  local entry
  for entry in "${borrowed[@]}"; do
    echo "${entry#* }" 2>/dev/null >"${entry%% *}" || true
  done
}
trap give_back EXIT

# borrow FILE VALUE: writes it if that may be, until the end.
borrow() {
  local before
  before=$(cat "$1")
  { echo "$2" >"$1"; } 2>/dev/null || return 0
  borrowed+=("$1 $before")
}

huge_pages() {
  local free_kb
  [[ -w $HUGE && $(cat "$HUGE") == 0 ]] || return 0
  free_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  # They are taken from everybody: only if as much again is left.
  ((free_kb > 2 * HUGE_PAGES * 2048)) || return 0
  borrow "$HUGE" "$HUGE_PAGES"
  say "$(cat "$HUGE") huge pages reserved for the measurements"
}

# The kernel's connection table must hold the flows, or its garbage collection is measured.
connections() {
  local file
  modprobe nf_conntrack 2>/dev/null || true
  for file in nf_conntrack_max nf_conntrack_buckets; do
    [[ -w $CONNTRACK/$file ]] || continue
    (($(cat "$CONNTRACK/$file") >= CONNECTIONS)) || borrow "$CONNTRACK/$file" "$CONNECTIONS"
  done
}

arguments=()
while (($#)); do
  case $1 in
    --quick) arguments+=("$1") ;;
    --json | --against | --only | --cpu)
      [[ -n ${2-} ]] || fail "$1 takes an argument"
      value=$2
      # The caller's file, wherever this script has gone since.
      if [[ $1 != --only && $1 != --cpu && $value != /* ]]; then value=$CALLER/$value; fi
      arguments+=("$1" "$value")
      shift
      ;;
    *)
      sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
      exit 2
      ;;
  esac
  shift
done

head1 "Set-up"
scripts/setup.sh --bench
head1 "Build"
RELEASE=(--buildtype=release -Dwerror=false -Db_sanitize=none)
# The folder may be there from something else.
if [[ -e $BUILD/build.ninja ]]; then meson configure "$BUILD" "${RELEASE[@]}" >/dev/null; fi
# shellcheck disable=SC2034 # build_in reads it
BUILD_TARGETS=("${TARGETS[@]}")
# A part that cannot be built is missing, and the rest is measured.
build_in "$BUILD" "${RELEASE[@]}" || say "not everything could be built"
if ((EUID == 0)); then
  huge_pages
  connections
else
  say "not as root: what needs network namespaces or huge pages will be missing"
fi
head1 "Measurements"
PYTHONDONTWRITEBYTECODE=1 $PYTHON bench/report/report.py --build "$BUILD" "${arguments[@]}"
