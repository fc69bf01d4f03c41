# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that share too little memory: a control group, of either version."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path
from typing import Iterator, Tuple

_ROOT = Path("/sys/fs/cgroup")
_numbers = itertools.count(1)


class Cage:
    """A control group with a limit of memory."""

    def __init__(self, octets: int) -> None:
        self._parent, limit = _parent()
        self._directory = self._parent / ("vgt-%d-%d" % (os.getpid(), next(_numbers)))
        self._directory.mkdir()
        (self._directory / limit).write_text(str(octets), encoding="ascii")

    def put(self, pid: int) -> None:
        """A process comes in."""
        (self._directory / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def open(self) -> None:
        """Let all go, and remove it."""
        for pid in (self._directory / "cgroup.procs").read_text(encoding="ascii").split():
            with contextlib.suppress(ProcessLookupError):
                (self._parent / "cgroup.procs").write_text(pid, encoding="ascii")
        self._directory.rmdir()


@contextlib.contextmanager
def cage(octets: int) -> Iterator[Cage]:
    """One that is gone afterwards; its processes are where all others are."""
    made = Cage(octets)
    try:
        yield made
    finally:
        made.open()


def is_possible() -> bool:
    """True when this host lets us make one."""
    try:
        with cage(1 << 26):
            return True
    except OSError:
        return False


def _parent() -> Tuple[Path, str]:
    if (_ROOT / "memory").is_dir():
        return _ROOT / "memory", "memory.limit_in_bytes"
    with contextlib.suppress(OSError):
        (_ROOT / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
    return _ROOT, "memory.max"
