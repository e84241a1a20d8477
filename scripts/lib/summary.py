"""Adds up the result files of a test run; the last line says it all.

    python3 summary.py RESULTS_DIR

Result files: unit-*.json (unit.py), *.xml (pytest's junit), *.step ("ok" or "failed").
"""

import sys
import xml.etree.ElementTree as xml
from pathlib import Path

from unit import counts


def junit(path):
    """A report that cannot be read is a run that died: one failure."""
    found = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        suites = list(xml.parse(path).getroot().iter("testsuite"))
    except (OSError, xml.ParseError):
        return {**found, "failed": 1}
    for suite in suites:
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                found["failed"] += 1
            elif case.find("skipped") is not None:
                found["skipped"] += 1
            else:
                found["passed"] += 1
    return found


def main():
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        if path.suffix == ".json":
            found = counts(path)
        elif path.suffix == ".xml":
            found = junit(path)
        elif path.suffix == ".step":
            ok = path.read_text().strip() == "ok"
            found = {"passed": int(ok), "failed": int(not ok), "skipped": 0}
        else:
            continue
        for key, value in found.items():
            total[key] += value
        if found["failed"]:
            print(f"failed: {path.stem} ({found['failed']})")
    line = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        line += f", {total['skipped']} skipped"
    print(line, flush=True)
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
