# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of configuration that an operator may make while routers run. Layer L4.

Each takes a host's configuration and returns another one, valid again.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Callable, Dict, Tuple

from ..config.model import RouterConfig, VirtualRouterConfig
from ..fsm.parameters import OWNER_PRIORITY
from .scenario import INTERVALS_CS, address

Change = Callable[[RouterConfig], RouterConfig]

_OTHER_ADDRESS = 253


def for_one_host(chance: random.Random, original: RouterConfig) -> Change:
    """Priority, preemption, an interval that others may learn, an address, a whole group."""
    number = chance.randrange(len(original.virtual_routers))
    name = original.virtual_routers[number].name
    if chance.random() < 0.3:
        return _membership(original, name)
    return _edit(name, chance)


def for_all_hosts(chance: random.Random, original: RouterConfig) -> Tuple[str, Change]:
    """An interval or an address, the same everywhere; and which virtual router it is about."""
    router = chance.choice(original.virtual_routers)
    interval_cs = chance.choice(INTERVALS_CS[router.version])
    swap = chance.random() < 0.5

    def edit(old: VirtualRouterConfig) -> VirtualRouterConfig:
        if swap:
            return _with_other_address(old)
        return replace(old, advertisement_interval_cs=interval_cs)

    return router.name, lambda config: _map(config, router.name, edit)


def as_planned(name: str, planned: RouterConfig) -> Change:
    """What all members of a group have to agree in becomes as it is in another configuration."""
    wanted = next(router for router in planned.virtual_routers if router.name == name)

    def edit(old: VirtualRouterConfig) -> VirtualRouterConfig:
        return replace(
            old,
            advertisement_interval_cs=wanted.advertisement_interval_cs,
            addresses=wanted.addresses,
        )

    return lambda config: _map(config, name, edit)


def _edit(name: str, chance: random.Random) -> Change:
    fields: Dict[str, object] = {
        "priority": chance.randint(1, 254),
        "preempt": chance.random() < 0.7,
        "preempt_delay_cs": chance.choice((0, 0, 300)),
        "advertisement_interval_cs": chance.choice(INTERVALS_CS[3]),
        "accept": chance.random() < 0.5,
    }
    chosen = {key: value for key, value in fields.items() if chance.random() < 0.4}
    swap = chance.random() < 0.3

    def edit(old: VirtualRouterConfig) -> VirtualRouterConfig:
        new = dict(chosen)
        if old.version == 2:  # others would be deaf to it
            new.pop("advertisement_interval_cs", None)
        if old.priority == OWNER_PRIORITY:
            new.pop("priority", None)
        edited = replace(old, **new)  # type: ignore[arg-type]
        return _with_other_address(edited) if swap else edited

    return lambda config: _map(config, name, edit)


def _membership(original: RouterConfig, name: str) -> Change:
    """Leave a group, or come back to it as it was in the beginning."""
    first = next(router for router in original.virtual_routers if router.name == name)

    def change(config: RouterConfig) -> RouterConfig:
        others = [router for router in config.virtual_routers if router.name != name]
        if len(others) == len(config.virtual_routers):
            others.append(first)
        ordered = sorted(others, key=lambda router: router.name)
        return replace(config, virtual_routers=tuple(ordered))

    return change


def _with_other_address(old: VirtualRouterConfig) -> VirtualRouterConfig:
    other = address(old.family, old.vrid - 1, _OTHER_ADDRESS)
    rest = tuple(each for each in old.addresses if each != other)
    return replace(old, addresses=rest if len(rest) < len(old.addresses) else (*rest, other))


def _map(
    config: RouterConfig, name: str, edit: Callable[[VirtualRouterConfig], VirtualRouterConfig]
) -> RouterConfig:
    return replace(
        config,
        virtual_routers=tuple(
            edit(router) if router.name == name else router for router in config.virtual_routers
        ),
    )
