# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames out by packet sockets, packets of protocol 112 in by raw IP sockets. Layer L4.

Out: one packet socket for all links, without a receive hook. In: one unbound raw socket per
family for all links; never a packet tap, which would tax every forwarded packet.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import resource
import socket
import struct
import time
from typing import Dict, List, Sequence, Tuple

from ..errors import PlatformError
from ..facts import Family, LinkFacts, ReceivedPacket
from ..wire.constants import IP_PROTOCOL, MULTICAST_GROUP
from .memberships import JOINS_PER_SOCKET, Memberships, socket_family
from .netlink import enlarge_buffers

# A thousand advertisements cost about 1 MB of the kernel's accounting while we are busy elsewhere.
_RECEIVE_BUFFER = 4 << 20
# A limit, not a claim. Frames wait in it where a card has stalled, up to 10,240 of 1 kB in its
# queue, and must not keep those of the other cards from being sent.
_SEND_BUFFER = 64 << 20
LARGEST_PACKET = 65535
ANCILLARY_ROOM = 256
# What the kernel tells beside a packet is the same each time for a link, and for a virtual router
# that has a master. The limits keep a hostile LAN from filling memory.
_REMEMBERED = 8192
_LARGEST_USUAL = 512
_IP_PKTINFO = 8
_IP_MULTICAST_ALL = 49
_SPARE_FILES = 256
_IPV6_HEADER = struct.Struct("!IHBB")
# struct sockaddr_ll, of which only the link counts when the frame is whole.
_PLACE = struct.Struct("=H2xi12x")


class _Sender:
    """One packet socket for all links: each frame says by which link it leaves.

    A bound one for each link would send as quickly, but the kernel waits 15 ms for a grace period
    with each that is closed, and closes them one by one also when the process is killed: with a
    thousand links nobody could go on in its place for a quarter of a minute.
    """

    def __init__(self) -> None:
        # socket.sendto() takes the name of a link, looks its index up for each frame, and would
        # send by the wrong one after names were exchanged.
        self._sendto = ctypes.CDLL(None, use_errno=True).sendto
        self._sendto.argtypes = (
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_uint,
        )
        self._sendto.restype = ctypes.c_ssize_t
        try:
            # Protocol 0: nothing is ever received here.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except OSError as error:
            hint = "run as root or with CAP_NET_RAW" if error.errno == errno.EPERM else ""
            raise PlatformError("open", "packet socket", error.errno, hint) from error
        self._socket.setblocking(False)
        self._number = self._socket.fileno()
        enlarge_buffers(self._socket, _SEND_BUFFER)

    def send(self, ifindex: int, frame: bytes) -> None:
        """Send one whole Ethernet frame. Raises OSError."""
        place = _PLACE.pack(socket.AF_PACKET, ifindex)
        if self._sendto(self._number, frame, len(frame), 0, place, _PLACE.size) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def close(self) -> None:
        """Nothing can be sent any more."""
        self._socket.close()
        self._number = -1


