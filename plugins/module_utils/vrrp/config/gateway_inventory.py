# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VLAN table beside what Ansible knows of hosts: who is there, and reached where. Layer L2."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Dict, Iterator, Mapping, Optional, Sequence, Tuple

from ..errors import Problem
from .gateway_addresses import Address
from .gateway_vlan import Vlan
from .reading import nearest

Endpoint = Tuple[str, str]


@dataclass(frozen=True)
class Inventory:
    """play: the hosts of the play. partial: some routers of the table may be left out of it.

    endpoints: address and port by which a host is reached, of those that are known.
    """

    hosts: Sequence[str]
    play: Sequence[str]
    partial: bool
    endpoints: Mapping[str, Endpoint]


def inventory_problems(
    inventory: Inventory, routers: Sequence[str], vlans: Sequence[Vlan]
) -> Iterator[Problem]:
    """Routers that are not there, twice there, or reached by what is virtual."""
    yield from _missing(inventory, routers)
    yield from _strangers(inventory, routers)
    yield from _same_machine(inventory, routers)
    yield from _reached_by_virtual(inventory, vlans)


def _missing(inventory: Inventory, routers: Sequence[str]) -> Iterator[Problem]:
    for name in routers:
        where = "routers[%s]" % name
        if name not in inventory.hosts:
            hint = nearest(name, list(inventory.hosts))
            yield Problem(where, "no-host", "is no host of the inventory", hint)
        elif name not in inventory.play and not inventory.partial:
            hint = "run the play on all routers of the table, or set vlangate_partial to true"
            yield Problem(where, "not-in-play", "is not among the hosts of this play", hint)


def _strangers(inventory: Inventory, routers: Sequence[str]) -> Iterator[Problem]:
    for name in inventory.play if routers else ():
        if name not in routers:
            message = "do not name %s, which is a host of this play" % name
            hint = "add it to the table, or take it out of the group of routers"
            yield Problem("routers", "not-in-table", message, hint)


def _same_machine(inventory: Inventory, routers: Sequence[str]) -> Iterator[Problem]:
    first: Dict[Endpoint, str] = {}
    for name in routers:
        endpoint = inventory.endpoints.get(name)
        if endpoint is not None and first.setdefault(endpoint, name) != name:
            message = "is reached at %s, and so is %s" % (endpoint[0], first[endpoint])
            hint = "give each router the ansible_host of its own"
            yield Problem("routers[%s]" % name, "same-machine", message, hint)


def _reached_by_virtual(inventory: Inventory, vlans: Sequence[Vlan]) -> Iterator[Problem]:
    """Behind a virtual address there is another machine after each failover."""
    by_address: Dict[Address, str] = {}
    for name, (text, _port) in inventory.endpoints.items():
        address = _address(text)
        if address is not None:
            by_address.setdefault(address, name)
    for vlan in vlans:
        for family in vlan.families:
            for address in vlan.virtual_addresses(family):
                host = by_address.get(address)
                if host is not None and host != vlan.owner(family):
                    message = "%s is the address by which %s is reached" % (address, host)
                    hint = "choose another virtual address, or the right ansible_host for the host"
                    yield Problem(vlan.path + ".virtual", "real-address", message, hint)


def _address(text: str) -> Optional[Address]:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
