# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of every history, whatever went wrong in it. Layer L4.

The checkers know the RFC's promises and the site, not the engine: they look at states, kernels and
frames. A violation is a sentence with its time.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from ..fsm.states import State
from ..fsm.timing import master_down_interval_ns
from ..router.actions import Notify
from ..units import format_ns, ns_from_cs
from .host import SimHost
from .scenario import Scenario
from .segment import Segment
from .world import World

# Beside the RFC's time: wake-ups that are late, clocks that drift, the switch.
_MARGIN_NS = 50_000_000
_LOOK_EACH_NS = 20_000_000
# An honest host sends an advertisement for each that provokes one, and announcements.
_FRAMES_PER_INTERVAL = 60


class Checker:
    """Watches one history. violations is empty when all was well."""

    def __init__(
        self, world: World, scenario: Scenario, hosts: List[SimHost], segments: List[Segment]
    ) -> None:
        self.violations: List[str] = []
        self._world = world
        self._hosts = {host.name: host for host in hosts}
        self._segments = {segment.name: segment for segment in segments}
        self._members = {name: scenario.members(name) for name in scenario.groups()}
        # By virtual router and pair of masters: since when.
        self._doubled: Dict[str, Dict[Tuple[str, str], int]] = {}
        for host in hosts:
            host.watchers.append(self._on_note)

    def look(self, end_ns: int) -> None:
        """Look at everything each few milliseconds until then."""
        masters: Dict[str, List[SimHost]] = {name: [] for name in self._members}
        for host in self._hosts.values():
            for name, state in host.states():
                if state is not State.MASTER:
                    self._no_addresses(host, name, state)
                elif not host.stalled():
                    masters[name].append(host)
        for name, hosts in masters.items():
            if len(hosts) > 1 or name in self._doubled:
                self._no_two_masters(name, hosts)
        if self._world.now_ns + _LOOK_EACH_NS <= end_ns:
            self._world.after(_LOOK_EACH_NS, lambda: self.look(end_ns))

    def finish(self) -> None:
        """After healing and the time that it may take: one master, the right one, reachable."""
        for name in self._members:
            self._one_master(name)
        for segment in self._segments.values():
            self._no_storm(segment)

    def settle_ns(self) -> int:
        """How long it may take after healing until all groups have their right master."""
        longest_ns = 0
        for name in self._members:
            for member in self._members[name].values():
                # Each needs its own time to hear that the other is worse, and a preempt delay.
                down_ns = self._down_ns(name)
                delay_ns = ns_from_cs(member.preempt_delay_cs)
                longest_ns = max(longest_ns, 4 * down_ns + delay_ns)
        return longest_ns + 10 * _MARGIN_NS

    def _interface(self, name: str) -> str:
        return next(iter(self._members[name].values())).interface

    def _down_ns(self, name: str) -> int:
        members = self._members[name].values()
        interval_cs = max(member.advertisement_interval_cs for member in members)
        version = min(member.version for member in members)
        return master_down_interval_ns(version, 1, interval_cs)

    def _violation(self, text: str) -> None:
        self.violations.append("%s: %s" % (format_ns(self._world.now_ns), text))

    # While things go wrong

    def _on_note(self, host: SimHost, note: Notify) -> None:
        """A new master has advertised and announced itself in the same instant."""
        if note.kind != "transition" or note.data["current"] != State.MASTER.value:
            return
        segment = self._segments[self._interface(note.name)]
        now_ns = self._world.now_ns
        sent = sum(1 for at_ns, port in segment.frames[-8:] if (at_ns, port) == (now_ns, host.name))
        if sent < 2:
            self._violation("%s became master of %s unannounced" % (host.name, note.name))

    def _no_addresses(self, host: SimHost, name: str, state: State) -> None:
        if not host.kernel_is_behind() and host.holds_addresses(name):
            self._violation(
                "%s is %s of %s and holds its addresses" % (host.name, state.value, name)
            )

    def _no_two_masters(self, name: str, masters: List[SimHost]) -> None:
        """Two masters that hear each other, longer than it takes to hear."""
        segment = self._segments[self._interface(name)]
        since = self._doubled.setdefault(name, {})
        pairs = [
            (one.name, other.name)
            for index, one in enumerate(masters)
            for other in masters[index + 1 :]
            if segment.connected(one.name, other.name) and not segment.weather.loss
        ]
        for pair in set(since) - set(pairs):
            del since[pair]
        bound_ns = self._two_masters_bound_ns(name)
        for pair in pairs:
            if self._world.now_ns - since.setdefault(pair, self._world.now_ns) > bound_ns:
                self._violation(
                    "%s and %s are both master of %s for longer than %s"
                    % (*pair, name, format_ns(bound_ns))
                )
                since[pair] = self._world.now_ns

    def _two_masters_bound_ns(self, name: str) -> int:
        """The better one is heard within its interval, and then the other leaves."""
        members = self._members[name].values()
        interval_cs = max(member.advertisement_interval_cs for member in members)
        return ns_from_cs(interval_cs) * 11 // 10 + _MARGIN_NS

    # In the end

    def _one_master(self, name: str) -> None:
        masters = [host for host in self._hosts.values() if (name, State.MASTER) in host.states()]
        if len(masters) != 1:
            names = ", ".join(host.name for host in masters) or "nobody"
            self._violation("%s is master of %s after healing" % (names, name))
            return
        master = masters[0]
        best = self._best(name)
        if best is not None and best != master.name:
            self._violation("%s is master of %s, and not %s" % (master.name, name, best))
        for host in self._hosts.values():
            if host.holds_addresses(name) != (host is master):
                self._violation("the kernel of %s is wrong about %s" % (host.name, name))
        segment = self._segments[self._interface(name)]
        mac = next(d.mac for d in master.kernel.devices if d.alias == name)
        if segment.learned.get(mac) != master.name:
            self._violation(
                "%s sends frames for %s to %s"
                % (
                    segment.name,
                    name,
                    segment.learned.get(mac),
                )
            )

    def _best(self, name: str) -> Optional[str]:
        """Who has to be master; None when anybody may be (no preemption, equal priorities)."""
        priorities = {}
        for host in self._hosts.values():
            config = next(r for r in host.config.virtual_routers if r.name == name)
            if not config.preempt:
                return None
            priorities[host.name] = config.priority
        highest = max(priorities.values())
        best = [host for host, priority in priorities.items() if priority == highest]
        return best[0] if len(best) == 1 else None

    def _no_storm(self, segment: Segment) -> None:
        windows: Dict[Tuple[int, str], int] = {}
        shortest_cs = min(
            member.advertisement_interval_cs
            for name in self._members
            for member in self._members[name].values()
        )
        for at_ns, port in segment.frames:
            window = (at_ns // ns_from_cs(shortest_cs), port)
            windows[window] = windows.get(window, 0) + 1
        worst = max(windows.values(), default=0)
        if worst > _FRAMES_PER_INTERVAL:
            self._violation("a storm: %d frames in one interval on %s" % (worst, segment.name))
