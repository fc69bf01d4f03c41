# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published: each figure with its words and unit, and what was asked of it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from tests.bench.figures import median
from tests.bench.shapes import KEEPALIVED, NOBODY, OURS, SHAPES

# By shape, speaker: the figures of each round.
Samples = Mapping[str, Mapping[str, Sequence[Mapping[str, float]]]]
FORWARDING = "forwarding"
RATIO, AT_MOST, AT_LEAST, BESIDE, NOTHING = "ratio", "at most", "at least", "beside", "nothing"


@dataclass(frozen=True)
class Unit:
    """How a figure is shown: divided, with so many digits."""

    name: str
    divisor: float = 1.0
    digits: int = 3

    def show(self, value: float) -> str:
        """In words."""
        if math.isnan(value):
            return "-"
        number = value / self.divisor
        digits = self.digits
        if abs(number) >= 1:
            digits = max(0, digits - 1 - int(math.log10(abs(number))))
        text = "%.*f" % (digits, number)
        return (text + " " + self.name).strip()


MS, SECONDS, MIB = Unit("ms", 1e6), Unit("s"), Unit("MiB", 1024)
COST, SHARE, ERROR = Unit("ms", 1e3), Unit("%", 0.01), Unit("%", 0.01, 4)
COUNT, NS = Unit("", 1, 0), Unit("ns", 1, 4)

FIGURES: Dict[str, Tuple[str, Unit]] = {
    "master_ns_per_advert": ("master: processor time per 1,000 adverts", COST),
    "backup_ns_per_advert": ("backup: processor time per 1,000 adverts", COST),
    "master_share": ("master: of one processor", SHARE),
    "backup_share": ("backup: of one processor", SHARE),
    "others_share": ("all else on this machine meanwhile: of one processor", SHARE),
    "held": ("adverts held", Unit("%", 0.01, 5)),
    "interval_error": ("mean interval error", ERROR),
    "jitter_p50_ns": ("gap between adverts, error p50", MS),
    "jitter_p99_ns": ("gap between adverts, error p99", MS),
    "jitter_max_ns": ("gap between adverts, error max", MS),
    "false_takeovers": ("groups taken over though the master lives", COUNT),
    "hogs_held": ("4 hogs: adverts held", Unit("%", 0.01, 5)),
    "hogs_jitter_p50_ns": ("4 hogs: gap error p50", MS),
    "hogs_jitter_p99_ns": ("4 hogs: gap error p99", MS),
    "hogs_jitter_max_ns": ("4 hogs: gap error max", MS),
    "hogs_false_takeovers": ("4 hogs: groups taken over though the master lives", COUNT),
    "takeover_first_ns": ("takeover, over the RFC's wait: first group", MS),
    "takeover_p50_ns": ("takeover, over the RFC's wait: p50", MS),
    "takeover_p99_ns": ("takeover, over the RFC's wait: p99", MS),
    "takeover_last_ns": ("takeover, over the RFC's wait: last group", MS),
    "takeover_missing": ("takeover: groups without", COUNT),
    "cold_start_ns": ("cold start, over the RFC's wait: last group", Unit("s", 1e9)),
    "stop_s": ("stop of the master", SECONDS),
    "stop_over_skew_s": ("stop, over the successor's skew time", SECONDS),
    "stop_leftovers": ("stop: devices and addresses left behind", COUNT),
    "hand_over_p50_ns": ("stop: from the good-bye to the successor's advert, p50", MS),
    "hand_over_max_ns": ("stop: from the good-bye to the successor's advert, max", MS),
    "hand_over_missing": ("stop: groups not handed over", COUNT),
    "reload_gap_ns": ("reload of one group: longest silence of another", MS),
    "reload_false_takeovers": ("reload of one group: groups taken over", COUNT),
    "rss_kib": ("resident memory", MIB),
    "pss_kib": ("proportional memory", MIB),
    "forwarded_ns": ("processor time of a forwarded packet", NS),
}
# Of these the worst round counts, of all others the middle one.
WORST = ("false_takeovers", "hogs_false_takeovers", "takeover_missing", "stop_leftovers",
         "hand_over_missing", "reload_false_takeovers")  # fmt: skip


def middle(values: Sequence[float]) -> float:
    """The median."""
    return median(values)


def worst(values: Sequence[float]) -> float:
    """The greatest."""
    return max(values, default=math.nan)


