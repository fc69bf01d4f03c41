# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which masters advertise together, so that no burst of them is long. Layer L3.

Masters that began in one slot share their wake-ups for ever. That is cheap, up to a crowd: beyond,
the last of a burst waits too long for the first. A master's phase never changes by itself, so it is
looked at once, when it begins; see docs/adr/0015-a-crowd-of-masters-is-spread.md.
"""

from __future__ import annotations

from typing import Dict, Tuple

from ..fsm.states import State
from ..fsm.timing import slot_ns, spread_ns
from ..units import ns_from_cs
from .bound_router import BoundRouter

# Half a slot of advertisements. One more wake-up, when nothing of ours is in the caches any more,
# costs as much as 50 to 100 of them, so it is not worth while for fewer.
CROWD = 1024

# The interval in centiseconds, and the slot in it.
Phase = Tuple[int, int]


class Phases:
    """The phases of all masters that have advertised. Those with another interval are not counted
    together: they meet, but not each time."""

    def __init__(self) -> None:
        self._counts: Dict[Phase, int] = {}
        self._taken: Dict[str, Phase] = {}

    def settle(self, bound: BoundRouter, now_ns: int) -> None:
        """Something happened to this virtual router. When it is a master that advertises now, in
        another phase than before and in a crowd, it advertises earlier the next time."""
        machine = bound.machine
        if machine is None or machine.state is not State.MASTER:
            self._leave(bound.id)
            return
        if machine.unadvertised_ns(now_ns) != 0 or machine.deadline_ns is None:
            return
        interval_cs = machine.parameters.advertisement_interval_cs
        phase = _phase(machine.deadline_ns, interval_cs)
        if self._taken.get(bound.id) == phase:
            return
        self._leave(bound.id)
        if self._count(phase) >= CROWD:
            deadline_ns = self._room_ns(interval_cs, now_ns)
            machine.advertise_at(deadline_ns, now_ns)
            phase = _phase(deadline_ns, interval_cs)
        self._taken[bound.id] = phase
        self._counts[phase] = self._count(phase) + 1

    def _room_ns(self, interval_cs: int, now_ns: int) -> int:
        """The latest slot that is not crowded; when all are, one of those with the fewest."""
        slots_ns = spread_ns(now_ns, interval_cs)
        for each in slots_ns:
            if self._count(_phase(each, interval_cs)) < CROWD:
                return each
        return min(slots_ns, key=lambda each: self._count(_phase(each, interval_cs)))

    def _count(self, phase: Phase) -> int:
        return self._counts.get(phase, 0)

    def _leave(self, name: str) -> None:
        phase = self._taken.pop(name, None)
        if phase is None:
            return
        self._counts[phase] -= 1
        if not self._counts[phase]:
            del self._counts[phase]


def _phase(deadline_ns: int, interval_cs: int) -> Phase:
    return interval_cs, deadline_ns % ns_from_cs(interval_cs) // slot_ns(interval_cs)
