# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRRP advertisement, versions 2 and 3. Layer L1.

RFC 9568 section 5.2 (version 3), RFC 3768 section 5.3 (version 2, with the authentication fields
of RFC 2338). Knows nothing about what is configured here: that is the receive ladder's part.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Optional, Tuple

from ..discards import DiscardReason
from ..errors import DecodeError
from ..facts import Family
from ..invariant import require
from ..units import CS_PER_S, MAXIMUM_INTERVAL_CS, MAXIMUM_V2_INTERVAL_S, cs_from_v2_seconds
from .authentication import AUTH_DATA_LENGTH, AUTH_NONE
from .checksum import ChecksumForm, internet_checksum, pseudo_header
from .ip import IpHeader

_TYPE_ADVERTISEMENT = 1
# Version and type, VRID, priority, count, then version 3: reserved nibble and interval as one
# word; version 2: authentication type and interval as two octets. Last the checksum.
_HEADER = struct.Struct("!BBBBHH")


@dataclass(frozen=True)
class Advertisement:
    """One VRRP message. interval_cs is centiseconds in both versions.

    addresses are in network order, as listed. checksum_form is known after decoding version 3 over
    IPv4, None otherwise, and no part of what the message says.
    """

    version: int
    vrid: int
    priority: int
    interval_cs: int
    addresses: Tuple[bytes, ...]
    auth_type: int = AUTH_NONE
    auth_data: bytes = b""
    checksum_form: Optional[ChecksumForm] = field(default=None, compare=False)


def decode_advertisement(payload: bytes, ip: IpHeader) -> Advertisement:
    """The advertisement in the payload of a packet with this IP header.

    Raises DecodeError for the first of these that is wrong: PACKET_LENGTH (shorter than the fixed
    part), VERSION, INVALID_TYPE, PACKET_LENGTH (not exactly what the address count asks for),
    CHECKSUM, NO_ADDRESSES, INTERVAL_ZERO. RFC 9568 section 7.1 with errata 8299 and 8301.
    """
    if len(payload) < _HEADER.size:
        raise DecodeError(DiscardReason.PACKET_LENGTH, "message of %d octets" % len(payload))
    first, vrid, priority, count, word, _checksum = _HEADER.unpack_from(payload)
    version = first >> 4
    if version != 3 and not (version == 2 and ip.family is Family.IPV4):
        raise DecodeError(DiscardReason.VERSION, "version %d over %s" % (version, ip.family.value))
    if first & 0x0F != _TYPE_ADVERTISEMENT:
        raise DecodeError(DiscardReason.INVALID_TYPE, "message type %d" % (first & 0x0F))
    width = ip.family.address_length
    end = _HEADER.size + count * width
    expected = end + (AUTH_DATA_LENGTH if version == 2 else 0)
    if len(payload) != expected:
        raise DecodeError(
            DiscardReason.PACKET_LENGTH,
            "message of %d octets, %d addresses take %d" % (len(payload), count, expected),
        )
    form = _verify_checksum(version, payload, ip)
    if count == 0:
        raise DecodeError(DiscardReason.NO_ADDRESSES, "no address is listed")
    if version == 2:
        auth_type, interval_cs = word >> 8, cs_from_v2_seconds(word & 0xFF)
    else:
        # RFC 9568 section 5.2.6: the upper four bits are reserved and ignored.
        auth_type, interval_cs = AUTH_NONE, word & 0x0FFF
    if interval_cs == 0:
        raise DecodeError(DiscardReason.INTERVAL_ZERO, "advertisement interval 0")
    addresses = tuple(payload[at : at + width] for at in range(_HEADER.size, end, width))
    return Advertisement(
        version, vrid, priority, interval_cs, addresses, auth_type, payload[end:], form
    )


def _verify_checksum(version: int, payload: bytes, ip: IpHeader) -> Optional[ChecksumForm]:
    """Raise DecodeError for a wrong checksum; the form it has where two are possible."""
    if ip.family is Family.IPV4 and internet_checksum(payload) == 0:
        return ChecksumForm.MESSAGE if version == 3 else None
    # RFC 3768 section 5.3.8: version 2 never has a pseudo-header.
    if version == 3:
        pseudo = pseudo_header(ip.source, ip.destination, len(payload))
        if internet_checksum(pseudo, payload) == 0:
            return ChecksumForm.PSEUDO_HEADER if ip.family is Family.IPV4 else None
    raise DecodeError(
        DiscardReason.CHECKSUM, "checksum 0x%04x is wrong" % int.from_bytes(payload[6:8], "big")
    )


def encode_advertisement(advertisement: Advertisement, ip: IpHeader, form: ChecksumForm) -> bytes:
    """The VRRP message to put behind this IP header.

    form is for version 3 over IPv4; version 2 never and IPv6 always sums a pseudo-header.
    """
    _require_encodable(advertisement, ip)
    body = b"".join(advertisement.addresses)
    if advertisement.version == 2:
        word = advertisement.auth_type << 8 | advertisement.interval_cs // CS_PER_S
        body += advertisement.auth_data.ljust(AUTH_DATA_LENGTH, b"\0")
    else:
        word = advertisement.interval_cs
    fields = (
        advertisement.version << 4 | _TYPE_ADVERTISEMENT,
        advertisement.vrid,
        advertisement.priority,
        len(advertisement.addresses),
        word,
    )
    pseudo = b""
    if ip.family is Family.IPV6 or (
        advertisement.version == 3 and form is ChecksumForm.PSEUDO_HEADER
    ):
        pseudo = pseudo_header(ip.source, ip.destination, _HEADER.size + len(body))
    checksum = internet_checksum(pseudo, _HEADER.pack(*fields, 0), body)
    return _HEADER.pack(*fields, checksum) + body


def _require_encodable(advertisement: Advertisement, ip: IpHeader) -> None:
    """Nothing that a receiver would discard leaves this engine: the caller has to see to that."""
    version, interval_cs = advertisement.version, advertisement.interval_cs
    require(version in (2, 3), "VRRP version %d cannot be sent" % version)
    require(version == 3 or ip.family is Family.IPV4, "VRRPv2 has no IPv6")
    require(1 <= advertisement.vrid <= 255, "a VRID is 1..255, not %d" % advertisement.vrid)
    require(
        0 <= advertisement.priority <= 255,
        "a priority is 0..255, not %d" % advertisement.priority,
    )
    require(
        1 <= len(advertisement.addresses) <= 255,
        "1..255 addresses fit an advertisement, not %d" % len(advertisement.addresses),
    )
    width = ip.family.address_length
    require(
        all(len(address) == width for address in advertisement.addresses),
        "an address is not of the family of its packet",
    )
    if version == 2:
        seconds, rest_cs = divmod(interval_cs, CS_PER_S)
        require(
            rest_cs == 0 and 1 <= seconds <= MAXIMUM_V2_INTERVAL_S,
            "VRRPv2 carries 1..%d whole seconds, not %d cs" % (MAXIMUM_V2_INTERVAL_S, interval_cs),
        )
        require(0 <= advertisement.auth_type <= 255, "an authentication type is one octet")
        require(
            len(advertisement.auth_data) <= AUTH_DATA_LENGTH, "authentication data has 8 octets"
        )
    else:
        require(
            1 <= interval_cs <= MAXIMUM_INTERVAL_CS,
            "VRRPv3 carries 1..%d cs, not %d" % (MAXIMUM_INTERVAL_CS, interval_cs),
        )
        require(
            advertisement.auth_type == AUTH_NONE and not advertisement.auth_data,
            "VRRPv3 has no authentication",
        )
