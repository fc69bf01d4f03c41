# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether four times as much takes four times as long; how long that is, the machine decides."""

import gc
import time
from typing import Callable

FACTOR = 4
# A square would take 16 times as long. What is between is for caches, and for somebody else's work.
MOST = 9


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """work does what there is to do for so many, and for FACTOR times as many, on one processor."""
    small, large = _seconds(work, size), _seconds(work, FACTOR * size)
    print("%d: %.1f ms, %d: %.1f ms" % (size, small * 1e3, FACTOR * size, large * 1e3))
    assert large <= MOST * small


def _seconds(work: Callable[[int], object], size: int) -> float:
    """The least of a few tries. Without the collector, which looks at all that others have left."""
    taken = []
    gc.disable()
    try:
        for _try in range(3):
            begin = time.process_time()
            work(size)
            taken.append(time.process_time() - begin)
    finally:
        gc.enable()
    return min(taken)
