# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A precise prober: 1,000 echo requests a second to each target, and what was lost of them.

    python3 probe.py TARGET...        (root, inside a network namespace; IPv4 and IPv6 addresses)

Probes are sent on an absolute schedule, all targets in the same millisecond. It answers each line
on its standard input with a line of JSON on its standard output, and ends with its input:

    loss FROM_NS TO_NS    figures for the probes sent in that time (monotonic clock), per target
    steady                per target, the seconds for which every probe has been answered
    late                  by how much we were behind the schedule at worst, since last asked

A probe is lost when no answer came within a second. An outage lasts from the first lost probe to
the next one that was answered. Nothing of the lab is imported: it runs as a single file.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Dict, List

PERIOD_NS = 1_000_000
TIMEOUT_NS = 1_000_000_000
# A probe younger than this may still be under way, and is not judged yet.
UNDER_WAY_NS = 100_000_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
# Behind this much, the schedule starts anew: a late burst would say nothing of the network.
GIVE_UP_NS = 50_000_000
# When the whole machine stalls, so do the routers; it is told with the figures.
REALTIME_PRIORITY = 1

ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
SOL_RAW, ICMP_FILTER, ICMP6_FILTER = 255, 1, 1
ICMP_HEADER = struct.Struct("!BBHHH")
STAMP = struct.Struct("!8sQ")


class Target:
    """One address that is probed: when each probe was sent, and which were answered."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sent_ns = array("q")
        self.answered = bytearray()
        self._request, self._answer = ECHO[self.family]
        self._mark = os.urandom(STAMP.size - 8)
        self._socket = self._open()

    def probe(self, now_ns: int) -> None:
        """Send the next probe; one that cannot be sent counts as lost."""
        message = self._message(len(self.sent_ns))
        self.sent_ns.append(now_ns)
        self.answered.append(0)
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
            payload = packet[28:] if self.family == socket.AF_INET else packet[8:]
            if len(payload) < STAMP.size:
                continue
            mark, number = STAMP.unpack_from(payload)
            if mark != self._mark or number >= len(self.answered):
                continue
            if now_ns - self.sent_ns[number] <= TIMEOUT_NS:
                self.answered[number] = 1

    def loss(self, start_ns: int, stop_ns: int) -> Dict[str, object]:
        """Figures for the probes that were sent in a time."""
        first = bisect_left(self.sent_ns, start_ns)
        end = bisect_left(self.sent_ns, min(stop_ns, time.monotonic_ns() - UNDER_WAY_NS))
        outages = []
        number = first
        while number < end:
            number = self.answered.find(0, number, end)
            if number < 0:
                break
            back = self.answered.find(1, number)
            back = len(self.sent_ns) - 1 if back < 0 else back
            outages.append((self.sent_ns[back] - self.sent_ns[number]) / NS_PER_MS)
            number = back + 1
        return {
            "sent": end - first,
            "lost": self.answered.count(0, first, end),
            "outages": len(outages),
            "longest_ms": max(outages, default=0.0),
        }

    def steady_seconds(self, now_ns: int) -> float:
        """For how long every probe has been answered that is not still under way."""
        settled = bisect_left(self.sent_ns, now_ns - UNDER_WAY_NS)
        if settled == 0:
            return 0.0
        last_lost = self.answered.rfind(0, 0, settled)
        since = self.sent_ns[last_lost + 1] if last_lost + 1 < len(self.sent_ns) else now_ns
        return max(0.0, (now_ns - since) / NS_PER_S)

    def _open(self) -> socket.socket:
        if self.family == socket.AF_INET:
            opened = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            blocked = ~(1 << self._answer) & 0xFFFFFFFF
            opened.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("I", blocked))
        else:
            opened = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            block = bytearray(b"\xff" * 32)  # a set bit blocks that type
            block[self._answer // 32 * 4 : self._answer // 32 * 4 + 4] = struct.pack(
                "I", ~(1 << self._answer % 32) & 0xFFFFFFFF
            )
            opened.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, bytes(block))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        opened.connect((self.address, 0))
        opened.setblocking(False)
        return opened

    def _message(self, number: int) -> bytes:
        body = STAMP.pack(self._mark, number)
        identity = os.getpid() & 0xFFFF
        header = ICMP_HEADER.pack(self._request, 0, 0, identity, number & 0xFFFF)
        if self.family == socket.AF_INET6:
            return header + body  # the kernel fills in the checksum
        checksum = internet_checksum(header + body)
        return ICMP_HEADER.pack(self._request, 0, checksum, identity, number & 0xFFFF) + body


@dataclass
class Schedule:
    """Absolute times, and how far we were behind them at worst."""

    due_ns: int
    latest_ns: int = 0

    def advance(self, now_ns: int) -> None:
        late_ns = now_ns - self.due_ns
        self.latest_ns = max(self.latest_ns, late_ns)
        self.due_ns = (now_ns if late_ns > GIVE_UP_NS else self.due_ns) + PERIOD_NS


def internet_checksum(data: bytes) -> int:
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~int(total + (total >> 16)) & 0xFFFF


def answer(line: str, targets: List[Target], schedule: Schedule) -> Dict[str, object]:
    """What a line on the standard input asks for."""
    word, *numbers = line.split()
    if word == "steady":
        now_ns = time.monotonic_ns()
        return {target.address: target.steady_seconds(now_ns) for target in targets}
    if word == "late":
        late_ms, schedule.latest_ns = schedule.latest_ns / NS_PER_MS, 0
        return {"late_ms": late_ms}
    start_ns, stop_ns = int(numbers[0]), int(numbers[1])
    return {target.address: target.loss(start_ns, stop_ns) for target in targets}


def main(addresses: List[str]) -> None:
    targets = [Target(address) for address in addresses]
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REALTIME_PRIORITY))
    except PermissionError:
        pass  # less precise, and `late_ms` will tell
    schedule = Schedule(time.monotonic_ns())
    pending = b""
    os.set_blocking(0, False)
    while True:
        now_ns = time.monotonic_ns()
        if now_ns < schedule.due_ns:
            time.sleep((schedule.due_ns - now_ns) / NS_PER_S)
            now_ns = time.monotonic_ns()
        for target in targets:
            target.drain(now_ns)
            target.probe(now_ns)
        schedule.advance(now_ns)
        if select.select([0], [], [], 0)[0]:
            data = os.read(0, 4096)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                print(json.dumps(answer(line.decode(), targets, schedule)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
