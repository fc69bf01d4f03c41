# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a configuration to the daemon: what vrrp_config does, step by step.

Nothing is half applied: a configuration that the daemon refuses leaves file and daemon as before.
On probation the daemon goes back by itself, so whoever lost the connection need do nothing. The
file, which the daemon may not write, then has what was taken back; the next run applies it anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
import typing as t
import zlib

from .config_states import OF_PARTS, STATES, combined
from .vrrp.config.argspec import argument_spec
from .vrrp.config.diff import diff
from .vrrp.config.model import RouterConfig
from .vrrp.config.parse import parse, parse_json
from .vrrp.config.render import HIDDEN, canonical_json, document
from .vrrp.control.client import ControlClient
from .vrrp.errors import ConfigError, ControlError, Problem
from .vrrp_module import CONFIG_FILE, DIRECTORY, PYTHON, RUNTIME_DIR, read_text, write_text

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

CONFIG_MODE = 0o600
#: In the daemon's state directory, see docs/control.md.
LAST_GOOD = "last-good.json"
NOT_RUNNING = "the daemon does not run, so the configuration waits for it"


def options() -> t.Dict[str, t.Any]:
    """The options of vrrp_config."""
    return {
        "state": {"type": "str", "choices": list(STATES), "default": STATES[0]},
        "config": {"type": "dict", "options": argument_spec()},
        "fleet": {"type": "dict"},
        "plan": {"type": "path"},
        "digest": {"type": "str"},
        "document": {"type": "str", "no_log": True},
        "confirm_within": {"type": "int"},
        "confirm": {"type": "bool", "default": False},
        "config_file": {"type": "path", "default": CONFIG_FILE},
        "runtime_dir": {"type": "path", "default": RUNTIME_DIR},
        "directory": {"type": "path", "default": DIRECTORY},
        "python": {"type": "path", "default": PYTHON},
        "timeout": {"type": "float", "default": 15},
    }


