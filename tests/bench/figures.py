# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From adverts and samples to figures. Pure: times are the kernel's, in ns."""

from __future__ import annotations

import math
from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

# Index of the interface, VRID.
Key = Tuple[int, int]


class Advert(NamedTuple):
    """One advertisement at the backup's interface. is_own: sent by it, else received."""

    time_ns: int
    is_own: bool
    group: Key
    priority: int


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that a share (0 to 1) of all does not exceed. Of no value: NaN."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of both in the middle. Of no value: NaN."""
    if not values:
        return math.nan
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def by_group(adverts: Iterable[Advert]) -> Dict[Key, List[int]]:
    """The times of each group's adverts."""
    found: Dict[Key, List[int]] = {}
    for advert in adverts:
        found.setdefault(advert.group, []).append(advert.time_ns)
    return found


def steady(
    adverts: Iterable[Advert],
    groups: Sequence[Key],
    interval_ns: int,
    window_ns: Tuple[int, int],
) -> Dict[str, float]:
    """How well a master kept its interval in a window.

    held: adverts sent, of those that were due. interval_error: of the mean interval, as a share.
    jitter_*_ns: how much a gap between two adverts differs from the interval. false_takeovers:
    groups in which the backup advertised though the master lives.
    """
    begin_ns, end_ns = window_ns
    inside = [each for each in adverts if begin_ns <= each.time_ns < end_ns]
    received = by_group(each for each in inside if not each.is_own)
    sent, due, gaps = 0, 0.0, []
    for group in groups:
        times = received.get(group, [])
        gaps += [later - earlier for earlier, later in zip(times, times[1:])]
        span_ns = times[-1] - times[0] if times else 0
        sent += len(times)
        # The phase within the window is unknown, so one more or less at its ends is no miss.
        due += max((span_ns / interval_ns + 1) * bool(times), (end_ns - begin_ns) // interval_ns)
    errors = [abs(gap - interval_ns) for gap in gaps]
    return {
        "held": sent / due,
        "interval_error": sum(gaps) / (len(gaps) * interval_ns) - 1 if gaps else math.nan,
        "jitter_p50_ns": percentile(errors, 0.5),
        "jitter_p99_ns": percentile(errors, 0.99),
        "jitter_max_ns": max(errors, default=math.nan),
        "false_takeovers": float(len({each.group for each in inside if each.is_own})),
    }


def takeover(
    adverts: Sequence[Advert], groups: Sequence[Key], master_down_ns: int, killed_ns: int
) -> Dict[str, float]:
    """How much later than the RFC allows a backup advertised after its master was killed.

    takeover_missing: groups in which it did not.
    """
    last: Dict[Key, int] = {}
    first: Dict[Key, int] = {}
    for advert in adverts:
        if not advert.is_own:
            last[advert.group] = advert.time_ns
        elif advert.time_ns >= killed_ns:
            first.setdefault(advert.group, advert.time_ns)
    late = [first[g] - last[g] - master_down_ns for g in groups if g in first and g in last]
    return {
        "takeover_first_ns": min(late, default=math.nan),
        "takeover_p50_ns": percentile(late, 0.5),
        "takeover_p99_ns": percentile(late, 0.99),
        "takeover_last_ns": max(late, default=math.nan),
        "takeover_missing": float(len(groups) - len(late)),
    }


def hand_over(adverts: Sequence[Advert], groups: Sequence[Key]) -> Dict[str, float]:
    """A master stopped in order: how long a group had no master's advert, whoever sent it.

    hand_over_missing: groups of which the master did not take leave, or that nobody took over.
    """
    left: Dict[Key, int] = {}
    taken: Dict[Key, int] = {}
    for advert in adverts:
        if not advert.is_own and advert.priority == 0:
            left.setdefault(advert.group, advert.time_ns)
        elif advert.is_own:
            taken.setdefault(advert.group, advert.time_ns)
    waits = [taken[group] - left[group] for group in groups if group in left and group in taken]
    return {
        "hand_over_p50_ns": percentile(waits, 0.5),
        "hand_over_max_ns": max(waits, default=math.nan),
        "hand_over_missing": float(len(groups) - len(waits)),
    }


def largest_gap_ns(
    adverts: Iterable[Advert], groups: Sequence[Key], window_ns: Tuple[int, int]
) -> float:
    """The longest silence of any of these groups in a window, its ends included."""
    begin_ns, end_ns = window_ns
    received = by_group(each for each in adverts if not each.is_own)
    largest = 0
    for group in groups:
        inside = [at for at in received.get(group, []) if begin_ns <= at < end_ns]
        times = [begin_ns, *inside, end_ns]
        largest = max(largest, *(later - earlier for earlier, later in zip(times, times[1:])))
    return float(largest)
