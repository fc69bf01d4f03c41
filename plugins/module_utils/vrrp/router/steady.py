# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masters in between two events: they advertise, and that is all. Layer L3.

Most of what a router ever does is this, so what was the same the last time is not made, looked up
or worked out again: those that are due together have one entry in the queue, and the frames that
they send are one tuple. Their machines are told of the time one by one all the same, for they are
the only ones who keep it.

Whatever else happens to one of them scatters all, before anything is done; and when anything else
is due together with them, they go the long way of everybody. So a router with steady masters does
what one without them would do, in the same order.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Tuple

from ..fsm.actions import Action, SendAdvertisement
from ..fsm.states import State
from ..fsm.virtual_router import VirtualRouter
from .actions import TransmitFrame
from .bound_router import BoundRouter
from .deadlines import DeadlineQueue

# Later than any clock.
_NEVER_NS = 1 << 63
SENT = "advertisement-sent"

Member = Tuple[VirtualRouter, Dict[str, int]]


class Burst:
    """Masters with the same interval that advertise together. name: of its entry in the queue.
    members: each machine and the counters beside it. until_ns: from then on something has to go
    with one of their advertisements."""

    __slots__ = ("bounds", "due_ns", "frames", "members", "name", "until_ns")

    def __init__(self, bounds: Iterable[BoundRouter], due_ns: int) -> None:
        # The order in which the queue would have named them.
        self.bounds = tuple(sorted(bounds, key=lambda each: each.id))
        self.name = "burst of " + self.bounds[0].id
        self.due_ns = due_ns
        self.until_ns = min(_fresh_until_ns(each) for each in self.bounds)
        self.frames: Tuple[TransmitFrame, ...] = tuple(map(_advertisement, self.bounds))
        self.members: List[Member] = [
            (each.machine, each.counters) for each in self.bounds if each.machine
        ]


class SteadyMasters:
    """The bursts of a router. Between two steps each member is master, and due when its burst is;
    what it has to announce has an entry of its own in the queue, which is that of the router."""

    def __init__(self) -> None:
        # By name, and by the identities of their members.
        self._bursts: Dict[str, Burst] = {}
        self._burst_of: Dict[str, Burst] = {}
        self._candidates: Dict[str, BoundRouter] = {}

    def only_due(self, deadlines: DeadlineQueue, now_ns: int) -> Optional[Burst]:
        """The burst that is due, when nothing else is."""
        burst = self._bursts.get(deadlines.only_due(now_ns) or "")
        return burst if burst is not None and now_ns < burst.until_ns else None

    def advertise(
        self, burst: Burst, deadlines: DeadlineQueue, now_ns: int
    ) -> Tuple[TransmitFrame, ...]:
        """All of a burst that is due; the same tuple each time."""
        first = burst.members[0][0]
        first.tick(now_ns)
        for machine, counters in burst.members:
            machine.advertise_with(first)
            counters[SENT] += 1
        burst.due_ns = first.deadline_ns or now_ns
        deadlines.set(burst.name, burst.due_ns)
        return burst.frames

    def note(self, bound: BoundRouter, actions: Tuple[Action, ...]) -> None:
        """These were carried out: whoever only advertises may be gathered."""
        if len(actions) == 1 and isinstance(actions[0], SendAdvertisement):
            self._candidates[bound.id] = bound

    def gather(self, deadlines: DeadlineQueue) -> None:
        """When those that were due have been woken: make bursts of those that only advertised."""
        together: Dict[Tuple[int, int], List[BoundRouter]] = {}
        for bound in self._candidates.values():
            machine = bound.machine
            if machine is None or machine.state is not State.MASTER or bound.id in self._burst_of:
                continue
            due_ns = machine.deadline_ns
            if due_ns is not None and due_ns < _fresh_until_ns(bound):
                interval_cs = machine.parameters.advertisement_interval_cs
                together.setdefault((due_ns, interval_cs), []).append(bound)
        for (due_ns, _interval_cs), members in together.items():
            burst = Burst(members, due_ns)
            self._bursts[burst.name] = burst
            deadlines.set(burst.name, due_ns)
            for bound in members:
                self._burst_of[bound.id] = burst
                deadlines.set(bound.id, bound.other_deadline_ns())
        self._candidates.clear()

    def keeps(self, bound: BoundRouter) -> bool:
        """Whether it is in a burst, and still due with it."""
        burst, machine = self._burst_of.get(bound.id), bound.machine
        return burst is not None and machine is not None and machine.deadline_ns == burst.due_ns

    def wake_in_time(self, bound: BoundRouter, deadlines: DeadlineQueue) -> None:
        """Put it into the queue by itself, as far as its burst does not wake it."""
        only_other = self.keeps(bound)
        due_ns = bound.other_deadline_ns() if only_other else bound.deadline_ns()
        deadlines.set(bound.id, due_ns)

    def scatter(self, bound: BoundRouter, deadlines: DeadlineQueue) -> None:
        """The burst in which it is, if it is in one."""
        burst = self._burst_of.get(bound.id)
        if burst is not None:
            self._scatter(burst, deadlines)

    def scatter_due(self, deadlines: DeadlineQueue, now_ns: int) -> None:
        """All bursts that are due, before those that are due are woken."""
        self._candidates.clear()
        for burst in [each for each in self._bursts.values() if each.due_ns <= now_ns]:
            self._scatter(burst, deadlines)

    def scatter_all(self, deadlines: DeadlineQueue) -> None:
        """All bursts; something has happened to every virtual router."""
        self._candidates.clear()
        for burst in tuple(self._bursts.values()):
            self._scatter(burst, deadlines)

    def _scatter(self, burst: Burst, deadlines: DeadlineQueue) -> None:
        del self._bursts[burst.name]
        deadlines.set(burst.name, None)
        for bound in burst.bounds:
            del self._burst_of[bound.id]
            deadlines.set(bound.id, bound.deadline_ns())


def _fresh_until_ns(bound: BoundRouter) -> int:
    until_ns = bound.fresh_until_ns()
    return _NEVER_NS if until_ns is None else until_ns


def _advertisement(bound: BoundRouter) -> TransmitFrame:
    said = bound.parameters
    return bound.advertisement(said.priority, said.advertisement_interval_cs)
