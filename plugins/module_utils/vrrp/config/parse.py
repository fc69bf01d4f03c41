# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a document to a RouterConfig, or to every problem that it has. Layer L2.

Past this file nobody sees a dict.
"""

from __future__ import annotations

import json
from typing import Any, List, Mapping, NoReturn, Tuple

from ..errors import ConfigError, Problem
from ..facts import Family
from .drafts import RouterDraft, SyncGroupDraft, TrackerDraft
from .fields import DOCUMENT_FIELDS, Field, Kind
from .model import (
    AdvertisedPrefix,
    ChecksumMode,
    LeaseMode,
    ProfileMode,
    RoutePreference,
    RouterAdvertisements,
    RouterConfig,
    SyncGroupConfig,
    TrackerConfig,
    TrackerKind,
    TrackReference,
    VirtualRouterConfig,
)
from .reading import JsonObject, Reading, in_order, read, repeated
from .validate import check, field_problem

_MAXIMUM_DIGITS = 100
_ADDED_TO = (Kind.OBJECT, Kind.OBJECTS, Kind.ADDRESSES, Kind.NAMES)
# What an entry of a list is called by.
_CALLED_BY = ("name", "tracker", "prefix")


def parse(document: Mapping[str, Any]) -> RouterConfig:
    """The configuration that a document describes. Raises ConfigError with all its problems."""
    problems: List[Problem] = []
    top = _read_top(document, problems)
    routers = [_router_draft(each) for each in top.values["virtual_routers"]]
    trackers = [tracker_draft(each) for each in top.values["trackers"]]
    sync_groups = [_sync_group_draft(each) for each in top.values["sync_groups"]]
    found = check(
        routers,
        trackers,
        sync_groups,
        all_trackers="trackers" not in top.unsound,
        all_routers="virtual_routers" not in top.unsound,
    )
    problems.extend(found)
    if problems:
        raise ConfigError(in_order(problems))
    return RouterConfig(
        tuple(sorted((draft.value for draft in routers), key=lambda router: router.name)),
        tuple(sorted((draft.value for draft in trackers), key=lambda tracker: tracker.name)),
        tuple(sorted(map(_sync_group, sync_groups), key=lambda group: group.name)),
        LeaseMode(top.values["leases"]),
    )


def _read_top(document: Mapping[str, Any], problems: List[Problem]) -> Reading:
    top = read(DOCUMENT_FIELDS, document, "", problems)
    for field in DOCUMENT_FIELDS:
        problem = field_problem(field, top.values[field.name], field.name)
        if problem is not None and field.name not in top.unsound:
            problems.append(problem)
    return top


def problems_of_part(document: Mapping[str, Any], has_whole_entries: bool) -> Tuple[Problem, ...]:
    """What is wrong with some entries of a configuration, whatever the rest of it is.

    has_whole_entries: what an entry leaves out has its default. Otherwise it may be there already,
    so it is not missing, and no rule judges it.
    """
    problems: List[Problem] = []
    top = _read_top(document, problems)
    readings = {
        field.name: [
            each if has_whole_entries else _as_part(field.fields, each, given)
            for each, given in zip(top.values[field.name], document.get(field.name) or ())
        ]
        for field in DOCUMENT_FIELDS
        if field.kind is Kind.OBJECTS and field.name not in top.unsound
    }
    found = check(
        [_router_draft(each) for each in readings.get("virtual_routers", ())],
        [tracker_draft(each) for each in readings.get("trackers", ())],
        [_sync_group_draft(each) for each in readings.get("sync_groups", ())],
        all_trackers=False,
        all_routers=False,
    )
    needed = [each for each in problems if not _may_be_there(each, has_whole_entries)]
    return in_order([*needed, *found])


def _as_part(fields: Tuple[Field, ...], reading: Reading, given: Any) -> Reading:
    """An entry of which no rule judges what is left out, nor the lists, which are added to."""
    if not isinstance(given, Mapping):
        return reading
    unsound = {each.name for each in fields if each.name not in given or each.kind in _ADDED_TO}
    return Reading(reading.path, reading.values, reading.unsound | unsound)


def _may_be_there(problem: Problem, has_whole_entries: bool) -> bool:
    """Whether it is only missing in a part; what an entry is called by is always needed."""
    if problem.code != "missing" or has_whole_entries:
        return problem.code == "missing" and "." not in problem.path
    return problem.path.rpartition(".")[2] not in _CALLED_BY


def parse_json(text: str) -> RouterConfig:
    """The configuration in a JSON text. Raises ConfigError; of bad JSON too, with its place."""
    try:
        document = json.loads(
            text,
            object_pairs_hook=_json_object,
            parse_constant=_no_constant,
            parse_int=_short_integer,
        )
    except json.JSONDecodeError as error:
        where = "line %d column %d" % (error.lineno, error.colno)
        raise _syntax_error("%s: %s" % (where, error.msg)) from None
    except (ValueError, RecursionError) as error:
        raise _syntax_error(str(error)) from None
    return parse(document)


def _syntax_error(message: str) -> ConfigError:
    hint = "correct the JSON text; a comma too many or a missing quote is the usual cause"
    return ConfigError((Problem("document", "syntax", message, hint),))


def _json_object(pairs: List[Tuple[str, Any]]) -> JsonObject:
    """An object that remembers which keys came twice: json would keep the last in silence."""
    result = JsonObject(pairs)
    if len(result) != len(pairs):
        result.duplicates = tuple(repeated(key for key, _value in pairs))
    return result


def _no_constant(text: str) -> NoReturn:
    raise ValueError("%s is no JSON" % text)


def _short_integer(text: str) -> int:
    """Python takes time with the square of the digits."""
    if len(text) > _MAXIMUM_DIGITS:
        raise ValueError("a number of %d digits" % len(text))
    return int(text)


def _router_draft(reading: Reading) -> RouterDraft:
    values = dict(reading.values)
    values["family"] = Family(values["family"])
    values["checksum"] = ChecksumMode(values["checksum"])
    values["profile"] = ProfileMode(values["profile"])
    values["track"] = tuple(
        TrackReference(**entry.values) for entry in values["track"] if not entry.unsound
    )
    unsound = reading.unsound
    advertised = values["router_advertisements"]
    if isinstance(advertised, Reading):
        values["router_advertisements"] = router_advertisements(advertised)
        if not is_sound(advertised):
            unsound |= {"router_advertisements"}
    return RouterDraft(reading.path, VirtualRouterConfig(**values), unsound)


def router_advertisements(reading: Reading) -> RouterAdvertisements:
    """Router advertisements as far as they could be read."""
    values = dict(reading.values)
    values["preference"] = RoutePreference(values["preference"])
    values["prefixes"] = tuple(
        AdvertisedPrefix(**entry.values) for entry in values["prefixes"] if not entry.unsound
    )
    return RouterAdvertisements(**values)


def is_sound(reading: Reading) -> bool:
    """True when router advertisements could be read as a whole."""
    return not reading.unsound and not any(each.unsound for each in reading.values["prefixes"])


def tracker_draft(reading: Reading) -> TrackerDraft:
    """A tracker as far as it could be read."""
    values = dict(reading.values)
    values["kind"] = TrackerKind(values["kind"])
    return TrackerDraft(reading.path, TrackerConfig(**values), reading.unsound)


def _sync_group_draft(reading: Reading) -> SyncGroupDraft:
    return SyncGroupDraft(reading.path, SyncGroupConfig(**reading.values), reading.unsound)


def _sync_group(draft: SyncGroupDraft) -> SyncGroupConfig:
    return SyncGroupConfig(draft.value.name, tuple(sorted(draft.value.members)))
