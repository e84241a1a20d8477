"""clang-tidy over the project's own code, files that did not change left out.

    python3 tidy.py BUILD_DIR            all of them
    python3 tidy.py BUILD_DIR FILE...    only these

A file is looked at again when it, a header of ours that it includes, its compile command, or
.clang-tidy changed: a hash of all of these is kept where ccache keeps its own things. What is found
is shown in full. Most of the time goes into headers, so files of one folder are looked at as one
where they can stand in one translation unit; two such groups at a time.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("dataplane", "control")
TIDY = "clang-tidy-14"
GROUP = 8
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


def flags_of(command):
    """A compile command without what names the one file: the compiler, its output, the source."""
    words = [word for word in shlex.split(command) if word != "ccache"][1:]
    kept, at = [], 0
    while at < len(words):
        if words[at] in ("-o", "-c", "-MF", "-MQ"):
            at += 1
        elif words[at] != "-MD" and not words[at].endswith(".p"):
            kept.append(words[at])
        at += 1
    return tuple(kept)


def groups_of(work):
    """[(flags, files)]: files of one folder and with the same flags, up to GROUP of them."""
    alike = {}
    for source, command in work:
        alike.setdefault((source.parent, flags_of(command)), []).append(source)
    return [
        (flags, files[at : at + GROUP])
        for (_, flags), files in alike.items()
        for at in range(0, len(files), GROUP)
    ]


def look_at(flags, files, build):
    """[(files, exit code, output)]: one for all, or one for each part that had to be parted."""
    # The build is g++'s: what only it knows is no news to clang.
    flags = [*flags, "-Wno-unknown-warning-option", "-Wno-ignored-optimization-argument"]
    checks = []
    with tempfile.TemporaryDirectory() as folder:
        source = files[0]
        if len(files) > 1:
            source = Path(folder) / "all.cpp"
            source.write_text("".join(f'#include "{file}"\n' for file in files))
            tried = subprocess.run(
                ["clang++-14", "-fsyntax-only", "-w", *flags, source],
                cwd=build, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            )
            if tried.returncode != 0:
                half = len(files) // 2
                return look_at(flags, files[:half], build) + look_at(flags, files[half:], build)
            checks = ["--checks=-bugprone-suspicious-include", f"--config-file={ROOT / '.clang-tidy'}"]
        done = subprocess.run(
            [TIDY, "--quiet", *checks, source, "--", *flags],
            cwd=build, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
        )
    return [(files, done.returncode, done.stdout + ("" if done.stdout.strip() else done.stderr))]


def main():
    build = Path(sys.argv[1]).resolve()
    version = subprocess.run([TIDY, "--version"], stdout=subprocess.PIPE, check=True).stdout
    CACHE.mkdir(parents=True, exist_ok=True)
    only = {Path(name).resolve() for name in sys.argv[2:]}
    work, stamps, same = [], {}, 0
    for source, command in sorted(commands(build).items()):
        if only and source not in only:
            continue
        stamps[source] = CACHE / key(source, command, version)
        if stamps[source].exists():
            stamps[source].touch()
            same += 1
        else:
            work.append((source, command))
    bad = 0
    with ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(look_at, *group, build) for group in groups_of(work)]:
            for files, code, output in job.result():
                names = [str(file.relative_to(ROOT)) for file in files]
                if code == 0:
                    for file, name in zip(files, names):
                        stamps[file].write_text(shlex.quote(name) + "\n")
                else:
                    bad += 1
                    print(f"{' '.join(names)}:\n{output}", flush=True)
    print(f"  {len(work)} files looked at, {same} unchanged, {bad} groups with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
