# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels and desired values for plans of the data plane, in few words."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Dict, Sequence

from vrrp.facts import Family, InterfaceAddress
from vrrp.linux.actual import (
    IPV4_ARP_FILTER,
    IPV4_ARP_IGNORE,
    IPV4_FORWARDING,
    IPV4_LOG_MARTIANS,
    IPV4_RP_FILTER,
    IPV6_ACCEPT_DAD,
    IPV6_ACCEPT_RA,
    IPV6_AUTOCONF,
    IPV6_FORWARDING,
    Actual,
    ActualDevice,
    ActualParent,
)
from vrrp.linux.constants import LINK_GROUP
from vrrp.linux.plan import plan
from vrrp.linux.steps import (
    Filter,
    alias_of,
)
from vrrp.router.desired import DesiredDataplane, ParentSettings, VirtualDevice

SETTLED = {
    IPV4_RP_FILTER: 2,
    IPV4_LOG_MARTIANS: 0,
    IPV4_ARP_FILTER: 0,
    IPV4_ARP_IGNORE: 1,
    IPV4_FORWARDING: 1,
}
SETTLED6 = {IPV6_FORWARDING: 1, IPV6_ACCEPT_RA: 0, IPV6_AUTOCONF: 0, IPV6_ACCEPT_DAD: 0}
LAN = 2


def held(text: str) -> InterfaceAddress:
    """An address with its prefix, from text."""
    address, _rest, length = text.partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return InterfaceAddress(socket.inet_pton(family, address), int(length))


def device(name: str, *addresses: str, parent: int = LAN, vrid: int = 10) -> VirtualDevice:
    """A virtual router: master when it has addresses, IPv6 when its name says so."""
    family = Family.IPV6 if "v6" in name else Family.IPV4
    kind = 2 if family is Family.IPV6 else 1
    return VirtualDevice(
        name="vg-" + name,
        alias=name,
        parent_ifindex=parent,
        mac=bytes((0, 0, 0x5E, 0, kind, vrid)),
        family=family,
        is_master=bool(addresses),
        addresses=tuple(held(address) for address in addresses),
    )


def desired(
    *devices: VirtualDevice, refused: Sequence[str] = (), owner: bool = False
) -> DesiredDataplane:
    """These virtual routers on the LAN."""
    return DesiredDataplane(
        devices=devices,
        parents=(ParentSettings(LAN, "lan0", owner),) if devices else (),
        refused=tuple(held(address).address for address in refused),
    )


def parent(**changes: object) -> ActualParent:
    """The LAN interface as it is before us."""
    values: Dict[str, object] = {
        "ifindex": LAN,
        "name": "lan0",
        "arp_ignore": 0,
        "arp_announce": 0,
        "forwarding": 1,
        "addresses": (held("10.0.0.252/24").address,),
        "ipv6_forwarding": 1,
    }
    return ActualParent(**{**values, **changes})  # type: ignore[arg-type]


OURS = {"arp_ignore": 1, "arp_announce": 2}


def made(wanted: VirtualDevice, **changes: object) -> ActualDevice:
    """The device of the kernel that is just as wanted, but for the changes."""
    exact = ActualDevice(
        name=wanted.name,
        ifindex=77,
        parent_ifindex=wanted.parent_ifindex,
        mac=wanted.mac,
        alias=alias_of(wanted),
        group=LINK_GROUP,
        is_up=True,
        has_ipv6=wanted.family is Family.IPV6 and wanted.is_master,
        settings=SETTLED,
        addresses=wanted.addresses,
        lifetimes_s={one: wanted.lease_s for one in wanted.addresses if wanted.lease_s},
        ipv6_settings=SETTLED6 if wanted.family is Family.IPV6 else {},
    )
    return replace(exact, **changes)  # type: ignore[arg-type]


def actual(*devices: ActualDevice, **changes: object) -> Actual:
    """The kernel while our parent is settled."""
    has_ipv6 = any(found.ipv6_settings for found in devices)
    exact = Actual(
        devices={found.name: found for found in devices},
        parents={LAN: parent(**OURS)},
        owned=("lan0",),
        packet_filter=Filter(mutes=has_ipv6),
    )
    return replace(exact, **changes)  # type: ignore[arg-type]


def text(have: Actual, want: DesiredDataplane, only: Sequence[str] = ()) -> str:
    """The plan, one step on each line."""
    steps = plan(have, want, frozenset(only) if only else None)
    return "".join("\n    %s" % step for step in steps)


FRESH = Actual(devices={}, parents={LAN: parent()})
BACKUP4, MASTER4 = device("v4"), device("v4", "10.0.0.254/32")
BACKUP6 = device("v6")
MASTER6 = device("v6", "fe80::254/64", "2001:db8::254/128")
