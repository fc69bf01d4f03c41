# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrrp_plan works on the controller alone: it plans the gateways of all routers, once."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..module_utils.vrrp.config.gateway_inventory import Inventory
from ..module_utils.vrrp.errors import ConfigError
from ..plugin_utils.fleet_plan import fleet_plan
from ..plugin_utils.inventory import inventory_of
from ..plugin_utils.plan_files import make_plan, planned_site
from ..plugin_utils.table_places import lines, with_places

TABLE = ("vlans", "routers", "defaults", "configs", "hosts", "partial")
SURVEYED = ("plan", "surveys", "steps")


class ActionModule(ActionBase):
    """From the table to files that the other actions read; from the surveys to what will happen."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Plan; a bad table fails with everything that is wrong with it."""
        super().run(tmp, task_vars)
        args = self._task.args
        expected = SURVEYED if "plan" in args else TABLE
        needed = {"plan", "surveys"} if "plan" in args else {"vlans", "routers"}
        unknown = sorted(set(args) - set(expected))
        if unknown or not needed <= set(args):
            raise AnsibleActionFail(
                "the options are vlans and routers, and perhaps %s; or plan and surveys, and "
                "perhaps steps; not %s"
                % (", ".join(TABLE[2:]), ", ".join(unknown) or "without them")
            )
        return self._surveyed(args) if "plan" in args else self._planned(args, task_vars or {})

    def _planned(
        self, args: Mapping[str, t.Any], task_vars: Mapping[str, t.Any]
    ) -> dict[str, t.Any]:
        """Where the plan of a table is."""
        table = {name: args.get(name) for name in ("vlans", "routers", "defaults")}
        if table["defaults"] is None:
            table["defaults"] = {}
        configs = args.get("configs")
        if configs is not None and not isinstance(configs, Mapping):
            raise AnsibleActionFail("the option configs is a dictionary: router to configuration")
        try:
            path = make_plan(
                constants.DEFAULT_LOCAL_TMP,
                *table.values(),
                self._inventory(args, task_vars),
                configs,
            )
        except ConfigError as error:
            problems = with_places(error.problems, table)
            text = "vrrp_plan cannot use this table; no router was asked or changed:\n%s"
            return {"failed": True, "msg": text % lines(problems), "problems": problems}
        site = planned_site(path)
        return {
            "changed": False,
            "plan": path,
            "routers": site["routers"],
            "group_count": len(site["groups"]),
        }

    def _inventory(
        self, args: Mapping[str, t.Any], task_vars: Mapping[str, t.Any]
    ) -> Inventory | None:
        if args.get("hosts") is None:
            return None
        play = [str(each) for each in args["hosts"]]
        return inventory_of(task_vars, play, boolean(args.get("partial", False)))

    def _surveyed(self, args: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """What will happen to the routers that were surveyed."""
        surveys = args["surveys"]
        if not isinstance(surveys, Mapping):
            raise AnsibleActionFail("the option surveys is a dictionary: router to its survey")
        try:
            found = fleet_plan(planned_site(args["plan"]), surveys, args.get("steps") or ())
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None
        return {"changed": False, "plan": args["plan"], "fleet": found}
