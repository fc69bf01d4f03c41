# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host around a real VrrpRouter: its clock, its loop, its kernel, its accidents. Layer L4."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, List, Optional, Protocol, Tuple

from ..config.model import RouterConfig
from ..facts import LinkFacts, ReceivedPacket
from ..router.actions import DataplaneChanged, RouterAction, TransmitFrame
from ..router.desired import DesiredDataplane, VirtualDevice
from ..router.events import (
    ConfigReplaced,
    LinksChanged,
    PacketReceived,
    RouterEvent,
    Stop,
    Tick,
)
from ..router.vrrp_router import VrrpRouter
from ..units import NS_PER_S
from .frames import ETHERNET_HEADER, carries_vrrp
from .segment import Segment
from .world import World

# From an interrupt to the daemon's system call that reads it.
WAKE_LATENCY_NS = 100_000
# As in daemon/loop.py: after a refused operation.
RETRY_DELAY_NS = NS_PER_S

RouterFactory = Callable[[RouterConfig, Tuple[LinkFacts, ...], int], VrrpRouter]


class Observer(Protocol):
    """Somebody who watches hosts. Every call comes after its actions were carried out."""

    def started(self, host: SimHost) -> None:
        """A daemon began with host.seen_config and host.seen_links."""

    def stepped(self, host: SimHost, event: RouterEvent, actions: Tuple[RouterAction, ...]) -> None:
        """The router was told of an event and asked for these actions."""

    def ended(self, host: SimHost) -> None:
        """The daemon is gone, in good order or not."""


