# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel as it is, as far as it is ours. Layer L4. Pure."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import AbstractSet, Dict, FrozenSet, Iterable, Mapping, Optional, Tuple

from ..facts import Family, InterfaceAddress
from ..router.desired import VirtualDevice
from .constants import LEAVING_LINK_GROUP
from .links import Link, LinkTable
from .steps import NO_FILTER, Filter

# Numbers of <linux/ip.h>.
IPV4_FORWARDING = 1
IPV4_RP_FILTER = 8
IPV4_LOG_MARTIANS = 11
IPV4_ARP_FILTER = 13
IPV4_ARP_ANNOUNCE = 18
IPV4_ARP_IGNORE = 19
# And of <linux/ipv6.h>.
IPV6_FORWARDING = 0
IPV6_ACCEPT_RA = 3
IPV6_AUTOCONF = 5
IPV6_DISABLE_IPV6 = 26
IPV6_ACCEPT_DAD = 27
# What matters of a device of ours, and how it is called below /proc/sys/net/FAMILY/conf/LINK.
IPV4_SYSCTLS = {
    IPV4_FORWARDING: "forwarding",
    IPV4_RP_FILTER: "rp_filter",
    IPV4_LOG_MARTIANS: "log_martians",
    IPV4_ARP_FILTER: "arp_filter",
    IPV4_ARP_IGNORE: "arp_ignore",
}
IPV6_SYSCTLS = {
    IPV6_FORWARDING: "forwarding",
    IPV6_ACCEPT_RA: "accept_ra",
    IPV6_AUTOCONF: "autoconf",
    IPV6_ACCEPT_DAD: "accept_dad",
}


@dataclass(frozen=True)
class ActualDevice:
    """A device of ours in the kernel.

    settings, ipv6_settings: the sysctls that matter, by number; the latter are empty without IPv6.
    lifetimes_s: of the addresses that the kernel will take away, the seconds until then.
    master_ifindex: what it is a port of, or 0. unrouted: of its addresses, those without the routes
    that came with them. is_muted: see muting.py.
    """

    name: str
    ifindex: int
    parent_ifindex: int
    mac: bytes
    alias: str
    group: int
    is_up: bool
    has_ipv6: bool
    settings: Mapping[int, int]
    addresses: Tuple[InterfaceAddress, ...]
    lifetimes_s: Mapping[InterfaceAddress, int] = field(default_factory=dict)
    ipv6_settings: Mapping[int, int] = field(default_factory=dict)
    master_ifindex: int = 0
    unrouted: FrozenSet[InterfaceAddress] = frozenset()
    is_muted: bool = False


@dataclass(frozen=True)
class ActualParent:
    """A link that carries, or is to carry, virtual routers. vrf_ifindex: the VRF it is in, or 0."""

    ifindex: int
    name: str
    arp_ignore: int
    arp_announce: int
    forwarding: int
    addresses: Tuple[bytes, ...]
    ipv6_forwarding: int = 0
    vrf_ifindex: int = 0


@dataclass(frozen=True)
class Actual:
    """The kernel as it is, as far as it is ours.

    parents by ifindex. owned: names of the links whose sysctls are ours. packet_filter is None
    when it is unknown what is installed. guardable: families whose owned addresses the packet
    filter of this kernel can guard. can_mute: it can drop what the kernel sends on a device.
    """

    devices: Mapping[str, ActualDevice]
    parents: Mapping[int, ActualParent]
    owned: Tuple[str, ...] = ()
    packet_filter: Optional[Filter] = NO_FILTER
    guardable: AbstractSet[Family] = frozenset(Family)
    can_mute: bool = True


def observe_devices(table: LinkTable, muted: AbstractSet[int]) -> Dict[str, ActualDevice]:
    """Our devices by name, from a fresh table of the kernel. muted: indexes, see muting.py."""
    return {link.name: _actual_device(link, table, muted) for link in table.ours()}


def observe_parents(table: LinkTable, ifindexes: Iterable[int]) -> Dict[int, ActualParent]:
    """Those of these links that are there."""
    return {
        ifindex: _actual_parent(table.links[ifindex], table)
        for ifindex in ifindexes
        if ifindex in table.links
    }


def shared(settings: Iterable[Tuple[int, int]]) -> Mapping[int, int]:
    """These settings, not to be changed: thousands of devices have the same, and keep them once."""
    return _shared(tuple(settings))


@functools.lru_cache(maxsize=256)  # other combinations there have never been on one host
def _shared(settings: Tuple[Tuple[int, int], ...]) -> Mapping[int, int]:
    return dict(settings)


def _actual_device(link: Link, table: LinkTable, muted: AbstractSet[int]) -> ActualDevice:
    found = link.ipv4_settings()
    found6 = link.ipv6_settings()
    held = table.addresses_of(link.ifindex)
    return ActualDevice(
        name=link.name,
        ifindex=link.ifindex,
        parent_ifindex=link.parent_ifindex,
        mac=link.mac,
        alias=link.alias,
        group=link.group,
        is_up=link.is_up,
        has_ipv6=found6.get(IPV6_DISABLE_IPV6) == 0,
        settings=shared((key, found.get(key, 0)) for key in IPV4_SYSCTLS),
        addresses=tuple(address.value for address in held),
        lifetimes_s={one.value: one.lifetime_s for one in held if one.lifetime_s},
        ipv6_settings=shared((key, found6[key]) for key in IPV6_SYSCTLS if key in found6),
        master_ifindex=link.master_ifindex,
        is_muted=link.ifindex in muted,
    )


def _actual_parent(link: Link, table: LinkTable) -> ActualParent:
    found = link.ipv4_settings()
    master = table.links.get(link.master_ifindex)
    return ActualParent(
        ifindex=link.ifindex,
        name=link.name,
        arp_ignore=found.get(IPV4_ARP_IGNORE, 0),
        arp_announce=found.get(IPV4_ARP_ANNOUNCE, 0),
        forwarding=found.get(IPV4_FORWARDING, 0),
        addresses=tuple(held.value.address for held in table.addresses_of(link.ifindex)),
        ipv6_forwarding=link.ipv6_settings().get(IPV6_FORWARDING, 0),
        vrf_ifindex=link.master_ifindex if master is not None and master.kind == "vrf" else 0,
    )


def is_same_device(have: ActualDevice, device: VirtualDevice) -> bool:
    """True when it is the one that is meant, whatever its name is."""
    key = (device.parent_ifindex, device.mac)
    return (have.parent_ifindex, have.mac) == key and have.group != LEAVING_LINK_GROUP
