# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong, planned from one source of chance. Layer L4.

Swarm style: each history has some kinds of fault switched off and others heavy, so that rare
combinations come up. To add a kind, write a method and name it in plan().
"""

from __future__ import annotations

from typing import Callable, Dict, FrozenSet, List

from ..config.model import RouterConfig
from ..router.events import ALL
from ..units import NS_PER_S
from . import changes
from .frames import Reader
from .host import SimHost
from .hostile import HostileSpeaker
from .kernel import identity
from .segment import Segment, Weather
from .world import World

# How much a bad clock is off. A machine that runs at all keeps 1 %.
_BAD_DRIFT = 1e-2
_LONGEST_NS = 8 * NS_PER_S

Action = Callable[[], None]


class Faults:
    """Plans the faults of one history between now and end_ns; heal() ends them all."""

    def __init__(
        self,
        world: World,
        hosts: List[SimHost],
        segments: List[Segment],
        reader: Reader,
        alike: FrozenSet[str],
    ) -> None:
        self._world = world
        self._hosts = hosts
        self._segments = segments
        self._hostile = HostileSpeaker(world.random, reader)
        self._alike = alike
        self._together = changes.members(hosts[0].config)
        self._over = False
        # What has begun on some hosts and has to reach all of them, healing or not.
        self._owed: List[Action] = []
        self._originals: Dict[str, RouterConfig] = {host.name: host.config for host in hosts}
        self.slowest_cs = max(map(_slowest_cs, self._originals.values()))

    def plan(self, end_ns: int) -> None:
        """Choose kinds and times."""
        kinds: List[Action] = [
            self._crash,
            self._stop,
            self._restart,
            self._stall,
            self._drift,
            self._flap,
            self._cut,
            self._partition,
            self._swizzle,
            self._storm,
            self._refuse,
            self._reconfigure_one,
            self._reconfigure_all,
            self._regroup,
            self._rename,
            self._drain,
            self._undrain,
            self._upgrade,
            self._rob,
            self._speak,
            self._babble,
            self._reflect,
        ]
        chance = self._world.random
        for kind in kinds:
            if chance.random() < 0.35:
                for _time in range(chance.choice((1, 2, 8))):
                    at_ns = self._world.now_ns + int(chance.random() * end_ns)
                    self._world.at(at_ns, self._unless_over(kind))

    def heal(self) -> None:
        """Everything works again: cables, carriers, daemons, kernels."""
        self._over = True
        for action in self._owed:
            action()
        for segment in self._segments:
            segment.heal()
        for host in self._hosts:
            host.kernel_fails = 0.0
            host.resume()
            host.start()
            if self._world.chance(0.5):
                host.drain(frozenset())
            for segment in self._segments:
                host.set_link(segment.name, True)

    # When

    def _unless_over(self, action: Action) -> Action:
        return lambda: None if self._over else action()

    def _later(self, action: Action) -> None:
        self._world.after(self._delay_ns(10_000_000, _LONGEST_NS), self._unless_over(action))

    def _in_the_end(self, action: Action) -> None:
        """Within seconds, or when everything heals."""
        self._owed.append(action)

        def act() -> None:
            if action in self._owed:
                self._owed.remove(action)
                action()

        self._later(act)

    def _delay_ns(self, least_ns: int, most_ns: int) -> int:
        return least_ns + int(self._world.random.random() * (most_ns - least_ns))

    def _host(self) -> SimHost:
        return self._world.random.choice(self._hosts)

    def _segment(self) -> Segment:
        return self._world.random.choice(self._segments)

    # Hosts

    def _crash(self) -> None:
        host = self._host()
        host.crash(fenced=self._world.chance(0.5))
        self._later(host.start)

    def _stop(self) -> None:
        host = self._host()
        host.stop()
        self._later(host.start)

    def _restart(self) -> None:
        """At once, or as fast as systemd starts a daemon after a crash."""
        host = self._host()
        if self._world.chance(0.5):
            host.stop()
            host.start()
        else:
            host.crash()
            self._world.after(self._delay_ns(1, NS_PER_S), self._unless_over(host.start))

    def _upgrade(self) -> None:
        self._host().upgrade()

    def _stall(self) -> None:
        self._host().stall(self._delay_ns(1_000_000, 6 * NS_PER_S))

    def _drift(self) -> None:
        self._host().set_rate(1 + (2 * self._world.random.random() - 1) * _BAD_DRIFT)

    def _refuse(self) -> None:
        host = self._host()
        host.kernel_fails = 0.5

        def mend() -> None:
            host.kernel_fails = 0.0

        self._later(mend)

    def _rob(self) -> None:
        """Another tool removes virtual addresses."""
        host = self._host()
        devices = [each for each in host.kernel.devices if each.addresses]
        if devices and host.alive:
            host.rob(identity(self._world.random.choice(devices)))

    # Cables

    def _flap(self) -> None:
        host, segment = self._host(), self._segment()
        host.set_link(segment.name, False)
        self._later(lambda: host.set_link(segment.name, True))

    def _cut(self) -> None:
        """One way only."""
        segment = self._segment()
        source, target = self._world.random.sample(segment.ports(), 2)
        segment.cut(source, target)
        self._later(lambda: segment.mend(source, target))

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

    def _swizzle(self) -> None:
        """Hosts go deaf and dumb one after the other, and come back in another order."""
        segment = self._segment()
        ports = segment.ports()
        chosen = self._world.random.sample(ports, self._world.random.randint(1, len(ports)))
        back = self._world.random.sample(chosen, len(chosen))
        at_ns = 0
        for order, act in ((chosen, segment.cut), (back, segment.mend)):
            for port in order:
                at_ns += self._delay_ns(1_000_000, 2 * NS_PER_S)
                self._world.after(at_ns, self._unless_over(_isolation(act, port, ports)))

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

    # Operators

    def _reconfigure_one(self) -> None:
        self.reconfigure(self._host())

    def reconfigure(self, host: SimHost) -> None:
        """Something that concerns this host alone."""
        original = self._originals[host.name]
        change = changes.for_one_host(self._world.random, original, self._alike)
        self._change(host, change)

    def _reconfigure_all(self) -> None:
        """The same everywhere, router after router."""
        first = self._originals[self._hosts[0].name]
        key, change = changes.for_all_hosts(self._world.random, first)
        for host in self._hosts:
            self._originals[host.name] = change(self._originals[host.name])
            self._in_the_end(self._following(host, key))

    def _following(self, host: SimHost, key: str) -> Action:
        """The newest plan counts, whatever was begun before."""
        return lambda: self._change(host, changes.as_planned(key, self._originals[host.name]))

    def _regroup(self) -> None:
        """A virtual router joins the sync group or leaves it, on all hosts."""
        self.plan_group()
        for host in self._hosts:
            self._in_the_end(lambda host=host: self.regroup(host))  # type: ignore[misc]

    def plan_group(self) -> None:
        """Choose other members."""
        if self._alike:
            chosen = frozenset((self._world.random.choice(sorted(self._alike)),))
            together = self._together ^ chosen
            self._together = together if len(together) > 1 else frozenset()

    def regroup(self, host: SimHost) -> None:
        """As planned last."""
        host.reconfigure(changes.regrouped(self._together)(host.config))

    def _rename(self) -> None:
        host = self._host()
        if host.config.virtual_routers:
            key = str(self._world.random.choice(host.config.virtual_routers).key)
            host.reconfigure(changes.renamed(key)(host.config))

    def _drain(self) -> None:
        """One of them, or the whole router."""
        host, chance = self._host(), self._world.random
        ids = [str(each.key) for each in host.config.virtual_routers]
        host.drain(frozenset((chance.choice((ALL, *ids)),)), forced=chance.random() < 0.3)

    def _undrain(self) -> None:
        self._host().drain(frozenset())

    def _change(self, host: SimHost, change: changes.Change) -> None:
        host.reconfigure(change(host.config))
        self.slowest_cs = max(self.slowest_cs, _slowest_cs(host.config))

    # Strangers

    def _speak(self) -> None:
        """Advertisements that no router of ours sent."""
        segment = self._segment()
        victims = [r for r in self._host().config.virtual_routers if r.interface == segment.name]
        if victims:
            frame = self._hostile.advert(self._world.random.choice(victims))
            self._burst(lambda: segment.send("stranger", frame))

    def _babble(self) -> None:
        """Packets that no router may believe."""
        segment = self._segment()
        victims = [r for r in self._host().config.virtual_routers if r.interface == segment.name]
        if victims:
            victim = self._world.random.choice(victims)
            self._burst(lambda: segment.send("stranger", self._hostile.nonsense(victim)))

    def _reflect(self) -> None:
        """A loop in the LAN: a host hears itself."""
        host, segment = self._host(), self._segment()
        segment.reflecting = host.name

        def end() -> None:
            segment.reflecting = ""

        self._later(end)

    def _burst(self, send: Action) -> None:
        chance = self._world.random
        each_ns = chance.choice((1_000_000, 30_000_000, 300_000_000))
        for number in range(chance.choice((1, 5, 50))):
            self._world.after(number * each_ns, self._unless_over(send))


def _isolation(act: Callable[[str, str], None], port: str, ports: List[str]) -> Action:
    def run() -> None:
        for other in ports:
            if other != port:
                act(port, other)
                act(other, port)

    return run


def _slowest_cs(config: RouterConfig) -> int:
    return max((router.advertisement_interval_cs for router in config.virtual_routers), default=1)
