# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host around a real VrrpRouter: its clock, its loop, its kernel, its accidents. Layer L4."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Callable, Dict, FrozenSet, List, Optional, Protocol, Tuple

from ..config.model import RouterConfig
from ..facts import LinkFacts, ReceivedPacket, Repair, format_address
from ..fsm.events import Memory
from ..fsm.states import State
from ..router.actions import DataplaneChanged, RenewLeases, RouterAction, TransmitFrame
from ..router.desired import DesiredDataplane
from ..router.events import (
    ConfigReplaced,
    DrainChanged,
    LinksChanged,
    PacketReceived,
    Repaired,
    RouterEvent,
    Stop,
    Tick,
)
from ..router.inheritance import Inheritance, read, recall, written
from ..router.vrrp_router import VrrpRouter
from ..units import CS_PER_S, NS_PER_S, ns_from_cs
from ..wire.constants import virtual_mac
from .frames import ETHERNET_HEADER, advertised, carries_vrrp
from .kernel import Identity, SimKernel, identity
from .segment import Segment
from .world import World

# From an interrupt to the daemon's system call that reads it.
WAKE_LATENCY_NS = 100_000
# As in daemon/loop.py: after a refused operation.
RETRY_DELAY_NS = NS_PER_S

# What systemd leaves a daemon that died to come back, before its addresses go.
GRACE_S = 3
# A new release takes over when nobody is on his way out.
UPGRADE_RETRY_NS = NS_PER_S // 10

RouterFactory = Callable[
    [RouterConfig, Tuple[LinkFacts, ...], int, Optional[Inheritance], FrozenSet[str]], VrrpRouter
]


