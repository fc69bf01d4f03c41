# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Internet checksum and its pseudo-headers. Layer L1.

RFC 1071; RFC 9568 section 5.2.8, RFC 5798 section 5.2.8, RFC 8200 section 8.1.
"""

from __future__ import annotations

import enum
import struct

from ..facts import Family, family_of
from .constants import IP_PROTOCOL


class ChecksumForm(enum.Enum):
    """What a VRRPv3 checksum over IPv4 covers; the two RFCs differ and so do the routers.

    MESSAGE: the VRRP message alone. PSEUDO_HEADER: a pseudo-header before it, as for IPv6.
    """

    MESSAGE = "rfc9568"
    PSEUDO_HEADER = "rfc5798"


def internet_checksum(*parts: bytes) -> int:
    """The checksum field for the concatenated parts; 0 when they contain their right checksum.

    Both zeros of one's complement are accepted in such a field (RFC 1071).
    """
    data = b"".join(parts)
    if len(data) % 2:
        data += b"\0"
    # 2**16 is 1 modulo 0xffff, so the remainder of the whole number is the one's complement sum of
    # its 16-bit words, at the speed of one big division.
    number = int.from_bytes(data, "big")
    remainder = number % 0xFFFF
    if remainder == 0 and number:
        return 0
    return 0xFFFF - remainder


def pseudo_header(
    source: bytes, destination: bytes, length: int, protocol: int = IP_PROTOCOL
) -> bytes:
    """What is summed before an upper-layer message of so many octets, in the addresses' family."""
    if family_of(source) is Family.IPV4:
        return source + destination + struct.pack("!BBH", 0, protocol, length)
    return source + destination + struct.pack("!II", length, protocol)
