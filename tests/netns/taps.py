# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes from virtual MACs out of one port of a switch, in its order."""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Dict, List, Sequence, Tuple

from namespaces import Namespace

_EVERY_PROTOCOL = 3
_OUTGOING = 4
_SO_ATTACH_FILTER = 26
_SO_TIMESTAMPNS = 35
# Whatever net.core.rmem_max says: a frame that is lost would be a gap.
_SO_RCVBUFFORCE = 33
_TIMESPEC = struct.Struct("ll")
_BUFFER = 4 << 20
# A successor's kernel begins so long before it advertises: see router/outbox.py.
_READY_NS = 20_000_000
# Classic BPF: the frame if its source begins with 00:00:5e:00, else nothing.
_FROM_VIRTUAL_MAC = (
    (0x20, 0, 0, 6),
    (0x15, 0, 1, 0x00005E00),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


class Tap:
    """Listens from its construction on."""

    def __init__(self, switch: Namespace, port: str) -> None:
        with switch.inside():
            # Deaf until it is bound: it would hear every interface, and everybody, before.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            code = b"".join(struct.pack("HBBI", *each) for each in _FROM_VIRTUAL_MAC)
            held = ctypes.create_string_buffer(code)
            program = struct.pack("HL", len(_FROM_VIRTUAL_MAC), ctypes.addressof(held))
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.bind((port, _EVERY_PROTOCOL))
        self._socket.setblocking(False)
        self._frames: List[Tuple[int, bytes]] = []

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def frames(self) -> List[Tuple[int, bytes]]:
        """All frames so far that came in by the port, with their time in ns."""
        while True:
            try:
                data, ancillary, _flags, address = self._socket.recvmsg(65536, 64)
            except BlockingIOError:
                return self._frames
            if address[2] != _OUTGOING:
                seconds, ns = _TIMESPEC.unpack(ancillary[0][2])
                self._frames.append((seconds * 1_000_000_000 + ns, data))

    def forget(self) -> None:
        """What came so far."""
        self.frames().clear()

    def releases(self) -> int:
        """Advertisements of priority 0."""
        return sum(advertised_priority(frame) == 0 for _time_ns, frame in self.frames())


def out_of_turn(taps: Sequence[Tap]) -> List[str]:
    """Frames that a router sent from a virtual MAC though it was not master, or in which it
    answered for an address that it was leaving; taps are those of all routers, one each."""
    frames = sorted(
        (time_ns, number, frame)
        for number, tap in enumerate(taps)
        for time_ns, frame in tap.frames()
    )
    masters: Dict[bytes, int] = {}
    leaving: Dict[bytes, int] = {}
    wrong: List[str] = []
    early: List[Tuple[int, int, bytes]] = []
    for time_ns, number, frame in frames:
        source = frame[6:12]
        priority = advertised_priority(frame)
        if priority > 0:
            masters[source] = number
            leaving.pop(source, None)
            early = [
                each
                for each in early
                if (each[1], each[2][6:12]) != (number, source) or time_ns - each[0] > _READY_NS
            ]
        elif priority == 0:
            masters.pop(source, None)
            leaving[source] = number
        elif number == leaving.get(source):
            if _is_answer(frame):
                wrong.append("router %d answers while leaving: %s" % (number, frame.hex()))
        elif number != masters.get(source):
            early.append((time_ns, number, frame))
    return wrong + ["router %d is no master: %s" % (each[1], each[2].hex()) for each in early]


def advertised_gaps_ns(tap: Tap) -> Dict[bytes, List[int]]:
    """Of each virtual MAC, the times between its advertisements, as the kernel stamped them."""
    last: Dict[bytes, int] = {}
    gaps: Dict[bytes, List[int]] = {}
    for time_ns, frame in tap.frames():
        source = frame[6:12]
        if advertised_priority(frame) > 0:
            if source in last:
                gaps.setdefault(source, []).append(time_ns - last[source])
            last[source] = time_ns
    return gaps


def _is_answer(frame: bytes) -> bool:
    """An ARP frame or a neighbour advertisement: it tells where an address is."""
    kind, protocol, message = _layout(frame)
    return frame[12:14] == b"\x08\x06" or (kind and protocol == 58 and frame[message] == 136)


def advertised_priority(frame: bytes) -> int:
    """The priority of an advertisement; -1 for another frame."""
    kind, protocol, message = _layout(frame)
    return frame[message + 2] if kind and protocol == 112 else -1


def _layout(frame: bytes) -> Tuple[bool, int, int]:
    """Whether it is IP, its protocol, and where its message begins."""
    if frame[12:14] == b"\x08\x00":
        return True, frame[23], 14 + 4 * (frame[14] & 15)
    if frame[12:14] == b"\x86\xdd":
        return True, frame[20], 54
    return False, 0, 0
