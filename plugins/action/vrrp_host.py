# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_host: takes the interfaces from a plan."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils.plan_files import planned_router

MODULE = "vlangate.vrrp.vrrp_host"


class ActionModule(ActionBase):
    """One call of the module, however many interfaces there are."""

    _requires_connection = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Run the module with the interfaces of this router."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        plan = args.pop("plan", None)
        if plan is not None:
            if "interfaces" in args:
                raise AnsibleActionFail("plan and interfaces exclude each other")
            host = (task_vars or {})["inventory_hostname"]
            args["interfaces"] = planned_router(plan, host)["interfaces"]
        return self._execute_module(MODULE, args, task_vars=task_vars)
