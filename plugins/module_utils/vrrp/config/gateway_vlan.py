# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row of the VLAN table, as it was understood. Layer L2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional, Set, Tuple

from ..facts import Family
from .gateway_addresses import Address, Network, Places
from .model import ChecksumMode, ProfileMode, RouterAdvertisements, TrackReference

_VERSIONS = {Family.IPV4: 4, Family.IPV6: 6}


@dataclass(frozen=True)
class Seat:
    """A router in one VLAN: its interface and its real address in each network."""

    router: str
    interface: str
    places: Places


@dataclass(frozen=True)
class Bound:
    """What the table demands of a VLAN, and where that is written; 0 demands nothing."""

    value: int
    path: str


@dataclass(frozen=True)
class Policy:
    """How the groups of a VLAN behave. version is that of IPv4, password for version 2."""

    version: int
    advertisement_interval_cs: int
    preempt: bool
    preempt_delay_cs: int
    accept: bool
    checksum: ChecksumMode
    profile: ProfileMode
    password: str = field(repr=False)
    track: Tuple[TrackReference, ...]
    router_advertisements: RouterAdvertisements
    minimum_routers: Bound
    detect_within_cs: Bound


@dataclass(frozen=True)
class Vlan:
    """One row of the table. preferred is None and priorities empty where they are left to us."""

    path: str
    vlan_id: int
    name: str
    vrid: int
    networks: Tuple[Network, ...]
    virtual: Places
    seats: Tuple[Seat, ...]
    policy: Policy
    preferred: Optional[str]
    priorities: Mapping[str, int]

    @property
    def families(self) -> Tuple[Family, ...]:
        """The families that the VLAN has networks of, IPv4 first."""
        versions = {network.version for network in self.networks}
        return tuple(family for family in Family if _VERSIONS[family] in versions)

    def virtual_addresses(self, family: Family) -> Tuple[Address, ...]:
        """The virtual addresses of one family, in the order of the networks."""
        return tuple(
            address
            for network in self.networks
            if network.version == _VERSIONS[family]
            for address in self.virtual.get(network, ())
        )

    def owner(self, family: Family) -> Optional[str]:
        """The router whose real addresses are the virtual ones, if any."""
        virtual = set(self.virtual_addresses(family))
        for seat in self.seats:
            if virtual and virtual <= real_addresses(seat):
                return seat.router
        return None


def real_addresses(seat: Seat) -> Set[Address]:
    """The real addresses of a router in a VLAN."""
    return {address for addresses in seat.places.values() for address in addresses}
