# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of vrrp_config: refuses what is wrong before any connection is made."""

from __future__ import annotations

import hashlib
import json
import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..module_utils.config_apply import packed
from ..module_utils.config_states import OF_PARTS, STATES, part_problems
from ..module_utils.vrrp.config.hosts import host_problems
from ..module_utils.vrrp.config.parse import parse, parse_json
from ..module_utils.vrrp.config.render import canonical_json, document
from ..module_utils.vrrp.errors import ConfigError, Problem
from ..plugin_utils.plan_files import planned_router

MODULE = "vlangate.vrrp.vrrp_config"
#: Options that have no meaning with a state.
NOT_WITH = {
    "gathered": ("config", "plan", "fleet", "confirm", "confirm_within"),
    "rendered": ("confirm", "confirm_within"),
    **dict.fromkeys(OF_PARTS, ("plan", "fleet")),
}


class ActionModule(ActionBase):
    """Checks this host's configuration and, when the fleet is given, all of them together.

    The router is told the digest of a whole configuration first, and the configuration only when
    it has another one. A part goes along with the question.
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
        state = _require_fitting(args)
        plan, fleet = args.pop("plan", None), args.pop("fleet", None) or {}
        config = args.pop("config", None)
        if state == "gathered" or (config is None and plan is None):
            return self._execute_module(MODULE, args, task_vars=task_vars)
        if plan is not None:
            text = self._planned(plan, task_vars or {})
        else:
            problems = _problems(state, config, fleet)
            if problems:
                told = list(map(vars, problems))
                return {"failed": True, "msg": refusal(problems), "problems": told}
            if state in OF_PARTS:
                args["document"] = packed(json.dumps(config))
                return self._execute_module(MODULE, args, task_vars=task_vars)
            text = canonical_json(parse(config))
        if state == "rendered":
            rendered = document(parse_json(text), secrets=False)
            return {"changed": False, "rendered": rendered, "config_warnings": []}
        args["digest"] = hashlib.sha256(text.encode()).hexdigest()
        result = self._execute_module(MODULE, args, task_vars=task_vars)
        if result.pop("needs_document", False):
            args["document"] = packed(text)
            result = self._execute_module(MODULE, args, task_vars=task_vars)
        return result

    def _planned(self, plan: str, task_vars: Mapping[str, t.Any]) -> str:
        """This router's configuration, which was checked when it was planned."""
        return str(planned_router(plan, task_vars["inventory_hostname"])["config"])


def _require_fitting(args: Mapping[str, t.Any]) -> str:
    """The state; raises AnsibleActionFail for options that do not go together."""
    given = {name for name, value in args.items() if value is not None}
    if not boolean(args.get("confirm") or False):
        given.discard("confirm")
    state = args.get("state", STATES[0])
    if state not in STATES:
        raise AnsibleActionFail("the option state is one of %s" % ", ".join(STATES))
    refused = sorted(given & set(NOT_WITH.get(state, ())))
    if refused:
        words = (", ".join(refused), state)
        raise AnsibleActionFail("the option %s has no meaning with state %s, leave it out" % words)
    if "plan" in given and given & {"config", "fleet"}:
        raise AnsibleActionFail("the option plan is in place of config and fleet")
    for name in ("config", "fleet"):
        if name in given and not isinstance(args[name], Mapping):
            raise AnsibleActionFail("the option %s is a dictionary" % name)
    if "fleet" in given and "config" not in given:
        raise AnsibleActionFail("the option fleet is checked together with config")
    is_enough = given & {"config", "plan"} or state == "gathered"
    if not is_enough and (state != STATES[0] or "confirm" not in given):
        raise AnsibleActionFail("the option config is needed for state %s" % state)
    return str(state)


def _problems(state: str, config: Mapping[str, t.Any], fleet: t.Any) -> list[Problem]:
    if state in OF_PARTS:
        return list(part_problems(state, config))
    return all_problems(config, fleet)


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
    for host, its_config in fleet.items():
        try:
            configs[str(host)] = parse(its_config)
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