class SimHost:
    """One router of the simulation. It implements the duties of daemon/shell.py and daemon/loop.py.

    What came in while it was stalled waits, and is read before its timers are believed.
    """

    def __init__(
        self,
        name: str,
        world: World,
        config: RouterConfig,
        cables: Dict[str, Tuple[LinkFacts, Segment]],
        rate: float,
        factory: RouterFactory = VrrpRouter,
    ) -> None:
        self.name = name
        self.config = config
        self.alive = False
        self.kernel = DesiredDataplane()
        # After Stop, while the daemon is still there.
        self.is_leaving = False
        self.kernel_fails = 0.0
        # True from an operation that the kernel refused until one that it accepted.
        self.kernel_is_behind = False
        self.rate = rate
        self.observers: List[Observer] = []
        self.unread: List[ReceivedPacket] = []
        self.stalled_until_ns = 0
        # What the daemon knows of the configuration and of its links.
        self.seen_config = config
        self.seen_links: Tuple[LinkFacts, ...] = ()
        self._world = world
        self._cables = {link.ifindex: (link, segment) for link, segment in cables.values()}
        self._down: Dict[str, bool] = {}
        self._factory = factory
        self._router: Optional[VrrpRouter] = None
        self._news: List[Callable[[], RouterEvent]] = []
        self._stopping = self._restarting = False
        self._clock = (0, 0)
        self._wake_ns: Optional[int] = None
        self._wanted = DesiredDataplane()
        self._retry_ns: Optional[int] = None
        for link, segment in cables.values():
            segment.attach(name, self._receiver(link))

    # What the outside does to it

    def start(self) -> None:
        """The daemon starts; what an earlier one left in the kernel is cleaned up first."""
        if self.alive:
            self._restarting = self._stopping
            return
        if self.stalled():
            self._world.at(self.stalled_until_ns, self.start)
            return
        self.alive = True
        self._news.clear()
        self.seen_config = self.config
        self.seen_links = self._links()
        self._router = self._factory(self.config, self.seen_links, self.local_ns())
        for observer in self.observers:
            observer.started(self)
        self._turn()

    def stop(self) -> None:
        """SIGTERM: the daemon leaves, and may forward on until a successor is heard."""
        if self.alive:
            self._stopping = True
            self._wake_soon()

    def crash(self) -> None:
        """SIGKILL, with the fence that systemd runs after it (ExecStopPost)."""
        if not self.alive:
            return
        self.alive = self.is_leaving = self.kernel_is_behind = False
        self._stopping = self._restarting = False
        self.kernel = DesiredDataplane()
        self.unread.clear()
        self._news.clear()
        self._retry_ns = None
        for observer in self.observers:
            observer.ended(self)

    def stall(self, duration_ns: int) -> None:
        """Nothing runs for a while: a paused machine, a busy processor."""
        self.stalled_until_ns = max(self.stalled_until_ns, self._world.now_ns + duration_ns)
        self._wake_at(self.stalled_until_ns)

    def resume(self) -> None:
        """The end of a stall."""
        self.stalled_until_ns = min(self.stalled_until_ns, self._world.now_ns)
        self._wake_soon()

    def set_link(self, interface: str, up: bool) -> None:
        """The carrier of an interface comes or goes; the daemon reads about it when it runs."""
        if self._down.get(interface, False) is up:
            self._down[interface] = not up
            self._news.append(lambda: LinksChanged(self._links()))
            self._wake_soon()

    def reconfigure(self, config: RouterConfig) -> None:
        """Reload."""
        self.config = config
        self._news.append(lambda: ConfigReplaced(config))
        self._wake_soon()

    def set_rate(self, rate: float) -> None:
        """From now on its clock runs so fast against true time."""
        self._clock = (self._world.now_ns, self.local_ns())
        self.rate = rate
        self._rearm()

    # What the checkers ask

    def local_ns(self) -> int:
        """The host's own monotonic clock."""
        return self.local_ns_at(self._world.now_ns)

    def local_ns_at(self, time_ns: int) -> int:
        """What its clock shows at a true time, if its rate does not change meanwhile."""
        since_ns, local_ns = self._clock
        return local_ns + int((time_ns - since_ns) * self.rate)

    def stalled(self) -> bool:
        """Whether it cannot run now."""
        return self._world.now_ns < self.stalled_until_ns

    def states(self) -> Dict[str, str]:
        """The state of each virtual router by name, as `vlangate show` would print it."""
        if self._router is None or not self.alive:
            return {}
        return {bound.config.name: bound.state.value for bound in self._router.bound_routers()}

    def segment_of(self, ifindex: int) -> Segment:
        """Where an interface is plugged in."""
        return self._cables[ifindex][1]

    # Its loop

    def _receiver(self, link: LinkFacts) -> Callable[[bytes], None]:
        def receive(frame: bytes) -> None:
            if not self.alive or self._down.get(link.name) or not carries_vrrp(frame):
                return
            packet = ReceivedPacket(link.ifindex, frame[ETHERNET_HEADER:], self.local_ns())
            self.unread.append(packet)
            self._wake_soon()

        return receive

    def _turn(self) -> None:
        """One round of daemon/loop.py."""
        self._wake_ns = None
        if self._router is None or not self.alive:
            return
        if self.stalled():
            self._wake_at(self.stalled_until_ns)
            return
        news, self._news = self._news, []
        for event in news:
            self._step(event())
        self._read_packets()
        self._tick()
        if self._retry_ns is not None and self._retry_ns <= self._world.now_ns:
            self._apply(self._wanted)
        if self._stopping and not self.is_leaving:
            self.is_leaving = True
            self._step(Stop())
        if self.is_leaving and not self._router.is_leaving:
            self._end()
        else:
            self._rearm()

    def _end(self) -> None:
        again = self._restarting
        self.crash()
        if again:
            self.start()

    def _read_packets(self) -> None:
        while self.unread:
            self._step(PacketReceived(self.unread.pop(0)))

    def _tick(self) -> None:
        deadline_ns = self._router.deadline_ns if self._router else None
        if deadline_ns is not None and deadline_ns <= self.local_ns():
            self._step(Tick())

    def _step(self, event: RouterEvent) -> None:
        if self._router is None:
            return
        if isinstance(event, LinksChanged):
            self.seen_links = event.links
        elif isinstance(event, ConfigReplaced):
            self.seen_config = event.config
        actions = self._router.step(event, self.local_ns())
        for action in actions:
            if isinstance(action, TransmitFrame):
                self._transmit(action)
            elif isinstance(action, DataplaneChanged):
                self._apply(action.desired)
        for observer in self.observers:
            observer.stepped(self, event, actions)

    def _transmit(self, action: TransmitFrame) -> None:
        link, segment = self._cables[action.ifindex]
        if self._down.get(link.name):
            return
        # As in daemon/shell.py: nothing is announced that the kernel has refused.
        if self.kernel_is_behind and not carries_vrrp(action.frame):
            return
        segment.send(self.name, action.frame)

    def _rearm(self) -> None:
        if not self.alive or self._router is None:
            return
        if self._retry_ns is not None:
            self._wake_at(self._retry_ns)
        if self._router.deadline_ns is not None:
            remaining_ns = max(0, self._router.deadline_ns - self.local_ns())
            late_ns = int(self._world.random.random() * WAKE_LATENCY_NS)
            self._wake_at(self._world.now_ns + int(remaining_ns / self.rate) + 1 + late_ns)

    def _wake_soon(self) -> None:
        self._wake_at(self._world.now_ns + WAKE_LATENCY_NS)

    def _wake_at(self, time_ns: int) -> None:
        if self._wake_ns is None or time_ns < self._wake_ns:
            self._wake_ns = time_ns
            self._world.at(time_ns, lambda: self._turn() if self._wake_ns == time_ns else None)

    # Its kernel

    def _apply(self, desired: DesiredDataplane) -> None:
        """The kernel may refuse half of it; then it is tried again, as daemon/loop.py does."""
        self._wanted = desired
        self.kernel_is_behind = self._world.chance(self.kernel_fails)
        if self.kernel_is_behind:
            self._retry_ns = self._world.now_ns + RETRY_DELAY_NS
            self.kernel = replace(desired, devices=self._half(desired))
        else:
            self._retry_ns = None
            self.kernel = desired

    def _half(self, desired: DesiredDataplane) -> Tuple[VirtualDevice, ...]:
        before = {device.name: device for device in self.kernel.devices}
        after = {device.name: device for device in desired.devices}
        mixed = (
            (after if self._world.chance(0.5) else before).get(name)
            for name in sorted({*before, *after})
        )
        return tuple(device for device in mixed if device is not None)

    def _links(self) -> Tuple[LinkFacts, ...]:
        return tuple(
            replace(link, has_carrier=not self._down.get(link.name))
            for link, _segment in self._cables.values()
        )
