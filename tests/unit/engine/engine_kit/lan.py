# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A LAN of several VrrpRouters in one process, with a clock that only the test moves."""

from typing import Callable, Dict, List, Set, Tuple

from engine_kit.driver import Outcome
from engine_kit.packets import Advert, is_advert, read_advert
from engine_kit.values import T0, link
from vrrp.config.model import RouterConfig
from vrrp.facts import ReceivedPacket
from vrrp.fsm.states import State
from vrrp.router.actions import Notify, TransmitFrame
from vrrp.router.events import PacketReceived, RouterEvent, Stop, Tick
from vrrp.router.vrrp_router import VrrpRouter

# More frames than this at one instant: routers answer each other without end.
_MAXIMUM_AT_ONCE = 500


class Host:
    """One router on the LAN."""

    def __init__(self, router: VrrpRouter) -> None:
        self.router = router
        self.transitions: List[Tuple[int, str, str]] = []
        self.holds_addresses = False


class Lan:
    """Delivers what one host sends to all others at once, unless their cable is cut."""

    def __init__(self) -> None:
        self.now_ns = T0
        self.hosts: Dict[str, Host] = {}
        self.cut: Set[str] = set()
        self.adverts: List[Tuple[int, str, Advert]] = []
        self.on_note: Callable[[int, str, Notify], None] = lambda *_note: None
        self.on_left: Callable[[int, str], None] = lambda *_left: None
        self._in_flight: List[Tuple[str, bytes]] = []
        self._stopping: Set[str] = set()

    def add(self, name: str, config: RouterConfig, number: int) -> Host:
        """number is the last octet of the host's real addresses."""
        addresses = ("198.18.10.%d/24" % number, "fe80::%x/64" % number)
        router = VrrpRouter(config, (link(addresses=addresses),), self.now_ns)
        self.hosts[name] = Host(router)
        return self.hosts[name]

    def kill(self, name: str) -> Host:
        """As kill -9 and the removal of its addresses."""
        return self.hosts.pop(name)

    def stop(self, name: str) -> None:
        """As SIGTERM: the host is gone when it has left."""
        self._stopping.add(name)
        self._step(name, Stop())
        self._deliver()

    def step(self, name: str, event: RouterEvent) -> None:
        """Something else happens to a host."""
        self._step(name, event)
        self._deliver()

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end_ns = self.now_ns + round(seconds * 1_000_000_000)
        while True:
            due = [
                (host.router.deadline_ns, name)
                for name, host in self.hosts.items()
                if host.router.deadline_ns is not None
            ]
            if not due or min(due)[0] > end_ns:
                break
            deadline_ns, name = min(due)
            self.now_ns = max(self.now_ns, deadline_ns)
            self._step(name, Tick())
            self._deliver()
        self.now_ns = end_ns

    def masters(self) -> Set[str]:
        """Who is master of the only group."""
        return {
            name
            for name, host in self.hosts.items()
            if any(bound.state is State.MASTER for bound in host.router.bound_routers())
        }

    def _step(self, name: str, event: RouterEvent) -> None:
        host = self.hosts[name]
        outcome = Outcome(self.now_ns, host.router.step(event, self.now_ns))
        for note in outcome.notes:
            self.on_note(self.now_ns, name, note)
            if note.kind == "transition":
                found = (self.now_ns, note.data["current"], note.data["reason"])
                host.transitions.append(found)
        if outcome.desired is not None:
            held = host.holds_addresses
            host.holds_addresses = any(device.addresses for device in outcome.desired.devices)
            told_now = host.transitions and host.transitions[-1][0] == self.now_ns
            if held and not host.holds_addresses and not told_now:
                self.on_left(self.now_ns, name)
        if name in self._stopping and not host.router.is_leaving:
            self._stopping.remove(name)
            del self.hosts[name]
        for action in outcome.actions:
            if isinstance(action, TransmitFrame) and is_advert(action.frame):
                self.adverts.append((self.now_ns, name, read_advert(action.frame)))
                if name not in self.cut:
                    self._in_flight.append((name, action.frame))

    def _deliver(self) -> None:
        for _count in range(_MAXIMUM_AT_ONCE):
            if not self._in_flight:
                return
            sender, frame = self._in_flight.pop(0)
            for name in sorted(set(self.hosts) - {sender} - self.cut):
                self._step(name, PacketReceived(ReceivedPacket(7, frame[14:])))
        raise AssertionError("a storm of advertisements")
