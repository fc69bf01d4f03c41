# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gratuitous ARP. Layer L1. RFC 826; RFC 9568 section 6.4.1 with errata 7947 and 7949."""

from __future__ import annotations

import struct

from ..invariant import require
from .ethernet import BROADCAST_MAC, ETHERTYPE_ARP, ethernet_frame

_ARP = struct.Struct("!HHBBH6s4s6s4s")
_HARDWARE_ETHERNET = 1
_PROTOCOL_IPV4 = 0x0800
_REQUEST = 1


def gratuitous_arp(mac: bytes, address: bytes) -> bytes:
    """The broadcast frame that tells a LAN: this IPv4 address is at this virtual MAC.

    A request, because every host updates its cache from one; sender and target are the same.
    """
    require(len(address) == 4, "gratuitous ARP is for IPv4 addresses")
    message = _ARP.pack(
        _HARDWARE_ETHERNET, _PROTOCOL_IPV4, 6, 4, _REQUEST, mac, address, mac, address
    )
    return ethernet_frame(BROADCAST_MAC, mac, ETHERTYPE_ARP, message)
