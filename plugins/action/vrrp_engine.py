# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_engine: finds the release, sends it only where it is missing."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..plugin_utils.engine_archive import (
    EngineArchive,
    EngineArchiveError,
    build_archive,
    find_pyroute2,
    read_archive,
)

MODULE = "vlangate.vrrp.vrrp_engine"
ENGINE_ROOT = Path(__file__).resolve().parent.parent / "module_utils" / "vrrp"


class ActionModule(ActionBase):
    """Digest first, archive on demand."""

    _requires_connection = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Run the module once, or twice when the router asks for the archive."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        for name in ("manifest", "archive"):
            if name in args:
                raise AnsibleActionFail("%s is filled in by the action, leave it out" % name)
        is_there = boolean(args.get("remote_src") or False)
        if args.get("state", "present") != "present" or is_there:
            return self._execute_module(MODULE, args, task_vars=task_vars)
        source = args.pop("source", None)
        try:
            if source is not None:
                archive = read_archive(self._find_needle("files", source))
            else:
                archive = build_archive(ENGINE_ROOT, find_pyroute2())
        except EngineArchiveError as error:
            raise AnsibleActionFail(str(error)) from None
        args["manifest"] = archive.manifest
        result = self._execute_module(MODULE, args, task_vars=task_vars)
        if result.pop("needs_archive", False):
            result = self._with_archive(archive, args, task_vars)
        return result

    def _with_archive(
        self, archive: EngineArchive, args: dict[str, t.Any], task_vars: dict[str, t.Any] | None
    ) -> dict[str, t.Any]:
        folder = self._make_tmp_path()
        try:
            path = self._connection._shell.join_path(folder, "release.tar.gz")
            self._transfer_data(path, archive.data())
            self._fixup_perms2((folder, path))
            return self._execute_module(MODULE, {**args, "archive": path}, task_vars=task_vars)
        finally:
            self._remove_tmp_path(folder)
