# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unsolicited neighbour advertisements. Layer L1. RFC 4861 section 4.4; RFC 9568 section 6.4.1."""

from __future__ import annotations

import struct

from ..facts import Family
from ..invariant import require
from .checksum import internet_checksum, pseudo_header
from .constants import TTL
from .ethernet import ETHERTYPE, ethernet_frame
from .ip import IpHeader, build_ipv6

_ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"
_ALL_NODES_MAC = b"\x33\x33\x00\x00\x00\x01"
_ICMPV6 = 58
_NEIGHBOUR_ADVERTISEMENT = 136
# A router, unasked, whose link-layer address replaces what the hosts remember.
_ROUTER_AND_OVERRIDE = 0xA0000000
_TARGET_LINK_LAYER_ADDRESS = b"\x02\x01"  # the option, one unit of 8 octets

_MESSAGE = struct.Struct("!BBHI16s2s6s")


def unsolicited_na(mac: bytes, source: bytes, target: bytes) -> bytes:
    """The frame to all nodes that says: target is at this virtual MAC. source: an own address."""
    require(len(source) == len(target) == 16, "neighbour advertisements are for IPv6 addresses")
    require(len(mac) == 6, "a MAC address has 6 octets")
    fields = (_ROUTER_AND_OVERRIDE, target, _TARGET_LINK_LAYER_ADDRESS, mac)
    checksum = internet_checksum(
        pseudo_header(source, _ALL_NODES, _MESSAGE.size, _ICMPV6),
        _MESSAGE.pack(_NEIGHBOUR_ADVERTISEMENT, 0, 0, *fields),
    )
    message = _MESSAGE.pack(_NEIGHBOUR_ADVERTISEMENT, 0, checksum, *fields)
    header = IpHeader(source, _ALL_NODES, TTL, Family.IPV6)
    packet = build_ipv6(header, message, _ICMPV6)
    return ethernet_frame(_ALL_NODES_MAC, mac, ETHERTYPE[Family.IPV6], packet)
