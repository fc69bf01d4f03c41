# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames as a capture file (classic pcap, microseconds), without passwords. Pure."""

from __future__ import annotations

import struct

from .vrrp.wire.masking import mask_packet

# Magic, version, time zone, accuracy, longest frame, Ethernet.
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
_RECORD = struct.Struct("<IIII")
_HEADER_LENGTH = 14
_ADDRESSES_LENGTH = 12
_ETHERTYPE_VLAN = b"\x81\x00"
_MASKED = b"********"


def record(time_ns: int, frame: bytes, vlan: int = 0) -> bytes:
    """One frame at a time of day, with the tag that it had on the wire."""
    packet = mask_packet(frame[_HEADER_LENGTH:], lambda data: _MASKED, _stars)
    data = frame[:_ADDRESSES_LENGTH]
    if vlan:
        data += _ETHERTYPE_VLAN + vlan.to_bytes(2, "big")
    data += frame[_ADDRESSES_LENGTH:_HEADER_LENGTH] + packet
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    return _RECORD.pack(seconds, rest_ns // 1000, len(data), len(data)) + data


def _stars(data: bytes) -> bytes:
    """For what is too damaged to know where a password would be."""
    return b"*" * len(data)
