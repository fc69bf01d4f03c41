# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline of one group in one exercise, as SVG: who was master when, and what was lost."""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

from .drill_report import GroupResult, Result
from .drill_timeline import Gap, without_master

WIDTH, LEFT, RIGHT, TOP = 960, 150, 24, 30
LANE, BAR, AXIS, LABEL = 26, 16, 28, 60
#: A thing that is shorter than this is drawn as wide as this, so that it is seen.
LEAST = 3.0
MOST_TICKS = 12
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
#: One for each router of a group, in the order of succession; apart for colour-blind people, too.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#999999")
LOST, ANSWERED, NOBODY, INK, PALE = "#c8102e", "#c9dfc9", "#fbe3e4", "#222222", "#f3f3f3"


class _Drawing:
    """An SVG that grows by elements; x is given in seconds of the epoch."""

    def __init__(self, span: tuple[float, float], height: int, title: str) -> None:
        self._span = span
        self.root = ElementTree.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": "0 0 %d %d" % (WIDTH, height),
                "role": "img",
                "font-family": "sans-serif",
                "font-size": "12",
            },
        )
        self.add("title", title)

    def x(self, at: float) -> float:
        """Where a time is."""
        begin, end = self._span
        part = (min(max(at, begin), end) - begin) / (end - begin)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def add(self, kind: str, text: str = "", **attributes: t.Any) -> ElementTree.Element:
        """Add an element; numbers are written with one decimal."""
        element = ElementTree.SubElement(self.root, kind)
        for name, value in attributes.items():
            told = "%.1f" % value if isinstance(value, float) else str(value)
            element.set(name.replace("_", "-"), told)
        element.text = text or None
        return element

    def span(self, start: float, end: float, y: int, height: int, fill: str, tip: str) -> None:
        """A time, with what is told of it."""
        left, right = self.x(start), self.x(end)
        width = max(right - left, LEAST)
        drawn = self.add("rect", x=left, y=y, width=width, height=height, fill=fill)
        ElementTree.SubElement(drawn, "title").text = tip


def picture(result: Result, group: GroupResult) -> str:
    """The timeline as a piece of SVG that stands alone."""
    lanes = [*group.members, *_probers(group)]
    bottom = TOP + LANE * len(lanes)
    title = "%s: %s" % (group.name, result.title)
    drawing = _Drawing(result.span, bottom + AXIS, title)
    for number, lane in enumerate(lanes):
        y = TOP + LANE * number
        drawing.add("rect", x=LEFT, y=y + 5, width=WIDTH - LEFT - RIGHT, height=BAR, fill=PALE)
        drawing.add("text", lane, x=LEFT - 8, y=y + 18, text_anchor="end", fill=INK)
    _draw_reigns(drawing, result, group)
    _draw_probes(drawing, result, group)
    _draw_axis(drawing, result.span, result.events[0].at if result.events else 0.0, bottom)
    _draw_events(drawing, result, bottom)
    return ElementTree.tostring(drawing.root, encoding="unicode")


def _probers(group: GroupResult) -> list[str]:
    return list(dict.fromkeys("probes of %s" % each.host for each in group.probings))


def _draw_reigns(drawing: _Drawing, result: Result, group: GroupResult) -> None:
    height = LANE * len(group.members)
    if group.reigns:
        for gap in without_master(group.reigns, result.span):
            tip = "nobody is master for %.3f s" % gap.seconds
            drawing.span(gap.start, gap.end, TOP, height, NOBODY, tip)
    for reign in group.reigns:
        number = group.members.index(reign.router)
        tip = "%s is master for %.3f s" % (reign.router, reign.end - reign.start)
        colour = COLOURS[number % len(COLOURS)]
        drawing.span(reign.start, reign.end, TOP + LANE * number + 5, BAR, colour, tip)


def _draw_probes(drawing: _Drawing, result: Result, group: GroupResult) -> None:
    for number, prober in enumerate(_probers(group)):
        y = TOP + LANE * (len(group.members) + number) + 5
        outages: list[Gap] = []
        for each in group.probings:
            if prober == "probes of %s" % each.host:
                tip = "%d probes, %d lost" % (each.sent, each.lost)
                drawing.span(*each.watched, y, BAR, ANSWERED, tip)
                outages += each.outages
        for outage in outages:
            tip = "no answer for %.3f s" % outage.seconds
            drawing.span(outage.start, outage.end, y, BAR, LOST, tip)
        _label(drawing, sorted(outages, key=lambda each: each.start), y + 13)


def _label(drawing: _Drawing, outages: list[Gap], y: int) -> None:
    """How long they were; those that are close together have one label."""
    while outages:
        end = outages[0].end
        close = [outages[0]]
        for outage in outages[1:]:
            if drawing.x(outage.start) < drawing.x(end) + LABEL:
                close.append(outage)
                end = max(end, outage.end)
        right = drawing.x(end)
        is_near_edge = right > WIDTH - RIGHT - LABEL
        x = drawing.x(close[0].start) - 6 if is_near_edge else right + 6
        told = "%.3f s" % sum(outage.seconds for outage in close)
        drawing.add(
            "text", told, x=x, y=y, text_anchor="end" if is_near_edge else "start", fill=LOST
        )
        outages = outages[len(close) :]


def _draw_axis(drawing: _Drawing, span: tuple[float, float], origin: float, bottom: int) -> None:
    """Seconds since the first event."""
    step = _step(span[1] - span[0])
    second = -int((origin - span[0]) // step) * step
    while origin + second <= span[1]:
        x = drawing.x(origin + second)
        drawing.add("line", x1=x, x2=x, y1=bottom, y2=bottom + 5, stroke=INK)
        drawing.add("text", "%d s" % second, x=x, y=bottom + 18, text_anchor="middle", fill=INK)
        second += step
    drawing.add("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, stroke=INK)


def _step(seconds: float) -> int:
    fitting = [each for each in STEPS_S if seconds / each <= MOST_TICKS]
    return fitting[0] if fitting else STEPS_S[-1]


def _draw_events(drawing: _Drawing, result: Result, bottom: int) -> None:
    """A line for each event, with its number in the list beside the picture."""
    for number, event in enumerate(result.events, 1):
        x = drawing.x(event.at)
        drawing.add("line", x1=x, x2=x, y1=20, y2=bottom, stroke=INK, stroke_dasharray="3 3")
        mark = drawing.add("circle", cx=x, cy=11, r=9, fill=INK)
        ElementTree.SubElement(mark, "title").text = "%s: %s" % (event.router, event.text)
        drawing.add("text", str(number), x=x, y=15, text_anchor="middle", fill="white")
