# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many frames out, many packets in, by one system call: sendmmsg(2) and recvmmsg(2). Layer L4.

What routers say is the same each time. So a burst that was sent before is not laid out again, and a
packet that came before is found by its octets, and by those that the kernel tells beside it.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from ..facts import ReceivedPacket
from ..router.actions import TransmitFrame
from .netlink import enlarge_buffers

# struct mmsghdr: name and its length, vector and its length, control and its length, flags; octets.
_HEADER = struct.Struct("@PIPNPNi0PI0P")
# The three of it that the kernel fills in and that matter.
_FILLED = struct.Struct("@%dxNi0PI0P" % struct.calcsize("@PIPNP"))
_VECTOR = struct.Struct("@PN")
_ANCILLARY = struct.Struct("@Nii0N")
_WORD = struct.calcsize("N")
# struct sockaddr_ll, of which only the link counts when the frame is whole.
_PLACE = struct.Struct("=H2xi12x")

# A record: who sent it, what the kernel tells, what is usual of the packet. The rest of a packet
# lies elsewhere, in memory that nothing usual touches: up to what 255 IPv6 addresses take.
MESSAGES = 64
_NAME_ROOM, _ANCILLARY_ROOM, _USUAL_ROOM = 32, 96, 128
_PACKET_AT = _NAME_ROOM + _ANCILLARY_ROOM
_RECORD = _PACKET_AT + _USUAL_ROOM
_REST_ROOM = 4096
# The limit of packets, and of frames: a hostile LAN, or advertisements that change all the time, do
# not fill memory.
_REMEMBERED = 8192

# A limit, not a claim. Frames wait in it where a card has stalled, up to 10,240 of 1 kB in its
# queue, and must not keep those of the other cards from being sent.
_SEND_BUFFER = 64 << 20

Ancillary = Tuple[int, int, bytes]


class Message(NamedTuple):
    """A packet and what the kernel tells: source is a struct sockaddr."""

    source: bytes
    ancillary: Tuple[Ancillary, ...]
    payload: bytes


Decode = Callable[[Message], Optional[ReceivedPacket]]


