# shellcheck shell=bash
# What the scripts share. Sourced, never run.

# shellcheck disable=SC2034 # for those who source this
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*"; }

head1() { printf '\n== %s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

need_root() { ((EUID == 0)) || fail "run as root: it makes network namespaces and devices"; }

# Lets a tenth of a second pass without a process of its own.
tick() { read -rt 0.1 <> <(:) || true; }

# until_true SECONDS COMMAND...: looks until the command succeeds.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    tick
  done
}

# build_in DIR [meson options]: configures once, compiles what changed: everything, or the targets in
# BUILD_TARGETS as far as they can be built. Its output is shown only if it fails, and then without
# the lines of what went well.
build_in() {
  local dir=$1 log ok=yes keep_on=()
  shift
  if [[ -n ${BUILD_TARGETS-} ]]; then keep_on=(--ninja-args=-k0); fi
  log=$(mktemp)
  if [[ ! -e $dir/build.ninja ]]; then
    meson setup "$dir" "$@" >"$log" 2>&1 || ok=no
  fi
  if [[ $ok == yes ]]; then
    meson compile -C "$dir" "${keep_on[@]}" "${BUILD_TARGETS[@]}" >>"$log" 2>&1 || ok=no
  fi
  [[ $ok == yes ]] || grep -vE '^\[[0-9]+/[0-9]+\] (Compiling|Linking|Generating)' "$log" || true
  rm -f "$log"
  [[ $ok == yes ]]
}
