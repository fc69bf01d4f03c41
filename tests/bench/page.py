# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/performance.md, its picture and the samples behind them: written from one run. Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from tests.bench import goals
from tests.bench.goals import FIGURES, FORWARDING, GOALS, NOTHING, RATIO, Goal, Samples
from tests.bench.picture import draw
from tests.bench.shapes import KEEPALIVED, NOBODY, OURS, SHAPES, VLANS

SPEAKERS = (OURS, KEEPALIVED)
# Kernel threads and the bench itself stay below that.
QUIET_SHARE = 0.2

INTRODUCTION = """\
<!-- Written by `UPDATE_BENCH=1 make bench`; do not edit. -->

# Beside keepalived: what it costs, and how punctual it is

`make bench` builds each shape below in network namespaces, runs our release and keepalived in it
in turn, several rounds in random order, and prints this table. `make bench QUICK=1` is a small
part of it, to see that it works. All numbers are of one run on one machine; what holds elsewhere
is their ratio.
"""

METHOD = """\
## How it is measured

- Two routers, a namespace each, are joined by a veth pair for each VLAN, which stands for an
  802.1Q interface; in shapes on one interface there is one. Priorities are 200 and 100, version 3
  over IPv4, one virtual address for each group, accept mode. Every round has new namespaces.
- Ours is the built release, run by the system's Python as its unit runs it: SCHED_RR, priority 50.
- keepalived is Debian's, in its own root file system, with `use_vmac`, in the scheduling class of
  its default. One of its defaults is changed, in its favour: its netlink sockets have room for
  1,000 interfaces (`vrrp_netlink_*_rcv_bufs`), without which instances stay in FAULT.
- The steady state begins 6.6 s after the master became it: by then both have repeated their
  gratuitous ARPs. The same time passes between its return after the stop and its SIGKILL.
- *Processor time* is the scheduler's sum for all processes of a daemon (schedstat), divided by the
  packets that left the master's interfaces. Nothing listens meanwhile. On veth the receiver's half
  of the kernel's work is done in the sender's context, for both alike.
- *Punctuality* is of adverts as the backup's kernel stamped them: a ring (packet(7)) that nobody
  reads before the window ends. An error is the difference to the configured interval, so drift
  counts as well as jitter. *Held*: adverts sent, of those that were due.
- *Takeover*: the master gets SIGKILL; the first advert of the backup after the last one that it
  heard, less its master down interval. *Cold start*: from the start of the process to the first
  advert of the last group, less the master down interval.
- *Stop*: from SIGTERM to the end of the process. The RFC's successor waits for its skew time after
  the good-bye, and our master forwards until it hears it; the goal is for what comes on top.
  *Left behind*: virtual MAC devices and virtual addresses.
- *Reload*: the priority of one group changes, by SIGHUP; the longest silence of any other group.
- *4 hogs*: four processes that only compute, at the same priority as everybody else.
- *A forwarded packet*: a flood of UDP through a router that is master of all groups; sender,
  router and sink share one context, so its processor time is the whole cost of a packet. *Not
  measurable*: not above the dearest round without a daemon.

Values are medians over rounds, with the least and the greatest round in brackets; the number of
rounds is in the head of a column (of VLANs at 1 s: windows of one start). Counts are of the worst
round. A goal is judged by the median, unless its words say max.
"""


def render(run: Mapping[str, Any]) -> str:
    """The page of a run, as __main__.py records it."""
    samples: Samples = run["samples"]
    parts = [INTRODUCTION, *_machine(run), "", *_disturbed(samples)]
    parts += ["## Goals", "", *_goals(samples), ""]
    parts += ["![processor time of the master](performance.svg)", ""]
    parts += ["## All figures", ""]
    for name in _measured(samples):
        parts += ["### " + goals.shape_title(name), "", *_figures(samples, name), ""]
    failures = run.get("failures", [])
    if failures:
        parts += ["## What failed", "", *("- %s" % failure for failure in failures), ""]
    return "\n".join([*parts, METHOD])