class BurstReceiver:
    """Reads a raw socket, which stays the caller's. decode: None for what is not for us; asked once
    for packets that come again and again, so it has to be the same until forget()."""

    def __init__(self, receiver: socket.socket, decode: Decode) -> None:
        self._recvmmsg = _function("recvmmsg", ctypes.c_void_p)
        self._descriptor = receiver.fileno()
        self._decode = decode
        self._known: Dict[bytes, Optional[ReceivedPacket]] = {}
        # Of a known packet: everything that was told of it was told as usual.
        self._usual_ancillary = -1
        self._records = mmap.mmap(-1, MESSAGES * _RECORD)
        self._rests = mmap.mmap(-1, MESSAGES * _REST_ROOM)
        self._vectors = ctypes.create_string_buffer(MESSAGES * 2 * _VECTOR.size)
        self._headers = ctypes.create_string_buffer(MESSAGES * _HEADER.size)
        for number in range(MESSAGES):
            self._lay_out(number)
        self._fresh = self._headers.raw
        self._view = memoryview(self._headers).cast("B")

    def _lay_out(self, number: int) -> None:
        record = _address(self._records) + number * _RECORD
        rest = _address(self._rests) + number * _REST_ROOM
        at = number * 2 * _VECTOR.size
        _VECTOR.pack_into(self._vectors, at, record + _PACKET_AT, _USUAL_ROOM)
        _VECTOR.pack_into(self._vectors, at + _VECTOR.size, rest, _REST_ROOM)
        vectors = ctypes.addressof(self._vectors) + at
        _HEADER.pack_into(
            self._headers, number * _HEADER.size, record, _NAME_ROOM, vectors, 2,
            record + _NAME_ROOM, _ANCILLARY_ROOM, 0, 0,
        )  # fmt: skip

    def receive(self, maximum: int) -> List[ReceivedPacket]:
        """Of at most so many that wait, those that are for us, oldest first; never blocks. Raises
        OSError."""
        packets: List[ReceivedPacket] = []
        while maximum > 0:
            wanted = min(maximum, MESSAGES)
            count = self._read(wanted, packets)
            maximum -= count
            if count < wanted:
                break
        return packets

    def _read(self, wanted: int, packets: List[ReceivedPacket]) -> int:
        flags = socket.MSG_DONTWAIT | socket.MSG_TRUNC
        headers = ctypes.addressof(self._headers)
        count = self._recvmmsg(self._descriptor, headers, wanted, flags, None)
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return 0
            raise OSError(number, os.strerror(number))
        known, records, usual = self._known, self._records, self._usual_ancillary
        at = 0
        end = count * _HEADER.size
        for told, said, length in _FILLED.iter_unpack(self._view[:end]):
            packet: Optional[ReceivedPacket] = None
            try:
                if said or told != usual or length > _USUAL_ROOM:
                    raise KeyError
                packet = known[records[at : at + _PACKET_AT + length]]
            except KeyError:
                packet = self._learn(at // _RECORD, told, said, length)
            if packet is not None:
                packets.append(packet)
            at += _RECORD
        self._view[:end] = self._fresh[:end]
        return count

    def _learn(self, number: int, told: int, said: int, length: int) -> Optional[ReceivedPacket]:
        at = number * _RECORD
        key = self._records[at : at + _PACKET_AT + min(length, _USUAL_ROOM)]
        payload = key[_PACKET_AT:]
        if length > _USUAL_ROOM:
            rest = self._rests[number * _REST_ROOM :][: min(length - _USUAL_ROOM, _REST_ROOM)]
            # Nothing that long is an advertisement; it keeps its length, which tells.
            payload = (payload + rest).ljust(length, b"\0")
        ancillary = tuple(_read_ancillary(key[_NAME_ROOM : _NAME_ROOM + told]))
        packet = self._decode(Message(key[:_NAME_ROOM], ancillary, payload))
        if not said and length <= _USUAL_ROOM:
            if told != self._usual_ancillary or len(self._known) >= _REMEMBERED:
                self._known.clear()
                self._usual_ancillary = told
            self._known[key] = packet
        return packet

    def forget(self) -> None:
        """What decode says may be another thing from now on."""
        self._known.clear()


class _Burst(NamedTuple):
    """Frames as sendmmsg() wants them: their headers, and what these point at."""

    frames: Tuple[TransmitFrame, ...]
    headers: ctypes.Array[ctypes.c_char]
    pointed_at: Tuple[ctypes.Array[ctypes.c_char], ...]


Refused = List[Tuple[TransmitFrame, OSError]]


class FrameSender:
    """One packet socket for all links: each frame says by which link it leaves. Raises OSError.

    A bound one for each link would send as quickly, but the kernel waits 15 ms for a grace period
    with each that is closed, and closes them one by one also when the process is killed: with a
    thousand links nobody could go on in its place for a quarter of a minute.
    """

    def __init__(self) -> None:
        # socket.sendto() takes the name of a link, looks its index up for each frame, and would
        # send by the wrong one after names were exchanged.
        self._sendmmsg = _function("sendmmsg")
        # Protocol 0: nothing is ever received here.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._descriptor = self._socket.fileno()
        enlarge_buffers(self._socket, _SEND_BUFFER)
        # By the identities of their frames, which live as long as they are here, and by their own.
        self._prepared: Dict[Tuple[int, ...], _Burst] = {}
        self._same: Dict[int, _Burst] = {}

    def send(self, frame: TransmitFrame) -> None:
        """Send one that may never be sent again."""
        for _frame, error in self._send(_lay_out((frame,))):
            raise error

    def send_again(self, frames: Sequence[TransmitFrame]) -> Refused:
        """Send what may well be sent again; those that could not be sent, and why."""
        return self._send(self._same.get(id(frames)) or self._burst(frames))

    def rehearse(self, frames: Sequence[TransmitFrame]) -> None:
        """As send_again() with empty frames: the kernel does what it does with each, and refuses it
        when all but sending is done (EINVAL; nobody counts that)."""
        self._send(_lay_out(tuple(TransmitFrame(each.ifindex, b"") for each in frames)))

    def _send(self, burst: _Burst) -> Refused:
        refused: Refused = []
        frames = burst.frames
        first = ctypes.addressof(burst.headers)
        done, count = 0, len(frames)
        while done < count:
            at = first + done * _HEADER.size
            sent = self._sendmmsg(self._descriptor, at, count - done, socket.MSG_DONTWAIT)
            if sent < 0:  # the next one, then; those before it were told by the call before
                number = ctypes.get_errno()
                refused.append((frames[done], OSError(number, os.strerror(number))))
            done += max(sent, 1)
        return refused

    def _burst(self, frames: Sequence[TransmitFrame]) -> _Burst:
        identities = tuple(map(id, frames))
        burst = self._prepared.get(identities)
        if burst is None:
            self._make_room(frozenset(identities))
            burst = _lay_out(tuple(frames))
        elif isinstance(frames, tuple):
            # Look for this one from now on.
            self._same.pop(id(burst.frames), None)
            burst = burst._replace(frames=frames)
        self._prepared[identities] = self._same[id(burst.frames)] = burst
        return burst

    def _make_room(self, fresh: FrozenSet[int]) -> None:
        # Each advertisement is due once in an interval: another burst with it is of the past.
        present = self._prepared.items()
        self._prepared = {key: burst for key, burst in present if fresh.isdisjoint(key)}
        # What is never due again stays until there is too much of it.
        if sum(map(len, self._prepared)) > _REMEMBERED:
            self._prepared.clear()
        self._same = {id(burst.frames): burst for burst in self._prepared.values()}

    def close(self) -> None:
        """Nothing can be sent any more."""
        self._socket.close()
        self._descriptor = -1


def _lay_out(frames: Tuple[TransmitFrame, ...]) -> _Burst:
    count = len(frames)
    headers = ctypes.create_string_buffer(count * _HEADER.size)
    vectors = ctypes.create_string_buffer(count * _VECTOR.size)
    places = ctypes.create_string_buffer(count * _PLACE.size)
    place, vector = ctypes.addressof(places), ctypes.addressof(vectors)
    for number, each in enumerate(frames):
        octets = ctypes.cast(ctypes.c_char_p(each.frame), ctypes.c_void_p).value
        _VECTOR.pack_into(vectors, number * _VECTOR.size, octets, len(each.frame))
        _PLACE.pack_into(places, number * _PLACE.size, socket.AF_PACKET, each.ifindex)
        at = number * _HEADER.size
        _HEADER.pack_into(headers, at, place, _PLACE.size, vector, 1, 0, 0, 0, 0)
        place += _PLACE.size
        vector += _VECTOR.size
    return _Burst(frames, headers, (vectors, places))


def _function(name: str, *more: type) -> Callable[..., int]:
    """Of the C library: descriptor, address of the headers, their count, flags, and more."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, *more)
    function.restype = ctypes.c_int
    found: Callable[..., int] = function
    return found


def _address(memory: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def _read_ancillary(octets: bytes) -> List[Ancillary]:
    """What cmsg(3) walks over."""
    found: List[Ancillary] = []
    at = 0
    while at + _ANCILLARY.size <= len(octets):
        length, level, kind = _ANCILLARY.unpack_from(octets, at)
        if length < _ANCILLARY.size:
            break
        found.append((level, kind, octets[at + _ANCILLARY.size : at + length]))
        at += -(-length // _WORD) * _WORD
    return found
