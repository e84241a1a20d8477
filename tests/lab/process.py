"""Programs a lab runs, and waiting for a state.

Nothing here waits for a time. wait_until() looks at a state until it is there.
"""

import ctypes
import os
import select
import signal
import subprocess
import threading
from pathlib import Path
from time import monotonic

LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_TICK = threading.Event()  # never set: its wait() is the pause between two looks


class LabError(AssertionError):
    """The lab itself could not do something; carries the command's own words."""


def wait_until(predicate, timeout=30.0, what="the expected state", tick=0.02):
    """Looks until predicate() is true and returns its value; fails after timeout seconds."""
    end = monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if monotonic() > end:
            text = what() if callable(what) else what
            raise AssertionError(f"waited {timeout:g} s for {text}")
        _TICK.wait(tick)


def readable(sock, timeout):
    return bool(select.select([sock], [], [], timeout)[0])


def run(*command, check=True, timeout=300, stdin=None):
    """Runs a command to its end; its output as text is in the result."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def _die_with_parent():
    LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program in the background, its output in files."""

    def __init__(self, words, directory, name, env=None):
        self.words = [str(word) for word in words]
        self.out_path = Path(directory) / f"{name}.out"
        self.err_path = Path(directory) / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen(
                self.words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **(env or {})},
                preexec_fn=_die_with_parent,
            )

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def out(self):
        return self.out_path.read_text(errors="replace")

    def err(self):
        return self.err_path.read_text(errors="replace")

    def wait(self, timeout=60):
        return self.popen.wait(timeout)

    def stop(self, sig=signal.SIGTERM, timeout=60):
        """Ends it and returns its exit code; a process that will not end is killed."""
        if self.alive():
            self.popen.send_signal(sig)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(timeout)
        return self.popen.returncode
