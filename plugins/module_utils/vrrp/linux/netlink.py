# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A netlink socket: requests out in batches, answers matched by sequence number. Layer L4.

Knows the envelope of netlink and nothing of what is inside: see rtnl.py and nftables.py.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple, Union

from ..errors import PlatformError
from . import attributes

HEADER = struct.Struct("=IHHII")
NLM_F_REQUEST = 0x001
NLM_F_ACK = 0x004
NLM_F_DUMP = 0x300
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800
_NLMSG_NOOP = 1
NLMSG_ERROR = 2
NLMSG_DONE = 3

_SEQUENCE_OFFSET = 8
_SOL_NETLINK = 270
_NETLINK_ADD_MEMBERSHIP = 1
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_NETLINK_GET_STRICT_CHK = 12
_NLM_F_DUMP_INTR = 0x010
_NLM_F_ACK_TLVS = 0x200
_NLMSGERR_ATTR_MSG = 1
# The kernel answers a whole batch before we read: so many answers fit any receive buffer.
_BATCH = 200
# Events of a thousand devices wait in it; a packet filter of thousands of addresses leaves by it.
_BUFFER = 4 << 20
_SO_ATTACH_FILTER = 26
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_DATAGRAM = 1 << 18
# Deleting a thousand devices holds the kernel's lock for half a second; this is no answer at all.
_PATIENCE_S = 30.0
_DUMP_TRIES = 4


class Outcome(NamedTuple):
    """The kernel's answer to one request: error number (0: done) and its own words, if any."""

    errno: int
    words: str


class Message(NamedTuple):
    """One message of the kernel: body is what follows the netlink header."""

    kind: int
    body: bytes


def request(kind: int, flags: int, body: bytes) -> bytes:
    """A request with its header; the sequence number is filled in when it is sent."""
    return HEADER.pack(HEADER.size + len(body), kind, flags | NLM_F_REQUEST, 0, 0) + body


