# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A packet without its password, for files that people pass around. Layer L1. RFC 2338 5.3.10.

A journal has to replay to the same verdicts, so another word stands where the password was and
the checksum is right afterwards if it was right before.
"""

from __future__ import annotations

from typing import Callable

from ..errors import DecodeError
from ..facts import Family
from .authentication import AUTH_DATA_LENGTH
from .checksum import internet_checksum
from .ip import split_packet

_IPV4_HEADER = 20
_HEADER = 8
_COUNT_AT = 3
_CHECKSUM_AT = 6

# From authentication data, 8 octets, to other 8 octets, always the same for the same.
Mask = Callable[[bytes], bytes]


def mask_packet(packet: bytes, mask: Mask, mask_anywhere: Mask) -> bytes:
    """The packet with the authentication data of a VRRPv2 message replaced.

    mask_anywhere gets the octets of a packet that is too damaged to know where its data is; the
    receive ladder refuses such a packet before it looks that far.
    """
    if not packet or packet[0] >> 4 != 4:
        return packet  # version 2 has no IPv6
    try:
        _header, message = split_packet(packet)
    except DecodeError:
        return packet[:_IPV4_HEADER] + mask_anywhere(packet[_IPV4_HEADER:])
    if not message or message[0] >> 4 != 2:
        return packet
    start = (packet[0] & 0x0F) * 4
    masked = _mask_message(message, mask, mask_anywhere)
    return packet[:start] + masked + packet[start + len(message) :]


def _mask_message(message: bytes, mask: Mask, mask_anywhere: Mask) -> bytes:
    end = len(message) - AUTH_DATA_LENGTH
    if end < _HEADER or end != _HEADER + message[_COUNT_AT] * Family.IPV4.address_length:
        return message[:_HEADER] + mask_anywhere(message[_HEADER:])
    if not any(message[end:]):
        return message
    masked = message[:end] + mask(message[end:])
    if internet_checksum(message) != 0:
        return masked
    head, body = masked[:_CHECKSUM_AT], masked[_CHECKSUM_AT + 2 :]
    return head + internet_checksum(head, b"\0\0", body).to_bytes(2, "big") + body
