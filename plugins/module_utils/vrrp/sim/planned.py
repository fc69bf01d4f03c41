# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators do to a site where nothing is broken: it may cost no packet. Layer L4.

Some of it may not even be noticed: no role changes, nobody says priority 0.
"""

from __future__ import annotations

from typing import Callable, FrozenSet, List, Tuple

from ..router.events import ALL
from ..units import NS_PER_S, ns_from_cs
from . import changes
from .checker import Checker
from .faults import Faults
from .host import SimHost
from .kernel import identity
from .world import World

# A stopped daemon comes back when the slowest one has left.
_ABSENCE_NS = 4 * NS_PER_S
# A process that died is back before others take over: they wait for three intervals.
_PATIENCE_INTERVALS = 1.5
_ROLL_OUT_NS = NS_PER_S // 2


class PlannedChanges:
    """Begins one after the other; the run lets the time pass between them."""

    def __init__(
        self,
        world: World,
        hosts: List[SimHost],
        checker: Checker,
        faults: Faults,
        alike: FrozenSet[str],
    ) -> None:
        self._world = world
        self._hosts = hosts
        self._checker = checker
        self._faults = faults
        self._alike = alike
        # What happens, and what it is called where nobody may notice it.
        self._kinds: Tuple[Tuple[Callable[[SimHost], None], str], ...] = (
            (self._stop, ""),
            (self._drain, ""),
            (self._undrain, ""),
            (self._reconfigure, ""),
            (self._regroup, ""),
            (SimHost.upgrade, "an upgrade"),
            (self._die, "a restart after a crash"),
            (self._rename, "a change of names"),
            (self._change_accept_mode, "a change of accept mode"),
            (self._rob, "a repair"),
        )

    def begin(self) -> int:
        """Do one of them to one host; in how many nanoseconds it is done."""
        chance = self._world.random
        act, self._checker.calm = chance.choice(self._kinds)
        self._checker.restless = frozenset()
        hosts = [host for host in self._hosts if host.config.virtual_routers]
        if hosts:
            act(chance.choice(hosts))
        return _ABSENCE_NS

    def _stop(self, host: SimHost) -> None:
        host.stop()
        self._world.after(_ABSENCE_NS, host.start)

    def _drain(self, host: SimHost) -> None:
        ids = [str(each.key) for each in host.config.virtual_routers]
        host.drain(frozenset((self._world.random.choice((ALL, *ids)),)))

    def _undrain(self, host: SimHost) -> None:
        host.drain(frozenset())

    def _reconfigure(self, host: SimHost) -> None:
        self._faults.reconfigure(host)

    def _regroup(self, _host: SimHost) -> None:
        self._faults.plan_group()
        for number, host in enumerate(self._hosts):
            self._world.after(number * _ROLL_OUT_NS, self._regrouping(host))

    def _regrouping(self, host: SimHost) -> Callable[[], None]:
        return lambda: self._faults.regroup(host)

    def _die(self, host: SimHost) -> None:
        quickest_cs = min(r.advertisement_interval_cs for r in host.config.virtual_routers)
        # Who was backup begins anew, and may not know the master's interval.
        states = host.states()
        self._checker.restless = frozenset(key for key in states if states[key] != "master")
        host.crash()
        longest_ns = _PATIENCE_INTERVALS * ns_from_cs(quickest_cs)
        self._world.after(int(self._world.random.random() * longest_ns), host.start)

    def _rename(self, host: SimHost) -> None:
        for each in host.config.virtual_routers:
            host.config = changes.renamed(str(each.key))(host.config)
        host.reconfigure(host.config)

    def _change_accept_mode(self, host: SimHost) -> None:
        key = str(self._world.random.choice(host.config.virtual_routers).key)
        host.reconfigure(changes.other_accept_mode(key)(host.config))

    def _rob(self, host: SimHost) -> None:
        for device in host.kernel.devices:
            host.rob(identity(device))
