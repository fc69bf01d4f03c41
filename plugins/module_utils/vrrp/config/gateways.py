# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VLAN table becomes one configuration per router. Layer L2.

Deterministic: the same table gives the same configurations, and a row added at the end changes
nothing for the rows before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ..errors import ConfigError, Problem
from ..facts import Family
from ..fsm.parameters import OWNER_PRIORITY
from .gateway_fleet import Router
from .gateway_inventory import Inventory
from .gateway_priorities import spread
from .gateway_sync import SyncedVlans, wanted_master
from .gateway_table import Table, read_table
from .gateway_vlan import Seat, Vlan
from .hosts import host_problems
from .model import (
    PROFILES,
    ProfileMode,
    RouterAdvertisements,
    RouterConfig,
    SyncGroupConfig,
    VirtualRouterConfig,
)
from .reading import in_order
from .render import document
from .validate import problems

_SUFFIX = {Family.IPV4: "v4", Family.IPV6: "v6"}
# RFC 9568 section 7.3.
_MAC_PREFIX = {Family.IPV4: "00:00:5e:00:01", Family.IPV6: "00:00:5e:00:02"}


@dataclass(frozen=True)
class Group:
    """The gateway group of one family of a VLAN. members go from the preferred one downwards."""

    name: str
    vlan: Vlan
    family: Family
    members: Tuple[str, ...]
    priorities: Mapping[str, int]
    sync_group: Optional[str]


def gateway_configs(
    vlans: Sequence[Mapping[str, Any]],
    routers: Union[Sequence[Any], Mapping[str, Any]],
    defaults: Mapping[str, Any],
    inventory: Optional[Inventory] = None,
) -> Dict[str, Dict[str, Any]]:
    """For each router its "config" (the engine's document), "interfaces" and "groups".

    Raises ConfigError with all problems of the table, also those beside an inventory.
    """
    table = read_table(vlans, routers, defaults, inventory)
    groups = plan(table)
    configs = {name: _config(router, groups, table) for name, router in table.fleet.items()}
    _refuse_what_the_engine_would(configs)
    return {
        name: {
            "config": document(configs[name]),
            "interfaces": _interfaces(router, table.vlans),
            "groups": [_group(group, router.name) for group in groups if name in group.members],
        }
        for name, router in table.fleet.items()
    }


def plan(table: Table) -> List[Group]:
    """Who is preferred in each group, and in which order the others follow.

    A VLAN without a preference goes to the router that is preferred least so far. The order of its
    backups turns by one with each VLAN of a router, so that they share its load when it fails.
    VLANs of a sync group follow its first one in both.
    """
    preferences = dict.fromkeys(table.fleet, 0)
    synced_with = {vlan.vlan_id: group for group in table.sync_groups for vlan in group.vlans}
    of_sync_group: Dict[str, _Succession] = {}
    groups: List[Group] = []
    for vlan in table.vlans:
        synced = synced_with.get(vlan.vlan_id)
        succession = of_sync_group.get(synced.name) if synced else None
        if succession is None:
            succession = _succession(vlan, synced, preferences)
        if synced is not None:
            of_sync_group[synced.name] = succession
        preferences[succession.preferred] += 1
        groups += [_group_of(vlan, family, succession, synced) for family in vlan.families]
    return groups


@dataclass(frozen=True)
class _Succession:
    """Who is preferred among the routers of a VLAN, and by how many places the others turn."""

    members: Tuple[str, ...]
    preferred: str
    turn: int

    def order(self, owner: Optional[str]) -> List[str]:
        """The owner or the preferred one, then those behind it in a circle, turned."""
        first = owner or self.preferred
        place = self.members.index(first)
        others = [*self.members[place + 1 :], *self.members[:place]]
        start = self.turn % len(others) if others else 0
        return [first, *others[start:], *others[:start]]


def _succession(
    vlan: Vlan, synced: Optional[SyncedVlans], preferences: Mapping[str, int]
) -> _Succession:
    members = tuple(seat.router for seat in vlan.seats)
    preferred = wanted_master(vlan) if synced is None else synced.preferred()
    if preferred is None:
        ranks = list(preferences)
        preferred = min(members, key=lambda name: (preferences[name], ranks.index(name)))
    return _Succession(members, preferred, preferences[preferred])


def _group_of(
    vlan: Vlan, family: Family, succession: _Succession, synced: Optional[SyncedVlans]
) -> Group:
    """The gateway group of one family of a VLAN."""
    owner = vlan.owner(family)
    order = succession.order(owner)
    written = vlan.priorities or (synced.priorities() if synced else {})
    priorities = dict(written) or spread(order)
    if owner is not None:
        priorities[owner] = OWNER_PRIORITY
    order.sort(key=lambda name: -priorities[name])
    name = "%s-%s" % (vlan.name, _SUFFIX[family])
    return Group(name, vlan, family, tuple(order), priorities, synced.name if synced else None)


