# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell systemd how we are: sd_notify(3). Layer L5."""

from __future__ import annotations

import os
import select
import socket
import struct
from typing import Optional

from ..units import NS_PER_S

# systemd before version 246 knows no barrier, and answers at once by closing it.
_BARRIER_S = 2.0


class ServiceManager:
    """Sends readiness, reloads and the watchdog; does nothing when no manager listens."""

    def __init__(self, is_mute: bool = False) -> None:
        """is_mute: says nothing until speak(), because the manager still hears another process."""
        path = os.environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the abstract namespace (sd_notify(3)).
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        watchdog_us = int(os.environ.get("WATCHDOG_USEC", "0") or 0)
        # Twice in its time, as sd_watchdog_enabled(3) recommends.
        self._period_ns = watchdog_us * 1_000 // 2
        self._next_ns: Optional[int] = 0 if watchdog_us and path else None
        self._is_mute = is_mute

    def tell(self, *lines: str) -> None:
        """Send assignments such as READY=1."""
        if self._address and not self._is_mute:
            try:
                self._socket.sendto("\n".join(lines).encode("utf-8"), self._address)
            except OSError:
                return  # the manager is restarting or slow: the next message will do

    def deadline_ns(self) -> Optional[int]:
        """When the watchdog wants to hear of us."""
        return None if self._is_mute else self._next_ns

    def tick(self, now_ns: int) -> None:
        """Feed the watchdog when it is time; who begins to speak does so at once, for nobody knows
        when the process before it did."""
        if not self._is_mute and self._next_ns is not None and now_ns >= self._next_ns:
            self.tell("WATCHDOG=1")
            self._next_ns = now_ns + self._period_ns

    def speak(self) -> None:
        """From now on the manager listens to this process."""
        self._is_mute = False

    def successor(self, pid: int) -> None:
        """Another process is the service from now on; returns when the manager knows it, lest it
        takes our end for that of the service."""
        self.tell("MAINPID=%d" % pid)
        if not self._address:
            return
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("=i", writer))
            self._socket.sendmsg([b"BARRIER=1"], [rights], 0, self._address)
        except OSError:
            return  # as in tell()
        finally:
            os.close(writer)
            # The manager closes its end when it has come so far.
            select.select((reader,), (), (), _BARRIER_S)
            os.close(reader)

    def reloading(self, now_ns: int) -> None:
        """A reload begins (the manager wants the time with it); end it with ready()."""
        self.tell("RELOADING=1", "MONOTONIC_USEC=%d" % (now_ns // 1_000))

    def ready(self, status: str) -> None:
        """Started, or reloaded."""
        self.tell("READY=1", "STATUS=" + status)

    def stopping(self) -> None:
        """A graceful stop begins; it may take some seconds."""
        self.tell("STOPPING=1", "EXTEND_TIMEOUT_USEC=%d" % (10 * NS_PER_S // 1_000))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
