# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of a drill, from its exercises and what was noted meanwhile. Pure.

A note is a dictionary with the number of its exercise, its phase (the kind of the exercise, or
return) and its host, and any of: at, until and event (something that was done), began and ended (of
the phase, by the clock of the controller) and watched (seconds at most), observed (of vrrp_drill),
measured (of vrrp_probe), failure.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .drill_plan import KINDS, RETURN
from .drill_timeline import Gap, Observation, Reign, reigns, without_master

#: Kinds that end the process, and with it what it remembers.
ENDS_DAEMON = ("stop", "kill", "crash")
#: Seconds by which the clock of a host may differ before the pictures are said to be off.
CLOCK_S = 2.0
#: Seconds by which a host may send its probes late before that is told.
LATE_S = 0.02
#: Seconds around the first and the last event of a picture.
MARGIN_S = 1.0

Note = Mapping[str, t.Any]


@dataclass(frozen=True)
class Probing:
    """What one host has lost of what it sent to one address."""

    host: str
    target: str
    sent: int
    lost: int
    outages: tuple[Gap, ...]
    watched: tuple[float, float]

    @property
    def seconds(self) -> float:
        """For how long there was no answer, in all."""
        return sum(each.seconds for each in self.outages)


@dataclass(frozen=True)
class Cost:
    """What a phase cost a group, and what it may cost. by: how we know. seconds None: we do not."""

    phase: str
    seconds: float | None
    lost: int | None
    limit: float
    by: str

    @property
    def is_kept(self) -> bool:
        """Whether the budget was kept; what nobody knows was not."""
        return self.seconds is not None and self.seconds <= self.limit

    @property
    def told(self) -> str:
        """For people."""
        if self.seconds is None:
            return "not known"
        return "%.3f s" % self.seconds


@dataclass(frozen=True)
class GroupResult:
    """A group in an exercise."""

    name: str
    vip: str
    members: tuple[str, ...]
    costs: tuple[Cost, ...]
    reigns: tuple[Reign, ...]
    probings: tuple[Probing, ...]

    @property
    def is_kept(self) -> bool:
        """Whether every budget was kept."""
        return all(cost.is_kept for cost in self.costs)


@dataclass(frozen=True)
class Event:
    """Something that was done to a router."""

    at: float
    phase: str
    router: str
    text: str


@dataclass(frozen=True)
class Result:
    """An exercise with its verdict. failures: what went wrong besides the budget."""

    number: int
    kind: str
    router: str
    span: tuple[float, float]
    events: tuple[Event, ...]
    groups: tuple[GroupResult, ...]
    paths: tuple[tuple[str, Cost], ...]
    failures: tuple[str, ...]
    remarks: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """What was done to whom."""
        return "%s on %s: %s" % (self.kind, self.router, KINDS[self.kind])

    @property
    def broken(self) -> list[str]:
        """Everything that is wrong, a sentence each."""
        costs = [(group.name, cost) for group in self.groups for cost in group.costs]
        form = "%s, %s: nobody answered for %s (by %s), the budget is %.3f s"
        over = [
            form % (cost.phase, name, cost.told, cost.by, cost.limit)
            for name, cost in [*costs, *self.paths]
            if not cost.is_kept
        ]
        return ["%s on %s: %s" % (self.kind, self.router, each) for each in [*over, *self.failures]]


def results(exercises: Sequence[Mapping[str, t.Any]], notes: Sequence[Note]) -> list[Result]:
    """The verdict on each exercise that was begun."""
    found = []
    for number, exercise in enumerate(exercises):
        own = [note for note in notes if note["exercise"] == number]
        if own:
            found.append(_result(number, exercise, own))
    return found


def _result(number: int, exercise: Mapping[str, t.Any], notes: Sequence[Note]) -> Result:
    kind, router = exercise["kind"], exercise["router"]
    events = _events(kind, notes)
    seen = {note["host"]: note["observed"] for note in notes if "observed" in note}
    struck = [note for note in notes if "event" in note and note["phase"] == kind]
    ended = {note["host"]: (note["at"], note["until"]) for note in struck if kind in ENDS_DAEMON}
    probings = {phase: _probings(notes, phase) for phase in (kind, RETURN)}
    span = _span(notes, events)
    groups = [
        _group(group, reigns(group, seen, span, ended), probings, _spans(kind, span, events), seen)
        for group in exercise["groups"]
    ]
    vips = {group["vip"] for group in exercise["groups"]}
    return Result(
        number=number,
        kind=kind,
        router=router,
        span=span,
        events=tuple(events),
        groups=tuple(groups),
        paths=tuple(_paths(exercise, probings, vips)),
        # Several hosts may say the same of a group.
        failures=tuple(dict.fromkeys(_failures(exercise, notes))),
        remarks=tuple(_remarks(notes)),
    )


def _events(kind: str, notes: Sequence[Note]) -> list[Event]:
    told = [
        Event(note["at"], note["phase"], note["host"], note["event"])
        for note in notes
        if "event" in note
    ]
    told += [
        Event(drain["at"], kind if drain["drained"] else RETURN, note["host"], drain["event"])
        for note in notes
        for drain in note.get("observed", {}).get("drains", ())
    ]
    return sorted(told, key=lambda event: event.at)


def _span(notes: Sequence[Note], events: Sequence[Event]) -> tuple[float, float]:
    """From the first event to the last thing that happened."""
    times = [event.at for event in events]
    times += [
        change["at"]
        for note in notes
        for group in note.get("observed", {}).get("groups", ())
        for change in group["transitions"]
    ]
    times += [
        outage[edge]
        for note in notes
        for outage in note.get("measured", {}).get("outages", ())
        for edge in ("start", "end")
    ]
    if not times:
        times = [note["ended"] for note in notes if "ended" in note] or [0.0]
    return min(times) - MARGIN_S, max(times) + MARGIN_S


