# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal on disk: bounded, in two files, and never in the way. Layer L5.

Lines are collected while a turn of the loop runs and written at its end, in one piece, after all
that the turn had to send is sent. FILE is the current one, FILE.1 the one before; each begins with
the whole state, so each can be replayed alone (router/journal.py).
"""

from __future__ import annotations

import os
from typing import List, Optional, Tuple

from ..router.actions import RouterAction
from ..router.events import RouterEvent, Stop
from ..router.journal import Recorder
from ..router.masks import Masks
from ..router.vrrp_router import VrrpRouter
from .log import Log

# It tells who speaks on the LAN, and what was configured.
_MODE = 0o600
# A flood may fill a turn: so much is written at once, whatever else the turn has to do.
_COLLECTED = 1024 * 1024
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class FileJournal:
    """Implements ports.Journal. Never raises: what fails is logged once and ends the journal."""

    def __init__(self, path: str, size: int, router: VrrpRouter, log: Log) -> None:
        self._path = path
        self._limit = size // 2
        self._router = router
        self._log = log
        self._recorder = Recorder(Masks())
        self._lines: List[str] = []
        self._file: Optional[int] = None
        self._collected = 0
        self._written = 0
        self._may_rotate = True

    def begin(self, now_ns: int) -> None:
        """Start a file with the state of the router, between two steps."""
        first = self._recorder.beginning(self._router, now_ns)
        if len(first) > self._limit:
            needed = len(first) * 4
            self._end("the state of this router alone fills it: give it %d octets" % needed)
            return
        try:
            self._close_file()
            if os.path.lexists(self._path):
                os.replace(self._path, self._path + ".1")
            self._file = os.open(self._path, _FLAGS, _MODE)
        except OSError as error:
            self._end(str(error))
            return
        self._written = 0
        self._lines = [first]

    def append(
        self, event: RouterEvent, now_ns: int, actions: Optional[Tuple[RouterAction, ...]]
    ) -> None:
        """See ports.Journal."""
        if self._file is None:
            return
        line = self._recorder.step(event, now_ns, actions)
        self._lines.append(line)
        self._collected += len(line)
        if isinstance(event, Stop) or actions is None:
            self._may_rotate = False  # the end is near; state.py says why not after Stop
        if self._collected > _COLLECTED:
            self.flush(now_ns)

    def flush(self, now_ns: int) -> None:
        """See ports.Journal."""
        if self._file is None or not self._lines:
            return
        data = "".join(self._lines).encode("ascii")
        self._lines = []
        self._collected = 0
        self._written += len(data)
        try:
            while data:  # a full disk takes a part of it, and refuses the next
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self._end(str(error))
            return
        if self._written > self._limit and self._may_rotate:
            self.begin(now_ns)

    def close(self) -> None:
        """Write what is left."""
        self._may_rotate = False
        self.flush(0)
        self._close_file()

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _end(self, why: str) -> None:
        self._lines = []
        try:
            self._close_file()
        except OSError:
            self._file = None  # closed all the same, whatever close() reports late
        self._log.write("error", "the journal %s ends here: %s" % (self._path, why))


class NoJournal:
    """For a daemon that keeps none."""

    def append(
        self, event: RouterEvent, now_ns: int, actions: Optional[Tuple[RouterAction, ...]]
    ) -> None:
        """Forget it."""

    def flush(self, now_ns: int) -> None:
        """Nothing is waiting."""

    def close(self) -> None:
        """Nothing is open."""
