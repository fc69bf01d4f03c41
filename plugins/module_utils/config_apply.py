# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a configuration to the daemon: what vrrp_config does, step by step.

Nothing is half applied: a configuration that the daemon refuses leaves file and daemon as before.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import typing as t

from .vrrp.config.diff import Change, diff
from .vrrp.config.model import RouterConfig
from .vrrp.config.parse import parse, parse_json
from .vrrp.config.render import HIDDEN, canonical_json
from .vrrp.control.client import ControlClient
from .vrrp.errors import ConfigError, ControlError, Problem
from .vrrp_module import read_text, write_text

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

CONFIG_MODE = 0o600


class ConfigApply:
    """One run of vrrp_config."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: t.Dict[str, t.Any] = module.params
        self.file: str = self.params["config_file"]
        self.warnings: t.List[str] = []

    def run(self) -> t.Dict[str, t.Any]:
        """Apply; the facts to return. Raises ConfigError and ControlError."""
        wanted = parse(self.params["config"])
        text = canonical_json(wanted)
        before_text = read_text(self.file)
        before = self._understood(before_text)
        running = self._running_sha256()
        stale = running is not None and running != hashlib.sha256(text.encode()).hexdigest()
        changed = before_text != text or stale
        if changed:
            self._check_here(text)
        if changed and not self.module.check_mode:
            self._apply(text, before_text, reload=stale)
        if running is None:
            self.warnings.append("the daemon does not run, so the configuration waits for it")
        changes = diff(before, wanted)
        return {
            "changed": changed,
            "changes": [_told(change) for change in changes],
            "hitless": all(change.hitless for change in changes),
            "reloaded": stale and not self.module.check_mode,
            "config_warnings": self.warnings,
            "diff": self._diff(before, wanted, before_text or "", text),
        }

    def _understood(self, text: t.Optional[str]) -> RouterConfig:
        """The configuration in the file; an unreadable one counts as empty."""
        if text is None:
            return RouterConfig()
        try:
            return parse_json(text)
        except ConfigError as error:
            first = error.problems[0]
            self.warnings.append("%s was not usable and is replaced: %s" % (self.file, first))
            return RouterConfig()

    def _running_sha256(self) -> t.Optional[str]:
        """The digest of what the daemon runs; None when there is no daemon."""
        try:
            with self._client() as client:
                digest: str = client.call("show.status")["engine"]["config_sha256"]
        except ControlError as error:
            if error.code == "unreachable":
                return None
            raise
        return digest

    def _client(self) -> ControlClient:
        return ControlClient.in_directory(self.params["runtime_dir"], self.params["timeout"])

    def _check_here(self, text: str) -> None:
        """Let the installed release judge the text on this router. Raises ConfigError."""
        release = os.path.join(self.params["directory"], "current")
        if not os.path.isdir(release):
            self.warnings.append(
                "no engine in %s, so the configuration was not checked against this router"
                % self.params["directory"]
            )
            return
        descriptor, path = tempfile.mkstemp(dir=self.module.tmpdir)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        command = [self.params["python"], "-I", release, "check", "--host", "--json", path]
        _status, output, error = self.module.run_command(command)
        os.unlink(path)
        try:
            report = json.loads(output)
        except ValueError:
            raise ControlError("check-failed", "%s: %s" % (" ".join(command), error)) from None
        if report["problems"]:
            raise ConfigError(tuple(Problem(**problem) for problem in report["problems"]))
        self.warnings.extend(report["warnings"])

    def _apply(self, text: str, before_text: t.Optional[str], *, reload: bool) -> None:
        """Write, and reload if a daemon runs; a refusal takes the file back."""
        write_text(self.module, self.file, text, CONFIG_MODE)
        if not reload:
            return
        try:
            with self._client() as client:
                client.call("do.reload")
        except ControlError:
            if before_text is None:
                os.unlink(self.file)
            else:
                write_text(self.module, self.file, before_text, CONFIG_MODE)
            raise

    def _diff(
        self, before: RouterConfig, after: RouterConfig, before_text: str, after_text: str
    ) -> t.Dict[str, str]:
        """Only the entries that differ; of equal intents, the texts themselves. No secrets."""
        if before != after:
            before_text = canonical_json(_without(before, after), secrets=False)
            after_text = canonical_json(_without(after, before), secrets=False)
        for router in after.virtual_routers:
            if router.password:
                secret = json.dumps(router.password)
                before_text = before_text.replace(secret, json.dumps(HIDDEN))
                after_text = after_text.replace(secret, json.dumps(HIDDEN))
        return {
            "before_header": self.file,
            "after_header": self.file,
            "before": before_text,
            "after": after_text,
        }


def _without(config: RouterConfig, other: RouterConfig) -> RouterConfig:
    """The entries of config that other does not have, alike in every field."""
    routers, trackers = set(other.virtual_routers), set(other.trackers)
    sync_groups = set(other.sync_groups)
    return RouterConfig(
        tuple(each for each in config.virtual_routers if each not in routers),
        tuple(each for each in config.trackers if each not in trackers),
        tuple(each for each in config.sync_groups if each not in sync_groups),
        config.leases,
    )


def _told(change: Change) -> t.Dict[str, t.Any]:
    return {
        "kind": change.kind.value,
        "name": change.name,
        "fields": list(change.fields),
        "hitless": change.hitless,
        "cost": change.cost,
    }