@dataclass(frozen=True)
class Goal:
    """One figure of one shape, what is asked of it, and how its rounds are summed up."""

    words: str
    shape: str
    figure: str
    kind: str
    limit: float = 0.0
    sum_up: Callable[[Sequence[float]], float] = middle

    @property
    def asked(self) -> str:
        """The goal in words."""
        unit = FIGURES[self.figure][1]
        return {
            RATIO: "<= %gx" % self.limit,
            AT_MOST: "<= " + unit.show(self.limit) if self.limit else "0",
            AT_LEAST: ">= " + unit.show(self.limit),
            BESIDE: "<= keepalived's",
            NOTHING: "not measurable",
        }[self.kind]


def _goals() -> List[Goal]:
    found = []
    for side in ("master", "backup"):
        for shape, limit in (("one-250", 0.5), ("one-250-fast", 0.5), ("vlans-1000-fast", 0.4)):
            limit = limit if side == "master" else 0.5
            words = "%s: processor time per advert" % side
            found.append(Goal(words, shape, side + "_ns_per_advert", RATIO, limit))
    for shape in ("vlans-1000-fast", "vlans-4000"):
        found.append(Goal("adverts held", shape, "held", AT_LEAST, 0.999))
        found.append(Goal("mean interval error", shape, "interval_error", AT_MOST, 0.0005))
    for shape, limit_ns in (("one-250-fast", 2e6), ("vlans-1000-fast", 5e6)):
        found.append(Goal("jitter p99", shape, "jitter_p99_ns", AT_MOST, limit_ns))
    late = "takeover over the RFC's wait"
    found.append(Goal(late + ", p50", "one-1", "takeover_last_ns", AT_MOST, 5e5))
    found.append(Goal(late + ", max", "one-1", "takeover_last_ns", BESIDE, 0, worst))
    words, shape = late + ", last group", "vlans-1000-fast"
    found.append(Goal(words, shape, "takeover_last_ns", AT_MOST, 6e7))
    hogs = "under 4 hogs: "
    found.append(Goal(hogs + "gap error p99", "one-250-fast", "hogs_jitter_p99_ns", AT_MOST, 1e6))
    words, figure = hogs + "false takeovers in all rounds", "hogs_false_takeovers"
    found.append(Goal(words, "one-250-fast", figure, AT_MOST, 0, worst))
    for shape, limit_s in (("one-250-fast", 0.5), ("one-250", 0.5), ("vlans-1000-fast", 1.0)):
        words = "cold start over the RFC's wait"
        found.append(Goal(words, shape, "cold_start_ns", AT_MOST, limit_s * 1e9))
        words = "stop over the successor's skew time"
        found.append(Goal(words, shape, "stop_over_skew_s", AT_MOST, limit_s))
        found.append(Goal("left behind by a stop", shape, "stop_leftovers", AT_MOST, 0, worst))
    found.append(Goal("resident memory", "vlans-1000-fast", "rss_kib", AT_MOST, 30 * 1024))
    found.append(Goal("cost added to a forwarded packet", FORWARDING, "forwarded_ns", NOTHING))
    return found


GOALS = _goals()


def values(samples: Samples, shape: str, speaker: str, figure: str) -> List[float]:
    """A figure in all rounds that brought it."""
    rounds = samples.get(shape, {}).get(speaker, [])
    found = [each[figure] for each in rounds if figure in each]
    return [value for value in found if not math.isnan(value)]


def summed_up(samples: Samples, shape: str, speaker: str, figure: str) -> float:
    """A figure over all rounds."""
    found = values(samples, shape, speaker, figure)
    return worst(found) if figure in WORST else middle(found)


def shape_title(name: str) -> str:
    """Of a shape, or of the flood."""
    return SHAPES[name].title if name in SHAPES else "250 on one interface @ 1 s, a flood"


def is_met(goal: Goal, samples: Samples) -> bool:
    """Whether what was measured is as asked. What was not measured is not."""
    ours = values(samples, goal.shape, OURS, goal.figure)
    if not ours:
        return False
    theirs = values(samples, goal.shape, KEEPALIVED, goal.figure)
    value = goal.sum_up(ours)
    if goal.kind == RATIO:
        return bool(theirs) and value <= goal.limit * goal.sum_up(theirs)
    if goal.kind == BESIDE:
        return bool(theirs) and value <= goal.sum_up(theirs)
    if goal.kind == NOTHING:
        # Within what the rounds without a daemon differ among themselves.
        alone = values(samples, goal.shape, NOBODY, goal.figure)
        return bool(alone) and value <= max(alone)
    return value >= goal.limit if goal.kind == AT_LEAST else abs(value) <= goal.limit
