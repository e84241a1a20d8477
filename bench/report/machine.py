"""What a figure depends on beside the code: machine, clock, compiler."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MOVED = 0.03  # a clock that moves by more makes figures of one run hard to compare


def output(*words: str, cwd: Path | None = None) -> str:
    """What a program prints; empty if it does not run."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, cwd=cwd).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def cpu_model() -> str:
    found = re.search(r"^model name\s*:\s*(.*)$", read("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else os.uname().machine


def caches(cpu: int) -> dict[str, str]:
    """{"L2": "2048K"}; of the first level both."""
    found = {}
    for index in sorted(Path(f"/sys/devices/system/cpu/cpu{cpu}/cache").glob("index*")):
        kind = read(f"{index}/type")
        name = f"L{read(f'{index}/level')}" + {"Data": "d", "Instruction": "i"}.get(kind, "")
        found[name] = read(f"{index}/size")
    return found


def huge_pages() -> dict[str, int]:
    base = "/sys/kernel/mm/hugepages/hugepages-2048kB"
    return {name: int(read(f"{base}/{file}") or 0)
            for name, file in (("total", "nr_hugepages"), ("free", "free_hugepages"))}


def describe(cpu: int) -> dict[str, Any]:
    return {
        "cpu_model": cpu_model(),
        "cores": os.cpu_count(),
        "measured_on_cpu": cpu,
        "caches": caches(cpu),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "kernel": os.uname().release,
        "virtual": output("systemd-detect-virt", "--vm") or "no virtual machine known",
        "huge_pages_2mb": huge_pages(),
        "transparent_huge_pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "load_average": os.getloadavg()[0],
    }


def compiler(build: Path) -> dict[str, Any]:
    """From the build folder: a file of the dataplane stands for all."""
    try:
        commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        command = next(entry["command"] for entry in commands if "dataplane/stage" in entry["file"])
        options = json.loads((build / "meson-info/intro-buildoptions.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, StopIteration, KeyError):
        return {"missing": f"{build} says nothing of its compiler"}
    words = shlex.split(command)
    if Path(words[0]).name == "ccache":
        words.pop(0)
    flags = [word for word in words[1:] if word.startswith(("-O", "-m", "-f", "-std", "-g", "-DNDEBUG"))]
    named = {option["name"]: option["value"] for option in options}
    return {"version": output(words[0], "--version").split("\n", maxsplit=1)[0], "flags": " ".join(flags),
            "buildtype": named.get("buildtype"), "b_ndebug": named.get("b_ndebug"),
            "b_lto": named.get("b_lto")}


def commit(root: Path) -> str:
    name = output("git", "rev-parse", "--short=12", "HEAD", cwd=root)
    changed = output("git", "status", "--porcelain", "--untracked-files=no", cwd=root)
    return name + (" and changes" if changed else "")


@dataclass
class Moment:
    """The core and the hypervisor at one time."""
    tsc_hz: float | None
    cycles_per_tick: float | None
    stolen: int
    all: int

    @classmethod
    def now(cls, build: Path, cpu: int) -> "Moment":
        try:
            clock = json.loads(output(str(build / "bench/micro/core_clock"), str(cpu)))
        except ValueError:
            clock = {}
        fields = [int(word) for word in read("/proc/stat").split("\n", maxsplit=1)[0].split()[1:]]
        return cls(clock.get("tsc_hz"), clock.get("cycles_per_tick"), fields[7], sum(fields[:8]))


@dataclass
class Conditions:
    """How the machine was while a part ran."""
    cycles_per_tick_before: float | None
    cycles_per_tick_after: float | None
    steal_percent: float
    warning: str

    @classmethod
    def between(cls, before: Moment, after: Moment) -> "Conditions":
        steal = 100 * (after.stolen - before.stolen) / max(1, after.all - before.all)
        warnings = []
        if before.cycles_per_tick and after.cycles_per_tick:
            moved = after.cycles_per_tick / before.cycles_per_tick - 1
            if abs(moved) > MOVED:
                warnings.append(f"the core's clock moved by {100 * moved:+.0f} %")
        if steal > 1:
            warnings.append(f"{steal:.1f} % of the CPUs' time went to the hypervisor's others")
        return cls(before.cycles_per_tick, after.cycles_per_tick, steal, "; ".join(warnings))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
