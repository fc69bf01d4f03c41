# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of a running daemon: table, explanation, live view. Layer L5."""

from __future__ import annotations

import time
from itertools import accumulate
from typing import Any, Dict, Iterable, List, Mapping, Sequence

from ..control.client import ControlClient
from ..units import format_ns
from .output import say

_REDRAW_S = 0.5
_CLEAR_SCREEN = "\033[H\033[2J"
_COLOURS = {"master": "\033[32m", "backup": "\033[36m", "initialize": "\033[33m"}
_PLAIN = "\033[0m"
_GAPS = {"sent": "of its own", "heard": "of its master"}
_HEAD = ("NAME", "STATE", "SINCE", "PRIORITY", "MASTER", "VIRTUAL MAC", "ADDRESSES")


def table(document: Mapping[str, Any], colour: bool = False) -> List[str]:
    """The lines of a table with one row for each virtual router, and what needs attention."""
    rows: List[Sequence[str]] = [_HEAD]
    rows += [_row(router) for router in document["routers"]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        if colour and row[1] in _COLOURS:
            cells[1] = _COLOURS[row[1]] + cells[1] + _PLAIN
        lines.append("  ".join(cells).rstrip())
    for router in document["routers"]:
        if router["waiting"]:
            lines.append("%s waits: %s" % (router["name"], router["waiting"]))
    for tracker in document["trackers"]:
        if tracker["ok"] is not True:
            word = "failed" if tracker["ok"] is False else "unknown"
            lines.append("tracker %s %s: %s" % (tracker["name"], word, tracker["detail"]))
    for word in ("drained", "leaving"):
        names = [router["name"] for router in document["routers"] if router[word]]
        if names:
            lines.append("%s: %s" % (word, ", ".join(names)))
    for router in document["routers"]:
        alarming = [kind for kind in _GAPS if router["counters"].get("gaps-" + kind)]
        lines += [router["name"] + ": " + line for line in _gaps(router, alarming)]
    lines += _lateness(document["engine"]["lateness"])
    return lines + _configuration(document["engine"])


def _gaps(router: Mapping[str, Any], kinds: Iterable[str]) -> List[str]:
    """The longest times without an advertisement."""
    found = [(_GAPS[kind], router["gaps"][kind]) for kind in kinds]
    text = "at most %s between two advertisements %s, %s ago"
    return [
        text % (format_ns(gap["duration_ns"]), whose, _age(gap["age_ns"]))
        for whose, gap in found
        if gap is not None
    ]


def _lateness(lateness: Mapping[str, Any]) -> List[str]:
    """Whether the host lets the daemon be on time."""
    latest, counts = lateness["longest"], lateness["counts"]
    if latest is None:
        return []
    so_far = list(accumulate(counts))
    most = next(at for at, count in enumerate(so_far) if count * 100 >= so_far[-1] * 99)
    usual_ns = min([*lateness["bounds_ns"], latest["duration_ns"]][most], latest["duration_ns"])
    text = "woken late by at most %s, %s ago; 99%% of %d times by at most %s"
    words = (format_ns(latest["duration_ns"]), _age(latest["age_ns"]), so_far[-1])
    return [text % (*words, format_ns(usual_ns))]


def _configuration(engine: Mapping[str, Any]) -> List[str]:
    """What is out of the ordinary about the configuration that runs."""
    lines = []
    probation = engine["probation"]
    if probation is not None:
        left = _age(probation["remaining_ns"])
        text = "the configuration is on probation: %s left to confirm it (vlangate confirm)"
        lines.append(text % left)
    if engine["config_source"] == "last-good":
        text = "the last good configuration runs: %s: %s (%s)"
        lines += [
            text % (problem["path"], problem["message"], problem["hint"])
            for problem in engine["config_problems"]
        ]
    if engine["last_reload_error"]:
        lines.append("the last reload was refused: %s" % engine["last_reload_error"])
    return lines + ["state: " + problem for problem in engine["state_problems"]]


def _row(router: Mapping[str, Any]) -> Sequence[str]:
    effective = router["effective_priority"]
    priority = str(router["priority"])
    if effective is not None and effective != router["priority"]:
        priority = "%d (of %d)" % (effective, router["priority"])
    age_ns = router["state_age_ns"]
    return (
        router["name"],
        router["state"],
        "-" if age_ns is None else _age(age_ns),
        priority,
        router["master_address"] or "-",
        router["virtual_mac"],
        " ".join(router["addresses"]),
    )


def _age(age_ns: int) -> str:
    seconds = age_ns // 1_000_000_000
    if seconds < 60:
        return "%ds" % seconds
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return "%dm%02ds" % (minutes, seconds)
    hours, minutes = divmod(minutes, 60)
    return "%dh%02dm" % (hours, minutes) if hours < 48 else "%dd%dh" % divmod(hours, 24)


def explanation(router: Mapping[str, Any]) -> List[str]:
    """Why a virtual router is what it is: a sentence for now, one for each past occurrence."""
    lines = ["%s is %s" % (router["name"], router["state"])]
    if router["waiting"]:
        lines[0] += ": " + router["waiting"]
    elif router["skew_time_ns"] is not None:
        lines[0] += ", priority %d, skew time %s, master down interval %s" % (
            router["effective_priority"],
            format_ns(router["skew_time_ns"]),
            format_ns(router["master_down_interval_ns"]),
        )
    if router["leaving"]:
        lines[0] += ", leaving"
    if router["drained"]:
        lines[0] += ", drained"
    lines += _gaps(router, _GAPS)
    for past in reversed(router["occurrences"]):
        lines.append("%10s ago  %s" % (_age(past["age_ns"]), past["sentence"]))
    return lines


def watch_table(client: ControlClient) -> None:
    """Redraw the table until interrupted."""
    while True:
        document: Dict[str, Any] = client.call("show.routers")
        text = "\n".join(table(document, colour=True))
        say(_CLEAR_SCREEN + text)
        time.sleep(_REDRAW_S)


def watch_events(client: ControlClient) -> None:
    """One line for each event, until the daemon goes away."""
    for event in client.events():
        say("%s %s: %s" % (event["kind"], event["name"], event["message"]))
