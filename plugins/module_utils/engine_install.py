# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the engine on this router: what vrrp_engine does, step by step.

Every step compares first and notes what it changed, so check mode walks the same code.
"""

from __future__ import annotations

import grp
import json
import os
import shutil
import time
import typing as t

from .engine_service import (
    UNIT_FILE,
    Service,
    ServiceError,
    launcher_text,
    running_release,
    unit_text,
    wait_until_well,
)
from .release_store import ABANDONED, DamagedArchive, ReleaseStore, manifest_in
from .vrrp.config.model import RouterConfig
from .vrrp.config.render import canonical_json
from .vrrp.control.client import upgrade
from .vrrp.errors import ControlError
from .vrrp_module import CONFIG_FILE, DIRECTORY, PYTHON, RUNTIME_DIR, read_text, write_text

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

CONTROL_GROUP = "vlangate"
OLDEST_PYTHON = (3, 8)
KEPT_RELEASES = 3
# sd_booted(3): this directory exists exactly when systemd is the init system that runs.
SYSTEMD_RUNS = "/run/systemd/system"
# How the daemon came to run another release.
IN_PLACE, RESTARTED = "in-place", "restarted"
# Longer than a daemon waits for its successor: nobody goes back before it has given up.
UPGRADE_S = 25.0
# Codes of a daemon that knows no upgrade, or is not there.
CANNOT_UPGRADE = ("unknown-method", "unreachable")
EMPTY_CONFIG = canonical_json(RouterConfig())


def argument_spec() -> t.Dict[str, t.Any]:
    """The options of vrrp_engine."""
    return {
        "state": {
            "type": "str",
            "choices": ["present", "absent", "rollback"],
            "default": "present",
        },
        "purge": {"type": "bool", "default": False},
        "source": {"type": "path"},
        "remote_src": {"type": "bool", "default": False},
        "directory": {"type": "path", "default": DIRECTORY},
        "config_file": {"type": "path", "default": CONFIG_FILE},
        "runtime_dir": {"type": "path", "default": RUNTIME_DIR},
        "control_group": {"type": "str", "default": CONTROL_GROUP},
        "python": {"type": "path", "default": PYTHON},
        "launcher": {"type": "path", "default": "/usr/sbin/vlangate"},
        "realtime_priority": {"type": "int", "default": 20},
        "manage_service": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 30},
        "manifest": {"type": "dict"},
        "archive": {"type": "path"},
    }


class NotInstalled(Exception):
    """The engine could not be installed; facts tell what happened to the router."""

    def __init__(self, message: str, **facts: t.Any) -> None:
        super().__init__(message)
        self.facts = facts


class EngineInstall:
    """One run of vrrp_engine."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: t.Dict[str, t.Any] = module.params
        self.store = ReleaseStore(self.params["directory"])
        self.service = Service(module.run_command)
        self.manifest: t.Dict[str, t.Any] = self.params["manifest"] or {}
        self.changes: t.List[str] = []
        self.diff: t.List[t.Dict[str, str]] = []

    # Two states; the third is engine_removal.py

    def run(self) -> t.Dict[str, t.Any]:
        """Do what the state says; the facts to return."""
        if self.params["state"] == "rollback":
            return self.rollback()
        if not self.manifest and not self.params["remote_src"]:
            raise NotInstalled("there is nothing to install: the action fills it in")
        return self.present()

    def present(self) -> t.Dict[str, t.Any]:
        """Install, switch and start; the facts to return."""
        if self.params["remote_src"]:
            self._take_archive()
        release, files = self.manifest["release"], self.manifest["files"]
        if self.params["manage_service"]:
            self._require_systemd()
        self._require_python()
        before = self.store.linked("current")
        intact = self.store.is_intact(release, files)
        if not intact and not self.module.check_mode and self.params["archive"] is None:
            return {"needs_archive": True}
        if not intact:
            self._note("release %s unpacked" % release)
            if not self.module.check_mode:
                self._unpack()
        self._note_manifest(before)
        self._group()
        self._file(self.params["config_file"], EMPTY_CONFIG, 0o600, replace=False)
        self._file(self.params["launcher"], launcher_text(self.params), 0o755)
        if before != release:
            self._note("current is %s" % release)
        upgraded = self._switch(release, before, unit_text(self.params))
        if not self.module.check_mode:
            for name in self.store.prune(KEPT_RELEASES):
                self._note("release %s removed" % name)
        return self._facts(release, before, upgraded)

    def rollback(self) -> t.Dict[str, t.Any]:
        """Go back to the release before; the facts to return."""
        before, target = self.store.linked("current"), self.store.linked("previous")
        if target is None and self.store.linked(ABANDONED) is not None:
            return self._facts(before, before, None)  # that is what was done last
        self.manifest = self.store.manifest(target)
        if target is None or not self.store.is_intact(target, self.manifest.get("files", {"": ""})):
            raise NotInstalled(
                "no release to go back to: %s in %s; install one with state: present"
                % (
                    "there was none before" if target is None else "%s is damaged" % target,
                    self.params["directory"],
                )
            )
        unit = None
        if self.params["manage_service"]:
            self._require_systemd()
            unit = read_text(UNIT_FILE)
            if unit is None:
                raise NotInstalled("%s is not there: install with state: present" % UNIT_FILE)
        self._require_python()
        self._note_manifest(before)
        self._note("current is %s" % target)
        upgraded = self._switch(target, before, unit)
        if not self.module.check_mode:
            self.store.link("previous", None)
            self.store.link(ABANDONED, before)
        return self._facts(target, before, upgraded)

    def _facts(
        self, release: t.Optional[str], before: t.Optional[str], upgraded: t.Optional[str]
    ) -> t.Dict[str, t.Any]:
        restarted = upgraded == RESTARTED
        return {
            "release": release,
            "previous": before,
            "upgraded": upgraded,
            "restarted": restarted,
        }

    # Its steps

    def _require_systemd(self) -> None:
        """What the unit needs, checked before anything is touched."""
        if not os.path.isdir(SYSTEMD_RUNS):
            raise NotInstalled(
                "systemd does not run here, and the engine is its service: set manage_service to "
                "false and start %s/current yourself" % self.params["directory"]
            )
        if not self.params["runtime_dir"].startswith("/run/"):
            raise NotInstalled(
                "runtime_dir is %s, and systemd makes it below /run: write /run/NAME"
                % self.params["runtime_dir"]
            )

    def _require_python(self) -> None:
        """The daemon's interpreter, checked before anything is touched."""
        python = self.params["python"]
        remedy = "install python3 on the router, or set the option python"
        if not os.access(python, os.X_OK):
            raise NotInstalled("the engine needs %s, which is not there: %s" % (python, remedy))
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        status, output, error = self.module.run_command([python, "-I", "-c", code])
        if status != 0:
            raise NotInstalled("%s does not work: %s: %s" % (python, error.strip(), remedy))
        if tuple(map(int, output.strip().split("."))) < OLDEST_PYTHON:
            raise NotInstalled(
                "the engine needs Python %d.%d or newer, %s is %s: %s"
                % (*OLDEST_PYTHON, python, output.strip(), remedy)
            )

    def _take_archive(self) -> None:
        """The archive is on the router already, and says itself what is in it."""
        try:
            self.manifest = manifest_in(self.params["source"])
        except DamagedArchive as error:
            raise NotInstalled(str(error)) from None
        self.params["archive"] = self.params["source"]

    def _unpack(self) -> None:
        """Unpack, ask the new release whether it can work here, compile, and give it its name."""
        release = self.manifest["release"]
        try:
            unpacked = self.store.unpack(self.params["archive"], release, self.manifest["files"])
        except DamagedArchive as error:
            raise NotInstalled(str(error)) from None
        try:
            self._require_features(unpacked)
            self.module.run_command(
                [self.params["python"], "-I", "-m", "compileall", "-q"]
                + ["--invalidation-mode", "unchecked-hash", unpacked],
                check_rc=True,
            )
            self.store.adopt(unpacked, release)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)

    def _require_features(self, unpacked: str) -> None:
        command = [self.params["python"], "-I", unpacked, "features", "--json"]
        status, output, error = self.module.run_command(command)
        try:
            missing = json.loads(output)["missing"]
        except (ValueError, KeyError, TypeError):
            raise NotInstalled(
                "the new release does not run on this router (exit status %d): %s"
                % (status, (error or output).strip())
            ) from None
        if missing:
            raise NotInstalled(
                "this router lacks what the engine needs; nothing was changed:\n%s"
                % "\n".join(missing),
                missing=missing,
            )

    def _note_manifest(self, before: t.Optional[str]) -> None:
        old = self.store.manifest(before)
        if old != self.manifest:
            self.diff.append(
                {
                    "before_header": "%s/current" % self.store.directory,
                    "after_header": "%s/current" % self.store.directory,
                    "before": _manifest_text(old),
                    "after": _manifest_text(self.manifest),
                }
            )

    def _group(self) -> None:
        name = self.params["control_group"]
        try:
            grp.getgrnam(name)
        except KeyError:
            self._note("group %s made" % name)
            if not self.module.check_mode:
                self.module.run_command(["groupadd", "--system", name], check_rc=True)

    def _file(self, path: str, text: str, mode: int, *, replace: bool = True) -> bool:
        """Write a file of ours if it differs; True when it did."""
        old = read_text(path)
        if old == text or (old is not None and not replace):
            return False
        self._note("%s written" % path)
        self.diff.append(
            {"before_header": path, "after_header": path, "before": old or "", "after": text}
        )
        if not self.module.check_mode:
            write_text(self.module, path, text, mode)
        return True

    def _switch(
        self, release: str, before: t.Optional[str], unit: t.Optional[str]
    ) -> t.Optional[str]:
        """Make the release current and the service run it; how it came to that, if it had to.

        An unhealthy release is taken back here, in the same run.
        """
        if not self.params["manage_service"] or unit is None:
            self._link(release, before)
            return None
        old_unit = read_text(UNIT_FILE)
        unit_changed = self._file(UNIT_FILE, unit, 0o644)
        state = self.service.state()
        if state.get("UnitFileState") != "enabled":
            self._note("service enabled")
        running = running_release(self.params["runtime_dir"])
        needs_restart = unit_changed or state.get("ActiveState") != "active" or running is None
        if not needs_restart and before == release == running:
            how = None
        else:
            how = RESTARTED if needs_restart else IN_PLACE
        if self.module.check_mode:
            self._note_run(how)
            return how
        older, started_s = self.store.linked("previous"), time.time()
        self._link(release, before)
        try:
            if unit_changed or state.get("NeedDaemonReload") == "yes":
                self.service.read_units()
            if state.get("UnitFileState") != "enabled":
                self.service.enable()
            how, reason = self._run_release(release, how)
        except ServiceError as error:
            reason = str(error)
        if reason is not None:
            journal = self.service.journal(started_s)
            outcome = self._rolled_back(before, older, old_unit)
            raise NotInstalled(
                "release %s did not come up: %s; %s. Its journal:\n%s"
                % (release, reason, outcome, journal or "(empty)"),
                rolled_back=before is not None,
            )
        self._note_run(how)
        return how

    def _note_run(self, how: t.Optional[str]) -> None:
        if how is not None:
            self._note("daemon restarted" if how == RESTARTED else "daemon upgraded in place")

    def _run_release(
        self, release: str, how: t.Optional[str]
    ) -> t.Tuple[t.Optional[str], t.Optional[str]]:
        """Have the service run the release; how it was done, and why it is not well, if so."""
        if how == IN_PLACE:
            try:
                upgrade(self.params["runtime_dir"], max(UPGRADE_S, self.params["timeout"]))
            except ControlError as error:
                if error.code not in CANNOT_UPGRADE and self.params["state"] != "rollback":
                    return how, error.message
                how = RESTARTED  # an older daemon, one that is just going, or to be got rid of
            else:
                return how, self._well(release)
        return how, self._restarted(release) if how == RESTARTED else None

    def _restarted(self, release: str) -> t.Optional[str]:
        """Restart; why it is not well, or None."""
        self.service.restart()
        return self._well(release)

    def _well(self, release: str) -> t.Optional[str]:
        return wait_until_well(self.params["runtime_dir"], release, self.params["timeout"])

    def _link(self, release: str, before: t.Optional[str]) -> None:
        if before != release and not self.module.check_mode:
            self.store.link("current", release)
            self.store.link("previous", before)
            self.store.link(ABANDONED, None)

    def _rolled_back(
        self, before: t.Optional[str], older: t.Optional[str], old_unit: t.Optional[str]
    ) -> str:
        """Return to what ran before; how that went, as part of a sentence."""
        try:
            if before is None or old_unit is None:
                self.service.remove()
                self.store.link("current", None)
                return "no release ran before, so the service was stopped"
            write_text(self.module, UNIT_FILE, old_unit, 0o644)
            self.store.link("current", before)
            self.store.link("previous", older)
            self.service.read_units()
            if running_release(self.params["runtime_dir"]) == before:
                return "release %s has been running all the while" % before
            still = self._run_release(before, IN_PLACE)[1]
            if still is not None:
                still = self._restarted(before)
        except ServiceError as error:
            return "going back failed as well: %s" % error
        if still is not None:
            return "going back to release %s did not help: %s" % (before, still)
        return "release %s runs again" % before

    def _note(self, change: str) -> None:
        self.changes.append(change)


def _manifest_text(manifest: t.Mapping[str, t.Any]) -> str:
    """A manifest as lines for a diff: the name, then each file with the start of its digest."""
    if not manifest:
        return ""
    lines = ["release %s" % manifest["release"], "pyroute2 %s" % manifest["pyroute2"]]
    lines += ["%s %s" % (digest[:12], path) for path, digest in sorted(manifest["files"].items())]
    return "\n".join(lines) + "\n"
