# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VLAN table becomes one configuration per router. Layer L2.

Deterministic: the same table gives the same configurations, and a row added at the end changes
nothing for the rows before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

from ..errors import ConfigError, Problem
from ..facts import Family
from ..fsm.parameters import OWNER_PRIORITY
from .gateway_fleet import Router
from .gateway_table import Seat, Vlan, read_table
from .hosts import host_problems
from .model import (
    PROFILES,
    ProfileMode,
    RouterAdvertisements,
    RouterConfig,
    VirtualRouterConfig,
)
from .reading import in_order
from .render import document
from .validate import problems

# The spread of 100 is less than the penalty of a failed uplink (101): whoever has an exit comes
# before whoever has none.
PREFERRED_PRIORITY = 200
_SPREAD = 100
_LARGEST_STEP = 50
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


def gateway_configs(
    vlans: Sequence[Mapping[str, Any]],
    routers: Union[Sequence[Any], Mapping[str, Any]],
    defaults: Mapping[str, Any],
) -> Dict[str, Dict[str, Any]]:
    """For each router its "config" (the engine's document), "interfaces" and "groups".

    Raises ConfigError with all problems of the table.
    """
    fleet, rows = read_table(vlans, routers, defaults)
    groups = plan(rows, list(fleet))
    configs = {name: _config(router, groups) for name, router in fleet.items()}
    _refuse_what_the_engine_would(configs)
    return {
        name: {
            "config": document(configs[name]),
            "interfaces": _interfaces(router, rows),
            "groups": [_group(group, router.name) for group in groups if name in group.members],
        }
        for name, router in fleet.items()
    }


def plan(vlans: Sequence[Vlan], routers: Sequence[str]) -> List[Group]:
    """Who is preferred in each group, and in which order the others follow.

    A VLAN without a preference goes to the router that is preferred least so far. The order of its
    backups turns by one with each VLAN of a router, so that they share its load when it fails.
    """
    preferences = dict.fromkeys(routers, 0)
    groups = []
    for vlan in vlans:
        members = [seat.router for seat in vlan.seats]
        preferred = _preferred(vlan, members, preferences)
        turn = preferences[preferred]
        preferences[preferred] += 1
        for family in vlan.families:
            order = _order(members, vlan.owner(family) or preferred, turn)
            priorities = dict(vlan.priorities) or _priorities(order)
            owner = vlan.owner(family)
            if owner is not None:
                priorities[owner] = OWNER_PRIORITY
            order.sort(key=lambda name: -priorities[name])
            name = "%s-%s" % (vlan.name, _SUFFIX[family])
            groups.append(Group(name, vlan, family, tuple(order), priorities))
    return groups


def _preferred(vlan: Vlan, members: Sequence[str], preferences: Mapping[str, int]) -> str:
    for family in vlan.families:
        owner = vlan.owner(family)
        if owner is not None:
            return owner
    if vlan.preferred is not None:
        return vlan.preferred
    if vlan.priorities:
        return max(vlan.priorities, key=lambda name: vlan.priorities[name])
    order = list(preferences)
    return min(members, key=lambda name: (preferences[name], order.index(name)))


def _order(members: Sequence[str], preferred: str, turn: int) -> List[str]:
    """The preferred member, then those behind it in a circle, turned so many places."""
    place = members.index(preferred)
    others = [*members[place + 1 :], *members[:place]]
    start = turn % len(others) if others else 0
    return [preferred, *others[start:], *others[:start]]


def _priorities(order: Sequence[str]) -> Dict[str, int]:
    """200 for the first, then downwards in even steps, 100 for the last at the least."""
    step = min(_LARGEST_STEP, _SPREAD // max(1, len(order) - 1))
    return {name: PREFERRED_PRIORITY - place * step for place, name in enumerate(order)}


def _config(router: Router, groups: Sequence[Group]) -> RouterConfig:
    routers = [_virtual_router(group, router) for group in groups if router.name in group.members]
    return RouterConfig(
        tuple(sorted(routers, key=lambda each: each.name)),
        tuple(sorted(router.trackers, key=lambda each: each.name)),
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
    vips = [str(address) for address in group.vlan.virtual_addresses(group.family)]
    return {
        "name": group.name,
        "vlan": group.vlan.vlan_id,
        "family": group.family.value,
        "interface": _seat(group.vlan, router).interface,
        "vrid": group.vlan.vrid,
        "vip": vips[0],
        "vips": vips,
        "virtual_mac": "%s:%02x" % (_MAC_PREFIX[group.family], group.vlan.vrid),
        "preferred": group.members[0],
        "members": list(group.members),
        "priority": group.priorities[router],
    }
