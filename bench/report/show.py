"""The tables as text."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from parts import Result
from rows import ELSEWHERE, RULES_MOST, Row

WIDTH = 110
BURSTS = ("1", "16", "64")


def figure(value: float | None, unit: str = "ticks") -> str:
    if value is None:
        return "missing"
    text = f"{value:.2f}" if unit == "times" else f"{value:.1f}" if abs(value) < 10000 else f"{value:,.0f}"
    return text if unit == "ticks" else f"{text} {unit}"


def wrapped(text: str) -> None:
    print(textwrap.fill(text, WIDTH, subsequent_indent="    "))


def line(row: Row) -> None:
    goal = "-" if row.goal is None else figure(row.goal, row.unit)
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}" + (" ^" if row.more_is_better else "")
    print(f"{row.title[:66]:66} {figure(row.value, row.unit):>12} {goal:>10} {ratio:>7} "
          f"{row.vpp or '-':>10} {row.grout or '-':>6}")
    if row.missing:
        wrapped(f"    {row.missing}")


def main_table(rows: Sequence[Row]) -> None:
    print(f"\n{'case (TSC ticks per packet, where no other unit stands)':66} {'measured':>12} {'goal':>10} "
          f"{'ratio':>7} {'VPP':>10} {'grout':>6}")
    for row in rows:
        line(row)
    print("ratio: measured / goal; where ^ stands more is better")
    wrapped(f"VPP, grout: {ELSEWHERE['note']}")
    ids = {row.id for row in rows}
    notes = ELSEWHERE["unlike"] | {"nat-10k-1000r": f"the goal is {RULES_MOST} times the row with 25 rules"}
    for name, words in notes.items():
        if name in ids:
            print(f"    {name}: {words}")


def kernel_lines(rows: Sequence[Row]) -> None:
    print("\nThe kernel, in times ours")
    for row in rows:
        goal = f"  (goal {row.goal:.0f})" if row.goal else ""
        wrapped(f"{row.value:7.1f}  {row.title}{goal}" if row.value is not None else
                f"missing  {row.title}: {row.missing}")
    wrapped("The kernel's all-in holds the flooder and the veths, its router part the veth to the sink; our path "
            "holds neither generator nor a kernel's device. The like-for-like rows hold the same for both.")


def peer_table(title: str, rows: Sequence[Row]) -> None:
    print(f"\n{title:44} {'Mpps':>8} {'all-in ns':>10} {'router ns':>10} {'ticks':>10}")
    def cell(row: Row, name: str, digits: int) -> str:
        return f"{row.raw[name]:.{digits}f}" if name in row.raw else "-"
    for row in rows:
        if row.value is None:
            wrapped(f"{row.id:44}  missing: {row.missing}")
            continue
        mark = " *" if row.disturbed else ""
        print(f"{row.id:44} {cell(row, 'mpps', 3):>8} {cell(row, 'all_in_ns', 0):>10} "
              f"{cell(row, 'router_ns', 0):>10} {figure(row.value):>10}{mark}")
    if any(row.disturbed for row in rows):
        print("* something else used the core meanwhile: measure again on a quiet machine")


def micro_table(rows: Sequence[Row]) -> None:
    """A line a benchmark, the bursts side by side."""
    lines: dict[str, dict[str, Row]] = {}
    for row in rows:
        burst = re.search(r"/burst:(\d+)", row.id)
        lines.setdefault(re.sub(r"/burst:\d+", "", row.id), {})[burst[1] if burst else ""] = row
    print(f"\n{'stages and tables, ticks per packet in bursts of':56}"
          + "".join(f"{burst:>10}" for burst in BURSTS) + f"{'any':>10}")
    for name, by_burst in lines.items():
        cells = [figure(by_burst[burst].value) if burst in by_burst else "-" for burst in (*BURSTS, "")]
        print(f"{name:56}" + "".join(f"{cell:>10}" for cell in cells))
        for why in dict.fromkeys(row.missing for row in by_burst.values() if row.missing):
            print(f"    {why}")


def filter_table(rows: Sequence[Row]) -> None:
    print(f"\n{'rules asked for a new flow':56}{'ticks':>10}{'looked at':>10}")
    for row in rows:
        looked = f"{row.raw['candidates']:.1f}" if "candidates" in row.raw else "-"
        print(f"{row.id:56}{figure(row.value):>10}{looked:>10}")


def header(report: dict[str, Any]) -> None:
    machine, compiler = report["machine"], report["compiler"]
    caches = ", ".join(f"{name} {size}" for name, size in machine["caches"].items())
    wrapped(f"{report['date']}, commit {report['commit']}; {machine['cpu_model']}, {machine['cores']} cores "
            f"({machine['virtual']}), {caches}; Linux {machine['kernel']}; TSC "
            f"{(machine['tsc_hz'] or 0) / 1e6:.0f} MHz, {machine['cycles_per_tick'] or 0:.2f} core cycles a tick; "
            f"{machine['huge_pages_2mb']['free']} of {machine['huge_pages_2mb']['total']} huge pages free; "
            + (compiler.get("missing") or
               f"{compiler['version']}, {compiler['buildtype']}, {compiler['flags']}"))


def conditions(results: Iterable[Result]) -> None:
    print(f"\n{'part':10} {'seconds':>8} {'cycles a tick, before':>22} {'after':>6} {'steal %':>8}")
    for result in results:
        state = result.conditions
        if state is None:
            continue
        before, after = (f"{x:.2f}" if x else "-" for x in
                         (state.cycles_per_tick_before, state.cycles_per_tick_after))
        print(f"{result.name:10} {result.seconds:8.1f} {before:>22} {after:>6} {state.steal_percent:8.1f}"
              + (f"  {state.warning}" if state.warning else ""))
        if result.missing:
            wrapped(f"    missing: {result.missing}")
