# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advertisements as a router's kernel saw them come and go, with its time, at next to no cost.

The kernel writes the first octets of each into a ring in our memory (packet(7), TPACKET_V2): no
system call and no wake-up for a frame, and nobody reads while something is measured.
"""

from __future__ import annotations

import ctypes
import mmap
import socket
import struct
from typing import List

from tests.bench.figures import Advert
from tests.netns.namespaces import Namespace

_EVERY_PROTOCOL = 3
_SOL_PACKET = 263
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 5, 6, 10
_TPACKET_V2 = 1
_SO_ATTACH_FILTER = 26
_OUTGOING = 4
_FRAME = 128
_BLOCK = 1 << 20
# Octets of a frame that are kept: to the end of VRRP's header.
_KEPT = 48
# struct tpacket2_hdr: status, length, kept octets, offsets of Ethernet and IP, seconds, ns.
_HEADER = struct.Struct("=IIIHHII")
# struct sockaddr_ll, behind it: the index of the interface and the kind of packet.
_ADDRESS = struct.Struct("=4xiHB")
_ADDRESS_OFFSET = 32
_STATUS = struct.Struct("=I")
_USER, _KERNEL = 1, 0
_libc = ctypes.CDLL(None, use_errno=True)


def _filter(last_index: int) -> bytes:
    """Classic BPF: VRRP over IPv4 at interfaces up to an index; those after it are the virtual
    MAC devices, at which the same frames are seen again."""
    code = (
        (0x28, 0, 0, 12),
        (0x15, 0, 5, 0x0800),
        (0x30, 0, 0, 23),
        (0x15, 0, 3, 112),
        (0x20, 0, 0, 0xFFFFF008),  # the interface's index
        (0x25, 1, 0, last_index),
        (0x06, 0, 0, _KEPT),
        (0x06, 0, 0, 0),
    )
    return b"".join(struct.pack("HBBI", *each) for each in code)


class Tap:
    """Listens in a namespace from its construction to close()."""

    def __init__(self, namespace: Namespace, last_index: int, frames: int) -> None:
        blocks = -(-frames * _FRAME // _BLOCK)
        self._frames = blocks * (_BLOCK // _FRAME)
        with namespace.inside():
            # Protocol 0: nothing arrives until it is bound.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._ring = self._open(last_index, blocks)
        except BaseException:
            self._socket.close()  # it would keep the namespace
            raise
        self._next = 0

    def _open(self, last_index: int, blocks: int) -> mmap.mmap:
        code = ctypes.create_string_buffer(_filter(last_index))
        program = struct.pack("HL", 8, ctypes.addressof(code))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        request = struct.pack("IIII", _BLOCK, blocks, _FRAME, self._frames)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, request)
        ring = mmap.mmap(self._socket.fileno(), blocks * _BLOCK)
        # At all interfaces: the standard library binds to one that has a name.
        address = struct.pack(
            "=HHiHBB8x", socket.AF_PACKET, socket.htons(_EVERY_PROTOCOL), *[0] * 4
        )
        if _libc.bind(self._socket.fileno(), address, len(address)):
            raise OSError(ctypes.get_errno(), "bind of the tap")
        return ring

    def adverts(self) -> List[Advert]:
        """What came since the last call. Raises when the ring was full: something is missing."""
        found = []
        while True:
            start = self._next * _FRAME
            status, _length, _kept, at, _ip, seconds, ns = _HEADER.unpack_from(self._ring, start)
            if not status & _USER:
                break
            index, _hardware, kind = _ADDRESS.unpack_from(self._ring, start + _ADDRESS_OFFSET)
            message = start + at + 14 + 4 * (self._ring[start + at + 14] & 15)
            vrid, priority = self._ring[message + 1], self._ring[message + 2]
            time_ns = seconds * 1_000_000_000 + ns
            found.append(Advert(time_ns, kind == _OUTGOING, (index, vrid), priority))
            _STATUS.pack_into(self._ring, start, _KERNEL)
            self._next = (self._next + 1) % self._frames
        statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 12)
        if struct.unpack_from("II", statistics)[1]:
            raise AssertionError("the tap's ring of %d frames was too small" % self._frames)
        return found

    def close(self) -> None:
        """Stop listening."""
        self._ring.close()
        self._socket.close()
