# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run histories: one seed, one history, one digest. Layer L4.

The digest covers every transition with its time and the number of frames in each LAN, so two runs,
machines or versions of Python can be compared.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import FrozenSet, List, Tuple

from ..router.actions import Notify, RouterAction
from ..router.events import RouterEvent
from ..router.vrrp_router import VrrpRouter
from ..units import NS_PER_S
from .aftermath import Aftermath
from .checker import Checker
from .faults import Faults
from .forwarding import Forwarding
from .frames import Reader
from .host import RouterFactory, SimHost
from .planned import PlannedChanges
from .scenario import Scenario, generate
from .segment import Segment
from .world import World

SAFETY_NS = 25 * NS_PER_S
PLANNED_CHANGES = 2
PEACE_NS = 5 * NS_PER_S
_DRIFT = 50e-6


@dataclass(frozen=True)
class History:
    """The outcome of one seed. trace: one line for each transition."""

    seed: int
    virtual_ns: int
    frames: int
    trace: Tuple[str, ...]
    violations: Tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over what happened, shortened."""
        told = "\n".join((*self.trace, str(self.frames)))
        return hashlib.sha256(told.encode("ascii")).hexdigest()[:16]


class _Tracer:
    """Writes down every transition."""

    def __init__(self, world: World) -> None:
        self.trace: List[str] = []
        self._world = world

    def started(self, host: SimHost) -> None:
        """See Observer."""

    def ended(self, host: SimHost) -> None:
        """See Observer."""

    def upgraded(self, host: SimHost) -> None:
        """See Observer."""

    def halted(self, host: SimHost, lease_s: int) -> None:
        """See Observer."""

    def kernel_changed(self, host: SimHost, expired: bool) -> None:
        """See Observer."""

    def stepped(self, host: SimHost, event: RouterEvent, actions: Tuple[RouterAction, ...]) -> None:
        """See Observer."""
        for action in actions:
            if isinstance(action, Notify) and action.kind == "transition":
                self.trace.append(trace_line(self._world.now_ns, host.name, action))


def run_history(seed: int, factory: RouterFactory = VrrpRouter) -> History:
    """A safety phase with faults, then healing and a liveness phase."""
    world = World(seed)
    scenario = generate(world.random)
    segments = {name: Segment(name, world) for name in scenario.segments}
    hosts = _hosts(world, scenario, segments, factory)
    reader = Reader()
    tracer = _Tracer(world)
    for host in hosts:
        host.observers.append(tracer)
    checker = Checker(world, hosts, reader)
    try:
        end_ns = _live(world, hosts, list(segments.values()), reader, checker, scenario.alike)
    except Exception as error:
        # Whatever the engine meets, it may not fall.
        end_ns = world.now_ns
        checker.complain("the engine fell: %r" % error)
    return History(
        seed,
        end_ns,
        sum(segment.carried for segment in segments.values()),
        tuple(tracer.trace),
        tuple(checker.violations),
    )


def _hosts(
    world: World, scenario: Scenario, segments: dict, factory: RouterFactory
) -> List[SimHost]:
    return [
        SimHost(
            name,
            world,
            scenario.configs[name],
            {link.name: (link, segments[link.name]) for link in scenario.links[name]},
            1 + (2 * world.random.random() - 1) * _DRIFT,
            factory,
        )
        for name in sorted(scenario.configs)
    ]


def _live(
    world: World,
    hosts: List[SimHost],
    segments: List[Segment],
    reader: Reader,
    checker: Checker,
    alike: FrozenSet[str],
) -> int:
    """From power on until peace; when that was."""
    faults = Faults(world, hosts, segments, reader, alike)
    aftermath = Aftermath(world, hosts, segments, checker)
    for host in hosts:
        world.at(int(world.random.random() * 5 * NS_PER_S), host.start)
    faults.plan(SAFETY_NS)
    world.run_until(SAFETY_NS)
    faults.heal()
    world.run_until(world.now_ns + aftermath.settle_ns(faults.slowest_cs, 4))
    forwarding = Forwarding(world, hosts, segments, checker.complain)
    planned = PlannedChanges(world, hosts, checker, faults, alike)
    for _change in range(PLANNED_CHANGES):
        forwarding.begin()
        longest_ns = planned.begin()
        world.run_until(world.now_ns + longest_ns + aftermath.settle_ns(faults.slowest_cs, 2))
        forwarding.end()
    end_ns = world.now_ns + PEACE_NS
    aftermath.watch(end_ns)
    world.run_until(end_ns)
    aftermath.finish()
    return world.now_ns


def trace_line(now_ns: int, host: str, note: Notify) -> str:
    """One transition: time in seconds, host, virtual router, from, to, reason, priority."""
    return "%15.9f  %-4s %-12s %-10s -> %-10s  %-21s %3d" % (
        now_ns / NS_PER_S,
        host,
        note.name,
        note.data["previous"],
        note.data["current"],
        note.data["reason"],
        note.data["priority"],
    )


def headline(history: History, commit: str) -> str:
    """What identifies a history, in one line."""
    return "seed=%d commit=%s digest=%s" % (history.seed, commit, history.digest)


def replay_command(seed: int) -> str:
    """What to type to see it again."""
    return "make sim SEED=%d, or vlangate simulate --seed %d" % (seed, seed)
