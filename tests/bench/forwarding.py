# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a daemon costs packets that are only forwarded: a flood through its router.

client -- router -- sink. The client's frames go to the router's physical MAC; the sink drops them.
Sending, forwarding and dropping all happen in the sender's context, so its processor time is the
cost of a packet, and what a daemon itself takes beside that is not counted.
"""

from __future__ import annotations

import array
import mmap
import socket
import struct
import time
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Optional, Type

from tests.bench.figures import Key, median
from tests.bench.shapes import MASTER, NOBODY, SHAPES
from tests.bench.speakers import SPEAKERS
from tests.bench.tap import Tap
from tests.bench.wiring import link_name
from tests.netns.namespaces import Namespace, connect

# An interface with this many virtual routers, each with a device of its own.
SHAPE = SHAPES["one-250"]
SAMPLES = 5
FLOOD_S = 0.4
START_S = 60.0

_LAN, _WAN = link_name(0), "wan"
_FRAMES, _FRAME, _DATA = 2048, 128, 32
_SOL_PACKET, _PACKET_VERSION, _PACKET_TX_RING = 263, 10, 13
_SEND_REQUEST = 1
_SINK_MAC = "02:00:00:00:00:53"


class Road:
    """The three namespaces. A context: at its end they are gone."""

    def __init__(self) -> None:
        self._all: List[Namespace] = []

    def __enter__(self) -> Road:
        try:
            self._build()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        for namespace in self._all:
            namespace.remove()

    def _build(self) -> None:
        for name in ("c", "r", "s"):
            self._all.append(Namespace("bench-" + name))
            for which in ("all", "default"):
                self._all[-1].sysctl("net/ipv6/conf/%s/disable_ipv6" % which, "1")
        self.client, self.router, sink = self._all
        connect(self.router, _LAN, self.client, "eth0")
        connect(self.router, _WAN, sink, "eth0")
        self.router.sysctl("net/ipv4/ip_forward", "1")
        self.router.batch(
            "addr add %s dev %s" % (SHAPE.real_address(MASTER, 0), _LAN),
            "addr add 198.51.100.1/24 dev %s" % _WAN,
            "neigh add 198.51.100.9 lladdr %s dev %s" % (_SINK_MAC, _WAN),
        )
        sink.batch("link set eth0 address %s" % _SINK_MAC)

    def forwarded(self) -> int:
        """Packets that have left the router for the sink."""
        with self.router.inside(), open("/proc/thread-self/net/dev") as file:
            lines = (line.partition(":") for line in file)
            return sum(int(tail.split()[9]) for name, _colon, tail in lines if _WAN in name)

    def frame(self) -> bytes:
        """What floods: 64 octets of UDP to the sink's network."""
        source, target = socket.inet_aton("10.0.254.1"), socket.inet_aton("198.51.100.9")
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, 17, 0, source, target)
        total = sum(struct.unpack("!10H", head))
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        head = head[:10] + struct.pack("!H", total ^ 0xFFFF) + head[12:]
        router = bytes.fromhex(self.router.mac(_LAN).replace(":", ""))
        client = bytes.fromhex(self.client.mac("eth0").replace(":", ""))
        message = struct.pack("!HHHH", 9, 9, 26, 0) + bytes(18)
        return router + client + b"\x08\x00" + head + message


class Flood:
    """A ring of equal frames that one system call sends (packet(7), PACKET_TX_RING)."""

    def __init__(self, namespace: Namespace, frame: bytes) -> None:
        with namespace.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, 1)
            size = _FRAMES * _FRAME
            request = struct.pack("IIII", size, 1, _FRAME, _FRAMES)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_TX_RING, request)
            self._ring = mmap.mmap(self._socket.fileno(), size)
            self._socket.bind(("eth0", 0))
        for start in range(0, size, _FRAME):
            struct.pack_into("=II", self._ring, start, 0, len(frame))
            self._ring[start + _DATA : start + _DATA + len(frame)] = frame
        self._words = memoryview(self._ring).cast("I")
        self._requests = memoryview(array.array("I", [_SEND_REQUEST] * _FRAMES))

    def run(self, seconds: float) -> int:
        """Send for so long; the processor time that took, in ns."""
        end, begun_ns = time.monotonic() + seconds, time.thread_time_ns()
        while time.monotonic() < end:
            self._words[:: _FRAME // 4] = self._requests
            self._socket.send(b"")
        return time.thread_time_ns() - begun_ns

    def close(self) -> None:
        """Give the ring back."""
        self._words.release()
        self._ring.close()
        self._socket.close()


def cost_ns(kind: str, directory: Path) -> Dict[str, float]:
    """Of a forwarded packet, beside a daemon that is master of all groups, or beside none."""
    with Road() as road:
        if kind == NOBODY:
            return _flooded(road)
        speaker = SPEAKERS[kind](road.router, directory, SHAPE, MASTER)
        try:
            _start(road, speaker.start)
            return _flooded(road)
        finally:
            speaker.kill()


def _start(road: Road, start: object) -> None:
    """Until every group has been advertised to the client."""
    with road.client.inside():
        index = socket.if_nametoindex("eth0")
    tap = Tap(road.client, index, round(SHAPE.count * START_S))
    try:
        assert callable(start)
        start()
        heard: Dict[Key, int] = {}
        end = time.monotonic() + START_S
        while len(heard) < SHAPE.count:
            if time.monotonic() > end:
                raise AssertionError("only %d groups have a master" % len(heard))
            time.sleep(0.05)
            heard.update({each.group: each.time_ns for each in tap.adverts()})
    finally:
        tap.close()
    time.sleep(2.0)  # announcements are over


def _flooded(road: Road) -> Dict[str, float]:
    flood = Flood(road.client, road.frame())
    try:
        flood.run(FLOOD_S)
        samples = []
        for _number in range(SAMPLES):
            before = road.forwarded()
            spent_ns = flood.run(FLOOD_S)
            samples.append(spent_ns / (road.forwarded() - before))
    finally:
        flood.close()
    return {"forwarded_ns": median(samples)}
