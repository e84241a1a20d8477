"""How many times the kernel's macvlan with masquerade costs what our path does."""

from collections.abc import Sequence

from rows import Row

GOAL = 15.0
KERNEL = (("kernel-macvlan-masquerade-50k", "no filter rules"),
          ("kernel-macvlan-masquerade-rules-50k", "25 stateful rules"))
OURS = "nat-64k"
AF_PACKET = ("ours-macvlan-masquerade-rules-50k", "kernel-macvlan-masquerade-rules-50k")


def _find(rows: Sequence[Row], part: str, name: str) -> Row | None:
    return next((row for row in rows if row.part == part and row.id == name
                 and row.value is not None and row.value > 0), None)


def _mark(*rows: Row) -> str:
    return "; DISTURBED, measure again" if any(row.disturbed for row in rows) else ""


def kernel_rows(rows: Sequence[Row]) -> list[Row]:
    """The ratios, each with the two figures it is made of in its title."""
    ours = _find(rows, "path", OURS)
    made: list[Row] = []
    for name, words in KERNEL:
        kernel = _find(rows, "peers", name)
        if ours is None or ours.value is None or kernel is None or kernel.value is None:
            lack = f"path {OURS}" if ours is None else f"peers {name} above 0"
            made.append(Row("kernel", f"kernel-ratio-{name}", f"{name} divided by our path at 64k", None,
                            "times", missing=f"there is no figure for {lack}"))
            continue
        for what, figure in (("all-in", kernel.raw.get("all_in_ticks")), ("router part", kernel.value)):
            if figure is None:
                continue
            suffix = "" if what == "all-in" else "-router"
            title = (f"{name} ({words}, 50k flows), {what}, {figure:.0f} ticks, divided by our in-process path "
                     f"{OURS} (25 rules, 64k sessions), {ours.value:.1f} ticks{_mark(kernel)}")
            made.append(Row("kernel", f"{name}{suffix}", title, figure / ours.value, "times",
                            None if suffix else GOAL, more_is_better=True))
    made += _like_for_like(rows)
    return made


def _like_for_like(rows: Sequence[Row]) -> list[Row]:
    """Both on the same veths: what af_packet leaves of it."""
    ours, kernel = (_find(rows, "peers", name) for name in AF_PACKET)
    if ours is None or ours.value is None or kernel is None or kernel.value is None:
        return [Row("kernel", "like-for-like", "kernel and ourselves on the same veths, af_packet", None, "times",
                    missing="there is no figure for " + " or ".join(AF_PACKET))]
    made = []
    pairs = (("all-in", kernel.raw.get("all_in_ticks"), ours.raw.get("all_in_ticks")),
             ("router part", kernel.value, ours.value))
    for what, theirs, own in pairs:
        if theirs is None or own is None or own <= 0:
            continue
        title = (f"like for like on the same veths, {what}: {AF_PACKET[1]}, {theirs:.0f} ticks, divided by "
                 f"{AF_PACKET[0]} (af_packet), {own:.0f} ticks{_mark(ours, kernel)}")
        made.append(Row("kernel", f"like-for-like-{what.split()[0]}", title, theirs / own, "times",
                        more_is_better=True))
    return made
