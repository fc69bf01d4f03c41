# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet framing. Layer L1. RFC 894, RFC 2464; RFC 9568 section 7.2 for the source address."""

from __future__ import annotations

from ..facts import Family
from ..invariant import require
from .constants import MULTICAST_MAC

BROADCAST_MAC = b"\xff" * 6
ETHERTYPE_ARP = 0x0806
ETHERTYPE = {Family.IPV4: 0x0800, Family.IPV6: 0x86DD}


def ethernet_frame(destination: bytes, source: bytes, ethertype: int, payload: bytes) -> bytes:
    """An untagged frame without check sequence; the driver pads it to the minimum length."""
    require(len(destination) == len(source) == 6, "a MAC address has 6 octets")
    return destination + source + ethertype.to_bytes(2, "big") + payload


def vrrp_frame(virtual_mac: bytes, family: Family, packet: bytes) -> bytes:
    """The frame that carries an advertisement's IP packet to the multicast group."""
    return ethernet_frame(MULTICAST_MAC[family], virtual_mac, ETHERTYPE[family], packet)
