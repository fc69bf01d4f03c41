# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Echo probes of the ping trackers. Layer L4. RFC 792; RFC 4443 section 4.1."""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Dict, List, Optional, Sequence, Set, Tuple

from ..config.model import TrackerConfig, TrackerKind
from ..facts import Family, ProbeResult, family_of
from ..units import ns_from_cs
from ..wire.checksum import internet_checksum

_ECHO = struct.Struct("!BBHHH")
_ECHO_REQUEST = {Family.IPV4: 8, Family.IPV6: 128}
_ECHO_REPLY = {Family.IPV4: 0, Family.IPV6: 129}
# What a raw ICMP socket throws away, as (level, option, bits): everything but echo replies. The
# kernel's filter for IPv4 knows the first 32 types only, the one for IPv6 all 256.
_REPLIES_ONLY = {
    Family.IPV4: (255, 1, struct.pack("=I", 0xFFFFFFFE)),
    Family.IPV6: (
        socket.IPPROTO_ICMPV6,
        1,
        struct.pack("=8I", *(0xFFFFFFFD if word == 4 else 0xFFFFFFFF for word in range(8))),
    ),
}
_TOKEN_LENGTH = 8
_LARGEST_REPLY = 2048
# Replies read in one turn, so that a flood of them cannot hold up advertisements.
_READS_PER_POLL = 256

_Route = Tuple[Family, str]


class _Round:
    """One probe: an echo to every target of a tracker, and the answer that has not come yet."""

    __slots__ = ("deadline_ns", "problems", "sequences", "tracker")

    def __init__(self, tracker: TrackerConfig, deadline_ns: int) -> None:
        self.tracker = tracker
        self.deadline_ns = deadline_ns
        self.sequences: Set[int] = set()
        self.problems: List[str] = []

    def failure(self) -> ProbeResult:
        """What to say when nothing has answered."""
        silent = len(self.tracker.targets) - len(self.problems)
        problems = list(self.problems)
        if silent:
            targets = ", ".join(_text(target) for target in self.tracker.targets)
            problems.append("no answer from %s" % targets)
        return ProbeResult(self.tracker.name, False, "; ".join(problems))


