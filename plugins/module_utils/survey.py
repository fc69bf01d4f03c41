# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router's half of vrrp_survey: what is here, and what a roll-out would change.

It walks the code of the modules that would change it, in check mode, so that the plan and the
roll-out cannot disagree. Nothing is an error that a router may have before its first roll-out.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
import typing as t

from . import engine_install
from .engine_install import SYSTEMD_RUNS, EngineInstall, NotInstalled
from .engine_service import Service, ServiceError
from .host_prepare import CannotPrepare, HostPrepare
from .other_speakers import speakers, waiting_units
from .release_store import ReleaseStore
from .vrrp.config.diff import diff
from .vrrp.config.model import RouterConfig
from .vrrp.config.parse import parse_json
from .vrrp.config.render import document
from .vrrp.control.client import ControlClient
from .vrrp.errors import ConfigError, ControlError
from .vrrp_module import read_text

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

#: What of a virtual router a plan is made of; the rest is for vrrp_info.
SHOWN = (
    "name",
    "interface",
    "family",
    "vrid",
    "state",
    "state_age_ns",
    "waiting",
    "priority",
    "effective_priority",
    "addresses",
    "primary_address",
    "master_address",
    "master_priority",
    "drained",
    "leaving",
    "sync_group",
)
#: What the engine says of itself when there is none, or one that knows less.
SILENT: t.Mapping[str, t.Any] = {
    "release": None,
    "pid": None,
    "config_sha256": None,
    "probation": None,
    "drained_all": False,
    "config_problems": [],
}


def argument_spec() -> t.Dict[str, t.Any]:
    """The options of vrrp_survey: those of the modules that it speaks for, and what is wanted."""
    engine = engine_install.argument_spec()
    for name in ("state", "purge", "source", "remote_src", "manifest", "archive"):
        engine.pop(name)
    families = {"type": "list", "elements": "str", "choices": ["ipv4", "ipv6"]}
    return {
        **engine,
        "forwarding": {**families, "default": ["ipv4", "ipv6"]},
        "manage_interfaces": {"type": "str", "choices": ["none", "networkd"], "default": "none"},
        "plan": {"type": "path"},
        "tolerated_speakers": {"type": "list", "elements": "str", "default": []},
        "wanted": {"type": "str", "no_log": True},
    }


