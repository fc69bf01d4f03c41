# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which probes were lost, and for how long there was no answer. Pure: times come in.

A probe is lost when its answer does not come within a second. An outage lasts from the first lost
probe to the next one that was answered, or to the last one of all.
"""

from __future__ import annotations

import typing as t
from array import array
from bisect import bisect_left

NS_PER_S = 1_000_000_000
TIMEOUT_NS = NS_PER_S
#: A probe younger than this may still be under way, and is not judged yet.
UNDER_WAY_NS = 100_000_000
#: So many samples are enough for a picture; their length is one that people can read.
MOST_SAMPLES = 600
SAMPLE_TENTHS = (1, 2, 5, 10, 20, 50, 100, 200, 300, 600)
HOUR_TENTHS = 36000
_FOREVER_NS = 1 << 63


class Outage(t.NamedTuple):
    """A time without answers, and how many probes it cost."""

    start_ns: int
    end_ns: int
    lost: int

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.end_ns - self.start_ns) / NS_PER_S


class Probes:
    """The probes of one target, by number: when each was sent, and which were answered."""

    def __init__(self) -> None:
        self._sent_ns = array("q")
        self._answered = bytearray()

    def __len__(self) -> int:
        return len(self._sent_ns)

    def sent(self, now_ns: int) -> None:
        """The next probe is on its way."""
        self._sent_ns.append(now_ns)
        self._answered.append(0)

    def answer(self, number: int, now_ns: int) -> None:
        """An answer has come; one that is too late, or that nobody asked for, does not count."""
        if 0 <= number < len(self) and now_ns - self._sent_ns[number] <= TIMEOUT_NS:
            self._answered[number] = 1

    def all_answered(self) -> bool:
        """True when no probe is lost or under way."""
        return self._answered.find(0) < 0

    def steady_seconds(self, now_ns: int) -> float:
        """For how long every probe has been answered that is not still under way."""
        settled = bisect_left(self._sent_ns, now_ns - UNDER_WAY_NS)
        if settled == 0:
            return 0.0
        last_lost = self._answered.rfind(0, 0, settled)
        since = self._sent_ns[last_lost + 1] if last_lost + 1 < len(self) else now_ns
        return max(0.0, (now_ns - since) / NS_PER_S)

    def span(self, start_ns: int, stop_ns: int) -> t.Tuple[int, int]:
        """The numbers of the probes that were sent in a time: the first, and the one behind."""
        return bisect_left(self._sent_ns, start_ns), bisect_left(self._sent_ns, stop_ns)

    def lost(self, first: int, end: int) -> int:
        """How many of these probes were not answered."""
        return self._answered.count(0, first, end)

    def outages(self, first: int, end: int) -> t.List[Outage]:
        """The times without answers that begin with one of these probes."""
        found = []
        number = self._answered.find(0, first, end)
        while number >= 0:
            back = self._answered.find(1, number)
            until = len(self) - 1 if back < 0 else back
            lost = self._answered.count(0, number, len(self) if back < 0 else back)
            found.append(Outage(self._sent_ns[number], self._sent_ns[until], lost))
            number = self._answered.find(0, until + 1, end)
        return found

    def samples(self, first: int, end: int) -> t.List[t.Tuple[int, int, int, int]]:
        """How many were sent and lost in times of the same length: start, length, sent, lost."""
        if first >= end:
            return []
        start_ns = self._sent_ns[first]
        length_ns = _sample_length_ns(self._sent_ns[end - 1] - start_ns)
        found = []
        while first < end:
            behind = min(end, bisect_left(self._sent_ns, start_ns + length_ns))
            found.append((start_ns, length_ns, behind - first, self.lost(first, behind)))
            first, start_ns = behind, start_ns + length_ns
        return found


def _sample_length_ns(whole_ns: int) -> int:
    tenth_ns = NS_PER_S // 10
    needed = whole_ns // (tenth_ns * MOST_SAMPLES) + 1
    fitting = [each for each in SAMPLE_TENTHS if each >= needed]
    return (fitting[0] if fitting else -(-needed // HOUR_TENTHS) * HOUR_TENTHS) * tenth_ns


def figures(target: str, probes: Probes, since_ns: int, epoch_ns: int) -> t.Dict[str, t.Any]:
    """What vrrp_probe returns of one target. epoch_ns: the time of day at monotonic zero."""

    def seconds(time_ns: int) -> float:
        return round((epoch_ns + time_ns) / NS_PER_S, 6)

    first, end = probes.span(since_ns, _FOREVER_NS)
    lost = probes.lost(first, end)
    outages = probes.outages(first, end)
    return {
        "target": target,
        "sent": end - first,
        "received": end - first - lost,
        "lost": lost,
        "longest": round(max((each.seconds for each in outages), default=0.0), 6),
        "outages": [
            {
                "target": target,
                "start": seconds(each.start_ns),
                "end": seconds(each.end_ns),
                "seconds": round(each.seconds, 6),
                "lost": each.lost,
            }
            for each in outages
        ],
        "samples": [
            {
                "target": target,
                "start": seconds(start_ns),
                "seconds": length_ns / NS_PER_S,
                "sent": sent,
                "lost": missing,
            }
            for start_ns, length_ns, sent, missing in probes.samples(first, end)
        ],
    }


def together(targets: t.Sequence[t.Dict[str, t.Any]]) -> t.Dict[str, t.Any]:
    """The figures of all targets as one: sums, and lists in which each entry names its target."""
    result: t.Dict[str, t.Any] = {
        name: sum(each[name] for each in targets) for name in ("sent", "received", "lost")
    }
    result["longest"] = max(each["longest"] for each in targets)
    for name in ("outages", "samples"):
        result[name] = sorted(
            (entry for each in targets for entry in each[name]), key=lambda entry: entry["start"]
        )
    result["targets"] = [
        {name: each[name] for name in ("target", "sent", "received", "lost", "longest")}
        for each in targets
    ]
    return result
