# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of a drill as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from .drill_picture import picture
from .drill_report import GroupResult, Result

TEMPLATE = Path(__file__).with_name("drill_page.html.j2")
#: More than these are shown when somebody asks for them, or when a budget was not kept.
OPEN_PICTURES = 4


def page(results: Sequence[Result]) -> str:
    """The document."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(moment=_moment, clock=_clock, worst=_worst)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        results=results,
        broken=[sentence for result in results for sentence in result.broken],
        began=min((result.span[0] for result in results), default=0.0),
        open_pictures=OPEN_PICTURES,
        picture=_picture,
    )


def _picture(result: Result, group: GroupResult) -> Markup:
    return Markup(picture(result, group))  # ElementTree has escaped what is in it


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _worst(result: Result, phase: str) -> str:
    """The longest time without an answer in a phase."""
    costs = [cost for group in result.groups for cost in group.costs if cost.phase == phase]
    if any(cost.seconds is None for cost in costs):
        return "not known"
    return "%.3f s" % max((cost.seconds or 0.0 for cost in costs), default=0.0)
