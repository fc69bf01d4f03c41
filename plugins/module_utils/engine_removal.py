# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing the engine from this router: what vrrp_engine does with state absent, step by step.

What others have put into a directory of ours stays, and is told.
"""

from __future__ import annotations

import grp
import os
import socket
import typing as t

from .engine_install import CONTROL_GROUP, NotInstalled
from .engine_service import UNIT_FILE, Service, running_release
from .release_store import ReleaseStore
from .vrrp.config.devices import DEVICE_PREFIX

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

#: What a daemon remembers; .new is one that was not finished.
MEMORY = tuple(
    name + suffix
    for name in ("last-good.json", "probation.json", "refused.json", "drained.json")
    for suffix in ("", ".new")
)
STATE_DIRECTORIES = "/var/lib"


class EngineRemoval:
    """One run of vrrp_engine with state absent."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: t.Dict[str, t.Any] = module.params
        self.store = ReleaseStore(self.params["directory"])
        self.service = Service(module.run_command)
        self.changes: t.List[str] = []
        self.diff: t.List[t.Dict[str, str]] = []
        name = os.path.basename(os.path.normpath(self.params["runtime_dir"]))
        self.state_dir = os.path.join(STATE_DIRECTORIES, name)

    def run(self) -> t.Dict[str, t.Any]:
        """Stop and remove; the facts to return."""
        before = self.store.linked("current")
        if self.params["manage_service"] and os.path.exists(UNIT_FILE):
            self._do("service removed", self._remove_service)
        self._require_silence()
        if before is not None and not self.module.check_mode:
            self._clean_kernel()
        self._file(self.params["launcher"])
        if os.path.isdir(self.store.directory):
            self._do("%s removed" % self.store.directory, self.store.remove)
        if self.params["purge"]:
            self._purge()
        facts = {"release": None, "previous": before, "upgraded": None, "restarted": False}
        return facts if self.module.check_mode else {**facts, "left": self._left()}

    def _do(self, change: str, step: t.Callable[[], t.Any]) -> None:
        self.changes.append(change)
        if not self.module.check_mode:
            step()

    def _file(self, path: str) -> None:
        if os.path.lexists(path):
            self._do("%s removed" % path, lambda: os.unlink(path))

    def _remove_service(self) -> None:
        self.service.remove()
        os.unlink(UNIT_FILE)
        self.service.read_units()

    def _require_silence(self) -> None:
        """A daemon that goes on without its files could not be restarted, nor be removed again."""
        release = running_release(self.params["runtime_dir"])
        if release is not None and not self.module.check_mode:
            raise NotInstalled(
                "release %s still answers in %s, and it is not the service %s: stop it first"
                % (release, self.params["runtime_dir"], os.path.basename(UNIT_FILE))
            )

    def _clean_kernel(self) -> None:
        """What a daemon left that was killed. One that was stopped has left nothing."""
        current = os.path.join(self.store.directory, "current")
        command = [self.params["python"], "-I", current, "cleanup"]
        command += ["--runtime-dir", self.params["runtime_dir"]]
        status, output, error = self.module.run_command(command)
        if status != 0:
            raise NotInstalled("%s: %s" % (" ".join(command), (error or output).strip()))

    def _purge(self) -> None:
        """What makes this router this one: its configuration, what the daemon remembers, its group.
        A group of another name was there before us, or is somebody's."""
        directory, name = os.path.split(self.params["config_file"])
        self._files(directory, (name,))
        self._files(self.state_dir, MEMORY)
        if self.params["control_group"] == CONTROL_GROUP and _is_group(CONTROL_GROUP):
            command = ["groupdel", CONTROL_GROUP]
            text = "group %s removed" % CONTROL_GROUP
            self._do(text, lambda: self.module.run_command(command, check_rc=True))

    def _files(self, directory: str, names: t.Collection[str]) -> None:
        """Remove these files, and the directory when there are no others."""
        if not os.path.isdir(directory):
            return
        found = os.listdir(directory)
        for name in sorted(set(found) & set(names)):
            self._file(os.path.join(directory, name))
        if set(found) <= set(names):
            self._do("%s removed" % directory, lambda: os.rmdir(directory))

    def _left(self) -> t.List[str]:
        """What of the engine is still here."""
        names = ("launcher", "directory", "config_file", "runtime_dir")
        paths = [UNIT_FILE, *(self.params[name] for name in names), self.state_dir]
        found = [path for path in paths if os.path.lexists(path)]
        devices = [name for _index, name in socket.if_nameindex() if name.startswith(DEVICE_PREFIX)]
        if self.params["control_group"] == CONTROL_GROUP and _is_group(CONTROL_GROUP):
            found.append("group %s" % CONTROL_GROUP)
        return found + ["device %s" % name for name in devices]


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
