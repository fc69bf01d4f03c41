# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes below this one: found by parenthood, ended by their ids.

The driver is the subreaper of all it starts, so a daemon that lost its parent becomes our child
and is seen.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 20.0


def adopt_orphans() -> None:
    """Make this process the parent of every orphan among its descendants."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def descendants(pid: int) -> list[int]:
    """All living processes below ``pid``, parents first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue  # it ended while we looked
            if state != "Z":
                children.setdefault(int(parent), []).append(int(entry.name))
    found = []
    queue = [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def is_alive(pid: int) -> bool:
    """A zombie has ended; only its parent has not asked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def end_tree(pid: int) -> None:
    """End ``pid`` and all below it: asked first, killed after a grace."""
    targets = [pid, *descendants(pid)]
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        for target in targets:
            try:
                os.kill(target, wanted)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline and any(is_alive(target) for target in targets):
            time.sleep(0.05)


def reap() -> None:
    """Collect orphans that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def leftovers() -> list[int]:
    """Orphans still running after a grace; whoever started them forgot them."""
    deadline = time.monotonic() + GRACE_S
    while True:
        reap()
        found = descendants(os.getpid())
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def describe(pid: int) -> str:
    """The command line of ``pid`` for a message."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    return f"{pid} {b' '.join(words).decode(errors='replace').strip()[:120]}"
