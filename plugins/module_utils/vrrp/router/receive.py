# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets are advertisements for us: the ladder. Layer L3. RFC 9568 section 7.1, 3768 7.1.

The order of the checks is tested. A packet that fails one is counted and changes nothing else.

     1  IP header, fragment, protocol        wire/ip.py
     2  destination is the VRRP group
     3  source is a possible router, and not this one
     4  TTL / hop limit is 255
     5  length, version, type, checksum, address count, interval     wire/advertisement.py
     6  the VRID is configured on this interface for this family
     7  its version is the configured one
     8  the virtual router runs
     9  VRRPv2: authentication type and password are the configured ones
    10  we are not the address owner (by RFC 9568 with erratum 8298 an owner goes on)
    11  VRRPv2: the interval is ours
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Container, Optional, Tuple, Union

from ..discards import DiscardReason
from ..errors import DecodeError
from ..facts import Family, ReceivedPacket, format_address, is_link_local
from ..fsm.events import AdvertisementReceived
from ..fsm.parameters import OWNER_PRIORITY, Profile, RouterParameters
from ..fsm.states import State
from ..units import CS_PER_S
from ..wire.advertisement import Advertisement, decode_advertisement
from ..wire.authentication import verify_authentication
from ..wire.checksum import ChecksumForm
from ..wire.constants import MULTICAST_GROUP, TTL
from ..wire.ip import IpHeader, split_packet


@dataclass(frozen=True)
class Listener:
    """A virtual router as the ladder sees it. id as in BoundRouter."""

    id: str
    state: State
    parameters: RouterParameters


@dataclass(frozen=True)
class Accepted:
    """An advertisement for a virtual router of ours, by its id.

    version is that of the message, checksum_form is known where there are two. remarks are
    differences to our own configuration that are counted and logged, but do not discard:
    RFC 9568 section 7.1.
    """

    id: str
    event: AdvertisementReceived
    version: int
    checksum_form: Optional[ChecksumForm]
    remarks: Tuple[DiscardReason, ...]


@dataclass(frozen=True)
class Discard:
    """A packet that was thrown away. id is that of the virtual router, when it was found."""

    reason: DiscardReason
    detail: str
    source: bytes = b""
    id: str = ""


# What RFC 8347 counts for the virtual router whose VRID the message has, wrong as it may be.
_CHARGED = (
    DiscardReason.PACKET_LENGTH,
    DiscardReason.INVALID_TYPE,
    DiscardReason.NO_ADDRESSES,
    DiscardReason.INTERVAL_ZERO,
)

Lookup = Callable[[int, Family, int], Optional[Listener]]


def accept(
    packet: ReceivedPacket, own_addresses: Container[bytes], lookup: Lookup
) -> Union[Accepted, Discard]:
    """Climb the ladder. own_addresses are those of the receiving link."""
    header: Optional[IpHeader] = None
    message = b""
    try:
        header, message = split_packet(packet.data)
        discard = _header_discard(header, own_addresses)
        if discard is not None:
            return discard
        advertisement = decode_advertisement(message, header)
    except DecodeError as error:
        if header is None:
            return Discard(error.reason, error.detail)
        charged = None
        if error.reason in _CHARGED and len(message) > 1:
            charged = lookup(packet.ifindex, header.family, message[1])
        found = charged.id if charged else ""
        return Discard(error.reason, error.detail, header.source, found)
    listener = lookup(packet.ifindex, header.family, advertisement.vrid)
    if listener is None:
        detail = "VRID %d is not configured on the interface" % advertisement.vrid
        return Discard(DiscardReason.VRID, detail, header.source)
    reason, detail = _mismatch(advertisement, listener)
    if reason is not None:
        return Discard(reason, detail, header.source, listener.id)
    event = AdvertisementReceived(header.source, advertisement.priority, advertisement.interval_cs)
    remarks = _remarks(advertisement, listener.parameters)
    form = advertisement.checksum_form
    return Accepted(listener.id, event, advertisement.version, form, remarks)


def _header_discard(header: IpHeader, own_addresses: Container[bytes]) -> Optional[Discard]:
    source = header.source
    if header.destination != MULTICAST_GROUP[header.family]:
        detail = "sent to %s" % format_address(header.destination)
        return Discard(DiscardReason.WRONG_DESTINATION, detail, source)
    if not _possible_source(source, header.family):
        detail = "%s cannot be a router's address here" % format_address(source)
        return Discard(DiscardReason.WRONG_SOURCE, detail, source)
    if source in own_addresses:
        detail = "our own advertisement, or a router with our address %s" % format_address(source)
        return Discard(DiscardReason.OWN_SOURCE, detail, source)
    if header.ttl != TTL:
        return Discard(DiscardReason.IP_TTL, "TTL is %d, not 255" % header.ttl, source)
    return None


def _possible_source(source: bytes, family: Family) -> bool:
    if family is Family.IPV6:  # RFC 9568 section 5.1.2.1
        return is_link_local(source)
    # RFC 1122 section 3.2.1.3: 0/8 and 127/8 are never on a wire.
    return source[0] not in (0, 127) and source[0] < 224


def _mismatch(
    advertisement: Advertisement, listener: Listener
) -> Tuple[Optional[DiscardReason], str]:
    ours = listener.parameters
    if advertisement.version != ours.version:
        detail = "version %d, ours is %d" % (advertisement.version, ours.version)
        return DiscardReason.VERSION, detail
    if listener.state is State.INITIALIZE:
        return DiscardReason.NOT_RUNNING, "the virtual router is in state initialize"
    if ours.version == 2:
        try:
            verify_authentication(advertisement.auth_type, advertisement.auth_data, ours.password)
        except DecodeError as error:
            return error.reason, error.detail
    # RFC 3768 and RFC 5798 section 7.1. Erratum 8298 of RFC 9568: process it, so that two owners
    # settle by their addresses which of them is right.
    if ours.is_owner and ours.profile is not Profile.RFC9568:
        return DiscardReason.OWNER, "we own the addresses, so nobody else can be master"
    # RFC 3768 section 7.1; version 3 learns it instead.
    if ours.version == 2 and advertisement.interval_cs != ours.advertisement_interval_cs:
        detail = "interval %d s, ours is %d s" % (
            advertisement.interval_cs // CS_PER_S,
            ours.advertisement_interval_cs // CS_PER_S,
        )
        return DiscardReason.INTERVAL_MISMATCH, detail
    return None, ""


def _remarks(advertisement: Advertisement, ours: RouterParameters) -> Tuple[DiscardReason, ...]:
    """Differences that are counted and logged only (RFC 9568 section 7.1).

    The list check of RFC 3768 section 7.1 is optional, and its MUST holds for those who take the
    option. We do not: a router that discards here makes two masters of every rolling change.
    """
    remarks = []
    if advertisement.interval_cs != ours.advertisement_interval_cs:
        remarks.append(DiscardReason.INTERVAL_MISMATCH)
    if frozenset(advertisement.addresses) != frozenset(ours.addresses):
        remarks.append(DiscardReason.ADDRESS_LIST)
    if ours.is_owner and advertisement.priority == OWNER_PRIORITY:
        remarks.append(DiscardReason.OWNER)
    return tuple(remarks)
