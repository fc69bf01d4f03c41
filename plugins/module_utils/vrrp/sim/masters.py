# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Never two masters of one connected LAN for longer than it takes to hear. Layer L4."""

from __future__ import annotations

from typing import Callable, Dict, List, Set, Tuple

from ..fsm.states import State
from ..units import format_ns, ns_from_cs
from .expectation import Expectation
from .segment import FAIR
from .world import World

_LOOK_EACH_NS = 20_000_000
# Beside the interval: clocks that drift and wake-ups that are late.
_MARGIN_NS = 50_000_000

Pair = Tuple[str, str]


class TwoMasters:
    """Looks every few milliseconds, but only while a virtual router has more than one master."""

    def __init__(
        self,
        world: World,
        members: Dict[Tuple[str, str], Expectation],
        complain: Callable[[str], None],
    ) -> None:
        self._world = world
        self._members = members
        self._complain = complain
        # By virtual router: since when each two masters could hear each other.
        self._since: Dict[str, Dict[Pair, int]] = {}
        self._looking: Set[str] = set()

    def changed(self, name: str) -> None:
        """A state or a parameter of the virtual router with this identity is another one now."""
        if len(self._masters(name)) < 2:
            self._since.pop(name, None)
            return
        self._since[name] = {}
        if name not in self._looking:
            self._looking.add(name)
            self._look(name)

    def _look(self, name: str) -> None:
        since = self._since.get(name)
        if since is None:
            self._looking.discard(name)
            return
        masters = self._masters(name)
        pairs = {
            (one.host.name, other.host.name): (one, other)
            for index, one in enumerate(masters)
            for other in masters[index + 1 :]
            if self._hear_each_other(one, other)
        }
        now_ns = self._world.now_ns
        self._since[name] = {pair: since.get(pair, now_ns) for pair in pairs}
        for pair, since_ns in self._since[name].items():
            bound_ns = _bound_ns(*pairs[pair])
            if now_ns - since_ns > bound_ns:
                text = "%s and %s are both master of %s for longer than %s"
                self._complain(text % (*pair, name, format_ns(bound_ns)))
                self._since[name][pair] = now_ns
        self._world.after(_LOOK_EACH_NS, lambda: self._look(name))

    def _masters(self, name: str) -> List[Expectation]:
        return [
            member
            for (_host, of), member in self._members.items()
            if of == name and member.state is State.MASTER
        ]

    def _hear_each_other(self, one: Expectation, other: Expectation) -> bool:
        if one.host.stalled() or other.host.stalled():
            return False
        intervals_cs = {each.config.advertisement_interval_cs for each in (one, other)}
        if one.config.version == 2 and len(intervals_cs) == 2:
            return False  # RFC 3768 section 7.1 makes them deaf
        segment = one.segment
        bad = segment.weather is not FAIR and segment.weather.loss > 0
        return segment.connected(one.host.name, other.host.name) and not bad


def _bound_ns(one: Expectation, other: Expectation) -> int:
    """The better one is heard within its interval, and then the other leaves."""
    interval_cs = max(each.config.advertisement_interval_cs for each in (one, other))
    return ns_from_cs(interval_cs) * 11 // 10 + _MARGIN_NS
