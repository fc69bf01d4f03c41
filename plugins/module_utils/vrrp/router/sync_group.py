# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual routers that are master together or not at all. Layer L3. Beyond the RFCs.

    all members ready                        all start
    one member is not ready                  the others wait for it, and leave in good order
    every member's timer has expired         all become master
    one member loses mastership              the others hand over, too
    a member joins                           it takes the state of those that were there

A member that joins others which run, and is not ready yet, keeps nobody waiting until it was ready
once: a typing mistake in a new VLAN must not take the old ones down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from ..config.model import SyncGroupConfig, TrackReference
from ..config.resolve import NotReady
from ..fsm.events import Memory
from ..fsm.parameters import RouterParameters
from ..fsm.states import State
from .bound_router import BoundRouter

Resolved = Union[RouterParameters, NotReady]
WAITS_FOR_GROUP = "sync-group"


@dataclass(frozen=True)
class SyncGroup:
    """A configured group. veterans: the members that were in it before the last reload."""

    name: str
    members: Tuple[BoundRouter, ...]
    veterans: Tuple[BoundRouter, ...] = ()

    def others(self, bound: BoundRouter) -> List[BoundRouter]:
        """All members but this one."""
        return [member for member in self.members if member is not bound]

    def is_master(self, memories: Mapping[str, Memory]) -> bool:
        """Whether those who were there are master: who remembers it from another process, the
        veterans, or of a new group all that count in it."""
        remembered = {memories[each.id].state for each in self.members if each.id in memories}
        there = self.veterans or self.members
        states = remembered or {member.state for member in there if member.is_awaited}
        return states == {State.MASTER}

    def may_take_over(self) -> bool:
        """Whether nobody keeps a member from being master, and one is not."""
        running = [member for member in self.members if member.is_awaited]
        states = {member.state for member in running}
        if State.INITIALIZE in states or State.BACKUP not in states:
            return False
        return all(member.state is State.MASTER or member.wants_mastership for member in running)

    def track(self) -> Tuple[TrackReference, ...]:
        """What costs one member priority costs all of them; each tracker counts once."""
        penalties: Dict[str, int] = {}
        for member in self.members:
            for each in member.config.track:
                penalties[each.tracker] = max(each.penalty, penalties.get(each.tracker, 0))
        return tuple(TrackReference(name, penalties[name]) for name in sorted(penalties))

    def hold_together(self, resolved: Dict[str, Resolved]) -> None:
        """From what each member, by id, could run with alone to what it may run with."""
        missing: Optional[BoundRouter] = None
        for member in self.members:
            if not isinstance(resolved[member.id], NotReady):
                member.is_awaited = True
            elif member.is_awaited and missing is None:
                missing = member
        for member in self.members:
            alone = resolved[member.id]
            if isinstance(alone, NotReady):
                continue
            if missing is not None:
                sentence = "its sync group %s waits for %s" % (self.name, missing.config.name)
                resolved[member.id] = NotReady(WAITS_FOR_GROUP, sentence)
            else:
                resolved[member.id] = replace(alone, waits_for_group=True)


class SyncGroups:
    """All sync groups of a router."""

    def __init__(self) -> None:
        self._by_id: Dict[str, SyncGroup] = {}

    def replace(self, configs: Iterable[SyncGroupConfig], bounds: Iterable[BoundRouter]) -> None:
        """Another configuration; who was in a group of the same name is a veteran of it."""
        before, self._by_id = self._by_id, {}
        by_name = {bound.config.name: bound for bound in bounds}
        for config in configs:
            members = tuple(by_name[name] for name in config.members)
            veterans = tuple(
                member
                for member in members
                if member.id in before and before[member.id].name == config.name
            )
            group = SyncGroup(config.name, members, veterans)
            runs = any(member.state is not State.INITIALIZE for member in members)
            for member in members:
                self._by_id[member.id] = group
                if member in veterans:
                    continue
                is_running = member.state is not State.INITIALIZE
                member.is_awaited = is_running or not (veterans or runs)
        for bound in by_name.values():
            bound.keep_pace_with(self.together(bound))

    def __iter__(self) -> Iterator[SyncGroup]:
        return iter(dict.fromkeys(self._by_id.values()))

    def of(self, bound: BoundRouter) -> Optional[SyncGroup]:
        """The group of a virtual router, if it has one."""
        return self._by_id.get(bound.id)

    def together(self, bound: BoundRouter) -> Tuple[BoundRouter, ...]:
        """All that move with it, itself included."""
        group = self.of(bound)
        return group.members if group else (bound,)

    def track(self, bound: BoundRouter) -> Tuple[TrackReference, ...]:
        """What costs it priority."""
        group = self.of(bound)
        return group.track() if group else bound.config.track
