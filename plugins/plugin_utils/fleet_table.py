# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a fleet as lines for people. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

KINDS = ("added", "changed", "removed")
_NOBODY = "nobody"


def text(plan: Mapping[str, t.Any], steps: Sequence[str]) -> list[str]:
    """What changes, router by router and group by group, and the order."""
    missing = plan["unsurveyed"]
    tail = ["not looked at: %s" % ", ".join(missing)] if missing else []
    restless = [group for group in plan["groups"] if _is_restless(group)]
    lines: list[str] = []
    if plan["in_order"] and not restless:
        words = (len(plan["routers"]), len(plan["groups"]))
        return ["nothing to do: %d routers and %d groups are as they should be" % words, *tail]
    lines += _columns(("ROUTER", "ENGINE", "HOST", "CONFIGURATION", "HITLESS"), _rows(plan))
    lines += _reasons(plan)
    if restless:
        head = ("GROUP", "VIRTUAL ADDRESS", "MASTER NOW", "MASTER AFTER", "WHAT CHANGES")
        lines += ["", *_columns(head, map(_group_row, restless))]
    calm = len(plan["groups"]) - len(restless)
    if calm:
        lines.append("%d groups stay as they are" % calm)
    if not plan["in_order"]:
        order = steps or [", ".join(wave) for wave in plan["waves"]]
        lines += ["", "ORDER", *("%3d  %s" % each for each in enumerate(order, 1))]
    return lines + tail


def _is_restless(group: Mapping[str, t.Any]) -> bool:
    is_alone = len(group["masters_now"]) == 1
    return bool(group["changes"]) or group["moves"] or not is_alone


def _rows(plan: Mapping[str, t.Any]) -> Iterator[tuple[str, ...]]:
    for router in plan["routers"]:
        yield (
            router["name"],
            _engine(router["engine"]),
            _count(len(router["host_changes"])),
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


def _count(changes: int) -> str:
    return "stays" if not changes else "%d change%s" % (changes, "s" if changes > 1 else "")


def _configuration(router: Mapping[str, t.Any]) -> str:
    counts = dict.fromkeys(KINDS, 0)
    for change in router["changes"]:
        counts[change["kind"]] += 1
    words = ["%d %s" % (counts[kind], kind) for kind in KINDS if counts[kind]]
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
            names = ", ".join(router["drained"])
            yield "%s: drained, and stays so unless the roll-out did it: %s" % (
                router["name"],
                names,
            )


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
