# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes from one configuration to another, told before it is applied. Layer L2.

Changing one virtual router never touches another. A change is hitless when the virtual router keeps
its role and its addresses keep being answered for. Every change says what it costs, and why.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Any, Dict, FrozenSet, Iterator, Mapping, Optional, Tuple

from ..fsm.parameters import RouterKey
from .fields import SYNC_GROUP_FIELDS, TRACKER_FIELDS, VIRTUAL_ROUTER_FIELDS, Field
from .model import RouterConfig, SyncGroupConfig, VirtualRouterConfig


class ChangeKind(enum.Enum):
    """What happens to an entry."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """One entry that differs.

    name is that of the virtual router, or "tracker NAME", "sync group NAME" or "leases"; key is
    None for all but virtual routers. fields names what changed, in the order of the field table; it
    is empty for what is added or removed. cost says in words what the change does, for people.
    """

    kind: ChangeKind
    key: Optional[RouterKey]
    name: str
    fields: Tuple[str, ...]
    hitless: bool
    cost: str

    def told(self) -> Dict[str, Any]:
        """As the daemon and the modules tell it."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "fields": list(self.fields),
            "hitless": self.hitless,
            "cost": self.cost,
        }


# What a change of each field costs. Those of the identity (interface, family, vrid) never appear:
# another identity is another virtual router, so one is removed and one is added.
COST: Mapping[str, Tuple[bool, str]] = {
    "name": (
        True,
        "the device is renamed in place, which takes it down for milliseconds before Linux 6.2",
    ),
    "version": (
        False,
        "it starts anew as backup, and routers of another version do not hear it until they follow",
    ),
    "priority": (
        True,
        "told with the next advertisement, and a higher router may take the role then",
    ),
    "advertisement_interval_cs": (True, "told with the next advertisement, backups learn it"),
    "preempt": (True, "looked at when the next advertisement arrives"),
    "preempt_delay_cs": (True, "looked at when this router comes up"),
    "accept": (True, "about what is sent to the addresses themselves, forwarding goes on"),
    "addresses": (True, "each is added or removed by itself, the others stay"),
    "checksum": (True, "both forms are accepted by our routers"),
    "profile": (True, "looked at when the next advertisement arrives"),
    "password": (False, "routers with another one do not hear this one until they follow"),
    "router_advertisements": (True, "told to the hosts with the next one"),
    "track": (True, "only the effective priority may follow"),
}
# RFC 3768 section 7.1: an advertisement with another interval is discarded.
_V2_INTERVAL_COST = "VRRPv2 routers with another one do not hear this one until they follow"

_ADDED_COST = "it starts as backup and touches no other virtual router"
_REMOVED_COST = "it leaves in good order, and its addresses are no longer answered for by this host"
_IDENTITY = ("interface", "family", "vrid")
_TRACKER_COST: Mapping[ChangeKind, str] = {
    ChangeKind.ADDED: "it takes nothing off the priority until its first result",
    ChangeKind.REMOVED: "what it took off the priority comes back",
    ChangeKind.CHANGED: "it begins anew, and takes nothing off the priority until its first result",
}
_SYNC_GROUP_COST: Mapping[ChangeKind, str] = {
    ChangeKind.ADDED: "its members stay as they are when they agree, else the masters hand over",
    ChangeKind.REMOVED: "its members stay as they are and go on by themselves",
    ChangeKind.CHANGED: "who joins takes the state of the group, who leaves goes on by itself",
}
_RENAMED_COST = "the same virtual routers under other names"
_LEASES_COST = "the addresses stay, only how long the kernel keeps them alone changes"


def diff(old: RouterConfig, new: RouterConfig) -> Tuple[Change, ...]:
    """The changes from old to new: virtual routers, trackers and sync groups by name, leases."""
    routers = sorted(_router_changes(old, new), key=lambda change: (change.name, change.kind.value))
    trackers = _named_changes(
        "tracker", TRACKER_FIELDS, _by_name(old.trackers), _by_name(new.trackers), _TRACKER_COST
    )
    changes = (*routers, *trackers, *_sync_group_changes(old, new))
    if old.leases is new.leases:
        return changes
    leases = Change(ChangeKind.CHANGED, None, "leases", ("leases",), True, _LEASES_COST)
    return (*changes, leases)


