# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_survey: tells the router in one string what it should be like."""

from __future__ import annotations

import json
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.config_apply import packed
from ..plugin_utils.engine_archive import EngineArchiveError, build_archive, find_pyroute2
from ..plugin_utils.plan_files import planned_router
from .vrrp_engine import ENGINE_ROOT

MODULE = "vlangate.vrrp.vrrp_survey"


class ActionModule(ActionBase):
    """One round trip: the whole of what is wanted goes along with the question."""

    _requires_connection = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Run the module with the plan of this router."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        if "wanted" in args:
            raise AnsibleActionFail("wanted is filled in by the action, leave it out")
        plan = args.pop("plan", None)
        if plan is None:
            raise AnsibleActionFail("the option plan is needed: what vrrp_plan returned")
        try:
            wanted = planned_router(plan, (task_vars or {})["inventory_hostname"])
            archive = build_archive(ENGINE_ROOT, find_pyroute2())
        except (ValueError, EngineArchiveError) as error:
            raise AnsibleActionFail(str(error)) from None
        wanted["manifest"] = archive.manifest
        args["wanted"] = packed(json.dumps(wanted))
        return self._execute_module(MODULE, args, task_vars=task_vars)
