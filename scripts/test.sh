#!/usr/bin/env bash
# Builds and tests everything; the last line is "N passed, N failed" (", N skipped").
#
#   scripts/test.sh                  all: style, golden, differential, labs, unit and fuzz under
#                                    sanitizers, tidy
#   scripts/test.sh --quick          unit tests without sanitizers, no fuzzing, no clang-tidy
#   scripts/test.sh --only PATTERN   only tests whose name holds PATTERN
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname "$0")/lib/common.sh"
cd "$ROOT"

quick=no only=''
while (($#)); do
  case $1 in
    --quick) quick=yes ;;
    --only)
      [[ -n ${2-} ]] || fail "--only takes a pattern"
      only=$2
      shift
      ;;
    *)
      sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
      exit 2
      ;;
  esac
  shift
done
need_root

PYTHON=/usr/bin/python3
RESULTS=$(mktemp -d)
BEHIND=''
trap 'if [[ -n $BEHIND ]]; then kill -- "-$BEHIND" || true; fi; rm -rf "$RESULTS"' EXIT
export PYTHONDONTWRITEBYTECODE=1

# step NAME COMMAND...: one thing that is right or wrong as a whole.
step() {
  local name=$1 began=$SECONDS result=failed
  shift
  head1 "$name"
  if "$@"; then result=ok; fi
  echo "$result" >"$RESULTS/${name//[^A-Za-z0-9]/-}.step"
  say "  $result ($((SECONDS - began)) s)"
  [[ $result == ok ]]
}

# tests NAME COMMAND...: something that leaves its own results.
tests() {
  local name=$1 began=$SECONDS
  shift
  head1 "$name"
  "$@" || true
  say "  ($((SECONDS - began)) s)"
}

finish() {
  if [[ -z $only && -x build/maclane ]]; then
    rm -rf build/results
    cp -r "$RESULTS" build/results
    head1 "Documentation"
    scripts/docs.sh || true
  fi
  head1 "Sum"
  $PYTHON scripts/lib/summary.py "$RESULTS" || exit 1
}

formatted() {
  git ls-files -co --exclude-standard '*.cpp' '*.h' | xargs -r clang-format-14 --dry-run -Werror
}

shell_checked() { git ls-files -co --exclude-standard '*.sh' .ci/run | xargs -r shellcheck -x; }

# A run that dies before it leaves any result is one failure, not none.
unit() {
  $PYTHON scripts/lib/unit.py "$1" "$RESULTS" "${only:+*$only*}" && return
  compgen -G "$RESULTS/unit-$1-*.json" >/dev/null || echo failed >"$RESULTS/unit-$1.step"
}

# A process that dies before it writes its report is one failure, not none.
labs() {
  local name=$1 report=$RESULTS/$1.xml code=0
  shift
  $PYTHON -m pytest -q -p no:cacheprovider --junitxml="$report" ${only:+-k "$only"} "$@" || code=$?
  # 1: some failed, and the report says so. 5: none was selected.
  case $code in
    0 | 1) ;;
    5) rm -f "$report" ;;
    *) echo failed >"$RESULTS/$name.step" ;;
  esac
}

# Whether a build of work_behind went well: what an earlier one left is not what is to be tested.
is_built() { [[ $(cat "$RESULTS/$1.step" 2>/dev/null) == ok ]]; }

# clang's: its libFuzzer watches what the sanitizers watch, and all of it is built once. lld links such
# programs in a quarter of the time.
build_sanitized() {
  CC=clang-14 CXX=clang++-14 CXX_LD=lld build_in build-clang-asan -Db_sanitize=address,undefined -Db_lundef=false \
    -Doptimization=1 -Dwerror=false -Dunity_size=8
}

# How often each fuzz target runs here. They begin with the same seed, so more would only be the same
# again: longer searches are made by hand.
FUZZ_RUNS=20000

sanitized() {
  export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  tests "Unit tests under ASan and UBSan" unit build-clang-asan
  step "Fuzz targets" $PYTHON scripts/lib/fuzz.py build-clang-asan "$RESULTS" --runs "$FUZZ_RUNS" || true
  MACLANE_BUILD=build-clang-asan tests "Golden and hostile packets under ASan and UBSan" \
    labs asan-labs tests/golden tests/lab/test_hostile.py
}

# Two workers on threads under ThreadSanitizer: only what that test needs is built. DPDK's default
# barriers are invisible to it on x86; the C11 ones have the same layout.
RACE_TEST=tests/unit/workers/workers_race_test

build_raced() {
  local BUILD_TARGETS=("$RACE_TEST")
  build_in build-tsan -Db_sanitize=thread -Db_lundef=false -Dwerror=false \
    -Doptimization=1 -Dcpp_args='-DRTE_USE_C11_MEM_MODEL -Wno-tsan'
}

raced() {
  TSAN_OPTIONS="halt_on_error=1 suppressions=$ROOT/tests/unit/workers/tsan.supp" \
    "build-tsan/$RACE_TEST" --gtest_brief=1
}

# It looks at each file by itself, as a build that is not in groups compiles it.
tidied() {
  [[ -e build-tidy/build.ninja ]] || meson setup build-tidy >/dev/null || return
  $PYTHON scripts/lib/tidy.py build-tidy
}

# What needs the processors and no quiet, in the time that labs spend waiting for packets.
work_behind() {
  set -m  # a process group of its own, to be ended as one
  (
    chrt --idle --pid 0 "$BASHPID" || true
    step "Build with ASan and UBSan" build_sanitized || true
    if is_built Build-with-ASan-and-UBSan; then sanitized; fi
    step "Build with ThreadSanitizer" build_raced || true
    if is_built Build-with-ThreadSanitizer; then
      step "Two workers under ThreadSanitizer" raced || true
    fi
    step "clang-tidy" tidied || true
  ) >"$RESULTS/behind.log" 2>&1 &
  BEHIND=$!
  set +m
}

worked_behind() {
  wait "$BEHIND" || echo failed >"$RESULTS/behind.step"
  BEHIND=''
  cat "$RESULTS/behind.log"
}

head1 "Set-up"
scripts/setup.sh
mkdir -p build

whole=no
if [[ $quick == no && -z $only ]]; then whole=yes; fi
# The unit tests of a whole run are those that the sanitizers watch. What is built for it alone is built
# in groups of files.
grouped=()
if [[ $whole == yes ]]; then
  BUILD_TARGETS=(maclane maclanectl)
  grouped=(-Dunity=on -Dunity_size=8)
fi
if ! step "Build" build_in build "${grouped[@]}"; then
  finish
fi
unset BUILD_TARGETS

if [[ $whole == yes ]]; then work_behind; fi
if [[ -z $only ]]; then
  step "clang-format" formatted || true
  step "shellcheck" shell_checked || true
  step "Facts: a test for each, or a reason" $PYTHON scripts/facts.py --check || true
fi
if [[ $whole == no ]]; then tests "Unit tests" unit build; fi
tests "Golden cases" labs golden tests/golden
tests "Differential: the kernel beside us" labs differential tests/differential
tests "Labs" labs labs tests/lab
if [[ -z $only ]]; then step "The demo: scripts/run.sh --check" scripts/run.sh --check || true; fi

if [[ $whole == yes ]]; then worked_behind; fi
finish
