# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync groups of several hosts that do not fit together. Layer L2.

A sync group moves as a whole from one host to another. A gateway group that is not in it on all of
its hosts would stay behind, and one in which the hosts rank otherwise would pull the others back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import (
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ..errors import Problem
from .model import RouterConfig, SyncGroupConfig, VirtualRouterConfig
from .reading import shown

_MEMBERS_SHOWN = 8


@dataclass(frozen=True)
class Member:
    """A virtual router as one host has it."""

    host: str
    router: VirtualRouterConfig

    @property
    def path(self) -> str:
        """Where a problem of it is shown."""
        return "%s: virtual_routers[%s]" % (self.host, self.router.name)


@dataclass(frozen=True)
class _Part:
    """A sync group as one host has it; gateway_groups are the numbers of those that are in it."""

    host: str
    group: SyncGroupConfig
    gateway_groups: FrozenSet[int]

    @property
    def path(self) -> str:
        return "%s: sync_groups[%s].members" % (self.host, self.group.name)


def sync_group_problems(
    configs: Mapping[str, RouterConfig], gateway_groups: Sequence[Sequence[Member]]
) -> Iterator[Problem]:
    """What is wrong between the sync groups of hosts that share gateway groups."""
    numbers = {
        (member.host, member.router.name): number
        for number, members in enumerate(gateway_groups)
        for member in members
    }
    part_of: Dict[Tuple[str, int], _Part] = {}
    for host, config in configs.items():
        for group in config.sync_groups:
            inside = [numbers.get((host, name)) for name in group.members]
            part = _Part(host, group, frozenset(each for each in inside if each is not None))
            part_of.update(((host, number), part) for number in part.gateway_groups)
    broken: Set[int] = set()
    told: Set[Problem] = set()
    for number, members in enumerate(gateway_groups):
        first = members[0]
        for member in members[1:]:
            found = _unlike(
                first, part_of.get((first.host, number)), member, part_of.get((member.host, number))
            )
            if found is not None:
                broken.add(number)
            if found is not None and found not in told:
                told.add(found)
                yield found
    for each in {part.gateway_groups: part for part in part_of.values()}.values():
        if broken.isdisjoint(each.gateway_groups):
            yield from _ranked_otherwise(each, gateway_groups)


def _unlike(
    first: Member, theirs: Optional[_Part], member: Member, ours: Optional[_Part]
) -> Optional[Problem]:
    """What is wrong when two hosts of a gateway group have it in other company."""
    if ours is None and theirs is None:
        return None
    where = member.path
    if ours is None and theirs is not None:
        message = "is in no sync group, and %s has it in %s" % (first.host, theirs.group.name)
    elif ours is not None and theirs is None:
        where = ours.path
        message = "has %s, which is in no sync group of %s"
        message %= (shown(member.router.name), first.host)
    elif ours is not None and theirs is not None:
        if ours.gateway_groups == theirs.gateway_groups:
            return None
        where = ours.path
        message = "are %s, and those of %s in %s are %s"
        message %= (
            _listed(ours.group.members),
            theirs.host,
            theirs.group.name,
            _listed(theirs.group.members),
        )
    hint = "put the same virtual routers into a sync group on all hosts that share them"
    return Problem(where, "host-sync-group", message, hint)


def _ranked_otherwise(part: _Part, gateway_groups: Sequence[Sequence[Member]]) -> Iterator[Problem]:
    """The hosts of a sync group have to follow each other in the same order in all of it."""
    in_order: List[List[Member]] = [
        sorted(gateway_groups[number], key=lambda member: -member.router.priority)
        for number in sorted(part.gateway_groups)
    ]
    expected = in_order[0]
    for order in in_order[1:]:
        for ours, theirs in zip(order, expected):
            if ours.host != theirs.host:
                message = "is %d, so %s comes before %s, which comes first in %s of sync group %s"
                message %= (
                    ours.router.priority,
                    ours.host,
                    theirs.host,
                    theirs.router.name,
                    part.group.name,
                )
                hint = "let the hosts follow each other in one order: a sync group moves as a whole"
                yield Problem(ours.path + ".priority", "host-sync-order", message, hint)
                break


def _listed(names: Iterable[str]) -> str:
    """Names, as many as a person reads."""
    all_names = list(names)
    listed = ", ".join(all_names[:_MEMBERS_SHOWN])
    more = len(all_names) - _MEMBERS_SHOWN
    return listed if more <= 0 else "%s and %d more" % (listed, more)
