# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One user-mode Linux: started for one command, gone after it, whatever happens."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import IO, List, NoReturn, Optional, Sequence

from tests.harness.processes import adopt_orphans, descendants, reap

#: Our exit statuses when the command has none: the machine failed, or its time was up.
FAILED = 125
TIMED_OUT = 124

_KERNEL = "linux.uml"
_MODULES = Path("/usr/lib/uml/modules")
_INIT = Path(__file__).resolve().parent / "init"
_MIB = 1024 * 1024
# Beside the guest's memory: room for the job's own small files.
_SPARE = 64 * _MIB
# Variables that a command may need; all others belong to the host.
_VARIABLES = ("COLUMNS", "HOME", "LANG", "NO_COLOR", "PATH", "VIRTUAL_ENV")
_PREFIXES = ("LC_", "PYTHON", "PYTEST_", "VLANGATE_")
_PR_SET_PDEATHSIG = 1
_TAIL_LINES = 12


class MachineError(Exception):
    """The machine could not run the command; the message says why and what to do."""


class _Ended(BaseException):
    """We were asked to end."""


class Machine:
    """A kernel to be. memory_mib: of the guest. shares: directories that it may change."""

    def __init__(self, memory_mib: int, timeout_s: float, shares: Sequence[Path] = ()) -> None:
        self._memory_mib = memory_mib
        self._timeout_s = timeout_s
        self._shares = [share.resolve() for share in shares]
        for share in self._shares:
            if not share.is_dir() or "," in str(share):
                raise MachineError("--share %s: no directory, or one with a comma" % share)

    def run(self, command: Sequence[str]) -> int:
        """Run a command inside; what it prints comes out as it is printed. Its exit status."""
        kernel = shutil.which(_KERNEL)
        if kernel is None or not _MODULES.is_dir():
            raise MachineError("%s is not here: apt install user-mode-linux" % _KERNEL)
        adopt_orphans()
        signal.signal(signal.SIGTERM, _end)
        job = Path(tempfile.mkdtemp(prefix="vgt-uml-", dir=_plain_directory()))
        try:
            self._describe(job, command)
            return self._boot(kernel, job)
        except (KeyboardInterrupt, _Ended):
            return 128 + signal.SIGINT
        finally:
            _kill_what_is_left()
            shutil.rmtree(job, ignore_errors=True)

    def _describe(self, job: Path, command: Sequence[str]) -> None:
        """The files that init reads; it is copied, as its own path may have spaces."""
        shutil.copy(_INIT, job / "init")
        kept = [
            "%s=%s" % (name, value)
            for name, value in os.environ.items()
            if name in _VARIABLES or name.startswith(_PREFIXES)
        ]
        for name, words in (
            ("command", command),
            ("env", kept),
            ("shares", [str(share) for share in self._shares]),
        ):
            (job / name).write_bytes(b"".join(os.fsencode(word) + b"\0" for word in words))
        (job / "cwd").write_text(os.getcwd())

    def _boot(self, kernel: str, job: Path) -> int:
        errors = job / "errors"
        argv = [kernel, "mem=%dM" % self._memory_mib, "umid=guest", "uml_dir=%s" % job]
        argv += ["rootfstype=hostfs", "rootflags=/", "ro", "init=%s/init" % job]
        argv += ["vlangate_job=%s" % job, "con=null", "ssl=null", "quiet"]
        # The kernel complains on its own terminal; the command has the next one.
        argv += ["con0=null,fd:2", "con1=null,fd:1"]
        env = dict(os.environ, TMPDIR=_memory_directory(self._memory_mib * _MIB, job))
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=env,
                preexec_fn=_prepare,
            )
            # The kernel makes its terminal non-blocking, and so for everybody who shares it: hence
            # a pipe of its own.
            copier = threading.Thread(target=_copy, args=(process.stdout,))
            copier.start()
            try:
                process.wait(self._timeout_s)
            except subprocess.TimeoutExpired:
                print("tests/uml/run: not done after %g s" % self._timeout_s, flush=True)
                return TIMED_OUT
            finally:
                process.kill()
                process.wait()
                _kill_what_is_left()
                copier.join()
        try:
            return int((job / "status").read_text())
        except (FileNotFoundError, ValueError):
            raise MachineError(_obituary(process.returncode, errors)) from None


def _copy(source: IO[bytes]) -> None:
    """To our own output, as it comes, until nobody has the other end."""
    with source:
        while True:
            data = os.read(source.fileno(), 65536)
            if not data:
                return
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()


def _prepare() -> None:
    """In the child: one CPU (switching costs user-mode Linux dearly), and die with the parent."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _plain_directory() -> str:
    """A place whose name can stand on the kernel's command line."""
    for candidate in (tempfile.gettempdir(), "/var/tmp", "/tmp"):
        if candidate.replace("/", "").isascii() and not set(candidate) & set(" \t\"',="):
            return candidate
    raise MachineError("TMPDIR, /var/tmp and /tmp are of no use")


def _memory_directory(needed: int, job: Path) -> str:
    """Where the guest's memory lies: in a file that is mapped executable, best in memory."""
    for candidate in ("/dev/shm", str(job)):
        try:
            found = os.statvfs(candidate)
        except OSError:
            continue
        if found.f_flag & os.ST_NOEXEC or not os.access(candidate, os.W_OK):
            continue
        if found.f_bavail * found.f_frsize > needed + _SPARE:
            return candidate
    message = "neither /dev/shm nor TMPDIR has room for %d MiB of memory and allows to execute it"
    raise MachineError(message % (needed // _MIB))


def _obituary(status: Optional[int], errors: Path) -> str:
    lines = errors.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    words = "\n  ".join(line for line in lines if line.strip()) or "(it said nothing)"
    return "the kernel ended (status %s) before the command did; its last words:\n  %s" % (
        status,
        words,
    )


def _end(_number: int, _frame: Optional[FrameType]) -> NoReturn:
    raise _Ended


def _kill_what_is_left() -> None:
    """The kernel leaves the processes of its guest behind when it is killed."""
    left: List[int] = descendants(os.getpid())
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    reap()
