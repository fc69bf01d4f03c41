# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small tools of the lab: run a command, talk to `ip`, know a process again, tell progress."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NoReturn,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
)

REPOSITORY = Path(__file__).resolve().parents[2]

# One directory per lab, with all that it needs to be found and removed again.
STATE = Path("/run/vlangate-lab")


Value = TypeVar("Value")


class LabError(Exception):
    """Something of the lab failed; the text names it and says what to do."""


class Progress:
    """Prints one line per step with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        print("[%6.1f s] %s" % (self.seconds(), text), flush=True)

    def seconds(self) -> float:
        return time.monotonic() - self._started


def quiet(text: str) -> None:
    """A progress that says nothing."""


def run(argv: Sequence[str], text: str = "", timeout: float = 180, check: bool = True) -> str:
    """The command's standard output; raises LabError with its standard error when it fails."""
    try:
        done = subprocess.run(
            list(argv), input=text, capture_output=True, text=True, timeout=timeout, check=False
        )
    except FileNotFoundError:
        raise LabError(
            "%s is not installed; see tests/lab/requirements-apt.txt" % argv[0]
        ) from None
    except subprocess.TimeoutExpired:
        raise LabError("%s did not end within %d s" % (" ".join(argv), timeout)) from None
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise LabError("%s failed (%d): %s" % (" ".join(argv), done.returncode, said))
    return done.stdout


def ip(namespace: str, lines: Iterable[str], force: bool = False) -> None:
    """Apply lines of `ip` in one namespace with one process; `force` goes on after errors."""
    options = ["-force"] if force else []
    run(["ip", "-n", namespace, *options, "-batch", "-"], "\n".join(lines) + "\n", check=not force)


def namespaces() -> List[str]:
    """Names of the network namespaces that `ip netns` knows."""
    return [line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line.strip()]


def in_namespace(namespace: str, argv: Sequence[str]) -> List[str]:
    """The command line that runs `argv` in a network namespace."""
    return ["nsenter", "--net=/run/netns/%s" % namespace, "--", *argv]


def wait_for(
    condition: Callable[[], Value], seconds: float, what: str, period: float = 0.05
) -> Value:
    """The first true value of `condition`; raises LabError when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError("waited %.0f s in vain for %s" % (seconds, what))
        time.sleep(period)


# A process is known by its number and its start time: numbers are used again.
Process = Tuple[int, int]


def identify(pid: int) -> Optional[Process]:
    """The process with its start time, or None when it is gone (a zombie counts as gone)."""
    try:
        fields = Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else (pid, int(fields[19]))


def is_alive(process: Process) -> bool:
    return identify(process[0]) == process


def end(process: Process, number: int = signal.SIGKILL, seconds: float = 10) -> None:
    """Send a signal to a process that we started, and wait until it is gone."""
    if is_alive(process):
        try:
            os.kill(process[0], number)
        except ProcessLookupError:
            return
        wait_for(lambda: not is_alive(process), seconds, "the end of process %d" % process[0], 0.01)


def children(pid: int) -> List[int]:
    try:
        return [int(n) for n in Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


@contextmanager
def locked(path: Path, wait: bool = False, busy: str = "") -> Iterator[None]:
    """Hold a lock file; when another holds it, wait or raise LabError(busy). Leaves no file."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = open(path, "a")  # noqa: SIM115  # lives as long as the lock
        except FileNotFoundError:
            continue  # the previous holder removed the empty directory under us
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            handle.close()
            raise LabError(busy) from None
        try:
            current = path.stat().st_ino == os.fstat(handle.fileno()).st_ino
        except FileNotFoundError:
            current = False
        if current:
            break
        handle.close()  # the previous holder removed the file under us
    try:
        yield
    finally:
        path.unlink()
        handle.close()
        try:
            STATE.rmdir()
        except OSError:
            pass  # another lab is there, or the lock was no lab's


def terminate_as_interrupt() -> None:
    """Let SIGTERM and SIGHUP unwind like Ctrl-C, so that every `finally` runs."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C and SIGTERM while something is being cleaned up."""
    previous: Dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        previous[number] = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def require_root() -> None:
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and containers: run it as root")


def complain(error: BaseException) -> None:
    print("error: %s" % error, file=sys.stderr, flush=True)
