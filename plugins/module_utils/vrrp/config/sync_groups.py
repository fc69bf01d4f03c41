# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps virtual routers from being master together. Layer L2.

Members become master and leave together, so what decides when that happens has to be the same for
all of them. What hosts of one sync group have to agree on: hosts.py.
"""

from __future__ import annotations

from typing import Dict, Iterator, Sequence

from ..errors import Problem
from ..fsm.parameters import OWNER_PRIORITY
from .drafts import RouterDraft, SyncGroupDraft
from .reading import Hints, repeated, shown

_REMEDY = "name a virtual router of this configuration"
_ALIKE = ("preempt", "preempt_delay_cs")


def sync_group_conflicts(
    groups: Sequence[SyncGroupDraft], routers: Sequence[RouterDraft], all_routers: bool
) -> Iterator[Problem]:
    """What is wrong between sync groups and their members.

    all_routers is False when there are virtual routers that could not be read.
    """
    by_name: Dict[str, RouterDraft] = {}
    for router in routers:
        if "name" not in router.unsound:
            by_name.setdefault(router.value.name, router)
        else:
            all_routers = False
    yield from _members_of_two(groups)
    hints = Hints(by_name)
    for group in groups:
        if "members" in group.unsound:
            continue
        where = group.path + ".members"
        for name in repeated(group.value.members):
            message = "has %s twice" % shown(name)
            yield Problem(where, "duplicate-member", message, "keep one of them")
        names = sorted(set(group.value.members))
        for name in names:
            if all_routers and name not in by_name:
                message = "has %s, and virtual_routers has none of that name" % shown(name)
                yield Problem(where, "unknown-member", message, hints.hint(name, _REMEDY))
        yield from _unlike_the_first(group, [by_name[name] for name in names if name in by_name])


def _members_of_two(groups: Sequence[SyncGroupDraft]) -> Iterator[Problem]:
    first: Dict[str, SyncGroupDraft] = {}
    for group in groups:
        if "members" in group.unsound:
            continue
        for name in sorted(set(group.value.members)):
            other = first.setdefault(name, group)
            if other is not group:
                message = "has %s, which is also a member of %s" % (shown(name), other.path)
                hint = "keep it in one of them, or join the two"
                yield Problem(group.path + ".members", "member-of-two", message, hint)


def _unlike_the_first(group: SyncGroupDraft, members: Sequence[RouterDraft]) -> Iterator[Problem]:
    """Members that would not move with the first one."""
    for member in members[1:]:
        if _owner_differs(members[0], member):
            message = "is %d, and %s of its sync group %s has %d"
            message %= (
                member.value.priority,
                members[0].path,
                group.value.name,
                members[0].value.priority,
            )
            hint = "an address owner waits for nobody: make all members owners, or none"
            yield Problem(member.path + ".priority", "sync-owners", message, hint)
            continue
        for field in _ALIKE:
            ours, theirs = getattr(member.value, field), getattr(members[0].value, field)
            if ours != theirs and not _unread(field, members[0], member):
                message = "is %s, and %s of its sync group %s has %s"
                message %= (shown(ours), members[0].path, group.value.name, shown(theirs))
                hint = "write the same for all members: they move together"
                yield Problem("%s.%s" % (member.path, field), "sync-unlike", message, hint)


def _owner_differs(*members: RouterDraft) -> bool:
    owners = [member.value.priority == OWNER_PRIORITY for member in members]
    return len(set(owners)) > 1 and not _unread("priority", *members)


def _unread(field: str, *members: RouterDraft) -> bool:
    """True when one of them has something there that could not be read."""
    return any(field in member.unsound for member in members)
