# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames out by packet sockets, packets of protocol 112 in by raw IP sockets. Layer L4.

Out: one packet socket for all links, without a receive hook. In: one unbound raw socket per
family for all links; never a packet tap, which would tax every forwarded packet.
"""

from __future__ import annotations

import errno
import resource
import socket
import struct
from typing import Dict, List, Optional, Sequence, Tuple

from ..errors import PlatformError
from ..facts import Family, LinkFacts, ReceivedPacket
from ..router.actions import TransmitFrame
from ..wire.constants import IP_PROTOCOL, MULTICAST_GROUP
from .bursts import BurstReceiver, FrameSender, Message
from .memberships import JOINS_PER_SOCKET, Memberships, socket_family
from .netlink import enlarge_buffers

# A thousand advertisements cost about 1 MB of the kernel's accounting while we are busy elsewhere.
_RECEIVE_BUFFER = 4 << 20
_IP_PKTINFO = 8
_IP_MULTICAST_ALL = 49
_SPARE_FILES = 256
_IPV6_HEADER = struct.Struct("!IHBB")
# Of a struct sockaddr_in6.
_SENDER = slice(8, 24)


class PacketIO:
    """Implements ports.FrameIO. Raises PlatformError."""

    def __init__(self) -> None:
        self._wanted: Dict[int, LinkFacts] = {}
        try:
            self._sender = FrameSender()
        except OSError as error:
            raise _cannot_open("packet socket", error) from error
        try:
            self._receivers = _open_receivers()
        except PlatformError:
            self._sender.close()
            raise
        decoders = {Family.IPV4: self._decode_ipv4, Family.IPV6: self._decode_ipv6}
        self._bursts = [
            BurstReceiver(receiver, decoders[family])
            for family, receiver in self._receivers.items()
        ]
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
        for bursts in self._bursts:
            bursts.forget()
        _allow_open_files(len(wanted) // JOINS_PER_SOCKET * 2)
        problems = [
            problem
            for memberships in self._memberships.values()
            for problem in memberships.set(wanted)
        ]
        if problems:
            raise problems[0]

    def send(self, frame: TransmitFrame) -> None:
        """Send one whole Ethernet frame."""
        try:
            self._sender.send(frame)
        except OSError as error:
            raise self._not_sent(frame, error) from error

    def send_again(self, frames: Sequence[TransmitFrame]) -> Dict[int, PlatformError]:
        """Send all of these, quicker if they were sent together before. Those that could not be
        sent, by their links."""
        refused = self._sender.send_again(frames)
        return {frame.ifindex: self._not_sent(frame, error) for frame, error in refused}

    def rehearse(self, frames: Sequence[TransmitFrame]) -> None:
        """As send_again(), but nothing leaves."""
        self._sender.rehearse(frames)

    def _not_sent(self, frame: TransmitFrame, error: OSError) -> PlatformError:
        link = self._wanted.get(frame.ifindex)
        name = link.name if link else "link %d" % frame.ifindex
        return PlatformError("send", "frame on %s" % name, error.errno)

    def receive(self, maximum: int) -> List[ReceivedPacket]:
        """At most so many waiting packets, oldest first of each family; never blocks."""
        packets: List[ReceivedPacket] = []
        for bursts in self._bursts:
            room = maximum - len(packets)
            try:
                packets += bursts.receive(room)
            except OSError as error:
                raise PlatformError("receive", "advertisements", error.errno) from error
        return packets

    def _decode_ipv4(self, message: Message) -> Optional[ReceivedPacket]:
        for level, kind, data in message.ancillary:
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                return self._heard(struct.unpack_from("=i", data)[0], message.payload)
        return None

    def _decode_ipv6(self, message: Message) -> Optional[ReceivedPacket]:
        return self._heard(*rebuild_ipv6(message, IP_PROTOCOL))

    def _heard(self, ifindex: int, data: bytes) -> Optional[ReceivedPacket]:
        """Whoever else on this host joins the group makes us hear other links as well."""
        return ReceivedPacket(ifindex, data) if ifindex in self._wanted else None

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
            raise _cannot_open("raw socket", error) from error
    return receivers


def _cannot_open(what: str, error: OSError) -> PlatformError:
    hint = "run as root or with CAP_NET_RAW" if error.errno == errno.EPERM else ""
    return PlatformError("open", what, error.errno, hint)


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


def ask_for_ipv6_header(receiver: socket.socket) -> None:
    """Have the kernel tell beside a payload what rebuild_ipv6 needs."""
    for option in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
        receiver.setsockopt(socket.IPPROTO_IPV6, option, 1)


def rebuild_ipv6(message: Message, protocol: int) -> Tuple[int, bytes]:
    """The link, and the packet with the IPv6 header that the kernel took off."""
    ifindex, hop_limit, traffic_class, destination = 0, 0, 0, bytes(16)
    for level, kind, data in message.ancillary:
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
    header = _IPV6_HEADER.pack(first_word, len(message.payload), protocol, hop_limit)
    return ifindex, header + message.source[_SENDER] + destination + message.payload


def _allow_open_files(count: int) -> None:
    """Raise the soft limit of open files as far as needed and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + _SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
