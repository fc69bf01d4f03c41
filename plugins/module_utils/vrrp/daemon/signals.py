# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals as something to wait for: SIGTERM and SIGINT stop, SIGHUP reloads. Layer L5."""

from __future__ import annotations

import os
import signal
from typing import Any, Set


class Signals:
    """Collects signals; fileno() is readable when there is one."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._pending: Set[int] = set()
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._remember)

    def _remember(self, number: int, _frame: Any) -> None:
        self._pending.add(number)

    def fileno(self) -> int:
        """For the loop to wait on."""
        return self._reader

    def take(self) -> Set[int]:
        """The signals since the last call."""
        try:
            while os.read(self._reader, 64):
                pass
        except BlockingIOError:
            pass
        taken, self._pending = self._pending, set()
        return taken

    def close(self) -> None:
        """Back to how Python was started."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)