def picture(run: Mapping[str, Any]) -> str:
    """How the master's processor time grows with the number of VLANs."""
    samples: Samples = run["samples"]
    lines: Dict[str, List[Tuple[int, float]]] = {}
    for side in ("master", "backup"):
        for speaker in SPEAKERS:
            lines["%s, %s" % (speaker, side)] = [
                (shape.count, goals.summed_up(samples, name, speaker, side + "_share"))
                for name, shape in SHAPES.items()
                if shape.layout == VLANS
                and shape.interval_s == 1
                and goals.values(samples, name, speaker, side + "_share")
            ]
    return draw("Processor time at an interval of 1 s, of one processor", lines)


def _measured(samples: Samples) -> List[str]:
    return [name for name in (*SHAPES, FORWARDING) if samples.get(name)]


def _machine(run: Mapping[str, Any]) -> Iterator[str]:
    for key in ("commit", "date", "machine", "kernel", "versions", "command", "order", "load"):
        yield "- %s: %s" % (key, run[key])


def _disturbed(samples: Samples) -> List[str]:
    """A warning if other work took more than a little of the machine."""
    found = []
    for name in _measured(samples):
        for speaker in SPEAKERS:
            found += goals.values(samples, name, speaker, "others_share")
    if goals.middle(found) <= QUIET_SHARE or not found:
        return []
    words = (
        "**This machine was busy with other work: %s of one processor while processor time was "
        "measured (median). Who waits in the queue behind others wakes up less often, which is "
        "cheaper and later; measure again on a quiet machine.**"
    )
    return [words % FIGURES["others_share"][1].show(goals.middle(found)), ""]


def _goals(samples: Samples) -> Iterator[str]:
    yield _row("figure", "shape", "goal", "vlangate", "keepalived", "ratio", "")
    yield _row(*["---"] * 7)
    for goal in GOALS:
        shown = [_shown(samples, goal.shape, speaker, goal) for speaker in SPEAKERS]
        verdict = _verdict(goal, samples)
        shape = goals.shape_title(goal.shape)
        yield _row(goal.words, shape, goal.asked, *shown, _ratio(samples, goal), verdict)


def _verdict(goal: Goal, samples: Samples) -> str:
    if not goals.values(samples, goal.shape, OURS, goal.figure):
        return "not measured"
    return "met" if goals.is_met(goal, samples) else "**not met**"


def _shown(samples: Samples, shape: str, speaker: str, goal: Goal) -> str:
    found = goals.values(samples, shape, speaker, goal.figure)
    unit = FIGURES[goal.figure][1]
    text = unit.show(goal.sum_up(found)) if found else "-"
    if goal.kind == NOTHING and speaker == OURS:
        alone = goals.values(samples, shape, NOBODY, goal.figure)
        text += " (without: %s)" % _spread(alone, goal.figure)
    return text


def _ratio(samples: Samples, goal: Goal) -> str:
    ours = goals.values(samples, goal.shape, OURS, goal.figure)
    theirs = goals.values(samples, goal.shape, KEEPALIVED, goal.figure)
    if not ours or not theirs or not goal.sum_up(theirs):
        return ""
    ratio = goal.sum_up(ours) / goal.sum_up(theirs)
    return "%.2f" % ratio if goal.kind == RATIO or 0.005 < ratio < 1000 else ""


def _figures(samples: Samples, shape: str) -> Iterator[str]:
    speakers = [each for each in (*SPEAKERS, NOBODY) if samples[shape].get(each)]
    counts = [len(samples[shape][speaker]) for speaker in speakers]
    yield _row("", *("%s (%d)" % each for each in zip(speakers, counts)))
    yield _row(*["---"] * (len(speakers) + 1))
    for figure, (words, _unit) in FIGURES.items():
        found = [goals.values(samples, shape, speaker, figure) for speaker in speakers]
        if any(found):
            yield _row(words, *(_spread(each, figure) for each in found))


def _spread(found: Sequence[float], figure: str) -> str:
    if not found:
        return "-"
    unit = FIGURES[figure][1]
    if figure in goals.WORST:
        return unit.show(max(found))
    text = unit.show(goals.middle(found))
    if len(found) == 1:
        return text
    return "%s [%s - %s]" % (text, unit.show(min(found)), unit.show(max(found)))


def _row(*fields: str) -> str:
    return "| %s |" % " | ".join(fields)
