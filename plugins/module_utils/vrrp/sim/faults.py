# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong, planned from one source of chance. Layer L4.

Swarm style: each history has some kinds of fault switched off and others heavy, so that rare
combinations come up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List

from ..config.model import RouterConfig, VirtualRouterConfig
from .host import SimHost
from .segment import Segment, Weather
from .world import World

_SECOND = 1_000_000_000


class Faults:
    """Plans the faults of one history between now and end_ns; heal() ends them all."""

    def __init__(self, world: World, hosts: List[SimHost], segments: List[Segment]) -> None:
        self._world = world
        self._hosts = hosts
        self._segments = segments
        self._over = False

    def plan(self, end_ns: int) -> None:
        """Choose kinds and times."""
        kinds: List[Callable[[], None]] = [
            self._crash,
            self._stop,
            self._stall,
            self._flap,
            self._cut,
            self._partition,
            self._storm,
            self._reconfigure,
            self._refuse,
        ]
        chance = self._world.random
        chosen = [kind for kind in kinds if chance.random() < 0.5]
        for kind in chosen:
            for _time in range(chance.choice((1, 2, 8))):
                self._world.at(
                    chance.randrange(self._world.now_ns, end_ns), self._unless_over(kind)
                )

    def heal(self) -> None:
        """Everything works again: cables, carriers, daemons, kernels."""
        self._over = True
        for segment in self._segments:
            segment.heal()
        for host in self._hosts:
            host.kernel_fails = 0.0
            if not host.alive:
                host.start()
            for segment in self._segments:
                host.set_link(segment.name, True)

    def _unless_over(self, action: Callable[[], None]) -> Callable[[], None]:
        return lambda: None if self._over else action()

    def _host(self) -> SimHost:
        return self._world.random.choice(self._hosts)

    def _segment(self) -> Segment:
        return self._world.random.choice(self._segments)

    def _later(self, action: Callable[[], None]) -> None:
        delay_ns = self._world.random.randrange(10_000_000, 8 * _SECOND)
        self._world.after(delay_ns, self._unless_over(action))

    def _crash(self) -> None:
        host = self._host()
        if host.alive:
            host.crash()
            self._later(lambda: None if host.alive else host.start())

    def _stop(self) -> None:
        host = self._host()
        if host.alive:
            host.stop()
            self._later(lambda: None if host.alive else host.start())

    def _stall(self) -> None:
        self._host().stall(self._world.random.randrange(1_000_000, 6 * _SECOND))

    def _flap(self) -> None:
        host, segment = self._host(), self._segment()
        host.set_link(segment.name, False)
        self._later(lambda: host.set_link(segment.name, True))

    def _cut(self) -> None:
        """One way only."""
        segment = self._segment()
        source, target = self._world.random.sample(segment.ports(), 2)
        segment.cut(source, target)
        self._later(segment.heal)

    def _partition(self) -> None:
        segment = self._segment()
        sides: Dict[bool, List[str]] = {True: [], False: []}
        for port in segment.ports():
            sides[self._world.chance(0.5)].append(port)
        for one in sides[True]:
            for other in sides[False]:
                segment.cut(one, other)
                segment.cut(other, one)
        self._later(segment.heal)

    def _storm(self) -> None:
        chance = self._world.random
        segment = self._segment()
        segment.weather = Weather(
            loss=chance.choice((0.0, 0.05, 0.5)),
            duplication=chance.choice((0.0, 0.2)),
            reordering=chance.choice((0.0, 0.2)),
            latency_ns=chance.choice((50_000, 2_000_000)),
            jitter_ns=chance.choice((0, 3_000_000)),
        )
        self._later(segment.heal)

    def _refuse(self) -> None:
        host = self._host()
        host.kernel_fails = 0.5

        def mend() -> None:
            host.kernel_fails = 0.0

        self._later(mend)

    def _reconfigure(self) -> None:
        host = self._host()
        chance = self._world.random
        routers = list(host.config.virtual_routers)
        index = chance.randrange(len(routers))
        routers[index] = self._other(routers[index])
        host.reconfigure(RouterConfig(tuple(routers), host.config.trackers))

    def _other(self, old: VirtualRouterConfig) -> VirtualRouterConfig:
        return replace(old, priority=self._world.random.randint(1, 254))
