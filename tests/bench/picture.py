# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of how processor time grows with the number of groups, as SVG. Pure."""

from __future__ import annotations

import math
from typing import List, Mapping, Sequence, Tuple

# Number of groups, share of one processor.
Points = Sequence[Tuple[int, float]]
WIDTH, HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 200, 46, 54
_COLOURS = ("#0b6e4f", "#6bbf59", "#b3261e", "#e8a09a")


def draw(title: str, lines: Mapping[str, Points]) -> str:
    """Logarithmic both ways; a line for each name. Lines without points are left out."""
    shown = {name: sorted(points) for name, points in lines.items() if points}
    counts = sorted({count for points in shown.values() for count, _share in points}) or [1, 10]
    shares = [share for points in shown.values() for _count, share in points] or [0.01, 0.1]
    low, high = math.floor(math.log10(min(shares))), math.ceil(math.log10(max(shares)))
    scale = _Scale(counts[0], max(counts[-1], counts[0] + 1), low, max(high, low + 1))
    parts = [_HEAD % {"w": WIDTH, "h": HEIGHT}, _text(_LEFT, 24, title, "title")]
    parts += _grid(scale, counts)
    for number, (name, points) in enumerate(shown.items()):
        parts += _line(scale, _COLOURS[number % len(_COLOURS)], name, points, number)
    return "\n".join([*parts, "</svg>", ""])


# REUSE-IgnoreStart
_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %(w)d %(h)d" width="%(w)d" height="%(h)d">
<!-- Copyright (c) 2026, The vlangate.vrrp authors -->
<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<style>text { font: 12px sans-serif; fill: #222 } .title { font-size: 15px }
.grid { stroke: #ddd } .line { fill: none; stroke-width: 2.5 }</style>
<rect width="%(w)d" height="%(h)d" fill="#fff"/>"""
# REUSE-IgnoreEnd


class _Scale:
    """Where a number of groups and a share of a processor are in the picture."""

    def __init__(self, first: int, last: int, low: int, high: int) -> None:
        self._first, self._last, self.low, self.high = first, last, low, high

    def x(self, count: float) -> float:
        part = math.log(count / self._first) / math.log(self._last / self._first)
        return _LEFT + part * (WIDTH - _LEFT - _RIGHT)

    def y(self, share: float) -> float:
        part = (math.log10(share) - self.low) / (self.high - self.low)
        return HEIGHT - _BOTTOM - part * (HEIGHT - _TOP - _BOTTOM)


def _grid(scale: _Scale, counts: Sequence[int]) -> List[str]:
    found = []
    for power in range(scale.low, scale.high + 1):
        y = scale.y(10.0**power)
        found.append('<path class="grid" d="M%d %.1fH%d"/>' % (_LEFT, y, WIDTH - _RIGHT))
        found.append(_text(_LEFT - 8, y + 4, "%g %%" % (100 * 10.0**power), "", "end"))
    for count in counts:
        x = scale.x(count)
        found.append('<path class="grid" d="M%.1f %dV%d"/>' % (x, _TOP, HEIGHT - _BOTTOM))
        found.append(_text(x, HEIGHT - _BOTTOM + 18, "{:,}".format(count), "", "middle"))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    found.append(_text(middle, HEIGHT - 14, "VLANs with one group each", "", "middle"))
    return found


def _line(scale: _Scale, colour: str, name: str, points: Points, number: int) -> List[str]:
    where = [(scale.x(count), scale.y(share)) for count, share in points]
    path = "L".join("%.1f %.1f" % each for each in where)
    found = ['<path class="line" stroke="%s" d="M%s"/>' % (colour, path)]
    found += ['<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>' % (*at, colour) for at in where]
    x, y = WIDTH - _RIGHT + 16, _TOP + 14 + 22 * number
    found.append('<path class="line" stroke="%s" d="M%d %dh20"/>' % (colour, x, y - 4))
    return [*found, _text(x + 26, y, name)]


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    more = ' class="%s"' % kind if kind else ""
    form = '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>'
    return form % (x, y, anchor, more, words.replace("&", "&amp;").replace("<", "&lt;"))
