# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives back to the host what a start, a reload or an answer needed for a moment only. Layer L5.

The collector does not run by itself: it would, in the middle of a long answer, and look at all
that a thousand virtual routers consist of (30 ms).
"""

from __future__ import annotations

import ctypes
import gc
from typing import Callable, Optional

from ..units import NS_PER_S

# Whatever follows a start is over by then: devices are made, roles are taken.
_FIRST_NS = 2 * NS_PER_S
_AGAIN_NS = 60 * NS_PER_S


class SpareMemory:
    """A duty of the loop. trim: as malloc_trim(3)."""

    def __init__(self, now_ns: int, trim: Optional[Callable[[int], object]]) -> None:
        self._trim = trim
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
        if self._trim is not None:
            self._trim(0)


def trimmer() -> Optional[Callable[[int], object]]:
    """malloc_trim(3) of glibc; other C libraries have none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
