# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of all routers as files on the controller, for the length of one run of Ansible.

What a task returns is templated, copied and printed for every host and every task after it, which
takes ten times as long as planning does. So a plan is written down once, below Ansible's own
temporary directory, and the tasks hand on its path. Each file is as small as its readers want it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from ansible.errors import AnsibleActionFail

from ..module_utils.vrrp.config.gateway_inventory import Inventory
from ..module_utils.vrrp.config.gateways import gateway_configs
from .fleet_configs import Plans, with_configs

SITE = "site.json"
ROUTER = "router-%s.json"

#: What is the same of a group on all of its routers.
GROUP_FIELDS = ("name", "preferred", "members", "vip", "virtual_mac", "sync_group")


class NoPlan(AnsibleActionFail, ValueError):
    """The option plan is none of this run, or does not have this router: the task fails so."""


def make_plan(
    directory: str,
    vlans: t.Any,
    routers: t.Any,
    defaults: t.Any,
    inventory: Inventory | None = None,
    configs: Mapping[str, t.Any] | None = None,
) -> str:
    """Plan a table, or find the plan that this run already made of the same one; its path.

    configs: what routers get instead of what the table gives. Raises ConfigError with all problems
    of the table, also those beside an inventory, or with all of the configs.
    """
    beside = None if inventory is None else vars(inventory)
    identity = json.dumps([vlans, routers, defaults, beside, configs], default=str)
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    path = os.path.join(directory, "vrrp_plan-" + digest)
    if os.path.isdir(path):
        return path
    plans: Plans = gateway_configs(vlans, routers, defaults, inventory)
    if configs:
        plans = with_configs(plans, configs)
    unfinished = tempfile.mkdtemp(prefix="vrrp_plan-", suffix=".new", dir=directory)
    _write_all(Path(unfinished), plans)
    try:
        os.rename(unfinished, path)
    except OSError:  # another host of this run was faster: the same plan, from the same table
        shutil.rmtree(unfinished)
    return path


def derived_plan(
    path: str, groups: Sequence[Mapping[str, t.Any]], documents: Mapping[str, t.Any]
) -> str:
    """A plan beside another one, with these groups, and for these routers these documents in
    canonical form; its path. ValueError: one of the routers is not planned."""
    derived = Path(tempfile.mkdtemp(prefix=os.path.basename(path) + "-", dir=os.path.dirname(path)))
    _write(derived / SITE, {"routers": list(documents), "groups": list(groups)})
    for name, document in documents.items():
        text = json.dumps(document, indent=2) + "\n"
        _write(derived / _file(name), {**planned_router(path, name), "config": text})
    return str(derived)


def _write_all(directory: Path, plans: Plans) -> None:
    _write(directory / SITE, {"routers": list(plans), "groups": _groups(plans)})
    for name, plan in plans.items():
        # The canonical form of the configuration: as render.canonical_json writes it.
        text = json.dumps(plan["config"], indent=2) + "\n"
        _write(directory / _file(name), {"config": text, "interfaces": plan["interfaces"]})


def _groups(plans: Plans) -> list[dict[str, t.Any]]:
    """Each group once, with what its members have for it."""
    groups: dict[str, dict[str, t.Any]] = {}
    for name, plan in plans.items():
        had = {router["name"]: router for router in plan["config"]["virtual_routers"]}
        for group in plan["groups"]:
            same = {**{field: group[field] for field in GROUP_FIELDS}, "priorities": {}}
            entry = groups.setdefault(group["name"], same)
            router = had.get(group["name"])  # a template may leave it out
            if router is not None:
                entry["preempt"] = router["preempt"]
                entry["priorities"][name] = router["priority"]
    return list(groups.values())


def _write(path: Path, content: t.Any) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(content))  # several times as fast as json.dump


def _file(router: str) -> str:
    return ROUTER % quote(router, safe="")


def planned_site(path: str) -> dict[str, t.Any]:
    """ "routers", and "groups", each once with GROUP_FIELDS. NoPlan: there is none."""
    return t.cast("dict[str, t.Any]", _read(path, SITE))


def planned_router(path: str, router: str) -> dict[str, t.Any]:
    """Its "config" as canonical text, and its "interfaces". NoPlan: it is not planned."""
    return t.cast("dict[str, t.Any]", _read(path, _file(router)))


def _read(path: str, name: str) -> t.Any:
    try:
        with open(os.path.join(path, name), encoding="utf-8") as stream:
            return json.load(stream)
    except OSError as error:
        raise NoPlan(
            "the option plan is what vrrp_plan returned in this run, for a table with this "
            "router: %s" % error
        ) from None
