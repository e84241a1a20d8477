"""Runs the unit tests of a build folder and leaves one result file each.

    python3 unit.py BUILD_DIR RESULTS_DIR [GTEST_FILTER]

Two at a time, each gtest binary with --gtest_output=json. What failed is shown in full; a binary
that dies counts as one failure, as does a test that is no gtest and exits non-zero.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TIMEOUT = 1800


def tests_of(build):
    listed = subprocess.run(
        ["meson", "introspect", "--tests", build], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(listed.stdout)


def run(test, results, label, pattern):
    name = test["name"].replace("/", "-").replace(" ", "-")
    report = Path(results) / f"unit-{label}-{name}.json"
    command = list(test["cmd"]) + [f"--gtest_output=json:{report}", "--gtest_brief=1"]
    if pattern:
        command.append(f"--gtest_filter={pattern}")
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(test["env"] if isinstance(test["env"], dict) else {})},
            cwd=test.get("workdir") or None,
            timeout=TIMEOUT,
            check=False,
        )
        code, output = done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        code, output = -1, (late.stdout or b"").decode(errors="replace") + "\nran out of time\n"
    counted = counts(report)
    if code != 0 and counted["failed"] == 0:
        # It died, or it is no gtest.
        report.write_text(json.dumps({"died": name, "code": code}))
        counted = {"passed": 0, "failed": 1, "skipped": 0}
    elif not report.exists():
        report.write_text(json.dumps({"plain": name}))
        counted = {"passed": 1, "failed": 0, "skipped": 0}
    return test["name"], code, output, counted


def counts(report):
    """What a result file says."""
    found = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        said = json.loads(Path(report).read_text())
    except (OSError, ValueError):
        return found
    if "died" in said:
        found["failed"] = 1
    if "plain" in said:
        found["passed"] = 1
    for suite in said.get("testsuites", []):
        for case in suite.get("testsuite", []):
            if case.get("status") == "NOTRUN":
                continue  # left out by the filter
            if case.get("failures"):
                found["failed"] += 1
            elif case.get("result") == "SKIPPED":
                found["skipped"] += 1
            else:
                found["passed"] += 1
    return found


def main():
    build, results = sys.argv[1:3]
    pattern = sys.argv[3] if len(sys.argv) > 3 else ""
    label = Path(build).name
    bad = 0
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(run, test, results, label, pattern) for test in tests_of(build)]
        for job in jobs:
            name, code, output, counted = job.result()
            if code == 0 and not any(counted.values()):
                continue  # the filter left nothing of it
            if code == 0 and counted["failed"] == 0:
                skipped = f", {counted['skipped']} skipped" if counted["skipped"] else ""
                print(f"  {name}: {counted['passed']} passed{skipped}", flush=True)
            else:
                bad += 1
                print(f"  {name}: FAILED (exit {code})\n{output}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
