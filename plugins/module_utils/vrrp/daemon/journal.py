# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal on disk: bounded, in two files, and never in the way. Layer L5.

Lines are collected while a turn of the loop runs and written at its end, in one piece, after all
that the turn had to send is sent. FILE is the current one, FILE.1 the one before; each begins with
the whole state, so each can be replayed alone (router/journal.py). When FILE is full, FILE.new is
begun, with a few pieces of the state at the end of each turn; steps go into both meanwhile. The
disk is left to a thread, in the same order (errands.py).
"""

from __future__ import annotations

import os
from itertools import islice
from typing import Any, Callable, Iterator, List, Optional, Tuple

from ..invariant import require
from ..router.actions import RouterAction
from ..router.events import RouterEvent, Stop
from ..router.journal import Recorder
from ..router.masks import Masks
from ..router.vrrp_router import VrrpRouter
from .errands import Errands
from .log import Log

# It tells who speaks on the LAN, and what was configured.
_MODE = 0o600
# A flood may fill a turn: so much is written at once, whatever else the turn has to do.
_COLLECTED = 1024 * 1024
# Of the state, in one turn: about two milliseconds.
_PIECES = 8
# Octets that wait for a slow disk, and how long an end waits for it.
_MOST_WAITING = 32 * 1024 * 1024
_PATIENCE_S = 1.0
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class _File:
    """One file of the journal, and the lines that wait to be written to it. Raises OSError, also
    for what went wrong earlier."""

    def __init__(self, path: str, disk: Errands) -> None:
        self.path = path
        self.size = 0
        self._lines: List[str] = []
        self._descriptor = -1
        self._disk = disk
        disk.run(lambda: self._open(path))

    def add(self, line: str) -> None:
        """Remember a line for write()."""
        self._lines.append(line)
        self.size += len(line)

    def write(self) -> None:
        """Write what is remembered."""
        data = "".join(self._lines).encode("ascii")
        self._lines = []
        if data:
            self._disk.run(lambda: self._write(data), len(data))

    def rename(self, path: str) -> None:
        """Be called so from now on."""
        before, self.path = self.path, path
        self._disk.run(lambda: os.replace(before, path))

    def close(self) -> None:
        """After that nothing is written."""
        self._disk.run(self.give_up)

    def give_up(self) -> None:
        """As close(), by whom the errands are run."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self, path: str) -> None:
        self._descriptor = os.open(path, _FLAGS, _MODE)

    def _write(self, data: bytes) -> None:
        while data:  # a full disk takes a part of it, and refuses the next
            data = data[os.write(self._descriptor, data) :]


class FileJournal:
    """Implements ports.Journal. Never raises: what fails is logged once and ends the journal."""

    def __init__(self, path: str, size: int, router: VrrpRouter, log: Log) -> None:
        self._path = path
        self._limit = size // 2
        self._log = log
        self._recorder = Recorder(router, Masks())
        self._current: Optional[_File] = None
        self._next: Optional[_File] = None
        self._pieces: Iterator[str] = iter(())
        self._collected = 0
        self._ends = False
        self._disk = Errands(_MOST_WAITING)

    def begin(self, now_ns: int) -> None:
        """Start with the state of the router, before its first step."""
        self._guard(lambda: self._begin(now_ns))

    def append(
        self, event: RouterEvent, now_ns: int, actions: Optional[Tuple[RouterAction, ...]]
    ) -> None:
        """See ports.Journal."""
        if self._current is None:
            return
        line = self._recorder.step(event, now_ns, actions)
        for file in (self._current, self._next):
            if file is not None:
                file.add(line)
        self._collected += len(line)
        if isinstance(event, Stop) or actions is None:
            self._ends = True  # some seconds are left; state.py says why no state is saved then
        if self._collected > _COLLECTED:
            self.flush(now_ns)

    def flush(self, now_ns: int) -> None:
        """See ports.Journal."""
        if self._current is not None:
            self._guard(lambda: self._flush(now_ns))

    def close(self) -> None:
        """Write what is left."""
        if self._current is not None:
            self._guard(self._close)

    def _begin(self, now_ns: int) -> None:
        self._start_next(now_ns)
        while self._next is not None:
            self._add_pieces()

    def _flush(self, now_ns: int) -> None:
        self._collected = 0
        self._write()
        if self._ends or self._current is None:
            return
        if self._next is not None:
            self._add_pieces()
        elif self._current.size > self._limit:
            self._start_next(now_ns)

    def _write(self) -> None:
        for file in (self._current, self._next):
            if file is not None:
                file.write()

    def _start_next(self, now_ns: int) -> None:
        self._next = _File(self._path + ".new", self._disk)
        self._pieces = self._recorder.beginning(now_ns)
        self._next.add(next(self._pieces))  # before any step

    def _add_pieces(self) -> None:
        require(self._next is not None, "pieces belong to the next file")
        file: Any = self._next
        lines = list(islice(self._pieces, _PIECES))
        for line in lines:
            file.add(line)
        file.write()
        if file.size > self._limit:
            needed = file.size + sum(len(line) for line in self._pieces)
            hint = "give it %d octets" % (needed * 4)  # as much again for steps
            raise OSError("the state of this router alone fills it: " + hint)
        if len(lines) < _PIECES:
            self._switch()

    def _switch(self) -> None:
        """The next file is complete: it becomes the current one."""
        if self._current is not None:
            self._current.close()
        self._disk.run(self._keep_previous)
        self._current, self._next = self._next, None
        if self._current is not None:
            self._current.rename(self._path)

    def _keep_previous(self) -> None:
        if os.path.lexists(self._path):
            os.replace(self._path, self._path + ".1")

    def _close(self) -> None:
        self._write()
        unfinished = self._next
        if unfinished is not None:
            self._disk.run(lambda: os.unlink(unfinished.path))
        self._disk.finish(_PATIENCE_S)
        self._give_up()

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self._give_up()
            self._log.write("error", "the journal %s ends here: %s" % (self._path, error))

    def _give_up(self) -> None:
        files = [file for file in (self._current, self._next) if file is not None]
        self._current = self._next = None
        self._disk.close(lambda: _close_quietly(files))


def _close_quietly(files: List[_File]) -> None:
    for file in files:
        try:
            file.give_up()
        except OSError:
            pass  # closed all the same, whatever close() reports late


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
