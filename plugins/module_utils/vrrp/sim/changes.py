# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of configuration that an operator may make while routers run. Layer L4.

Each takes a host's configuration and returns another one, valid again.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Callable, Dict, FrozenSet, Iterable, Tuple

from ..config.model import RouterConfig, SyncGroupConfig, VirtualRouterConfig
from ..fsm.parameters import OWNER_PRIORITY
from .scenario import INTERVALS_CS, SYNC_GROUP, address

Change = Callable[[RouterConfig], RouterConfig]

_OTHER_ADDRESS = 253
_OTHER_NAME = "-renamed"
# What the members of a sync group have in common.
_RANK = ("priority", "preempt", "preempt_delay_cs")


def for_one_host(chance: random.Random, original: RouterConfig, alike: FrozenSet[str]) -> Change:
    """Priority, preemption, an interval that others may learn, an address, a whole group."""
    key = str(chance.choice(original.virtual_routers).key)
    if chance.random() < 0.3 and key not in alike:
        return membership(original, key)
    return _edit(key, chance, alike if key in alike else frozenset((key,)))


def for_all_hosts(chance: random.Random, original: RouterConfig) -> Tuple[str, Change]:
    """An interval or an address, the same everywhere; and which virtual router it is about."""
    router = chance.choice(original.virtual_routers)
    interval_cs = chance.choice(INTERVALS_CS[router.version])
    swap = chance.random() < 0.5

    def edit(old: VirtualRouterConfig) -> VirtualRouterConfig:
        if swap:
            return _with_other_address(old)
        return replace(old, advertisement_interval_cs=interval_cs)

    return str(router.key), lambda config: _map(config, str(router.key), edit)


def as_planned(key: str, planned: RouterConfig) -> Change:
    """What all members of a group have to agree in becomes as it is in another configuration."""
    wanted = next(router for router in planned.virtual_routers if str(router.key) == key)

    def edit(old: VirtualRouterConfig) -> VirtualRouterConfig:
        return replace(
            old,
            advertisement_interval_cs=wanted.advertisement_interval_cs,
            addresses=wanted.addresses,
        )

    return lambda config: _map(config, key, edit)


def members(config: RouterConfig) -> FrozenSet[str]:
    """The identities of those in the sync group."""
    names = {name for group in config.sync_groups for name in group.members}
    return frozenset(str(each.key) for each in config.virtual_routers if each.name in names)


def regrouped(keys: FrozenSet[str]) -> Change:
    """The sync group has these members."""

    def change(config: RouterConfig) -> RouterConfig:
        names = sorted(each.name for each in config.virtual_routers if str(each.key) in keys)
        groups = (SyncGroupConfig(SYNC_GROUP, tuple(names)),) if names else ()
        return replace(config, sync_groups=groups)

    return change


def renamed(key: str) -> Change:
    """It gets another name, or its old one back."""

    def edit(old: VirtualRouterConfig) -> VirtualRouterConfig:
        plain = old.name.replace(_OTHER_NAME, "")
        return replace(old, name=plain if plain != old.name else old.name + _OTHER_NAME)

    def change(config: RouterConfig) -> RouterConfig:
        new = _map(config, key, edit)
        return regrouped(members(config))(new)

    return change


def membership(original: RouterConfig, key: str) -> Change:
    """Leave a group, or come back to it as it was in the beginning."""
    first = next(router for router in original.virtual_routers if str(router.key) == key)

    def change(config: RouterConfig) -> RouterConfig:
        others = [router for router in config.virtual_routers if str(router.key) != key]
        if len(others) == len(config.virtual_routers):
            others.append(first)
        return replace(config, virtual_routers=_sorted(others))

    return change


def other_accept_mode(key: str) -> Change:
    """A change that concerns nobody else."""
    return lambda config: _map(config, key, lambda old: replace(old, accept=not old.accept))


def _edit(key: str, chance: random.Random, alike: FrozenSet[str]) -> Change:
    fields: Dict[str, object] = {
        "priority": chance.randint(1, 254),
        "preempt": chance.random() < 0.7,
        "preempt_delay_cs": chance.choice((0, 0, 300)),
        "advertisement_interval_cs": chance.choice(INTERVALS_CS[3]),
        "accept": chance.random() < 0.5,
    }
    chosen = {name: value for name, value in fields.items() if chance.random() < 0.4}
    swap = chance.random() < 0.3

    def edit(old: VirtualRouterConfig) -> VirtualRouterConfig:
        new = dict(chosen)
        if str(old.key) != key:
            new = {name: value for name, value in new.items() if name in _RANK}
        if old.version == 2:  # others would be deaf to it
            new.pop("advertisement_interval_cs", None)
        if old.priority == OWNER_PRIORITY:
            new.pop("priority", None)
        edited = replace(old, **new)  # type: ignore[arg-type]
        return _with_other_address(edited) if swap and str(old.key) == key else edited

    def change(config: RouterConfig) -> RouterConfig:
        for each in sorted(alike):
            config = _map(config, each, edit)
        return config

    return change


def _with_other_address(old: VirtualRouterConfig) -> VirtualRouterConfig:
    other = address(old.family, old.vrid - 1, _OTHER_ADDRESS)
    rest = tuple(each for each in old.addresses if each != other)
    return replace(old, addresses=rest if len(rest) < len(old.addresses) else (*rest, other))


def _map(
    config: RouterConfig, key: str, edit: Callable[[VirtualRouterConfig], VirtualRouterConfig]
) -> RouterConfig:
    edited = (edit(each) if str(each.key) == key else each for each in config.virtual_routers)
    return replace(config, virtual_routers=_sorted(edited))


def _sorted(routers: Iterable[VirtualRouterConfig]) -> Tuple[VirtualRouterConfig, ...]:
    return tuple(sorted(routers, key=lambda router: router.name))
