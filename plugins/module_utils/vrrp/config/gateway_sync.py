# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VLANs of the table whose gateways are master together or not at all. Layer L2.

A sync group moves as a whole, so its VLANs have the same routers, and one order of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ..errors import Problem
from ..facts import Family
from .gateway_fields import SYNCED_VLANS_FIELDS
from .gateway_vlan import Vlan
from .reading import Hints, Reading, repeated, shown
from .validate import field_problem

_FAMILY_TEXT = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}
_TOGETHER = "they move together"


@dataclass(frozen=True)
class SyncedVlans:
    """A sync group of VLANs, these in the order of the table."""

    name: str
    path: str
    vlans: Tuple[Vlan, ...]

    def preferred(self) -> Optional[str]:
        """The router that its VLANs want as master; None where that is left to us."""
        return next(filter(None, map(wanted_master, self.vlans)), None)

    def priorities(self) -> Mapping[str, int]:
        """Those of the first VLAN that has some."""
        return next((vlan.priorities for vlan in self.vlans if vlan.priorities), {})


def wanted_master(vlan: Vlan) -> Optional[str]:
    """The router that a VLAN asks for: its owner, the preferred one or that of highest priority."""
    for family in vlan.families:
        owner = vlan.owner(family)
        if owner is not None:
            return owner
    if vlan.preferred is None and vlan.priorities:
        return _order(vlan)[0]
    return vlan.preferred


def read_synced_vlans(
    readings: Sequence[Reading], vlans: Sequence[Vlan], problems: List[Problem]
) -> Tuple[SyncedVlans, ...]:
    """The sync groups of the table, with what is wrong with them in its own words."""
    groups: List[SyncedVlans] = []
    find = _Finder(vlans)
    names: Set[str] = set()
    taken: Dict[int, str] = {}
    for reading in readings:
        path, name = reading.path, reading.values["name"]
        if "name" not in reading.unsound:
            problem = field_problem(SYNCED_VLANS_FIELDS[0], name, path + ".name")
            if problem is not None:
                problems.append(problem)
            if name in names:
                message = "%s is the name of two sync groups" % shown(name)
                hint = "rename one of them"
                problems.append(Problem(path + ".name", "duplicate-name", message, hint))
            names.add(name)
        if "vlans" in reading.unsound:
            continue
        found = len(problems)
        members = find.all_of(reading.values["vlans"], path + ".vlans", problems)
        for vlan in members:
            other = taken.setdefault(vlan.vlan_id, path)
            if other != path:
                message = "has %s, which is in %s too" % (vlan.path, other)
                hint = "keep it in one of them, or join the two"
                problems.append(Problem(path + ".vlans", "member-of-two", message, hint))
        if members and len(problems) == found:
            group = SyncedVlans(name, path, members)
            problems.extend(_conflicts(group))
            groups.append(group)
    return tuple(groups)


class _Finder:
    """Finds VLANs by id or name."""

    def __init__(self, vlans: Sequence[Vlan]) -> None:
        self._vlans = vlans
        # Zero stands for an id that could not be read.
        self._all_known = all(vlan.vlan_id for vlan in vlans)
        self._by_label: Dict[Any, Vlan] = {}
        for vlan in vlans:
            self._by_label.setdefault(vlan.vlan_id, vlan)
            self._by_label.setdefault(vlan.name, vlan)
        self._hints = Hints(vlan.name for vlan in vlans)

    def all_of(self, written: Any, path: str, problems: List[Problem]) -> Tuple[Vlan, ...]:
        """The VLANs of a list of ids and names, in the order of the table."""
        if not isinstance(written, (list, tuple)):
            hint = "write a list of VLAN ids or names"
            problems.append(Problem(path, "type", "is %s" % shown(written), hint))
            return ()
        found: List[Vlan] = []
        begin = len(problems)
        for index, label in enumerate(written):
            vlan = self._find(label, "%s[%d]" % (path, index), problems)
            if vlan is not None:
                found.append(vlan)
        for vlan_id in repeated(vlan.vlan_id for vlan in found):
            message = "has VLAN %d twice" % vlan_id
            problems.append(Problem(path, "duplicate-member", message, "keep one of them"))
        virtual_routers = sum(len(vlan.families) for vlan in found)
        is_read = self._all_known and all(vlan.families for vlan in found)
        if virtual_routers < 2 and len(problems) == begin and is_read:
            message = "has %s" % ("one virtual router" if virtual_routers else "no virtual router")
            hint = "name two VLANs or more, or one with IPv4 and IPv6"
            problems.append(Problem(path, "too-few", message, hint))
        ids = {vlan.vlan_id for vlan in found}
        return tuple(vlan for vlan in self._vlans if vlan.vlan_id in ids)

    def _find(self, label: Any, path: str, problems: List[Problem]) -> Optional[Vlan]:
        if isinstance(label, bool) or not isinstance(label, (int, str)):
            hint = "write the id of a VLAN, or its name"
            problems.append(Problem(path, "type", "is %s" % shown(label), hint))
            return None
        vlan = self._by_label.get(label)
        if vlan is None and self._all_known:
            message = "is %s, and no VLAN has that id or name" % shown(label)
            hint = self._hints.hint(str(label), "write the id of a VLAN of the table, or its name")
            if isinstance(label, str) and label.isdecimal() and int(label[:9]) in self._by_label:
                hint = "write it without quotes"
            problems.append(Problem(path, "unknown-vlan", message, hint))
        return vlan


