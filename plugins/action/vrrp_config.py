# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_config: refuses what is wrong before any connection is made."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..module_utils.config_apply import packed
from ..module_utils.vrrp.config.hosts import host_problems
from ..module_utils.vrrp.config.parse import parse
from ..module_utils.vrrp.config.render import canonical_json
from ..module_utils.vrrp.errors import ConfigError, Problem
from ..plugin_utils.plan_files import planned_router

MODULE = "vlangate.vrrp.vrrp_config"


class ActionModule(ActionBase):
    """Checks this host's configuration and, when the fleet is given, all of them together.

    The router is told the digest first, and the configuration only when it has another one.
    """

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Check, then run the module once, or twice when the router asks for the document."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        for name in ("digest", "document"):
            if name in args:
                raise AnsibleActionFail("%s is filled in by the action, leave it out" % name)
        plan, fleet = args.pop("plan", None), args.pop("fleet", None) or {}
        config = args.pop("config", None)
        if plan is not None:
            text = self._planned(plan, config, fleet, task_vars or {})
        elif config is None and boolean(args.get("confirm", False)):
            if fleet:
                raise AnsibleActionFail("the option fleet is checked together with config")
            return self._execute_module(MODULE, args, task_vars=task_vars)
        else:
            if not isinstance(config, Mapping):
                raise AnsibleActionFail(
                    "the option config is a dictionary, and needed to apply one"
                )
            if not isinstance(fleet, Mapping):
                raise AnsibleActionFail("the option fleet is a dictionary: host to configuration")
            problems = all_problems(config, fleet)
            if problems:
                told = list(map(vars, problems))
                return {"failed": True, "msg": refusal(problems), "problems": told}
            text = canonical_json(parse(config))
        args["digest"] = hashlib.sha256(text.encode()).hexdigest()
        result = self._execute_module(MODULE, args, task_vars=task_vars)
        if result.pop("needs_document", False):
            args["document"] = packed(text)
            result = self._execute_module(MODULE, args, task_vars=task_vars)
        return result

    def _planned(
        self, plan: str, config: t.Any, fleet: t.Any, task_vars: Mapping[str, t.Any]
    ) -> str:
        """This router's configuration, which was checked when it was planned."""
        if config is not None or fleet:
            raise AnsibleActionFail("the option plan is in place of config and fleet")
        try:
            return str(planned_router(plan, task_vars["inventory_hostname"])["config"])
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None


def all_problems(
    config: Mapping[str, t.Any], fleet: Mapping[str, Mapping[str, t.Any]]
) -> list[Problem]:
    """What is wrong with this configuration, those of the fleet, and between them."""
    try:
        parse(config)
    except ConfigError as error:
        return list(error.problems)
    problems: list[Problem] = []
    configs = {}
    for host, document in fleet.items():
        try:
            configs[str(host)] = parse(document)
        except ConfigError as error:
            problems += [
                Problem("%s: %s" % (host, each.path), each.code, each.message, each.hint)
                for each in error.problems
            ]
    return problems + list(host_problems(configs))


def refusal(problems: list[Problem]) -> str:
    """One message with every problem on a line of its own."""
    lines = ["- %s" % problem for problem in problems]
    head = "%d problems in the configuration; nothing was touched:" % len(problems)
    if len(problems) == 1:
        head = "a problem in the configuration; nothing was touched:"
    return "\n".join([head, *lines])
