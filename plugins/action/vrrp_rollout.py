# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrrp_rollout works on the controller alone: from a plan and the surveys to the steps."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ..plugin_utils.plan_files import derived_plan, planned_router, planned_site
from ..plugin_utils.rollout import Rollout, RolloutRefused, Step, Wishes, Work
from ..plugin_utils.rollout_split import without

DRAINS = ("auto", "always", "never")
OPTIONS = ("drain", "hand_back", "at_once", "drained_by_us")

Documents = Mapping[str, Mapping[str, t.Any]]


class ActionModule(ActionBase):
    """Each step has a plan of its own: what its routers get, and how its groups have to be then."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Work out the steps, and write down their plans."""
        super().run(tmp, task_vars)
        args = self._task.args
        unknown = sorted(set(args) - {"plan", "surveys", *OPTIONS})
        if unknown or "plan" not in args or not isinstance(args.get("surveys"), Mapping):
            raise AnsibleActionFail(
                "the options are plan and surveys, which is router to its survey, and perhaps %s; "
                "not %s" % (", ".join(OPTIONS), ", ".join(unknown) or "without them")
            )
        try:
            return self._rollout(str(args["plan"]), args["surveys"], args)
        except RolloutRefused as error:
            return {"failed": True, "msg": str(error), "problems": error.sentences}
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None

    def _rollout(
        self, plan: str, surveys: Mapping[str, t.Any], args: Mapping[str, t.Any]
    ) -> dict[str, t.Any]:
        documents = {name: json.loads(planned_router(plan, name)["config"]) for name in surveys}
        groups = planned_site(plan)["groups"]
        ours = [str(each) for each in args.get("drained_by_us") or ()]
        rollout = Rollout(groups, documents, surveys, _wishes(args), ours)
        steps = rollout.steps()
        final = rollout.final_groups()
        return {
            "changed": False,
            "steps": [
                _told(plan, step, documents, "step %d of %d" % (number, len(steps)))
                for number, step in enumerate(steps, 1)
            ],
            "plan": plan if final == groups else derived_plan(plan, final, {}),
        }


def _wishes(args: Mapping[str, t.Any]) -> Wishes:
    """The options of the operator. Raises ValueError."""
    drain = args.get("drain", "auto")
    if drain not in DRAINS:
        raise ValueError("drain is %r: choose one of %s" % (drain, ", ".join(DRAINS)))
    try:
        at_once = int(args.get("at_once", 0))
    except (TypeError, ValueError):
        at_once = -1
    if at_once < 0:
        text = "at_once is %r: give a number of routers, or 0 for no limit"
        raise ValueError(text % args["at_once"])
    return Wishes(drain, boolean(args.get("hand_back", True)), at_once)


def _told(plan: str, step: Step, documents: Documents, title: str) -> dict[str, t.Any]:
    """A step as the tasks use it."""
    given = {router: without(documents[router], work.withheld)
             for router, work in step.works.items()}  # fmt: skip
    return {
        "title": "%s: %s" % (title, "; ".join(_words(*item) for item in step.works.items())),
        "before": derived_plan(plan, step.before, {}) if step.before else None,
        "plan": derived_plan(plan, step.groups, given),
        "has_groups": bool(step.groups),
        "probe": step.alike,
        "stable_for": step.stable_for,
        "routers": {router: _flags(work, given[router]) for router, work in step.works.items()},
    }


def _flags(work: Work, given: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What is done with a router. Whoever takes part again has lost some of its groups, perhaps."""
    left = None
    if work.names is not None:
        left = sorted({each["name"] for each in given["virtual_routers"]} & set(work.names))
    return {
        "engine": work.engine,
        "host": work.host,
        "config": work.config,
        "drain": work.drain,
        "names": None if work.names is None else list(work.names),
        "undrain": work.undrain and left != [],
        "left": left,
    }


def _words(router: str, work: Work) -> str:
    """What is done with a router, in a few words."""
    words = [word for word, is_so in (("drained", work.drain), ("engine", work.engine),
                                      ("host", work.host), ("configuration", work.config))
             if is_so]  # fmt: skip
    if work.withheld:
        words.append("without %s yet" % ", ".join(sorted(work.withheld)))
    if work.undrain:
        words.append("undrained")
    return "%s (%s)" % (router, ", ".join(words)) if words else router
