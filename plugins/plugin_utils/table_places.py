# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in the operator's files a problem of the VLAN table stands: file, line and column.

Ansible remembers for each value where it was read. How to ask is not part of its public interface,
so that an Ansible that has changed it costs us the place, and nothing else.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping

from ..module_utils.vrrp.errors import Problem

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

#: The keys that name an element of a list.
_NAMES = ("id", "name", "tracker", "prefix")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")


def place(path: str, table: Mapping[str, t.Any]) -> str:
    """FILE:LINE:COLUMN of what a path such as vlans[10].vrid names, or of what it stands in;
    empty where that is not known."""
    here: t.Any = table
    found = ""
    for match in _STEP.finditer(path):
        key, label = match.groups()
        step = _entry(here, key) if key is not None else _element(here, label)
        if step is None:
            break
        written, here = step
        found = _origin(written) or _origin(here) or found
    return found


def with_places(problems: Iterable[Problem], table: Mapping[str, t.Any]) -> list[dict[str, str]]:
    """Problems as a task returns them, each with its place."""
    return [{**vars(each), "place": place(each.path, table)} for each in problems]


def lines(problems: Iterable[Mapping[str, str]]) -> str:
    """One line for each problem, with its place at the end."""
    return "\n".join(
        "- %(path)s: %(message)s (%(hint)s)" % each + (each["place"] and "\n  " + each["place"])
        for each in problems
    )


def _entry(here: t.Any, key: str) -> tuple[t.Any, t.Any] | None:
    """The key of a mapping as it was written, which is the line to change, and its value."""
    if not isinstance(here, Mapping):
        return None
    return next(((each, here[each]) for each in here if str(each) == key), None)


def _element(here: t.Any, label: str) -> tuple[t.Any, t.Any] | None:
    """An element of a list, or what a mapping has under a key."""
    if isinstance(here, Mapping):
        return _entry(here, label)
    if not isinstance(here, (list, tuple)):
        return None
    found = (each for number, each in enumerate(here) if label in _labels(each, number))
    return next(((each, each) for each in found), None)


def _labels(each: t.Any, number: int) -> list[str]:
    """How paths call an element: by its number, or what names it."""
    names = ["%d" % number]
    if isinstance(each, Mapping):
        names = [str(each[key]) for key in _NAMES if key in each] or names
    elif isinstance(each, str):
        names.append(each)
    return ["#%d" % number, *names]


def _origin(value: t.Any) -> str:
    """Where Ansible read a value, if it remembers."""
    if Origin is None:
        return ""
    try:
        origin = Origin.get_tag(value)
    except (AttributeError, TypeError):
        return ""
    return "" if origin is None else str(origin)
