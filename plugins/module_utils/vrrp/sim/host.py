# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host around a real VrrpRouter: its clock, its loop, its kernel, its accidents. Layer L4."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Tuple

from ..config.model import RouterConfig
from ..facts import LinkFacts, ReceivedPacket
from ..fsm.states import State
from ..router.actions import DataplaneChanged, Notify, RouterAction, TransmitFrame
from ..router.desired import DesiredDataplane
from ..router.events import (
    ConfigReplaced,
    LinksChanged,
    PacketReceived,
    RouterEvent,
    Stop,
    Tick,
)
from ..router.vrrp_router import VrrpRouter
from .segment import Segment
from .world import World

_ETHERNET_HEADER = 14
_PROTOCOL_OFFSETS = {b"\x08\x00": 14 + 9, b"\x86\xdd": 14 + 6}
_VRRP = 112

Watcher = Callable[["SimHost", Notify], None]
RouterFactory = Callable[[RouterConfig, Tuple[LinkFacts, ...], int], VrrpRouter]


class SimHost:
    """One router of the simulation. It implements the duties of daemon/shell.py.

    rate: how fast its clock runs against true time. Packets that came in while it was stalled wait
    in its socket and are read before its timers are believed, as in daemon/loop.py.
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
        self.watchers: List[Watcher] = []
        self.wake_latency_ns = 100_000
        self.kernel_fails = 0.0
        self._world = world
        self._cables = cables
        self._down: Dict[str, bool] = {}
        self._rate = rate
        self._factory = factory
        self._router: Optional[VrrpRouter] = None
        self._inbox: List[ReceivedPacket] = []
        self._stalled_until_ns = 0
        self._wake_ns: Optional[int] = None
        self._wanted: Optional[DesiredDataplane] = None
        for link, segment in cables.values():
            segment.attach(name, self._receiver(link))

    # What the outside does to it

    def start(self) -> None:
        """The daemon starts; what an earlier one left in the kernel is cleaned up first."""
        self.alive = True
        self.kernel = DesiredDataplane()
        self._router = self._factory(self.config, self._links(), self.local_ns())
        self._turn()

    def stop(self) -> None:
        """SIGTERM."""
        if self._router is not None and self.alive:
            self._drain()
            self._carry_out(self._router.step(Stop(), self.local_ns()))
            self.crash()

    def crash(self) -> None:
        """SIGKILL, with the fence that systemd runs after it (ExecStopPost)."""
        self.alive = False
        self.kernel = DesiredDataplane()
        self._inbox.clear()
        self._wanted = None

    def stall(self, duration_ns: int) -> None:
        """Nothing runs for a while: a paused machine, a busy processor."""
        self._stalled_until_ns = max(self._stalled_until_ns, self._world.now_ns + duration_ns)
        self._wake_at(self._stalled_until_ns)

    def set_link(self, interface: str, up: bool) -> None:
        """The carrier of an interface comes or goes."""
        self._down[interface] = not up
        self._event(LinksChanged(self._links()))

    def reconfigure(self, config: RouterConfig) -> None:
        """Reload."""
        self.config = config
        self._event(ConfigReplaced(config))

    # What the checkers ask

    def local_ns(self) -> int:
        """The host's own monotonic clock."""
        return int(self._world.now_ns * self._rate)

    def stalled(self) -> bool:
        """Whether it cannot run now."""
        return self._world.now_ns < self._stalled_until_ns

    def kernel_is_behind(self) -> bool:
        """Whether its kernel refused, or was not asked again yet."""
        return bool(self.kernel_fails) or self._wanted is not None

    def states(self) -> List[Tuple[str, State]]:
        """Name and state of each virtual router; nothing while the daemon is dead."""
        if self._router is None or not self.alive:
            return []
        return [(bound.config.name, bound.state) for bound in self._router.bound_routers()]

    def holds_addresses(self, name: str) -> bool:
        """Whether the kernel answers for the virtual router's addresses."""
        return any(device.alias == name and device.addresses for device in self.kernel.devices)

    # Its loop

    def _receiver(self, link: LinkFacts) -> Callable[[bytes], None]:
        def receive(frame: bytes) -> None:
            offset = _PROTOCOL_OFFSETS.get(frame[12:14])
            if offset is None or frame[offset] != _VRRP:
                return
            if not self.alive or self._down.get(link.name):
                return
            packet = ReceivedPacket(link.ifindex, frame[_ETHERNET_HEADER:], self.local_ns())
            self._inbox.append(packet)
            self._wake_at(self._world.now_ns + self.wake_latency_ns)

        return receive

    def _event(self, event: RouterEvent) -> None:
        if self._router is not None and self.alive:
            self._drain()
            self._carry_out(self._router.step(event, self.local_ns()))
            self._rearm()

    def _turn(self) -> None:
        self._wake_ns = None
        if self._router is None or not self.alive:
            return
        if self.stalled():
            self._wake_at(self._stalled_until_ns)
            return
        self._drain()
        deadline_ns = self._router.deadline_ns
        if deadline_ns is not None and deadline_ns <= self.local_ns():
            self._carry_out(self._router.step(Tick(), self.local_ns()))
        if self._wanted is not None:
            self._apply(self._wanted)
        self._rearm()

    def _drain(self) -> None:
        inbox, self._inbox = self._inbox, []
        for packet in inbox:
            if self._router is not None:
                self._carry_out(self._router.step(PacketReceived(packet), self.local_ns()))

    def _rearm(self) -> None:
        if self._router is None or self._router.deadline_ns is None:
            return
        remaining_ns = max(0, self._router.deadline_ns - self.local_ns())
        late_ns = self._world.random.randrange(self.wake_latency_ns)
        self._wake_at(self._world.now_ns + int(remaining_ns / self._rate) + 1 + late_ns)

    def _wake_at(self, time_ns: int) -> None:
        if self._wake_ns is None or time_ns < self._wake_ns:
            self._wake_ns = time_ns
            self._world.at(time_ns, lambda: self._turn() if self._wake_ns == time_ns else None)

    def _carry_out(self, actions: Tuple[RouterAction, ...]) -> None:
        for action in actions:
            if isinstance(action, TransmitFrame):
                self._transmit(action)
            elif isinstance(action, DataplaneChanged):
                self._apply(action.desired)
            else:
                for watcher in self.watchers:
                    watcher(self, action)

    def _transmit(self, action: TransmitFrame) -> None:
        for link, segment in self._cables.values():
            if link.ifindex == action.ifindex and not self._down.get(link.name):
                segment.send(self.name, action.frame)

    def _apply(self, desired: DesiredDataplane) -> None:
        """The kernel may refuse; then it is tried again, as daemon/loop.py does."""
        if self._world.chance(self.kernel_fails):
            self._wanted = desired
            self._wake_at(self._world.now_ns + 1_000_000_000)
        else:
            self._wanted = None
            self.kernel = desired

    def _links(self) -> Tuple[LinkFacts, ...]:
        return tuple(
            LinkFacts(
                link.ifindex,
                link.name,
                link.mac,
                link.mtu,
                link.is_up,
                not self._down.get(link.name),
                link.addresses,
            )
            for link, _segment in self._cables.values()
        )
