"""clang-tidy over the project's own code, files that did not change left out.

    python3 tidy.py BUILD_DIR            all of them
    python3 tidy.py BUILD_DIR FILE...    only these

A file is looked at again when it, a header of ours that it includes, its compile command, or
.clang-tidy changed: a hash of all of these is kept where ccache keeps its own things. Two at a
time; what is found is shown in full.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("dataplane", "control")
TIDY = "clang-tidy-14"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "maclane-tidy"


def commands(build):
    """{source file: compile command} of our own code."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (Path(entry["directory"]) / entry["file"]).resolve()
        if source.is_relative_to(ROOT) and source.relative_to(ROOT).parts[0] in OURS:
            found.setdefault(source, entry["command"])
    return found


def headers(source, seen):
    """A file and every header of ours that it includes, however indirectly."""
    if source in seen or not source.exists():
        return
    seen.add(source)
    for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', source.read_text(), re.MULTILINE):
        for base in (ROOT, source.parent):
            if (base / name).exists():
                headers((base / name).resolve(), seen)
                break


def key(source, command, version):
    digest = hashlib.sha256(version)
    digest.update(re.sub(re.escape(str(ROOT)), "", command).encode())
    digest.update((ROOT / ".clang-tidy").read_bytes())
    seen = set()
    headers(source, seen)
    for path in sorted(seen):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def look_at(source, build):
    # The build is g++'s: what only it knows is no news to clang.
    done = subprocess.run(
        [TIDY, "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option",
         "--extra-arg=-Wno-ignored-optimization-argument", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + ("" if done.stdout.strip() else done.stderr)


def main():
    build = Path(sys.argv[1]).resolve()
    version = subprocess.run([TIDY, "--version"], stdout=subprocess.PIPE, check=True).stdout
    CACHE.mkdir(parents=True, exist_ok=True)
    only = {Path(name).resolve() for name in sys.argv[2:]}
    work, same = [], 0
    for source, command in sorted(commands(build).items()):
        if only and source not in only:
            continue
        stamp = CACHE / key(source, command, version)
        if stamp.exists():
            stamp.touch()
            same += 1
        else:
            work.append((source, stamp))
    bad = 0
    with ThreadPoolExecutor(2) as pool:
        jobs = [(source, stamp, pool.submit(look_at, source, build)) for source, stamp in work]
        for source, stamp, job in jobs:
            code, output = job.result()
            if code == 0:
                stamp.write_text(shlex.quote(str(source.relative_to(ROOT))) + "\n")
            else:
                bad += 1
                print(f"{source.relative_to(ROOT)}:\n{output}", flush=True)
    print(f"  {len(work)} files looked at, {same} unchanged, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
