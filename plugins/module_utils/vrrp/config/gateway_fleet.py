# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routers of the VLAN table, and what each of them watches. Layer L2."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ..errors import Problem
from .fields import DEFAULT_PENALTY, Field
from .gateway_fields import INTERFACE_FIELD, ROUTER_FIELDS, UPLINK_FIELDS
from .model import TrackerConfig, TrackerKind, TrackReference
from .reading import Reading, read, shown, stand_in
from .validate import field_problem

UPLINK = "uplink"


@dataclass(frozen=True)
class Router:
    """A router of the fleet. track is what every group on it follows."""

    name: str
    host_number: int
    parent: Optional[str]
    trackers: Tuple[TrackerConfig, ...]
    track: Tuple[TrackReference, ...]


@dataclass(frozen=True)
class Watch:
    """Trackers with what their failure costs. None: not written, so somebody else's counts."""

    uplink: Optional[Tuple[TrackerConfig, int]]
    links: Optional[Tuple[TrackerConfig, ...]]

    def or_else(self, other: "Watch") -> "Watch":
        """What is written here, and of the other what is not."""
        return Watch(
            other.uplink if self.uplink is None else self.uplink,
            other.links if self.links is None else self.links,
        )


def read_row(
    fields: Tuple[Field, ...], document: Any, path: str, problems: List[Problem]
) -> Reading:
    """Read one object of the table with its bounds. null counts as not written."""
    if isinstance(document, Mapping):
        document = {key: value for key, value in document.items() if value is not None}
    reading = read(fields, document, path, problems)
    values, unsound = dict(reading.values), set(reading.unsound)
    for field in fields:
        if field.name in unsound or field.name not in document:
            continue
        problem = field_problem(field, values[field.name], "%s.%s" % (path, field.name))
        if problem is not None:
            problems.append(problem)
            unsound.add(field.name)
            values[field.name] = stand_in(field)
    return Reading(path, values, frozenset(unsound))


def read_routers(
    value: Any,
    defaults: Watch,
    trackers: Tuple[TrackerConfig, ...],
    reserved_number: int,
    problems: List[Problem],
) -> Dict[str, Router]:
    """The routers by name, in order; each without a host number gets the next free one.

    reserved_number is that of the virtual addresses; trackers are those of the whole fleet.
    """
    readings: Dict[str, Reading] = {}
    for path, document in _documents(value, problems):
        reading = read_row(ROUTER_FIELDS, document, path, problems)
        name = reading.values["name"]
        if name in readings:
            message = "%s is the name of two routers" % shown(name)
            problems.append(Problem(path + ".name", "duplicate-name", message, "keep one of them"))
        elif "name" not in reading.unsound:
            readings[name] = reading
    numbers = _host_numbers(readings, reserved_number, problems)
    routers = {}
    for name, reading in readings.items():
        watch = read_watch(reading, problems).or_else(defaults)
        own = list(watch.links or ())
        track = [TrackReference(link.name, DEFAULT_PENALTY) for link in own]
        if watch.uplink is not None:
            own.append(watch.uplink[0])
            track.append(TrackReference(UPLINK, watch.uplink[1]))
        routers[name] = Router(
            name, numbers[name], reading.values["parent"], (*own, *trackers), tuple(track)
        )
    return routers


def _documents(value: Any, problems: List[Problem]) -> Iterator[Tuple[str, Any]]:
    """Routers as objects with their paths, from a list of objects or names, or from a mapping."""
    hint = "write a list of router names, a list of objects, or a mapping of names to settings"
    if not isinstance(value, (list, tuple, Mapping)):
        problems.append(Problem("routers", "type", "is %s" % shown(value), hint))
    elif not value:
        problems.append(Problem("routers", "too-few", "is empty", hint))
    elif isinstance(value, Mapping):
        for name, settings in value.items():
            path = "routers[%s]" % name
            if settings is not None and not isinstance(settings, Mapping):
                message = "is %s" % shown(settings)
                problems.append(Problem(path, "type", message, "write an object of settings"))
                settings = None
            yield path, {"name": name, **(settings or {})}
    else:
        for index, item in enumerate(value):
            document = {"name": item} if isinstance(item, str) else item
            name = document.get("name") if isinstance(document, Mapping) else None
            yield "routers[%s]" % (name if isinstance(name, str) else "#%d" % index), document


def _host_numbers(
    readings: Mapping[str, Reading], reserved: int, problems: List[Problem]
) -> Dict[str, int]:
    """Host numbers as written, and for the others 252, 253, 251, 250 and so on."""
    first: Dict[int, str] = {}
    for name, reading in readings.items():
        number = reading.values["host_number"]
        if number is not None and first.setdefault(number, name) != name:
            message = "%d is also that of %s" % (number, first[number])
            hint = "give each router a host number of its own"
            problems.append(Problem(reading.path + ".host_number", "duplicate", message, hint))
    free = (n for n in (252, 253, *range(251, 0, -1)) if n not in first and n != reserved)
    numbers = {}
    for name, reading in readings.items():
        number = reading.values["host_number"]
        if number is None or first[number] != name:
            number = next(free, None)
        if number is None:
            hint = "write one: there are more routers than numbers to choose from"
            problems.append(Problem(reading.path + ".host_number", "missing", "is missing", hint))
        numbers[name] = number or 0
    return numbers


def read_watch(reading: Reading, problems: List[Problem]) -> Watch:
    """The keys uplink and track_links of a router or of the defaults."""
    uplink, links = reading.values["uplink"], reading.values["track_links"]
    return Watch(
        None if uplink is None else _uplink(uplink, reading.path + ".uplink", problems),
        None if links is None else _links(links, reading.path + ".track_links", problems),
    )


def _uplink(value: Any, path: str, problems: List[Problem]) -> Tuple[TrackerConfig, int]:
    values = dict(read_row(UPLINK_FIELDS, value, path, problems).values)
    penalty = values.pop("penalty")
    return TrackerConfig(UPLINK, TrackerKind.PING, **values), penalty


def _links(value: Any, path: str, problems: List[Problem]) -> Tuple[TrackerConfig, ...]:
    if not isinstance(value, (list, tuple)):
        hint = "write a list of interface names"
        problems.append(Problem(path, "type", "is %s" % shown(value), hint))
        return ()
    trackers = []
    for index, item in enumerate(value):
        where = "%s[%d]" % (path, index)
        if interface_is_sound(item, where, problems):
            name = "link-" + re.sub(r"[^A-Za-z0-9_-]", "-", item)
            trackers.append(TrackerConfig(name, TrackerKind.LINK, item))
    return tuple(trackers)


def interface_is_sound(value: Any, path: str, problems: List[Problem]) -> bool:
    """True for the name of an interface; otherwise a problem is noted."""
    problem: Optional[Problem] = Problem(
        path, "type", "is %s" % shown(value), INTERFACE_FIELD.remedy
    )
    if isinstance(value, str):
        problem = field_problem(INTERFACE_FIELD, value, path)
    if problem is not None:
        problems.append(problem)
    return problem is None
