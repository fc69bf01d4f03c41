# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives back to the host what a start, a reload or an answer needed for a moment only. Layer L5."""

from __future__ import annotations

import ctypes
from typing import Callable, Optional

from ..units import NS_PER_S

# Whatever follows a start is over by then: devices are made, roles are taken.
_FIRST_NS = 2 * NS_PER_S
# Takes up to a millisecond for a thousand virtual routers.
_AGAIN_NS = 60 * NS_PER_S


class SpareMemory:
    """A duty of the loop. trim: as malloc_trim(3)."""

    def __init__(self, now_ns: int, trim: Optional[Callable[[int], object]]) -> None:
        self._trim = trim
        self._due_ns = now_ns + _FIRST_NS

    def deadline_ns(self) -> Optional[int]:
        """When tick() wants to be called at the latest."""
        return self._due_ns if self._trim is not None else None

    def tick(self, now_ns: int) -> None:
        """Now and then."""
        if self._trim is not None and now_ns >= self._due_ns:
            self._due_ns = now_ns + _AGAIN_NS
            self._trim(0)


def trimmer() -> Optional[Callable[[int], object]]:
    """malloc_trim(3) of glibc; other C libraries have none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