class Observer(Protocol):
    """Somebody who watches hosts. Every call comes after its actions were carried out."""

    def started(self, host: SimHost) -> None:
        """A daemon began with host.seen_config and host.seen_links, and adopted host.adopted."""

    def upgraded(self, host: SimHost) -> None:
        """Another release went on in its place, at the same instant."""

    def stepped(self, host: SimHost, event: RouterEvent, actions: Tuple[RouterAction, ...]) -> None:
        """The router was told of an event and asked for these actions."""

    def ended(self, host: SimHost) -> None:
        """The daemon is gone, in good order or not."""

    def halted(self, host: SimHost, lease_s: int) -> None:
        """It was killed or paused, and whatever it holds has to go so soon; 0: it may not go."""

    def kernel_changed(self, host: SimHost, expired: bool) -> None:
        """Addresses went that no step of the router took away; expired: their lease ended."""


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
        self.kernel = SimKernel()
        # After Stop, while the daemon is still there.
        self.is_leaving = False
        self.kernel_fails = 0.0
        # True from an operation that the kernel refused until one that it accepted.
        self.kernel_is_behind = False
        self.refused_ns = -(10**12)
        # Counts crashes and pauses.
        self.halts = 0
        # Since when addresses are gone that nobody of us took away; None: none are.
        self.robbed_ns: Optional[int] = None
        # Virtual routers that the newest daemon found itself master of, by identity.
        self.adopted: FrozenSet[str] = frozenset()
        self.drained: FrozenSet[str] = frozenset()
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
        self._stopping = self._restarting = self._upgrading = False
        # By device: when it was last advertised, and with which interval.
        self._heartbeats: Dict[Identity, Tuple[int, int]] = {}
        self._watched_end_ns: Optional[int] = None
        self._clock = (0, 0)
        self._wake_ns: Optional[int] = None
        self._wanted: Optional[DesiredDataplane] = None
        self._retry_ns: Optional[int] = None
        for link, segment in cables.values():
            segment.attach(name, self._receiver(link))

    # What the outside does to it

    def start(self) -> None:
        """The daemon starts, and goes on where an earlier one died a moment ago."""
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
        memories = self._memories()
        self.adopted = frozenset(memories)
        now_ns = self.local_ns()
        self._router = self._factory(
            self.config, self.seen_links, now_ns, Inheritance(memories), self.drained
        )
        for observer in self.observers:
            observer.started(self)
        self._wanted = None
        self._turn()
        if self._wanted is None and self._router is not None:
            # What was not adopted goes, whatever the router says.
            self._apply(self._router.desired())

    def stop(self) -> None:
        """SIGTERM: the daemon leaves, and may forward on until a successor is heard."""
        if self.alive:
            self._stopping = True
            self._wake_soon()

    def crash(self, fenced: bool = True) -> None:
        """SIGKILL. fenced: systemd lives and shortens what the kernel holds (ExecStopPost)."""
        if self.alive:
            lease_s = self._lease_s()
            if fenced:
                self.kernel.expire(GRACE_S, self.local_ns())
                lease_s = min(lease_s, GRACE_S) or GRACE_S
            self._die()
            self._halt(lease_s)

    def upgrade(self) -> None:
        """Another release takes over, as soon as nobody is on his way out."""
        if self.alive:
            self._upgrading = True
            self._wake_soon()

    def drain(self, ids: FrozenSet[str], forced: bool = False) -> None:
        """An operator wants these, by identity or ALL, to be master only if nobody else is; that
        outlives the daemon."""
        if self.alive:
            self._news.append(lambda: DrainChanged(ids, forced))
            self._wake_soon()
        else:
            self.drained = ids

    def rob(self, which: Identity) -> None:
        """Somebody else removes the addresses of a device."""
        if self.kernel.remove_addresses(which):
            self._is_robbed(expired=False)

    def stall(self, duration_ns: int) -> None:
        """Nothing runs for a while: a paused machine, a busy processor."""
        self.stalled_until_ns = max(self.stalled_until_ns, self._world.now_ns + duration_ns)
        self._wake_at(self.stalled_until_ns)
        if self.alive:
            self._halt(self._lease_s())

    def _halt(self, lease_s: int) -> None:
        self.halts += 1
        for observer in self.observers:
            observer.halted(self, lease_s)

    def _lease_s(self) -> int:
        """When all that it holds will have gone by itself; 0: never."""
        if self.kernel_is_behind or not self.seen_config.uses_leases:
            return 0
        intervals_cs = [r.advertisement_interval_cs for r in self.seen_config.virtual_routers]
        return -(-3 * max(intervals_cs, default=0) // CS_PER_S)

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
        self._watch_leases()

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
        """The state of each virtual router by identity, as `vlangate show` would print it."""
        if self._router is None or not self.alive:
            return {}
        return {bound.id: bound.state.value for bound in self._router.bound_routers()}

    def holds(self, which: Identity) -> bool:
        """Whether it forwards what is sent to this device."""
        device = self.kernel.device(which)
        return device is not None and bool(device.addresses) and not self.is_down(which[0])

    def holds_all(self, which: Identity) -> bool:
        """Whether nothing is missing of what the router wants on this device."""
        missing = self.kernel.missing(self._wanted or DesiredDataplane())
        return not any(identity(device) == which for device, _address in missing)

    def owns_something(self) -> bool:
        """Whether it has addresses that were not given away."""
        return any(device.addresses for device in self.kernel.devices)

    def is_halted(self) -> bool:
        """Whether no daemon runs."""
        return self.stalled() or not self.alive

    def ifindex_of(self, interface: str) -> int:
        """Of one of its interfaces."""
        return next(i for i, (link, _segment) in self._cables.items() if link.name == interface)

    def is_down(self, ifindex: int) -> bool:
        """Whether that interface has no carrier."""
        return self._down.get(self._cables[ifindex][0].name, False)

    def segment_of(self, ifindex: int) -> Segment:
        """Where an interface is plugged in."""
        return self._cables[ifindex][1]

    # Its loop

    def _receiver(self, link: LinkFacts) -> Callable[[bytes], None]:
        def receive(frame: bytes) -> None:
            if not self.alive or self._down.get(link.name) or not carries_vrrp(frame):
                return
            packet = ReceivedPacket(link.ifindex, frame[ETHERNET_HEADER:])
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
            self._apply(self._wanted or DesiredDataplane())
        if self.robbed_ns is not None and not self.kernel_is_behind:
            self._reconcile()
        if self._stopping and not self.is_leaving:
            self.is_leaving = True
            self._step(Stop())
        if self.is_leaving and not self._router.is_leaving:
            self._end()
            return
        if self._upgrading:
            self._upgrade(self._router)
        self._rearm()

    def _end(self) -> None:
        again = self._restarting
        self.kernel = SimKernel()
        self._heartbeats.clear()
        self._die()
        if again:
            self.start()

    def _die(self) -> None:
        self.alive = self.is_leaving = self.kernel_is_behind = False
        self._stopping = self._restarting = self._upgrading = False
        self.unread.clear()
        self._news.clear()
        self._retry_ns = self.robbed_ns = None
        self._watch_leases()
        for observer in self.observers:
            observer.ended(self)

    # Processes that follow one another

    def _memories(self) -> Dict[str, Memory]:
        """As master of what the kernel still holds and nobody can have taken over yet; of a sync
        group, all or none. As daemon/adoption.py."""
        now_ns = self.local_ns()
        self.kernel.pass_time(now_ns)
        ifindices = {link.name: link.ifindex for link in self.seen_links}
        memories: Dict[str, Memory] = {}
        for ours in self.seen_config.virtual_routers:
            which = (ifindices[ours.interface], virtual_mac(ours.family, ours.vrid))
            beat_ns, interval_cs = self._heartbeats.get(which, (0, 0))
            if self.holds(which) and now_ns - beat_ns < 3 * ns_from_cs(interval_cs):
                own_cs = ours.advertisement_interval_cs
                memories[ours.name] = Memory(State.MASTER, now_ns, own_cs, now_ns)
        for group in self.seen_config.sync_groups:
            if not all(name in memories for name in group.members):
                for name in group.members:
                    memories.pop(name, None)
        keys = {each.name: str(each.key) for each in self.seen_config.virtual_routers}
        return {keys[name]: memory for name, memory in memories.items()}

    def _upgrade(self, router: VrrpRouter) -> None:
        if router.is_leaving or self._stopping:
            self._wake_at(self._world.now_ns + UPGRADE_RETRY_NS)
            return
        self._upgrading = False
        # As between two releases: nothing crosses but a document.
        inheritance = read(json.loads(json.dumps(written(router))))
        self._router = self._factory(
            self.seen_config, self.seen_links, self.local_ns(), inheritance, inheritance.drained
        )
        recall(self._router, inheritance.pasts)
        for observer in self.observers:
            observer.upgraded(self)

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
            elif isinstance(action, RenewLeases):
                self._renew(action)
        self.drained = self._router.drained
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
        said = advertised(action.frame)
        if said is not None:
            self._beat(action, *said)

    def _beat(self, action: TransmitFrame, priority: int, interval_cs: int) -> None:
        which = (action.ifindex, action.frame[6:12])
        if priority:
            self._heartbeats[which] = (self.local_ns(), interval_cs)
        else:
            self._heartbeats.pop(which, None)

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
            self.refused_ns = self._world.now_ns
            self.kernel.apply_half(desired, self._world.random, self.local_ns())
        else:
            self._retry_ns = None
            self.kernel.apply(desired, self.local_ns())
        self._watch_leases()

    def _renew(self, action: RenewLeases) -> None:
        if self._world.chance(self.kernel_fails):
            self.kernel_is_behind = True
            self._retry_ns = self._world.now_ns + RETRY_DELAY_NS
            self.refused_ns = self._world.now_ns
            return
        self.kernel.renew(action.devices, self._wanted or DesiredDataplane(), self.local_ns())
        self._watch_leases()

    def _reconcile(self) -> None:
        """What somebody else took away is put back."""
        self.robbed_ns = None
        wanted = self._wanted or DesiredDataplane()
        missing = self.kernel.missing(wanted)
        if not missing:
            return
        self._apply(wanted)
        repairs = [
            Repair(device.name, "%s was missing" % format_address(address.address))
            for device, address in missing
        ]
        self._step(Repaired(tuple(repairs)))

    def _is_robbed(self, expired: bool) -> None:
        if self.alive:
            if self.robbed_ns is None:
                self.robbed_ns = self._world.now_ns
            self._wake_soon()
        for observer in self.observers:
            observer.kernel_changed(self, expired)

    def _watch_leases(self) -> None:
        """Be there when the next address expires."""
        end_ns = self.kernel.next_end_ns()
        if end_ns is None:
            return
        true_ns = self._world.now_ns + int(max(0, end_ns - self.local_ns()) / self.rate) + 1
        if self._watched_end_ns is None or true_ns < self._watched_end_ns:
            self._watched_end_ns = true_ns
            self._world.at(true_ns, lambda: self._let_expire(true_ns))

    def _let_expire(self, watched_ns: int) -> None:
        if watched_ns != self._watched_end_ns:
            return
        self._watched_end_ns = None
        if self.kernel.pass_time(self.local_ns()):
            self._is_robbed(expired=True)
        self._watch_leases()

    def _links(self) -> Tuple[LinkFacts, ...]:
        return tuple(
            replace(link, has_carrier=not self._down.get(link.name))
            for link, _segment in self._cables.values()
        )
