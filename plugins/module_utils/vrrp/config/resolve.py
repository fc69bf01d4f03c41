# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Join what the operator wrote with what the link has now. Layer L2.

RFC 9568 sections 5.1.1.1, 5.1.2.1 (source address), 5.2.9 (link-local first), 6.1.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import List, Optional, Tuple, Union

from ..facts import Family, InterfaceAddress, LinkFacts, is_link_local
from ..fsm.parameters import OWNER_PRIORITY, Profile, RouterParameters
from ..units import ns_from_cs
from .model import PROFILES, ProfileMode, VirtualRouterConfig

# "vrrp" in ASCII: tells whose address this is, and is the EUI-64 of no virtual MAC.
_GENERATED_PREFIX = bytes.fromhex("fe80 0000 0000 0000 7672 7270 0000".replace(" ", ""))
# What an advertisement needs besides its addresses: IPv4 header, VRRP header, v2 authentication
# data; and the same for IPv6.
_IPV4_OVERHEAD = 20 + 8 + 8
_IPV6_OVERHEAD = 40 + 8
# What a link may be a part of and still carry virtual routers: nothing, or a VRF. All else takes
# the frames that come in away from it, and the kernel allows no virtual MAC there.
_HARMLESS_UPPERS = ("", "vrf")

NO_PRIMARY_ADDRESS = "no-primary-address"


@dataclass(frozen=True)
class NotReady:
    """Why a virtual router has to wait in initialize. code is stable, sentence is for people."""

    code: str
    sentence: str


def generated_link_local(vrid: int) -> bytes:
    """The virtual link-local address of an IPv6 group that lists none.

    The same on every router of the group, another one for every VRID of a LAN.
    """
    return _GENERATED_PREFIX + vrid.to_bytes(2, "big")


def effective_priority(priority: int, penalty: int) -> int:
    """Priority less the penalties of failed trackers, 1 to 254; that of an owner stays 255."""
    if priority == OWNER_PRIORITY:
        return priority
    return max(1, min(254, priority - penalty))


def virtual_addresses(router: VirtualRouterConfig) -> Tuple[bytes, ...]:
    """The addresses that go into advertisements: as written, with a link-local one first."""
    if router.family is Family.IPV6 and not any(map(is_link_local, router.addresses)):
        return (generated_link_local(router.vrid), *router.addresses)
    return router.addresses


def effective_profile(router: VirtualRouterConfig) -> Profile:
    """The RFC that counts: as written, else the newest one for the version."""
    if router.profile is ProfileMode.AUTO:
        return PROFILES[router.version][0]
    return Profile(router.profile.value)


def resolve(
    router: VirtualRouterConfig, link: Optional[LinkFacts], penalty: int
) -> Union[RouterParameters, NotReady]:
    """What the virtual router needs to run on this link, or why it cannot run now.

    penalty is the sum of the penalties of its failed trackers. link is that of router.interface, or
    None while there is none.
    """
    if link is None:
        sentence = "interface %s does not exist: create it, or correct the name" % router.interface
        return NotReady("no-interface", sentence)
    if link.upper_kind not in _HARMLESS_UPPERS:
        return _part_of(link)
    if not link.is_up:
        return NotReady("interface-down", "interface %s is down: set it up" % link.name)
    if not link.has_carrier:
        sentence = "interface %s has no carrier: check its cable, peer or parent" % link.name
        return NotReady("no-carrier", sentence)
    if not router.addresses:
        return NotReady("no-virtual-address", "no virtual address is configured: list one")
    addresses = virtual_addresses(router)
    primary = _primary_address(router, addresses, link)
    if primary is None:
        what = "IPv4" if router.family is Family.IPV4 else "IPv6 link-local"
        sentence = "interface %s has no %s address to send from: give it one" % (link.name, what)
        return NotReady(NO_PRIMARY_ADDRESS, sentence)
    obstacle = _conflict(router, addresses, link) or _too_small(router, addresses, link)
    if obstacle is not None:
        return obstacle
    return RouterParameters(
        version=router.version,
        family=router.family,
        vrid=router.vrid,
        priority=effective_priority(router.priority, penalty),
        advertisement_interval_cs=router.advertisement_interval_cs,
        preempt=router.preempt,
        preempt_delay_ns=ns_from_cs(router.preempt_delay_cs),
        accept=router.accept,
        primary_address=primary,
        addresses=addresses,
        profile=effective_profile(router),
        password=router.password.encode("ascii"),
    )


def _part_of(link: LinkFacts) -> NotReady:
    names = {"link": link.name, "upper": link.upper or "another interface"}
    if link.upper_kind == "bridge":
        sentence = (
            "interface %(link)s is a port of the bridge %(upper)s: configure the virtual router on "
            "%(upper)s and give that the addresses, or take %(link)s out of it"
        )
        return NotReady("bridge-port", sentence % names)
    sentence = (
        "interface %(link)s is a part of %(upper)s: configure the virtual router on %(upper)s, "
        "or take %(link)s out of it"
    )
    return NotReady("part-of-link", sentence % names)


def _primary_address(
    router: VirtualRouterConfig, addresses: Tuple[bytes, ...], link: LinkFacts
) -> Optional[bytes]:
    """The real address that advertisements are sent from; None when the link has none.

    An owner's virtual address comes first, then the address whose network holds the first virtual
    address, then the first one that the link lists.
    """
    real: List[InterfaceAddress] = [
        each
        for each in link.addresses
        if len(each.address) == router.family.address_length
        and (router.family is Family.IPV4 or is_link_local(each.address))
    ]
    if router.priority == OWNER_PRIORITY:
        held = {each.address for each in real}
        for address in addresses:
            if address in held:
                return address
    for each in real:
        if _holds(each, addresses[0]):
            return each.address
    return real[0].address if real else None


def _holds(network: InterfaceAddress, address: bytes) -> bool:
    """True when the address is in the network of an interface address."""
    host_bits = 8 * len(network.address) - network.prefix_length
    here = int.from_bytes(network.address, "big") >> host_bits
    return here == int.from_bytes(address, "big") >> host_bits


def _conflict(
    router: VirtualRouterConfig, addresses: Tuple[bytes, ...], link: LinkFacts
) -> Optional[NotReady]:
    """A virtual address that is a real one here makes this router the owner, or is a mistake."""
    if router.priority == OWNER_PRIORITY:
        return None
    held = {each.address for each in link.addresses}
    for address in addresses:
        if address in held:
            sentence = (
                "%s is a real address of %s: remove it there, "
                "or set priority 255 if this router owns it"
            )
            sentence %= (ipaddress.ip_address(address), link.name)
            return NotReady("address-conflict", sentence)
    return None


def _too_small(
    router: VirtualRouterConfig, addresses: Tuple[bytes, ...], link: LinkFacts
) -> Optional[NotReady]:
    """An advertisement is never fragmented, so all addresses have to fit into the MTU."""
    overhead = _IPV4_OVERHEAD if router.family is Family.IPV4 else _IPV6_OVERHEAD
    octets = overhead + len(addresses) * router.family.address_length
    if octets <= link.mtu:
        return None
    sentence = "%d virtual addresses do not fit into the MTU of %s (%d): split the group"
    return NotReady("mtu", sentence % (len(addresses), link.name, link.mtu))
