# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of show.routers as metrics for Prometheus. Layer L5.

In its text format 0.0.4, which the textfile collector of its node exporter reads; described in
docs/control.md. The daemon only answers; what takes time is done here.
"""

from __future__ import annotations

import os
from itertools import accumulate
from typing import Any, Dict, Iterable, List, Mapping, Tuple, Union

from ..discards import DiscardReason
from ..errors import PlatformError
from ..units import CS_PER_S, NS_PER_S

_STATES = ("initialize", "backup", "master")
_DISCARDS = frozenset(reason.value for reason in DiscardReason)
_MODE = 0o644

Labels = Mapping[str, Any]
Samples = Iterable[Tuple[Labels, Union[int, float]]]


class _Page:
    """Families in their order."""

    def __init__(self) -> None:
        self._lines: List[str] = []

    def add(self, name: str, kind: str, text: str, samples: Samples) -> None:
        """A family, unless nothing is known of it."""
        lines = [_sample("vlangate_" + name, labels, value) for labels, value in samples]
        if lines:
            self._head(name, kind, text)
            self._lines += lines

    def add_one(self, name: str, text: str, value: Union[int, float]) -> None:
        """A gauge of the host."""
        self.add(name, "gauge", text, [({}, value)])

    def add_histogram(self, name: str, text: str, document: Mapping[str, Any]) -> None:
        """Of durations, as engine.lateness has it."""
        self._head(name, "histogram", text)
        name = "vlangate_" + name
        bounds = [_seconds(bound_ns) for bound_ns in document["bounds_ns"]]
        so_far = list(accumulate(document["counts"]))
        for bound, count in zip([*bounds, "+Inf"], so_far):
            self._lines.append(_sample(name + "_bucket", {"le": bound}, count))
        self._lines.append(_sample(name + "_sum", {}, _seconds(document["sum_ns"])))
        self._lines.append(_sample(name + "_count", {}, so_far[-1]))

    def _head(self, name: str, kind: str, text: str) -> None:
        self._lines.append("# HELP vlangate_%s %s" % (name, text))
        self._lines.append("# TYPE vlangate_%s %s" % (name, kind))

    def text(self) -> str:
        """All of it."""
        return "\n".join(self._lines)


def unreachable() -> str:
    """When no daemon answers."""
    page = _Page()
    _add_up(page, False)
    return page.text()


def metrics(document: Mapping[str, Any]) -> str:
    """Of a daemon that has answered show.routers."""
    page = _Page()
    _add_up(page, True)
    _add_engine(page, document["engine"])
    trackers = [each for each in document["trackers"] if each["ok"] is not None]
    page.add(
        "tracker_ok",
        "gauge",
        "Whether what is tracked is well.",
        [({"name": each["name"], "kind": each["kind"]}, int(each["ok"])) for each in trackers],
    )
    _add_routers(page, document["routers"])
    _add_counters(page, "", [({}, document["counters"])])
    counted = [({"name": each["name"]}, each["counters"]) for each in document["routers"]]
    _add_counters(page, "vrrp_", counted)
    return page.text()


def replace_file(path: str, text: str) -> None:
    """Whoever reads it finds the old text or the new one. Raises PlatformError."""
    partial = "%s.%d" % (path, os.getpid())
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with open(os.open(partial, flags, _MODE), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), _MODE)
            file.write(text + "\n")
        os.replace(partial, path)
    except OSError as error:
        if os.path.lexists(partial):
            os.unlink(partial)
        raise PlatformError("write", path, error.errno) from error


def _add_up(page: _Page, is_up: bool) -> None:
    page.add_one("up", "Whether the daemon answers.", int(is_up))


def _add_engine(page: _Page, engine: Mapping[str, Any]) -> None:
    version = {"version": engine["version"], "release": engine["release"]}
    page.add("info", "gauge", "What runs here.", [(version, 1)])
    page.add_one("uptime_seconds", "Since its process began.", _seconds(engine["uptime_ns"]))
    is_last_good = engine["config_source"] == "last-good"
    page.add_one("config_last_good", "Whether it cannot use its file.", int(is_last_good))
    is_well = engine["last_reload_error"] is None
    page.add_one("config_last_reload_successful", "Whether it took it.", int(is_well))
    is_tried = engine["probation"] is not None
    page.add_one("config_on_probation", "Whether it waits to be confirmed.", int(is_tried))
    problems = len(engine["state_problems"])
    page.add_one("state_problems", "What a restart would not know.", problems)
    lateness = engine["lateness"]
    page.add_histogram("lateness_seconds", "From a deadline to its wake-up.", lateness)
    longest = _durations([({}, lateness["longest"])])
    page.add("lateness_longest_seconds", "gauge", "The latest one.", longest)


def _add_routers(page: _Page, routers: Iterable[Mapping[str, Any]]) -> None:
    named = [({"name": each["name"]}, each) for each in routers]

    def add(name: str, text: str, samples: Samples) -> None:
        page.add("vrrp_" + name, "gauge", text, samples)

    keys = ("name", "interface", "family", "vrid", "version", "virtual_mac")
    facts = [({key: each[key] for key in keys}, 1) for _name, each in named]
    add("info", "A virtual router.", facts)
    states = [
        ({**name, "state": state}, int(each["state"] == state))
        for name, each in named
        for state in _STATES
    ]
    add("state", "1 for the state that it is in.", states)
    ages = [(name, each["state_age_ns"]) for name, each in named]
    known = [(name, _seconds(age_ns)) for name, age_ns in ages if age_ns is not None]
    add("state_age_seconds", "Since it is in its state.", known)
    for word in ("drained", "leaving"):
        add(word, "See `vlangate show`.", [(name, int(each[word])) for name, each in named])
    add("priority", "As configured.", [(name, each["priority"]) for name, each in named])
    priorities = [(name, each["effective_priority"]) for name, each in named]
    effective = [(name, priority) for name, priority in priorities if priority is not None]
    add("effective_priority", "Less what trackers take away.", effective)
    intervals = [(name, each["advertisement_interval_cs"] / CS_PER_S) for name, each in named]
    add("advertisement_interval_seconds", "Between its advertisements.", intervals)
    for kind, text in (("sent", "its own advertisements"), ("heard", "those of its master")):
        gaps = [(name, each["gaps"][kind]) for name, each in named]
        add("longest_gap_%s_seconds" % kind, "Between two of %s." % text, _durations(gaps))


def _add_counters(
    page: _Page, prefix: str, counted: List[Tuple[Dict[str, Any], Mapping[str, int]]]
) -> None:
    """Those of RFC 8347 by their names, and packets that were thrown away by reason."""
    discarded = [
        ({**labels, "reason": name}, count)
        for labels, counters in counted
        for name, count in counters.items()
        if name in _DISCARDS
    ]
    text = "Packets that were thrown away."
    page.add(prefix + "discarded_packets_total", "counter", text, discarded)
    names = {name for _labels, counters in counted for name in counters} - _DISCARDS
    for name in sorted(names):
        samples = [(labels, counters.get(name, 0)) for labels, counters in counted]
        text = "The counter %s." % name
        page.add("%s%s_total" % (prefix, name.replace("-", "_")), "counter", text, samples)


def _durations(found: Iterable[Tuple[Labels, Any]]) -> Samples:
    return [(labels, _seconds(each["duration_ns"])) for labels, each in found if each is not None]


def _seconds(duration_ns: int) -> float:
    return duration_ns / NS_PER_S


def _sample(name: str, labels: Labels, value: Union[int, float]) -> str:
    told = ",".join('%s="%s"' % (key, _escaped(str(each))) for key, each in labels.items())
    return "%s%s %s" % (name, "{%s}" % told if told else "", value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