def _conflicts(group: SyncedVlans) -> Iterator[Problem]:
    """What keeps the VLANs from moving together."""
    owners = list(_owners_differ(group))
    yield from owners
    first = group.vlans[0]
    preferring: Optional[Vlan] = None
    ordering: Optional[Vlan] = None
    for vlan in group.vlans:
        ours, theirs = _routers(vlan), _routers(first)
        if ours != theirs:
            message = "are %s, and %s of its sync group %s has %s"
            message %= (", ".join(ours), first.path, group.name, ", ".join(theirs))
            hint = "let the same routers serve all VLANs of a sync group: %s" % _TOGETHER
            yield Problem(vlan.path + ".routers", "sync-routers", message, hint)
            continue
        yield from _policy_differs(group, first, vlan)
        if owners:
            continue
        if vlan.priorities and ordering is not None:
            yield from _order_differs(group, ordering, vlan)
        elif wanted_master(vlan) is not None and preferring is not None:
            yield from _preference_differs(group, preferring, vlan)
        if wanted_master(vlan) is not None:
            preferring = preferring or vlan
        if vlan.priorities:
            ordering = ordering or vlan


def _owners_differ(group: SyncedVlans) -> Iterator[Problem]:
    """An address owner is master whenever it is up, so it waits for no other member."""
    parts = [(vlan, family) for vlan in group.vlans for family in vlan.families]
    if not parts:
        return  # none of the networks could be read
    first, first_family = parts[0]
    theirs = first.owner(first_family)
    for vlan, family in parts[1:]:
        ours = vlan.owner(family)
        if ours != theirs:
            message = "%s of it is owned by %s, and %s of %s in the same sync group by %s"
            message %= (
                _FAMILY_TEXT[family],
                ours or "no router",
                _FAMILY_TEXT[first_family],
                first.path,
                theirs or "no router",
            )
            hint = "let one router own all virtual addresses of a sync group, or none of them"
            yield Problem(vlan.path + ".virtual", "sync-owners", message, hint)


def _policy_differs(group: SyncedVlans, first: Vlan, vlan: Vlan) -> Iterator[Problem]:
    for name in ("preempt", "preempt_delay_cs"):
        ours, theirs = getattr(vlan.policy, name), getattr(first.policy, name)
        if ours != theirs:
            message = "is %s, and %s of its sync group %s has %s"
            message %= (shown(ours), first.path, group.name, shown(theirs))
            hint = "write the same for all VLANs of a sync group: %s" % _TOGETHER
            yield Problem("%s.%s" % (vlan.path, name), "sync-unlike", message, hint)
            return  # without preemption there is no delay, which nobody wrote


def _preference_differs(group: SyncedVlans, first: Vlan, vlan: Vlan) -> Iterator[Problem]:
    ours, theirs = wanted_master(vlan), wanted_master(first)
    if ours != theirs:
        key = "preferred" if vlan.preferred is not None else "priorities"
        message = "prefers %s, and %s of its sync group %s prefers %s"
        message %= (ours, first.path, group.name, theirs)
        hint = "prefer one router for all VLANs of a sync group: %s" % _TOGETHER
        yield Problem("%s.%s" % (vlan.path, key), "sync-preferred", message, hint)


def _order_differs(group: SyncedVlans, first: Vlan, vlan: Vlan) -> Iterator[Problem]:
    ours, theirs = _order(vlan), _order(first)
    if ours != theirs:
        message = "order the routers %s, and those of %s in sync group %s %s"
        message %= (", ".join(ours), first.path, group.name, ", ".join(theirs))
        hint = "let one order count for all VLANs of a sync group: %s" % _TOGETHER
        yield Problem(vlan.path + ".priorities", "sync-order", message, hint)


def _routers(vlan: Vlan) -> List[str]:
    return sorted(seat.router for seat in vlan.seats)


def _order(vlan: Vlan) -> List[str]:
    """The routers that have priorities, the highest first; an owner needs none."""
    return sorted(vlan.priorities, key=lambda name: -vlan.priorities[name])
