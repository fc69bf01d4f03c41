# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which MAC addresses answer for an address, asked on the LAN as any host asks: by ARP (RFC 826)
and neighbour discovery (RFC 4861 sections 4.3 and 4.4).

For root. Two sockets, however many LANs there are, and neither sees what is forwarded.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import select
import socket
import struct
import time
import typing as t
from dataclasses import dataclass

from .vrrp.wire.ethernet import BROADCAST_MAC, ETHERTYPE_ARP, ethernet_frame

#: Seconds that others may take to answer, too: the kernel of each does so at once.
OTHERS_S = 0.05
#: The answers to so many questions fit into any socket.
BURST = 32

_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ARP_ETHERNET_IPV4 = (1, 0x0800, 6, 4)
_ARP_REQUEST, _ARP_REPLY = 1, 2
_ETHERNET_OCTETS = 14

# Type, code, checksum, flags, target; then options, of 8 octets where they carry a MAC address.
_NEIGHBOUR = struct.Struct("!BBHI16s")
_MAC_OPTION = struct.Struct("!BB6s")
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOURCE_MAC, _TARGET_MAC = 1, 2
_SOLICITED_NODE = bytes.fromhex("ff0200000000000000000001ff")
_HOP_LIMIT = 255

# Linux: a set bit keeps a type away. All but neighbour advertisements.
_ICMP6_FILTER = 1
_KEPT_AWAY = [0xFFFFFFFF] * 8
_KEPT_AWAY[_ADVERTISEMENT // 32] &= ~(1 << _ADVERTISEMENT % 32)
_PKTINFO = struct.Struct("@16sI")
_SIOCGIFHWADDR = 0x8927
_LARGEST = 2048

Answer = t.Tuple[int, bytes, str]  # the index of the interface, the address, the MAC address


@dataclass(frozen=True)
class Question:
    """Who has this address on the LAN of this interface? source: an address of ours there."""

    interface: str
    address: str
    source: str


def who_answers(
    questions: t.Sequence[Question], timeout_s: float
) -> t.Dict[Question, t.FrozenSet[str]]:
    """The MAC addresses that answered each question; ends soon when each has an answer.

    Raises OSError when this host may not ask, or has no such interface.
    """
    keys = {
        (socket.if_nametoindex(each.interface), ipaddress.ip_address(each.address).packed): each
        for each in questions
    }
    found: t.Dict[Question, t.Set[str]] = {each: set() for each in questions}
    with contextlib.ExitStack() as stack:
        askers: t.Dict[int, t.Any] = {}
        for length, asker in ((4, ArpAsker), (16, NeighbourAsker)):
            if any(len(address) == length for _index, address in keys):
                askers[length] = stack.enter_context(asker())

        def listen(until_s: float) -> None:
            for index, address, mac in _heard(list(askers.values()), until_s):
                if (index, address) in keys:
                    found[keys[index, address]].add(mac)

        end_s = time.monotonic() + timeout_s
        for number, ((index, address), question) in enumerate(keys.items(), 1):
            try:
                askers[len(address)].ask(index, question)
            except OSError as error:
                where = "%s on %s" % (question.address, question.interface)
                raise OSError(error.errno, "%s: %s" % (where, error.strerror)) from None
            if number % BURST == 0:
                listen(0)
        while not all(found.values()) and time.monotonic() < end_s:
            listen(min(time.monotonic() + OTHERS_S, end_s))
        listen(time.monotonic() + OTHERS_S)
    return {question: frozenset(macs) for question, macs in found.items()}


def _heard(askers: t.Sequence[t.Any], until_s: float) -> t.Iterator[Answer]:
    """What comes in until a time; with 0, what is there already."""
    while True:
        ready, _none, _no = select.select(askers, [], [], max(until_s - time.monotonic(), 0))
        if not ready:
            return
        for asker in ready:
            answer = asker.read()
            if answer is not None:
                yield answer


class _Asker:
    """A socket that asks and reads answers."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._socket.setblocking(False)

    def __enter__(self) -> t.Any:
        return self

    def __exit__(self, *_error: t.Any) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """For select()."""
        return self._socket.fileno()


class ArpAsker(_Asker):
    """IPv4."""

    def __init__(self) -> None:
        protocol = socket.htons(ETHERTYPE_ARP)
        super().__init__(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, protocol))

    def ask(self, _index: int, question: Question) -> None:
        """Broadcast a request."""
        frame = arp_request(
            _own_mac(self._socket, question.interface), question.source, question.address
        )
        self._socket.sendto(frame, (question.interface, ETHERTYPE_ARP))

    def read(self) -> t.Optional[Answer]:
        """A reply; None for anything else."""
        frame, where = self._socket.recvfrom(_LARGEST)
        told = read_arp_reply(frame)
        return told and (socket.if_nametoindex(where[0]), *told)


class NeighbourAsker(_Asker):
    """IPv6. The kernel makes headers and checksums, and verifies those of the answers."""

    def __init__(self) -> None:
        opened = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        super().__init__(opened)
        kept_away = struct.pack("=8I", *_KEPT_AWAY)
        opened.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, kept_away)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOP_LIMIT)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def ask(self, index: int, question: Question) -> None:
        """Multicast a solicitation, from the address that the kernel chooses."""
        target = ipaddress.ip_address(question.address).packed
        group = str(ipaddress.IPv6Address(_SOLICITED_NODE + target[-3:]))
        message = solicitation(_own_mac(self._socket, question.interface), target)
        self._socket.sendto(message, (group, 0, 0, index))

    def read(self) -> t.Optional[Answer]:
        """An advertisement that names a MAC address; None for anything else."""
        message, ancillary, _flags, _sender = self._socket.recvmsg(
            _LARGEST, socket.CMSG_SPACE(_PKTINFO.size)
        )
        told = read_advertisement(message)
        for _level, kind, data in ancillary:
            if kind == socket.IPV6_PKTINFO and told is not None:
                return (_PKTINFO.unpack_from(data)[1], *told)
        return None


def arp_request(mac: bytes, source: str, target: str) -> bytes:
    """The frame that asks a LAN who has the target."""
    addresses = [ipaddress.IPv4Address(address).packed for address in (source, target)]
    message = _ARP.pack(
        *_ARP_ETHERNET_IPV4, _ARP_REQUEST, mac, addresses[0], bytes(6), addresses[1]
    )
    return ethernet_frame(BROADCAST_MAC, mac, ETHERTYPE_ARP, message)


def read_arp_reply(frame: bytes) -> t.Optional[t.Tuple[bytes, str]]:
    """Address and MAC address of a reply; None when the frame is none."""
    if len(frame) < _ETHERNET_OCTETS + _ARP.size:
        return None
    *form, operation, mac, address, _mac, _target = _ARP.unpack_from(frame, _ETHERNET_OCTETS)
    if tuple(form) != _ARP_ETHERNET_IPV4 or operation != _ARP_REPLY:
        return None
    return address, mac.hex(":")


def solicitation(mac: bytes, target: bytes) -> bytes:
    """A neighbour solicitation, without its checksum."""
    head = _NEIGHBOUR.pack(_SOLICITATION, 0, 0, 0, target)
    return head + _MAC_OPTION.pack(_SOURCE_MAC, 1, mac)


def read_advertisement(message: bytes) -> t.Optional[t.Tuple[bytes, str]]:
    """Target and MAC address of a neighbour advertisement; None when it names none."""
    if len(message) < _NEIGHBOUR.size or message[0] != _ADVERTISEMENT:
        return None
    target = _NEIGHBOUR.unpack_from(message)[4]
    at = _NEIGHBOUR.size
    while at + _MAC_OPTION.size <= len(message) and message[at + 1]:
        kind, units, mac = _MAC_OPTION.unpack_from(message, at)
        if kind == _TARGET_MAC:
            return target, mac.hex(":")
        at += units * 8
    return None


def _own_mac(opened: socket.socket, interface: str) -> bytes:
    """By the socket, not by /sys, which may be that of another network namespace."""
    request = struct.pack("16s24x", interface.encode())
    return fcntl.ioctl(opened, _SIOCGIFHWADDR, request)[18:24]
