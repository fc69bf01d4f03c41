# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who would be left when routers are drained: the judgement over several, on the controller."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping, Sequence

from .group_verdict import Group, Observation

FIELDS = ("name", "state", "waiting", "drained", "priority", "effective_priority",
          "primary_address")  # fmt: skip

Router = Mapping[str, t.Any]


def observation(info: Mapping[str, t.Any]) -> Observation:
    """What is worth posting of an answer of vrrp_info."""
    if "routers" not in info:
        return {"error": str(info.get("msg", "no answer"))}
    return {"routers": [{name: each[name] for name in FIELDS} for each in info["routers"]]}


def ailment(router: Router) -> str | None:
    """Why this virtual router is no successor to rely on; None when it is one."""
    if router["state"] not in ("backup", "master"):
        return "is %s: %s" % (router["state"], router["waiting"] or "just started")
    if router["drained"]:
        return "is drained"
    if router["effective_priority"] < router["priority"]:
        return "has a failing tracker"
    return None


def left_alone(
    groups: Sequence[Group],
    drained: Collection[str],
    names: Collection[str] | None,
    seen: Mapping[str, Observation],
) -> list[str]:
    """A sentence for each group that would have no healthy router; names: of the groups that are
    drained, None for all."""
    sentences = []
    for group in groups:
        goers = [host for host in group.hosts if host in drained]
        if not goers or (names is not None and group.name not in names):
            continue
        others = {host: _ailment(group, seen, host) for host in group.hosts if host not in goers}
        if any(text is None for text in others.values()):
            continue
        told = ", ".join("%s %s" % item for item in others.items()) or "there is no other router"
        sentences.append("%s: nobody healthy would be left; %s" % (group.name, told))
    return sentences


def _ailment(group: Group, seen: Mapping[str, Observation], host: str) -> str | None:
    if host not in seen:
        return "did not tell in time"
    if "error" in seen[host]:
        return "did not tell: %s" % seen[host]["error"]
    for router in seen[host]["routers"]:
        if router["name"] == group.name:
            return ailment(router)
    return "has no such virtual router"


def with_masters(
    results: Sequence[Mapping[str, t.Any]], seen: Mapping[str, Observation]
) -> list[dict[str, t.Any]]:
    """The groups of a result, each with the host that is master now, if it is one of those seen."""
    holders = {
        (router["name"], router["primary_address"]): host
        for host, observed in seen.items()
        for router in observed.get("routers", ())
    }
    return [
        {**result, "master": holders.get((result["name"], result["master_address"]))}
        for result in results
    ]
