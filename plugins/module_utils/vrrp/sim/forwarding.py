# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts of a LAN send to their gateway arrives at somebody who forwards. Layer L4.

Held against the switch and the kernels after everything that may change them, so that no gap is too
short to be measured. It watches while nothing is broken.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Sequence, Tuple

from ..config.model import VirtualRouterConfig
from ..router.actions import DataplaneChanged, RouterAction, TransmitFrame
from ..router.events import Repaired, RouterEvent
from ..units import format_ns
from ..wire.constants import virtual_mac
from .host import SimHost
from .segment import Segment
from .world import World

# Two that take over at the same instant hear each other before they know which of them stays.
_ROUND_TRIP_NS = 1_000_000
# Three of them may answer each other, and the one that stays repeats its announcement so soon.
_REPETITION_NS = 12_000_000


class Forwarding:
    """Complains of gaps. is_watching: from when to when somebody has to forward."""

    def __init__(
        self,
        world: World,
        hosts: Sequence[SimHost],
        segments: Sequence[Segment],
        complain: Callable[[str], None],
    ) -> None:
        self._world = world
        self._hosts = {host.name: host for host in hosts}
        self._segments = {segment.name: segment for segment in segments}
        self._complain = complain
        self._watched: Dict[str, VirtualRouterConfig] = {}
        self._priorities: Dict[str, List[int]] = {}
        self._gaps_ns: Dict[str, int] = {}
        for host in hosts:
            host.observers.append(self)

    def begin(self) -> None:
        """Watch what at least two hosts can be master of."""
        found: Dict[str, List[VirtualRouterConfig]] = {}
        for host in self._hosts.values():
            for router in host.config.virtual_routers:
                found.setdefault(str(router.key), []).append(router)
        self._watched = {key: routers[0] for key, routers in found.items() if len(routers) > 1}
        self._priorities = {key: [each.priority for each in found[key]] for key in found}
        self.look()

    def end(self) -> None:
        """Nobody needs to forward from now on."""
        self.look()
        for key in sorted(self._gaps_ns):
            self._complain("nobody forwards for %s any more" % key)
        self._watched, self._gaps_ns = {}, {}

    def look(self) -> None:
        """Is there a gap, or the end of one?"""
        for key, router in self._watched.items():
            if self._is_forwarded(router):
                since_ns = self._gaps_ns.pop(key, None)
                if since_ns is not None and self._world.now_ns - since_ns > self._most_ns(key):
                    gap = format_ns(self._world.now_ns - since_ns)
                    self._complain("nobody forwarded for %s during %s" % (key, gap))
            else:
                self._gaps_ns.setdefault(key, self._world.now_ns)

    def _most_ns(self, key: str) -> int:
        alike = max(self._priorities[key].count(each) for each in self._priorities[key])
        return _REPETITION_NS if alike > 2 else _ROUND_TRIP_NS

    def _is_forwarded(self, router: VirtualRouterConfig) -> bool:
        segment = self._segments[router.interface]
        mac = virtual_mac(router.family, router.vrid)
        host = self._hosts.get(segment.learned.get(mac, ""))
        return host is not None and host.holds((host.ifindex_of(router.interface), mac))

    # See Observer

    def started(self, host: SimHost) -> None:
        """See Observer."""

    def upgraded(self, host: SimHost) -> None:
        """See Observer."""

    def ended(self, host: SimHost) -> None:
        """See Observer."""
        self.look()

    def halted(self, host: SimHost, lease_s: int) -> None:
        """See Observer."""

    def kernel_changed(self, host: SimHost, expired: bool) -> None:
        """See Observer."""
        if expired:
            self.look()

    def stepped(self, host: SimHost, event: RouterEvent, actions: Tuple[RouterAction, ...]) -> None:
        """See Observer."""
        if not self._watched:
            return
        changes = any(isinstance(each, (DataplaneChanged, TransmitFrame)) for each in actions)
        if changes or isinstance(event, Repaired):
            self.look()
