# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run histories: one seed, one history, one digest. Layer L4.

The digest covers every transition with its time, so two runs, machines or versions of Python can
be compared.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import List, Tuple

from ..router.actions import Notify
from ..router.vrrp_router import VrrpRouter
from ..units import NS_PER_S
from .checker import Checker
from .faults import Faults
from .host import RouterFactory, SimHost
from .scenario import generate
from .segment import Segment
from .world import World

SAFETY_NS = 40 * NS_PER_S
_DRIFT = 50e-6


@dataclass(frozen=True)
class History:
    """The outcome of one seed. trace: one line for each transition."""

    seed: int
    virtual_ns: int
    trace: Tuple[str, ...]
    violations: Tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the trace, shortened."""
        return hashlib.sha256("\n".join(self.trace).encode("ascii")).hexdigest()[:16]


def run_history(seed: int, factory: RouterFactory = VrrpRouter) -> History:
    """A safety phase with faults, then healing and a liveness phase."""
    world = World(seed)
    scenario = generate(world.random)
    segments = {name: Segment(name, world) for name in scenario.segments}
    hosts = [
        SimHost(
            name,
            world,
            scenario.configs[name],
            {link.name: (link, segments[link.name]) for link in scenario.links[name]},
            1 + world.random.uniform(-_DRIFT, _DRIFT),
            factory,
        )
        for name in sorted(scenario.configs)
    ]
    trace: List[str] = []

    def record(host: SimHost, note: Notify) -> None:
        if note.kind == "transition":
            trace.append(trace_line(world.now_ns, host.name, note))

    for host in hosts:
        host.watchers.append(record)
    checker = Checker(world, scenario, hosts, list(segments.values()))
    faults = Faults(world, hosts, list(segments.values()))
    for host in hosts:
        world.at(world.random.randrange(5 * NS_PER_S), host.start)
    faults.plan(SAFETY_NS)
    end_ns = SAFETY_NS + checker.settle_ns() + 10 * NS_PER_S
    world.at(0, lambda: checker.look(end_ns))
    world.run_until(SAFETY_NS)
    faults.heal()
    world.run_until(end_ns)
    checker.finish()
    return History(seed, end_ns, tuple(trace), tuple(checker.violations))


def report(seed: int, with_trace: bool) -> Tuple[List[str], Tuple[str, ...]]:
    """A history as lines to print, and its violations."""
    history = run_history(seed)
    lines = list(history.trace) if with_trace else []
    lines.append(
        "seed=%d digest=%s transitions=%d violations=%d"
        % (seed, history.digest, len(history.trace), len(history.violations))
    )
    return lines + list(history.violations), history.violations


def trace_line(now_ns: int, host: str, note: Notify) -> str:
    """Columns: time in seconds, host, virtual router, from, to, reason, priority."""
    return "%15.9f  %-4s %-12s %-10s -> %-10s  %-21s prio %3d" % (
        now_ns / NS_PER_S,
        host,
        note.name,
        note.data["previous"],
        note.data["current"],
        note.data["reason"],
        note.data["priority"],
    )
