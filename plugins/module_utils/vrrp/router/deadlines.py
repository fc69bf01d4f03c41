# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has to be woken when. Layer L3."""

from __future__ import annotations

import heapq
from typing import Dict, List, Optional, Tuple


class DeadlineQueue:
    """One deadline for each name; ties are ordered by name, so that every run is the same."""

    def __init__(self) -> None:
        self._deadlines: Dict[str, int] = {}
        # May hold entries that are no longer true: they are dropped when they come up.
        self._heap: List[Tuple[int, str]] = []

    def set(self, name: str, deadline_ns: Optional[int]) -> None:
        """Replace the deadline of a name; None takes it away."""
        if deadline_ns is None:
            self._deadlines.pop(name, None)
        elif self._deadlines.get(name) != deadline_ns:
            self._deadlines[name] = deadline_ns
            heapq.heappush(self._heap, (deadline_ns, name))

    def next_ns(self) -> Optional[int]:
        """The earliest deadline."""
        heap = self._heap
        while heap and self._deadlines.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now_ns: int) -> List[str]:
        """Take out all names whose deadline has come, earliest first."""
        names: List[str] = []
        while True:
            next_ns = self.next_ns()
            if next_ns is None or next_ns > now_ns:
                return names
            _deadline_ns, name = heapq.heappop(self._heap)
            del self._deadlines[name]
            names.append(name)
