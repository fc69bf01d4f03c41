# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that a host asks about its gateway, as frames, and the answers to them. Pure.

Who has the address: see who_answers.py, whose frames the kernel completes; here they are whole,
so that it shows which MAC an answer comes from. Which router forwards: a datagram that may go no
further than the first one (RFC 792, RFC 4443 section 3.3).
"""

from __future__ import annotations

import struct
import typing as t

from .vrrp.errors import DecodeError
from .vrrp.facts import Family, family_of, format_address
from .vrrp.wire.checksum import internet_checksum, pseudo_header
from .vrrp.wire.constants import TTL
from .vrrp.wire.ethernet import ETHERTYPE, ETHERTYPE_ARP, ethernet_frame
from .vrrp.wire.ip import IpHeader, build_ipv4, build_ipv6, split_packet
from .vrrp.wire.ndp import ICMPV6
from .who_answers import arp_request, read_advertisement, read_arp_reply, solicitation

ICMP = 1
_UDP = 17
_HEADER_LENGTH = 14
_GROUP_PREFIX = b"\xff\x02" + bytes(9) + b"\x01\xff"
_PORTS = struct.Struct("!HH")
_UDP_HEADER = struct.Struct("!HHHH")
_TRACE_PORT = 33434
# Time exceeded, or no way from here: both come from the router that has the packet.
_GOES_NO_FURTHER = {Family.IPV4: (ICMP, (11, 3)), Family.IPV6: (ICMPV6, (3, 1))}


class Answer(t.NamedTuple):
    """Somebody's word: the MAC that hosts will remember, and the one that it was sent from."""

    mac: bytes
    sent_from: bytes


def question(mac: bytes, source: bytes, target: bytes) -> bytes:
    """The frame that asks everybody for an address, from one of the same family."""
    if family_of(target) is Family.IPV4:
        return arp_request(mac, format_address(source), format_address(target))
    group = _GROUP_PREFIX + target[13:]
    message = solicitation(mac, target)
    checksum = internet_checksum(pseudo_header(source, group, len(message), ICMPV6), message)
    message = message[:2] + checksum.to_bytes(2, "big") + message[4:]
    packet = build_ipv6(IpHeader(source, group, TTL, Family.IPV6), message, ICMPV6)
    return ethernet_frame(b"\x33\x33" + group[12:], mac, ETHERTYPE[Family.IPV6], packet)


def answer(frame: bytes, target: bytes) -> t.Optional[Answer]:
    """What a frame says of the address, if it is an answer about it."""
    told = None
    if _ethertype(frame) == ETHERTYPE_ARP:
        told = read_arp_reply(frame)
    elif _ethertype(frame) == ETHERTYPE[Family.IPV6]:
        told = _neighbour_advertisement(frame[_HEADER_LENGTH:])
    if told is None or told[0] != target:
        return None
    return Answer(bytes.fromhex(told[1].replace(":", "")), frame[6:12])


def _neighbour_advertisement(packet: bytes) -> t.Optional[t.Tuple[bytes, str]]:
    try:
        header, message = split_packet(packet, ICMPV6)
    except DecodeError:
        return None
    # RFC 4861 section 7.1.2: one that has come through a router is none.
    return read_advertisement(message) if header.ttl == TTL else None


def expiring(router_mac: bytes, mac: bytes, source: bytes, beyond: bytes, port: int) -> bytes:
    """The frame to a router with a datagram that it may not forward any more, from this port."""
    family = family_of(beyond)
    header = IpHeader(source, beyond, 1, family)
    length = _UDP_HEADER.size
    datagram = _UDP_HEADER.pack(port, _TRACE_PORT, length, 0)
    pseudo = pseudo_header(source, beyond, length, _UDP)
    # RFC 768: a sum of zero is sent as ones, for zero means that there is none.
    checksum = internet_checksum(pseudo, datagram) or 0xFFFF
    datagram = _UDP_HEADER.pack(port, _TRACE_PORT, length, checksum)
    if family is Family.IPV4:
        packet = build_ipv4(header, datagram, port, _UDP)
    else:
        packet = build_ipv6(header, datagram, _UDP)
    return ethernet_frame(router_mac, mac, ETHERTYPE[family], packet)


class Router(t.NamedTuple):
    """The real router that did not forward: its own address, and the MAC it sent from."""

    address: bytes
    mac: bytes


def expired(frame: bytes, beyond: bytes, port: int) -> t.Optional[Router]:
    """Who says that the datagram to this address, from this port, went no further."""
    family = family_of(beyond)
    protocol, types = _GOES_NO_FURTHER[family]
    if _ethertype(frame) != ETHERTYPE[family]:
        return None
    try:
        header, message = split_packet(frame[_HEADER_LENGTH:], protocol)
    except DecodeError:
        return None
    quoted = message[8:]
    if not quoted or message[0] not in types:
        return None
    start = (quoted[0] & 0x0F) * 4 if family is Family.IPV4 else 40
    if len(quoted) < start + _PORTS.size or beyond not in quoted[:start]:
        return None
    if _PORTS.unpack_from(quoted, start) != (port, _TRACE_PORT):
        return None
    return Router(header.source, frame[6:12])


def _ethertype(frame: bytes) -> int:
    return int.from_bytes(frame[12:14], "big")
