# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_handover: with scope group, nobody drains the last healthy router.

Every host tells how its virtual routers are, on a blackboard; those to be drained wait until all
have told, and touch nothing unless each group keeps somebody.
"""

from __future__ import annotations

import hashlib
import json
import os
import typing as t

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..plugin_utils.group_verdict import Blackboard, Group, Observation, read_groups
from ..plugin_utils.last_router import left_alone, observation, with_masters
from ..plugin_utils.plan_files import planned_site

MODULE = "vlangate.vrrp.vrrp_handover"
INFO = "vlangate.vrrp.vrrp_info"
FOR_GROUPS = ("groups", "hosts", "plan", "routers")

#: The module's own default; hosts of one task begin at about the same time.
TIMEOUT_S = 15.0


class ActionModule(ActionBase):
    """Scope router goes straight to the router; scope group looks at all of them first."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Judge the groups together, then drain if this host is one of those to be drained."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        if args.get("scope", "router") != "group":
            for name in FOR_GROUPS:
                if name in args:
                    raise AnsibleActionFail("%s is for scope: group" % name)
            return self._execute_module(MODULE, args, task_vars=task_vars)
        task_vars = task_vars or {}
        host = task_vars["inventory_hostname"]
        groups, hosts, routers = self._options(args, task_vars)
        own = {name: value for name, value in args.items() if name not in FOR_GROUPS}
        own["scope"] = "router"
        if args.get("state", "drained") == "undrained":
            return self._own(own, task_vars) if host in routers else _skipped(host)
        board = Blackboard(self._directory(groups, hosts, routers))
        self._post(board, host, own, task_vars)
        if host not in routers:
            return {"changed": False, "changes": [], "groups": []}
        seen = board.read_all(hosts, float(args.get("timeout", TIMEOUT_S)))
        alone = left_alone(groups, routers, args.get("names"), seen)
        if alone and not boolean(args.get("force", False)):
            return _refusal(alone)
        result = self._own(own, task_vars)
        if "groups" in result:
            result["groups"] = with_masters(result["groups"], seen)
        return result

    def _own(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        return self._execute_module(MODULE, args, task_vars=task_vars)

    def _options(
        self, args: dict[str, t.Any], task_vars: dict[str, t.Any]
    ) -> tuple[list[Group], list[str], list[str]]:
        """groups, hosts and routers; refused is what could only end in waiting for nobody."""
        hosts = [str(each) for each in args.get("hosts") or task_vars["ansible_play_hosts"]]
        routers = [str(each) for each in args.get("routers") or ()]
        if not routers or set(routers) - set(hosts):
            raise AnsibleActionFail("routers names the hosts to drain, which are some of hosts")
        batch = task_vars.get("ansible_play_batch", hosts)
        absent = sorted(set(hosts) - set(batch))
        if absent:
            text = (
                "%s is in another batch: give the play no serial, for routers says who is drained"
            )
            raise AnsibleActionFail(text % ", ".join(absent))
        plan, groups = args.get("plan"), args.get("groups")
        try:
            planned = planned_site(plan)["groups"] if plan is not None else []
            return read_groups(planned if groups is None else groups, hosts), hosts, routers
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None

    def _post(
        self,
        board: Blackboard,
        host: str,
        own: dict[str, t.Any],
        task_vars: dict[str, t.Any],
    ) -> None:
        """Ask this host's daemon, and let the others know; that it could not be asked, too."""
        args = {name: own[name] for name in ("runtime_dir",) if name in own}
        seen: Observation = {"error": "it could not be asked"}
        try:
            seen = observation(self._execute_module(INFO, args, task_vars=task_vars))
        finally:
            board.write(host, seen)

    def _directory(self, groups: list[Group], hosts: list[str], routers: list[str]) -> str:
        """One blackboard for each task, and for each item when it loops."""
        identity = [str(self._task._uuid), [vars(group) for group in groups], hosts, routers]
        digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
        return os.path.join(constants.DEFAULT_LOCAL_TMP, "vrrp_handover-" + digest)


def _skipped(host: str) -> dict[str, t.Any]:
    return {"skipped": True, "msg": "%s is none of routers" % host}


def _refusal(alone: list[str]) -> dict[str, t.Any]:
    remedy = "nothing was touched: bring the others back to life, or use force: true"
    return {"failed": True, "msg": "\n".join([*alone, remedy]), "unmet": alone, "groups": []}
