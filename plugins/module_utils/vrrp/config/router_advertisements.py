# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts may be told by router advertisements, and what not. Layer L2.

RFC 4861 section 6.2.1, RFC 4862 section 5.5.3, RFC 8106 section 5. What the field table says of a
single field is checked in validate.py.
"""

from __future__ import annotations

import re
from typing import Callable, Iterator, Tuple

from ..errors import Problem
from ..facts import InterfaceAddress, is_link_local
from .model import RoutePreference, RouterAdvertisements
from .reading import repeated, shown, text_of

_MINIMUM_MTU = 1280
_INTERFACE_IDENTIFIER_BITS = 64
# RFC 4861 section 6.2.1: the shortest pause, and below which maximum a third of it is too short.
_SHORTEST_PAUSE_CS = 300
_SHORT_INTERVAL_CS = 900
# Headers, then the options for MAC and MTU, and the fixed part of a list option.
_FIXED_OCTETS = 40 + 16 + 8 + 8
_PREFIX_OCTETS = 32
_LIST_OCTETS = 8
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(r"%s(\.%s)*" % (_LABEL, _LABEL))
_LONGEST_DOMAIN = 253


def minimum_interval_cs(settings: RouterAdvertisements) -> int:
    """As written, else by RFC 4861 section 6.2.1 with its erratum 3154, in centiseconds."""
    if settings.min_interval_cs:
        return settings.min_interval_cs
    if settings.max_interval_cs >= _SHORT_INTERVAL_CS:
        return settings.max_interval_cs // 3
    return settings.max_interval_cs * 3 // 4


def network_text(network: InterfaceAddress) -> str:
    """A prefix as people write it."""
    return "%s/%d" % (text_of(network.address), network.prefix_length)


def conflicts(path: str, settings: RouterAdvertisements) -> Iterator[Problem]:
    """What does not fit together; each field has been found sound by itself."""
    for rule in _RULES:
        yield from rule(path, settings)


def _intervals_fit(path: str, settings: RouterAdvertisements) -> Iterator[Problem]:
    shortest_cs, longest_cs = settings.min_interval_cs, settings.max_interval_cs
    if shortest_cs and not _SHORTEST_PAUSE_CS <= shortest_cs <= longest_cs * 3 // 4:
        message = "is %d cs, with a maximum of %d cs" % (shortest_cs, longest_cs)
        hint = "write 3 s to three quarters of the maximum, or leave it out"
        yield Problem(path + ".min_interval_cs", "interval-order", message, hint)
    for name, lifetime_s in (
        ("lifetime_s", settings.lifetime_s),
        ("rdnss_lifetime_s", settings.rdnss_lifetime_s),
    ):
        if 0 < lifetime_s * 100 < longest_cs:
            message = "is %d s, and the next advertisement may come after %g s"
            message %= (lifetime_s, longest_cs / 100)
            hint = "write three times the interval, so that one may be lost"
            yield Problem("%s.%s" % (path, name), "short-lifetime", message, hint)


def _preference_is_of_a_default_router(
    path: str, settings: RouterAdvertisements
) -> Iterator[Problem]:
    # RFC 4191 section 2.2.
    if settings.lifetime_s == 0 and settings.preference is not RoutePreference.MEDIUM:
        message = "is %s with a lifetime of 0" % settings.preference.value
        hint = "leave it out: what is no default router is not preferred"
        yield Problem(path + ".preference", "no-default-router", message, hint)


def _mtu_is_possible(path: str, settings: RouterAdvertisements) -> Iterator[Problem]:
    if 0 < settings.mtu < _MINIMUM_MTU:
        hint = "write at least %d, or 0 to say nothing about it" % _MINIMUM_MTU
        yield Problem(path + ".mtu", "range", "is %d" % settings.mtu, hint)


def _prefixes_are_usable(path: str, settings: RouterAdvertisements) -> Iterator[Problem]:
    for each in settings.prefixes:
        network = each.prefix
        text = network_text(network)
        where = "%s.prefixes[%s]" % (path, text)
        if is_link_local(network.address) or network.address[0] == 0xFF:
            hint = "write the global or unique local prefix of the network"
            yield Problem(where + ".prefix", "unusable-prefix", "is %s" % text, hint)
        if each.autonomous and network.prefix_length != _INTERFACE_IDENTIFIER_BITS:
            message = "is true for a /%d" % network.prefix_length
            hint = "write false: hosts make themselves addresses in a /64 only"
            yield Problem(where + ".autonomous", "prefix-length", message, hint)
        if each.preferred_lifetime_s > each.valid_lifetime_s:
            message = "is %d, longer than valid_lifetime_s" % each.preferred_lifetime_s
            hint = "write at most %d" % each.valid_lifetime_s
            yield Problem(where + ".preferred_lifetime_s", "lifetime-order", message, hint)
    for network in repeated(each.prefix for each in settings.prefixes):
        message = "has %s twice" % network_text(network)
        yield Problem(path + ".prefixes", "duplicate-prefix", message, "keep one of them")


def _servers_are_usable(path: str, settings: RouterAdvertisements) -> Iterator[Problem]:
    for address in settings.rdnss:
        if len(address) != 16 or address[0] == 0xFF or not any(address[:15]):
            message = "has %s" % text_of(address)
            hint = "write the IPv6 address of a DNS server"
            yield Problem(path + ".rdnss", "unusable-address", message, hint)
    for address in repeated(settings.rdnss):
        message = "has %s twice" % text_of(address)
        yield Problem(path + ".rdnss", "duplicate-address", message, "keep one of them")


def _domains_are_names(path: str, settings: RouterAdvertisements) -> Iterator[Problem]:
    for name in settings.dnssl:
        if len(name) > _LONGEST_DOMAIN or _DOMAIN.fullmatch(name) is None:
            message = "has %s" % shown(name)
            hint = "write domain names such as example.com, without a dot at the end"
            yield Problem(path + ".dnssl", "domain", message, hint)
    for name in repeated(settings.dnssl):
        message = "has %s twice" % shown(name)
        yield Problem(path + ".dnssl", "duplicate-domain", message, "keep one of them")


def _fits_into_a_packet(path: str, settings: RouterAdvertisements) -> Iterator[Problem]:
    octets = _FIXED_OCTETS + _PREFIX_OCTETS * len(settings.prefixes)
    octets += _LIST_OCTETS + 16 * len(settings.rdnss)
    octets += 2 * _LIST_OCTETS + sum(len(name) + 2 for name in settings.dnssl)
    if octets > _MINIMUM_MTU:
        message = "make an advertisement of %d octets" % octets
        hint = "shorten the lists of prefixes, servers and domains: a packet has %d" % _MINIMUM_MTU
        yield Problem(path, "too-long", message, hint)


_RULES: Tuple[Callable[[str, RouterAdvertisements], Iterator[Problem]], ...] = (
    _intervals_fit,
    _preference_is_of_a_default_router,
    _mtu_is_possible,
    _prefixes_are_usable,
    _servers_are_usable,
    _domains_are_names,
    _fits_into_a_packet,
)
