# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes from one configuration to another, told before it is applied. Layer L2.

Changing one virtual router never touches another. A change is hitless when the virtual router keeps
its role and its addresses keep being answered for.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Dict, Iterator, Mapping, Optional, Tuple

from ..fsm.parameters import RouterKey
from .fields import TRACKER_FIELDS, VIRTUAL_ROUTER_FIELDS
from .model import RouterConfig, VirtualRouterConfig


class ChangeKind(enum.Enum):
    """What happens to an entry."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """One entry that differs. name is that of the virtual router, or "tracker NAME".

    key is None for a tracker. fields names what changed, in the order of the field table; it is
    empty for what is added or removed.
    """

    kind: ChangeKind
    key: Optional[RouterKey]
    name: str
    fields: Tuple[str, ...]
    hitless: bool


# What a change of each field costs. Those of the identity (interface, family, vrid) never appear:
# another identity is another virtual router, so one is removed and one is added.
COST: Mapping[str, Tuple[bool, str]] = {
    "name": (False, "the device carries the name, so it is made anew"),
    "version": (False, "routers of another version do not hear this one until they follow"),
    "priority": (True, "sent with the next advertisement; a hand-over then is an election"),
    "advertisement_interval_cs": (True, "VRRPv3 backups learn it from the master; VRRPv2: below"),
    "preempt": (True, "looked at when the next advertisement arrives"),
    "preempt_delay_cs": (True, "looked at when the router comes up"),
    "accept": (True, "what is sent to the addresses themselves; forwarding goes on"),
    "addresses": (True, "each is added or removed by itself, the others stay"),
    "checksum": (True, "both forms are accepted"),
    "profile": (True, "looked at when the next advertisement arrives"),
    "password": (False, "routers with another one do not hear this one until they follow"),
    "router_advertisements": (True, "told to the hosts with the next one"),
    "track": (True, "only the effective priority may follow"),
}


def diff(old: RouterConfig, new: RouterConfig) -> Tuple[Change, ...]:
    """The changes from old to new: virtual routers by name, then trackers by name."""
    routers = sorted(_router_changes(old, new), key=lambda change: (change.name, change.kind.value))
    trackers = sorted(_tracker_changes(old, new), key=lambda change: change.name)
    return tuple(routers) + tuple(trackers)


def _router_changes(old: RouterConfig, new: RouterConfig) -> Iterator[Change]:
    before = {router.key: router for router in old.virtual_routers}
    after = {router.key: router for router in new.virtual_routers}
    for key, router in before.items():
        if key not in after:
            # Its own LAN loses this gateway; that is what was asked for, but it is no small thing.
            yield Change(ChangeKind.REMOVED, key, router.name, (), hitless=False)
    for key, router in after.items():
        previous = before.get(key)
        if previous is None:
            yield Change(ChangeKind.ADDED, key, router.name, (), hitless=True)
        elif previous != router:
            fields = tuple(
                field.name
                for field in VIRTUAL_ROUTER_FIELDS
                if getattr(previous, field.name) != getattr(router, field.name)
            )
            hitless = all(_is_hitless(field, router) for field in fields)
            yield Change(ChangeKind.CHANGED, key, router.name, fields, hitless)


def _is_hitless(field: str, router: VirtualRouterConfig) -> bool:
    # RFC 3768 section 7.1: an advertisement with another interval is discarded.
    if field == "advertisement_interval_cs" and router.version == 2:
        return False
    return COST[field][0]


def _tracker_changes(old: RouterConfig, new: RouterConfig) -> Iterator[Change]:
    """A tracker carries no addresses: whatever happens to it touches no role by itself."""
    before = {tracker.name: tracker for tracker in old.trackers}
    after = {tracker.name: tracker for tracker in new.trackers}
    kinds: Dict[str, ChangeKind] = dict.fromkeys(before, ChangeKind.REMOVED)
    kinds.update(
        (name, ChangeKind.CHANGED if name in before else ChangeKind.ADDED) for name in after
    )
    for name, kind in kinds.items():
        if before.get(name) == after.get(name):
            continue
        fields: Tuple[str, ...] = ()
        if kind is ChangeKind.CHANGED:
            fields = tuple(
                field.name
                for field in TRACKER_FIELDS
                if getattr(before[name], field.name) != getattr(after[name], field.name)
            )
        yield Change(kind, None, "tracker %s" % name, fields, hitless=True)
