# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill consists of: who is struck and how, who must be master then, what it may cost.

An exercise strikes one router in one way. Everything that makes a drill impossible is told at once.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_interface, ip_network

from .plan_files import planned_router, planned_site

#: How a router can be struck, and what that is.
KINDS = {
    "handover": "its roles are given away, and taken back",
    "stop": "the engine is stopped, and started again",
    "kill": "the daemon is killed, and systemd starts it again",
    "crash": "the daemon is killed and stays dead, until it is started again",
    "link": "the interface is taken down, and up again",
}
#: After these, the router is no backup of the groups that it was struck in.
SILENT = ("stop", "crash", "link")
RETURN = "return"
#: As long as the RFC gives a router that is gone, and a tenth for the switch-over.
RFC = "rfc"
TOLERANCE = 1.1
#: Seconds that nobody answers. What is planned costs nothing; this is the unrest of a busy host.
BUDGET = {"handover": 0.1, "stop": 0.1, "kill": RFC, "crash": RFC, "link": RFC, RETURN: 0.1}
#: Seconds that the masters may take besides their timers.
OVERHEAD_S = 10.0
ALL = "all"
#: One host probes no more addresses than this, so that it is on time.
MOST_TARGETS = 20


class BadDrill(ValueError):
    """Why there is no such drill, a line for each problem."""


def exercises(
    plan: str,
    kinds: t.Any = None,
    groups: t.Any = None,
    routers: t.Any = None,
    budget: t.Any = None,
    probes: Mapping[str, Mapping[str, t.Any]] | None = None,
) -> list[dict[str, t.Any]]:
    """The exercises of a drill, for the path of a plan. Raises BadDrill with every problem.

    Without groups and routers, the preferred router of the first group is struck. probes: hosts
    with "addresses", of which those in a VLAN watch it, or with "targets" of their own.
    """
    try:
        site = planned_site(plan)
        configs = {}
        for name in site["routers"]:
            router = planned_router(plan, name)
            document = json.loads(router["config"])
            configs[name] = {
                each["name"]: {**each, "networks": _networks(each, router["interfaces"])}
                for each in document["virtual_routers"]
            }
    except ValueError as error:
        raise BadDrill(str(error)) from None
    known = {group["name"]: group for group in site["groups"]}
    problems: list[str] = []
    kinds = _list(kinds, ["stop"])
    problems += _unknown("vlangate_drill_kinds", kinds, KINDS)
    shared = {name: each for name, each in known.items() if len(each["members"]) > 1}
    wanted = list(shared) if _is_all(groups) else _list(groups, None)
    problems += _unknown("vlangate_drill_group", wanted or (), known)
    struck = None if _is_all(routers) else _list(routers, None)
    problems += _unknown("vlangate_drill_routers", struck or (), site["routers"])
    limits = _limits(budget, problems)
    if not problems:
        if _is_all(routers):
            struck = list(dict.fromkeys(each["preferred"] for each in shared.values()))
        elif wanted is None and struck is None:
            wanted = list(known)[:1]
        if struck is None:
            struck = list(dict.fromkeys(known[name]["preferred"] for name in wanted or ()))
        problems += _impossible(known, wanted, struck)
    if problems:
        raise BadDrill("\n".join(problems))
    found = [
        _exercise(kind, router, known, wanted, configs, limits)
        for router in struck or ()
        for kind in kinds
    ]
    return [
        {
            **each,
            "targets": {phase: targets(each, phase, probes or {}) for phase in each["seconds"]},
        }
        for each in found
    ]


def _networks(settings: Mapping[str, t.Any], interfaces: Sequence[t.Any]) -> list[str]:
    """Those of its interface that the virtual router has an address in."""
    networks = [
        ip_interface(address).network
        for each in interfaces
        if each["name"] == settings["interface"]
        for address in each["addresses"]
    ]
    vips = [ip_address(address) for address in settings["addresses"]]
    return [str(network) for network in networks if any(vip in network for vip in vips)]


def _list(value: t.Any, default: t.Any) -> t.Any:
    if value is None or value == "":
        return default
    return [value] if isinstance(value, str) else list(value)


def _is_all(value: t.Any) -> bool:
    return value in (ALL, [ALL])


def _unknown(field: str, values: Sequence[t.Any], known: t.Collection[str]) -> list[str]:
    form = "%s: there is no %s; choose from %s"
    return [form % (field, value, ", ".join(known)) for value in values if value not in known]


def _limits(budget: t.Any, problems: list[str]) -> dict[str, t.Any]:
    """Seconds, or RFC, for each kind and for the return."""
    field = "vlangate_drill_budget"
    if not isinstance(budget or {}, Mapping):
        problems.append("%s: is a dictionary of kinds and seconds, such as {stop: 0.05}" % field)
        return dict(BUDGET)
    problems += _unknown(field, list(budget or {}), BUDGET)
    for kind, limit in (budget or {}).items():
        is_number = isinstance(limit, (int, float)) and not isinstance(limit, bool)
        if limit != RFC and not (is_number and limit >= 0):
            form = "%s.%s: is %r; write seconds that nobody may answer, or rfc"
            problems.append(form % (field, kind, limit))
    return {**BUDGET, **(budget or {})}


