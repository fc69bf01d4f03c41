# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of a drill as JUnit XML: a suite for each exercise, a case for each budget."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Sequence
from datetime import datetime, timezone
from xml.etree import ElementTree

from .drill_report import Cost, Result

#: What XML 1.0 cannot carry; a journal in an error may have it.
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result]) -> str:
    """The document."""
    suites = [_suite(result) for result in results]
    root = ElementTree.Element("testsuites", _counted(suites, name="vlangate drill"))
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n%s\n' % ElementTree.tostring(
        root, encoding="unicode"
    )


def _suite(result: Result) -> ElementTree.Element:
    began = datetime.fromtimestamp(result.span[0], timezone.utc)
    suite = ElementTree.Element("testsuite", {"timestamp": began.isoformat(timespec="seconds")})
    place = "drill.%s.%s" % (result.kind, result.router)
    costs = [(group.name, cost) for group in result.groups for cost in group.costs]
    for name, cost in [*costs, *result.paths]:
        _case(suite, place, name, cost)
    case = ElementTree.SubElement(suite, "testcase", classname=place, name="masters", time="0")
    if result.failures:
        failure = ElementTree.SubElement(case, "failure", message=_clean(result.failures[0]))
        failure.text = _clean("\n".join(result.failures))
    if result.remarks:
        ElementTree.SubElement(suite, "system-out").text = _clean("\n".join(result.remarks))
    for name, value in _counted([suite], name=result.title).items():
        suite.set(name, value)
    return suite


def _case(suite: ElementTree.Element, place: str, name: str, cost: Cost) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=place,
        name="%s, %s" % (name, cost.phase),
        time="%.3f" % (cost.seconds or 0.0),
    )
    told = "no answer for %s (by %s), the budget is %.3f s" % (cost.told, cost.by, cost.limit)
    if not cost.is_kept:
        ElementTree.SubElement(case, "failure", message=_clean(told))
    elif cost.lost is not None:
        told += ", %d probes lost" % cost.lost
    ElementTree.SubElement(case, "system-out").text = _clean(told)


def _counted(elements: Sequence[ElementTree.Element], name: str) -> dict[str, str]:
    """The attributes of a suite, or of all of them."""
    cases = [case for element in elements for case in element.iter("testcase")]
    failed = [case for case in cases if case.find("failure") is not None]
    counts: dict[str, t.Any] = {"tests": len(cases), "failures": len(failed), "errors": 0}
    return {"name": name, **{key: str(value) for key, value in counts.items()}}


def _clean(text: str) -> str:
    return UNWRITABLE.sub("?", text)
