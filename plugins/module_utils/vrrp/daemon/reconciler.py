# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to compare which devices with what they should be. Layer L5. Pure.

A device in doubt is looked at at once. Where somebody changes it again and again we are not drawn
into a race: after some repairs it gets one in a second.

The kernel does not tell of all changes (sysctls), so all devices are looked at in turn, few at a
time, for a share of the time that nobody notices. Who changes sysctls mostly changes those of all
devices, so the next ones in turn show it soon; then all are looked at without delay.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Sequence

from ..units import NS_PER_S

# Devices in one look: 1 to 2 ms, far less than the 20 ms of a slot of advertisements.
DEVICES_PER_LOOK = 16
# A device may be repaired so often in a row, and once more for each second that has passed.
REPAIRS_IN_A_ROW = 10
REPAIR_AGAIN_NS = NS_PER_S
# A device that was looked at may be in doubt again so much later: events come in bursts.
LOOK_AGAIN_NS = 10_000_000
# All devices in turn, so often; but looks may use only this share of the time, 0.02 %, or 1 % after
# something was found, and leave the loop alone for so long.
ROUND_NS = 5 * NS_PER_S
TIME_PER_WORK = 5000
TIME_PER_WORK_IN_HASTE = 100
PAUSE_NS = 20_000_000


class Due(NamedTuple):
    """What to look at. is_doubted: something is known to have happened to it."""

    names: FrozenSet[str]
    is_doubted: bool


class Reconciler:
    """Says what to look at now. Names are those of devices; empty: what they share."""

    def __init__(self, now_ns: int) -> None:
        self._doubts: Dict[str, int] = {}
        # Not before then again.
        self._calm_ns: Dict[str, int] = {}
        # The time up to which repairs have been used up: in the past, by as many as are left.
        self._used_ns: Dict[str, int] = {}
        self._turn: List[str] = []
        self._round_ns = now_ns + ROUND_NS
        self._turn_ns = self._round_ns
        # Of this round, and of the next one.
        self._is_in_haste = self._must_haste = False
        self._time_per_work = TIME_PER_WORK

    def doubt(self, names: Iterable[str], now_ns: int) -> None:
        """Somebody may have changed these."""
        for name in names:
            if name not in self._doubts:
                self._doubts[name] = self._calm_ns.get(name, now_ns)

    @property
    def deadline_ns(self) -> int:
        """When there is something to look at."""
        return min((self._turn_ns, *self._doubts.values()))

    def due(self, everything: Sequence[str], now_ns: int) -> Due:
        """What to look at now: doubts first, else the next ones of everything in turn."""
        doubted = [name for name, at_ns in self._doubts.items() if at_ns <= now_ns]
        if doubted:
            chosen = doubted[:DEVICES_PER_LOOK]
            for name in chosen:
                del self._doubts[name]
            self._time_per_work = TIME_PER_WORK_IN_HASTE
            return Due(frozenset(chosen), True)
        if now_ns < self._turn_ns:
            return Due(frozenset(), False)
        if not self._turn:
            self._turn = list(reversed(everything))
            self._round_ns = now_ns + ROUND_NS
            self._is_in_haste, self._must_haste = self._must_haste, False
            self._forget_the_past(now_ns)
        chosen = self._turn[-DEVICES_PER_LOOK:]
        del self._turn[-DEVICES_PER_LOOK:]
        self._turn_ns = now_ns + PAUSE_NS if self._turn else self._round_ns
        self._time_per_work = TIME_PER_WORK_IN_HASTE if self._is_in_haste else TIME_PER_WORK
        calm = self._calm_ns
        return Due(frozenset(name for name in chosen if calm.get(name, 0) <= now_ns), False)

    def looked(
        self, names: Iterable[str], repaired: FrozenSet[str], took_ns: int, now_ns: int
    ) -> None:
        """They have been compared, which took so long; some of them had to be repaired."""
        for name in names:
            if name not in repaired:
                self._calm_ns[name] = now_ns + LOOK_AGAIN_NS
        for name in repaired:
            self._calm_ns[name] = self._after_repair_ns(name, now_ns)
        if repaired and not self._is_in_haste and not self._must_haste:
            self._must_haste = True
            self._time_per_work = TIME_PER_WORK_IN_HASTE
            self._turn = []
            self._turn_ns = now_ns
        self._turn_ns = max(self._turn_ns, now_ns + self._time_per_work * took_ns)

    def _after_repair_ns(self, name: str, now_ns: int) -> int:
        """When the next repair may come."""
        saved_ns = now_ns - REPAIRS_IN_A_ROW * REPAIR_AGAIN_NS
        used_ns = max(self._used_ns.get(name, saved_ns), saved_ns) + REPAIR_AGAIN_NS
        self._used_ns[name] = used_ns
        # One that is left may be used soon: not before the kernel has done what it does by queues,
        # such as the routes of a new IPv6 address.
        return max(now_ns + LOOK_AGAIN_NS, used_ns + REPAIR_AGAIN_NS)

    def _forget_the_past(self, now_ns: int) -> None:
        calm = self._calm_ns.items()
        self._calm_ns = {name: at_ns for name, at_ns in calm if at_ns > now_ns}
        saved_ns = now_ns - REPAIRS_IN_A_ROW * REPAIR_AGAIN_NS
        used = self._used_ns.items()
        self._used_ns = {name: at_ns for name, at_ns in used if at_ns > saved_ns}
