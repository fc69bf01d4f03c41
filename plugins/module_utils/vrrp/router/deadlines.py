# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has to be woken when. Layer L3."""

from __future__ import annotations

import heapq
from typing import Dict, List, Optional

# So many times that are no longer true are not worth to be removed before they come up.
_SPARE = 64


class DeadlineQueue:
    """One deadline for each name; ties are ordered by name, so that every run is the same.

    Virtual routers share their deadlines, by slots and by what they heard in one burst. So names
    are collected by time, and only times are sorted: to move a deadline costs the same however
    many there are.
    """

    def __init__(self) -> None:
        self._deadlines: Dict[str, int] = {}
        # The values are ordered sets.
        self._names: Dict[int, Dict[str, None]] = {}
        # Every time of _names. Others are no longer true, and are dropped when they come up.
        self._heap: List[int] = []

    def set(self, name: str, deadline_ns: Optional[int]) -> None:
        """Replace the deadline of a name; None takes it away."""
        before_ns = self._deadlines.get(name)
        if before_ns == deadline_ns:
            return
        if before_ns is not None:
            names = self._names[before_ns]
            del names[name]
            if not names:
                del self._names[before_ns]
        if deadline_ns is None:
            del self._deadlines[name]
            return
        self._deadlines[name] = deadline_ns
        names_then = self._names.get(deadline_ns)
        if names_then is not None:
            names_then[name] = None
        else:
            self._names[deadline_ns] = {name: None}
            if len(self._heap) > 2 * len(self._names) + _SPARE:
                self._heap = sorted(self._names)
            else:
                heapq.heappush(self._heap, deadline_ns)

    def next_ns(self) -> Optional[int]:
        """The earliest deadline."""
        heap = self._heap
        while heap and heap[0] not in self._names:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def next_name(self) -> str:
        """One of those that have the earliest deadline; empty: there is none."""
        next_ns = self.next_ns()
        return "" if next_ns is None else next(iter(self._names[next_ns]))

    def late_ns(self, now_ns: int) -> int:
        """For how long the earliest one has been due; 0 when none is."""
        next_ns = self.next_ns()
        return 0 if next_ns is None else max(0, now_ns - next_ns)

    def only_due(self, now_ns: int) -> Optional[str]:
        """The name whose deadline has come, unless others' have, too. It is not taken out."""
        heap, first_ns = self._heap, self.next_ns()
        if first_ns is None or first_ns > now_ns or len(self._names[first_ns]) > 1:
            return None
        while heap and heap[0] == first_ns:
            heapq.heappop(heap)
        second_ns = self.next_ns()
        heapq.heappush(heap, first_ns)
        is_only = second_ns is None or second_ns > now_ns
        return next(iter(self._names[first_ns])) if is_only else None

    def due(self, now_ns: int) -> List[str]:
        """Take out all names whose deadline has come, earliest first."""
        names: List[str] = []
        while True:
            next_ns = self.next_ns()
            if next_ns is None or next_ns > now_ns:
                return names
            # The same time may be in the heap twice; then the other one is no longer true.
            together = sorted(self._names.pop(heapq.heappop(self._heap)))
            for name in together:
                del self._deadlines[name]
            names += together
