# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrrp_plan works on the controller alone: it plans the gateways of all routers, once."""

from __future__ import annotations

import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils.vrrp.errors import ConfigError
from ..plugin_utils.plan_files import make_plan, planned_site

OPTIONS = frozenset(("vlans", "routers", "defaults"))


class ActionModule(ActionBase):
    """From the table to files that the other actions read."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Plan; a bad table fails with everything that is wrong with it."""
        super().run(tmp, task_vars)
        args = self._task.args
        unknown = sorted(set(args) - OPTIONS)
        if unknown or "vlans" not in args or "routers" not in args:
            raise AnsibleActionFail(
                "the options are vlans and routers, and perhaps defaults; not %s"
                % (", ".join(unknown) or "without them")
            )
        defaults = args.get("defaults")
        try:
            path = make_plan(
                constants.DEFAULT_LOCAL_TMP,
                args["vlans"],
                args["routers"],
                {} if defaults is None else defaults,
            )
        except ConfigError as error:
            return {
                "failed": True,
                "msg": "vrrp_plan cannot use this table:\n%s" % error,
                "problems": [vars(problem) for problem in error.problems],
            }
        site = planned_site(path)
        return {
            "changed": False,
            "plan": path,
            "routers": site["routers"],
            "group_count": len(site["groups"]),
        }