class PacketIO:
    """Implements ports.FrameIO. Raises PlatformError."""

    def __init__(self) -> None:
        self._wanted: Dict[int, LinkFacts] = {}
        self._sender = _Sender()
        try:
            self._receivers = _open_receivers()
        except PlatformError:
            self._sender.close()
            raise
        self._memberships = {
            family: Memberships(family, MULTICAST_GROUP[family], "VRRP group")
            for family in self._receivers
        }

    def listen(self, links: Sequence[LinkFacts]) -> None:
        """Send and receive on exactly these links from now on (memberships, sockets).

        A link that refuses does not keep the others from being served; the first refusal is
        raised at the end, and the next call tries again.
        """
        wanted = {link.ifindex: link for link in links}
        self._wanted = wanted
        _allow_open_files(len(wanted) // JOINS_PER_SOCKET * 2)
        problems = [
            problem
            for memberships in self._memberships.values()
            for problem in memberships.set(wanted)
        ]
        if problems:
            raise problems[0]

    def send(self, ifindex: int, frame: bytes) -> None:
        """Send one whole Ethernet frame."""
        try:
            self._sender.send(ifindex, frame)
        except OSError as error:
            raise PlatformError("send", self._name(ifindex), error.errno) from error

    def _name(self, ifindex: int) -> str:
        link = self._wanted.get(ifindex)
        return "frame on %s" % (link.name if link else "link %d" % ifindex)

    def receive(self, maximum: int) -> List[ReceivedPacket]:
        """At most so many waiting packets, oldest first of each family; never blocks."""
        packets: List[ReceivedPacket] = []
        for family, receiver in self._receivers.items():
            packets += self._drain(family, receiver, maximum - len(packets))
        return packets

    def _drain(self, family: Family, receiver: socket.socket, room: int) -> List[ReceivedPacket]:
        packets: List[ReceivedPacket] = []
        now_ns = time.monotonic_ns()
        read = 0
        while read < room:
            try:
                payload, ancillary, _flags, source = receiver.recvmsg(
                    LARGEST_PACKET, ANCILLARY_ROOM
                )
            except BlockingIOError:
                break
            except OSError as error:
                raise PlatformError("receive", "advertisements", error.errno) from error
            read += 1
            if family is Family.IPV4:
                ifindex, data = _ipv4_ifindex(tuple(ancillary)), payload
            elif len(payload) > _LARGEST_USUAL:
                ifindex, data = rebuild_ipv6(payload, ancillary, source, IP_PROTOCOL)
            else:
                ifindex, data = _usual_ipv6(payload, tuple(ancillary), source)
            # Whoever else on this host joins the group makes us hear other links as well.
            if ifindex in self._wanted:
                packets.append(ReceivedPacket(ifindex, data, now_ns))
        return packets

    def filenos(self) -> Tuple[int, ...]:
        """Readable when receive has something."""
        return tuple(receiver.fileno() for receiver in self._receivers.values())

    def close(self) -> None:
        """Give everything back."""
        self._sender.close()
        for receiver in self._receivers.values():
            receiver.close()
        self._receivers = {}
        for memberships in self._memberships.values():
            memberships.close()
        self._wanted = {}


def _open_receivers() -> Dict[Family, socket.socket]:
    """One raw socket per family that this host has; a kernel without IPv6 has one."""
    receivers: Dict[Family, socket.socket] = {}
    for family in Family:
        try:
            receivers[family] = _open_receiver(family)
        except OSError as error:
            if error.errno == errno.EAFNOSUPPORT:
                continue
            for receiver in receivers.values():
                receiver.close()
            hint = "run as root or with CAP_NET_RAW" if error.errno == errno.EPERM else ""
            raise PlatformError("open", "raw socket", error.errno, hint) from error
    return receivers


def _open_receiver(family: Family) -> socket.socket:
    receiver = socket.socket(socket_family(family), socket.SOCK_RAW, IP_PROTOCOL)
    try:
        receiver.setblocking(False)
        enlarge_buffers(receiver, _RECEIVE_BUFFER)
        if family is Family.IPV4:
            receiver.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            receiver.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 1)
        else:
            ask_for_ipv6_header(receiver)
    except OSError:
        receiver.close()
        raise
    return receiver


@functools.lru_cache(maxsize=_REMEMBERED)
def _ipv4_ifindex(ancillary: Tuple[Tuple[int, int, bytes], ...]) -> int:
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
            return int(struct.unpack_from("=i", data)[0])
    return 0


@functools.lru_cache(maxsize=_REMEMBERED)
def _usual_ipv6(
    payload: bytes, ancillary: Tuple[Tuple[int, int, bytes], ...], source: Tuple[str, int, int, int]
) -> Tuple[int, bytes]:
    """A steady master sends the same packet each time."""
    return rebuild_ipv6(payload, ancillary, source, IP_PROTOCOL)


def ask_for_ipv6_header(receiver: socket.socket) -> None:
    """Have the kernel tell beside a payload what rebuild_ipv6 needs."""
    for option in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
        receiver.setsockopt(socket.IPPROTO_IPV6, option, 1)


def rebuild_ipv6(
    payload: bytes,
    ancillary: Sequence[Tuple[int, int, bytes]],
    source: Tuple[str, int, int, int],
    protocol: int,
) -> Tuple[int, bytes]:
    """The link, and the packet with the IPv6 header that the kernel took off."""
    ifindex, hop_limit, traffic_class, destination = 0, 0, 0, bytes(16)
    for level, kind, data in ancillary:
        if level != socket.IPPROTO_IPV6:
            continue
        if kind == socket.IPV6_PKTINFO:
            destination = data[:16]
            ifindex = struct.unpack_from("=i", data, 16)[0]
        elif kind == socket.IPV6_HOPLIMIT:
            hop_limit = struct.unpack("=i", data)[0]
        elif kind == socket.IPV6_TCLASS:
            traffic_class = struct.unpack("=i", data)[0]
    first_word = 6 << 28 | traffic_class << 20
    header = _IPV6_HEADER.pack(first_word, len(payload), protocol, hop_limit)
    sender = socket.inet_pton(socket.AF_INET6, source[0].partition("%")[0])
    return ifindex, header + sender + destination + payload


def _allow_open_files(count: int) -> None:
    """Raise the soft limit of open files as far as needed and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + _SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
