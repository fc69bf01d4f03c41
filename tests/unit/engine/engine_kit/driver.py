# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives one VrrpRouter through virtual time and sorts what it asks for."""

from dataclasses import dataclass
from typing import Any, FrozenSet, List, Optional, Sequence, Set, Tuple

from engine_kit.packets import Advert, Packet, is_advert, read_advert
from engine_kit.values import T0, link
from vrrp.config.model import RouterConfig
from vrrp.facts import LinkFacts, ProbeResult
from vrrp.fsm.states import State
from vrrp.router.actions import DataplaneChanged, Notify, RenewLeases, TransmitFrame
from vrrp.router.bound_router import BoundRouter
from vrrp.router.desired import DesiredDataplane, VirtualDevice
from vrrp.router.events import (
    ConfigReplaced,
    DrainChanged,
    LinksChanged,
    PacketReceived,
    RouterEvent,
    Tick,
    TrackerReported,
)
from vrrp.router.inheritance import Inheritance
from vrrp.router.vrrp_router import VrrpRouter


@dataclass(frozen=True)
class Outcome:
    """The actions of one step."""

    at_ns: int
    actions: Tuple[object, ...]

    @property
    def frames(self) -> List[bytes]:
        return [each.frame for each in self.actions if isinstance(each, TransmitFrame)]

    @property
    def adverts(self) -> List[Advert]:
        return [read_advert(frame) for frame in self.frames if is_advert(frame)]

    @property
    def announcements(self) -> List[bytes]:
        return [frame for frame in self.frames if not is_advert(frame)]

    @property
    def notes(self) -> List[Notify]:
        return [each for each in self.actions if isinstance(each, Notify)]

    @property
    def desired(self) -> Optional[DesiredDataplane]:
        changes = [each.desired for each in self.actions if isinstance(each, DataplaneChanged)]
        assert len(changes) <= 1
        return changes[0] if changes else None

    @property
    def renewed(self) -> Tuple[str, ...]:
        found = [each.devices for each in self.actions if isinstance(each, RenewLeases)]
        assert len(found) <= 1
        return found[0] if found else ()

    def kinds(self) -> str:
        """One letter for each run of actions of a kind: Advert, Dataplane, Lease, annoUncement,
        Note."""
        letters = ""
        for action in self.actions:
            if isinstance(action, TransmitFrame):
                letter = "A" if is_advert(action.frame) else "U"
            elif isinstance(action, RenewLeases):
                letter = "L"
            else:
                letter = "D" if isinstance(action, DataplaneChanged) else "N"
            letters += letter if not letters.endswith(letter) else ""
        return letters


class Driver:
    """A router on its own host."""

    def __init__(
        self,
        config: RouterConfig,
        links: Sequence[LinkFacts] = (link(),),
        now_ns: int = T0,
        inheritance: Optional[Inheritance] = None,
        drained: FrozenSet[str] = frozenset(),
    ) -> None:
        self.router = VrrpRouter(config, tuple(links), now_ns, inheritance, drained)
        self.now_ns = now_ns
        self.first = self.step(Tick(), now_ns)

    def step(self, event: RouterEvent, now_ns: Optional[int] = None) -> Outcome:
        if now_ns is not None:
            assert now_ns >= self.now_ns, "time never goes back"
            self.now_ns = now_ns
        return Outcome(self.now_ns, self.router.step(event, self.now_ns))

    def run(self, until_ns: int) -> List[Outcome]:
        """Wake the router whenever it wants to be woken, up to that time and including it."""
        outcomes = []
        while self.router.deadline_ns is not None and self.router.deadline_ns <= until_ns:
            outcomes.append(self.step(Tick(), max(self.router.deadline_ns, self.now_ns)))
            assert len(outcomes) < 100_000, "it wants to be woken without end"
        self.now_ns = until_ns
        return outcomes

    def run_to_master(self) -> Outcome:
        """Until a step makes the first virtual router master; that step."""
        while True:
            assert self.router.deadline_ns is not None
            outcome = self.step(Tick(), self.router.deadline_ns)
            if any(each.state is State.MASTER for each in self.router.bound_routers()):
                return outcome

    def hear(self, packet: Packet, ifindex: int = 7, now_ns: Optional[int] = None) -> Outcome:
        return self.step(PacketReceived(packet.received(ifindex)), now_ns)

    def links(self, *links: LinkFacts) -> Outcome:
        return self.step(LinksChanged(links))

    def configure(self, config: RouterConfig) -> Outcome:
        return self.step(ConfigReplaced(config))

    def drain(self, *names: str, forced: bool = False) -> Outcome:
        """Exactly these from now on."""
        ids = {each.name: str(each.key) for each in self.router.config.virtual_routers}
        return self.step(DrainChanged(frozenset(ids.get(name, name) for name in names), forced))

    def drained(self) -> Set[str]:
        """What was drained, by name where it has one."""
        names = {str(each.key): each.name for each in self.router.config.virtual_routers}
        return {names.get(each, each) for each in self.router.drained}

    def device(self, name: str = "vlan10") -> VirtualDevice:
        """What the kernel should have for a virtual router, those that part included."""
        devices = self.router.desired().devices
        (found,) = (each for each in devices if each.alias == name)
        return found

    def report(self, tracker: str, ok: bool, detail: str = "because") -> Outcome:
        return self.step(TrackerReported(ProbeResult(tracker, ok, detail)))

    def bound(self, name: str = "vlan10") -> BoundRouter:
        (found,) = (each for each in self.router.bound_routers() if each.config.name == name)
        return found

    def state(self, name: str = "vlan10") -> State:
        return self.bound(name).state

    def count(self, counter: str, name: str = "vlan10") -> int:
        return self.bound(name).counters.get(counter, 0)


def master(config: RouterConfig, links: Sequence[LinkFacts] = (link(),), **more: Any) -> Driver:
    """A router that has become master of everything it can be master of."""
    driver = Driver(config, links, **more)
    driver.run(driver.now_ns + 10 * 1_000_000_000)
    return driver
