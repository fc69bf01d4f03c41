# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who was master of a group when, from what each router remembers. Times are epoch seconds."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: What the daemon calls going on as master after it died.
RESUMED = "resumed"

Observation = Mapping[str, t.Any]  # what vrrp_drill returned of a router


@dataclass(frozen=True)
class Reign:
    """A time for which a router was master."""

    router: str
    start: float
    end: float


@dataclass(frozen=True)
class Gap:
    """A time without something: without a master, or without answers."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.start


def reigns(
    group: Mapping[str, t.Any],
    seen: Mapping[str, Observation],
    span: tuple[float, float],
    ended: Mapping[str, tuple[float, float]],
) -> list[Reign]:
    """Who was master of a group within a span.

    ended: between which times the daemon of a router ended, which took what it remembered with it;
    before that, the preferred router was master.
    """
    found = []
    for router in group["members"]:
        remembered = _remembered(seen.get(router, {}), group["name"])
        if remembered is None:
            continue
        state, changes = remembered
        if router in ended:
            end = _succession(group["name"], seen, router, ended[router])
            state = "master" if router == group["preferred"] else "backup"
            changes = [each for each in changes if each["at"] >= end]
            if not changes or changes[0]["reason"] != RESUMED:
                changes = [{"at": end, "current": "gone"}, *changes]
        found += _of_router(router, state, changes, span)
    return sorted(found, key=lambda reign: (reign.start, reign.router))


def _remembered(
    observation: Observation, name: str
) -> tuple[str, list[Mapping[str, t.Any]]] | None:
    """The state at the beginning, and the transitions since; None: the router did not tell."""
    for each in observation.get("groups", ()):
        if each["name"] == name:
            changes = sorted(each["transitions"], key=lambda change: change["at"])
            return (changes[0]["previous"] if changes else each["state"]), changes
    return None


def _succession(
    name: str, seen: Mapping[str, Observation], router: str, ended: tuple[float, float]
) -> float:
    """When a router ceased to be master: who says good-bye forwards until it has a successor."""
    told = [_remembered(seen[other], name) for other in seen if other != router]
    starts = [
        change["at"]
        for _state, changes in filter(None, told)
        for change in changes
        if change["current"] == "master" and ended[0] <= change["at"] <= ended[1]
    ]
    return min(starts, default=ended[0])


def _of_router(
    router: str, state: str, changes: Sequence[Mapping[str, t.Any]], span: tuple[float, float]
) -> t.Iterator[Reign]:
    since = span[0]
    for change in [*changes, {"at": span[1], "current": None}]:
        at = min(max(change["at"], span[0]), span[1])
        if state == "master" and change["current"] != "master" and at > since:
            yield Reign(router, since, at)
        if state != "master":
            since = at
        state = change["current"]


def without_master(found: Sequence[Reign], span: tuple[float, float]) -> list[Gap]:
    """When nobody was master."""
    gaps, until = [], span[0]
    for reign in sorted(found, key=lambda each: each.start):
        if reign.start > until:
            gaps.append(Gap(until, reign.start))
        until = max(until, reign.end)
    if until < span[1]:
        gaps.append(Gap(until, span[1]))
    return gaps
