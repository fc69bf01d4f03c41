# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When each virtual router last advertised, for the process after this one. Layer L5.

A file in the runtime directory, mapped into memory: a beat costs no system call, and outlives
SIGKILL. It lies in a tmpfs, so it does not outlive the machine, whose clock it tells.

    8 octets "vgbeat-1", then records of 32:
    sent_ns (8), ifindex (4), virtual MAC (6), interval_cs (2), form (1), 11 unused; all zero: none

form: of the checksum, 1: over the message alone. An adopting process has heard nobody yet, and
whoever cannot read its first advertisement would take over.

A virtual router that released its mastership has no record: whoever is killed while it hands over
must not be taken for a master.
"""

from __future__ import annotations

import array
import mmap
import os
import struct
from dataclasses import dataclass
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from ..errors import PlatformError
from ..fsm.parameters import RELEASE_PRIORITY
from ..fsm.timing import lease_s
from ..router.actions import RouterAction, TransmitFrame
from ..units import CS_PER_S, NS_PER_S
from ..wire.checksum import ChecksumForm, internet_checksum
from .log import Log

FILE_NAME = "heartbeat"
_MAGIC = b"vgbeat-1"
_RECORD = struct.Struct("=QI6sHB11x")
_SENT_NS = struct.Struct("=Q")
# Twice the virtual routers of a large host; those beyond have no beat, and start as backups.
_RECORDS = 8192
# Those that are due no more stay until there are so many; a slot has one.
_BURSTS = 128
_SIZE = len(_MAGIC) + _RECORDS * _RECORD.size
_OF_PSEUDO_HEADER, _OF_MESSAGE = 0, 1
_NOTHING = bytes(_RECORD.size)
# In a frame of ours: behind the Ethernet header and that of IP, without options.
_MESSAGE_AT = {b"\x08\x00": 34, b"\x86\xdd": 54}

Wire = Tuple[int, bytes]


@dataclass(frozen=True)
class Beat:
    """The last advertisement of a virtual router: when it left, its interval and checksum."""

    sent_ns: int
    interval_cs: int
    checksum: ChecksumForm

    def silence_ns(self, now_ns: int) -> Optional[int]:
        """Since then; None when the record is of no use, for it is of another boot."""
        return now_ns - self.sent_ns if 0 < self.sent_ns <= now_ns else None


class _Burst(NamedTuple):
    """Advertisements that are steady(), and where their records are. They live as long as this, so
    nothing else has their identity."""

    frames: Tuple[TransmitFrame, ...]
    places: Sequence[int]


class Heartbeat:
    """The open file. Wires are (ifindex of the link, virtual MAC). Raises PlatformError."""

    def __init__(self, runtime_dir: str) -> None:
        path = os.path.join(runtime_dir, FILE_NAME)
        try:
            self._map = _open(path)
        except OSError as error:
            raise PlatformError("open the heartbeat", path, error.errno) from error
        self._at: Dict[Wire, int] = {}
        # The frame that a record was made from.
        self._frames: Dict[Wire, bytes] = {}
        # By link and frame, where its record is.
        self._steady: Dict[Tuple[int, bytes], int] = {}
        self._bursts: Dict[int, _Burst] = {}
        # Thousands of numbers, a tenth of what a list of them would take.
        self._free = array.array("I")
        self.learn()

    def learn(self) -> None:
        """Look where the records are: another process may have written meanwhile."""
        self._at, self._frames, self._steady, self._free = {}, {}, {}, array.array("I")
        self._bursts.clear()
        records = _RECORD.iter_unpack(self._map[len(_MAGIC) : _SIZE])
        for number, (_sent_ns, ifindex, mac, _interval_cs, _form) in enumerate(records):
            at = len(_MAGIC) + number * _RECORD.size
            if ifindex:
                self._at[ifindex, mac] = at
            else:
                self._free.append(at)
        self._free.reverse()
        # What was only looked at need not stay in our memory.
        self._map.madvise(mmap.MADV_DONTNEED)

    def beats(self) -> Dict[Wire, Beat]:
        """All that is written there."""
        found = {}
        for wire, at in self._at.items():
            sent_ns, _ifindex, _mac, interval_cs, form = _RECORD.unpack_from(self._map, at)
            checksum = ChecksumForm.MESSAGE if form == _OF_MESSAGE else ChecksumForm.PSEUDO_HEADER
            found[wire] = Beat(sent_ns, interval_cs, checksum)
        return found

    def steady(self, actions: Sequence[RouterAction]) -> Sequence[TransmitFrame]:
        """The first of these, as long as they are the last advertisements of virtual routers that
        beat. Of a tuple that has nothing else: the tuple itself, and at once the next time."""
        known = self._bursts.get(id(actions))
        if known is not None:
            return known.frames
        found: List[TransmitFrame] = []
        steady = self._steady
        for each in actions:
            # The frame of a steady master is the same object each time, so its hash is known.
            if not isinstance(each, TransmitFrame) or (each.ifindex, each.frame) not in steady:
                break
            found.append(each)
        if not found or len(found) < len(actions) or not isinstance(actions, tuple):
            return found
        if len(self._bursts) >= _BURSTS:
            self._bursts.clear()
        self._bursts[id(actions)] = _Burst(actions, self._places(found))
        return actions

    def beat_again(self, frames: Sequence[TransmitFrame], now_ns: int) -> None:
        """Advertisements that are steady() leave."""
        records, stamp = self._map, _SENT_NS.pack_into
        known = self._bursts.get(id(frames))
        for at in known.places if known is not None else self._places(frames):
            stamp(records, at, now_ns)

    def _places(self, frames: Sequence[TransmitFrame]) -> Sequence[int]:
        steady = self._steady
        return array.array("I", (steady[each.ifindex, each.frame] for each in frames))

    def beat(self, ifindex: int, frame: bytes, now_ns: int) -> None:
        """An advertisement leaves by this link."""
        wire = (ifindex, frame[6:12])
        self._forget_frame(wire)
        message = frame[_MESSAGE_AT[frame[12:14]] :]
        if message[2] == RELEASE_PRIORITY:
            self._forget(wire)
            return
        form = _OF_MESSAGE if internet_checksum(message) == 0 else _OF_PSEUDO_HEADER
        at = self._at.get(wire) or self._place(wire)
        _RECORD.pack_into(self._map, at, now_ns, ifindex, wire[1], _interval_cs(message), form)
        self._frames[wire] = frame
        self._steady[ifindex, frame] = at

    def _forget_frame(self, wire: Wire) -> None:
        frame = self._frames.pop(wire, None)
        if frame is not None:
            self._bursts.clear()
            self._steady.pop((wire[0], frame), None)

    def _forget(self, wire: Wire) -> None:
        self._forget_frame(wire)
        at = self._at.pop(wire, None)
        if at is not None:
            self._map[at : at + _RECORD.size] = _NOTHING
            self._free.append(at)

    def _place(self, wire: Wire) -> int:
        if not self._free:
            beats = self.beats()
            self._forget(min(beats, key=lambda each: beats[each].sent_ns))
        self._at[wire] = at = self._free.pop()
        return at

    def close(self) -> None:
        """What is written stays."""
        self._map.close()


class NoHeartbeat:
    """Of a daemon that could not make the file: the next one starts as a backup."""

    def learn(self) -> None:
        """There is nothing to learn."""

    def beats(self) -> Dict[Wire, Beat]:
        """None."""
        return {}

    def beat(self, ifindex: int, frame: bytes, now_ns: int) -> None:
        """Do not."""

    def steady(self, actions: Sequence[RouterAction]) -> Sequence[TransmitFrame]:
        """None."""
        return ()

    def beat_again(self, frames: Sequence[TransmitFrame], now_ns: int) -> None:
        """Do not."""

    def close(self) -> None:
        """Nothing is open."""


def open_heartbeat(runtime_dir: str, log: Log) -> Union[Heartbeat, NoHeartbeat]:
    """A full disk is no reason not to serve."""
    try:
        return Heartbeat(runtime_dir)
    except PlatformError as error:
        log.write("warning", "a restart will not go on as master: %s" % error)
        return NoHeartbeat()


def beats_of(runtime_dir: str) -> Dict[Wire, Beat]:
    """What a daemon that has ended left there."""
    try:
        return Heartbeat(runtime_dir).beats()
    except PlatformError:
        return {}


def remaining_lease_s(beats: Mapping[Wire, Beat], now_ns: int) -> int:
    """For how many seconds more a dead daemon's addresses may stay: until the lease of the slowest
    virtual router that still has one; 0 when all are over."""
    longest_ns = 0
    for beat in beats.values():
        silence_ns = beat.silence_ns(now_ns)
        if silence_ns is not None:
            longest_ns = max(longest_ns, lease_s(beat.interval_cs) * NS_PER_S - silence_ns)
    return -(-longest_ns // NS_PER_S)


def _open(path: str) -> mmap.mmap:
    """The file as an earlier daemon left it, or a new one."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if os.pread(descriptor, len(_MAGIC), 0) != _MAGIC or os.fstat(descriptor).st_size != _SIZE:
            os.ftruncate(descriptor, 0)
            # All of it now: a page that a full disk refuses later would end the process.
            os.posix_fallocate(descriptor, 0, _SIZE)
            os.pwrite(descriptor, _MAGIC, 0)
        return mmap.mmap(descriptor, _SIZE)
    finally:
        os.close(descriptor)


def _interval_cs(message: bytes) -> int:
    """Of an advertisement: seconds in version 2, twelve bits of centiseconds in version 3."""
    if message[0] >> 4 == 2:
        return message[5] * CS_PER_S
    return (message[4] & 0x0F) << 8 | message[5]
