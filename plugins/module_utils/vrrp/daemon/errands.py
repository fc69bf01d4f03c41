# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that may have to wait for a disk, in a thread of its own. Layer L5.

A disk that fails, or is far away, lets a write wait for seconds, and no flag of open(2) helps.
"""

from __future__ import annotations

import collections
import threading
from typing import Callable, Deque, Optional, Tuple

Errand = Callable[[], None]


class Errands:
    """Runs errands in their order. After one that failed, or when too much waits, no other is run:
    whoever brings the next one is told by an OSError."""

    def __init__(self, most: int) -> None:
        """most: octets that may wait."""
        self._most = most
        self._changed = threading.Condition()
        self._waiting: Deque[Tuple[Errand, int]] = collections.deque()
        self._size = 0
        self._error: Optional[OSError] = None
        self._is_busy = False
        self._is_closed = False
        self._thread: Optional[threading.Thread] = None

    def run(self, errand: Errand, size: int = 0) -> None:
        """Soon; size: of what it holds in memory. Never waits. Raises OSError."""
        with self._changed:
            self._raise()
            if self._size + size > self._most:
                raise OSError("the disk is too slow: %d octets wait for it" % self._size)
            self._add(errand, size)

    def finish(self, patience_s: float) -> None:
        """Wait for all of them, but not for ever. Raises OSError."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: self._error or not (self._waiting or self._is_busy), patience_s
            )
            self._raise()
        if not done:
            raise OSError("the disk does not answer")

    def close(self, last: Errand) -> None:
        """Forget what waits, run this in its place, and end. Never waits."""
        with self._changed:
            self._waiting.clear()
            self._error = None
            self._add(last, 0)
            self._is_closed = True

    def _add(self, errand: Errand, size: int) -> None:
        self._waiting.append((errand, size))
        self._size += size
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="errands", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while True:
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if not self._waiting:
                    return
                errand, size = self._waiting.popleft()
                self._is_busy = True
            error = _outcome(errand)
            with self._changed:
                self._size -= size
                if error is not None and not self._is_closed:
                    self._error = error
                    self._waiting.clear()


def _outcome(errand: Errand) -> Optional[OSError]:
    try:
        errand()
    except OSError as error:
        return error
    return None