def _probings(notes: Sequence[Note], phase: str) -> list[Probing]:
    found = []
    for note in notes:
        if note["phase"] != phase or "measured" not in note:
            continue
        measured = note["measured"]
        for target in measured["targets"]:
            address = target["target"]
            outages = tuple(
                Gap(each["start"], each["end"])
                for each in measured["outages"]
                if each["target"] == address
            )
            sent, lost, watched = target["sent"], target["lost"], _watched(measured, address)
            found.append(Probing(note["host"], address, sent, lost, outages, watched))
    return found


def _watched(measured: Mapping[str, t.Any], address: str) -> tuple[float, float]:
    """From the first sample of an address to the end of the last."""
    samples = [each for each in measured["samples"] if each["target"] == address]
    if not samples:
        return (0.0, 0.0)
    return samples[0]["start"], samples[-1]["start"] + samples[-1]["seconds"]


def _group(
    group: Mapping[str, t.Any],
    found: Sequence[Reign],
    probings: Mapping[str, Sequence[Probing]],
    spans: Mapping[str, tuple[float, float]],
    seen: Mapping[str, Observation],
) -> GroupResult:
    own = {
        phase: [each for each in probings[phase] if each.target == group["vip"]]
        for phase in probings
    }
    costs = []
    for phase, limit in group["may_cost"].items():
        if own[phase]:
            costs.append(_measured(phase, own[phase], limit))
        elif all("groups" in seen.get(router, {}) for router in group["members"]):
            gaps = without_master(found, spans[phase])
            costs.append(Cost(phase, sum(gap.seconds for gap in gaps), None, limit, "the routers"))
        else:
            costs.append(Cost(phase, None, None, limit, "nobody"))
    return GroupResult(
        name=group["name"],
        vip=group["vip"],
        members=tuple(group["members"]),
        costs=tuple(costs),
        reigns=tuple(found),
        probings=tuple(each for phase in probings for each in own[phase]),
    )


def _measured(phase: str, probings: Sequence[Probing], limit: float) -> Cost:
    worst = max(probings, key=lambda each: each.seconds)
    return Cost(phase, worst.seconds, worst.lost, limit, "probes of %s" % worst.host)


def _spans(
    kind: str, span: tuple[float, float], events: Sequence[Event]
) -> dict[str, tuple[float, float]]:
    """The phases within a span: the return begins with what is done first to bring it about."""
    turn = min((event.at for event in events if event.phase == RETURN), default=span[1])
    return {kind: (span[0], turn), RETURN: (turn, span[1])}


def _paths(
    exercise: Mapping[str, t.Any], probings: Mapping[str, Sequence[Probing]], vips: set[str]
) -> t.Iterator[tuple[str, Cost]]:
    """Addresses behind the gateways: they may cost what the worst of the groups may."""
    for phase, all_of_phase in probings.items():
        limit = max(group["may_cost"][phase] for group in exercise["groups"])
        for each in all_of_phase:
            if each.target not in vips:
                yield "%s to %s" % (each.host, each.target), _measured(phase, [each], limit)


def _failures(exercise: Mapping[str, t.Any], notes: Sequence[Note]) -> t.Iterator[str]:
    for note in notes:
        if "failure" in note:
            yield "%s: %s" % (note["phase"], note["failure"])
        if "watched" in note and note["ended"] - note["began"] > note["watched"]:
            form = "%s, %s: it took %.1f s, and was watched for %.1f s only: raise %s"
            seconds = note["ended"] - note["began"]
            words = (note["phase"], note["host"], seconds, note["watched"], "vlangate_drill_watch")
            yield form % words
    if not any(note["host"] == exercise["router"] and "observed" in note for note in notes):
        form = "%s could not be asked afterwards; who is struck mends itself after a while"
        yield form % exercise["router"]


def _remarks(notes: Sequence[Note]) -> t.Iterator[str]:
    for note in notes:
        late = note.get("measured", {}).get("late", 0.0)
        if late > LATE_S:
            form = "%s itself was late by %.3f s at worst; outages that are shorter may be its own"
            yield form % (note["host"], late)
        observed = note.get("observed")
        if observed is None:
            continue
        if "groups" not in observed:
            told = observed.get("msg", "no answer")
            yield "%s did not tell what it remembers: %s" % (note["host"], told)
            continue
        off = observed["now"] - note["ended"] if "ended" in note else 0.0
        if abs(off) > CLOCK_S:
            form = "the clock of %s is %.1f s off, and its part of the pictures with it"
            yield form % (note["host"], off)


def table(found: Sequence[Result]) -> list[str]:
    """What each exercise cost, for people: a line for each group and phase, under a headline."""
    form = "%-9s %-10s %-24s %-9s %-10s %-10s %-6s %s"
    lines = [form % ("EXERCISE", "ROUTER", "GROUP", "PHASE", "NO ANSWER", "BUDGET", "LOST", "BY")]
    for result in found:
        costs = [(group.name, cost) for group in result.groups for cost in group.costs]
        for name, cost in [*costs, *result.paths]:
            limit = "%.3f s" % cost.limit + ("" if cost.is_kept else " !")
            lost = "-" if cost.lost is None else str(cost.lost)
            words = (result.kind, result.router, name, cost.phase, cost.told, limit, lost, cost.by)
            lines.append(form % words)
    return lines
