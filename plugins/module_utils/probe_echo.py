# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Echo requests on an absolute schedule, and their answers. RFC 792; RFC 4443 section 4.1."""

from __future__ import annotations

import os
import socket
import struct

from .outages import NS_PER_S, Probes
from .vrrp.wire.checksum import internet_checksum

#: When the whole machine stalls, so do the routers; it is told with the figures.
REALTIME_PRIORITY = 1
#: Behind this much, the schedule starts anew: a late burst would say nothing of the network.
GIVE_UP_NS = 50_000_000

_ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
_SOL_RAW, _ICMP_FILTER, _ICMP6_FILTER = 255, 1, 1
_HEADER = struct.Struct("!BBHHH")
_STAMP = struct.Struct("!8sQ")
_HEADERS_LENGTH = {socket.AF_INET: 28, socket.AF_INET6: 8}
_RECEIVE_BUFFER = 1 << 20


class Echo:
    """Probes one address; `probes` has what became of them."""

    def __init__(self, address: str, interface: str = "") -> None:
        self.address = address
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.probes = Probes()
        self._request, self._answer = _ECHO[self.family]
        self._mark = os.urandom(_STAMP.size - 8)
        self._identity = os.getpid() & 0xFFFF
        self._socket = self._open(interface)

    def send(self, now_ns: int) -> None:
        """Send the next probe; one that cannot be sent counts as lost."""
        message = self._message(len(self.probes))
        self.probes.sent(now_ns)
        try:
            self._socket.send(message)
        except OSError:
            pass  # no route, no neighbour: lost like any other

    def drain(self, now_ns: int) -> None:
        """Take all answers that have come."""
        while True:
            try:
                packet = self._socket.recv(256)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error that the kernel reports here
            payload = packet[_HEADERS_LENGTH[self.family] :]
            if len(payload) >= _STAMP.size:
                mark, number = _STAMP.unpack_from(payload)
                if mark == self._mark:
                    self.probes.answer(number, now_ns)

    def close(self) -> None:
        """No more probes."""
        self._socket.close()

    def _open(self, interface: str) -> socket.socket:
        if self.family == socket.AF_INET:
            opened = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            blocked = ~(1 << self._answer) & 0xFFFFFFFF
            opened.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("I", blocked))
        else:
            opened = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            block = bytearray(b"\xff" * 32)  # a set bit blocks that type
            block[self._answer // 32 * 4 : self._answer // 32 * 4 + 4] = struct.pack(
                "I", ~(1 << self._answer % 32) & 0xFFFFFFFF
            )
            opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(block))
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            if interface:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            opened.connect((self.address, 0))
            opened.setblocking(False)
        except OSError:
            opened.close()
            raise
        return opened

    def _message(self, number: int) -> bytes:
        body = _STAMP.pack(self._mark, number)
        checksum = 0  # the kernel fills it in for IPv6
        if self.family == socket.AF_INET:
            checksum = internet_checksum(self._header(0, number) + body)
        return self._header(checksum, number) + body

    def _header(self, checksum: int, number: int) -> bytes:
        return _HEADER.pack(self._request, 0, checksum, self._identity, number & 0xFFFF)


class Schedule:
    """Absolute times, and how far we were behind them at worst."""

    def __init__(self, now_ns: int, period_ns: int) -> None:
        self.due_ns = now_ns
        self.latest_ns = 0
        self._period_ns = period_ns

    def wait_s(self, now_ns: int) -> float:
        """Seconds until the next probe is due."""
        return max(0.0, (self.due_ns - now_ns) / NS_PER_S)

    def advance(self, now_ns: int) -> None:
        """A probe was sent now."""
        late_ns = now_ns - self.due_ns
        self.latest_ns = max(self.latest_ns, late_ns)
        self.due_ns = (now_ns if late_ns > GIVE_UP_NS else self.due_ns) + self._period_ns


def ask_for_realtime() -> None:
    """Without it we are less precise, and the lateness tells."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REALTIME_PRIORITY))
    except PermissionError:
        pass
