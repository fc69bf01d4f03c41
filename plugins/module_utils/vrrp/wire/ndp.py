# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unsolicited neighbour advertisements, and router solicitations. Layer L1.

RFC 4861 sections 4.1, 4.4, 4.6 and 6.1.1; RFC 9568 section 6.4.1. Router advertisements have a file
of their own, router_advertisement.py.
"""

from __future__ import annotations

import struct
from typing import List, Tuple

from ..discards import DiscardReason
from ..errors import DecodeError
from ..facts import Family
from ..invariant import require
from .checksum import internet_checksum, pseudo_header
from .constants import TTL
from .ethernet import ETHERTYPE, ethernet_frame
from .ip import IpHeader, build_ipv6, split_packet

ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"
ALL_ROUTERS = b"\xff\x02" + bytes(13) + b"\x02"
ICMPV6 = 58
ROUTER_SOLICITATION = 133
SOURCE_LINK_LAYER_ADDRESS = 1
_ALL_NODES_MAC = b"\x33\x33\x00\x00\x00\x01"
_NEIGHBOUR_ADVERTISEMENT = 136
# A router, unasked, whose link-layer address replaces what the hosts remember.
_ROUTER_AND_OVERRIDE = 0xA0000000
_TARGET_LINK_LAYER_ADDRESS = b"\x02\x01"  # the option, one unit of 8 octets

# Type, code, checksum: what every message of ICMPv6 begins with.
_HEADER = struct.Struct("!BBH")
_BODY = struct.Struct("!I16s2s6s")
_SOLICITATION_LENGTH = 8


def unsolicited_na(mac: bytes, source: bytes, target: bytes) -> bytes:
    """The frame to all nodes that says: target is at this virtual MAC. source: an own address."""
    require(len(source) == len(target) == 16, "neighbour advertisements are for IPv6 addresses")
    require(len(mac) == 6, "a MAC address has 6 octets")
    body = _BODY.pack(_ROUTER_AND_OVERRIDE, target, _TARGET_LINK_LAYER_ADDRESS, mac)
    return to_all_nodes(mac, source, _NEIGHBOUR_ADVERTISEMENT, body)


def to_all_nodes(mac: bytes, source: bytes, message_type: int, body: bytes) -> bytes:
    """The frame of an ICMPv6 message to all nodes of the link. body: what follows the checksum."""
    length = _HEADER.size + len(body)
    checksum = internet_checksum(
        pseudo_header(source, ALL_NODES, length, ICMPV6), _HEADER.pack(message_type, 0, 0), body
    )
    message = _HEADER.pack(message_type, 0, checksum) + body
    packet = build_ipv6(IpHeader(source, ALL_NODES, TTL, Family.IPV6), message, ICMPV6)
    return ethernet_frame(_ALL_NODES_MAC, mac, ETHERTYPE[Family.IPV6], packet)


def read_solicitation(data: bytes) -> bytes:
    """The source of a router solicitation that begins at its IPv6 header: :: or an address.

    Raises DecodeError with SOLICITATION for what RFC 4861 section 6.1.1 has a router throw away.
    """
    header, message = split_packet(data, ICMPV6)
    source = header.source
    if header.family is not Family.IPV6:
        raise _unsound("over IPv4")
    if header.ttl != TTL:
        raise _unsound("hop limit is %d, not 255" % header.ttl)
    if len(message) < _SOLICITATION_LENGTH:
        raise _unsound("%d octets, %d are the least" % (len(message), _SOLICITATION_LENGTH))
    pseudo = pseudo_header(source, header.destination, len(message), ICMPV6)
    if internet_checksum(pseudo, message) != 0:
        raise _unsound("wrong checksum")
    if message[0] != ROUTER_SOLICITATION or message[1] != 0:
        raise _unsound("type %d, code %d" % (message[0], message[1]))
    for kind, _value in _options(message[_SOLICITATION_LENGTH:]):
        if kind == SOURCE_LINK_LAYER_ADDRESS and not any(source):
            raise _unsound("a link-layer address from nobody")
    return source


def _options(data: bytes) -> List[Tuple[int, bytes]]:
    """Type and value of each option (RFC 4861 section 4.6)."""
    options = []
    at = 0
    while at < len(data):
        length = data[at + 1] * 8 if at + 1 < len(data) else 0
        if not 0 < length <= len(data) - at:
            raise _unsound("an option of %d octets, %d are left" % (length, len(data) - at))
        options.append((data[at], data[at + 2 : at + length]))
        at += length
    return options


def _unsound(detail: str) -> DecodeError:
    return DecodeError(DiscardReason.SOLICITATION, "router solicitation: " + detail)
