# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the requests on the control socket do. Layer L5. Documented in docs/control.md."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Set

from ..config.diff import Change, diff
from ..config.parse import parse
from ..config.render import document
from ..control.schema import EncodedList, Request
from ..errors import ConfigError, ControlError
from ..ports import Clock
from ..router.events import ALL
from ..router.snapshot import overview, shown
from .commitment import MAXIMUM_PROBATION_S, Commitment
from .drains import Drains
from .release import Release
from .shell import Shell
from .state_files import StateFiles
from .upgrade import Upgrade

# Some three milliseconds: a thousand in one go would make their advertisements late.
_SHOWN_AT_ONCE = 64

Method = Callable[[Mapping[str, Any]], Dict[str, Any]]


class Requests:
    """Answers requests about one router: what it is, what it runs, who is drained."""

    def __init__(
        self,
        shell: Shell,
        commitment: Commitment,
        drains: Drains,
        files: StateFiles,
        clock: Clock,
        features: Mapping[str, bool],
    ) -> None:
        self._shell = shell
        self._commitment = commitment
        self._drains = drains
        self._files = files
        self._clock = clock
        self._features = features
        self._release = Release.of_this_engine()
        self._started_ns = clock.now_ns()
        self.upgrade: Optional[Upgrade] = None
        # Called in the middle of a long answer: adverts that are due go out.
        self.breathe: Callable[[], None] = lambda: None
        self._methods: Dict[str, Method] = {
            "show.status": self._show_status,
            "show.routers": self._show_routers,
            "config.get": self._config_get,
            "config.check": self._config_check,
            "do.reload": self._do_reload,
            "do.confirm": self._do_confirm,
            "do.rollback": self._do_rollback,
            "do.drain": drains.drain,
            "do.undrain": drains.undrain,
            "do.upgrade": self._do_upgrade,
        }
        self._parameters: Dict[str, Set[str]] = {
            "show.routers": {"name"},
            "config.check": {"document"},
            "do.reload": {"confirm_within_s"},
            "do.confirm": {"sha256"},
            "do.drain": {"names", "all", "force"},
            "do.undrain": {"names", "all"},
        }

    def handle(self, request: Request) -> Mapping[str, Any]:
        """The result of a request. Raises ControlError or ConfigError."""
        method = self._methods.get(request.method)
        if method is None:
            known = ", ".join(sorted((*self._methods, "watch")))
            message = "no method %r; there are: %s" % (request.method, known)
            raise ControlError("unknown-method", message)
        unknown = set(request.params) - self._parameters.get(request.method, set())
        if unknown:
            names = ", ".join(sorted(unknown))
            message = "%s does not take: %s" % (request.method, names)
            raise ControlError("bad-parameters", message)
        if request.method.startswith("do.") and self.upgrade and self.upgrade.is_running:
            raise ControlError("busy", "an upgrade is under way: ask again in a moment")
        return method(request.params)

    def _show_status(self, _params: Mapping[str, Any]) -> Dict[str, Any]:
        return {
            "engine": {
                "version": self._release.version,
                "release": self._release.digest,
                "pid": os.getpid(),
                "uptime_ns": self._clock.now_ns() - self._started_ns,
                **self._commitment.status(),
                "drained_all": ALL in self._shell.router.drained,
                "state_dir": self._files.directory,
                "state_problems": list(self._files.problems),
                "upgrade": self.upgrade.status() if self.upgrade else None,
                "features": dict(self._features),
                "lateness": self._shell.lateness.document(self._clock.now_ns()),
            }
        }

    def _show_routers(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        router, name = self._shell.router, params.get("name")
        routers = router.bound_routers()
        chosen = [bound for bound in routers if name is None or bound.config.name == name]
        if name is not None and not chosen:
            known = ", ".join(bound.config.name for bound in routers) or "none"
            message = "no virtual router %r; there are: %s" % (name, known)
            raise ControlError("unknown-name", message)
        found = EncodedList()
        for number, bound in enumerate(chosen):
            if number and number % _SHOWN_AT_ONCE == 0:
                self.breathe()
            found.append(shown(router, bound, self._clock.now_ns()))
        return {**overview(router), "routers": found, **self._show_status({})}

    def _config_get(self, _params: Mapping[str, Any]) -> Dict[str, Any]:
        return {"document": document(self._shell.router.config, secrets=False)}

    def _config_check(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        try:
            config = parse(params.get("document", {}))
        except ConfigError as error:
            return {"problems": [vars(problem) for problem in error.problems], "changes": []}
        changes = diff(self._shell.router.config, config)
        return {"problems": [], "changes": [change.told() for change in changes]}

    def _do_reload(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        within_s = params.get("confirm_within_s")
        if within_s is not None and (
            isinstance(within_s, bool)
            or not isinstance(within_s, int)
            or not 1 <= within_s <= MAXIMUM_PROBATION_S
        ):
            message = "confirm_within_s is a whole number from 1 to %d" % MAXIMUM_PROBATION_S
            raise ControlError("bad-parameters", message)
        return self._told(self._commitment.reload(within_s))

    def _do_confirm(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        sha256 = params.get("sha256")
        if sha256 is not None and not isinstance(sha256, str):
            raise ControlError("bad-parameters", "sha256 is a string")
        self._commitment.confirm(sha256)
        self._drains.forget_removed()
        return self._told(())

    def _do_rollback(self, _params: Mapping[str, Any]) -> Dict[str, Any]:
        return self._told(self._commitment.rollback())

    def _do_upgrade(self, _params: Mapping[str, Any]) -> Dict[str, Any]:
        if self.upgrade is None:
            raise ControlError("upgrade-failed", "this process cannot be upgraded")
        return self.upgrade.start()

    def _told(self, changes: Iterable[Change]) -> Dict[str, Any]:
        status = self._commitment.status()
        return {
            "changes": [change.told() for change in changes],
            "config_sha256": status["config_sha256"],
            "probation": status["probation"],
        }
