# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the states of vrrp_config mean: from what a router has and what is given to what it gets.

Pure, on documents: whoever calls parses the result, and so finds what is wrong with it.
"""

from __future__ import annotations

import ipaddress
import typing as t

from .vrrp.config.fields import DOCUMENT_FIELDS, Field, Kind
from .vrrp.config.parse import problems_of_part
from .vrrp.errors import Problem

STATES = ("overridden", "replaced", "merged", "deleted", "gathered", "rendered")
#: What is given is a part of the configuration; the router has the rest.
OF_PARTS = ("replaced", "merged", "deleted")

Document = t.Mapping[str, t.Any]


def part_problems(state: str, given: Document) -> t.Tuple[Problem, ...]:
    """What can be seen to be wrong with a part before it meets the rest."""
    if state != "deleted":
        return problems_of_part(given, has_whole_entries=state == "replaced")
    # Only the names count, so that the same variables can be used that made the entries.
    return tuple(
        problem
        for problem in problems_of_part(given, has_whole_entries=False)
        if "." not in problem.path
        or problem.path.endswith(".name")
        or problem.code == "unknown-key"
    )


def combined(state: str, before: Document, given: Document) -> t.Dict[str, t.Any]:
    """The document that the router gets. before: with every field; given: without problems."""
    if state == "merged":
        return _merged(DOCUMENT_FIELDS, before, given)
    result = dict(before)
    for field in DOCUMENT_FIELDS:
        if field.name not in given:
            continue
        if field.kind is not Kind.OBJECTS:
            result.pop(field.name, None)
            if state == "replaced":
                result[field.name] = given[field.name]
            continue
        named = {entry["name"]: entry for entry in given[field.name]}
        kept = [entry for entry in before.get(field.name, ()) if entry["name"] not in named]
        result[field.name] = kept + (list(named.values()) if state == "replaced" else [])
    return result


def _merged(fields: t.Tuple[Field, ...], before: Document, given: Document) -> t.Dict[str, t.Any]:
    """Adds and changes, removes nothing."""
    known = {field.name: field for field in fields}
    result = dict(before)
    for name, value in given.items():
        if name in known and name in before:
            value = _merged_value(known[name], before[name], value)
        result[name] = value
    return result


def _merged_value(field: Field, before: t.Any, given: t.Any) -> t.Any:
    if field.kind is Kind.OBJECT:
        return _merged(field.fields, before, given)
    if field.kind is Kind.OBJECTS:
        key = field.fields[0]
        entries = {_same(key.kind, entry[key.name]): entry for entry in before}
        for entry in given:
            name = _same(key.kind, entry[key.name])
            entries[name] = _merged(field.fields, entries.get(name, {}), entry)
        return list(entries.values())
    if field.kind in (Kind.ADDRESSES, Kind.NAMES):
        there = {_same(field.kind, each) for each in before}
        return [*before, *(each for each in given if _same(field.kind, each) not in there)]
    return given


def _same(kind: Kind, value: t.Any) -> t.Any:
    """A value in the one form of several that stands for all of them."""
    if kind is Kind.ADDRESSES:
        return ipaddress.ip_address(value.strip())
    if kind is Kind.NETWORK:
        return ipaddress.ip_network(value.strip())
    return value
