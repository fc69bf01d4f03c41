# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a roll-out: which routers are changed together, and what is done with each.

Pure: it is told what is wanted and what the surveys saw, and follows who has which group. A group
that would be split (rollout_split.py) has one router alone while that one is changed.
"""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..module_utils.vrrp.fsm.parameters import OWNER_PRIORITY
from .rollout_split import split_groups
from .waves import waves

#: A router that does not hear its master any more says so after four intervals: three and its skew.
STABLE_INTERVALS = 4
#: Longer than this, nobody waits for it.
STABLE_CS = 1000

Document = Mapping[str, t.Any]
Survey = Mapping[str, t.Any]
Group = Mapping[str, t.Any]


class RolloutRefused(ValueError):
    """The roll-out cannot begin, with a sentence for each reason."""

    def __init__(self, sentences: Sequence[str]) -> None:
        head = "the roll-out cannot begin, and nothing was touched:"
        super().__init__("\n".join([head, *("- " + each for each in sentences)]))
        self.sentences = list(sentences)


@dataclass(frozen=True)
class Wishes:
    """What the operator chose. drain: auto, always or never; at_once: routers in a step, or 0."""

    drain: str = "auto"
    hand_back: bool = True
    at_once: int = 0


@dataclass(frozen=True)
class Work:
    """What is done with one router in one step.

    names: the groups that it is drained of, None for all. undrain: it takes part again afterwards,
    with all of them that are left. withheld: the groups it does not get yet.
    """

    engine: bool = False
    host: bool = False
    config: bool = True
    drain: bool = False
    names: tuple[str, ...] | None = None
    undrain: bool = False
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step:
    """Routers that are changed together.

    before: their groups, as they are if all of it is taken back; groups: as they have to be before
    it is kept. alike: the members of each group have the same addresses then. stable_for: for so
    many intervals the groups have to be so.
    """

    works: Mapping[str, Work]
    before: Sequence[Group]
    groups: Sequence[Group]
    alike: bool
    stable_for: int


class Rollout:
    """The roll-out of one plan: groups are the plan's; wanted documents and surveys are by router.

    ours are the routers that an earlier roll-out drained and could not bring back.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        wanted: Mapping[str, Document],
        surveys: Mapping[str, Survey],
        wishes: Wishes,
        ours: Collection[str] = (),
    ) -> None:
        self._planned = {group["name"]: group for group in groups}
        self._wanted, self._surveys, self._wishes, self._ours = wanted, surveys, wishes, ours
        # Who has which group in which form, who is drained, who is master: as the steps go on.
        self._held = {router: _held(survey) for router, survey in surveys.items()}
        self._drained = {router: set(survey["drained"]) for router, survey in surveys.items()}
        # Whose trackers fail has less than its priority.
        self._ailing = {
            router: {each["name"] for each in survey["routers"]
                     if each["effective_priority"] != each["priority"]
                     and each["name"] not in survey["drained"]}
            for router, survey in surveys.items()
        }  # fmt: skip
        self._masters = _masters(surveys)
        self._members = {name: set(group["members"]) for name, group in self._planned.items()}
        for router, held in self._held.items():
            for name in held:
                self._members.setdefault(name, set()).add(router)
        self._split = split_groups(
            wanted,
            {router: survey["changes"] for router, survey in surveys.items()},
            {router: survey["config"] for router, survey in surveys.items()},
        )

    def steps(self) -> list[Step]:
        """The steps in their order. Raises RolloutRefused."""
        self._refuse()
        todo = [
            router
            for router, survey in self._surveys.items()
            if not survey["in_order"] or router in self._ours
        ]
        order = _at_most(waves(self._members, self._masters, todo), self._wishes.at_once)
        withheld = self._withheld(order)
        steps = []
        for number, wave in enumerate(order):
            later = {router for each in order[number + 1 :] for router in each}
            works = {router: self._work(router, withheld[router], later) for router in wave}
            steps.append(self._step(works))
        given = ([router for router in wave if withheld[router]] for wave in order)
        return steps + [self._step({router: Work() for router in wave}) for wave in given if wave]

    def final_groups(self) -> list[Group]:
        """The groups of the plan as they should be after the steps: who stays drained is no master,
        so any other one may be."""
        return [
            {**group, "preferred": None} if self._is_drained(group["preferred"], name) else group
            for name, group in self._planned.items()
        ]

    def _refuse(self) -> None:
        sentences = [
            "%s: %s" % (router, problem)
            for router, survey in self._surveys.items()
            for problem in survey["problems"]
        ]
        for name, why in sorted(self._split.items()):
            absent = sorted(self._members[name] - set(self._surveys))
            if absent:
                text = "%s: %s, so all of its routers change together: run the play on %s too"
                sentences.append(text % (name, why, " and ".join(absent)))
        if sentences:
            raise RolloutRefused(sentences)

    def _withheld(self, order: Sequence[Sequence[str]]) -> dict[str, frozenset[str]]:
        """The groups that each router has to do without until their last holder has changed."""
        turn = {router: number for number, wave in enumerate(order) for router in wave}
        withheld: dict[str, set[str]] = {router: set() for router in turn}
        for name in self._split:
            members = self._members[name] & set(turn)
            holders = {router for router in members if name in self._held[router]} or members
            last = max(turn[router] for router in holders)
            for router in members:
                if turn[router] < last:
                    withheld[router].add(name)
        return {router: frozenset(names) for router, names in withheld.items()}

    def _work(self, router: str, withheld: frozenset[str], later: Collection[str]) -> Work:
        """What is done with a router when its turn comes; later are those that come after it."""
        survey = self._surveys[router]
        work = Work(
            engine=not survey["engine"]["is_wanted"],
            host=bool(survey["host_changes"]),
            config=not survey["config_is_wanted"] or survey["probation"] is not None,
            withheld=withheld,
        )
        disturbs = work.engine or work.host
        if self._wishes.drain == "always" or (self._wishes.drain == "auto" and disturbs):
            work = self._with_drain(router, work)
        if work.drain or router in self._ours:
            peers = set().union(*(self._members[name] for name in self._held[router]))
            # Who stays drained is a last resort, which is not enough for a peer that comes later.
            is_needed = not peers.isdisjoint(later)
            work = replace(work, undrain=self._wishes.hand_back or is_needed)
        return work

    def _with_drain(self, router: str, work: Work) -> Work:
        """Drained of all that somebody else has, unless it is drained already."""
        held = self._held[router]
        names = tuple(
            name
            for name, form in held.items()
            if form["priority"] != OWNER_PRIORITY
            and name not in self._drained[router]
            and self._has_other(name, router)
        )
        if not names:
            return work
        return replace(work, drain=True, names=None if len(names) == len(held) else names)

    def _has_other(self, name: str, router: str) -> bool:
        """Whether another router has the group. Of one that was not surveyed the wire will tell."""
        others = self._members[name] - {router}
        return any(name in self._held.get(other, (name,)) for other in others)

    def _step(self, works: Mapping[str, Work]) -> Step:
        """One step, after which the routers have what it gives them."""
        names = self._names(works)
        before = [self._group(name, None) for name in names if self._is_seen(name)]
        for router, work in works.items():
            held = self._held[router]
            if work.drain:
                self._drained[router].update(held if work.names is None else work.names)
            self._held[router] = {
                each["name"]: each
                for each in self._wanted[router]["virtual_routers"]
                if each["name"] not in work.withheld
            }
            if self._surveys[router]["drained_all"]:
                self._drained[router].update(self._held[router])
        # Also those that are gone there: somebody else may have them still.
        names |= self._names(works)
        groups = [self._judged(name) for name in names]
        for router, work in works.items():
            if work.undrain:
                self._drained[router].difference_update(work.names or self._drained[router].copy())
        forms = [[held[name] for held in self._held.values() if name in held] for name in names]
        intervals_cs = [each["advertisement_interval_cs"] for form in forms for each in form]
        longest_cs = max(intervals_cs, default=0)
        return Step(
            works,
            before,
            [group for group in groups if group is not None],
            all(len({tuple(each["addresses"]) for each in form}) <= 1 for form in forms),
            STABLE_INTERVALS if STABLE_INTERVALS * longest_cs <= STABLE_CS else 0,
        )

    def _names(self, routers: Iterable[str]) -> set[str]:
        return {name for router in routers for name in self._held[router]}

    def _group(self, name: str, master: str | None) -> Group:
        members = [router for router, held in self._held.items() if name in held]
        planned = self._planned.get(name, {})
        return {**planned, "name": name, "members": members, "preferred": master}

    def _is_seen(self, name: str) -> bool:
        """Whether all of its routers take part in this run: its master may be any of them."""
        return self._members[name].issubset(self._held)

    def _judged(self, name: str) -> Group | None:
        """A group as it has to be at the end of a step; None where nobody can say."""
        master = self._masters[name] = self._expected(name)
        group = self._group(name, master)
        return group if master or (group["members"] and self._is_seen(name)) else None

    def _expected(self, name: str) -> str | None:
        """Who will be master: the only one that is able, else the one with the highest priority,
        which may have to preempt. None where that depends on something else."""
        able = {
            router: held[name]
            for router, held in self._held.items()
            if name in held and not self._is_drained(router, name)
        }
        if len(able) <= 1:
            return next(iter(able), None)
        if any(name in self._ailing[router] for router in able):
            return None
        highest = max(form["priority"] for form in able.values())
        first = [router for router, form in able.items() if form["priority"] == highest]
        master = self._masters.get(name)
        if master in first:
            return master
        preempts = len(first) == 1 and able[first[0]]["preempt"] and self._is_seen(name)
        return first[0] if preempts else None

    def _is_drained(self, router: str | None, name: str) -> bool:
        return name in self._drained.get(router or "", ())


def _held(survey: Survey) -> dict[str, Document]:
    """The virtual routers that run, by name, as their configuration says."""
    configured = (survey["config"] or {}).get("virtual_routers", ())
    forms = {each["name"]: each for each in configured}
    return {each["name"]: forms.get(each["name"], each) for each in survey["routers"]}


def _masters(surveys: Mapping[str, Survey]) -> dict[str, str | None]:
    """Who is master of each group; of two of them neither is."""
    masters: dict[str, str | None] = {}
    for router, survey in surveys.items():
        for each in survey["routers"]:
            if each["state"] == "master":
                masters[each["name"]] = None if each["name"] in masters else router
    return masters


def _at_most(order: Sequence[Sequence[str]], size: int) -> list[Sequence[str]]:
    """The same waves in parts of so many routers; 0 for no limit."""
    return [
        wave[start : start + (size or len(wave))]
        for wave in order
        for start in range(0, len(wave), size or len(wave))
    ]
