#!/usr/bin/env python3
"""Which test shows which fact: a Markdown table from the tests themselves.

    scripts/facts.py [LIST...]                     the table; LIST: files of tests/facts, all of them by default
    scripts/facts.py --results DIR [LIST...]       the same with what a run of the tests left in DIR
    scripts/facts.py --check [LIST...]             only whether each fact has a test or a reason why not

A test names facts by their ids (B-17, N-28) in its body or in the comment right above it. A list has a line
"ID sentence" for each fact and, where no test can show one, "ID! reason". Exits 1 if a fact has neither, if a
reason stands beside a test, or if a test names an id no list has.
"""

import argparse
import json
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

INTRODUCTION = """# What is shown, and by which test

Facts of RouterOS's behaviour and requirements of the RFCs, as the tests name them; with {}."""
ROOT = Path(__file__).resolve().parents[1]
IDS = re.compile(r"\b([A-Z])-(\d+)(?:\s*(?:\.\.\.?|to)\s*(?:[A-Z]-)?(\d+))?(?![\w-])")
GTEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\((\w+),\s*(\w+)\)(.*)$")
PYTEST = re.compile(r"^( *)def (test_\w+)\(")


def ids_in(text):
    """Every fact id a text names; "N-3..N-5" are three."""
    found = set()
    for letter, first, last in IDS.findall(text):
        found.update(f"{letter}-{n}" for n in range(int(first), int(last or first) + 1))
    return found


def comment_above(lines, at, mark):
    """The comment lines right above line `at`."""
    said = []
    at -= 1
    while at >= 0 and lines[at].lstrip().startswith(mark):
        said.append(lines[at])
        at -= 1
    return "\n".join(said)


def body(lines, at, end):
    """A test from its first line to the line that is `end` (gtest) or to the next of its depth (Python)."""
    stop = at + 1
    while stop < len(lines) and not end(lines[stop]):
        stop += 1
    return "\n".join(lines[at:stop])


def gtests(path):
    lines = path.read_text().splitlines()
    for at, line in enumerate(lines):
        match = GTEST.match(line)
        if match:
            name = f"{match[1]}.{match[2]}"
            text = comment_above(lines, at, "//") + "\n" + body(lines, at, lambda l: l.startswith("}"))
            yield name, ids_in(text)


def pytests(path):
    lines = path.read_text().splitlines()
    for at, line in enumerate(lines):
        match = PYTEST.match(line)
        if match:
            depth = len(match[1])

            def ends(text, depth=depth):
                return text.strip() != "" and len(text) - len(text.lstrip()) <= depth and not text.lstrip().startswith(")")

            start = at
            while start and lines[start - 1].startswith(match[1] + "@"):
                start -= 1
            text = comment_above(lines, start, "#") + "\n" + body(lines, at, ends)
            yield f"{path.stem}.{match[2]}", ids_in(text)


def cases(path):
    yield f"golden {path.parent.name}", ids_in(path.read_text())


def tests_by_fact():
    """{fact id: names of the tests that say they show it}."""
    found = {}
    tests = ROOT / "tests"
    for pattern, reader in (("**/*_test.cpp", gtests), ("**/test_*.py", pytests), ("golden/cases/*/case.txt", cases)):
        for path in sorted(tests.glob(pattern)):
            for name, ids in reader(path):
                for one in ids:
                    found.setdefault(one, []).append(name)
    return found


def facts_of(path):
    """[(id, sentence)], {id: reason} of a list."""
    facts, reasons = [], {}
    for line in path.read_text().splitlines():
        match = re.match(r"([A-Z]-\d+)(!?) (.+)", line)
        if match and match[2]:
            reasons[match[1]] = match[3]
        elif match:
            facts.append((match[1], match[3]))
    return facts, reasons


def outcomes(folder):
    """{test: passed, failed or skipped} of a run's result files."""
    found = {}

    def note(name, outcome):
        worst = ("failed", "skipped", "passed")
        found[name] = min(found.get(name, "passed"), outcome, key=worst.index)

    for path in Path(folder).glob("unit-*.json"):
        for suite in json.loads(path.read_text()).get("testsuites", []):
            for case in suite.get("testsuite", []):
                if case.get("status") != "NOTRUN":
                    name = f"{suite['name'].split('/')[-2 if '/' in suite['name'] else -1]}.{case['name'].split('/')[0]}"
                    outcome = "failed" if case.get("failures") else case.get("result", "").lower()
                    note(name, {"failed": "failed", "skipped": "skipped"}.get(outcome, "passed"))
    for path in Path(folder).glob("*.xml"):
        for case in xml.parse(path).getroot().iter("testcase"):
            failed = case.find("failure") is not None or case.find("error") is not None
            outcome = "failed" if failed else "skipped" if case.find("skipped") is not None else "passed"
            parameter = re.search(r"\[(.+)\]$", case.get("name", ""))
            note(f"{case.get('classname', '').split('.')[-1]}.{case.get('name', '').split('[')[0]}", outcome)
            if parameter and "golden" in case.get("classname", ""):
                note(f"golden {parameter[1]}", outcome)
    return found


def verdict(names, ran, reason):
    """What a run says of a fact: passed, failed, not run, or why no test shows it."""
    if not names:
        return f"not shown: {reason}" if reason else "nothing"
    failed = [name for name in names if ran.get(name) == "failed"]
    if failed:
        return "failed: " + "<br>".join(failed)
    return "passed" if any(ran.get(name) == "passed" for name in names) else "not run"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("lists", nargs="*", type=Path)
    options = parser.parse_args()
    shown = tests_by_fact()
    ran = outcomes(options.results) if options.results else {}
    wrong = []
    if not options.check:
        print(INTRODUCTION.format("the results of the last run of the tests" if ran else "no results, as no run of the tests is there"))
    for path in options.lists or sorted((ROOT / "tests/facts").glob("*.txt")):
        facts, reasons = facts_of(path)
        known = {one for one, _ in facts}
        letters = {one[0] for one in known}
        wrong += [f"{path.name} has no {one}, which {shown[one][0]} names" for one in sorted(shown)
                  if one[0] in letters and one not in known]
        wrong += [f"{path.name} gives a reason for {one}, which is not in it" for one in sorted(set(reasons) - known)]
        if not options.check:
            print(f"\n## {path.stem.capitalize()}\n\n| id | what | {'result | ' if ran else ''}shown by |")
            print("|---|---|---|---|" if ran else "|---|---|---|")
        for one, sentence in facts:
            names = shown.get(one, [])
            if names and one in reasons:
                wrong.append(f"{one} has a reason why no test shows it, and {names[0]} does")
            if not names and one not in reasons:
                wrong.append(f"{one} ({sentence}) has neither a test that names it nor a reason in {path.name}")
            if not options.check:
                said = [f"{name}{': ' + ran[name] if ran.get(name, 'passed') != 'passed' else ''}" for name in names]
                result = f"{verdict(names, ran, reasons.get(one))} | " if ran else ""
                by = "<br>".join(said) or ("" if ran else f"nothing: {reasons.get(one, 'no reason is given')}")
                print(f"| {one} | {sentence} | {result}{by} |")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
