"""This run and an earlier one, row by row."""

from collections.abc import Sequence
from typing import Any

from rows import Row
from show import WIDTH, figure, wrapped

SAME = ("cpu_model", "cores", "kernel")


def _names(title: str, only: Sequence[str], both: set[str]) -> None:
    """Parts that only one of the two has at all are named as a whole."""
    parts = dict.fromkeys(key.split()[0] for key in only if key.split()[0] not in both)
    names = [f"all of {part}" for part in parts] + [key for key in only if key.split()[0] in both]
    if names:
        wrapped(f"{title}: {', '.join(names)}")


def compare(rows: Sequence[Row], report: dict[str, Any], earlier: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Prints now / then for each row that both have."""
    then = {f"{row['part']} {row['id']}": row for row in earlier["rows"]}
    print(f"\nAgainst {name}: {earlier['date']}, commit {earlier['commit']}")
    for key in SAME:
        if earlier["machine"].get(key) != report["machine"].get(key):
            wrapped(f"Another {key}: {earlier['machine'].get(key)} then, {report['machine'].get(key)} now; "
                    "the ratios tell as much of that")
    if earlier.get("quick") != report.get("quick"):
        print("One of the two was --quick")
    print(f"{'':{WIDTH - 40}} {'then':>12} {'now':>12} {'now/then':>9}")
    made, only_now = [], []
    for row in rows:
        before = then.pop(row.key, None)
        if before is None or before["value"] is None or row.value is None:
            only_now.append(row.key)
            continue
        ratio = row.value / before["value"] if before["value"] > 0 and row.value > 0 else None
        made.append({"part": row.part, "id": row.id, "then": before["value"], "now": row.value, "ratio": ratio})
        more = " ^" if row.more_is_better else ""
        print(f"{row.key[:WIDTH - 40]:{WIDTH - 40}} {figure(before['value'], row.unit):>12} "
              f"{figure(row.value, row.unit):>12} {'-' if ratio is None else f'{ratio:.2f}':>9}{more}")
    _names("In one of the two only, or missing", [*only_now, *then], {row["part"] for row in made})
    return made
