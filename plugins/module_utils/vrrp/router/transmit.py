# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual router says, as whole Ethernet frames. Layer L3.

RFC 9568 sections 5.1, 7.2, 8.1.2 and 8.2.2: everything leaves with the virtual MAC as source.
"""

from __future__ import annotations

from typing import Tuple

from ..config.model import RoutePreference, RouterAdvertisements
from ..facts import Family, is_link_local
from ..fsm.parameters import RouterParameters
from ..wire.advertisement import Advertisement, encode_advertisement
from ..wire.arp import gratuitous_arp
from ..wire.authentication import AUTH_NONE, AUTH_SIMPLE_TEXT, simple_text
from ..wire.checksum import ChecksumForm
from ..wire.constants import MULTICAST_GROUP, TTL, virtual_mac
from ..wire.ethernet import vrrp_frame
from ..wire.ip import IpHeader, build_ipv4, build_ipv6
from ..wire.ndp import unsolicited_na
from ..wire.router_advertisement import (
    PrefixInformation,
    RouterAdvertisement,
    router_advertisement,
)


def advertisement_frame(
    parameters: RouterParameters, priority: int, interval_cs: int, form: ChecksumForm
) -> bytes:
    """The frame of one advertisement of this virtual router."""
    family = parameters.family
    header = IpHeader(
        source=parameters.primary_address,
        destination=MULTICAST_GROUP[family],
        ttl=TTL,
        family=family,
    )
    password = parameters.password
    advertisement = Advertisement(
        version=parameters.version,
        vrid=parameters.vrid,
        priority=priority,
        interval_cs=interval_cs,
        addresses=parameters.addresses,
        auth_type=AUTH_SIMPLE_TEXT if password else AUTH_NONE,
        auth_data=simple_text(password) if password else b"",
    )
    message = encode_advertisement(advertisement, header, form)
    if family is Family.IPV4:
        packet = build_ipv4(header, message, parameters.vrid)
    else:
        packet = build_ipv6(header, message)
    return vrrp_frame(virtual_mac(family, parameters.vrid), family, packet)


def announcement_frames(parameters: RouterParameters) -> Tuple[bytes, ...]:
    """One gratuitous ARP or unsolicited neighbour advertisement for each virtual address."""
    mac = virtual_mac(parameters.family, parameters.vrid)
    if parameters.family is Family.IPV4:
        return tuple(gratuitous_arp(mac, address) for address in parameters.addresses)
    source = parameters.addresses[0]  # RFC 9568 section 5.2.9: the link-local one
    return tuple(unsolicited_na(mac, source, address) for address in parameters.addresses)


def router_advertisement_frame(
    parameters: RouterParameters, settings: RouterAdvertisements, final: bool = False
) -> bytes:
    """The router advertisement of a virtual router: all its routers send the same octets.

    final: for hosts that shall forget this default router (RFC 4861 section 6.2.5).
    """
    lifetime_s = 0 if final else settings.lifetime_s
    content = RouterAdvertisement(
        lifetime_s=lifetime_s,
        hop_limit=settings.hop_limit,
        managed=settings.managed,
        other=settings.other,
        # RFC 4191 section 2.2: who is no default router has no preference.
        preference=settings.preference.value if lifetime_s else RoutePreference.MEDIUM.value,
        mtu=settings.mtu,
        prefixes=tuple(
            PrefixInformation(
                each.prefix.address,
                each.prefix.prefix_length,
                each.on_link,
                each.autonomous,
                each.valid_lifetime_s,
                each.preferred_lifetime_s,
            )
            for each in settings.prefixes
        ),
        dns_servers=settings.rdnss,
        search_domains=settings.dnssl,
        dns_lifetime_s=0 if final else settings.rdnss_lifetime_s,
    )
    mac = virtual_mac(parameters.family, parameters.vrid)
    return router_advertisement(mac, parameters.addresses[0], content)


def prefix_length(address: bytes) -> int:
    """The length with which a virtual address is configured on its device, in bits.

    A host prefix leaves the routing to the interface. The link-local address needs its subnet on
    the device, or answers to hosts that talk to it would have no route.
    """
    if is_link_local(address):
        return 64
    return len(address) * 8
