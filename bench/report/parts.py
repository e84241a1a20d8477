"""The programs that measure: how each is run, and what comes of it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from rows import Row, google_rows, path_rows, peer_rows
from machine import Conditions, Moment

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
LONGEST = 1800  # seconds that a program may take


@dataclass
class Settings:
    build: Path
    cpu: int
    quick: bool

    @property
    def results(self) -> Path:
        """What the programs write and say, kept until the next run."""
        return self.build / "bench-results"


@dataclass
class Part:
    name: str
    title: str
    command: Callable[[Settings, Path], list[str]]
    read: Callable[[str, Path], list[Row]]
    cases: Callable[[Settings], list[str]] | None = None  # options that measure one case each


@dataclass
class Result:
    name: str
    commands: list[str]
    seconds: float = 0
    missing: str = ""
    conditions: Conditions | None = None
    rows: list[Row] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        conditions = self.conditions.as_json() if self.conditions else {}
        return {"name": self.name, "commands": self.commands, "seconds": round(self.seconds, 1),
                "missing": self.missing} | conditions


def _path(settings: Settings, file: Path) -> list[str]:
    # A session's first packet after its answer is judged anew. As many packets as the largest table has
    # sessions leave that behind; quick has not the time, and its rows of millions are too high by it.
    counts = ["--trials", "3"] if settings.quick else ["--packets", "4194304", "--trials", "7"]
    return [str(settings.build / "bench/path_bench"), "--cpu", str(settings.cpu), *counts, "--json", str(file)]


def _path_cases(settings: Settings) -> list[str]:
    listed = subprocess.run([settings.build / "bench/path_bench", "--list"], capture_output=True, text=True,
                            check=False, timeout=60).stdout
    return [line.split()[0] for line in listed.splitlines() if line.strip()]


def _micro(settings: Settings, file: Path) -> list[str]:
    counts = (["--benchmark_repetitions=3", "--benchmark_min_time=0.01",
               "--benchmark_filter=-sessions:10000000"] if settings.quick else
              ["--benchmark_repetitions=5", "--benchmark_min_time=0.1"])
    return [str(settings.build / "bench/micro/micro_bench"), "--cpu", str(settings.cpu), *counts,
            f"--benchmark_out={file}", "--benchmark_out_format=json"]


def _filter(settings: Settings, file: Path) -> list[str]:
    counts = (["--benchmark_min_time=0.02"] if settings.quick else
              ["--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true"])
    return ["taskset", "-c", str(settings.cpu), str(settings.build / "bench/filter/filter_bench"),
            "--benchmark_filter=Walk", *counts, f"--benchmark_out={file}", "--benchmark_out_format=json"]


def _script(script: str) -> Callable[[Settings, Path], list[str]]:
    def command(settings: Settings, file: Path) -> list[str]:
        return [PYTHON, str(ROOT / script), "--cpu", str(settings.cpu), "--build", str(settings.build),
                *(["--quick"] if settings.quick else []), "--json", str(file)]
    return command


PARTS = (
    Part("path", "the whole path of a worker", _path, path_rows, _path_cases),
    Part("micro", "stages and tables", _micro, lambda part, file: google_rows(part, file, "ticks")),
    Part("filter", "the rules, for a new flow", _filter,
         lambda part, file: google_rows(part, file, "tsc")),
    Part("peers", "testpmd, the kernel, and ourselves by af_packet", _script("bench/peers/peers.py"),
         peer_rows),
    Part("pktgen", "the daemon over memif", _script("bench/pktgen/run.py"), peer_rows),
)


def _stop(process: subprocess.Popen[str]) -> None:
    """Lets it put back what it took, as Ctrl-C would."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        process.send_signal(sign)
        try:
            process.wait(30)
            return
        except subprocess.TimeoutExpired:
            continue


def _run(words: list[str], log: Path) -> str:
    """Runs a program; "" or why it is of no use."""
    try:
        with open(log, "a", encoding="utf-8") as out:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, text=True,
                                       env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})
    except OSError as why:
        return f"{words[0]} does not start: {why.strerror}"
    watchdog = threading.Timer(LONGEST, lambda: process.send_signal(signal.SIGTERM))
    watchdog.start()
    try:
        code = process.wait()
    except BaseException:
        _stop(process)
        raise
    finally:
        watchdog.cancel()
    if code == 0:
        return ""
    said = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
            if line.strip()]
    return f"exit {code}: {said[-1] if said else 'it said nothing'}"


def _measure(part: Part, settings: Settings, words: list[str], file: Path, log: Path) -> tuple[list[Row], str]:
    file.unlink(missing_ok=True)
    program = next((word for word in words if word.startswith(f"{settings.build}/bench/")), None)
    if program is not None and not Path(program).exists():
        return [], f"{program} is not built; scripts/bench.sh builds it, and says why if it cannot"
    why = _run(words, log)
    try:
        return part.read(part.name, file), why
    except (OSError, ValueError, LookupError, TypeError) as broken:
        return [], why or f"its figures cannot be read: {broken}"


def run(part: Part, settings: Settings) -> Result:
    """Measures; never raises because of what a program does."""
    settings.results.mkdir(parents=True, exist_ok=True)
    file, log = settings.results / f"{part.name}.json", settings.results / f"{part.name}.log"
    log.unlink(missing_ok=True)
    words = part.command(settings, file)
    result = Result(part.name, [" ".join(words)])
    before, began = Moment.now(settings.build, settings.cpu), monotonic()
    result.rows, result.missing = _measure(part, settings, words, file, log)
    if not result.rows and result.missing and part.cases is not None and Path(words[0]).exists():
        # One case that gives up takes the others' figures along: each by itself.
        for case in part.cases(settings):
            found, why = _measure(part, settings, [*words, "--case", case], file, log)
            result.commands.append(" ".join([*words, "--case", case]))
            result.rows += found or [Row(part.name, case, case, None, missing=why)]
        if any(row.value is not None for row in result.rows):
            result.missing = ""
    result.seconds = monotonic() - began
    result.conditions = Conditions.between(before, Moment.now(settings.build, settings.cpu))
    return result
