"""Rows: one figure each, whatever measured it, and how the JSON of each program becomes rows."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ELSEWHERE = json.loads((Path(__file__).parent / "elsewhere.json").read_text(encoding="utf-8"))
MORE_IS_BETTER = ("two-workers",)
RULES_MOST = 1.05  # what 1000 rules may cost, in times 25 rules


@dataclass
class Row:
    part: str
    id: str
    title: str
    value: float | None  # None: missing
    unit: str = "ticks"
    goal: float | None = None
    vpp: str = ""
    grout: str = ""
    missing: str = ""
    more_is_better: bool = False
    raw: dict[str, Any] = field(default_factory=dict)  # as the program wrote it

    @property
    def key(self) -> str:
        return f"{self.part} {self.id}"

    @property
    def ratio(self) -> float | None:
        return self.value / self.goal if self.value is not None and self.goal else None

    @property
    def disturbed(self) -> bool:
        """Something else had the core meanwhile; a router that costs less than none says the same."""
        below_zero = self.value is not None and self.value <= 0 and self.unit == "ticks"
        return below_zero or "DISTURBED" in self.raw.get("note", "")

    def as_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"part": self.part, "id": self.id, "title": self.title, "value": self.value,
                                  "unit": self.unit}
        optional = {"goal": self.goal, "ratio": self.ratio, "vpp": self.vpp, "grout": self.grout,
                    "missing": self.missing, "disturbed": self.disturbed, "more_is_better": self.more_is_better, "raw": self.raw}
        return fields | {name: value for name, value in optional.items() if value}


def load(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def path_rows(part: str, file: Path) -> list[Row]:
    """Any row that path_bench wrote, known here or not."""
    rows = []
    for raw in load(file):
        name = str(raw["id"])
        value = raw.get("ticks", raw.get("value"))
        rows.append(Row(part, name, raw.get("title", name), None if value is None else float(value),
                        raw.get("unit", "ticks"), float(raw.get("goal") or 0) or None,
                        ELSEWHERE["vpp"].get(name, ""), ELSEWHERE["grout"].get(name, ""),
                        str(raw.get("missing", "" if value is not None else "the row holds no figure")),
                        raw.get("better") == "more" or name in MORE_IS_BETTER, raw))
    found = {row.id: row for row in rows}
    few, many = found.get("nat-10k"), found.get("nat-10k-1000r")
    if few and many and few.value and many.goal is None:
        many.goal = RULES_MOST * few.value
    return rows


def google_rows(part: str, file: Path, counter: str) -> list[Row]:
    """Of repetitions their median, else each run."""
    rows: list[Row] = []
    for raw in load(file)["benchmarks"]:
        aggregate = raw.get("aggregate_name")
        name = raw.get("run_name", raw["name"]).removesuffix("/manual_time").replace("/manual_time/", "/")
        if raw.get("error_occurred"):
            if not any(row.id == name for row in rows):
                rows.append(Row(part, name, name, None, missing=raw.get("error_message", "it failed")))
            continue
        if aggregate not in (None, "median") or counter not in raw:
            continue
        more = {key: raw[key] for key in ("candidates", "tries", "failed_percent", "iterations")
                if key in raw}
        rows.append(Row(part, name, name, float(raw[counter]), raw=more))
    return rows


def peer_rows(part: str, file: Path) -> list[Row]:
    """peers.py's rows and pktgen/run.py's."""
    rows = []
    for raw in load(file):
        value = raw.get("ticks_per_packet")
        rows.append(Row(part, raw["name"], raw.get("what", raw["name"]), value,
                        missing=raw.get("missing", ""), raw=raw))
    return rows
