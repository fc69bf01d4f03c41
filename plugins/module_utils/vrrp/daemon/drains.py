# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which virtual routers are drained, over restarts. Layer L5.

What draining does is the router's affair, see router/events.py: it may also end it by itself, so
what it says is what is remembered. Requests speak names, everything else identities
(BoundRouter.id): a name may be another's tomorrow.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterable, Mapping, Optional

from ..config.model import RouterConfig
from ..errors import ControlError, PlatformError
from ..fsm.parameters import OWNER_PRIORITY
from ..fsm.states import State
from ..ports import Clock
from ..router.events import ALL, DrainChanged
from ..units import NS_PER_S
from .beginning import PROBATION
from .log import Log
from .shell import Shell
from .state_files import StateFiles

DRAINED = "drained.json"
# The disk may have room again.
RETRY_NS = 60 * NS_PER_S


def read_drained(files: StateFiles) -> FrozenSet[str]:
    """Who was drained when the daemon ended: identities, or ALL."""
    document = files.read(DRAINED)
    if document is None:
        return frozenset()
    drained = document.get("drained")
    if not isinstance(drained, list) or not all(isinstance(each, str) for each in drained):
        files.disbelieve(DRAINED, "it has no list of who is drained")
        return frozenset()
    return frozenset(drained)


class Drains:
    """Drains and undrains on request. The router has to be made with read_drained(), or with what
    the process before says."""

    def __init__(self, shell: Shell, files: StateFiles, clock: Clock, log: Log) -> None:
        self._shell = shell
        self._files = files
        self._clock = clock
        self._log = log
        self._written = read_drained(files)
        self._retry_ns: Optional[int] = None

    def drain(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        """names or all: those are master only if nobody else is. Raises ControlError.

        Answers at once: who is master hands over in the time after it.
        """
        forced = _flag(params, "force")
        config, router = self._shell.router.config, self._shell.router
        meant = _meant(params, config)
        wanted = meant | router.drained
        if ALL not in meant:
            _refuse_owners(meant, config)
        else:
            wanted = frozenset((ALL,))
        # Who is drained and master was the last one there was: asked again, it tries again.
        again = self._last_resorts(meant)
        if again:
            self._change(_without(router.drained, again, config), False)
        self._change(wanted, forced)
        return self._answer()

    def undrain(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        """names or all: those, with their sync groups, take part again. Raises ControlError."""
        config = self._shell.router.config
        meant = _meant(params, config)
        wanted: FrozenSet[str] = frozenset()
        if ALL not in meant:
            wanted = _without(self._shell.router.drained, _together(meant, config), config)
        self._change(wanted, False)
        return self._answer()

    def forget_removed(self) -> None:
        """Who was removed is not drained when it comes back one day; but a removal on probation may
        be taken back, and then everything is as it was before."""
        drained = self._shell.router.drained
        rest = drained & {ALL, *_ids(self._shell.router.config).values()}
        if rest != drained and self._files.read_text(PROBATION) is None:
            self._change(rest, False)

    def deadline_ns(self) -> Optional[int]:
        """When tick() wants to be called at the latest."""
        return self._retry_ns

    def tick(self, now_ns: int) -> None:
        """Remember what the router says now."""
        drained = self._shell.router.drained
        if drained == self._written:
            self._retry_ns = None
        elif self._retry_ns is None or now_ns >= self._retry_ns:
            self._remember(drained, now_ns)

    def _remember(self, drained: FrozenSet[str], now_ns: int) -> None:
        try:
            if drained:
                self._files.write(DRAINED, {"drained": sorted(drained)})
            else:
                self._files.remove(DRAINED)
        except PlatformError as error:
            if self._retry_ns is None:
                message = "a restart would not know who is drained: %s" % error
                self._log.write("warning", message)
            self._retry_ns = now_ns + RETRY_NS
        else:
            self._written, self._retry_ns = drained, None

    def _change(self, drained: FrozenSet[str], forced: bool) -> None:
        if drained != self._shell.router.drained:
            self._shell.step(DrainChanged(drained, forced), self._clock.now_ns())

    def _last_resorts(self, meant: FrozenSet[str]) -> FrozenSet[str]:
        router = self._shell.router
        masters = {
            bound.id
            for bound in router.bound_routers()
            if bound.state is State.MASTER and router.is_drained(bound)
        }
        again = frozenset(masters) if ALL in meant else _together(meant, router.config) & masters
        return _together(again, router.config)

    def _answer(self) -> Dict[str, Any]:
        router = self._shell.router
        bounds = router.bound_routers()
        return {
            "drained": [bound.config.name for bound in bounds if router.is_drained(bound)],
            "drained_all": ALL in router.drained,
            "leaving": [bound.config.name for bound in bounds if bound.is_leaving],
        }


def _flag(params: Mapping[str, Any], name: str) -> bool:
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise ControlError("bad-parameters", "%s is true or false" % name)
    return value


def _meant(params: Mapping[str, Any], config: RouterConfig) -> FrozenSet[str]:
    """The virtual routers that a request means, or ALL. Raises ControlError."""
    names = params.get("names")
    if _flag(params, "all"):
        if names is not None:
            raise ControlError("bad-parameters", "give names or all, not both")
        return frozenset((ALL,))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not names:
        raise ControlError("bad-parameters", "give names, as a list, or all")
    ids = _ids(config)
    unknown = sorted(set(names).difference(ids))
    if unknown:
        message = "no virtual router %s; there are: %s"
        told = ", ".join(map(repr, unknown)), ", ".join(ids) or "none"
        raise ControlError("unknown-name", message % told)
    return frozenset(ids[name] for name in names)


def _ids(config: RouterConfig) -> Dict[str, str]:
    """By name."""
    return {router.name: str(router.key) for router in config.virtual_routers}


def _refuse_owners(meant: FrozenSet[str], config: RouterConfig) -> None:
    owners = [
        router.name
        for router in config.virtual_routers
        if str(router.key) in meant and router.priority == OWNER_PRIORITY
    ]
    if owners:
        message = (
            "%s cannot be drained: priority 255 means that it owns its addresses, so it is master "
            "whenever it runs (stop the daemon, or remove it from the configuration)"
        )
        raise ControlError("owner", message % ", ".join(owners))


def _together(drained: Iterable[str], config: RouterConfig) -> FrozenSet[str]:
    """These and the other members of their sync groups."""
    together, ids = set(drained), _ids(config)
    for group in config.sync_groups:
        members = {ids[name] for name in group.members}
        if together & members:
            together |= members
    return frozenset(together)


def _without(drained: FrozenSet[str], some: FrozenSet[str], config: RouterConfig) -> FrozenSet[str]:
    """ALL but some is the rest one by one."""
    if ALL in drained and some:
        drained = frozenset(_ids(config).values())
    return drained - some
