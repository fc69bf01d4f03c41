# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_assert: with scope group, judges the play's routers together."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..plugin_utils.group_verdict import (
    Blackboard,
    Group,
    Observation,
    read_groups,
    strays,
    table,
    verdicts,
)
from ..plugin_utils.plan_files import planned_site

MODULE = "vlangate.vrrp.vrrp_assert"

Judge = Callable[[Sequence[Group], Mapping[str, Observation]], "list[str]"]

#: Seconds that a failing host waits for the others, whose timeouts end at about the same time.
GRACE_S = 1.0


class ActionModule(ActionBase):
    """Scope router goes straight to the router; scope group becomes statements about each."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Ask this host's router, then judge what all of them saw."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        scope = args.get("scope", "router")
        if scope != "group":
            for name in ("anyone", "groups", "hosts", "plan"):
                if name in args:
                    raise AnsibleActionFail("%s is for scope: group" % name)
            return self._execute_module(MODULE, args, task_vars=task_vars)
        task_vars = task_vars or {}
        host = task_vars["inventory_hostname"]
        hosts = [str(each) for each in args.pop("hosts", None) or task_vars["ansible_play_hosts"]]
        groups = self._groups(args, hosts)
        if host not in hosts:
            return {"skipped": True, "msg": "%s is none of the hosts that are judged" % host}
        args["expect"] = [group.expectation(host) for group in groups if host in group.hosts]
        board = Blackboard(self._directory(args, groups))
        result: dict[str, t.Any] = {"observed": [], "answers": []}
        if args["expect"]:
            args["scope"] = "router"
            args.setdefault("probe", True)
            result = self._execute_module(MODULE, args, task_vars=task_vars)
        is_stable = str(args.get("stable_for", 0)) != "0"
        judges = [verdicts, strays] if is_stable else [verdicts]
        result = self._judged(result, groups, host, board, judges)
        # Whoever comes last has seen all of them, so nobody has to collect everybody's results.
        seen = board.read()
        complete = {each for group in groups for each in group.hosts} <= set(seen)
        told = complete or result.get("failed")
        return {**result, "table": table(groups, seen) if told else []}

    def _groups(self, args: dict[str, t.Any], hosts: list[str]) -> list[Group]:
        for name in ("name", "interface", "family", "vrid", "state", "expect"):
            if name in args:
                raise AnsibleActionFail("%s is for scope: router; give groups instead" % name)
        plan, groups = args.pop("plan", None), args.pop("groups", None)
        anyone = boolean(args.pop("anyone", False))
        try:
            planned = planned_site(plan)["groups"] if plan is not None else []
            if anyone:
                planned = [{**group, "preferred": None} for group in planned]
            return read_groups(planned if groups is None else groups, hosts, planned)
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None

    def _directory(self, args: dict[str, t.Any], groups: list[Group]) -> str:
        """One blackboard for each task, and for each item when it loops."""
        identity = json.dumps([str(self._task._uuid), [vars(group) for group in groups]])
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        return os.path.join(constants.DEFAULT_LOCAL_TMP, "vrrp_assert-" + digest)

    def _judged(
        self,
        result: dict[str, t.Any],
        groups: list[Group],
        host: str,
        board: Blackboard,
        judges: Sequence[Judge],
    ) -> dict[str, t.Any]:
        """This host's result, failed with sentences over all hosts when a group is not well."""
        if "observed" not in result:
            board.write(host, {"error": str(result.get("msg", "no answer"))})
            return result
        observation: dict[str, t.Any] = {"routers": result["observed"]}
        if result.get("failed") and not result["observed"]:
            observation = {"error": str(result["msg"])}
        board.write(host, observation)
        hosts = sorted({each for group in groups for each in group.hosts})
        seen = board.read_all(hosts, GRACE_S) if result.get("failed") else board.read()
        unmet = [sentence for judge in judges for sentence in judge(groups, seen)]
        if not unmet and result.get("failed"):
            unmet = result["unmet"]
        if not unmet:
            return result
        # A fresh result: the module's own error would be shown in place of these sentences.
        return {
            "failed": True,
            "msg": "\n".join(unmet),
            "unmet": unmet,
            "observed": result["observed"],
            "answers": result.get("answers", []),
        }