def _router_changes(old: RouterConfig, new: RouterConfig) -> Iterator[Change]:
    before = {router.key: router for router in old.virtual_routers}
    after = {router.key: router for router in new.virtual_routers}
    # The same name with another key: what the operator calls a change is a new virtual router.
    goes = {router.name: router for key, router in before.items() if key not in after}
    comes = {router.name: router for key, router in after.items() if key not in before}
    for key, router in before.items():
        if key not in after:
            # Its own LAN loses this gateway; that is what was asked for, but it is no small thing.
            cost = _identity_cost(router, comes.get(router.name)) or _REMOVED_COST
            yield Change(ChangeKind.REMOVED, key, router.name, (), False, cost)
    for key, router in after.items():
        previous = before.get(key)
        if previous is None:
            replaced = _identity_cost(goes.get(router.name), router)
            cost = replaced or _ADDED_COST
            yield Change(ChangeKind.ADDED, key, router.name, (), not replaced, cost)
        elif previous != router:
            fields = _differing(VIRTUAL_ROUTER_FIELDS, previous, router)
            hitless = all(_cost(field, router)[0] for field in fields)
            told = "; ".join("%s: %s" % (field, _cost(field, router)[1]) for field in fields)
            yield Change(ChangeKind.CHANGED, key, router.name, fields, hitless, told)


def _identity_cost(old: Optional[VirtualRouterConfig], new: Optional[VirtualRouterConfig]) -> str:
    """Why one name stands for two virtual routers; empty when it does not."""
    if old is None or new is None:
        return ""
    told = [
        "%s from %s to %s" % (field, _told(getattr(old, field)), _told(getattr(new, field)))
        for field in _IDENTITY
        if getattr(old, field) != getattr(new, field)
    ]
    return (
        "%s makes it another virtual router: the old one leaves, the new one starts as backup"
        % " and ".join(told)
    )


def _told(value: Any) -> str:
    return str(value.value if isinstance(value, enum.Enum) else value)


def _cost(field: str, router: VirtualRouterConfig) -> Tuple[bool, str]:
    if field == "advertisement_interval_cs" and router.version == 2:
        return False, _V2_INTERVAL_COST
    return COST[field]


def _differing(fields: Tuple[Field, ...], old: Any, new: Any) -> Tuple[str, ...]:
    return tuple(
        field.name for field in fields if getattr(old, field.name) != getattr(new, field.name)
    )


def _by_name(values: Tuple[Any, ...]) -> Dict[str, Any]:
    return {each.name: each for each in values}


def _sync_group_changes(old: RouterConfig, new: RouterConfig) -> Iterator[Change]:
    before, after = _by_name(old.sync_groups), _by_name(new.sync_groups)
    changes = _named_changes("sync group", SYNC_GROUP_FIELDS, before, after, _SYNC_GROUP_COST)
    renamed = {
        "sync group %s" % name
        for name in before
        if name in after and _keys_of(old, before[name]) == _keys_of(new, after[name])
    }
    for change in changes:
        yield replace(change, cost=_RENAMED_COST) if change.name in renamed else change


def _keys_of(config: RouterConfig, group: SyncGroupConfig) -> FrozenSet[RouterKey]:
    names = set(group.members)
    return frozenset(each.key for each in config.virtual_routers if each.name in names)


def _named_changes(
    what: str,
    fields: Tuple[Field, ...],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    costs: Mapping[ChangeKind, str],
) -> Iterator[Change]:
    """Entries that carry no addresses: whatever happens to them touches no role by itself."""
    for name in sorted({**before, **after}):
        if before.get(name) == after.get(name):
            continue
        kind = ChangeKind.CHANGED
        differing: Tuple[str, ...] = ()
        if name not in after:
            kind = ChangeKind.REMOVED
        elif name not in before:
            kind = ChangeKind.ADDED
        else:
            differing = _differing(fields, before[name], after[name])
        yield Change(kind, None, "%s %s" % (what, name), differing, True, costs[kind])