class ConfigApply:
    """One run of vrrp_config."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: t.Dict[str, t.Any] = module.params
        self.file: str = self.params["config_file"]
        self.warnings: t.List[str] = []

    def run(self) -> t.Dict[str, t.Any]:
        """Apply, confirm; the facts to return. Raises ConfigError and ControlError."""
        state, digest = self.params["state"], self.params["digest"]
        status, before_text = self._status(), read_text(self.file)
        if state == "gathered":
            return self._gathered(status, before_text)
        if state in OF_PARTS:
            before = document(self._present(status, before_text))
            given = json.loads(unpacked(self.params["document"]))
            wanted = self._masked(parse(combined(state, before, given)))
            return self._applied(wanted, before_text, status)
        if digest is None and not self.params["confirm"]:
            raise ControlError("no-config", "there is nothing to apply: the action fills it in")
        if digest is None:
            return self._confirm(status, None)
        runs = digest if status is None else status["config_sha256"]
        if before_text is not None and _sha256(before_text) == runs == digest:
            return self._nothing_to_apply(status, digest)
        if self.params["document"] is None:
            return {"changed": False, "needs_document": True}
        wanted = self._masked(parse_json(unpacked(self.params["document"])))
        return self._applied(wanted, before_text, status)

    def _masked(self, wanted: RouterConfig) -> RouterConfig:
        """As the option config would see to it, were it filled in: nothing that we say has them."""
        secrets = {each.password for each in wanted.virtual_routers if each.password}
        self.module.no_log_values.update(secrets)
        return wanted

    def _gathered(
        self, status: t.Optional[t.Dict[str, t.Any]], text: t.Optional[str]
    ) -> t.Dict[str, t.Any]:
        """What the daemon runs; without one, what its file has. Without secrets."""
        if status is None:
            gathered = document(self._present(None, text), secrets=False)
        else:
            with self._client() as client:
                gathered = client.call("config.get")["document"]
        return {"changed": False, "gathered": gathered, "config_warnings": self.warnings}

    def _present(
        self, status: t.Optional[t.Dict[str, t.Any]], text: t.Optional[str]
    ) -> RouterConfig:
        """What runs, or waits for a daemon in its file: what a part is put into.

        What the daemon does not run was taken back, or is no more than a draft of somebody's.
        """
        remedy = "apply the whole configuration (state: overridden)"
        if status is None:
            try:
                return RouterConfig() if text is None else parse_json(text)
            except ConfigError as error:
                told = (self.file, error.problems[0], remedy)
                raise ControlError("unknown-base", "%s is not usable: %s: %s" % told) from None
        state_dir = status["state_dir"]
        last_good = state_dir and read_text(os.path.join(state_dir, LAST_GOOD))
        for candidate in (text, last_good):
            try:
                found = parse_json(candidate or "")
            except ConfigError:
                continue
            if _sha256(canonical_json(found)) == status["config_sha256"]:
                return found
        message = "the daemon runs another configuration than %s has: %s" % (self.file, remedy)
        raise ControlError("unknown-base", message)

    def _nothing_to_apply(
        self, status: t.Optional[t.Dict[str, t.Any]], digest: str
    ) -> t.Dict[str, t.Any]:
        """File and daemon have it, to the byte, so nobody has to read it: the usual case."""
        if status is None:
            self.warnings.append(NOT_RUNNING)
        facts = {
            "changed": False,
            "changes": [],
            "hitless": True,
            "reloaded": False,
            "probation": status["probation"] if status is not None else None,
            "config_warnings": self.warnings,
            "diff": self._headed("", ""),
        }
        return {**facts, **self._confirm(status, digest)} if self.params["confirm"] else facts

    def _applied(
        self,
        wanted: RouterConfig,
        before_text: t.Optional[str],
        status: t.Optional[t.Dict[str, t.Any]],
    ) -> t.Dict[str, t.Any]:
        """Compare, check, write, reload, confirm; the facts to return."""
        text = canonical_json(wanted)
        before = self._understood(before_text)
        stale = status is not None and status["config_sha256"] != _sha256(text)
        if self.params["confirm"] and (stale or status is None):
            raise ControlError("no-probation", _not_running(status))
        changed = before_text != text or stale
        changes = [change.told() for change in diff(before, wanted)]
        if status is not None and status["config_sha256"] != _sha256(canonical_json(before)):
            changes = self._against_running(text)
            self._tell_reversal(status)
        if changed:
            self._check_here(text)
        if changed and not self.module.check_mode:
            status = self._apply(text, before_text, reload=stale) or status
        if status is None:
            self.warnings.append(NOT_RUNNING)
        facts = {
            "changed": changed,
            "changes": changes,
            "hitless": all(change["hitless"] for change in changes),
            "reloaded": stale and not self.module.check_mode,
            "probation": status["probation"] if status is not None else None,
            "config_warnings": self.warnings,
            "diff": self._headed("", ""),
        }
        if changed:
            facts["diff"] = self._diff(before, wanted, before_text or "", text)
            facts["before"] = document(_without(before, wanted), secrets=False)
            facts["after"] = document(_without(wanted, before), secrets=False)
        if not self.params["confirm"]:
            return facts
        confirmed = self._confirm(status, _sha256(text))
        return {**facts, **confirmed, "changed": changed or confirmed["changed"]}

    def _confirm(
        self, status: t.Optional[t.Dict[str, t.Any]], sha256: t.Optional[str]
    ) -> t.Dict[str, t.Any]:
        """What is on probation stays; sha256: only if it is this one."""
        if status is None:
            raise ControlError("unreachable", _not_running(None))
        probation = status["probation"]
        if probation is None and _was_taken_back(status):
            raise ControlError("no-probation", _not_running(status))
        if probation is not None and not self.module.check_mode:
            with self._client() as client:
                client.call("do.confirm", sha256=sha256 or probation["sha256"])
            _write_through(status["state_dir"])
        return {
            "changed": probation is not None,
            "probation": probation if self.module.check_mode else None,
            "confirmed": probation is not None and not self.module.check_mode,
            "config_warnings": self.warnings,
        }

    def _against_running(self, text: str) -> t.List[t.Dict[str, t.Any]]:
        """What a reload would change: the daemon runs something else than its file has."""
        with self._client() as client:
            changes = client.call("config.check", document=json.loads(text))["changes"]
        return t.cast("t.List[t.Dict[str, t.Any]]", changes)

    def _tell_reversal(self, status: t.Mapping[str, t.Any]) -> None:
        if _was_taken_back(status):
            self.warnings.append(
                "%s was not confirmed in time or was rolled back, so the daemon runs the "
                "configuration before it" % self.file
            )

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

    def _status(self) -> t.Optional[t.Dict[str, t.Any]]:
        """What the daemon says of itself; None when there is no daemon."""
        try:
            with self._client() as client:
                status: t.Dict[str, t.Any] = client.call("show.status")["engine"]
        except ControlError as error:
            if error.code == "unreachable":
                return None
            raise
        # Those of an engine that knows no probation yet, which is about to be replaced.
        return {"probation": None, "config_problems": [], "state_dir": None, **status}

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

    def _apply(
        self, text: str, before_text: t.Optional[str], *, reload: bool
    ) -> t.Optional[t.Dict[str, t.Any]]:
        """Write, and reload if a daemon runs; a refusal takes the file back. The status then."""
        write_text(self.module, self.file, text, CONFIG_MODE)
        if not reload:
            return None
        within_s = self.params["confirm_within"]
        try:
            with self._client() as client:
                client.call("do.reload", **({"confirm_within_s": within_s} if within_s else {}))
        except ControlError:
            if before_text is None:
                os.unlink(self.file)
            else:
                write_text(self.module, self.file, before_text, CONFIG_MODE)
            raise
        status = self._status()
        if status is not None and within_s:
            _write_through(status["state_dir"])
        return status

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
        return self._headed(before_text, after_text)

    def _headed(self, before: str, after: str) -> t.Dict[str, str]:
        return {
            "before_header": self.file,
            "after_header": self.file,
            "before": before,
            "after": after,
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


def packed(text: str) -> str:
    """A document for the way to a router: a twentieth of its size, of letters and digits."""
    return base64.b64encode(zlib.compress(text.encode())).decode("ascii")


def unpacked(document: str) -> str:
    """What was packed."""
    return zlib.decompress(base64.b64decode(document)).decode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _was_taken_back(status: t.Mapping[str, t.Any]) -> bool:
    return any(problem["code"] == "refused" for problem in status["config_problems"])


def _not_running(status: t.Optional[t.Mapping[str, t.Any]]) -> str:
    """Why there is nothing to confirm, and what to do."""
    if status is None:
        return "nothing can be confirmed, because the daemon does not run: start it"
    if _was_taken_back(status):
        return "the configuration was not confirmed in time and was taken back: apply it again"
    return "this configuration does not run, so it cannot be confirmed: apply it first"


def _write_through(directory: t.Optional[str]) -> None:
    """Let the disk have what the daemon remembers: it does not wait for that itself, and after a
    power cut the next start has to know what was on probation."""
    if directory is None:
        return
    paths = [os.path.join(directory, name) for name in os.listdir(directory)]
    for path in [*paths, directory]:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # the daemon has replaced it meanwhile
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
