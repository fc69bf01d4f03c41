# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a roll-out will do to a fleet, told before it: what changes, what that costs, who is master
now and afterwards, and in which order. Pure.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

from ..module_utils.vrrp.fsm.parameters import OWNER_PRIORITY
from .fleet_table import listed, text
from .waves import waves

#: The priority of whoever is drained.
LAST_RESORT = 1
#: How what vrrp_host writes of an interface begins.
INTERFACE_FILES = "/etc/systemd/network/80-vlangate-"

Survey = Mapping[str, t.Any]
Surveys = Mapping[str, Survey]
Group = Mapping[str, t.Any]


def fleet_plan(
    site: Mapping[str, t.Any], surveys: Surveys, steps: Sequence[str] = ()
) -> dict[str, t.Any]:
    """ "in_order", "routers", "groups", "waves" and the "text" of it all, as lines.

    site is what plan_files.planned_site gives, surveys what vrrp_survey returned, by router. steps
    are the titles of the roll-out's steps, told in place of the waves. ValueError: no survey.
    """
    _require(surveys)
    held = _held(surveys)
    masters = {name: _masters(members) for name, members in held.items()}
    planned = {group["name"]: group for group in site["groups"]}
    changes = _changes(surveys)
    groups = [
        _group(group, surveys, held, masters.get(name, []), changes.get(name, []))
        for name, group in planned.items()
    ]
    groups += [
        _removed(name, held.get(name, {}), masters.get(name, []), changes[name])
        for name in sorted(set(changes) & set(held) - set(planned))
    ]
    touched = [name for name, survey in surveys.items() if not survey["in_order"]]
    found = {
        "in_order": not touched,
        "routers": [_router(name, survey) for name, survey in surveys.items()],
        "unsurveyed": [name for name in site["routers"] if name not in surveys],
        "groups": groups,
        "waves": waves(
            {group["name"]: group["members"] for group in groups},
            {group["name"]: group["master_now"] for group in groups},
            touched,
        ),
    }
    return {**found, "text": text(found, steps)}


def _require(surveys: Surveys) -> None:
    missing = sorted(
        name
        for name, survey in surveys.items()
        if not isinstance(survey, Mapping) or "in_order" not in survey
    )
    if missing or not surveys:
        raise ValueError(
            "surveys is what vrrp_survey returned of each router; there is none of %s"
            % (", ".join(missing) or "any")
        )


# Routers ------------------------------------------------------------------------------------------


def _router(name: str, survey: Survey) -> dict[str, t.Any]:
    """What happens to one router. why: what is not hitless, a sentence each."""
    why = list(_interruptions(survey))
    return {
        "name": name,
        "in_order": survey["in_order"],
        "engine": survey["engine"],
        "host_changes": survey["host_changes"],
        "changes": survey["changes"],
        "hitless": not why,
        "why": why,
        "drained": survey["drained"],
        "probation": survey["probation"],
        "problems": survey["problems"],
    }


def _interruptions(survey: Survey) -> Iterator[str]:
    engine = survey["engine"]
    runs = engine["service"] == "active"
    if runs and engine.get("upgraded") == "restarted":
        yield "the daemon is restarted: it gives its roles away"
    if runs and any(INTERFACE_FILES in change for change in survey["host_changes"]):
        yield "interfaces are written: the network manager may take their addresses for a moment"
    alike: dict[tuple[str, str], list[str]] = {}
    for change in survey["changes"]:
        if not change["hitless"]:
            alike.setdefault((change["kind"], change["cost"]), []).append(change["name"])
    for (kind, cost), names in alike.items():
        yield "%s %s: %s" % (listed(names), kind, cost)


# Groups -------------------------------------------------------------------------------------------


def _held(surveys: Surveys) -> dict[str, dict[str, Mapping[str, t.Any]]]:
    """Each group that is there now: the virtual routers of its members."""
    held: dict[str, dict[str, Mapping[str, t.Any]]] = {}
    for host, survey in surveys.items():
        for router in survey["routers"]:
            held.setdefault(router["name"], {})[host] = router
    return held


def _masters(members: Mapping[str, Mapping[str, t.Any]]) -> list[str]:
    return [host for host, router in members.items() if router["state"] == "master"]


def _changes(surveys: Surveys) -> dict[str, list[dict[str, t.Any]]]:
    """The changes of each name, with the router that has them."""
    changes: dict[str, list[dict[str, t.Any]]] = {}
    for host, survey in surveys.items():
        for change in survey["changes"]:
            changes.setdefault(change["name"], []).append({"router": host, **change})
    return changes


def _group(
    group: Group,
    surveys: Surveys,
    held: Mapping[str, Mapping[str, t.Any]],
    masters: Sequence[str],
    changes: Sequence[Mapping[str, t.Any]],
) -> dict[str, t.Any]:
    now = masters[0] if len(masters) == 1 else None
    after = _master_after(group, surveys, held.get(group["name"], {}), now)
    return {
        "name": group["name"],
        "vip": group["vip"],
        "members": group["members"],
        "sync_group": group.get("sync_group"),
        "masters_now": list(masters),
        "master_now": now,
        "master_after": after,
        "moves": now is not None and now != after,
        "hitless": all(change["hitless"] for change in changes),
        "changes": list(changes),
    }


def _removed(
    name: str,
    members: Mapping[str, Mapping[str, t.Any]],
    masters: Sequence[str],
    changes: Sequence[Mapping[str, t.Any]],
) -> dict[str, t.Any]:
    """A group that is there now and not in the table."""
    addresses = [address for router in members.values() for address in router["addresses"]]
    return {
        "name": name,
        "vip": next(iter(addresses), ""),
        "members": list(members),
        "sync_group": None,
        "masters_now": list(masters),
        "master_now": masters[0] if len(masters) == 1 else None,
        "master_after": None,
        "moves": False,
        "hitless": all(change["hitless"] for change in changes),
        "changes": list(changes),
    }


def _master_after(
    group: Group,
    surveys: Surveys,
    members: Mapping[str, Mapping[str, t.Any]],
    now: str | None,
) -> str | None:
    """Whoever has the highest priority then; None where no member can tell."""
    ranks = {}
    for host in group["members"]:
        survey = surveys.get(host)
        if survey is None or survey["problems"]:
            continue
        priority = group["priorities"].get(host)
        router = members.get(host, {})
        # What keeps it waiting now is not mended where nothing is changed.
        if priority is None or (survey["in_order"] and router.get("state") == "initialize"):
            continue
        ranks[host] = _expected(priority, router, survey, group["name"])
    if not ranks:
        return None
    if not group.get("preempt", True) and ranks.get(now or "", LAST_RESORT) > LAST_RESORT:
        return now
    return max(ranks, key=lambda host: ranks[host])


def _expected(priority: int, router: Mapping[str, t.Any], survey: Survey, name: str) -> int:
    """The effective priority, when what is tracked stays as it is."""
    if priority == OWNER_PRIORITY:
        return priority
    if survey["drained_all"] or name in survey["drained"]:
        return LAST_RESORT
    told, effective = router.get("priority"), router.get("effective_priority")
    penalty = told - effective if told and effective else 0
    return max(LAST_RESORT, priority - penalty)
