#!/usr/bin/env bash
# Writes what is generated of the documentation into build/docs: reference.md, every menu and
# property as the schema has them, and facts.md, every fact with the tests that show it, what became
# of them in the last run of scripts/test.sh, or the reason why there is none.
#
#   scripts/docs.sh [RESULTS]   RESULTS: what a run of the tests left; build/results by default
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname "$0")/lib/common.sh"
cd "$ROOT"

results=${1-build/results}
mkdir -p build/docs
[[ -x build/maclane ]] || fail "build/maclane is not there; scripts/test.sh or scripts/run.sh builds it"
build/maclane --reference >build/docs/reference.md
if [[ -d $results ]]; then
  scripts/facts.py --results "$results" >build/docs/facts.md
else
  scripts/facts.py >build/docs/facts.md
fi
say "build/docs/reference.md, build/docs/facts.md"
