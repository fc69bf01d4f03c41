# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPv4 and IPv6 headers around a VRRP message. Layer L1.

RFC 791 section 3.1, RFC 8200 section 3; the values are those of RFC 9568 section 5.1. No policy:
TTL and addresses are reported here and judged by the receive ladder.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Tuple

from ..discards import DiscardReason
from ..errors import DecodeError
from ..facts import Family
from ..invariant import require
from .checksum import internet_checksum
from .constants import IP_PROTOCOL, TRAFFIC_CLASS

_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_MORE_FRAGMENTS_OR_OFFSET = 0x3FFF
_IPV6_FRAGMENT = 44


@dataclass(frozen=True)
class IpHeader:
    """What matters of an IP header: addresses in network order, TTL or hop limit, family."""

    source: bytes
    destination: bytes
    ttl: int
    family: Family


def split_packet(data: bytes, protocol: int = IP_PROTOCOL) -> Tuple[IpHeader, bytes]:
    """The header and the message of a packet that begins at its IP header.

    The message ends where the IP length says: Ethernet padding is no part of it. The header
    checksum is the kernel's business and was verified before a raw socket delivers. Raises
    DecodeError with IP_HEADER, FRAGMENT or WRONG_PROTOCOL, checked in this order.
    """
    version = data[0] >> 4 if data else 0
    if version == 4:
        return _split_ipv4(data, protocol)
    if version == 6:
        return _split_ipv6(data, protocol)
    raise DecodeError(DiscardReason.IP_HEADER, "no IPv4 or IPv6 header")


def _split_ipv4(data: bytes, wanted: int) -> Tuple[IpHeader, bytes]:
    if len(data) < _IPV4.size:
        raise DecodeError(DiscardReason.IP_HEADER, "IPv4 header of %d octets" % len(data))
    first, _tos, total_length, _identification, fragment, ttl, protocol, _checksum, source, dest = (
        _IPV4.unpack_from(data)
    )
    header_length = (first & 0x0F) * 4
    if not _IPV4.size <= header_length <= total_length <= len(data):
        raise DecodeError(
            DiscardReason.IP_HEADER,
            "IPv4 header length %d, total length %d, %d octets received"
            % (header_length, total_length, len(data)),
        )
    if fragment & _MORE_FRAGMENTS_OR_OFFSET:
        raise DecodeError(DiscardReason.FRAGMENT, "fragment of an IPv4 packet")
    if protocol != wanted:
        raise DecodeError(DiscardReason.WRONG_PROTOCOL, "IP protocol %d" % protocol)
    return IpHeader(source, dest, ttl, Family.IPV4), data[header_length:total_length]


def _split_ipv6(data: bytes, wanted: int) -> Tuple[IpHeader, bytes]:
    if len(data) < _IPV6.size:
        raise DecodeError(DiscardReason.IP_HEADER, "IPv6 header of %d octets" % len(data))
    _flow, payload_length, next_header, hop_limit, source, dest = _IPV6.unpack_from(data)
    end = _IPV6.size + payload_length
    if end > len(data):
        raise DecodeError(
            DiscardReason.IP_HEADER,
            "IPv6 payload length %d, %d octets received" % (payload_length, len(data) - _IPV6.size),
        )
    if next_header == _IPV6_FRAGMENT:
        raise DecodeError(DiscardReason.FRAGMENT, "fragment of an IPv6 packet")
    if next_header != wanted:
        raise DecodeError(DiscardReason.WRONG_PROTOCOL, "IPv6 next header %d" % next_header)
    return IpHeader(source, dest, hop_limit, Family.IPV6), data[_IPV6.size : end]


def build_ipv4(
    header: IpHeader, payload: bytes, identification: int, protocol: int = IP_PROTOCOL
) -> bytes:
    """An IPv4 packet with the message; don't-fragment off, no options, header checksum filled."""
    require(header.family is Family.IPV4, "build_ipv4 was given an IPv6 header")
    fields = (
        0x45,
        TRAFFIC_CLASS,
        _IPV4.size + len(payload),
        identification,
        0,
        header.ttl,
        protocol,
    )
    checksum = internet_checksum(_IPV4.pack(*fields, 0, header.source, header.destination))
    return _IPV4.pack(*fields, checksum, header.source, header.destination) + payload


def build_ipv6(header: IpHeader, payload: bytes, next_header: int = IP_PROTOCOL) -> bytes:
    """An IPv6 packet with the message, flow label 0, no extension headers."""
    require(header.family is Family.IPV6, "build_ipv6 was given an IPv4 header")
    first_word = 6 << 28 | TRAFFIC_CLASS << 20
    return (
        _IPV6.pack(
            first_word, len(payload), next_header, header.ttl, header.source, header.destination
        )
        + payload
    )
