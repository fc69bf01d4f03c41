# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual time: a clock, a queue of what happens when, and one source of chance. Layer L4."""

from __future__ import annotations

import heapq
import random
from typing import Callable, List, Tuple

from ..invariant import require


class World:
    """Runs callbacks in the order of their times; equal times in the order of their planning."""

    def __init__(self, seed: int) -> None:
        self.now_ns = 0
        self.random = random.Random(seed)
        self._queue: List[Tuple[int, int, Callable[[], None]]] = []
        self._planned = 0

    def at(self, time_ns: int, callback: Callable[[], None]) -> None:
        """Call back at that time; what is late already comes next."""
        self._planned += 1
        heapq.heappush(self._queue, (max(time_ns, self.now_ns), self._planned, callback))

    def after(self, delay_ns: int, callback: Callable[[], None]) -> None:
        """Call back when so much time has passed."""
        self.at(self.now_ns + delay_ns, callback)

    def run_until(self, end_ns: int) -> None:
        """Let everything happen up to and including that time."""
        require(end_ns >= self.now_ns, "time does not go back")
        while self._queue and self._queue[0][0] <= end_ns:
            self.now_ns, _order, callback = heapq.heappop(self._queue)
            callback()
        self.now_ns = end_ns

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.random.random() < probability
