# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true when all faults have healed and time has passed. Layer L4."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence

from ..config.model import VirtualRouterConfig
from ..facts import Family
from ..fsm.states import State
from ..units import NS_PER_S, ns_from_cs
from .checker import Checker
from .frames import down_ns
from .host import SimHost
from .segment import Segment
from .site_view import group_of
from .world import World

_PING_EACH_NS = 100_000_000
_MAC_PREFIXES = {Family.IPV4: b"\x00\x00\x5e\x00\x01", Family.IPV6: b"\x00\x00\x5e\x00\x02"}


class Aftermath:
    """Looks at the end of one history: one master, the right one, reachable, and peace."""

    def __init__(
        self, world: World, hosts: Sequence[SimHost], segments: Sequence[Segment], checker: Checker
    ) -> None:
        self._world = world
        self._hosts = hosts
        self._segments = {segment.name: segment for segment in segments}
        self._checker = checker
        # By virtual router: frames that a host of the LAN sent to its gateway in vain.
        self._lost: Dict[str, int] = {}

    def settle_ns(self, slowest_cs: int, rounds: int) -> int:
        """How long it may take. slowest_cs: the longest interval ever used. rounds: how often
        somebody waits in vain for another; 4 after healing."""
        delays_cs = (r.preempt_delay_cs for host in self._hosts for r in _routers(host))
        # Each needs its own time to hear that the other is worse, and a preempt delay; a kernel
        # that refused is asked again after a second.
        longest_ns = max(down_ns(version, 1, slowest_cs) for version in (2, 3))
        return rounds * longest_ns + ns_from_cs(max(delays_cs, default=0)) + 2 * NS_PER_S

    def watch(self, end_ns: int) -> None:
        """From now on until then no state changes and no host's frame is lost."""
        self._checker.calm, self._checker.restless = "peace", frozenset()
        self._ping(end_ns)

    def finish(self) -> None:
        """The last look."""
        keys = {str(router.key) for host in self._hosts for router in _routers(host)}
        for key in sorted(keys):
            self._one_master(key)
        for host in self._hosts:
            self._checker.kernel_is_right(host)
            if host.kernel_is_behind:
                self._checker.complain("the kernel of %s is still behind" % host.name)
        for member in self._checker.members.values():
            if member.state is State.BACKUP:
                member.must_not_be_late(member.host.local_ns())
            elif member.state is State.MASTER:
                member.must_not_be_silent(member.host.local_ns())
        for name, lost in sorted(self._lost.items()):
            self._checker.complain("%d frames of hosts to %s were lost" % (lost, name))

    def _ping(self, end_ns: int) -> None:
        """A host in each LAN sends a frame to each virtual MAC, and the switch does its best."""
        for router in {r.key: r for host in self._hosts for r in _routers(host)}.values():
            mac = _MAC_PREFIXES[router.family] + bytes((router.vrid,))
            port = self._segments[router.interface].learned.get(mac)
            devices = [d for h in self._hosts if h.name == port for d in h.kernel.devices]
            if not any(device.mac == mac and device.addresses for device in devices):
                key = str(router.key)
                self._lost[key] = self._lost.get(key, 0) + 1
        if self._world.now_ns + _PING_EACH_NS <= end_ns:
            self._world.after(_PING_EACH_NS, lambda: self._ping(end_ns))

    def _one_master(self, key: str) -> None:
        masters = [host.name for host in self._hosts if host.states().get(key) == "master"]
        best = self._best(key)
        if len(masters) != 1:
            names = ", ".join(masters) or "nobody"
            self._checker.complain("%s is master of %s after healing" % (names, key))
        elif best is not None and best != masters[0]:
            self._checker.complain("%s is master of %s, and not %s" % (masters[0], key, best))

    def _best(self, key: str) -> Optional[str]:
        """Who has to be master; None when anybody may be (no preemption, equal priorities)."""
        routers = {
            host: router
            for host in self._hosts
            for router in _routers(host)
            if str(router.key) == key
        }
        priorities = {
            host: 1 if self._checker.is_drained(host, router) else router.priority
            for host, router in routers.items()
        }
        highest = max(priorities.values())
        best = [host for host in routers if priorities[host] == highest]
        if len(best) > 1:
            return None
        # RFC 9568 section 6.1: the owner preempts, whatever it is told.
        may = routers[best[0]].preempt or highest == 255
        if may and self._in_step(best[0], routers[best[0]]):
            return best[0].name
        return None

    def _in_step(self, host: SimHost, router: VirtualRouterConfig) -> bool:
        """Whether all hosts have the sync group of this virtual router as it is here."""
        wanted = {str(each.key) for each in group_of(host.config, router)}
        for other in self._hosts:
            for theirs in _routers(other):
                group = {str(each.key) for each in group_of(other.config, theirs)}
                if theirs.key == router.key and group != wanted:
                    return False
        return True


def _routers(host: SimHost) -> List[VirtualRouterConfig]:
    return list(host.config.virtual_routers)
