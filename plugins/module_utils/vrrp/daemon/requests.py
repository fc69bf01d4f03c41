# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the requests on the control socket do. Layer L5. Documented in docs/control.md."""

from __future__ import annotations

import hashlib
import os
from typing import Any, Callable, Dict, List, Mapping, Optional, Set

from ..config.diff import Change, diff
from ..config.parse import parse, parse_json
from ..config.render import canonical_json, document
from ..control.schema import Request
from ..errors import ConfigError, ControlError, Problem
from ..ports import Clock, Prober
from ..router.events import ConfigReplaced
from ..router.snapshot import snapshot
from .log import Log
from .release import Release
from .shell import Shell


class Requests:
    """Answers requests about one router, and reloads its configuration."""

    def __init__(
        self,
        shell: Shell,
        prober: Prober,
        clock: Clock,
        log: Log,
        config_file: str,
        features: Mapping[str, bool],
    ) -> None:
        self._shell = shell
        self._prober = prober
        self._clock = clock
        self._log = log
        self._config_file = config_file
        self._features = features
        self._release = Release.of_this_engine()
        self._started_ns = clock.now_ns()
        self._last_reload_error: Optional[str] = None
        self._methods: Dict[str, Callable[[Mapping[str, Any]], Dict[str, Any]]] = {
            "show.status": self._show_status,
            "show.routers": self._show_routers,
            "config.get": self._config_get,
            "config.check": self._config_check,
            "do.reload": self._do_reload,
        }
        self._parameters: Dict[str, Set[str]] = {
            "show.routers": {"name"},
            "config.check": {"document"},
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
        return method(request.params)

    def reload(self) -> Dict[str, Any]:
        """Read the file again and change what differs. Raises ConfigError and changes nothing."""
        try:
            config = read_config(self._config_file)
        except ConfigError as error:
            self._last_reload_error = str(error)
            self._log.write("error", "the running configuration stays: %s" % error)
            raise
        self._last_reload_error = None
        changes = diff(self._shell.router.config, config)
        now_ns = self._clock.now_ns()
        self._shell.step_over_links(ConfigReplaced(config), now_ns)
        self._prober.configure(config.trackers, now_ns)
        self._log.write("notice", "reloaded %s: %d changes" % (self._config_file, len(changes)))
        return {"changes": [_change(change) for change in changes]}

    def _show_status(self, _params: Mapping[str, Any]) -> Dict[str, Any]:
        config = canonical_json(self._shell.router.config)
        return {
            "engine": {
                "version": self._release.version,
                "release": self._release.digest,
                "pid": os.getpid(),
                "uptime_ns": self._clock.now_ns() - self._started_ns,
                "config_file": self._config_file,
                "config_sha256": hashlib.sha256(config.encode("utf-8")).hexdigest(),
                "features": dict(self._features),
                "last_reload_error": self._last_reload_error,
            }
        }

    def _show_routers(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        shown = snapshot(self._shell.router, self._clock.now_ns())
        name = params.get("name")
        if name is not None:
            routers: List[Dict[str, Any]] = shown["routers"]
            shown["routers"] = [router for router in routers if router["name"] == name]
            if not shown["routers"]:
                known = ", ".join(router["name"] for router in routers) or "none"
                message = "no virtual router %r; there are: %s" % (name, known)
                raise ControlError("unknown-name", message)
        return {**shown, **self._show_status({})}

    def _config_get(self, _params: Mapping[str, Any]) -> Dict[str, Any]:
        return {"document": document(self._shell.router.config, secrets=False)}

    def _config_check(self, params: Mapping[str, Any]) -> Dict[str, Any]:
        try:
            config = parse(params.get("document", {}))
        except ConfigError as error:
            return {"problems": [vars(problem) for problem in error.problems], "changes": []}
        changes = diff(self._shell.router.config, config)
        return {"problems": [], "changes": [_change(change) for change in changes]}

    def _do_reload(self, _params: Mapping[str, Any]) -> Dict[str, Any]:
        return self.reload()


def read_config(path: str) -> Any:
    """The configuration in a file. Raises ConfigError, also when it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        hint = "it has to be a readable JSON file in UTF-8"
        raise ConfigError((Problem(path, "unreadable", str(error), hint),)) from None
    return parse_json(text)


def _change(change: Change) -> Dict[str, Any]:
    return {
        "kind": change.kind.value,
        "name": change.name,
        "fields": list(change.fields),
        "hitless": change.hitless,
        "cost": change.cost,
    }
