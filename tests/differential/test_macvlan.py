"""The kernel's macvlan beside ours: what every endpoint received must be equal.

One run of each world over all cells; then one test per source, destination and protocol, which
compares all its tags. What is listed in macvlan_cells.DIFFERENCES may differ, and must.
"""

from itertools import groupby

import pytest

from lab import Lab
from macvlan_cells import DIFFERENCES, Cell, cells
from macvlan_worlds import MACS, Kernel, Ours, Unlucky, play

CELLS = cells()
ENDPOINTS = ("wire", "m1", "m2", "p1", "p2")


def group_of(cell):
    return f"{cell.source} -> {cell.destination}, {cell.protocol}"


GROUPS = {name: list(found) for name, found in groupby(sorted(CELLS, key=group_of), group_of)}


@pytest.fixture(scope="module")
def lab():
    with Lab() as made:
        yield made


@pytest.fixture(scope="module")
def kernel(lab):
    made = lab.namespace("probe").ip("link", "add", "m", "link", "lo", "type", "macvlan",
                                     check=False)
    if "Unknown device type" in made.stderr or "not supported" in made.stderr:
        pytest.skip("this kernel has no macvlan to compare with")
    return play(Kernel(lab), CELLS)


@pytest.fixture(scope="module")
def ours():
    for _ in range(50):
        with Lab() as made:
            try:
                return play(Ours(made), CELLS)
            except Unlucky:
                pass  # a new start has another hash
    raise AssertionError("our macvlans go on hearing groups nobody joined")


def plain(values):
    """Group addresses outside the known ones as one word."""
    known = set(MACS.values())
    out = []
    for value in values:
        words = [
            "unjoined-group" if word.startswith("01:00:5e") and word not in known else word
            for word in value.split(" ")
        ]
        out.append(" ".join(words))
    return sorted(out)


def differing(cell, kernel, ours):
    """Endpoints at which the worlds differ."""
    return {
        endpoint: (
            plain(kernel.get((cell.number, endpoint), [])),
            plain(ours.get((cell.number, endpoint), [])),
        )
        for endpoint in ENDPOINTS
        if plain(kernel.get((cell.number, endpoint), []))
        != plain(ours.get((cell.number, endpoint), []))
    }


@pytest.mark.parametrize("name", GROUPS)
def test_same_as_the_kernel(name, kernel, ours):
    problems = []
    for cell in GROUPS[name]:
        for endpoint, (theirs, mine) in differing(cell, kernel, ours).items():
            if not any(known.covers(cell, endpoint) for known in DIFFERENCES):
                problems.append(f"{cell} at {endpoint}:\n  kernel {theirs}\n  ours   {mine}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("known", DIFFERENCES, ids=lambda known: known.reason[:40])
def test_listed_difference_is_still_one(known, kernel, ours):
    assert any(
        known.covers(cell, endpoint)
        for cell in CELLS
        for endpoint in differing(cell, kernel, ours)
    ), f"no longer a difference, take it out of the list: {known.reason}"


def test_what_the_parent_sends(kernel, ours):
    assert ours["parent"] == kernel["parent"]


# The kernel half by itself: the oracle says what behaviour.md says it does. ----------------------

# (source, destination, protocol) untagged -> the endpoints that received the frame.
KNOWN = {
    ("wire:stranger", "m1", "raw"): {"m1"},
    ("wire:stranger", "parent", "raw"): set(),
    ("wire:stranger", "unknown", "raw"): set(),
    ("wire:m1", "m1", "raw"): {"m1"},
    ("m1", "m2", "raw"): {"m2"},
    ("m1", "m3 (down)", "raw"): {"wire"},
    ("m1", "p1", "raw"): {"wire"},
    ("p1", "p2", "raw"): {"wire"},
    ("p1", "m1", "raw"): {"wire"},
    ("m1", "parent", "raw"): {"wire"},
    ("m1", "unknown", "raw"): {"wire"},
    ("wire:p1", "p2", "raw"): {"p2"},
    ("wire:stranger", "broadcast", "raw"): {"m1", "m2", "p1", "p2"},
    ("wire:stranger", "group joined by m1", "raw"): {"m1"},
    ("wire:stranger", "group nobody joined", "raw"): set(),
    ("m1", "broadcast", "raw"): {"m2", "wire"},
    ("p1", "broadcast", "raw"): {"wire"},
    ("wire:m1", "broadcast", "raw"): set(),
    ("wire:p1", "broadcast", "raw"): {"p1"},
    ("wire:parent", "broadcast", "raw"): {"m1", "m2", "p1", "p2"},  # A-43b
    ("wire:stranger", "all hosts", "raw"): {"m1", "m2", "p1", "p2"},
    ("wire:stranger", "stp", "raw"): set(),
    ("wire:stranger", "broadcast", "pause frame"): set(),
}


@pytest.mark.parametrize("key", KNOWN, ids=lambda key: " ".join(key))
def test_the_oracle_is_the_one_described(key, kernel):
    (cell,) = (
        cell
        for cell in CELLS
        if (cell.source, cell.destination, cell.protocol, cell.tag) == (*key, "untagged")
    )
    got = {endpoint for endpoint in ENDPOINTS if kernel.get((cell.number, endpoint))}
    assert got == KNOWN[key]


def test_the_oracle_parent_sends_to_the_wire_only(kernel):
    assert kernel["parent"] == {"question": {"wire"}, "unicast": {"wire"}}


def test_cells_are_counted_once():
    assert len({str(cell) for cell in CELLS}) == len(CELLS) > 1800
    assert isinstance(CELLS[0], Cell)