class Survey:
    """One run of vrrp_survey. wanted: "manifest" of the engine, "config" as text, "interfaces"."""

    def __init__(self, module: AnsibleModule, wanted: t.Mapping[str, t.Any]) -> None:
        # Nothing below may touch the router, whoever asks.
        module.check_mode = True
        module.params.update(
            state="present",
            remote_src=False,
            manifest=wanted["manifest"],
            archive=None,
            interfaces=wanted["interfaces"],
        )
        self.module = module
        self.params: t.Dict[str, t.Any] = module.params
        self.text: str = wanted["config"]
        self.problems: t.List[str] = []
        self.warnings: t.List[str] = []

    def run(self) -> t.Dict[str, t.Any]:
        """Look; the facts to return."""
        asked_at = time.time()
        status, routers = self._shown()
        engine = self._engine(status)
        host_changes = self._host_changes()
        config, changes, config_is_wanted = self._config(status)
        others = self._other_speakers(status)
        to_do = not config_is_wanted or host_changes or status["probation"] is not None
        return {
            "changed": False,
            "asked_at": asked_at,
            "engine": engine,
            "host_changes": host_changes,
            "config": config,
            "changes": changes,
            "config_is_wanted": config_is_wanted,
            "routers": routers,
            "probation": status["probation"],
            "drained": [router["name"] for router in routers if router["drained"]],
            "drained_all": status["drained_all"],
            "other_speakers": others,
            "problems": self.problems,
            "in_order": not (to_do or self.problems) and engine["is_wanted"],
        }

    def _shown(self) -> t.Tuple[t.Dict[str, t.Any], t.List[t.Dict[str, t.Any]]]:
        """What the daemon says of itself, and its virtual routers; SILENT where there is none."""
        try:
            shown = self._ask("show.routers")
        except ControlError as error:
            if error.code != "unreachable":
                self.problems.append("the engine does not answer: %s" % error.message)
            return dict(SILENT), []
        # An older engine may not have all of it.
        routers = [{key: each.get(key) for key in SHOWN} for each in shown["routers"]]
        return {**SILENT, **shown["engine"]}, routers

    def _ask(self, method: str, **params: t.Any) -> t.Dict[str, t.Any]:
        with ControlClient.in_directory(
            self.params["runtime_dir"], self.params["timeout"]
        ) as client:
            return client.call(method, **params)

    def _engine(self, status: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
        """The release that is here, and what vrrp_engine would do about it."""
        install = EngineInstall(self.module)
        error, upgraded = None, None
        try:
            upgraded = install.present()["upgraded"]
        except (NotInstalled, ServiceError) as refusal:
            error = str(refusal)
            self.problems.append(error)
        installed = ReleaseStore(self.params["directory"]).linked("current")
        return {
            "release": status["release"] or installed,
            "wanted": self.params["manifest"]["release"],
            "is_wanted": error is None and not install.changes,
            "service": self._service(status),
            "changes": install.changes,
            "upgraded": upgraded,
            "error": error,
        }

    def _other_speakers(self, status: t.Mapping[str, t.Any]) -> t.List[t.Dict[str, t.Any]]:
        """Who speaks VRRP beside the engine, or is about to: problems, but for what is tolerated or
        does not run yet."""
        found = speakers(self.params["directory"], status["pid"])
        if self._has_systemd():
            found += waiting_units(self.module.run_command, found)
        for speaker in found:
            if speaker.program not in self.params["tolerated_speakers"]:
                said = self.warnings if speaker.state == "enabled" else self.problems
                said.append(speaker.sentence())
        return [dataclasses.asdict(speaker) for speaker in found]

    def _has_systemd(self) -> bool:
        """Whether systemd runs here, and counts."""
        return self.params["manage_service"] and os.path.isdir(SYSTEMD_RUNS)

    def _service(self, status: t.Mapping[str, t.Any]) -> str:
        """The word of systemd; where it does not count, whether the engine answers."""
        if self._has_systemd():
            try:
                return Service(self.module.run_command).state().get("ActiveState", "unknown")
            except ServiceError:
                return "unknown"
        return "inactive" if status["release"] is None else "active"

    def _host_changes(self) -> t.List[str]:
        prepare = HostPrepare(self.module)
        try:
            prepare.run()
        except CannotPrepare as error:
            self.problems.append(str(error))
        return prepare.changes

    def _config(
        self, status: t.Mapping[str, t.Any]
    ) -> t.Tuple[t.Optional[t.Dict[str, t.Any]], t.List[t.Dict[str, t.Any]], bool]:
        """What runs (without a daemon: what its file has), what would change, and whether nothing
        would: file and daemon have what is wanted, to the byte."""
        file = self.params["config_file"]
        text = read_text(file)
        before = None
        if text is not None:
            try:
                before = parse_json(text)
            except ConfigError as error:
                self.warnings.append("%s is not usable: %s" % (file, error.problems[0]))
        here, wanted, running = _sha256(text), _sha256(self.text), status["config_sha256"]
        config = None if before is None else document(before, secrets=False)
        changes = []
        if here != wanted:
            found = diff(before or RouterConfig(), parse_json(self.text))
            changes = [change.told() for change in found]
        if running not in (None, here):
            self.warnings.append("the engine runs another configuration than %s has" % file)
            try:
                config, changes = self._against_running(changes)
            except ControlError as error:
                self.problems.append("the engine does not answer: %s" % error.message)
        return config, changes, here == wanted and running in (None, wanted)

    def _against_running(
        self, changes: t.List[t.Dict[str, t.Any]]
    ) -> t.Tuple[t.Dict[str, t.Any], t.List[t.Dict[str, t.Any]]]:
        """What the daemon runs, and what would change then. An older one may not know a field: then
        the changes against its file have to do."""
        config = self._ask("config.get")["document"]
        answer = self._ask("config.check", document=json.loads(self.text))
        return config, changes if answer["problems"] else answer["changes"]


def _sha256(text: t.Optional[str]) -> t.Optional[str]:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
