# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place that converts units. Layer L0.

Wire and configuration speak centiseconds (_cs), the engine speaks integer nanoseconds of the
monotonic clock (_ns), people read seconds.
"""

from __future__ import annotations

import re
from typing import Union

NS_PER_CS = 10_000_000
NS_PER_S = 1_000_000_000
CS_PER_S = 100
# RFC 9568 section 5.2.7: twelve bits of centiseconds; zero is refused (erratum 8301).
MAXIMUM_INTERVAL_CS = 4095
# RFC 3768 section 5.3.7: eight bits of seconds.
MAXIMUM_V2_INTERVAL_S = 255

# Long numbers take Python a time with the square of their digits.
_LONGEST_INTERVAL = 64
_INTERVAL = re.compile(r"(\d+(?:\.\d+)?)\s*(cs|ms|s)?")


def ns_from_cs(interval_cs: int) -> int:
    """Nanoseconds in so many centiseconds."""
    return interval_cs * NS_PER_CS


def cs_from_v2_seconds(interval_s: int) -> int:
    """Centiseconds in the seconds that a VRRPv2 advertisement carries."""
    return interval_s * CS_PER_S


def parse_interval_cs(value: Union[int, str]) -> int:
    """Centiseconds from a count of them, or from text such as "1s", "100ms", "50cs".

    Raises ValueError, with the remedy in its text, for what is no whole number of centiseconds.
    """
    if isinstance(value, bool):
        raise ValueError("write a number of centiseconds, or text such as '1s' or '100ms'")
    if isinstance(value, int):
        return value
    match = _INTERVAL.fullmatch(value.strip()) if len(value) <= _LONGEST_INTERVAL else None
    if match is None:
        raise ValueError("write a number of centiseconds, or text such as '1s' or '100ms'")
    number, unit = match.groups()
    whole, _point, fraction = number.partition(".")
    scale = {"s": CS_PER_S, "cs": 1, "ms": 1, None: 1}[unit]
    divisor: int = 10 ** len(fraction) * (10 if unit == "ms" else 1)
    count, rest = divmod(int(whole + fraction) * scale, divisor)
    if rest:
        raise ValueError("the wire carries whole centiseconds: round it to a multiple of 10 ms")
    return count


def format_ns(duration_ns: int) -> str:
    """A duration for people: "1.5s", "609.375ms", "80us"."""
    for unit, size in (("s", NS_PER_S), ("ms", 1_000_000), ("us", 1_000)):
        if abs(duration_ns) >= size:
            return "%s%s" % (("%.3f" % (duration_ns / size)).rstrip("0").rstrip("."), unit)
    return "%dns" % duration_ns
