# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A LAN: a switch that learns MAC addresses, and the faults of its cables. Layer L4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, List, Set, Tuple

from .world import World

Receiver = Callable[[bytes], None]

# Within it two frames of a port keep their order, unless a fault says otherwise.
_WIRE_NS = 20_000


@dataclass(frozen=True)
class Weather:
    """How bad the cables are now: probabilities, and nanoseconds of delay."""

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    latency_ns: int = 50_000
    jitter_ns: int = 0


FAIR = Weather()
_FAIR_DELAY_NS = _WIRE_NS + FAIR.latency_ns


class Segment:
    """Connects ports. What routers send is multicast or broadcast and goes to every other port;
    `learned` shows where the switch sends a unicast to a MAC."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.weather = FAIR
        self.learned: Dict[bytes, str] = {}
        self.carried = 0
        # A port that hears its own frames, because of a loop behind it.
        self.reflecting = ""
        self._world = world
        self._ports: Dict[str, Receiver] = {}
        self._cut: Set[Tuple[str, str]] = set()
        self._last_ns: Dict[Tuple[str, str], int] = {}

    def attach(self, port: str, receiver: Receiver) -> None:
        """Plug a host in."""
        self._ports[port] = receiver
        self._ports = dict(sorted(self._ports.items()))

    def ports(self) -> List[str]:
        """The names of all ports, sorted."""
        return list(self._ports)

    def cut(self, source: str, target: str) -> None:
        """Frames from source no longer reach target; the other way is another cut."""
        self._cut.add((source, target))

    def heal(self) -> None:
        """All cuts and loops are mended and the weather is fair."""
        self._cut.clear()
        self.reflecting = ""
        self.weather = FAIR

    def connected(self, one: str, other: str) -> bool:
        """Whether both hear each other."""
        return (one, other) not in self._cut and (other, one) not in self._cut

    def mend(self, source: str, target: str) -> None:
        """The end of a cut."""
        self._cut.discard((source, target))

    def send(self, port: str, frame: bytes) -> None:
        """A frame leaves a port."""
        self.carried += 1
        self.learned[frame[6:12]] = port
        for target in self._ports:
            if target != port and (port, target) not in self._cut:
                self._carry(port, target, frame)
        if port == self.reflecting:
            self._carry(port, port, frame)

    def _carry(self, source: str, target: str, frame: bytes) -> None:
        world, weather = self._world, self.weather
        if weather is FAIR:
            last_ns = self._last_ns.get((source, target), 0)
            arrival_ns = max(world.now_ns + _FAIR_DELAY_NS, last_ns)
            self._last_ns[source, target] = arrival_ns
            world.at(arrival_ns, lambda: self._ports[target](frame))
            return
        for _copy in range(2 if world.chance(weather.duplication) else 1):
            if world.chance(weather.loss):
                continue
            delay_ns = _WIRE_NS + weather.latency_ns
            if weather.jitter_ns:
                delay_ns += world.random.randrange(weather.jitter_ns)
            if world.chance(weather.reordering):
                arrival_ns = world.now_ns + delay_ns + weather.latency_ns
            else:
                last_ns = self._last_ns.get((source, target), 0)
                arrival_ns = max(world.now_ns + delay_ns, last_ns)
                self._last_ns[source, target] = arrival_ns
            world.at(arrival_ns, lambda: self._ports[target](frame))