def _config(router: Router, groups: Sequence[Group], table: Table) -> RouterConfig:
    mine = [group for group in groups if router.name in group.members]
    in_sync: Dict[str, List[str]] = {}
    for group in mine:
        if group.sync_group is not None:
            in_sync.setdefault(group.sync_group, []).append(group.name)
    routers = [_virtual_router(group, router) for group in mine]
    return RouterConfig(
        tuple(sorted(routers, key=lambda each: each.name)),
        tuple(sorted(router.trackers, key=lambda each: each.name)),
        tuple(SyncGroupConfig(name, tuple(sorted(in_sync[name]))) for name in sorted(in_sync)),
        table.leases,
    )


def _virtual_router(group: Group, router: Router) -> VirtualRouterConfig:
    """The part of one router in one group. A penalty of the VLAN replaces that of the router."""
    policy = group.vlan.policy
    priority = group.priorities[router.name]
    version = policy.version if group.family is Family.IPV4 else 3
    # What is about the other version is for the VLAN's other family.
    fits = policy.profile.value in [profile.value for profile in PROFILES[version]]
    virtual_router = VirtualRouterConfig(
        name=group.name,
        interface=_seat(group.vlan, router.name).interface,
        family=group.family,
        vrid=group.vlan.vrid,
        addresses=tuple(each.packed for each in group.vlan.virtual_addresses(group.family)),
        version=version,
        priority=priority,
        advertisement_interval_cs=policy.advertisement_interval_cs,
        preempt=policy.preempt,
        preempt_delay_cs=policy.preempt_delay_cs if router.name == group.members[0] else 0,
        accept=policy.accept,
        checksum=policy.checksum,
        profile=policy.profile if fits else ProfileMode.AUTO,
        password=policy.password if version == 2 else "",
        router_advertisements=(
            policy.router_advertisements if group.family is Family.IPV6 else RouterAdvertisements()
        ),
        track=tuple({each.tracker: each for each in (*router.track, *policy.track)}.values()),
    )
    if priority != OWNER_PRIORITY:
        return virtual_router
    # RFC 9568 section 6.1: an owner always preempts; it keeps its priority whatever fails.
    return replace(virtual_router, preempt=True, preempt_delay_cs=0, track=())


def _seat(vlan: Vlan, router: str) -> Seat:
    return next(seat for seat in vlan.seats if seat.router == router)


def _refuse_what_the_engine_would(configs: Mapping[str, RouterConfig]) -> None:
    """What is left to find when the table is sound by itself, such as a tracker that is missing."""
    found = [
        Problem("%s: %s" % (name, each.path), each.code, each.message, each.hint)
        for name, config in configs.items()
        for each in problems(config)
    ]
    found.extend(host_problems(configs))
    if found:
        raise ConfigError(in_order(found))


def _interfaces(router: Router, vlans: Sequence[Vlan]) -> List[Dict[str, Any]]:
    """The interfaces that a router needs, with its real addresses; one for each name."""
    interfaces: Dict[str, Dict[str, Any]] = {}
    for vlan in vlans:
        for seat in vlan.seats:
            if seat.router != router.name:
                continue
            entry = interfaces.setdefault(
                seat.interface,
                {
                    "name": seat.interface,
                    "vlan_id": vlan.vlan_id,
                    "parent": router.parent,
                    "addresses": [],
                },
            )
            entry["addresses"].extend(
                "%s/%d" % (address, network.prefixlen)
                for network, addresses in seat.places.items()
                for address in addresses
            )
    return list(interfaces.values())


def _group(group: Group, router: str) -> Dict[str, Any]:
    """What people and playbooks want to know about a group, seen from one of its routers."""
    addresses = group.vlan.virtual_addresses(group.family)
    vips = [str(address) for address in addresses]
    usual = [str(address) for address in addresses if not address.is_link_local]
    return {
        "name": group.name,
        "vlan": group.vlan.vlan_id,
        "family": group.family.value,
        "interface": _seat(group.vlan, router).interface,
        "vrid": group.vlan.vrid,
        "vip": (usual or vips)[0],
        "vips": vips,
        "virtual_mac": "%s:%02x" % (_MAC_PREFIX[group.family], group.vlan.vrid),
        "preferred": group.members[0],
        "members": list(group.members),
        "priority": group.priorities[router],
        "sync_group": group.sync_group,
    }