class NetlinkSocket:
    """One conversation with one part of the kernel, or, with groups, listening. PlatformError.

    program: classic BPF that says which events are kept, as (code, if true, if false, value).
    """

    def __init__(
        self,
        protocol: int,
        groups: Sequence[int] = (),
        program: Sequence[Tuple[int, int, int, int]] = (),
    ) -> None:
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
            )
        except OSError as error:
            raise PlatformError("open", "netlink socket %d" % protocol, error.errno) from error
        self._sequence = 0
        try:
            if program:
                _attach(self._socket, program)
            self._configure(groups)
        except OSError as error:
            self._socket.close()
            raise PlatformError("configure", "netlink socket", error.errno) from error

    def _configure(self, groups: Sequence[int]) -> None:
        enlarge_buffers(self._socket, _BUFFER)
        for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._socket.bind((0, 0))
        for group in groups:
            self._socket.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)
        self._socket.settimeout(0 if groups else _PATIENCE_S)

    def ask_strictly(self) -> None:
        """Let the kernel look at everything in a dump request, such as the link it is about."""
        try:
            self._socket.setsockopt(_SOL_NETLINK, _NETLINK_GET_STRICT_CHK, 1)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:  # a kernel before 4.20 tells of all links
                raise PlatformError("configure", "netlink socket", error.errno) from error

    def fileno(self) -> int:
        """For waiting."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def rehearse(self) -> None:
        """A request that means nothing, and its answer. The kernel takes no lock for it."""
        self.transact([request(_NLMSG_NOOP, NLM_F_ACK, b"")])

    def transact(self, requests: Sequence[bytes]) -> List[Outcome]:
        """Send all requests and wait for all answers; outcomes are in the order of the requests."""
        outcomes: List[Outcome] = []
        for start in range(0, len(requests), _BATCH):
            outcomes += self._transact_batch(requests[start : start + _BATCH])
        return outcomes

    def _transact_batch(self, requests: Sequence[bytes]) -> List[Outcome]:
        first = self._sequence + 1
        answers: Dict[int, Outcome] = {}
        self._send(requests)
        wanted = range(first, first + len(requests))
        while len(answers) < len(requests):
            for kind, flags, sequence, body in self._receive():
                if kind == NLMSG_ERROR and sequence in wanted:
                    answers[sequence] = _outcome(flags, body)
        return [answers[sequence] for sequence in wanted]

    def ask(self, questions: Sequence[bytes]) -> List[Union[Message, Outcome]]:
        """Send questions that have one answer each (no dumps); what was found, or why not."""
        answers: List[Union[Message, Outcome]] = []
        for start in range(0, len(questions), _BATCH):
            answers += self._ask_batch(questions[start : start + _BATCH])
        return answers

    def _ask_batch(self, questions: Sequence[bytes]) -> List[Union[Message, Outcome]]:
        first = self._sequence + 1
        answers: Dict[int, Union[Message, Outcome]] = {}
        self._send(questions)
        wanted = range(first, first + len(questions))
        while len(answers) < len(questions):
            for kind, flags, sequence, body in self._receive():
                if sequence in wanted:
                    is_error = kind == NLMSG_ERROR
                    answers[sequence] = _outcome(flags, body) if is_error else Message(kind, body)
        return [answers[sequence] for sequence in wanted]

    def send_transaction(self, messages: Sequence[bytes], answers: int) -> Outcome:
        """Send messages of which `answers` ask for an answer, in one piece; the first failure.

        After a failure close the socket: there may be more answers on their way.
        """
        first = self._sequence + 1
        self._send(messages)
        count = 0
        while count < answers:
            for kind, flags, sequence, body in self._receive():
                if kind == NLMSG_ERROR and first <= sequence <= self._sequence:
                    count += 1
                    outcome = _outcome(flags, body)
                    if outcome.errno:
                        return outcome
        return Outcome(0, "")

    def dump(self, message: bytes) -> List[Message]:
        """Everything the kernel has to say to a dump request.

        A dump that was disturbed is asked for again; where things change without pause, the last
        one is taken as it is: callers listen to events or look again.
        """
        for _try in range(_DUMP_TRIES):
            found, disturbed = self._dump_once(message)
            if not disturbed:
                break
        return found

    def _dump_once(self, message: bytes) -> Tuple[List[Message], bool]:
        self._send([message])
        found: List[Message] = []
        disturbed = False
        while True:
            for kind, flags, sequence, body in self._receive():
                if sequence != self._sequence:
                    continue
                disturbed = disturbed or bool(flags & _NLM_F_DUMP_INTR)
                if kind == NLMSG_DONE:
                    return found, disturbed
                if kind == NLMSG_ERROR:
                    outcome = _outcome(flags, body)
                    raise PlatformError("read", "kernel tables", outcome.errno, outcome.words)
                found.append(Message(kind, body))

    def events(self) -> Tuple[List[Message], bool]:
        """Waiting messages of the groups, and True when some were lost; never blocks."""
        found: List[Message] = []
        lost = False
        while True:
            try:
                data = self._socket.recv(_DATAGRAM)
            except BlockingIOError:
                return found, lost
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise PlatformError("read", "netlink events", error.errno) from error
                lost = True
                continue
            found += [Message(kind, body) for kind, _flags, _sequence, body in _split(data)]

    def _send(self, requests: Sequence[bytes]) -> None:
        data = bytearray().join(requests)
        offset = 0
        for message in requests:
            self._sequence += 1
            struct.pack_into("=I", data, offset + _SEQUENCE_OFFSET, self._sequence)
            offset += len(message)
        try:
            self._socket.send(data)
        except OSError as error:
            raise PlatformError("send", "netlink requests", error.errno) from error

    def _receive(self) -> Iterator[Tuple[int, int, int, bytes]]:
        try:
            data = self._socket.recv(_DATAGRAM)
        except OSError as error:
            raise PlatformError("read", "netlink answers", error.errno) from error
        return _split(data)


def enlarge_buffers(target: socket.socket, size: int) -> None:
    """As much of size as we may have: root passes the limit of the host, others stay below."""
    options = ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF))
    for force, ask in options:
        try:
            target.setsockopt(socket.SOL_SOCKET, force, size)
        except OSError:
            target.setsockopt(socket.SOL_SOCKET, ask, size)


def _attach(target: socket.socket, program: Sequence[Tuple[int, int, int, int]]) -> None:
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    held = ctypes.create_string_buffer(code)
    where = struct.pack("@HP", len(program), ctypes.addressof(held))
    target.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, where)


def _split(data: bytes) -> Iterator[Tuple[int, int, int, bytes]]:
    """(kind, flags, sequence, body) of each message of a datagram."""
    offset = 0
    while len(data) - offset >= HEADER.size:
        length, kind, flags, sequence, _port = HEADER.unpack_from(data, offset)
        if length < HEADER.size:
            return
        yield kind, flags, sequence, data[offset + HEADER.size : offset + length]
        offset += attributes.align(length)


def _outcome(flags: int, body: bytes) -> Outcome:
    (number,) = struct.unpack_from("=i", body)
    words = b""
    if flags & _NLM_F_ACK_TLVS:
        words = attributes.payloads(body, 4 + HEADER.size).get(_NLMSGERR_ATTR_MSG, b"")
    return Outcome(-number, words.rstrip(b"\0").decode(errors="replace"))
