# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Router advertisements. Layer L1. RFC 4861 sections 4.2 and 4.6, RFC 4191 section 2.2, RFC 8106.

Of an option that says nothing (no MTU, no servers) nothing is sent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Tuple

from ..invariant import require
from .ndp import SOURCE_LINK_LAYER_ADDRESS, to_all_nodes

_ROUTER_ADVERTISEMENT = 134
_PREFIX_INFORMATION = 3
_MTU = 5
_RECURSIVE_DNS_SERVERS = 25
_DNS_SEARCH_LIST = 31

_MANAGED, _OTHER = 0x80, 0x40
_ON_LINK, _AUTONOMOUS = 0x80, 0x40
# RFC 4191 section 2.1: two bits with a sign, below the flags.
PREFERENCE_BITS = {"low": 0x18, "medium": 0x00, "high": 0x08}

# Hop limit, flags, lifetime; reachable time and retransmission timer are left to the hosts.
_BODY = struct.Struct("!BBHII")
_PREFIX = struct.Struct("!BBBBIII16s")
_OPTION_UNIT = 8


@dataclass(frozen=True)
class PrefixInformation:
    """A prefix of the link (RFC 4861 section 4.6.2). length is in bits."""

    prefix: bytes
    length: int
    on_link: bool
    autonomous: bool
    valid_lifetime_s: int
    preferred_lifetime_s: int


@dataclass(frozen=True)
class RouterAdvertisement:
    """What a router tells its hosts. mtu 0: nothing about it. dns_lifetime_s is for both lists."""

    lifetime_s: int
    hop_limit: int
    managed: bool
    other: bool
    preference: str
    mtu: int
    prefixes: Tuple[PrefixInformation, ...]
    dns_servers: Tuple[bytes, ...]
    search_domains: Tuple[str, ...]
    dns_lifetime_s: int


def router_advertisement(mac: bytes, source: bytes, content: RouterAdvertisement) -> bytes:
    """The frame to all nodes, from this link-local address at this MAC."""
    require(len(mac) == 6 and len(source) == 16, "a MAC and an IPv6 address are needed")
    flags = PREFERENCE_BITS[content.preference]
    flags |= _MANAGED * content.managed | _OTHER * content.other
    body = _BODY.pack(content.hop_limit, flags, content.lifetime_s, 0, 0)
    body += _option(SOURCE_LINK_LAYER_ADDRESS, mac)
    if content.mtu:
        body += _option(_MTU, struct.pack("!HI", 0, content.mtu))
    body += b"".join(_prefix(each) for each in content.prefixes)
    lifetime = struct.pack("!HI", 0, content.dns_lifetime_s)
    if content.dns_servers:
        body += _option(_RECURSIVE_DNS_SERVERS, lifetime + b"".join(content.dns_servers))
    if content.search_domains:
        names = b"".join(_domain(each) for each in content.search_domains)
        body += _option(_DNS_SEARCH_LIST, lifetime + names)
    return to_all_nodes(mac, source, _ROUTER_ADVERTISEMENT, body)


def _prefix(each: PrefixInformation) -> bytes:
    return _PREFIX.pack(
        _PREFIX_INFORMATION,
        _PREFIX.size // _OPTION_UNIT,
        each.length,
        _ON_LINK * each.on_link | _AUTONOMOUS * each.autonomous,
        each.valid_lifetime_s,
        each.preferred_lifetime_s,
        0,
        each.prefix,
    )


def _domain(name: str) -> bytes:
    """Labels with their lengths, and the empty one at the end (RFC 1035 section 3.1)."""
    labels = (label.encode("ascii") for label in name.split("."))
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _option(kind: int, value: bytes) -> bytes:
    """An option, filled with zeros to whole units."""
    units = -(-(2 + len(value)) // _OPTION_UNIT)
    require(units < 256, "an option has at most 2040 octets")
    return (bytes((kind, units)) + value).ljust(units * _OPTION_UNIT, b"\0")
