#!/usr/bin/env bash
# Builds and tests everything; the last line is "N passed, N failed" (", N skipped").
#
#   scripts/test.sh                  all: style, unit, golden, differential, labs, sanitizers, tidy
#   scripts/test.sh --quick          without the sanitizer build and clang-tidy
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
      sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
      exit 2
      ;;
  esac
  shift
done
need_root

PYTHON=/usr/bin/python3
RESULTS=$(mktemp -d)
trap 'rm -rf "$RESULTS"' EXIT
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

unit() { $PYTHON scripts/lib/unit.py "$1" "$RESULTS" "${only:+*$only*}"; }

# A process that dies before it writes its report is one failure, not none.
pytests() {
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

sanitized() {
  export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  tests "Unit tests under ASan and UBSan" unit build-asan
  MACLANE_BUILD=build-asan tests "Golden and hostile packets under ASan and UBSan" \
    pytests asan-labs tests/golden tests/lab/test_hostile.py
}

# Two workers on threads under ThreadSanitizer: only what that test needs is built. DPDK's default
# barriers are invisible to it on x86; the C11 ones have the same layout.
raced() {
  local log=$RESULTS/tsan.log test=tests/unit/workers/workers_race_test
  if [[ ! -e build-tsan/build.ninja ]]; then
    meson setup build-tsan -Db_sanitize=thread -Db_lundef=false -Dwerror=false -Doptimization=1 \
      -Dcpp_args='-DRTE_USE_C11_MEM_MODEL -Wno-tsan' >"$log" 2>&1 || {
      cat "$log"
      return 1
    }
  fi
  ninja -C build-tsan "$test" >"$log" 2>&1 || {
    cat "$log"
    return 1
  }
  TSAN_OPTIONS="halt_on_error=1 suppressions=$ROOT/tests/unit/workers/tsan.supp" \
    "build-tsan/$test" --gtest_brief=1
}

head1 "Set-up"
scripts/setup.sh
mkdir -p build

if ! step "Build" build_in build; then
  finish
fi

if [[ -z $only ]]; then
  step "clang-format" formatted || true
  step "shellcheck" shell_checked || true
  step "Facts: a test for each, or a reason" $PYTHON scripts/facts.py --check || true
fi
tests "Unit tests" unit build
if [[ -z $only ]]; then step "Fuzz targets" $PYTHON scripts/lib/fuzz.py build "$RESULTS" || true; fi
tests "Golden cases" pytests golden tests/golden
tests "Differential: the kernel beside us" pytests differential tests/differential
tests "Labs" pytests labs tests/lab
if [[ -z $only ]]; then step "The demo: scripts/run.sh --check" scripts/run.sh --check || true; fi

if [[ $quick == no && -z $only ]]; then
  if step "Build with ASan and UBSan" build_in build-asan -Db_sanitize=address,undefined \
    -Doptimization=1 -Dwerror=false; then
    sanitized
  fi
  step "Two workers under ThreadSanitizer" raced || true
  step "clang-tidy" $PYTHON scripts/lib/tidy.py build || true
fi
finish
