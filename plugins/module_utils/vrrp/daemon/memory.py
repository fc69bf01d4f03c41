# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives back to the host what a start, a reload or an answer needed for a moment only. Layer L5.

The collector does not run by itself: it would, in the middle of a long answer, and look at all
that a thousand virtual routers consist of (30 ms).

What is in use is locked, where this is allowed: on a host that is short of memory the kernel drops
the code of programs, and who needs it waits for the disk.
"""

from __future__ import annotations

import ctypes
import gc
import resource
from typing import Callable, Optional

from ..units import NS_PER_S

# Whatever follows a start is over by then: devices are made, roles are taken.
_FIRST_NS = 2 * NS_PER_S
_AGAIN_NS = 60 * NS_PER_S
# Of <bits/mman-linux.h>: now and later, and of that only what is touched.
_CURRENT, _FUTURE, _ON_FAULT = 1, 2, 4


class MemoryLock:
    """mlockall(2), where that is allowed without a limit: with one, whatever is allocated beyond it
    later would be refused."""

    def __init__(self) -> None:
        limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
        self._libc = ctypes.CDLL(None) if limit == resource.RLIM_INFINITY else None

    def lock(self) -> None:
        """What is in use, and what comes into use, stays in memory."""
        if self._libc is not None:
            self._libc.mlockall(_CURRENT | _FUTURE | _ON_FAULT)

    def unlock(self) -> None:
        """What is locked cannot be given back."""
        if self._libc is not None:
            self._libc.munlockall()


class SpareMemory:
    """A duty of the loop. trim: as malloc_trim(3)."""

    def __init__(
        self, now_ns: int, trim: Optional[Callable[[int], object]], lock: MemoryLock
    ) -> None:
        self._trim = trim
        self._lock = lock
        self._due_ns = now_ns + _FIRST_NS
        self._is_first = True

    def deadline_ns(self) -> int:
        """When tick() wants to be called at the latest."""
        return self._due_ns

    def tick(self, now_ns: int) -> None:
        """Now and then."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + _AGAIN_NS
        gc.collect()
        if self._is_first:
            self._is_first = False
            gc.freeze()  # what exists now stays: from now on only what is newer is looked at
        self._lock.unlock()
        if self._trim is not None:
            self._trim(0)
        self._lock.lock()


def trimmer() -> Optional[Callable[[int], object]]:
    """malloc_trim(3) of glibc; other C libraries have none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
