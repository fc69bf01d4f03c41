# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrrp_drill_report works on the controller alone: what a drill is, what was seen, the verdict."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..plugin_utils.drill_junit import junit
from ..plugin_utils.drill_notes import Notes
from ..plugin_utils.drill_page import page
from ..plugin_utils.drill_plan import BadDrill, exercises
from ..plugin_utils.drill_report import results, table

#: The options of each state, besides state and plan.
OPTIONS = {
    "planned": ("kinds", "groups", "routers", "budget", "probes"),
    "noted": ("exercise", "phase", "note"),
    "written": ("exercises", "directory"),
}


def _probe(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A host that watches: the addresses it has, by its facts, or those it is told to watch."""
    facts = variables.get("ansible_facts", {})
    return {
        "targets": variables.get("vlangate_probe_targets"),
        "addresses": [
            address
            for family in ("ipv4", "ipv6")
            for address in facts.get("all_%s_addresses" % family, ())
        ],
    }


class ActionModule(ActionBase):
    """Plan, note, and judge."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Whichever of the three is asked for."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        state, plan = args.pop("state", None), args.pop("plan", None)
        if state not in OPTIONS or plan is None:
            raise AnsibleActionFail("state (%s) and plan are needed" % ", ".join(OPTIONS))
        unknown = sorted(set(args) - set(OPTIONS[state]))
        if unknown:
            form = "no option of state %s: %s; there are %s"
            words = (state, ", ".join(unknown), ", ".join(OPTIONS[state]))
            raise AnsibleActionFail(form % words)
        if state == "planned":
            return self._planned(plan, args, (task_vars or {}).get("hostvars", {}))
        if state == "noted":
            return self._noted(plan, args, (task_vars or {})["inventory_hostname"])
        return self._written(plan, args)

    def _planned(
        self, plan: str, args: dict[str, t.Any], hostvars: t.Mapping[str, t.Any]
    ) -> dict[str, t.Any]:
        args["probes"] = {host: _probe(hostvars[host]) for host in args.pop("probes", None) or ()}
        try:
            return {"changed": False, "exercises": exercises(plan, **args)}
        except BadDrill as error:
            return {"failed": True, "msg": "there is no such drill:\n%s" % error}

    def _noted(self, plan: str, args: dict[str, t.Any], host: str) -> dict[str, t.Any]:
        try:
            Notes(plan).add(int(args["exercise"]), str(args["phase"]), host, args["note"])
        except (KeyError, TypeError, ValueError) as error:
            raise AnsibleActionFail("this cannot be noted: %s" % error) from None
        return {"changed": False}

    def _written(self, plan: str, args: dict[str, t.Any]) -> dict[str, t.Any]:
        found = results(args.get("exercises") or (), Notes(plan).read())
        broken = [sentence for result in found for sentence in result.broken]
        if not found:
            broken = ["no exercise was begun"]
        files = []
        if args.get("directory") and not self._task.check_mode:
            directory = Path(os.path.abspath(os.path.expanduser(args["directory"])))
            directory.mkdir(parents=True, exist_ok=True)
            for name, text in (("drill.html", page(found)), ("drill.xml", junit(found))):
                (directory / name).write_text(text, encoding="utf-8")
                files.append(str(directory / name))
        verdict = {"changed": bool(files), "broken": broken, "files": files, "table": table(found)}
        if broken:
            where = "\nThe report is %s" % files[0] if files else ""
            return {**verdict, "failed": True, "msg": "\n".join(broken) + where}
        return verdict
