# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How late the host was, and how long nothing was advertised or heard meanwhile. Layer L3.

A backup takes over three intervals (and its Skew_Time) after the last advertisement. Whoever hears
that two had passed can do something about it before a role changes.

A master's deadlines are a grid: two of its advertisements are never further apart than an interval
and what the later one was late. So only late wake-ups are looked at, and punctual ones cost
nothing.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from ..facts import format_address
from ..fsm.events import AdvertisementReceived
from ..units import format_ns, ns_from_cs
from .actions import Notify
from .bound_router import BoundRouter, Longest, Occurrence

# What an idle host needs to wake up; each next bucket is twice as wide, the last one is open.
FIRST_BUCKET_NS = 125_000
BUCKETS = 16
BOUNDS_NS = tuple(FIRST_BUCKET_NS << number for number in range(BUCKETS))
# Below that nobody is interested in the gap that follows from it.
LATE_NS = 1_000_000
# One interval is left then, of the three after which others take over.
ALARMING_INTERVALS = 2
# The kind of what is told of it, and what counts it.
KIND = "gap"
SENT, HEARD = "gaps-sent", "gaps-heard"


def longest(before: Optional[Longest], duration_ns: int, now_ns: int) -> Longest:
    """The longer one; of equals the first."""
    if before is not None and before.duration_ns >= duration_ns:
        return before
    return Longest(duration_ns, now_ns)


class Lateness:
    """How long after its deadline was begun what was due: a histogram of wake-ups."""

    def __init__(self) -> None:
        # One for each of BOUNDS_NS, up to and including it, and one for what is beyond.
        self.counts = [0] * (BUCKETS + 1)
        self.sum_ns = 0
        self.longest: Optional[Longest] = None

    def add(self, late_ns: int, now_ns: int) -> None:
        """Something is begun so late; not negative."""
        bucket = ((late_ns - 1) // FIRST_BUCKET_NS).bit_length() if late_ns else 0
        self.counts[min(bucket, BUCKETS)] += 1
        self.sum_ns += late_ns
        self.longest = longest(self.longest, late_ns, now_ns)

    def document(self, now_ns: int) -> Dict[str, Any]:
        """JSON-ready; see docs/control.md."""
        return {
            "bounds_ns": list(BOUNDS_NS),
            "counts": list(self.counts),
            "sum_ns": self.sum_ns,
            "longest": in_document(self.longest, now_ns),
        }


def in_document(found: Optional[Longest], now_ns: int) -> Optional[Dict[str, int]]:
    """JSON-ready, with an age in place of a time."""
    if found is None:
        return None
    return {"duration_ns": found.duration_ns, "age_ns": now_ns - found.at_ns}


class GapWatch:
    """Looks at the gaps of all virtual routers of a host, and warns of those that alarm.

    What one step brings about is one line: who was held up was so for all of them.
    """

    def __init__(self) -> None:
        # By counter: how long, of whom, and in words.
        self._alarms: Dict[str, List[Tuple[int, str, str]]] = {}

    def advertises(self, bound: BoundRouter, now_ns: int) -> None:
        """It is about to, in a wake-up that was at least LATE_NS late."""
        gap_ns = bound.machine.unadvertised_ns(now_ns) if bound.machine else None
        if gap_ns is None:
            return
        bound.sent_gap = longest(bound.sent_gap, gap_ns, now_ns)
        interval_ns = ns_from_cs(bound.parameters.advertisement_interval_cs)
        if gap_ns > ALARMING_INTERVALS * interval_ns:
            text = "%s passed between two advertisements of its own; others take over after %s"
            dead_ns = (ALARMING_INTERVALS + 1) * interval_ns
            self._alarm(bound, SENT, gap_ns, text % (format_ns(gap_ns), format_ns(dead_ns)), now_ns)

    def hears(self, bound: BoundRouter, advert: AdvertisementReceived, now_ns: int) -> None:
        """An advertisement that its machine has not been told of yet."""
        machine = bound.machine
        gap_ns = machine.unheard_ns(advert, now_ns) if machine else None
        if machine is None or gap_ns is None:
            bound.heard_limit_ns = 0  # look at the next one, whatever its interval
            return
        bound.heard_gap = longest(bound.heard_gap, gap_ns, now_ns)
        alarming_ns = ALARMING_INTERVALS * ns_from_cs(advert.interval_cs)
        bound.heard_limit_ns = min(bound.heard_gap.duration_ns, alarming_ns)
        if gap_ns > alarming_ns:
            text = "%s passed between two advertisements of %s; it is taken for dead after %s"
            dead_ns = machine.snapshot(now_ns).master_down_interval_ns
            words = (format_ns(gap_ns), format_address(advert.source), format_ns(dead_ns))
            self._alarm(bound, HEARD, gap_ns, text % words, now_ns)

    def _alarm(
        self, bound: BoundRouter, counter: str, gap_ns: int, sentence: str, now_ns: int
    ) -> None:
        bound.count(counter)
        if bound.log_limit.may_log(counter, now_ns):
            bound.occurrences.append(Occurrence(now_ns, KIND, sentence))
            self._alarms.setdefault(counter, []).append((gap_ns, bound.config.name, sentence))

    def notes(self) -> Sequence[Notify]:
        """What to tell of the step that ends; the longest one speaks for all."""
        if not self._alarms:
            return ()
        alarms, self._alarms = self._alarms, {}
        return [_note(counter, found) for counter, found in alarms.items()]


def _note(counter: str, found: List[Tuple[int, str, str]]) -> Notify:
    gap_ns, name, sentence = max(found)
    others = len(found) - 1
    more = " (and %d more)" % others if others else ""
    data = {"counter": counter, "gap_ns": gap_ns, "others": others}
    return Notify(KIND, name, sentence + more, data)
