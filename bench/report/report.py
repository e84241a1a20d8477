#!/usr/bin/python3
"""Runs the benchmarks that are built, prints their tables and writes the same as JSON.

scripts/bench.sh builds and calls this; it never fails because something is slow.
"""

import argparse
import datetime
import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

import against
import machine
import show
from parts import PARTS, ROOT, Result, Settings, run
from ratio import kernel_rows
from rows import Row


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0], prog="scripts/bench.sh")
    parser.add_argument("--quick", action="store_true", help="one minute: shorter trials, fewer rows")
    parser.add_argument("--json", type=Path, help="where the figures go (default: BUILD/bench.json)")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compares with an earlier JSON, by ratio")
    parser.add_argument("--only", action="append", choices=[part.name for part in PARTS],
                        help="only this part (several times: these)")
    parser.add_argument("--build", type=Path, default=ROOT / "build-bench", help="the build folder")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)),
                        help="the core to measure on (default: the last)")
    parser.add_argument("--note", action="append", default=[], help="a sentence for the JSON")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.json = options.json or options.build / "bench.json"
    if options.cpu not in os.sched_getaffinity(0):
        parser.error(f"CPU {options.cpu} may not be used by this process")
    return options


def earlier_report(path: Path | None) -> dict[str, Any] | None:
    """Before anything is measured, or minutes would be lost on a misspelt name."""
    if path is None:
        return None
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return report if {"rows", "date", "commit", "machine"} <= report.keys() else sys.exit(
            f"bench: {path} was not written by scripts/bench.sh")
    except (OSError, ValueError, AttributeError) as why:
        sys.exit(f"bench: {path} cannot be read: {why}")


def measure(options: argparse.Namespace) -> list[Result]:
    settings = Settings(options.build, options.cpu, options.quick)
    results = []
    for part in PARTS:
        if options.only and part.name not in options.only:
            continue
        print(f"measuring {part.title} ...", file=sys.stderr, flush=True)
        result = run(part, settings)
        if result.missing:
            print(f"  {part.name} is missing: {result.missing}", file=sys.stderr, flush=True)
        results.append(result)
    return results


def tables(results: list[Result], kernel: list[Row]) -> None:
    by_part = {result.name: result.rows for result in results}
    if "path" in by_part:
        show.main_table(by_part["path"])
    if kernel:
        show.kernel_lines(kernel)
    if by_part.get("peers"):
        show.peer_table("peers, one core", by_part["peers"])
    if by_part.get("pktgen"):
        show.peer_table("the daemon over memif", by_part["pktgen"])
    if by_part.get("micro"):
        show.micro_table(by_part["micro"])
    if by_part.get("filter"):
        show.filter_table(by_part["filter"])
    show.conditions(results)


def write(path: Path, report: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    new.replace(path)
    print(f"\nwritten to {path}")


def main() -> int:
    options = arguments()
    earlier = earlier_report(options.against)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what the parts took is put back
    clock = machine.Moment.now(options.build, options.cpu)
    report: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": machine.commit(ROOT),
        "command": shlex.join(["scripts/bench.sh", *sys.argv[1:]]),
        "quick": options.quick,
        "machine": machine.describe(options.cpu) | {"tsc_hz": clock.tsc_hz,
                                                    "cycles_per_tick": clock.cycles_per_tick},
        "compiler": machine.compiler(options.build),
        "notes": options.note,
    }
    results = measure(options)
    rows = [row for result in results for row in result.rows]
    both = {"path", "peers"} <= {result.name for result in results}
    kernel = kernel_rows(rows) if both else []
    rows += kernel
    show.header(report)
    tables(results, kernel)
    for note in options.note:
        print(note)
    report["parts"] = [result.as_json() for result in results]
    report["rows"] = [row.as_json() for row in rows]
    if earlier is not None:
        report["against"] = {"file": str(options.against),
                             "rows": against.compare(rows, report, earlier, str(options.against))}
    write(options.json, report)
    if any(row.value is not None for row in rows):
        return 0
    print("bench: nothing could be measured", file=sys.stderr)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nbench: interrupted")