class PingProber:
    """Implements ports.Prober for trackers of kind ping; others are none of its business.

    A tracker that cannot be probed (no route, no interface) has failed its probe: nothing here
    raises once the object exists. One socket per (family, interface) serves all trackers.
    """

    def __init__(self) -> None:
        self._trackers: Dict[str, TrackerConfig] = {}
        self._due_ns: Dict[str, int] = {}
        self._rounds: List[_Round] = []
        self._waiting: Dict[int, _Round] = {}
        self._sockets: Dict[_Route, socket.socket] = {}
        self._sequence = 0
        self._identifier = os.getpid() & 0xFFFF
        self._token = os.urandom(_TOKEN_LENGTH)

    def configure(self, trackers: Sequence[TrackerConfig], now_ns: int) -> None:
        """Run exactly these from now on; a tracker that did not change goes on undisturbed."""
        wanted = {t.name: t for t in trackers if t.kind is TrackerKind.PING and t.targets}
        for name, tracker in list(self._trackers.items()):
            if wanted.get(name) != tracker:
                del self._trackers[name], self._due_ns[name]
                self._forget_rounds(name)
        for name, tracker in wanted.items():
            if name not in self._trackers:
                self._trackers[name] = tracker
                self._due_ns[name] = now_ns
        routes = {
            (family_of(target), tracker.interface)
            for tracker in wanted.values()
            for target in tracker.targets
        }
        for route in set(self._sockets) - routes:
            self._close_socket(route)

    def _forget_rounds(self, name: str) -> None:
        for finished in [r for r in self._rounds if r.tracker.name == name]:
            self._finish(finished)

    def deadline_ns(self) -> Optional[int]:
        """When poll wants to be called at the latest; None without trackers."""
        times = [*self._due_ns.values(), *(waiting.deadline_ns for waiting in self._rounds)]
        return min(times, default=None)

    def filenos(self) -> Tuple[int, ...]:
        """Readable when an answer is waiting; they may change with every poll."""
        return tuple(sock.fileno() for sock in self._sockets.values())

    def poll(self, now_ns: int) -> List[ProbeResult]:
        """Send what is due, read what has come; the results that are known now."""
        results = self._read()
        for late in [waiting for waiting in self._rounds if waiting.deadline_ns <= now_ns]:
            self._finish(late)
            results.append(late.failure())
        for name, due_ns in list(self._due_ns.items()):
            if due_ns <= now_ns:
                tracker = self._trackers[name]
                interval_ns = ns_from_cs(tracker.interval_cs)
                # After a stall go on from now instead of catching up with a burst.
                self._due_ns[name] = max(due_ns + interval_ns, now_ns + interval_ns // 2)
                results += self._probe(tracker, now_ns)
        return results

    def close(self) -> None:
        """Give everything back."""
        for route in list(self._sockets):
            self._close_socket(route)
        self._trackers.clear()
        self._due_ns.clear()
        self._rounds.clear()
        self._waiting.clear()

    def _probe(self, tracker: TrackerConfig, now_ns: int) -> List[ProbeResult]:
        """Send to all targets; a result only when none could be sent."""
        started = _Round(tracker, now_ns + ns_from_cs(tracker.timeout_cs))
        for target in tracker.targets:
            self._sequence = self._sequence + 1 & 0xFFFF
            problem = self._send(target, tracker.interface)
            if problem:
                started.problems.append(problem)
            else:
                started.sequences.add(self._sequence)
                self._waiting[self._sequence] = started
        if not started.sequences:
            return [started.failure()]
        self._rounds.append(started)
        return []

    def _send(self, target: bytes, interface: str) -> str:
        """Send one echo request; what is wrong, in words, or nothing."""
        family = family_of(target)
        route = (family, interface)
        try:
            sock = self._sockets.get(route) or self._open_socket(route)
            sock.sendto(self._request(family), (_text(target), 0))
        except OSError as error:
            # A socket bound to an interface that was replaced never works again.
            self._close_socket(route)
            where = " by %s" % interface if interface else ""
            return "%s%s: %s" % (_text(target), where, os.strerror(error.errno or errno.EIO))
        return ""

    def _request(self, family: Family) -> bytes:
        kind = _ECHO_REQUEST[family]
        header = _ECHO.pack(kind, 0, 0, self._identifier, self._sequence)
        if family is Family.IPV6:
            # The kernel computes the checksum of ICMPv6.
            return header + self._token
        checksum = internet_checksum(header + self._token)
        return _ECHO.pack(kind, 0, checksum, self._identifier, self._sequence) + self._token

    def _open_socket(self, route: _Route) -> socket.socket:
        family, interface = route
        if family is Family.IPV4:
            sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        else:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        try:
            sock.setblocking(False)
            sock.setsockopt(*_REPLIES_ONLY[family])
            if interface:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        except OSError:
            sock.close()
            raise
        self._sockets[route] = sock
        return sock

    def _close_socket(self, route: _Route) -> None:
        sock = self._sockets.pop(route, None)
        if sock is not None:
            sock.close()

    def _read(self) -> List[ProbeResult]:
        results: List[ProbeResult] = []
        for route, sock in list(self._sockets.items()):
            for _turn in range(_READS_PER_POLL):
                try:
                    data, source = sock.recvfrom(_LARGEST_REPLY)
                except BlockingIOError:
                    break
                except OSError:
                    # An ICMP error for one of our probes; the next read goes on behind it.
                    continue
                results += self._take(route[0], data, source[0])
        return results

    def _take(self, family: Family, data: bytes, source: str) -> List[ProbeResult]:
        """The result, when this is the first answer of a round."""
        offset = (data[0] & 0x0F) * 4 if family is Family.IPV4 else 0
        if len(data) < offset + _ECHO.size:
            return []
        kind, _code, _checksum, _identifier, sequence = _ECHO.unpack_from(data, offset)
        if kind != _ECHO_REPLY[family]:
            return []
        # Other processes ping as well, and their replies reach our sockets, too.
        if data[offset + _ECHO.size :] != self._token or sequence not in self._waiting:
            return []
        answered = self._waiting[sequence]
        self._finish(answered)
        return [ProbeResult(answered.tracker.name, True, "answer from %s" % source)]

    def _finish(self, finished: _Round) -> None:
        self._rounds.remove(finished)
        for sequence in finished.sequences:
            self._waiting.pop(sequence, None)


def _text(address: bytes) -> str:
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, address)
