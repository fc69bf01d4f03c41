# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One interface of a host as a wire: frames in with the kernel's time stamps, frames out.

A packet socket behind a filter in the kernel, so that a busy host does not pay for what we do not
want to see. It sends nothing by itself, no report of a multicast group either.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import typing as t

from .vrrp.facts import Family
from .vrrp.wire.constants import IP_PROTOCOL, MULTICAST_GROUP, MULTICAST_MAC
from .vrrp.wire.ethernet import ETHERTYPE

_EVERY_PROTOCOL = 3
_ETHERNET = 1
_SO_ATTACH_FILTER = 26
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("ll")
_NS_PER_S = 1_000_000_000
_SOL_PACKET = 263
_ADD_MEMBERSHIP, _STATISTICS, _AUXDATA = 1, 6, 8
_MULTICAST, _PROMISCUOUS = 0, 1
_MEMBERSHIP = struct.Struct("iHH8s")
# struct tpacket_auxdata: status, lengths, offsets, and the tag that the kernel took off the frame.
_AUXILIARY = struct.Struct("IIIHHHH")
_TAG_IS_VALID = 0x10
_VLAN_BITS = 0x0FFF
_RECEIVE_BUFFER = 4 << 20
_LARGEST_FRAME = 65535
_ANCILLARY_ROOM = 128
# Where the number of the next protocol is in a frame, in classic BPF's words.
_PROTOCOL_AT = {Family.IPV4: 23, Family.IPV6: 20}
_LOAD_HALF, _LOAD_OCTET, _IF_EQUAL, _RETURN = 0x28, 0x30, 0x15, 0x06
_ALL_OF_IT = (_RETURN, 0, 0, _LARGEST_FRAME)
_NOTHING = (_RETURN, 0, 0, 0)

Program = t.List[t.Tuple[int, int, int, int]]


class Frame(t.NamedTuple):
    """A frame without its VLAN tag. time_ns is the time of day; vlan 0: it had no tag."""

    time_ns: int
    data: bytes
    vlan: int


def program(ethertypes: t.Sequence[int], protocols: t.Mapping[Family, t.Sequence[int]]) -> Program:
    """A filter for the kernel: frames of these types, and packets of these protocols of IP."""
    code: Program = [(_LOAD_HALF, 0, 0, 12)]
    for ethertype in ethertypes:
        code += [(_IF_EQUAL, 0, 1, ethertype), _ALL_OF_IT]
    for family, numbers in protocols.items():
        block: Program = [(_LOAD_OCTET, 0, 0, _PROTOCOL_AT[family])]
        for number in numbers:
            block += [(_IF_EQUAL, 0, 1, number), _ALL_OF_IT]
        block.append(_NOTHING)
        code += [(_IF_EQUAL, 0, len(block), ETHERTYPE[family]), *block]
    return [*code, _NOTHING]


class Tap:
    """Frames of one interface, from its construction on. Raises OSError, and ValueError where the
    interface is no Ethernet."""

    def __init__(self, interface: str, wanted: Program, promiscuous: bool = False) -> None:
        self.interface = interface
        self._joined: t.List[socket.socket] = []
        # Protocol 0: nothing comes in before the filter is there.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._attach(wanted)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.setsockopt(_SOL_PACKET, _AUXDATA, 1)
            self._socket.setblocking(False)
            self._socket.bind((interface, _EVERY_PROTOCOL))
            if self._socket.getsockname()[3] != _ETHERNET:
                raise ValueError("%s is no Ethernet interface" % interface)
            self.mac = bytes(self._socket.getsockname()[4])
            self._let_in(promiscuous)
        except (OSError, ValueError):
            self.close()
            raise

    def fileno(self) -> int:
        """Readable when a frame has come."""
        return self._socket.fileno()

    def frames(self) -> t.Iterator[Frame]:
        """What has come in, or left by this interface, since the last time."""
        while True:
            try:
                data, ancillary, _flags, _address = self._socket.recvmsg(
                    _LARGEST_FRAME, _ANCILLARY_ROOM
                )
            except BlockingIOError:
                return
            yield _frame(data, ancillary)

    def send(self, frame: bytes) -> None:
        """Put a frame on the wire."""
        self._socket.send(frame)

    def dropped(self) -> int:
        """How many frames the kernel had no room for, since it was last asked."""
        raw = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)
        return int(struct.unpack("II", raw)[1])

    def join(self) -> None:
        """Join VRRP's groups aloud, so that a switch that listens to MLD lets them through."""
        index = socket.if_nametoindex(self.interface)
        words = {
            Family.IPV4: (
                socket.AF_INET,
                socket.IPPROTO_IP,
                socket.IP_ADD_MEMBERSHIP,
                struct.pack("4s4si", MULTICAST_GROUP[Family.IPV4], bytes(4), index),
            ),
            Family.IPV6: (
                socket.AF_INET6,
                socket.IPPROTO_IPV6,
                socket.IPV6_JOIN_GROUP,
                struct.pack("16si", MULTICAST_GROUP[Family.IPV6], index),
            ),
        }
        for kind, level, option, value in words.values():
            try:
                member = socket.socket(kind, socket.SOCK_DGRAM)
            except OSError:
                continue  # a host without this family has no gateway in it either
            self._joined.append(member)
            try:
                member.setsockopt(level, option, value)
            except OSError:
                pass  # nor has an interface

    def close(self) -> None:
        """Nothing comes in any more."""
        self._socket.close()
        for member in self._joined:
            member.close()

    def _attach(self, wanted: Program) -> None:
        code = b"".join(struct.pack("HBBI", *each) for each in wanted)
        held = ctypes.create_string_buffer(code)
        whole = struct.pack("HL", len(wanted), ctypes.addressof(held))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, whole)

    def _let_in(self, promiscuous: bool) -> None:
        """Have the card let VRRP's multicast in, or everything."""
        index = socket.if_nametoindex(self.interface)
        members = [_MEMBERSHIP.pack(index, _MULTICAST, 6, mac) for mac in MULTICAST_MAC.values()]
        if promiscuous:
            members.append(_MEMBERSHIP.pack(index, _PROMISCUOUS, 0, b""))
        for member in members:
            self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, member)


#: What vrrp_listen wants to see: advertisements, bare and behind an authentication header.
AUTHENTICATION_HEADER = 51
ADVERTISEMENTS = program(
    (), {Family.IPV4: (IP_PROTOCOL, AUTHENTICATION_HEADER), Family.IPV6: (IP_PROTOCOL,)}
)


def _frame(data: bytes, ancillary: t.Sequence[t.Tuple[int, int, bytes]]) -> Frame:
    time_ns, vlan = 0, 0
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, rest_ns = _TIMESPEC.unpack(value)
            time_ns = seconds * _NS_PER_S + rest_ns
        elif level == _SOL_PACKET and kind == _AUXDATA:
            fields = _AUXILIARY.unpack_from(value)
            if fields[0] & _TAG_IS_VALID:
                vlan = fields[5] & _VLAN_BITS
    return Frame(time_ns, data, vlan)
