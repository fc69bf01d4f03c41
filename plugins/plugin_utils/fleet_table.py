# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a fleet as lines for people. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

KINDS = ("added", "changed", "removed")
_NOBODY = "nobody"
#: So many groups that nobody will notice are told one by one, and so many names in a sentence.
_MOST_CALM = 40
_MOST_NAMES = 6


def text(plan: Mapping[str, t.Any], steps: Sequence[str]) -> list[str]:
    """What changes, router by router and group by group, and the order."""
    missing = plan["unsurveyed"]
    tail = ["not looked at: %s" % ", ".join(missing)] if missing else []
    restless = [group for group in plan["groups"] if _is_restless(group)]
    order = steps or [", ".join(wave) for wave in plan["waves"]]
    if not restless and not order:
        words = (_count(len(plan["routers"]), "router"), _count(len(plan["groups"]), "group"))
        return ["nothing to do: %s and %s as they should be" % words, *tail]
    lines = _columns(("ROUTER", "ENGINE", "HOST", "CONFIGURATION", "HITLESS"), _rows(plan))
    lines += _reasons(plan)
    if restless:
        lines += ["", *_groups(restless)]
    same = len(plan["groups"]) - len(restless)
    if same:
        lines.append("%s as before" % _count(same, "group"))
    if order:
        lines += ["", "ORDER", *("%3d  %s" % each for each in enumerate(order, 1))]
    return lines + tail


def listed(names: Sequence[str]) -> str:
    """Names, as many as a person reads."""
    more = len(names) - _MOST_NAMES
    text = ", ".join(names[:_MOST_NAMES])
    return text if more <= 0 else "%s and %d more" % (text, more)


def _is_restless(group: Mapping[str, t.Any]) -> bool:
    return bool(group["changes"]) or _is_felt(group) or len(group["masters_now"]) != 1


def _is_felt(group: Mapping[str, t.Any]) -> bool:
    """Whether hosts may notice, or did already: those come first, and all of them are shown."""
    return group["moves"] or not group["hitless"] or len(group["masters_now"]) > 1


def _groups(restless: Sequence[Mapping[str, t.Any]]) -> list[str]:
    head = ("GROUP", "VIRTUAL ADDRESS", "MASTER NOW", "MASTER AFTER", "WHAT CHANGES")
    felt = [group for group in restless if _is_felt(group)]
    calm = [group for group in restless if not _is_felt(group)]
    lines = _columns(head, map(_group_row, [*felt, *calm[:_MOST_CALM]]))
    more = len(calm) - _MOST_CALM
    return lines if more <= 0 else [*lines, "and %d more groups, hitless like these" % more]


def _rows(plan: Mapping[str, t.Any]) -> Iterator[tuple[str, ...]]:
    for router in plan["routers"]:
        yield (
            router["name"],
            _engine(router["engine"]),
            _count(len(router["host_changes"]), "change") if router["host_changes"] else "stays",
            _configuration(router),
            "yes" if router["hitless"] else "no",
        )


def _engine(engine: Mapping[str, t.Any]) -> str:
    if engine["error"]:
        return "cannot be installed"
    if engine["is_wanted"]:
        return "stays"
    if engine["release"] is None:
        return "new: %s" % engine["wanted"]
    if engine["release"] == engine["wanted"]:
        return "in order again"
    return "%s to %s" % (engine["release"], engine["wanted"])


def _count(number: int, what: str) -> str:
    return "%d %s%s" % (number, what, "" if number == 1 else "s")


def _configuration(router: Mapping[str, t.Any]) -> str:
    kinds = [change["kind"] for change in router["changes"]]
    words = ["%d %s" % (kinds.count(kind), kind) for kind in KINDS if kind in kinds]
    if router["probation"] is not None:
        words.append("on probation")
    return ", ".join(words) or "stays"


def _reasons(plan: Mapping[str, t.Any]) -> Iterator[str]:
    """What is not hitless, and what cannot be done; the same of many groups is told once."""
    for router in plan["routers"]:
        for problem in router["problems"]:
            yield "%s: %s" % (router["name"], problem)
        for sentence in router["why"]:
            yield "%s: not hitless: %s" % (router["name"], sentence)
        if router["drained"]:
            words = (router["name"], listed(router["drained"]))
            yield "%s: drained, and stays so unless a roll-out did it: %s" % words


def _group_row(group: Mapping[str, t.Any]) -> tuple[str, ...]:
    return (
        group["name"],
        group["vip"],
        " and ".join(group["masters_now"]) or _NOBODY,
        group["master_after"] or _NOBODY,
        _what(group["changes"]) or "who is master",
    )


def _what(changes: Sequence[Mapping[str, t.Any]]) -> str:
    """The kinds, and of changed ones the fields, with the routers where these are not all alike."""
    found: dict[str, list[str]] = {}
    for change in changes:
        words = ", ".join(change["fields"]) or change["kind"]
        found.setdefault(words, []).append(change["router"])
    if len(found) == 1:
        return next(iter(found))
    return "; ".join("%s on %s" % (words, ", ".join(hosts)) for words, hosts in found.items())


def _columns(head: Sequence[str], rows: t.Iterable[Sequence[str]]) -> list[str]:
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