def _impossible(
    known: Mapping[str, t.Any], wanted: Sequence[str] | None, struck: Sequence[str]
) -> t.Iterator[str]:
    """Who has nothing to give away, and which of the wanted groups nobody would take over."""
    for router in struck:
        own = [
            name
            for name, each in known.items()
            if each["preferred"] == router and len(each["members"]) > 1
        ]
        if not own or (wanted is not None and not set(own) & set(wanted)):
            form = "vlangate_drill_routers: %s is master of no group that another could take over"
            yield (form + " (of those to be drilled); name another router") % router
    for name in wanted or ():
        if len(known[name]["members"]) < 2 and known[name]["preferred"] in struck:
            form = "vlangate_drill_group: %s has %s only, so nobody can take over; name another one"
            yield form % (name, known[name]["preferred"])


def _exercise(
    kind: str,
    router: str,
    known: Mapping[str, t.Any],
    wanted: Sequence[str] | None,
    configs: Mapping[str, t.Any],
    limits: Mapping[str, t.Any],
) -> dict[str, t.Any]:
    fields = configs[router]
    own = [name for name in fields if known[name]["preferred"] == router]
    interfaces: list[str] = []
    moving = own
    if kind == "link":
        named = [
            name
            for name in own
            if len(known[name]["members"]) > 1 and (wanted is None or name in wanted)
        ]
        interfaces = list(dict.fromkeys(fields[name]["interface"] for name in named))
        moving = [name for name in own if fields[name]["interface"] in interfaces]
    taken = [name for name in moving if len(known[name]["members"]) > 1]
    heirs = {name: _next(known[name]["members"], router) for name in taken}
    settings = {name: configs[heirs[name]][name] for name in taken}
    longest_s = max(settings[name]["advertisement_interval_cs"] for name in taken) / 100
    delay_s = max(fields[name]["preempt_delay_cs"] for name in taken) / 100
    return {
        "kind": kind,
        "router": router,
        "interfaces": interfaces,
        "groups": [
            {
                **{field: known[name][field] for field in ("name", "vip", "preferred", "members")},
                "networks": fields[name]["networks"],
                "heir": heirs[name],
                "may_cost": {
                    kind: _seconds(limits[kind], settings[name]),
                    RETURN: _seconds(limits[RETURN], settings[name]),
                },
            }
            for name in taken
        ],
        "alone": [name for name in moving if name not in taken],
        "expected": list(_expected(kind, router, known, fields, interfaces, heirs)),
        "seconds": {kind: OVERHEAD_S + 4 * longest_s, RETURN: OVERHEAD_S + delay_s + 4 * longest_s},
    }


def _next(members: Sequence[str], router: str) -> str:
    """Who follows: members are in the order of succession."""
    return next(each for each in members if each != router)


def _seconds(limit: t.Any, heir: Mapping[str, t.Any]) -> float:
    if limit != RFC:
        return float(limit)
    # RFC 9568 section 6.1, RFC 3768 section 6.1: Master_Down_Interval of the heir.
    interval_s = heir["advertisement_interval_cs"] / 100
    skew_s = (256 - heir["priority"]) / 256 * (interval_s if heir["version"] == 3 else 1)
    return round(float(TOLERANCE * (3 * interval_s + skew_s)), 3)


def _expected(
    kind: str,
    router: str,
    known: Mapping[str, t.Any],
    fields: Mapping[str, t.Any],
    interfaces: Sequence[str],
    heirs: Mapping[str, str],
) -> t.Iterator[dict[str, t.Any]]:
    """Who must be master while the router is struck, as vrrp_assert takes it.

    master None: anybody. A daemon that is killed may go on as master or not, and a router that has
    lost a link may give away more than that.
    """
    for name in fields:
        group = known[name]
        is_hit = kind != "link" or fields[name]["interface"] in interfaces
        members = list(group["members"])
        if kind in SILENT and is_hit:
            members.remove(router)
        if not members:
            continue
        master = heirs.get(name, group["preferred"])
        if kind == "kill" or not is_hit:
            master = None
        yield {"name": name, "master": master, "members": members}


def targets(
    exercise: Mapping[str, t.Any], phase: str, probes: Mapping[str, Mapping[str, t.Any]]
) -> dict[str, list[str]]:
    """Which addresses each host watches: a VIP from a host on its LAN, or else from its routers.

    But not from a router that begins as master of it: who asks itself learns nothing.
    """
    found = {host: list(probe.get("targets") or ()) for host, probe in probes.items()}
    for group in exercise["groups"]:
        networks = [ip_network(network) for network in group["networks"]]
        watchers = [
            host
            for host, probe in probes.items()
            if not probe.get("targets")
            and any(ip_address(a) in n for a in probe.get("addresses") or () for n in networks)
        ]
        if not watchers:
            busy = {exercise["router"], group["heir"] if phase == RETURN else None}
            watchers = [each for each in group["members"] if each not in busy]
        for host in watchers:
            found.setdefault(host, []).append(group["vip"])
    return {host: addresses[:MOST_TARGETS] for host, addresses in found.items() if addresses}
