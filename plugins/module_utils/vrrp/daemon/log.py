# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon's log: one line for each event on standard error. Layer L5.

Under systemd a line begins with its priority (sd-daemon(3)) and the journal adds the time. Nobody
has to read it: a journal that hangs must not keep anything from being advertised.
"""

from __future__ import annotations

import collections
import functools
import os
import socket
import stat
import time
from typing import Callable, Deque, Optional

from ..units import NS_PER_S

_STDERR = 2
_PRIORITIES = {"error": 3, "warning": 4, "notice": 5, "info": 6}
# Octets that wait while nobody reads: a change of role of some thousand virtual routers.
_MOST_WAITING = 1 << 20
_AGAIN_NS = NS_PER_S // 10


class Log:
    """Writes lines; never waits, and never raises, because a full disk is no reason to leave the
    VLAN. As a duty of the loop it tries again with what could not be written."""

    def __init__(self, descriptor: int = _STDERR) -> None:
        self._in_journal = "JOURNAL_STREAM" in os.environ
        self._send = _sender(descriptor)
        self._waiting: Deque[bytes] = collections.deque()
        self._size = 0
        self._lost = 0
        self._again_ns = 0

    def write(self, level: str, message: str) -> None:
        """level is error, warning, notice or info."""
        line = self._line(level, message)
        if self._size + len(line) > _MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append(line)
        self._size += len(line)
        self._flush()

    def deadline_ns(self) -> Optional[int]:
        """When tick() wants to be called at the latest."""
        return self._again_ns if self._waiting else None

    def tick(self, now_ns: int) -> None:
        """Now and then, while something waits."""
        if self._waiting and now_ns >= self._again_ns:
            self._again_ns = now_ns + _AGAIN_NS
            self._flush()

    def _line(self, level: str, message: str) -> bytes:
        if self._in_journal:
            line = "<%d>%s\n" % (_PRIORITIES[level], message)
        else:
            now = time.time()
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now))
            line = "%s.%03d %-7s %s\n" % (stamp, now * 1000 % 1000, level, message)
        return line.encode("utf-8", "backslashreplace")

    def _flush(self) -> None:
        while self._waiting:
            line = self._waiting.popleft()
            self._size -= len(line)
            try:
                rest = line[self._send(line) :]
            except BlockingIOError:
                rest = line
            except OSError:
                continue
            if rest:
                self._waiting.appendleft(rest)
                self._size += len(rest)
                return
        if self._lost:
            lost, self._lost = self._lost, 0
            self.write("warning", "%d lines were lost here: nobody read the log" % lost)


def _sender(descriptor: int) -> Callable[[bytes], int]:
    """Writes as much as can be written without waiting. Raises OSError."""
    write = functools.partial(os.write, descriptor)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISSOCK(mode):
            connection = socket.socket(fileno=os.dup(descriptor))
            return lambda data: connection.send(data, socket.MSG_DONTWAIT)
        if stat.S_ISREG(mode):
            return write
        # Others have it open, too: one of our own, so that they go on waiting if they want to.
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        return functools.partial(os.write, os.open("/proc/self/fd/%d" % descriptor, flags))
    except OSError:
        return write
