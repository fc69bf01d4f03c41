# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations that a template of the operator made of a plan: checked all together."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Iterator, Mapping

from ..module_utils.vrrp.config.hosts import host_problems
from ..module_utils.vrrp.config.model import RouterConfig
from ..module_utils.vrrp.config.parse import parse
from ..module_utils.vrrp.config.reading import in_order, nearest, text_of
from ..module_utils.vrrp.config.render import document
from ..module_utils.vrrp.errors import ConfigError, Problem
from ..module_utils.vrrp.fsm.parameters import OWNER_PRIORITY

Plans = Mapping[str, Mapping[str, t.Any]]


def with_configs(plans: Plans, configs: Mapping[str, t.Any]) -> Plans:
    """The plans with these configurations in place of theirs. Raises ConfigError with all that is
    wrong with any of them, and between them."""
    problems: list[Problem] = []
    read: dict[str, RouterConfig] = {}
    for name, plan in plans.items():
        try:
            read[name] = parse(configs.get(name, plan["config"]))
        except ConfigError as error:
            problems += [
                Problem("%s: %s" % (name, each.path), each.code, each.message, each.hint)
                for each in error.problems
            ]
    for name in configs:
        if name not in plans:
            hint = nearest(str(name), list(plans))
            problems.append(Problem(str(name), "unknown-router", "is no router of the table", hint))
    problems += host_problems(read)
    problems += _real_addresses(plans, read)
    if problems:
        raise ConfigError(in_order(problems))
    return {name: {**plan, "config": document(read[name])} for name, plan in plans.items()}


def _real_addresses(plans: Plans, configs: Mapping[str, RouterConfig]) -> Iterator[Problem]:
    """A virtual address that is a real one belongs to the owner, who has the priority for it."""
    real = {
        ipaddress.ip_interface(address).ip.packed: name
        for name, plan in plans.items()
        for interface in plan["interfaces"]
        for address in interface["addresses"]
    }
    owned = {
        (name, address)
        for name, config in configs.items()
        for router in config.virtual_routers
        if router.priority == OWNER_PRIORITY
        for address in router.addresses
    }
    for name, config in configs.items():
        for router in config.virtual_routers:
            for address in router.addresses:
                host = real.get(address)
                if host is not None and (host, address) not in owned:
                    where = "%s: virtual_routers[%s].addresses" % (name, router.name)
                    message = "has %s, the real address of %s" % (text_of(address), host)
                    hint = "choose another virtual address, or give %s priority 255" % host
                    yield Problem(where, "real-address", message, hint)
